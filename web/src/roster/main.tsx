/** Starts the page of rosters. */
import { render } from "preact";
import { firstLang, type Lang } from "../lang";
import { App } from "./app";
import { speech } from "./say";
import "./style.css";

/** Changes the language of the page, and remembers it. */
function speak(lang: Lang): void {
  speech.lang = lang;
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  try {
    localStorage.setItem("nanming.lang", lang);
  } catch { /* storage may be forbidden: the page works without */ }
  render(<App key="page" speak={speak} />, document.getElementById("app")!);
}

let kept: string | null = null;
try {
  kept = localStorage.getItem("nanming.lang");
} catch { /* storage may be forbidden */ }
speak(firstLang(location.search, kept, navigator.language));
