/** The lists at the side: open calls, links about to congest. Each row goes to its place on the map. */
import { Fragment, type JSX } from "preact";
import { useState } from "preact/hooks";
import { unitId, type CallRow } from "../api";
import { PHASES, PRIORITIES, SURGE, levelColour } from "../colours";
import { age, figure, levelLetter, shortNumber } from "../format";
import { t, word } from "../i18n";
import { heard } from "../live";
import { unitName } from "../panels/call";
import { callsInOrder, leaving, onsetsByRoad, surgesInOrder, type CrowdNow } from "../state";
import { isLive, store, type Selection } from "../store";
import { cityNow } from "../use";

/** More rows than anyone reads; the rest are on the map. */
const MOST_CALLS = 250;

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
        <span class="what"><b>{word("category", call.category)}</b><small class="num" title={`#${call.call}`}>#{shortNumber(call.call)}{unit === null ? "" : ` · ${unitName(unit)}`}</small></span>
        <span class="phase" style={{ "--c": PHASES[call.phase] }}>{word("phase", call.phase)}</span>
        <span class="times num"><b>{age(now - call.opened_ms)}</b><small>{eta}</small></span>
      </button>
    </li>
  );
}

/** Venues with more people than usual; not there while there is none. */
export function Surges({ onPick }: { onPick: (s: Selection) => void }): JSX.Element | null {
  const surges = surgesInOrder(store.board.crowds.values());
  if (surges.length === 0) return null;
  return (
    <section class="list surges" aria-labelledby="surges-title">
      <h2 id="surges-title">{t("surges_title")} <span class="count num">{surges.length}</span><small>{t("people_usual")} · {t("outflow_hour")}</small></h2>
      <ul>{surges.map((crowd) => <SurgeRow key={crowd.id} crowd={crowd} onPick={onPick} />)}</ul>
    </section>
  );
}

function SurgeRow({ crowd, onPick }: { crowd: CrowdNow; onPick: (s: Selection) => void }): JSX.Element {
  const name = store.atlas?.venues.find(({ facts }) => facts.id === crowd.id)?.facts.name ?? `#${crowd.id}`;
  const chosen = store.selection?.kind === "venue" && store.selection.id === crowd.id;
  return (
    <li>
      <button type="button" class={`row ${chosen ? "here" : ""}`} data-testid={`surge-row-${crowd.id}`} onClick={() => onPick({ kind: "venue", id: crowd.id })}>
        <span style={{ color: SURGE }} aria-hidden="true">■</span>
        <span class="what"><b>{name}</b><small class="num">{t("people")} {figure(crowd.people)}</small></span>
        <span class="times num"><b>{figure(crowd.usual || null)}</b><small>−{figure(leaving(crowd))}</small></span>
      </button>
    </li>
  );
}

/** Soonest first; of one time by street, whose links show on demand. */
export function Onsets({ onPick }: { onPick: (s: Selection) => void }): JSX.Element {
  const { onsets } = store.board;
  return (
    <section class="list onsets" aria-labelledby="onsets-title">
      <h2 id="onsets-title">{t("onsets_title")} <span class="count num">{onsets.length}</span></h2>
      {onsets.length === 0 && <p class="empty">{t(store.board.links.size === 0 ? "forecast_none" : "onsets_none")}</p>}
      <ul>
        {onsetsByRoad(onsets, (link) => store.atlas?.links.get(link)?.facts.road ?? "").map(({ lead_min, count, roads }) => (
          <Fragment key={lead_min}>
            <li class="lead">{t("onset_in", { n: lead_min })} <span class="count num">{count}</span></li>
            {roads.map(({ road, links }) => <OnsetRoad key={road} road={road} links={links} onPick={onPick} />)}
          </Fragment>
        ))}
      </ul>
    </section>
  );
}

function OnsetRoad({ road, links, onPick }: { road: string; links: number[]; onPick: (s: Selection) => void }): JSX.Element {
  const [open, setOpen] = useState(false);
  const single = links.length === 1 ? links[0]! : null;
  const levels = links.flatMap((link) => store.board.links.get(link)?.level ?? []);
  return (
    <>
      {single !== null ? <OnsetRow link={single} onPick={onPick} /> : (
        <li>
          <button type="button" class="row" data-testid={`onset-road-${road}`} aria-expanded={open} onClick={() => setOpen(!open)}>
            <LevelBadge level={levels.length === 0 ? undefined : Math.max(...levels)} />
            <span class="what"><b>{road}</b></span>
            <span class="count num">{t("links_n", { n: links.length })} {open ? "▾" : "▸"}</span>
          </button>
        </li>
      )}
      {single === null && open && links.map((link) => <OnsetRow key={link} link={link} onPick={onPick} inner />)}
    </>
  );
}

function OnsetRow({ link, onPick, inner = false }: { link: number; onPick: (s: Selection) => void; inner?: boolean }): JSX.Element {
  const chosen = store.selection?.kind === "link" && store.selection.id === link;
  return (
    <li class={inner ? "inner" : ""}>
      <button type="button" class={`row ${chosen ? "here" : ""}`} data-testid={`onset-row-${link}`} onClick={() => onPick({ kind: "link", id: link })}>
        <LevelBadge level={store.board.links.get(link)?.level} />
        <span class="what"><b>{store.atlas?.names.link(link)}</b></span>
      </button>
    </li>
  );
}

const LevelBadge = ({ level }: { level: number | undefined }): JSX.Element =>
  <span class="los" style={{ background: levelColour(level) }}>{level === undefined ? "?" : levelLetter(level)}</span>;
