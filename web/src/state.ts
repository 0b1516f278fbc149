/** What the page knows of the city now: the stream's messages folded into maps. Pure: no clock, no DOM, no network. */
import type { CallRow, Figures, FigureKey, Level, StageReason, StreamMessage, UnitStatus, VenueLead } from "./api";

export interface LinkNow { id: number; level: Level; speed_kmh: number; flow_veh_h: number; queue_veh: number }
export interface JunctionNow { id: number; stage: number; interval: 0 | 1 | 2; reason: StageReason; changed_ms: number | null }
export interface UnitNow { id: number; lon: number; lat: number; status: UnitStatus; assignment: string | null; connected?: boolean | null }
/** People at a venue; `share` is of what it holds. */
export interface CrowdNow { id: number; people: number | null; usual: number; share: number; surge: boolean; outflow: number[]; ahead: VenueLead[] }
export interface Sample { time_ms: number; figures: Figures }

export interface Board {
  time_ms: number;
  links: Map<number, LinkNow>;
  junctions: Map<number, JunctionNow>;
  units: Map<number, UnitNow>;
  calls: Map<number, CallRow>;
  onsets: [link: number, lead_min: number][];
  crowds: Map<number, CrowdNow>;
  figures: Figures;
  /** Figures over the last while, oldest first. */
  series: Sample[];
  /** Stage changes seen since the page was loaded. */
  junction_changes: number;
  /** Whether a snapshot has come yet. */
  loaded: boolean;
}

/** What a message brought, for those who announce it. */
export interface Changes { raised: CallRow[]; closed: number[] }

const SERIES_MS = 15 * 60_000;
const SERIES_STEP_MS = 2_000;

export const emptyBoard = (): Board => ({
  time_ms: 0, links: new Map(), junctions: new Map(), units: new Map(), calls: new Map(), onsets: [], crowds: new Map(), figures: {},
  series: [], junction_changes: 0, loaded: false,
});

/** Folds a message into the board, in place (the maps keep their identity). A snapshot replaces what was there. */
export function apply(board: Board, message: StreamMessage, kind: "snapshot" | "delta"): Changes {
  const known = new Set(board.calls.keys());
  const first = !board.loaded;
  if (kind === "snapshot") forget(board, message);
  board.time_ms = message.time_ms;
  for (const [id, level, speed_kmh, flow_veh_h, queue_veh] of message.links ?? [])
    board.links.set(id, { id, level, speed_kmh, flow_veh_h, queue_veh });
  for (const [id, stage, interval, reason] of message.junctions ?? []) {
    const before = board.junctions.get(id);
    const changed = before !== undefined && before.stage !== stage;
    if (changed) board.junction_changes += 1;
    board.junctions.set(id, { id, stage, interval, reason, changed_ms: changed ? message.time_ms : (before?.changed_ms ?? null) });
  }
  for (const [id, lon, lat, status, assignment, connected = null] of message.units ?? []) board.units.set(id, { id, lon, lat, status, assignment, connected });
  for (const call of message.calls ?? []) board.calls.set(call.call, call);
  for (const id of message.closed ?? []) board.calls.delete(id);
  if (message.onsets) board.onsets = message.onsets;
  for (const [id, people, usual, share, surge, outflow, ahead] of message.crowds ?? [])
    board.crowds.set(id, { id, people, usual, share, surge: surge === 1, outflow, ahead: ahead ?? [] });
  if (message.figures) Object.assign(board.figures, asSeen(message.figures, board.links.size > 0, board.units.size > 0));
  remember(board, message);
  board.loaded ||= kind === "snapshot";
  const raised = first ? [] : (message.calls ?? []).filter((c) => !known.has(c.call) && board.calls.has(c.call));
  return { raised, closed: [...known].filter((id) => !board.calls.has(id)) };
}

/** Drops what a snapshot does not repeat. Junctions stay, so that a change across a gap is still counted. */
function forget(board: Board, snapshot: StreamMessage): void {
  board.links.clear();
  board.units.clear();
  board.calls.clear();
  board.onsets = [];
  board.crowds.clear();
  const named = new Set((snapshot.junctions ?? []).map((j) => j[0]));
  for (const id of board.junctions.keys()) if (!named.has(id)) board.junctions.delete(id);
}

/** The server writes 0 where nothing was seen yet, of streets or of units: that is unknown, not 0. */
function asSeen(figures: Figures, streets: boolean, units: boolean): Figures {
  const unseen: FigureKey[] = [...(streets ? [] : STREET_FIGURES), ...(units ? [] : ["available_units"] as const)];
  return Object.fromEntries(Object.entries(figures).map(([k, v]) => [k, v === 0 && unseen.includes(k as FigureKey) ? null : v]));
}
const STREET_FIGURES = ["mean_speed_kmh", "congested_links", "vehicles_h"] as const satisfies FigureKey[];

function remember(board: Board, message: StreamMessage): void {
  const { history } = message;
  if (history && board.series.length === 0) {
    const keys = Object.keys(history).filter((k): k is FigureKey => k !== "time_ms");
    board.series = history.time_ms.map((time_ms, i) => {
      const figures: Figures = Object.fromEntries(keys.map((k) => [k, history[k]?.[i] ?? null]));
      return { time_ms, figures: figures.mean_speed_kmh ? figures : asSeen(figures, false, false) };
    });
  }
  if (!message.figures) return;
  const last = board.series.at(-1);
  if (last && message.time_ms < last.time_ms) board.series = []; // another run of the engine, or a replay begun again
  if (!last || message.time_ms - last.time_ms >= SERIES_STEP_MS || message.time_ms < last.time_ms)
    board.series.push({ time_ms: message.time_ms, figures: { ...board.figures } });
  const oldest = message.time_ms - SERIES_MS;
  const from = board.series.findIndex((s) => s.time_ms >= oldest);
  if (from > 0) board.series.splice(0, from);
}

/** Venues with more people than usual, the fullest first. */
export const surgesInOrder = (crowds: Iterable<CrowdNow>): CrowdNow[] =>
  [...crowds].filter((c) => c.surge).sort((a, b) => b.share - a.share || a.id - b.id);

/** People expected to leave within the hour. */
export const leaving = (crowd: CrowdNow): number => crowd.outflow.reduce((a, b) => a + b, 0);

/** Open calls, most urgent first, then longest waiting. */
export const callsInOrder = (calls: Iterable<CallRow>): CallRow[] =>
  [...calls].sort((a, b) => rank(a) - rank(b) || a.opened_ms - b.opened_ms || a.call - b.call);

/** Waiting before the rest, then by priority: what needs a person's eye first. */
const rank = (c: CallRow): number => (c.phase === "waiting" ? 0 : 10) + c.priority.charCodeAt(0) - 65;

export interface OnsetGroup { lead_min: number; count: number; roads: { road: string; links: number[] }[] }

/** Links about to congest, the soonest first, those of one time by their road's name. Links without a road's name stay alone. */
export function onsetsByRoad(onsets: Board["onsets"], roadOf: (link: number) => string): OnsetGroup[] {
  const rows = onsets.map(([link, lead]) => ({ link, lead, road: roadOf(link) }));
  rows.sort((a, b) => a.lead - b.lead || a.road.localeCompare(b.road, "zh") || a.link - b.link);
  const groups: OnsetGroup[] = [];
  for (const { link, lead, road } of rows) {
    const last = groups.at(-1);
    const group = last?.lead_min === lead ? last : { lead_min: lead, count: 0, roads: [] };
    if (group !== last) groups.push(group);
    group.count += 1;
    const same = group.roads.at(-1);
    if (road !== "" && same?.road === road) same.links.push(link);
    else group.roads.push({ road, links: [link] });
  }
  return groups;
}

const AVAILABLE: ReadonlySet<UnitStatus> = new Set<UnitStatus>(["ready", "returning", "stationed"]);
/** Whether a unit may be given a task. */
export const isAvailable = (unit: UnitNow): boolean => AVAILABLE.has(unit.status) && unit.assignment === null;
