/** Mean speed and open calls over the last quarter of an hour. */
import type { JSX } from "preact";
import { Pair } from "../charts/line";
import { clock } from "../format";
import { t } from "../i18n";
import { store } from "../store";

const SPAN_MS = 15 * 60_000;

export function Series(): JSX.Element {
  const { series, time_ms } = store.board;
  const offset = store.atlas?.city.utc_offset_min ?? 0;
  return (
    <section class="series" aria-label={t("series_title")}>
      <h2>{t("series_title")}<small><i class="a" />{t("speed")} km/h <i class="b" />{t("fig_open_calls")}</small></h2>
      <Pair time_ms={series.map((s) => s.time_ms)} a={series.map((s) => s.figures.mean_speed_kmh ?? null)} b={series.map((s) => s.figures.open_calls ?? null)}
        from_ms={time_ms - SPAN_MS} to_ms={time_ms} label={`${t("fig_mean_speed_kmh")}, ${t("fig_open_calls")}`} tick={(v) => clock(v, offset, false)} />
    </section>
  );
}
