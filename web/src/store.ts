/** The page's one store: the board, the fixed city, and what the operator looks at. Views read it; actions change it. */
import { useEffect, useState } from "preact/hooks";
import type { Accepted, City, Forecast, ForecastRow, GridFacts, JunctionFacts, LinkFacts, LonLat, VenueFacts } from "./api";
import { type Lang } from "./i18n";
import type { Names } from "./names";
import { type Board, emptyBoard } from "./state";
import type { Person } from "./session";
import type { Connection } from "./stream";

/** `near`: the zoom that the map shall come near with; without it the thing is in sight already, at most under a panel. */
export type Selection = { kind: "junction" | "call" | "unit" | "link" | "venue"; id: number; near?: number };
export type LayerName = "junctions" | "units" | "calls" | "grids" | "venues" | "names";

export interface Place<P> { at: LonLat; facts: P }
export interface Course { points: LonLat[]; facts: LinkFacts }
export interface GridArea { ring: LonLat[]; facts: GridFacts }

/** What does not change while the page is open. */
export interface Atlas {
  city: City;
  links: Map<number, Course>;
  junctions: Map<number, Place<JunctionFacts>>;
  grids: GridArea[];
  venues: Place<VenueFacts>[];
  units: Map<number, City["units"][number]>;
  names: Names;
}

export interface Store {
  lang: Lang;
  atlas: Atlas | null;
  board: Board;
  /** Grows with every message, so that views know that the board changed in place. */
  version: number;
  connection: Connection;
  selection: Selection | null;
  lead_min: number;
  forecast: { facts: Forecast; byLink: Map<number, ForecastRow> } | null;
  forecastFailed: boolean;
  layers: Record<LayerName, boolean>;
  /** Whether the form for a new call is open. */
  raising: boolean;
  /** A form wants a place, and the one picked for it: the new call's, or that of the chosen call when it changes. */
  picking: { place: LonLat | null } | null;
  /** What the server took last: a call raised, changed or withdrawn here. */
  accepted: Accepted | null;
  announcement: string;
  failure: string | null;
  /** Whether the server wants to know who asks. */
  locked: boolean;
  /** Who is logged in, where one must be. */
  person: Person | null;
}

const listeners = new Set<() => void>();
export const store: Store = {
  lang: "en", atlas: null, board: emptyBoard(), version: 0, connection: { state: "connecting", since_ms: Date.now() },
  selection: null, lead_min: 0, forecast: null, forecastFailed: false,
  layers: { junctions: true, units: true, calls: true, grids: false, venues: false, names: true },
  raising: false, picking: null, accepted: null, announcement: "", failure: null, locked: false, person: null,
};

export function set(patch: Partial<Store>): void {
  Object.assign(store, patch);
  for (const listener of listeners) listener();
}

export function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Draws the component again, at most once a frame, whenever the store changes. */
export function useStore(): Store {
  const [, again] = useState(0);
  useEffect(() => {
    let frame = 0;
    const off = subscribe(() => {
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        again((n) => n + 1);
      });
    });
    return () => {
      off();
      cancelAnimationFrame(frame);
    };
  }, []);
  return store;
}

export const isLive = (): boolean => store.connection.state === "live";

export function select(selection: Selection | null): void {
  set({ selection, raising: false, picking: null, accepted: selection?.kind === "call" && selection.id === store.accepted?.call ? store.accepted : null });
}
