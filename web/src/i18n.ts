/** Which language, and how to say something in it. The words themselves are in strings.ts. */
import { fill, type Lang } from "./lang";
import { store } from "./store";
import { STRINGS, type Key } from "./strings";

export { firstLang, type Lang } from "./lang";

/** Says `key` in a language; `{name}` is filled in. */
export function say(lang: Lang, key: Key, filled: Record<string, string | number> = {}): string {
  return fill(STRINGS[key][lang === "zh" ? 0 : 1], filled);
}

/** Says `key` in the page's language. */
export const t = (key: Key, filled?: Record<string, string | number>): string => say(store.lang, key, filled);

/** Says `prefix_word`, or the bare word when the table lacks it: the server may learn words before the page does. */
export function word(prefix: string, bare: string): string {
  const key = `${prefix}_${bare}`;
  return isKey(key) ? t(key) : bare.replaceAll("_", " ");
}

export const isKey = (key: string): key is Key => Object.hasOwn(STRINGS, key);
