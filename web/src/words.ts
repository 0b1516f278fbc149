/** Decisions of the engine in words that a person can check. */
import { ApiError, type JunctionDetail, type PickReason, type TrackRecord } from "./api";
import { figure, percent } from "./format";
import { isKey, t, word } from "./i18n";
import { stageInWords } from "./stages";
import { leaving, type CrowdNow } from "./state";
import { store } from "./store";

/**
 * Why this junction shows what it shows. Says no more than the engine does: `wanted` is the stage in force while that one
 * may not end, and the stage of greatest pressure need not be among those that may come now.
 */
export function whyStage(j: JunctionDetail): string {
  if (j.stage === null) return t("no_command");
  const name = (i: number): string => stageName(j.stages[i]?.name, i);
  const key = `why_${j.reason}`;
  if (!isKey(key)) return t("why_other", { reason: word("reason", j.reason) });
  const subject = (STAYING.includes(j.reason) ? null : j.wanted) ?? j.stage;
  const score = j.scores[subject] ?? 0;
  const next = Math.max(...j.scores.filter((_, i) => i !== subject));
  const holes = { stage: name(subject), score: figure(score, 1), next: figure(next, 1), min: j.stages[j.stage]?.min_green_s ?? 0 };
  const said = [];
  if (j.reason !== "pressure") said.push(t(key, holes));
  else said.push(t(j.scores.length < 2 ? "pressure_alone" : next > score ? "pressure_open" : "why_pressure", holes));
  if (j.reason === "min_green" && next > Math.max(score, 0)) said.push(t("pressure_rival", { ...holes, stage: name(j.scores.indexOf(next)) }));
  if (j.wanted !== null && j.wanted !== j.stage) said.push(t("still_in_force", { stage: name(j.stage) }));
  return said.join(store.lang === "zh" ? "" : " ");
}

/** Reasons to stay: they speak of the stage in force. */
const STAYING: string[] = ["min_green", "not_worth", "idle"];

/** A stage's name for people; its number when it has none. */
export const stageName = (name: string | undefined, index: number): string => stageInWords(name?.trim() ?? "", store.lang) || t("stage_n", { n: index + 1 });

/** People at a venue, against the usual and what it holds, and who will leave. */
export function crowdWords(crowd: CrowdNow): string {
  if (crowd.people === null) return t("crowd_unseen");
  const words = [`${t("people")} ${figure(crowd.people)}`];
  if (crowd.usual > 0) words.push(`${t("people_usual")} ${figure(crowd.usual)}`);
  if (crowd.share > 0) words.push(`${percent(crowd.share)} ${t("people_share")}`);
  if (leaving(crowd) > 0) words.push(`−${figure(leaving(crowd))} ${t("outflow_hour")}`);
  return words.join(" · ");
}

/** Forecasts, and onsets, from which on their record is told: fewer say little. */
const SCORED_ENOUGH = 1000;
const ONSETS_ENOUGH = 10;

/** How good forecasts so far ahead were over the last weeks, or that too few have come true to tell. */
export function recordWords(lead_min: number, record: TrackRecord | null | undefined): string {
  if (!record || record.mae === null || record.coverage80 === null || record.scored < SCORED_ENOUGH) return t("record_few", { n: lead_min });
  const off = t("record_off", { n: lead_min, mae: figure(record.mae * 100, record.mae < 0.1 ? 1 : 0), within: figure(record.coverage80 * 100) });
  const { told, hits, came } = record;
  const onsets = Math.max(told, came) < ONSETS_ENOUGH ? t("record_onsets_few")
    : told < 0.5 ? t("record_onsets_untold", { came: figure(came) })
    : t("record_onsets", { told: figure(told), hits: figure(hits), came: figure(came) });
  return `${off}${store.lang === "zh" ? "；" : "; "}${onsets}`;
}

/** Why this unit was sent. */
export function whyUnit(reason: PickReason | string): string {
  const key = `why_${reason}`;
  return isKey(key) ? t(key) : reason;
}

/** What the server refused, and what to do about it. */
export function whyNot(error: unknown): string {
  if (!(error instanceof ApiError)) return String(error);
  const key = `err_${error.reason}`;
  const said = isKey(key) ? t(key) : t("err_unknown", { reason: error.reason.replaceAll("_", " ") });
  return error.detail && error.reason !== "network" ? `${said} ${error.detail}` : said;
}
