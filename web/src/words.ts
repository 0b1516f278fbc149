/** Decisions of the engine in words that a person can check. */
import { ApiError, type JunctionDetail, type PickReason } from "./api";
import { isKey, t } from "./i18n";
import { stageInWords } from "./stages";
import { store } from "./store";

/** Why this junction shows what it shows. */
export function whyStage(j: JunctionDetail): string {
  const name = (i: number): string => stageName(j.stages[i]?.name, i);
  const key = `why_${j.reason}`;
  const subject = j.reason === "pressure" ? j.wanted : j.stage;
  const others = j.scores.filter((_, i) => i !== subject);
  if (j.reason === "pressure" && others.length === 0) return t("why_pressure_alone", { stage: name(subject) });
  if (!isKey(key)) return j.reason;
  const why = t(key, {
    stage: name(subject),
    wanted: name(j.wanted),
    score: (j.scores[subject] ?? 0).toFixed(1),
    next: Math.max(...others, -Infinity).toFixed(1),
    min: j.stages[j.stage]?.min_green_s ?? 0,
  });
  return j.reason === "pressure" && j.wanted !== j.stage ? `${why} ${t("why_still", { stage: name(j.stage) })}` : why;
}

/** A stage's name for people; its number when it has none. */
export const stageName = (name: string | undefined, index: number): string => stageInWords(name?.trim() ?? "", store.lang) || t("stage_n", { n: index + 1 });

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
