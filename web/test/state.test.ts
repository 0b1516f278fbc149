import { expect, test } from "vitest";
import type { CallRow, StreamMessage } from "../src/api";
import { apply, callsInOrder, emptyBoard, isAvailable, leaving, onsetsByRoad, surgesInOrder } from "../src/state";

const call = (id: number, more: Partial<CallRow> = {}): CallRow => ({ call: id, phase: "waiting", priority: "B", category: "help", lon: 106.7, lat: 26.6, opened_ms: 1000, ...more });
const first: StreamMessage = {
  time_ms: 10_000, links: [[0, 1, 40, 300, 2], [1, 5, 6, 900, 21.5]], junctions: [[0, 2, 0, "pressure"], [1, 0, 1, "max_red"]],
  units: [[7, 106.7, 26.6, "ready", null]], calls: [call(1)], closed: [], onsets: [[1, 15], [0, 5]], figures: { open_calls: 1, mean_speed_kmh: 31.5 },
};

test("a snapshot fills the board", () => {
  const board = emptyBoard();
  expect(apply(board, first, "snapshot").raised).toEqual([]);
  expect(board.links.get(1)).toEqual({ id: 1, level: 5, speed_kmh: 6, flow_veh_h: 900, queue_veh: 21.5 });
  expect(board.junctions.get(0)).toMatchObject({ stage: 2, interval: 0, reason: "pressure" });
  expect(board.onsets).toEqual([[1, 15], [0, 5]]);
  expect(board.figures.open_calls).toBe(1);
  expect(board.loaded).toBe(true);
});

test("a delta changes what it names and leaves the rest", () => {
  const board = emptyBoard();
  const { links, calls } = board;
  apply(board, first, "snapshot");
  const changes = apply(board, { time_ms: 11_000, links: [[1, 3, 20, 800, 9]], calls: [call(2, { priority: "A" })], closed: [1], figures: { open_calls: 2 } }, "delta");
  expect(board.links.get(0)?.level).toBe(1);
  expect(board.links.get(1)?.level).toBe(3);
  expect([...board.calls.keys()]).toEqual([2]);
  expect(changes.raised.map((c) => c.call)).toEqual([2]);
  expect(changes.closed).toEqual([1]);
  expect(board.figures).toEqual({ open_calls: 2, mean_speed_kmh: 31.5 });
  expect(board.onsets).toHaveLength(2);
  expect(board.links).toBe(links);
  expect(board.calls).toBe(calls);
});

test("a call that changes phase is not announced again", () => {
  const board = emptyBoard();
  apply(board, first, "snapshot");
  expect(apply(board, { time_ms: 11_000, calls: [call(1, { phase: "assigned", unit: 7 })] }, "delta").raised).toEqual([]);
  expect(board.calls.get(1)?.phase).toBe("assigned");
});

test("an empty list of onsets empties the list; a missing one keeps it", () => {
  const board = emptyBoard();
  apply(board, first, "snapshot");
  apply(board, { time_ms: 11_000 }, "delta");
  expect(board.onsets).toHaveLength(2);
  apply(board, { time_ms: 12_000, onsets: [] }, "delta");
  expect(board.onsets).toEqual([]);
});

test("people at venues stay as they were said last, until a snapshot; surges come by how full they are", () => {
  const board = emptyBoard();
  const outflow = [10, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5];
  apply(board, { ...first, crowds: [[0, 900, 300, 0.4, 1, outflow], [1, null, 40, 0, 0, outflow], [2, 800, 0, 0.9, 1, outflow]] }, "snapshot");
  expect(surgesInOrder(board.crowds.values()).map((c) => c.id)).toEqual([2, 0]);
  expect(board.crowds.get(1)).toEqual({ id: 1, people: null, usual: 40, share: 0, surge: false, outflow, ahead: [] });
  expect(leaving(board.crowds.get(0)!)).toBe(35);
  apply(board, { time_ms: 11_000, crowds: [[2, 100, 0, 0.1, 0, outflow, [[5, 120, 90, 150]]]] }, "delta");
  expect(board.crowds.get(2)?.ahead).toEqual([[5, 120, 90, 150]]);
  expect(surgesInOrder(board.crowds.values()).map((c) => c.id)).toEqual([0]);
  apply(board, { ...first, time_ms: 60_000 }, "snapshot");
  expect(board.crowds.size).toBe(0);
});

test("stage changes are counted, intervals and reasons are not, and a gap does not hide one", () => {
  const board = emptyBoard();
  apply(board, first, "snapshot");
  expect(board.junction_changes).toBe(0);
  apply(board, { time_ms: 11_000, junctions: [[0, 3, 1, "pressure"]] }, "delta");
  apply(board, { time_ms: 14_000, junctions: [[0, 3, 2, "pressure"]] }, "delta");
  expect(board.junction_changes).toBe(1);
  apply(board, { ...first, time_ms: 60_000, junctions: [[0, 0, 0, "plan"], [1, 0, 0, "idle"]] }, "snapshot");
  expect(board.junction_changes).toBe(2);
});

test("a second snapshot drops what is gone and announces what came meanwhile", () => {
  const board = emptyBoard();
  apply(board, first, "snapshot");
  const changes = apply(board, { time_ms: 60_000, links: [[0, 0, 50, 10, 0]], calls: [call(9)] }, "snapshot");
  expect([...board.links.keys()]).toEqual([0]);
  expect([...board.calls.keys()]).toEqual([9]);
  expect(board.units.size).toBe(0);
  expect(changes).toEqual({ raised: [call(9)], closed: [1] });
});

test("the series starts with the history, keeps a quarter of an hour, and begins anew when time goes back", () => {
  const board = emptyBoard();
  apply(board, { ...first, time_ms: 100_000, history: { time_ms: [80_000, 90_000], mean_speed_kmh: [30, null] } }, "snapshot");
  expect(board.series.map((s) => s.figures.mean_speed_kmh)).toEqual([30, null, 31.5]);
  for (let s = 0; s < 2000; s++) apply(board, { time_ms: 101_000 + s * 1000, figures: { open_calls: s } }, "delta");
  expect(board.series.length).toBeLessThanOrEqual(452);
  expect(board.time_ms - board.series[0]!.time_ms).toBeLessThanOrEqual(900_000);
  apply(board, { time_ms: 5_000, figures: { open_calls: 0 } }, "delta");
  expect(board.series).toHaveLength(1);
});

test("0 of what nobody has seen is unknown; 0 of what is seen is 0", () => {
  const board = emptyBoard();
  const zero = { mean_speed_kmh: 0, congested_links: 0, vehicles_h: 0, available_units: 0, open_calls: 0 };
  const unseen = { mean_speed_kmh: null, congested_links: null, vehicles_h: null, available_units: null, open_calls: 0 };
  apply(board, { time_ms: 30_000, figures: zero, history: { time_ms: [10_000, 20_000], mean_speed_kmh: [0, 39.9], vehicles_h: [0, 13_080], congested_links: [0, 0] } }, "snapshot");
  expect(board.figures).toEqual(unseen);
  expect(board.series.map((s) => [s.figures.mean_speed_kmh, s.figures.vehicles_h, s.figures.congested_links])).toEqual([[null, null, null], [39.9, 13_080, 0], [null, null, null]]);
  apply(board, { time_ms: 31_000, links: [[0, 0, 40, 0, 0]], units: [[7, 106.7, 26.6, "on_scene", "1.1"]], figures: { ...zero, mean_speed_kmh: 40 } }, "delta");
  expect(board.figures).toEqual({ ...zero, mean_speed_kmh: 40 });
});

test("links about to congest: the soonest first, then by road, a road's links together", () => {
  const road: Record<number, string> = { 1: "中华路", 2: "北京路", 3: "中华路", 4: "北京路", 5: "", 6: "" };
  expect(onsetsByRoad([[1, 5], [2, 10], [4, 5], [5, 5], [3, 5], [6, 5]], (link) => road[link]!)).toEqual([
    { lead_min: 5, count: 5, roads: [{ road: "", links: [5] }, { road: "", links: [6] }, { road: "北京路", links: [4] }, { road: "中华路", links: [1, 3] }] },
    { lead_min: 10, count: 1, roads: [{ road: "北京路", links: [2] }] },
  ]);
});

test("calls in order: waiting first, then by priority, then by age", () => {
  const calls = [call(1, { phase: "arrived", priority: "A" }), call(2, { priority: "C" }), call(3, { opened_ms: 900 }), call(4), call(5, { phase: "assigned", priority: "A", opened_ms: 5 })];
  expect(callsInOrder(calls).map((c) => c.call)).toEqual([3, 4, 2, 5, 1]);
});

test("a unit is available when its status allows and it has no task", () => {
  const unit = { id: 1, lon: 0, lat: 0, status: "returning" as const, assignment: null };
  expect(isAvailable(unit)).toBe(true);
  expect(isAvailable({ ...unit, assignment: "3.1" })).toBe(false);
  expect(isAvailable({ ...unit, status: "off_duty" })).toBe(false);
});
