/** The forecast slider: now, or some minutes ahead. */
import type { JSX } from "preact";
import { clock } from "../format";
import { t } from "../i18n";
import { set, store } from "../store";
import { recordWords } from "../words";

export function ForecastBar(): JSX.Element | null {
  const { atlas, lead_min, forecast, forecastFailed, board } = store;
  if (!atlas) return null;
  const leads = atlas.city.lead_min;
  const most = Math.max(...leads, 0);
  if (most === 0) return null;
  const offset = atlas.city.utc_offset_min;
  const made = forecast?.facts.made_ms ?? forecast?.facts.time_ms ?? board.time_ms;
  const held = lead_min > 0 && forecast && !forecastFailed && forecast.facts.lead_min === lead_min && forecast.facts.links.length > 0
    ? recordWords(lead_min, forecast.facts.record) : null;
  const said = lead_min === 0 ? t("live_state")
    : forecastFailed ? t("forecast_failed")
    : forecast?.facts.links.length === 0 ? t("forecast_none")
    : forecast ? `${t("forecast_for", { time: clock(made + lead_min * 60_000, offset, false) })} · ${t("forecast_of", { time: clock(made, offset, false) })}` : "…";
  return (
    <div class={`forecast ${lead_min > 0 ? "ahead" : ""}`}>
      <div class="said">
        <b>{lead_min === 0 ? t("forecast_now") : t("forecast_lead", { n: lead_min })}</b>
        <span aria-live="polite">{said}</span>
        {lead_min > 0 && <button type="button" class="quiet" onClick={() => set({ lead_min: 0 })}>{t("back_to_now")}</button>}
      </div>
      {held !== null && <p class="record" data-testid="forecast-record" title={held}>{held}</p>}
      <input type="range" data-testid="forecast-slider" aria-label={t("forecast")} aria-valuetext={lead_min === 0 ? t("forecast_now") : t("forecast_lead", { n: lead_min })}
        min={0} max={most} step={leads[0] ?? 5} value={lead_min} style={{ "--p": `${(lead_min / most) * 100}%` }}
        onInput={(e) => set({ lead_min: nearest(e.currentTarget.valueAsNumber, [0, ...leads]) })} />
      <div class="ticks num" aria-hidden="true">{[0, 15, 30, 45, 60].filter((m) => m <= most).map((m) => <span key={m} style={{ left: `${(m / most) * 100}%` }}>{m === 0 ? t("forecast_now") : `+${m}`}</span>)}</div>
    </div>
  );
}

const nearest = (wish: number, among: number[]): number => among.reduce((a, b) => (Math.abs(b - wish) < Math.abs(a - wish) ? b : a), 0);
