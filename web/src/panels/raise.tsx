/** Raising a call: place from the map or by hand, priority, category, words. */
import type { JSX, TargetedSubmitEvent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { ApiError, raiseCall, type Category, type Priority } from "../api";
import { t } from "../i18n";
import { set, store } from "../store";
import { whyNot } from "../words";
import { CategoryField, placeIn, PlaceFields, PriorityField } from "./fields";
import { Frame } from "./frame";

/** As many as the server keeps. */
const MOST_WORDS = 2_000;

export function RaisePanel(): JSX.Element {
  const [priority, setPriority] = useState<Priority>("B");
  const [category, setCategory] = useState<Category>("help");
  const [words, setWords] = useState("");
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  useEffect(() => setRefusal(null), [store.picking, priority, category, words]); // what was wrong may be right now

  const submit = async (event: TargetedSubmitEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    if (busy) return; // not `disabled`, which would lose the focus
    const place = placeIn(event.currentTarget);
    if (typeof place === "string") return setRefusal(place);
    setBusy(true);
    setRefusal(null);
    try {
      const text = words.trim();
      const accepted = await raiseCall({ priority, category, lon: place[0], lat: place[1], channel: "desk", ...(text ? { words: text } : {}) });
      set({ accepted, raising: false, picking: null, selection: { kind: "call", id: accepted.call } });
    } catch (error) {
      const lost = error instanceof ApiError && error.reason === "network";
      setRefusal(lost ? `${whyNot(error)} ${t("check_first")}` : whyNot(error));
      setBusy(false);
    }
  };

  return (
    <Frame name="raise" kind={t("channel_desk")} title={t("raise_call")} onClose={() => set({ raising: false, picking: null })}>
      <form data-testid="call-form" onSubmit={(e) => void submit(e)} noValidate>
        <p class="notice">{t("raise_hint")}</p>
        <PlaceFields />
        <PriorityField value={priority} onPick={setPriority} />
        <CategoryField value={category} onPick={setCategory} />
        <label class="field">
          <span>{t("words")}<small class="num">{words.length} / {MOST_WORDS}</small></span>
          <textarea name="words" rows={3} maxLength={MOST_WORDS} placeholder={t("words_hint")} value={words} onInput={(e) => setWords(e.currentTarget.value)} />
        </label>
        {refusal && <p class="error" role="alert" data-testid="call-error">{refusal}</p>}
        <button type="submit" class="primary" data-testid="call-submit" aria-disabled={busy}>{t(busy ? "submitting" : "submit")}</button>
      </form>
    </Frame>
  );
}
