/** What the server tells travellers, as docs/travel.md gives it. This page asks nothing else of it. */
import type { Features, LonLat } from "../api";

export const AHEAD_MIN = [0, 15, 30, 60] as const;
export type Ahead = (typeof AHEAD_MIN)[number];
export type Heading = "n" | "ne" | "e" | "se" | "s" | "sw" | "w" | "nw";

export interface City {
  name: string;
  bounds: [west: number, south: number, east: number, north: number];
  utc_offset_min: number;
  venues: { name: string; at: LonLat }[];
}

export interface Expected { in_min: number; speed_kmh: number; low_kmh: number; high_kmh: number; level: number; congested: number }
/** Of a road, a direction or a link; null where nothing is known yet. */
export interface Figures {
  length_m: number; level: number | null; speed_kmh: number | null; free_kmh?: number; congested: number | null; seen: number;
  expected: Expected[];
}
export interface Direction extends Figures { heading: Heading }
export interface Section extends Figures { link: number; to: string | null }
export interface Road extends Figures { name: string; at: LonLat; directions: Direction[] }
export interface RoadDetail extends Road { time_ms: number; directions: (Direction & { sections: Section[] })[] }
export interface Roads { time_ms: number; total: number; roads: Road[] }

export interface Levels { time_ms: number; in_min: number; levels: string }
export type Congestion = Features<LonLat[], { id: number; road: string; lanes: number; level: number | null }>;

export interface Incident {
  id: string; kind: "collision" | "congestion" | "congestion_expected" | string; road: string; heading: Heading | null; since_ms: number;
  confirmed: boolean; at: LonLat; links: number[]; in_min?: number;
}
export interface Incidents { time_ms: number; incidents: Incident[] }

export interface Trip {
  time_ms: number; depart_ms: number; arrive_ms: number; minutes: number; low_minutes: number; high_minutes: number; free_minutes: number;
  distance_m: number; roads: string[]; beyond_forecast: boolean; foretold: number;
  from: End; to: End; path: { geometry: { coordinates: LonLat[] } };
}
export interface End { at: LonLat; road: string; off_street_m: number }

const API = "./api/travel";
export const cityPath = `${API}/city`;
export const congestionPath = `${API}/congestion.geojson`;
export const incidentsPath = `${API}/incidents`;
export const levelsPath = (ahead: Ahead): string => `${API}/levels?in=${ahead}`;
export const roadsPath = (ahead: Ahead): string => `${API}/roads?in=${ahead}`;
export const roadPath = (name: string): string => `${API}/roads/${encodeURIComponent(name)}`;
export const tripPath = (from: LonLat, to: LonLat, depart_min: number): string => `${API}/time?from=${from.join()}&to=${to.join()}&depart=${depart_min}`;

/** A road's figures at a time ahead; null where nothing is known. */
export function at(figures: Figures, ahead: Ahead): { level: number; speed_kmh: number; range: [number, number] | null } | null {
  if (ahead === 0) return figures.level === null || figures.speed_kmh === null ? null : { level: figures.level, speed_kmh: figures.speed_kmh, range: null };
  const then = figures.expected.find((e) => e.in_min === ahead);
  return then ? { level: then.level, speed_kmh: then.speed_kmh, range: [then.low_kmh, then.high_kmh] } : null;
}
