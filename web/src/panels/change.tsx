/** What a person can do to an open call: change its priority, category or place, or withdraw it. */
import type { JSX, TargetedSubmitEvent } from "preact";
import { useEffect, useState } from "preact/hooks";
import { changeCall, withdrawCall, type Accepted, type CallChange, type CallDetail } from "../api";
import { t } from "../i18n";
import { set, store } from "../store";
import { useFocus } from "../use";
import { whyNot } from "../words";
import { CategoryField, placeIn, PlaceFields, PriorityField } from "./fields";

/** Degrees that do not count as another place: coordinates are shown to the sixth digit. */
const SAME_PLACE = 1e-6;

export function Change({ call }: { call: CallDetail }): JSX.Element {
  const [doing, setDoing] = useState<"withdraw" | "busy" | null>(null);
  const [refusal, setRefusal] = useState<string | null>(null);
  useEffect(() => () => void (store.picking && !store.raising && set({ picking: null })), []); // the call may end meanwhile
  const act = async (ask: Promise<Accepted>): Promise<void> => {
    setDoing("busy");
    setRefusal(null);
    try {
      const accepted = await ask;
      if (store.selection?.kind === "call" && store.selection.id === call.call) set({ accepted, picking: null });
    } catch (error) {
      setRefusal(whyNot(error));
    }
    setDoing(null);
  };
  return (
    <section class="change">
      {store.picking ? <ChangeForm call={call} busy={doing === "busy"} onSave={(change) => void act(changeCall(call.call, change))} onEdit={() => setRefusal(null)} />
        : doing === null ? (
          <p class="acts">
            <button type="button" class="act" data-testid="call-change" onClick={() => { setRefusal(null); set({ picking: { place: [call.lon, call.lat] } }); }}>{t("change_call")}</button>
            <button type="button" class="act alarm" data-testid="call-withdraw" onClick={() => { setRefusal(null); setDoing("withdraw"); }}>{t("withdraw")}</button>
          </p>
        ) : <Sure call={call.call} busy={doing === "busy"} onYes={() => void (doing !== "busy" && act(withdrawCall(call.call)))} onNo={() => doing !== "busy" && setDoing(null)} />}
      {refusal && <p class="error" role="alert" data-testid="call-error">{refusal}</p>}
    </section>
  );
}

interface SureProps { call: number; busy: boolean; onYes: () => void; onNo: () => void }

function Sure({ call, busy, onYes, onNo }: SureProps): JSX.Element {
  const box = useFocus<HTMLDivElement>();
  return (
    <div class="sure" role="alertdialog" aria-label={t("withdraw")} tabIndex={-1} ref={box} onKeyDown={(e) => onEscape(e, onNo)}>
      <p>{t("withdraw_sure", { n: call })}</p>
      <p class="acts">
        <button type="button" class="act alarm" data-testid="call-withdraw-yes" aria-disabled={busy} onClick={onYes}>{t(busy ? "withdrawing" : "withdraw_yes")}</button>
        <button type="button" class="act" aria-disabled={busy} onClick={onNo}>{t("cancel")}</button>
      </p>
    </div>
  );
}

/** Escape ends what was begun, and leaves the panel open. */
function onEscape(e: KeyboardEvent, end: () => void): void {
  if (e.key !== "Escape") return;
  e.stopPropagation();
  end();
}

interface FormProps { call: CallDetail; busy: boolean; onSave: (change: CallChange) => void; onEdit: () => void }

function ChangeForm({ call, busy, onSave, onEdit }: FormProps): JSX.Element {
  const form = useFocus<HTMLFormElement>();
  const [was] = useState(call); // what the person saw when they began: the rest of the call may go on
  const [priority, setPriority] = useState(call.priority);
  const [category, setCategory] = useState(call.category);
  const [wrong, setWrong] = useState<string | null>(null);
  useEffect(() => {
    setWrong(null);
    onEdit();
  }, [store.picking, priority, category]);

  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    if (busy) return;
    const place = placeIn(event.currentTarget);
    if (typeof place === "string") return setWrong(place);
    const moved = Math.abs(place[0] - was.lon) > SAME_PLACE || Math.abs(place[1] - was.lat) > SAME_PLACE;
    const change: CallChange = {
      ...(priority === was.priority ? {} : { priority }),
      ...(category === was.category ? {} : { category }),
      ...(moved ? { lon: place[0], lat: place[1] } : {}),
    };
    if (Object.keys(change).length === 0) set({ picking: null });
    else onSave(change);
  };
  return (
    <form data-testid="change-form" onSubmit={submit} noValidate tabIndex={-1} ref={form} onKeyDown={(e) => onEscape(e, () => set({ picking: null }))}>
      <p class="notice">{t("change_hint")}</p>
      <PlaceFields />
      <PriorityField value={priority} onPick={setPriority} />
      <CategoryField value={category} onPick={setCategory} />
      {wrong && <p class="error" role="alert" data-testid="call-error">{wrong}</p>}
      <p class="acts">
        <button type="submit" class="primary" data-testid="change-submit" aria-disabled={busy}>{t(busy ? "saving" : "save")}</button>
        <button type="button" class="act" aria-disabled={busy} onClick={() => busy || set({ picking: null })}>{t("cancel")}</button>
      </p>
    </form>
  );
}
