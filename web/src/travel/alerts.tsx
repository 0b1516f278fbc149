/** What is in the way. */
import type { JSX } from "preact";
import { clock } from "../format";
import type { City, Incident } from "./api";
import { INCIDENT } from "./colours";
import { roadWords, t, word } from "./say";

export function Alerts({ incidents, city, show }: { incidents: Incident[] | null; city: City; show: (incident: Incident) => void }): JSX.Element {
  return (
    <section data-testid="alerts">
      {incidents?.length === 0 && <p class="hint">{t("no_incidents")}</p>}
      <ul class="rows">
        {(incidents ?? []).map((i) => (
          <li key={i.id}>
            <button type="button" class="incident" data-testid={`incident-${i.kind}`} style={{ "--c": INCIDENT[i.kind] ?? INCIDENT["congestion"] }} onClick={() => show(i)}>
              <b>{roadWords(i.road, i.heading)}</b>
              <span>{word("kind", i.kind, { n: i.in_min ?? "" })}</span>
              <small>
                {i.kind !== "congestion_expected" && t("since", { time: clock(i.since_ms, city.utc_offset_min, false) })}
                {i.kind === "collision" && ` · ${t(i.confirmed ? "confirmed" : "unconfirmed")}`}
              </small>
            </button>
          </li>
        ))}
      </ul>
      <p class="hint"><a href="./api/travel/alerts.atom">{t("feed")}</a></p>
    </section>
  );
}
