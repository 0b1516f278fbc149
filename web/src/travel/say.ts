/** Says things in the page's language. */
import { fill, type Lang } from "../lang";
import { STRINGS, type Key } from "./strings";

export const speech: { lang: Lang } = { lang: "zh" };

export const t = (key: Key, filled: Record<string, string | number> = {}): string => fill(STRINGS[key][speech.lang === "zh" ? 0 : 1], filled);

/** Says `prefix_word`, or the bare word when the table lacks it: the server may learn words before the page does. */
export function word(prefix: string, bare: string | number, filled?: Record<string, string | number>): string {
  const key = `${prefix}_${bare}`;
  return Object.hasOwn(STRINGS, key) ? t(key as Key, filled) : String(bare).replaceAll("_", " ");
}

/** A road with its direction. */
export const roadWords = (road: string, heading: string | null): string => {
  const name = road || t("no_name");
  if (heading === null) return name;
  return speech.lang === "zh" ? `${name}${word("head", heading)}` : `${name} ${word("head", heading)}`;
};

/** What a refusal of the server means to a traveller. */
export function whyNot(reason: string): string {
  const key = `err_${reason}`;
  return Object.hasOwn(STRINGS, key) ? t(key as Key) : t("err_unknown", { reason: reason.replaceAll("_", " ") });
}
