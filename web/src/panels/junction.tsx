/** A junction: what it shows, since when, and why. */
import type { JSX } from "preact";
import type { JunctionDetail } from "../api";
import { INTERVALS } from "../colours";
import { age, clock, figure } from "../format";
import { t, word } from "../i18n";
import { isCode } from "../names";
import { select, store } from "../store";
import { cityNow, usePolled } from "../use";
import { stageName, whyNot, whyStage } from "../words";
import { Frame } from "./frame";
import { arms, Blocks, Plan } from "./lamps";

const INTERVAL_NUMBER = { green: 0, yellow: 1, all_red: 2 } as const;

export function JunctionPanel({ id }: { id: number }): JSX.Element {
  const { atlas, board } = store;
  const now = board.junctions.get(id);
  const { value, error } = usePolled<JunctionDetail>(`./api/junctions/${id}`, 2_000, now && `${now.stage}.${now.interval}`);
  const facts = atlas?.junctions.get(id)?.facts;
  const district = atlas?.city.districts.find((d) => d.id === facts?.district);
  return (
    <Frame name={`junction-${id}`} kind={`${t("junction")} ${facts?.name && isCode(facts.name) ? facts.name : id}${district ? ` · ${store.lang === "zh" ? district.name : district.name_en}` : ""}`} title={atlas?.names.junction(id) ?? `#${id}`} onClose={() => select(null)}>
      {error !== null && <p class="error" role="alert">{whyNot(error)}</p>}
      {value && atlas && (value.stage === null ? <p class="muted">{t("no_command")}</p> : <Body j={value} stage={value.stage} />)}
    </Frame>
  );
}

function Body({ j, stage }: { j: JunctionDetail; stage: number }): JSX.Element {
  const { atlas, board } = store;
  const offset = atlas!.city.utc_offset_min;
  const colour = INTERVALS[INTERVAL_NUMBER[j.interval]];
  const now = cityNow(board.time_ms, Date.now(), true);
  return (
    <>
      <section class="now">
        <Plan list={arms(j, j.lamps, atlas!)} label={t("lamps_now")} />
        <div>
          <p class="state" style={{ color: colour }}><i style={{ background: colour }} />{word("interval", j.interval)}</p>
          <p class="stage">{stageName(j.stages[stage]?.name, stage)}</p>
          <p class="muted num">{t("since", { time: clock(j.since_ms, offset), age: age(now - j.since_ms) })}</p>
          <p class="muted">{t("heads_n", { n: j.heads.length })}</p>
        </div>
      </section>
      <section>
        <h3>{t("why")} <span class="chip">{word("reason", j.reason)}</span></h3>
        <p class="why">{whyStage(j)}</p>
      </section>
      <section>
        <h3>{t("stages")} <small>{t("scores")}</small></h3>
        <ol class="stages">{j.stages.map((_, i) => <StageRow key={i} j={j} i={i} />)}</ol>
      </section>
    </>
  );
}

function StageRow({ j, i }: { j: JunctionDetail; i: number }): JSX.Element {
  const stage = j.stages[i]!;
  // Without detectors there is no pressure to know of.
  const score = j.reason === "local_plan" || store.board.links.size === 0 ? undefined : j.scores[i];
  const most = Math.max(...j.scores.map(Math.abs), 1);
  const inForce = i === j.stage;
  const tag = inForce ? (j.interval === "green" ? "in_force" : "coming") : i === j.wanted ? "wanted" : null;
  return (
    <li class={inForce ? "force" : i === j.wanted ? "wanted" : ""} aria-current={inForce ? "true" : undefined}>
      <div class="head">
        <b class="num">{i + 1}</b>
        <span class="grow">{stageName(stage.name, i)}</span>
        {tag && <span class={`chip ${tag}`}>{t(tag)}</span>}
      </div>
      <div class="score">
        <span class="bar"><i style={{ width: `${(Math.max(score ?? 0, 0) / most) * 100}%` }} /></span>
        <span class="num">{figure(score, 1)}</span>
      </div>
      <div class="foot">
        <Blocks junction={j} lamps={stage.lights} />
        <span class="muted num">{t("green_bounds", { min: stage.min_green_s, max: stage.max_green_s })}</span>
      </div>
    </li>
  );
}
