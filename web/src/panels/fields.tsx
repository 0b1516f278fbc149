/** Fields of the forms for calls: place from the map or by hand, priority, category. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { CATEGORIES, PRIORITIES, type Category, type LonLat, type Priority } from "../api";
import { PRIORITIES as COLOURS } from "../colours";
import { t, word } from "../i18n";
import { set, store } from "../store";

const AXES = [
  { name: "lon", most: 180, like: "106.713" },
  { name: "lat", most: 90, like: "26.582" },
] as const;

/** Where the form says, or what is wrong with that. */
export function placeIn(form: HTMLFormElement): LonLat | string {
  const fields = new FormData(form);
  return readPlace(AXES.map(({ name }) => String(fields.get(name) ?? "")));
}

/** A place from longitude and latitude as they were written, or what is wrong with them. */
export function readPlace(texts: string[]): LonLat | string {
  if (texts.every((text) => text.trim() === "")) return t("place_missing");
  const place: number[] = [];
  for (const [i, { name, most, like }] of AXES.entries()) {
    const [what, text] = [t(name), texts[i]?.trim() ?? ""];
    if (text === "") return t("degrees_missing", { what });
    const value = degrees(text);
    if (Number.isNaN(value)) return t("degrees_unread", { what, text, like });
    if (Math.abs(value) > most) return t("degrees_far", { what, text, most });
    place.push(value);
  }
  return place as LonLat;
}

/** Plain decimals only, full-width ones of a Chinese keyboard too; NaN for the rest. */
function degrees(text: string): number {
  const plain = text.normalize("NFKC").trim();
  return /^[+-]?\d{1,3}(\.\d*)?$/.test(plain) ? Number(plain) : NaN;
}

export function PlaceFields(): JSX.Element {
  return (
    <fieldset class="place">
      <legend>{t("raise_place")}</legend>
      {AXES.map(({ name }, axis) => <Degrees key={name} name={name} axis={axis as 0 | 1} />)}
    </fieldset>
  );
}

/** A coordinate: as it was written, until the place is another. */
function Degrees({ name, axis }: { name: "lon" | "lat"; axis: 0 | 1 }): JSX.Element {
  const [draft, setDraft] = useState({ text: "", value: NaN });
  const value = store.picking?.place?.[axis] ?? NaN;
  const write = (text: string): void => {
    const next: LonLat = [...(store.picking?.place ?? [NaN, NaN])];
    next[axis] = degrees(text);
    set({ picking: { place: next } });
    setDraft({ text, value: next[axis] });
  };
  return (
    <label class="field">
      <span>{t(name)}</span>
      <input class="num" name={name} type="text" inputMode="decimal" autocomplete="off" onInput={(e) => write(e.currentTarget.value)}
        value={Object.is(draft.value, value) ? draft.text : Number.isNaN(value) ? "" : Number(value.toFixed(6))} />
    </label>
  );
}

export function PriorityField({ value, onPick }: { value: Priority; onPick: (p: Priority) => void }): JSX.Element {
  return (
    <fieldset class="priorities">
      <legend>{t("priority")}</legend>
      {PRIORITIES.map((p) => (
        <label key={p} class={p === value ? "here" : ""} style={{ "--c": COLOURS[p] }}>
          <input type="radio" name="priority" value={p} checked={p === value} onChange={() => onPick(p)} />
          <span class={`prio ${p}`} style={{ "--c": COLOURS[p] }} aria-hidden="true">{p}</span>
          <span>{word("priority", p).replace(/^[ABC]:? ?/, "")}</span>
        </label>
      ))}
    </fieldset>
  );
}

export function CategoryField({ value, onPick }: { value: Category; onPick: (c: Category) => void }): JSX.Element {
  return (
    <label class="field">
      <span>{t("category")}</span>
      <select name="category" value={value} onChange={(e) => onPick(e.currentTarget.value as Category)}>
        {CATEGORIES.map((c) => <option key={c} value={c}>{word("category", c)}</option>)}
      </select>
    </label>
  );
}
