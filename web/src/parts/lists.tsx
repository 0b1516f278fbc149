/** The lists at the side: open calls, links about to congest. Each row goes to its place on the map. */
import type { JSX } from "preact";
import { unitId, type CallRow } from "../api";
import { PHASES, PRIORITIES, levelColour } from "../colours";
import { age, levelLetter } from "../format";
import { t, word } from "../i18n";
import { heard } from "../live";
import { unitName } from "../panels/call";
import { callsInOrder } from "../state";
import { isLive, select, store, type Selection } from "../store";
import { cityNow } from "../use";

/** More rows than anyone reads; the rest are on the map. */
const MOST_CALLS = 250;
const MOST_ONSETS = 40;

export function Calls({ onPick }: { onPick: (s: Selection) => void }): JSX.Element {
  const all = callsInOrder(store.board.calls.values());
  const mine = store.accepted?.call;
  const shown = all.length > MOST_CALLS ? all.filter((c, i) => i < MOST_CALLS || c.call === mine) : all;
  const now = cityNow(store.board.time_ms, heard.at_ms, isLive());
  return (
    <section class="list calls" id="calls" tabIndex={-1} aria-labelledby="calls-title">
      <h2 id="calls-title">{t("calls_title")} <span class="count num">{all.length}</span><small>{t("col_waiting")} · {t("col_eta")}</small></h2>
      {all.length === 0 && <p class="empty">{t("calls_none")}</p>}
      <ul>{shown.map((c) => <CallItem key={c.call} call={c} now={now} onPick={onPick} />)}</ul>
      {all.length > shown.length && <p class="empty">{t("more", { n: all.length - shown.length })}</p>}
    </section>
  );
}

function CallItem({ call, now, onPick }: { call: CallRow; now: number; onPick: (s: Selection) => void }): JSX.Element {
  const unit = unitId(call.unit);
  const chosen = store.selection?.kind === "call" && store.selection.id === call.call;
  const eta = call.eta_s === null || call.eta_s === undefined || call.phase === "arrived" ? "" : age(call.eta_s * 1000);
  return (
    <li>
      <button type="button" class={`row ${chosen ? "here" : ""}`} data-testid={`call-row-${call.call}`} data-phase={call.phase}
        aria-label={`${call.priority}, ${word("category", call.category)}, ${t("call_n", { n: call.call })}, ${word("phase", call.phase)}`}
        onClick={() => onPick({ kind: "call", id: call.call })}>
        <span class={`prio ${call.priority}`} style={{ "--c": PRIORITIES[call.priority] }}>{call.priority}</span>
        <span class="what"><b>{word("category", call.category)}</b><small class="num">#{call.call}{unit === null ? "" : ` · ${unitName(unit)}`}</small></span>
        <span class="phase" style={{ "--c": PHASES[call.phase] }}>{word("phase", call.phase)}</span>
        <span class="times num"><b>{age(now - call.opened_ms)}</b><small>{eta}</small></span>
      </button>
    </li>
  );
}

export function Onsets({ onPick }: { onPick: (s: Selection) => void }): JSX.Element {
  const { onsets } = store.board;
  return (
    <section class="list onsets" aria-labelledby="onsets-title">
      <h2 id="onsets-title">{t("onsets_title")} <span class="count num">{onsets.length}</span></h2>
      {onsets.length === 0 && <p class="empty">{t("onsets_none")}</p>}
      <ul>
        {onsets.slice(0, MOST_ONSETS).map(([link, lead]) => {
          const level = store.board.links.get(link)?.level;
          const chosen = store.selection?.kind === "link" && store.selection.id === link;
          return (
            <li key={link}>
              <button type="button" class={`row ${chosen ? "here" : ""}`} data-testid={`onset-row-${link}`} onClick={() => onPick({ kind: "link", id: link })}>
                <span class="los" style={{ background: levelColour(level) }}>{level === undefined ? "?" : levelLetter(level)}</span>
                <span class="what"><b>{store.atlas?.names.link(link)}</b></span>
                <span class="lead num">{t("onset_in", { n: lead })}</span>
              </button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}

/** Selects, and lets the map go there. */
export const pick = (goTo: (s: Selection) => void) => (s: Selection): void => {
  select(s);
  goTo(s);
};
