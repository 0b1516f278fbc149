/** A patrol unit: status, task, home grid. */
import type { JSX } from "preact";
import { type Cover, unitId } from "../api";
import { UNIT_BUSY, UNIT_FREE } from "../colours";
import { place } from "../format";
import { t, word } from "../i18n";
import { isAvailable } from "../state";
import { select, store } from "../store";
import { usePolled } from "../use";
import { gridName } from "./call";
import { Fact, Frame } from "./frame";

export function UnitPanel({ id }: { id: number }): JSX.Element {
  const { atlas, board } = store;
  const facts = atlas?.units.get(id);
  const now = board.units.get(id);
  const call = [...board.calls.values()].find((c) => unitId(c.unit) === id);
  const free = now !== undefined && isAvailable(now);
  const { value: cover } = usePolled<Cover>("./api/cover", 10_000);
  const advice = cover?.regions.flatMap((region) => region.advice).find((one) => one.unit === id);
  return (
    <Frame name={`unit-${id}`} kind={t("unit")} title={facts?.name ?? `#${id}`} onClose={() => select(null)}
      mark={<span class="unitmark" style={{ color: free ? UNIT_FREE : UNIT_BUSY }} aria-hidden="true">▲</span>}>
      {!now && <p class="muted">{t("no_position")}</p>}
      {free && advice && <p class="notice" data-testid="cover-advice">{t("cover_advice", { grid: gridName(advice.to_grid), n: Math.ceil(advice.drive_s / 60), gain: advice.gain_points.toFixed(1) })}</p>}
      <dl class="facts">
        {now && <Fact label={t("status")}>{word("status", now.status)}</Fact>}
        {typeof now?.connected === "boolean" && <Fact label={t("terminal")}>{now.connected ? t("terminal_connected") : <b data-testid="unit-not-connected">{t("terminal_gone")}</b>}</Fact>}
        <Fact label={t("task")}>
          {call ? <button type="button" class="link" onClick={() => select({ kind: "call", id: call.call })}>{call.priority} · {t("call_n", { n: call.call })}</button> : (now?.assignment ?? t("free_of_task"))}
        </Fact>
        {facts && <Fact label={t("home_grid")}>{gridName(facts.grid)}</Fact>}
        {now && <Fact label={t("place")}><span class="num">{place(now.lon, now.lat)}</span></Fact>}
      </dl>
    </Frame>
  );
}
