import { expect, test } from "vitest";
import type { JunctionDetail } from "../src/api";
import { distance2, offsetRight, twins } from "../src/map/course";
import { mercator } from "../src/map/project";
import { claim, insets, type Rect } from "../src/map/room";
import { arms, bearing } from "../src/panels/lamps";
import type { Atlas } from "../src/store";

test("Mercator: the middle of the world, and north is up", () => {
  expect(mercator(0, 0)).toEqual([0.5, 0.5]);
  expect(mercator(106.7, 26.7)[1]).toBeLessThan(mercator(106.7, 26.6)[1]);
});

test("a course is shifted to the right of its way", () => {
  const east = offsetRight(Float64Array.of(0, 0, 10, 0), 2);
  expect([...east]).toEqual([0, 2, 10, 2]);
  const bend = offsetRight(Float64Array.of(0, 0, 10, 0, 10, 10), 1);
  expect([bend[2], bend[3]].map((v) => Math.round(v! * 1000))).toEqual([9000, 1000]);
});

test("what lies over the map takes its side of it; a panel as wide as the map is a sheet", () => {
  const rect = (left: number, top: number, right: number, bottom: number): Rect => ({ left, top, right, bottom });
  const map = rect(0, 60, 1000, 760);
  const [tools, slider] = [{ side: "top", rect: rect(12, 72, 988, 104) }, { side: "bottom", rect: rect(12, 680, 988, 750) }] as const;
  expect(insets(map, [tools, slider, { side: "right", rect: rect(620, 112, 988, 500) }])).toEqual({ left: 0, top: 44, right: 380, bottom: 80 });
  expect(insets(map, [{ side: "right", rect: rect(0, 400, 1000, 900) }])).toEqual({ left: 0, top: 0, right: 0, bottom: 360 });
  expect(insets(map, [{ side: "top", rect: rect(0, 0, 1000, 60) }, { side: "bottom", rect: rect(0, 760, 1000, 900) }])).toEqual({ left: 0, top: 0, right: 0, bottom: 0 });
});

test("words take a place only where it is free", () => {
  const taken: Rect[] = [];
  expect([0, 5, 10].map((left) => claim(taken, { left, top: 0, right: left + 10, bottom: 10 }))).toEqual([true, false, true]);
});

test("distance to a course", () => {
  const course = Float64Array.of(0, 0, 10, 0, 10, 10);
  expect(distance2(course, 5, 3)).toBe(9);
  expect(distance2(course, 12, 12)).toBe(8);
});

test("two directions are twins though their ends are trimmed and their courses apart", () => {
  const m = 1 / 40_075_000; // about a metre on the world square
  const there = Float64Array.of(0.5 + 12 * m, 0.5 + 4 * m, 0.5 + 250 * m, 0.5 + 4 * m, 0.5 + 488 * m, 0.5 + 4 * m);
  const back = Float64Array.of(0.5 + 488 * m, 0.5 - 4 * m, 0.5 + 250 * m, 0.5 - 4 * m, 0.5 + 12 * m, 0.5 - 4 * m);
  const detour = Float64Array.of(0.5 + 488 * m, 0.5, 0.5 + 250 * m, 0.5 + 300 * m, 0.5 + 12 * m, 0.5);
  const [a, , c] = twins([there, back, detour]);
  expect(a! / m).toBeCloseTo(8, 3);
  expect(c).toBeNull();
});

test("heads are grouped by approach, at its true bearing, the most telling lamp of a turn shown", () => {
  expect(bearing([0, 0], [0, 1])).toBe(0);
  expect(bearing([0, 0], [1, 0])).toBe(90);
  const atlas = { links: new Map([[3, { points: [[0, -1], [0, 0]] }], [4, { points: [[1, 0], [0, 0]] }]]) } as unknown as Atlas;
  const junction = { heads: [{ from_link: 3, from_road: "a", turn: "right" }, { from_link: 3, from_road: "a", turn: "left" }, { from_link: 3, from_road: "a", turn: "right" }, { from_link: 4, from_road: "b", turn: "through" }] } as JunctionDetail;
  expect(arms(junction, "rrGy", atlas)).toEqual([
    { link: 4, road: "b", bearing_deg: 90, turns: [{ turn: "through", lamp: "y" }] },
    { link: 3, road: "a", bearing_deg: 180, turns: [{ turn: "left", lamp: "r" }, { turn: "right", lamp: "G" }] },
  ]);
});
