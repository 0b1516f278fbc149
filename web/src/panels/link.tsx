/** A link: how it runs now and how it is expected to run. */
import type { JSX } from "preact";
import type { LinkDetail, TrackRecord } from "../api";
import { Band } from "../charts/line";
import { levelColour } from "../colours";
import { figure, levelLetter, percent } from "../format";
import { t } from "../i18n";
import { select, set, store } from "../store";
import { usePolled } from "../use";
import { recordWords, whyNot } from "../words";
import { Fact, Frame } from "./frame";

export function LinkPanel({ id }: { id: number }): JSX.Element {
  const facts = store.atlas?.links.get(id)?.facts;
  const now = store.board.links.get(id);
  const { value, error } = usePolled<LinkDetail>(`./api/links/${id}`, 10_000);
  const onset = store.board.onsets.find((o) => o[0] === id);
  return (
    <Frame name={`link-${id}`} kind={`${t("link")} ${id}${facts ? ` · ${t("lanes_n", { n: facts.lanes })} · ${figure(facts.length_m)} m` : ""}`} title={store.atlas?.names.link(id) ?? `#${id}`} onClose={() => select(null)}
      mark={now && <span class="los big" style={{ background: levelColour(now.level) }} title={t("level", { l: levelLetter(now.level) })}>{levelLetter(now.level)}</span>}>
      {error !== null && <p class="error" role="alert">{whyNot(error)}</p>}
      {onset && <p class="notice">{t("onsets_title")}: {t("onset_in", { n: onset[1] })}</p>}
      <dl class="facts three">
        <Fact label={t("speed")}><b class="num">{figure(now?.speed_kmh)}</b> km/h</Fact>
        <Fact label={t("flow")}><b class="num">{figure(now?.flow_veh_h)}</b> {t("veh_h")}</Fact>
        <Fact label={t("queue")}><b class="num">{figure(now?.queue_veh)}</b> {t("veh")}</Fact>
      </dl>
      {value && (value.forecast?.length ? <Ahead leads={value.forecast} record={value.record ?? []} now={now?.speed_kmh} free={facts?.free_kmh} /> : <p class="muted">{t("forecast_none")}</p>)}
    </Frame>
  );
}

interface AheadProps { leads: NonNullable<LinkDetail["forecast"]>; record: TrackRecord[]; now: number | undefined; free: number | undefined }

/** The lead time whose record is told while none is chosen, min. */
const USUAL_LEAD_MIN = 30;

function Ahead({ leads, record, now, free }: AheadProps): JSX.Element {
  const told = store.lead_min || USUAL_LEAD_MIN;
  const at0 = now === undefined ? [] : [{ lead_min: 0, speed_kmh: now, low_kmh: now, high_kmh: now, congested: 0, flow_veh_h: 0 }];
  const all = [...at0, ...leads];
  return (
    <>
      <section>
        <h3>{t("forecast_speed")} <small>km/h</small></h3>
        <Band x={all.map((l) => l.lead_min)} mid={all.map((l) => l.speed_kmh)} low={all.map((l) => l.low_kmh)} high={all.map((l) => l.high_kmh)}
          {...(free === undefined ? {} : { rule: free })} {...(store.lead_min > 0 ? { mark: store.lead_min } : {})} label={t("forecast_speed")} tick={(m) => (m === 0 ? t("forecast_now") : `+${m}`)} />
        {free !== undefined && <p class="muted small"><span class="dash" /> {t("free_speed")} {figure(free)} km/h</p>}
      </section>
      <section>
        <h3>{t("forecast_risk")}</h3>
        <div class="risks">
          {leads.map((l) => (
            <button type="button" key={l.lead_min} class={l.lead_min === store.lead_min ? "here" : ""} title={t("in_min", { n: l.lead_min })}
              aria-label={`${t("in_min", { n: l.lead_min })}: ${percent(l.congested)}`} onClick={() => set({ lead_min: l.lead_min })}>
              <i style={{ height: `${Math.max(l.congested * 44, 1.5)}px` }} class={l.congested >= 0.5 ? "likely" : ""} />
              <span class="num">{Math.round(l.congested * 100)}</span>
              <small class="num">+{l.lead_min}</small>
            </button>
          ))}
        </div>
      </section>
      <section>
        <h3>{t("record_title")}</h3>
        <p class="muted small" data-testid="link-record">{recordWords(told, record.find((r) => r.lead_min === told))}</p>
      </section>
    </>
  );
}
