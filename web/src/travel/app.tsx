/** The travellers' page. */
import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { ApiError, type LonLat } from "../api";
import { clock } from "../format";
import type { Lang } from "../lang";
import { usePolled } from "../use";
import { Alerts } from "./alerts";
import {
  AHEAD_MIN, cityPath, congestionPath, incidentsPath, levelsPath, roadsPath,
  type Ahead, type City, type Congestion, type Incident, type Incidents, type Levels, type Roads, type Trip,
} from "./api";
import { levelColour } from "./colours";
import { TravelMap } from "./map";
import { RoadList, RoadPage } from "./roads";
import { speech, t, whyNot, word } from "./say";
import { TripPage, type Ends } from "./trip";

/** Asked for again so often, ms: what is there may be kept for 10 s. */
const EVERY_MS = 20_000;
/** The fixed city, and after a failure. */
const SELDOM_MS = 3_600_000;
const RETRY_MS = 3_000;
/** Data that are older look old, ms. */
const OLD_MS = 90_000;

const TABS = ["roads", "trip", "incidents"] as const;
type Tab = (typeof TABS)[number];

export function App({ speak }: { speak: (lang: Lang) => void }): JSX.Element {
  const [ahead, setAhead] = useState<Ahead>(0);
  const [tab, setTab] = useState<Tab>("roads");
  const [road, setRoad] = useState<string | null>(null);
  const [link, mark] = useState<number | null>(null);
  const [ends, setEnds] = useState<Ends>([null, null]);
  const [picking, pick] = useState<0 | 1 | null>(null);
  const [trip, showTrip] = useState<Trip | null>(null);
  const [tries, again] = useState(0);
  const city = usePolled<City>(cityPath, SELDOM_MS, tries);
  const streets = usePolled<Congestion>(congestionPath, SELDOM_MS, tries);
  const levels = usePolled<Levels>(levelsPath(ahead), EVERY_MS, tries);
  const roads = usePolled<Roads>(roadsPath(ahead), EVERY_MS, tries);
  const incidents = usePolled<Incidents>(incidentsPath, EVERY_MS, tries);
  // What was there before is shown until what is asked for has come.
  const kept = useRef<Roads | null>(null);
  const shown = useRef<Levels | null>(null);
  if (roads.value) kept.current = roads.value;
  if (levels.value) shown.current = levels.value;
  const failure = city.error ?? streets.error;
  useEffect(() => {
    if (!failure || (city.value && streets.value)) return;
    const timer = window.setTimeout(() => again((n) => n + 1), RETRY_MS);
    return () => window.clearTimeout(timer);
  }, [failure]);
  const map = useRef<TravelMap | null>(null);
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (box.current && city.value && streets.value && !map.current) map.current = new TravelMap(box.current, city.value, streets.value);
  }, [city.value, streets.value]);
  const open = (name: string): void => {
    setTab("roads");
    setRoad(name);
    mark(null);
  };
  useEffect(() => {
    if (!map.current) return;
    map.current.tapped = (at: LonLat, name: string | null): void => {
      if (picking !== null) {
        const place = { name: name ? t("picked_near", { road: name }) : t("picked", { lon: at[0].toFixed(3), lat: at[1].toFixed(3) }), at };
        setEnds(picking === 0 ? [place, ends[1]] : [ends[0], place]);
        pick(picking === 0 && !ends[1] ? 1 : null);
      } else if (name) open(name);
    };
  });
  const way = tab === "trip" ? trip : null;
  useEffect(() => {
    const onTrip = tab === "trip";
    map.current?.show({
      levels: shown.current?.levels ?? "", incidents: incidents.value?.incidents ?? [], way: way?.path.geometry.coordinates ?? null,
      ends: onTrip ? [ends[0]?.at ?? null, ends[1]?.at ?? null] : [null, null], link: tab === "roads" ? link : null,
    });
  });
  useEffect(() => {
    if (way) map.current?.fit(way.path.geometry.coordinates);
  }, [way && [...way.path.geometry.coordinates[0]!, ...way.path.geometry.coordinates.at(-1)!].join()]);
  const showLink = (id: number): void => {
    mark(id);
    map.current?.fit(streets.value?.features.find((f) => f.properties.id === id)?.geometry.coordinates ?? []);
  };
  const showIncident = (i: Incident): void => {
    const of = new Set(i.links);
    map.current?.fit((streets.value?.features ?? []).filter((f) => of.has(f.properties.id)).flatMap((f) => f.geometry.coordinates));
  };
  const choose = (next: Tab): void => {
    setTab(next);
    setRoad(null);
    mark(null);
    pick(null);
  };
  if (!city.value || !streets.value) {
    return <p class="loading" role="status">{failure ? t("failed", { why: whyNot(failure instanceof ApiError ? failure.reason : "network") }) : t("loading")}</p>;
  }
  const picked = picking !== null;
  return (
    <div class={`travel ${picked ? "picking" : ""}`}>
      <header>
        <h1>{t("title")} <small>{cityName(city.value.name)}</small></h1>
        <Age of={shown.current?.time_ms ?? 0} failed={levels.error !== null} city={city.value} />
        <button type="button" class="quiet" data-testid="lang" title={t("lang_label")} onClick={() => speak(speech.lang === "zh" ? "en" : "zh")}>{t("lang_switch")}</button>
      </header>
      <div class="stage">
        <div class="map" ref={box} data-testid="map" aria-label={t("map")} />
        <div class="when" role="radiogroup" aria-label={t("when")}>
          {AHEAD_MIN.map((min) => (
            <button key={min} type="button" role="radio" aria-checked={min === ahead} data-testid={`ahead-${min}`} onClick={() => setAhead(min)}>
              {min === 0 ? t("now") : t("in_min", { n: min })}
            </button>
          ))}
        </div>
        <button type="button" class="whole" aria-label={t("map")} onClick={() => map.current?.whole()}>⤢</button>
        <ul class="legend">{[0, 2, 3, 4, 5].map((l) => <li key={l}><i style={{ background: levelColour(l) }} />{word("level", l)}</li>)}</ul>
        {picked && <p class="pickhint" role="status">{t("picking")}</p>}
      </div>
      <main>
        <nav>
          {TABS.map((name) => (
            <button key={name} type="button" aria-current={name === tab} data-testid={`tab-${name}`} onClick={() => choose(name)}>
              {t(`tab_${name}`)}{name === "incidents" && (incidents.value?.incidents.length ?? 0) > 0 && <i class="count">{incidents.value!.incidents.length}</i>}
            </button>
          ))}
        </nav>
        {tab === "roads" && (road === null
          ? <RoadList roads={(roads.value ?? kept.current)?.roads ?? null} ahead={ahead} open={open} />
          : <RoadPage name={road} ahead={ahead} back={() => { setRoad(null); mark(null); }} mark={showLink} />)}
        {tab === "trip" && <TripPage ahead={ahead} setAhead={setAhead} city={city.value} roads={kept.current?.roads ?? null} ends={ends} picking={picking} setEnds={setEnds} pick={pick} show={showTrip} />}
        {tab === "incidents" && <Alerts incidents={incidents.value?.incidents ?? null} city={city.value} show={showIncident} />}
      </main>
    </div>
  );
}

/** As of when, and whether that is long ago: by the page's own clock, for the city's may run apart from it. */
function Age({ of, failed, city }: { of: number; failed: boolean; city: City }): JSX.Element {
  const [seen, note] = useState({ of: 0, at: Date.now() });
  const [, tick] = useState(0);
  useEffect(() => void (of !== seen.of && note({ of, at: Date.now() })), [of]);
  useEffect(() => {
    const timer = window.setInterval(() => tick((n) => n + 1), 10_000);
    return () => window.clearInterval(timer);
  }, []);
  const old = failed || Date.now() - seen.at > OLD_MS;
  const time = clock(of, city.utc_offset_min, false);
  return <p class={`age ${old ? "old" : ""}`} role="status">{old && of > 0 ? t("old", { time }) : t("as_of", { time })}</p>;
}

const NAMES: Record<string, [string, string]> = { guiyang: ["贵阳", "Guiyang"] };
const cityName = (name: string): string => NAMES[name.toLowerCase()]?.[speech.lang === "zh" ? 0 : 1] ?? name;
