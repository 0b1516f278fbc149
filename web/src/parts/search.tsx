/** Finding a thing by its name: the way to every junction for those who do not use a mouse. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { CallRow, LonLat } from "../api";
import { t, word } from "../i18n";
import { heading } from "../names";
import { set, store, type LayerName, type Selection } from "../store";

/** Something with a panel, or a place with a layer that shows it. */
export type Found = Selection | { kind: "grid"; id: number; at: LonLat; layer: LayerName };
interface Hit { to: Found; text: string; kindName: string }
/** Of each kind. */
const MOST = 5;

export function Search({ onPick }: { onPick: (s: Found) => void }): JSX.Element {
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const hits = find(text.trim().toLowerCase());
  useEffect(() => document.getElementById(`found-${chosen}`)?.scrollIntoView({ block: "nearest" }), [chosen]);
  const take = (hit: Hit | undefined): void => {
    if (!hit) return;
    setText("");
    if (hit.to.kind === "venue") set({ layers: { ...store.layers, venues: true } });
    if ("layer" in hit.to) set({ layers: { ...store.layers, [hit.to.layer]: true } });
    onPick(hit.to);
  };
  const keys = (e: KeyboardEvent): void => {
    if (e.key === "ArrowDown" || e.key === "ArrowUp") {
      e.preventDefault();
      setChosen((chosen + (e.key === "ArrowDown" ? 1 : hits.length - 1)) % Math.max(hits.length, 1));
    } else if (e.key === "Enter") take(find((e.currentTarget as HTMLInputElement).value.trim().toLowerCase())[chosen]);
    else if (e.key === "Escape") setText("");
  };
  return (
    <div class="search" role="search">
      <input type="search" data-testid="search" role="combobox" list={undefined} aria-expanded={hits.length > 0} aria-controls="found" aria-activedescendant={hits[chosen] ? `found-${chosen}` : undefined}
        aria-label={t("search")} placeholder={t("search_short")} value={text} onKeyDown={keys} onInput={(e) => { setText(e.currentTarget.value); setChosen(0); }} />
      {text.trim() !== "" && (
        <ul id="found" role="listbox">
          {hits.map((hit, i) => (
            <li key={`${hit.to.kind}${hit.to.id}`} id={`found-${i}`} role="option" aria-selected={i === chosen} class={i === chosen ? "here" : ""} onClick={() => take(hit)}>
              <span>{hit.text}</span><small>{hit.kindName}</small>
            </li>
          ))}
          {hits.length === 0 && <li class="none">{t("search_none")}</li>}
        </ul>
      )}
    </div>
  );
}

/** What a wish in small letters names: calls by any part of their number, streets once for each direction. */
export function find(wish: string): Hit[] {
  const { atlas, board } = store;
  if (wish === "" || !atlas) return [];
  const number = wish.replace(/^#?…?/, "");
  const holds = (name: string): boolean => name.toLowerCase().includes(wish);
  const nearness = ({ call }: CallRow): number => (String(call) === number ? 0 : String(call).endsWith(number) ? 1 : 2);
  const calls = [...board.calls.values()].filter((c) => number !== "" && String(c.call).includes(number)).sort((a, b) => nearness(a) - nearness(b))
    .map((c): Hit => ({ to: { kind: "call", id: c.call }, text: `#${c.call} ${word("category", c.category)}`, kindName: t("call") }));
  const junctions = [...atlas.junctions.values()].map(({ facts }) => ({ facts, text: atlas.names.junction(facts.id) }))
    .filter(({ facts, text }) => holds(`${text} ${facts.name}`) || String(facts.id) === number)
    .map(({ facts, text }): Hit => ({ to: { kind: "junction", id: facts.id }, text, kindName: t("junction") }));
  const streets = new Map<string, Hit>();
  for (const course of atlas.links.values()) {
    const text = `${course.facts.road} ${t(heading(course))}`;
    if (course.facts.road && holds(text) && !streets.has(text)) streets.set(text, { to: { kind: "link", id: course.facts.id }, text, kindName: t("link") });
  }
  const venues = atlas.venues.filter(({ facts }) => holds(facts.name))
    .map(({ facts }): Hit => ({ to: { kind: "venue", id: facts.id }, text: facts.name, kindName: t("venue") }));
  const units = [...atlas.units.values()].filter((u) => holds(u.name))
    .map((u): Hit => ({ to: { kind: "unit", id: u.id }, text: u.name, kindName: t("unit") }));
  const grids = atlas.grids.filter(({ facts }) => holds(facts.name))
    .map(({ facts, ring }): Hit => ({ to: { kind: "grid", id: facts.id, at: centre(ring), layer: "grids" }, text: facts.name, kindName: t("grid") }));
  return [calls, junctions, [...streets.values()], venues, units, grids].flatMap((hits) => hits.slice(0, MOST));
}

const centre = (ring: LonLat[]): LonLat => {
  const mid = (axis: 0 | 1): number => (Math.min(...ring.map((p) => p[axis])) + Math.max(...ring.map((p) => p[axis]))) / 2;
  return [mid(0), mid(1)];
};
