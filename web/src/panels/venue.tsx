/** A venue: how many people there are, how many are usual and expected, and how many will leave when. */
import type { JSX } from "preact";
import { SURGE, VENUE } from "../colours";
import { figure, percent } from "../format";
import { t } from "../i18n";
import { leaving } from "../state";
import { select, store } from "../store";
import { Fact, Frame } from "./frame";

const INTERVAL_MIN = 5;
/** Height of the highest bar, px. */
const HIGH = 44;

export function VenuePanel({ id }: { id: number }): JSX.Element {
  const facts = store.atlas?.venues.find((venue) => venue.facts.id === id)?.facts;
  const now = store.board.crowds.get(id);
  const most = Math.max(...(now?.outflow ?? []), 1);
  const highest = Math.max(...(now?.ahead ?? []).map(([, people]) => people), 1);
  return (
    <Frame name={`venue-${id}`} kind={t("venue")} title={facts?.name ?? `#${id}`} onClose={() => select(null)}
      mark={<span class="unitmark" style={{ color: now?.surge ? SURGE : VENUE }} aria-hidden="true">■</span>}>
      {now?.surge && <p class="notice">{t("surge_now")}</p>}
      {(now === undefined || now.people === null) && <p class="muted">{t("crowd_unseen")}</p>}
      <dl class="facts three">
        <Fact label={t("people")}><b class="num" data-testid="venue-people">{figure(now?.people)}</b></Fact>
        <Fact label={t("people_usual")}><b class="num">{figure(now?.usual || null)}</b></Fact>
        <Fact label={t("people_share")}><b class="num">{now && now.people !== null && now.share > 0 ? percent(now.share) : "–"}</b></Fact>
      </dl>
      {facts && <p class="muted small">{t("capacity", { n: figure(facts.capacity) })}</p>}
      {now && now.ahead.length > 0 && (
        <section>
          <h3>{t("people_ahead")}</h3>
          <div class="risks" data-testid="venue-ahead">
            {now.ahead.map(([min, people, low, high]) => (
              <div key={min} title={`${t("in_min", { n: min })}: ${figure(people)} (${figure(low)}–${figure(high)})`}>
                <i style={{ height: `${Math.max((people / highest) * HIGH, 1.5)}px` }} />
                <span class="num">{figure(people)}</span>
                <small class="num">+{min}</small>
              </div>
            ))}
          </div>
        </section>
      )}
      {now && (
        <section>
          <h3>{t("outflow")} <small>{t("within_hour", { n: figure(leaving(now)) })}</small></h3>
          <div class="risks" data-testid="venue-outflow">
            {now.outflow.map((people, n) => (
              <div key={n} title={`${t("in_min", { n: (n + 1) * INTERVAL_MIN })}: ${figure(people)}`}>
                <i style={{ height: `${Math.max((people / most) * HIGH, 1.5)}px` }} class={now.surge ? "likely" : ""} />
                <span class="num">{figure(people)}</span>
                <small class="num">+{(n + 1) * INTERVAL_MIN}</small>
              </div>
            ))}
          </div>
        </section>
      )}
    </Frame>
  );
}
