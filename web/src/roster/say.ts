/** Says things in the page's language. */
import { ApiError } from "../api";
import { fill, type Lang } from "../lang";
import { STRINGS, type Key } from "./strings";

export const speech: { lang: Lang } = { lang: "zh" };

export const t = (key: Key, filled: Record<string, string | number> = {}): string => fill(STRINGS[key][speech.lang === "zh" ? 0 : 1], filled);

/** Says `prefix_word`, or the bare word when the table lacks it: a roster may have any kinds and roles. */
export function word(prefix: string, bare: string): string {
  const key = `${prefix}_${bare}`;
  return Object.hasOwn(STRINGS, key) ? t(key as Key) : bare.replaceAll("_", " ");
}

/** What went wrong, in words. */
export function whyNot(error: unknown): string {
  const reason = error instanceof ApiError ? error.reason : "network";
  return Object.hasOwn(STRINGS, `err_${reason}`) ? t(`err_${reason}` as Key) : t("err_unknown", { reason: reason.replaceAll("_", " ") });
}
