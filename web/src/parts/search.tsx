/** Finding a thing by its name: the way to every junction for those who do not use a mouse. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { t, word } from "../i18n";
import { store, type Selection } from "../store";

interface Hit extends Selection { text: string; kindName: string }
const MOST = 8;

export function Search({ onPick }: { onPick: (s: Selection) => void }): JSX.Element {
  const [text, setText] = useState("");
  const [chosen, setChosen] = useState(0);
  const hits = find(text.trim().toLowerCase());
  const take = (hit: Hit | undefined): void => {
    if (!hit) return;
    setText("");
    onPick({ kind: hit.kind, id: hit.id });
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
        aria-label={t("search")} placeholder={t("search")} value={text} onKeyDown={keys} onInput={(e) => { setText(e.currentTarget.value); setChosen(0); }} />
      {text.trim() !== "" && (
        <ul id="found" role="listbox">
          {hits.map((hit, i) => (
            <li key={`${hit.kind}${hit.id}`} id={`found-${i}`} role="option" aria-selected={i === chosen} class={i === chosen ? "here" : ""} onClick={() => take(hit)}>
              <span>{hit.text}</span><small>{hit.kindName}</small>
            </li>
          ))}
          {hits.length === 0 && <li class="none">{t("search_none")}</li>}
        </ul>
      )}
    </div>
  );
}

function find(wish: string): Hit[] {
  const { atlas, board } = store;
  if (wish === "" || !atlas) return [];
  const hits: Hit[] = [];
  const roads = new Set<string>();
  const add = (hit: Hit): boolean => hits.push(hit) >= MOST;
  const number = wish.replace(/^#/, "");
  const call = board.calls.get(Number(number));
  if (call && /^\d+$/.test(number)) add({ kind: "call", id: call.call, text: `#${call.call} ${word("category", call.category)}`, kindName: t("call") });
  for (const { facts } of atlas.junctions.values()) {
    const text = atlas.names.junction(facts.id);
    const holds = `${text} ${facts.name}`.toLowerCase().includes(wish) || String(facts.id) === number;
    if (holds && add({ kind: "junction", id: facts.id, text, kindName: t("junction") })) return hits;
  }
  for (const { facts } of atlas.links.values()) {
    if (!facts.road.toLowerCase().includes(wish) || roads.has(facts.road)) continue;
    roads.add(facts.road);
    if (add({ kind: "link", id: facts.id, text: facts.road, kindName: t("link") })) return hits;
  }
  for (const unit of atlas.units.values())
    if (unit.name.toLowerCase().includes(wish) && add({ kind: "unit", id: unit.id, text: unit.name, kindName: t("unit") })) return hits;
  return hits;
}
