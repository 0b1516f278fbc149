/** Roads: a list with the slowest first, found by name, and one of them in full. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ApiError } from "../api";
import { figure } from "../format";
import { usePolled } from "../use";
import { AHEAD_MIN, at, roadPath, type Ahead, type Direction, type Figures, type Road, type RoadDetail } from "./api";
import { levelColour } from "./colours";
import { roadWords, t, whyNot, word } from "./say";

/** Rows at first, and more with each wish. */
const PAGE = 30;

export function Level({ level }: { level: number | null }): JSX.Element {
  return <span class="level" style={{ "--c": levelColour(level) }}>{word("level", level ?? "none")}</span>;
}

export function RoadList({ roads, ahead, open }: { roads: Road[] | null; ahead: Ahead; open: (name: string) => void }): JSX.Element {
  const [text, setText] = useState("");
  const [most, setMost] = useState(PAGE);
  const wish = text.trim().toLowerCase();
  const found = (roads ?? []).filter((road) => road.name.toLowerCase().includes(wish));
  return (
    <section>
      <input type="search" data-testid="road-search" aria-label={t("search")} placeholder={t("search")} value={text}
        onInput={(e) => { setText(e.currentTarget.value); setMost(PAGE); }} />
      {roads !== null && <p class="hint">{found.length > 0 ? t("worst_first", { n: found.length }) : t("none_found")}</p>}
      <ul class="rows" data-testid="roads">
        {found.slice(0, most).map((road) => (
          <li key={road.name}>
            <button type="button" data-testid={`road-${road.name}`} onClick={() => open(road.name)}>
              <b>{road.name}</b>
              {road.directions.map((d) => <Way key={d.heading} way={d} ahead={ahead} />)}
            </button>
          </li>
        ))}
      </ul>
      {found.length > most && <button type="button" class="more" onClick={() => setMost(most + PAGE)}>{t("more", { n: Math.min(PAGE, found.length - most) })}</button>}
    </section>
  );
}

function Way({ way, ahead }: { way: Direction; ahead: Ahead }): JSX.Element {
  const now = at(way, ahead);
  return (
    <span class="way">
      <span>{word("head", way.heading)}</span>
      <span class="num">{now ? figure(now.speed_kmh) : "–"} <small>{t("kmh")}</small></span>
      <Level level={now?.level ?? null} />
    </span>
  );
}

export function RoadPage({ name, ahead, back, mark }: { name: string; ahead: Ahead; back: () => void; mark: (link: number) => void }): JSX.Element {
  const { value: road, error } = usePolled<RoadDetail>(roadPath(name), 20_000);
  return (
    <section data-testid="road-page">
      <button type="button" class="back" data-testid="back" onClick={back}>‹ {t("back")}</button>
      <h2>{name}</h2>
      {error instanceof ApiError && !road && <p class="error">{whyNot(error.reason)}</p>}
      {road?.directions.map((d) => (
        <article key={d.heading}>
          <h3>{roadWords(name, d.heading)} <small>{t("length", { km: figure(d.length_m / 1000, 1) })}</small></h3>
          <Outlook of={d} ahead={ahead} />
          <ol class="sections">
            {d.sections.map((s) => {
              const now = at(s, ahead);
              return (
                <li key={s.link}>
                  <button type="button" onClick={() => mark(s.link)}>
                    <i style={{ background: levelColour(now?.level) }} aria-hidden="true" />
                    <span class="grow">{s.to ? t("to_cross", { road: s.to }) : t("to_edge")}</span>
                    <span class="num">{now ? figure(now.speed_kmh) : "–"}</span>
                    <small>{word("level", now?.level ?? "none")}</small>
                  </button>
                </li>
              );
            })}
          </ol>
        </article>
      ))}
    </section>
  );
}

/** Now and ahead, side by side. */
function Outlook({ of, ahead }: { of: Figures; ahead: Ahead }): JSX.Element {
  return (
    <ul class="outlook" title={t("range_hint")}>
      {AHEAD_MIN.map((min) => {
        const then = at(of, min);
        return (
          <li key={min} class={min === ahead ? "here" : ""} style={{ "--c": levelColour(then?.level) }}>
            <small>{min === 0 ? t("now") : t("in_min", { n: min })}</small>
            <b class="num">{then ? figure(then.speed_kmh) : "–"}</b>
            <small class="num">{then?.range ? t("range", { low: figure(then.range[0]), high: figure(then.range[1]) }) : t("kmh")}</small>
          </li>
        );
      })}
    </ul>
  );
}
