/** Starts the page. */
import { render } from "preact";
import { App, mapRef, open } from "./app";
import { ApiError, door } from "./api";
import { firstLang, t } from "./i18n";
import { followForecast, goLive } from "./live";
import { loadAtlas } from "./load";
import { speak } from "./parts/header";
import { keptPerson } from "./session";
import { set, store } from "./store";
import "./style/base.css";
import "./style/frame.css";
import "./style/map.css";
import "./style/lists.css";
import "./style/panels.css";
import "./style/login.css";
import "./style/narrow.css";

const RETRY_MS = 2_000;

let kept: string | null = null;
try {
  kept = localStorage.getItem("nanming.lang");
} catch { /* storage may be forbidden */ }
speak(firstLang(location.search, kept, navigator.language));
door.shut = () => set({ locked: true });
set({ person: keptPerson() });
render(<App entered={() => { if (!store.atlas) void start(); }} />, document.getElementById("app")!);
void start();

async function start(): Promise<void> {
  try {
    set({ atlas: await loadAtlas(), failure: null });
  } catch (error) {
    // Once somebody has logged in it begins anew.
    if (store.locked) return;
    set({ failure: t("load_failed", { why: error instanceof ApiError ? error.reason : String(error) }) });
    window.setTimeout(() => void start(), RETRY_MS);
    return;
  }
  followForecast();
  goLive();
}

/** For the console and for browser tests. */
window.nanming = {
  get junctions() { return store.board.junctions; },
  get calls() { return store.board.calls; },
  get links() { return store.board.links; },
  get units() { return store.board.units; },
  get map() { return mapRef.current?.leaflet ?? null; },
  placeOf: (id) => store.atlas?.junctions.get(id)?.at ?? null,
  get drawn_ms() { return mapRef.current?.drawn_ms ?? null; },
  openJunction: (id) => open({ kind: "junction", id }),
  openCall: (id) => open({ kind: "call", id }),
};

declare global {
  interface Window {
    nanming: {
      readonly junctions: typeof store.board.junctions;
      readonly calls: typeof store.board.calls;
      readonly links: typeof store.board.links;
      readonly units: typeof store.board.units;
      readonly map: import("leaflet").Map | null;
      readonly drawn_ms: [number, number] | null;
      placeOf(junction: number): [lon: number, lat: number] | null;
      openJunction(id: number): void;
      openCall(id: number): void;
    };
  }
}
