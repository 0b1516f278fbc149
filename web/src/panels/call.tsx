/** A call: how far it is, who goes, why that unit, and what happened so far. */
import type { JSX } from "preact";
import { unitId, type CallDetail, type Phase } from "../api";
import { PHASES, PRIORITIES } from "../colours";
import { age, clock, place } from "../format";
import { t, word } from "../i18n";
import { select, store } from "../store";
import { usePolled } from "../use";
import { whyNot, whyUnit } from "../words";
import { Change } from "./change";
import { Fact, Frame } from "./frame";

const STEPS: Phase[] = ["waiting", "assigned", "accepted", "arrived", "closed"];

export function CallPanel({ id }: { id: number }): JSX.Element {
  const row = store.board.calls.get(id);
  const { value, error } = usePolled<CallDetail>(`./calls/${id}`, 5_000, row ? `${row.phase} ${row.assignment} ${row.priority} ${row.category} ${row.lon} ${row.lat}` : "gone");
  const { accepted } = store;
  const offset = store.atlas?.city.utc_offset_min ?? 0;
  // The stream is the fresher of the two while the call is on the board.
  const phase = row?.phase ?? value?.phase ?? "waiting";
  const call = value ? { ...value, ...(row ? { phase, priority: row.priority, category: row.category, lon: row.lon, lat: row.lat, eta_s: row.eta_s ?? value.eta_s ?? null } : {}) } : null;
  const { priority, category } = row ?? value ?? {};
  return (
    <Frame name={`call-${id}`} kind={category ? word("category", category) : t("call")} title={t("call_n", { n: id })} onClose={() => select(null)}
      mark={priority && <span class={`prio big ${priority}`} style={{ "--c": PRIORITIES[priority] }} title={word("priority", priority)}>{priority}</span>}>
      {accepted?.call === id && <p class="ok" role="status" data-testid={`call-${accepted.status}`}>✓ {t(accepted.status, { call: id, grid: gridName(accepted.grid), time: clock(accepted.tick, offset) })}</p>}
      <Steps phase={phase} />
      {error !== null && !row && <p class="error" role="alert">{whyNot(error)}</p>}
      {call && phase !== "closed" && phase !== "cancelled" && <Change key={id} call={call} />}
      {call && <Body call={call} />}
    </Frame>
  );
}

function Steps({ phase }: { phase: Phase }): JSX.Element {
  const isElsewhere = phase === "cancelled" || phase === "merged" || phase === "referred";
  const reached = isElsewhere ? 4 : STEPS.indexOf(phase);
  return (
    <ol class="steps" data-phase={phase}>
      {STEPS.map((step, i) => {
        const shown = i === 4 && isElsewhere ? phase : step;
        return (
          <li key={step} class={i < reached ? "done" : i === reached ? "here" : ""} aria-current={i === reached ? "step" : undefined} style={i === reached ? { "--c": PHASES[shown] } : {}}>
            {word("phase", shown)}
          </li>
        );
      })}
    </ol>
  );
}

function Body({ call }: { call: CallDetail }): JSX.Element {
  const offset = store.atlas?.city.utc_offset_min ?? 0;
  const candidates = call.candidates ?? [];
  const slowest = Math.max(...candidates.map((c) => c.eta_s), 1);
  const unit = unitId(call.unit);
  return (
    <>
      {call.words && <p class="quote">{call.words}</p>}
      <dl class="facts">
        <Fact label={t("unit")}>{unit === null ? t("no_unit_yet") : <UnitLink id={unit} />}</Fact>
        <Fact label={t("eta")}><span class="num">{call.eta_s === null || call.eta_s === undefined || call.phase === "arrived" ? "–" : age(call.eta_s * 1000)}</span></Fact>
        <Fact label={t("opened_at")}><span class="num">{clock(call.opened_ms, offset)}</span></Fact>
        <Fact label={t("grid")}>{gridName(call.grid)}</Fact>
        {call.channel && <Fact label={t("channel")}>{word("channel", call.channel)}</Fact>}
        {call.classified && <Fact label={t("classified_by")}>{call.classified.rule}{call.classified.phrase && ` (${call.classified.phrase})`}</Fact>}
        {call.into !== undefined && <Fact label={t("merged_into")}><CallLink id={call.into} /></Fact>}
        <Fact label={t("place")}><span class="num">{place(call.lon, call.lat)}</span></Fact>
      </dl>
      {call.joined && (
        <section data-testid="joined">
          <h3>{t("joined")}</h3>
          {call.joined.map((other) => <p key={other.call} class="quote"><CallLink id={other.call} /> {other.words}</p>)}
        </section>
      )}
      {candidates.length > 0 && (
        <section>
          <h3>{t("why")}</h3>
          {call.reason && <p class="why">{whyUnit(call.reason)}</p>}
          <p class="muted small">{t("candidates")}</p>
          <ol class="candidates">
            {candidates.map((c) => (
              <li key={c.unit} class={c.unit === unit ? "picked" : ""}>
                <button type="button" class="name" onClick={() => select({ kind: "unit", id: c.unit })}>{c.name}</button>
                <span class="bar"><i style={{ width: `${(c.eta_s / slowest) * 100}%` }} /></span>
                <span class="num">{age(c.eta_s * 1000)}</span>
                <span class="tick">{c.unit === unit ? `✓ ${t("picked")}` : ""}</span>
              </li>
            ))}
          </ol>
        </section>
      )}
      <section>
        <h3>{t("history")}</h3>
        <ol class="timeline">
          {(call.history ?? []).map((h, i) => (
            <li key={i} style={{ "--c": PHASES[h.phase] ?? "#7b8896" }}>
              <span class="num">{clock(h.time_ms, offset)}</span>
              <b>{word("phase", h.phase)}</b>
              <span class="muted">{unitId(h.unit) === null ? "" : unitName(unitId(h.unit)!)} {h.note}</span>
            </li>
          ))}
        </ol>
      </section>
    </>
  );
}

export const unitName = (id: number): string => store.atlas?.units.get(id)?.name ?? `#${id}`;
export const gridName = (id: number): string => store.atlas?.grids.find((g) => g.facts.id === id)?.facts.name ?? String(id);

function CallLink({ id }: { id: number }): JSX.Element {
  return <button type="button" class="link" onClick={() => select({ kind: "call", id })}>{t("call_n", { n: id })}</button>;
}

export function UnitLink({ id }: { id: number }): JSX.Element {
  return <button type="button" class="link" onClick={() => select({ kind: "unit", id })}>{unitName(id)}</button>;
}
