/** The head of the page: whose city, the key figures, its time, and whether the data are fresh. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { FigureKey } from "../api";
import { Spark } from "../charts/line";
import { clock, day, keyFigure } from "../format";
import { t, type Lang } from "../i18n";
import { logOut } from "../session";
import { isLive, set, store } from "../store";
import { cityNow } from "../use";
import { heard } from "../live";

const TRAFFIC: FigureKey[] = ["mean_speed_kmh", "congested_links", "vehicles_h", "signal_changes_min"];
const DISPATCH: FigureKey[] = ["open_calls", "waiting_calls", "available_units", "ack_p50_s"];

export function Header(): JSX.Element {
  const city = store.atlas?.city;
  return (
    <header class="top">
      <a class="skip" href="#calls">{t("skip_to_lists")}</a>
      <div class="brand">
        <img src="./icon.svg" alt="" width="28" height="28" />
        <div>
          <h1>{t("product")}</h1>
          <p>{city ? cityName(city.name) : t("tagline")}</p>
        </div>
      </div>
      <div class="figures" role="group">
        <Group title={t("group_traffic")} keys={TRAFFIC} />
        <Group title={t("group_dispatch")} keys={DISPATCH} />
      </div>
      <Time />
    </header>
  );
}

function Group({ title, keys }: { title: string; keys: FigureKey[] }): JSX.Element {
  return (
    <section aria-label={title}>
      {keys.map((key) => <Tile key={key} name={key} />)}
    </section>
  );
}

function Tile({ name }: { name: FigureKey }): JSX.Element {
  const value = store.board.figures[name];
  const alarm = name === "waiting_calls" && (value ?? 0) > 0;
  return (
    <div class={`figure ${alarm ? "alarm" : ""}`}>
      <span class="label">{t(`fig_${name}`)}</span>
      <span class="value">
        <b class="num" data-testid={`figure-${name}`}>{keyFigure(name, store.board.figures)}</b>
        <small>{t(`unit_${name}`)}</small>
      </span>
      <Spark values={store.board.series.map((s) => s.figures[name])} />
    </div>
  );
}

function Time(): JSX.Element {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => tick((n) => n + 1), 500);
    return () => window.clearInterval(timer);
  }, []);
  const { atlas, board, connection } = store;
  const offset = atlas?.city.utc_offset_min ?? -new Date().getTimezoneOffset();
  const now = cityNow(board.time_ms, heard.at_ms, isLive());
  // An age, not a time: the city's clock may run apart from the wall's.
  const silence_s = Math.round((Date.now() - connection.since_ms) / 1000);
  const lost = connection.state === "silent" || connection.state === "reconnecting";
  const other: Lang = store.lang === "zh" ? "en" : "zh";
  return (
    <div class="time">
      <div class="clock">
        <time class="num">{clock(now, offset)}</time>
        <span>{day(now, offset, store.lang)}</span>
      </div>
      <span class="connection" data-testid="connection" data-state={connection.state} ><i aria-hidden="true" />
        <span role="status">{t(`conn_${connection.state}`)}</span>
        {lost && <span class="num">{silence_s < 120 ? t("conn_for_s", { n: silence_s }) : t("conn_for_min", { n: Math.floor(silence_s / 60) })}</span>}
      </span>
      {store.person && <button type="button" class="quiet person" data-testid="logout" title={t("log_out")} onClick={() => void logOut()}>{store.person.name} · {t("log_out")}</button>}
      <button type="button" class="quiet" data-testid="lang" lang={other} title={t("lang_label")} onClick={() => speak(other)}>{t("lang_switch")}</button>
    </div>
  );
}

/** Changes the language of the page, and remembers it. */
export function speak(lang: Lang): void {
  document.documentElement.lang = lang === "zh" ? "zh-CN" : "en";
  try {
    localStorage.setItem("nanming.lang", lang);
  } catch { /* storage may be forbidden: the page works without */ }
  set({ lang });
}

const NAMES: Record<string, [string, string]> = { guiyang: ["贵阳", "Guiyang"] };
const cityName = (name: string): string => NAMES[name.toLowerCase()]?.[store.lang === "zh" ? 0 : 1] ?? name;
