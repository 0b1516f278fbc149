/** The page: head, map with its tools, lists, the open panel, foot. */
import type { JSX } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { clock } from "./format";
import { t } from "./i18n";
import { CityMap } from "./map/view";
import { CallPanel } from "./panels/call";
import { JunctionPanel } from "./panels/junction";
import { LinkPanel } from "./panels/link";
import { RaisePanel } from "./panels/raise";
import { UnitPanel } from "./panels/unit";
import { VenuePanel } from "./panels/venue";
import { Footer } from "./parts/footer";
import { ForecastBar } from "./parts/forecast";
import { Header } from "./parts/header";
import { Layers, Legend } from "./parts/legend";
import { Calls, Onsets, Surges } from "./parts/lists";
import { Search, type Found } from "./parts/search";
import { LoginForm } from "./parts/login";
import { Series } from "./parts/series";
import { select, set, store, subscribe, useStore, type Atlas, type Selection } from "./store";

/** The one map of the page, once it is there. */
export const mapRef: { current: CityMap | null } = { current: null };

/** Opens a thing's panel and goes near; goes to a place that has no panel. */
export function open(to: Found): void {
  if ("at" in to) mapRef.current?.show(to.at, 14.5);
  else select({ ...to, near: to.kind === "junction" ? 15.25 : 14.5 });
}

export function App({ entered }: { entered: () => void }): JSX.Element {
  const { locked, atlas, connection, failure, announcement, selection, raising } = useStore();
  useEffect(() => mapRef.current?.settle(), [selection, raising]); // once the panel is drawn
  const stale = connection.state === "silent" || connection.state === "reconnecting";
  return (
    <div class={`page ${stale ? "stale" : ""}`}>
      <Header />
      <main class={raising || selection ? "with-panel" : ""}>
        {atlas ? <MapBox atlas={atlas} /> : <div class="map loading" data-testid="map"><p role="status">{failure ?? t("loading")}</p></div>}
        {atlas && <Tools />}
        {stale && <p class="staleness" role="status">{t("stale", { time: clock(store.board.time_ms, atlas?.city.utc_offset_min ?? 0) })}</p>}
        {atlas && <div class="bottom"><Legend /><ForecastBar /></div>}
        {raising ? <RaisePanel /> : selection && <Panel {...selection} />}
      </main>
      <div class="side">
        <Calls onPick={open} />
        <Surges onPick={open} />
        <Onsets onPick={open} />
        <Series />
      </div>
      <Footer />
      {locked && <LoginForm entered={entered} />}
      <p class="hidden" role="alert" aria-live="assertive">{announcement}</p>
    </div>
  );
}

function Panel({ kind, id }: Selection): JSX.Element {
  switch (kind) {
    case "junction": return <JunctionPanel id={id} />;
    case "call": return <CallPanel id={id} />;
    case "unit": return <UnitPanel id={id} />;
    case "link": return <LinkPanel id={id} />;
    case "venue": return <VenuePanel id={id} />;
  }
}

function Tools(): JSX.Element {
  return (
    <div class="tools">
      <Search onPick={open} />
      <Layers />
      <button type="button" class="icon" title={t("whole_city")} aria-label={t("whole_city")} onClick={() => mapRef.current?.whole()}>
        <svg width="15" height="15" viewBox="0 0 15 15" fill="none" stroke="currentColor" stroke-width="1.6" aria-hidden="true"><path d="M1 5V1H5M10 1H14V5M14 10V14H10M5 14H1V10" /></svg>
      </button>
      <button type="button" class="primary" data-testid="raise-call" aria-pressed={store.raising} onClick={() => set({ raising: !store.raising, picking: store.raising ? null : { place: null }, selection: null })}>＋ {t("raise_call")}</button>
    </div>
  );
}

/** The element that the map lives in. Preact leaves its inside alone. */
function MapBox({ atlas }: { atlas: Atlas }): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!box.current) return;
    const map = new CityMap(box.current, atlas);
    mapRef.current = map;
    const off = subscribe(() => map.redraw());
    return () => {
      off();
      map.leaflet.remove();
      mapRef.current = null;
    };
  }, [atlas]);
  return (
    <div class={`map ${store.picking ? "picking" : ""}`} data-testid="map" role="application" aria-label={t("map_label")}>
      <div class="leaflet" ref={box} />
    </div>
  );
}
