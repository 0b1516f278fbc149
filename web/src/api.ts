/** The server's words, as docs/api.md gives them, and the calls of them. Knows nothing about the page. */

export type Priority = "A" | "B" | "C";
export const PRIORITIES = ["A", "B", "C"] as const;
export type Category = "crime" | "disturbance" | "collision" | "help" | "other" | "community";
export const CATEGORIES = ["crime", "disturbance", "collision", "help", "other", "community"] as const;
export type Phase = "waiting" | "assigned" | "accepted" | "arrived" | "closed" | "cancelled" | "merged" | "referred";
export type UnitStatus = "ready" | "turned_out" | "on_the_way" | "on_scene" | "returning" | "stationed" | "off_duty" | "silent";
export type StageReason = "start" | "pressure" | "min_green" | "max_red" | "max_green" | "plan" | "local_plan" | "not_worth" | "idle" | "preemption" | "bus" | "hold";
export type PickReason = "nearest" | "least_total" | "after_decline" | "after_silence" | "after_loss";
export type IntervalName = "green" | "yellow" | "all_red";
/** Level of service, 0 (A) to 5 (F). */
export type Level = 0 | 1 | 2 | 3 | 4 | 5;

export const FIGURE_KEYS = [
  "mean_speed_kmh", "congested_links", "vehicles_h", "signal_changes_min",
  "open_calls", "waiting_calls", "available_units", "ack_p50_s",
  "events_s", "tick_p99_ms", "dead_letters",
] as const;
export type FigureKey = (typeof FIGURE_KEYS)[number];
export type Figures = Partial<Record<FigureKey, number | null>>;

export interface City {
  name: string;
  bounds: [number, number, number, number];
  utc_offset_min: number;
  counts: Record<string, number>;
  districts: { id: number; name: string; name_en: string }[];
  lead_min: number[];
  units: { id: number; name: string; grid: number }[];
}

interface Feature<G, P> { geometry: { coordinates: G }; properties: P }
export interface Features<G, P> { features: Feature<G, P>[] }
export type LonLat = [number, number];
export interface LinkFacts { id: number; name: string; road: string; lanes: number; length_m: number; free_kmh: number; district: number }
export interface JunctionFacts { id: number; name: string; district: number; stages: string[] }
export interface GridFacts { id: number; name: string; district: number }
export interface VenueFacts { id: number; name: string; capacity: number }

/** A call as the stream shows it. */
export interface CallRow {
  call: number; phase: Phase; priority: Priority; category: Category; lon: number; lat: number; opened_ms: number;
  unit?: number | { id: number; name: string } | null; assignment?: string | null; eta_s?: number | null;
}

/** Snapshot and delta have one shape; a delta may leave lists out. */
export interface StreamMessage {
  time_ms: number;
  links?: [id: number, level: Level, speed_kmh: number, flow_veh_h: number, queue_veh: number][];
  junctions?: [id: number, stage: number, interval: 0 | 1 | 2, reason: StageReason][];
  /** `connected`: whether a terminal of it is; null: it never had one. */
  units?: [id: number, lon: number, lat: number, status: UnitStatus, assignment: string | null, connected?: boolean | null][];
  calls?: CallRow[];
  closed?: number[];
  onsets?: [link: number, lead_min: number][];
  /** `people` is null where nobody counts; `outflow` is by five minutes; `ahead` is what is expected, with its 80 % interval. */
  crowds?: [venue: number, people: number | null, usual: number, share: number, surge: 0 | 1, outflow: number[], ahead?: VenueLead[] | null][];
  figures?: Figures;
  history?: Partial<Record<FigureKey, (number | null)[]>> & { time_ms: number[] };
}

/** `made_ms`: when the newest of these forecasts was made; null before the first. */
export interface Forecast { time_ms: number; made_ms: number | null; lead_min: number; record: TrackRecord | null; links: ForecastRow[] }
/** How good forecasts so far ahead were over the last weeks: shares are null while there is nothing to be a share of. */
export interface TrackRecord {
  lead_min: number; scored: number; mae: number | null; coverage80: number | null; coverage95: number | null;
  told: number; hits: number; came: number; by_profile: number;
}
export type VenueLead = [lead_min: number, people: number, low: number, high: number];
export type ForecastRow = [id: number, level: Level, speed_kmh: number, low_kmh: number, high_kmh: number, congested: number];
export interface LinkLead { lead_min: number; speed_kmh: number; low_kmh: number; high_kmh: number; flow_veh_h: number; congested: number; onset?: boolean }
export interface LinkDetail { forecast?: LinkLead[]; made_ms?: number | null; record?: TrackRecord[] }

/** Where units at hand had better wait, by dispatch region. */
export interface CoverAdvice { unit: number; from_grid: number; to_grid: number; drive_s: number; gain_points: number }
export interface Cover { regions: { region: number; covered: number; advice: CoverAdvice[] }[] }

/** `stage` and `wanted` are null until a controller was told something. */
export interface JunctionDetail {
  id: number; name: string; stage: number | null; wanted: number | null; interval: IntervalName; since_ms: number; lamps: string;
  reason: StageReason | string; scores: number[];
  stages: { name: string; lights: string; min_green_s: number; max_green_s: number }[];
  heads: { from_link: number | null; from_road: string; turn: string }[];
}

export interface CallDetail extends Omit<CallRow, "unit"> {
  grid: number; words?: string | null; channel?: string | null; reason?: PickReason | null;
  unit?: { id: number; name: string } | null;
  candidates?: { unit: number; name: string; eta_s: number }[];
  /** By which rule its words decided something. */
  classified?: { rule: string; phrase: string };
  /** The call that it was merged into, and those that were merged into it. */
  into?: number; joined?: { call: number; opened_ms: number; phase: Phase; words: string }[];
  history?: { time_ms: number; phase: Phase; unit?: number | { id: number; name: string } | null; assignment?: string | null; note?: string }[];
}

export interface NewCall { priority: Priority; category: Category; lon: number; lat: number; channel: "desk"; words?: string }
/** What of a call can change. */
export type CallChange = Partial<Pick<NewCall, "priority" | "category" | "lon" | "lat">>;
export interface Accepted { call: number; status: "accepted" | "updated" | "cancelled"; grid: number; tick: number }

/** The server said no; `reason` is its word for why, "network" when it said nothing. */
export class ApiError extends Error {
  constructor(readonly reason: string, readonly detail: string, readonly status: number) {
    super(`${reason}: ${detail}`);
  }
}

/** Told when the server wants to know who asks; a page that can log in listens here. */
export const door = { shut: (): void => undefined };

/** Asks for JSON. Paths are relative to the page, so that it also works behind a prefix. */
export async function ask<T>(path: string, init?: RequestInit): Promise<T> {
  let reply: Response;
  try {
    reply = await fetch(path, { ...init, headers: { accept: "application/json", ...init?.headers } });
  } catch (e) {
    if (e instanceof DOMException && e.name === "AbortError") throw e;
    throw new ApiError("network", String(e), 0);
  }
  const body: unknown = await reply.json().catch(() => null);
  if (!reply.ok) {
    const said = (body ?? {}) as { error?: string; detail?: string };
    if (reply.status === 401 && said.error !== "wrong_password") door.shut();
    throw new ApiError(said.error ?? `http_${reply.status}`, said.detail ?? reply.statusText, reply.status);
  }
  if (body === null) throw new ApiError("malformed_reply", path, reply.status);
  return body as T;
}

const send = (path: string, method: "POST" | "PATCH", body: NewCall | CallChange): Promise<Accepted> =>
  ask(path, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
export const raiseCall = (call: NewCall): Promise<Accepted> => send("./calls", "POST", call);
export const changeCall = (id: number, change: CallChange): Promise<Accepted> => send(`./calls/${id}`, "PATCH", change);
export const withdrawCall = (id: number): Promise<Accepted> => ask(`./calls/${id}`, { method: "DELETE" });

/** The unit of a call, whichever way it is written. */
export const unitId = (unit: CallRow["unit"]): number | null =>
  unit === undefined || unit === null ? null : typeof unit === "number" ? unit : unit.id;
