/** Raising a call: place from the map or by hand, priority, category, words. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { CATEGORIES, PRIORITIES, raiseCall, type Category, type LonLat, type Priority } from "../api";
import { PRIORITIES as COLOURS } from "../colours";
import { t, word } from "../i18n";
import { set, store } from "../store";
import { whyNot } from "../words";
import { Frame } from "./frame";

export function RaisePanel(): JSX.Element {
  const [priority, setPriority] = useState<Priority>("B");
  const [category, setCategory] = useState<Category>("help");
  const [words, setWords] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const place = store.raising?.place ?? null;

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (!place || !place.every(Number.isFinite)) return setRefusal(t("need_place"));
    setBusy(true);
    setRefusal(null);
    try {
      const text = words.trim();
      const accepted = await raiseCall({ priority, category, lon: place[0], lat: place[1], channel: "desk", ...(text ? { words: text } : {}) });
      set({ accepted, raising: null, selection: { kind: "call", id: accepted.call } });
    } catch (error) {
      setRefusal(whyNot(error));
      setBusy(false);
    }
  };

  return (
    <Frame name="raise" kind={t("channel_desk")} title={t("raise_call")} onClose={() => set({ raising: null })}>
      <form data-testid="call-form" onSubmit={(e) => void submit(e)} noValidate>
        <p class="notice">{t("raise_hint")}</p>
        <fieldset class="place">
          <legend>{t("raise_place")}</legend>
          <Degrees label={t("lon")} name="lon" axis={0} place={place} />
          <Degrees label={t("lat")} name="lat" axis={1} place={place} />
        </fieldset>
        <fieldset class="priorities">
          <legend>{t("priority")}</legend>
          {PRIORITIES.map((p) => (
            <label key={p} class={p === priority ? "here" : ""} style={{ "--c": COLOURS[p] }}>
              <input type="radio" name="priority" value={p} checked={p === priority} onChange={() => setPriority(p)} />
              <span class={`prio ${p}`} style={{ "--c": COLOURS[p] }} aria-hidden="true">{p}</span>
              <span>{word("priority", p).replace(/^[ABC]:? ?/, "")}</span>
            </label>
          ))}
        </fieldset>
        <label class="field">
          <span>{t("category")}</span>
          <select name="category" value={category} onChange={(e) => setCategory(e.currentTarget.value as Category)}>
            {CATEGORIES.map((c) => <option key={c} value={c}>{word("category", c)}</option>)}
          </select>
        </label>
        <label class="field">
          <span>{t("words")}</span>
          <textarea name="words" rows={3} maxLength={500} placeholder={t("words_hint")} value={words} onInput={(e) => setWords(e.currentTarget.value)} />
        </label>
        {refusal && <p class="error" role="alert" data-testid="call-error">{refusal}</p>}
        <button type="submit" class="primary" data-testid="call-submit" disabled={busy}>{t(busy ? "submitting" : "submit")}</button>
      </form>
    </Frame>
  );
}

function Degrees({ label, name, axis, place }: { label: string; name: string; axis: 0 | 1; place: LonLat | null }): JSX.Element {
  const value = place?.[axis];
  return (
    <label class="field">
      <span>{label}</span>
      <input class="num" name={name} type="number" step="any" inputMode="decimal" value={value === undefined || Number.isNaN(value) ? "" : Number(value.toFixed(6))}
        onChange={(e) => {
          const next: LonLat = [...(place ?? [NaN, NaN])];
          next[axis] = e.currentTarget.valueAsNumber;
          set({ raising: { place: next } });
        }} />
    </label>
  );
}
