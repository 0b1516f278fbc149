/** Starts a page in a language that can be changed on it. */
import { render, type VNode } from "preact";
import { firstLang, type Lang } from "./lang";

/** Shows a page; `speech` is where its words look up the language. */
export function start(speech: { lang: Lang }, page: (speak: (lang: Lang) => void) => VNode): void {
  const speak = (lang: Lang): void => {
    speech.lang = lang;
    document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
    try {
      localStorage.setItem("nanming.lang", lang);
    } catch { /* storage may be forbidden: the page works without */ }
    render(page(speak), document.getElementById("app")!);
  };
  let kept: string | null = null;
  try {
    kept = localStorage.getItem("nanming.lang");
  } catch { /* storage may be forbidden */ }
  speak(firstLang(location.search, kept, navigator.language));
}
