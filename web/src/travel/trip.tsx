/** A trip: where from, where to, and how long it takes now and later. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, ask, type LonLat } from "../api";
import { clock, figure } from "../format";
import { AHEAD_MIN, tripPath, type Ahead, type City, type Road, type Trip } from "./api";
import { t, whyNot } from "./say";

/** Names offered at once. */
const OFFERED = 6;
/** A trip is asked for again so often, ms. */
const AGAIN_MS = 60_000;

export interface Place { name: string; at: LonLat }
export type Ends = [from: Place | null, to: Place | null];

/** Trips are told for the same times as roads: who chooses a departure sees the map of then. */
interface Props {
  ahead: Ahead; setAhead: (ahead: Ahead) => void;
  city: City; roads: Road[] | null; ends: Ends; picking: 0 | 1 | null;
  setEnds: (ends: Ends) => void; pick: (end: 0 | 1 | null) => void; show: (trip: Trip | null) => void;
}

export function TripPage({ ahead, setAhead, city, roads, ends, picking, setEnds, pick, show }: Props): JSX.Element {
  const [trips, setTrips] = useState<(Trip | null)[] | null>(null);
  const [why, setWhy] = useState<string | null>(null);
  const [from, to] = ends;
  const key = from && to ? [...from.at, ...to.at].join() : "";
  useEffect(() => {
    setTrips(null);
    setWhy(null);
    show(null);
    if (!from || !to) return;
    const stop = new AbortController();
    const get = (): void => {
      Promise.all(AHEAD_MIN.map((min) => ask<Trip>(tripPath(from.at, to.at, min), { signal: stop.signal }))).then(
        (all) => { setTrips(all); setWhy(null); },
        (error: unknown) => stop.signal.aborted || setWhy(whyNot(error instanceof ApiError ? error.reason : "network")),
      );
    };
    get();
    const timer = window.setInterval(() => document.hidden || get(), AGAIN_MS);
    return () => {
      stop.abort();
      window.clearInterval(timer);
    };
  }, [key]);
  const chosen = AHEAD_MIN.indexOf(ahead);
  const trip = trips?.[chosen] ?? null;
  useEffect(() => show(trip), [trip]);
  const put = (end: 0 | 1, place: Place | null): void => setEnds(end === 0 ? [place, to] : [from, place]);
  return (
    <section data-testid="trip">
      <div class="ends">
        {([0, 1] as const).map((end) => (
          <Field key={end} end={end} place={ends[end]} city={city} roads={roads} picking={picking === end}
            put={(place) => put(end, place)} pick={() => pick(picking === end ? null : end)} />
        ))}
        <button type="button" class="swap" aria-label={t("swap")} title={t("swap")} onClick={() => setEnds([to, from])}>⇅</button>
      </div>
      {!(from && to) && <p class="hint">{t("trip_hint")}</p>}
      {why && <p class="error" data-testid="trip-error" role="alert">{why}</p>}
      {trips && !why && (
        <div class="departures" role="radiogroup">
          {trips.map((one, i) => one && (
            <button key={i} type="button" role="radio" aria-checked={i === chosen} data-testid={`depart-${AHEAD_MIN[i]}`} onClick={() => setAhead(AHEAD_MIN[i] ?? 0)}>
              <small>{AHEAD_MIN[i] === 0 ? t("now") : clock(one.depart_ms, city.utc_offset_min, false)}</small>
              <b class="num">{figure(one.minutes)}</b>
              <small>{t("minutes", { n: "" }).trim()}</small>
            </button>
          ))}
        </div>
      )}
      {trip && !why && <Result trip={trip} city={city} />}
    </section>
  );
}

function Result({ trip, city }: { trip: Trip; city: City }): JSX.Element {
  const whole = (n: number): string => figure(Math.max(1, Math.round(n)));
  return (
    <article class="result" data-testid="trip-result">
      <p class="big"><b class="num">{t("minutes", { n: whole(trip.minutes) })}</b> <span>{t("arrive", { time: clock(trip.arrive_ms, city.utc_offset_min, false) })}</span></p>
      <p>{t("minutes_range", { low: whole(trip.low_minutes), high: whole(trip.high_minutes) })}</p>
      <p class="muted">{t("distance", { km: figure(trip.distance_m / 1000, 1) })} · {t("free_time", { n: whole(trip.free_minutes) })}</p>
      <p class="via"><small>{t("via")}</small> {trip.roads.join(" › ")}</p>
      {trip.beyond_forecast && <p class="hint">{t("beyond")}</p>}
      {trip.foretold < 0.8 && <p class="hint">{t("hardly_foretold")}</p>}
    </article>
  );
}

interface FieldProps { end: 0 | 1; place: Place | null; city: City; roads: Road[] | null; picking: boolean; put: (place: Place | null) => void; pick: () => void }

function Field({ end, place, city, roads, picking, put, pick }: FieldProps): JSX.Element {
  const [text, setText] = useState("");
  const name = end === 0 ? "from" : "to";
  const offers = place ? [] : offered(text, city, roads);
  const take = (offer: Place | undefined): void => {
    if (!offer) return;
    setText("");
    put({ name: offer.name, at: offer.at });
  };
  return (
    <div class="field">
      <label for={name}>{end === 0 ? "A" : "B"}</label>
      <input id={name} data-testid={`trip-${name}`} autocomplete="off" aria-label={t(name)} placeholder={picking ? t("picking") : `${t(name)}: ${t("place_hint")}`} value={place?.name ?? text}
        onInput={(e) => { put(null); setText(e.currentTarget.value); }} onKeyDown={(e) => e.key === "Enter" && take(offers[0])} />
      <button type="button" class={picking ? "on" : ""} aria-pressed={picking} data-testid={`pick-${name}`} onClick={pick}>{t("pick")}</button>
      {offers.length > 0 && (
        <ul class="offers">
          {offers.map((offer) => <li key={`${offer.kind}${offer.name}`}><button type="button" onClick={() => take(offer)}>{offer.name} <small>{t(offer.kind)}</small></button></li>)}
        </ul>
      )}
    </div>
  );
}

/** Venues and roads whose name holds a wish. */
export function offered(text: string, city: Pick<City, "venues">, roads: Pick<Road, "name" | "at">[] | null): (Place & { kind: "venue" | "road" })[] {
  const wish = text.trim().toLowerCase();
  if (wish === "") return [];
  const all = [...city.venues.map((v) => ({ ...v, kind: "venue" as const })), ...(roads ?? []).map(({ name, at }) => ({ name, at, kind: "road" as const }))];
  return all.filter(({ name }) => name.toLowerCase().includes(wish)).slice(0, OFFERED);
}
