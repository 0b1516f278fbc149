/** The words beside the pointer. */
import { levelColour } from "../colours";
import { figure, levelLetter, percent } from "../format";
import { t, word } from "../i18n";
import { store, type Selection } from "../store";
import { crowdWords, stageName } from "../words";

/** What to say about a thing, as elements; null when nothing is known of it. */
export function tipFor({ kind, id }: Selection): HTMLElement[] | null {
  const { board, atlas } = store;
  if (kind === "link") return linkTip(id);
  if (kind === "junction") {
    const [facts, now] = [atlas?.junctions.get(id)?.facts, board.junctions.get(id)];
    if (!facts) return null;
    const stage = now ? `${stageName(facts.stages[now.stage], now.stage)} · ${t((["legend_green", "legend_yellow", "legend_all_red"] as const)[now.interval])} · ${word("reason", now.reason)}` : "–";
    return [line("b", atlas!.names.junction(id)), line("span", stage)];
  }
  if (kind === "unit") {
    const [unit, now] = [atlas?.units.get(id), board.units.get(id)];
    return now ? [line("b", unit?.name ?? `#${id}`), line("span", word("status", now.status))] : null;
  }
  if (kind === "venue") {
    const [facts, now] = [atlas?.venues.find((v) => v.facts.id === id)?.facts, board.crowds.get(id)];
    return facts ? [line("b", facts.name), ...(now ? [line("span", crowdWords(now))] : [])] : null;
  }
  const call = board.calls.get(id);
  return call ? [line("b", `${call.priority} · ${t("call_n", { n: id })}`), line("span", `${word("category", call.category)} · ${word("phase", call.phase)}`)] : null;
}

function linkTip(id: number): HTMLElement[] | null {
  const facts = store.atlas?.links.get(id)?.facts;
  if (!facts) return null;
  const title = line("b", store.atlas!.names.link(id));
  const ahead = store.lead_min > 0 ? store.forecast?.byLink.get(id) : undefined;
  if (ahead) {
    const [, level, speed, low, high, congested] = ahead;
    return [title, badge(level), line("span", `${figure(speed)} km/h (${figure(low)}–${figure(high)}) · ${t("forecast_risk")} ${percent(congested)}`)];
  }
  const now = store.board.links.get(id);
  if (!now) return [title];
  return [title, badge(now.level), line("span", `${figure(now.speed_kmh)} km/h · ${figure(now.flow_veh_h)} ${t("veh_h")} · ${t("queue")} ${figure(now.queue_veh)} ${t("veh")}`)];
}

function badge(level: number): HTMLElement {
  const element = line("i", levelLetter(level));
  element.style.background = levelColour(level);
  element.className = "los";
  return element;
}

function line(tag: "b" | "span" | "i", text: string): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
