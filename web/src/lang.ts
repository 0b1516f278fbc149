/** Which language, and how holes in words are filled. Knows no words. */

export type Lang = "zh" | "en";

/** `{name}` is filled in. */
export const fill = (text: string, filled: Record<string, string | number>): string =>
  text.replace(/\{(\w+)\}/g, (hole, name: string) => String(filled[name] ?? hole));

/** From `?lang=`, what was chosen before, or the browser's language. */
export function firstLang(query: string, kept: string | null, browser: string): Lang {
  for (const wish of [new URLSearchParams(query).get("lang"), kept]) if (wish === "zh" || wish === "en") return wish;
  return browser.toLowerCase().startsWith("zh") ? "zh" : "en";
}
