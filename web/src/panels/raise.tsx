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

  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    const place = store.raising?.place; // as it is now: a field may have changed since the last drawing
    if (!place?.every(Number.isFinite)) return setRefusal(t("need_place"));
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
          <Degrees label={t("lon")} name="lon" axis={0} place={store.raising?.place ?? null} />
          <Degrees label={t("lat")} name="lat" axis={1} place={store.raising?.place ?? null} />
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

/** A coordinate. While it is being written the text stands as written; else it shows the place. */
function Degrees({ label, name, axis, place }: { label: string; name: string; axis: 0 | 1; place: LonLat | null }): JSX.Element {
  const [draft, setDraft] = useState<string | null>(null);
  const value = place?.[axis];
  const write = (text: string): void => {
    setDraft(text);
    const next: LonLat = [...(store.raising?.place ?? [NaN, NaN])];
    next[axis] = text.trim() === "" ? NaN : Number(text);
    set({ raising: { place: next } });
  };
  return (
    <label class="field">
      <span>{label}</span>
      <input class="num" name={name} type="text" inputMode="decimal" autocomplete="off" value={draft ?? (value === undefined || Number.isNaN(value) ? "" : Number(value.toFixed(6)))}
        onInput={(e) => write(e.currentTarget.value)} onBlur={() => setDraft(null)} />
    </label>
  );
}
