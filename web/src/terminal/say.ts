/** Says things in the page's language. */
import { fill, type Lang } from "../lang";
import { STRINGS, type Key } from "./strings";

export const speech: { lang: Lang } = { lang: "zh" };

export const t = (key: Key, filled: Record<string, string | number> = {}): string => fill(STRINGS[key][speech.lang === "zh" ? 0 : 1], filled);

/** Says `prefix_word`, or the bare word when the table lacks it: the server may learn words before the page does. */
export function word(prefix: string, bare: string): string {
  const key = `${prefix}_${bare}`;
  return Object.hasOwn(STRINGS, key) ? t(key as Key) : bare.replaceAll("_", " ");
}
