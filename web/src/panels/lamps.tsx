/** A junction seen from above: its approaches at their true bearings, an arrow for each movement in its lamp's colour. */
import type { JSX } from "preact";
import type { JunctionDetail, LonLat } from "../api";
import { lampColour } from "../colours";
import { word } from "../i18n";
import type { Atlas } from "../store";

export interface Arm { link: number | null; road: string; bearing_deg: number; turns: { turn: string; lamp: string }[] }

/** Lamps from the most to the least telling, when several heads show the same turn. */
const ORDER = "GgyurOo";
const TURNS = ["u_turn", "left", "through", "right"];

/** Heads grouped by the link that they stand over, turns from left to right. */
export function arms(junction: JunctionDetail, lamps: string, atlas: Atlas): Arm[] {
  const byLink = new Map<string, Arm>();
  junction.heads.forEach((head, i) => {
    const key = String(head.from_link ?? head.from_road);
    const arm = byLink.get(key) ?? { link: head.from_link, road: head.from_road, bearing_deg: arriving(head.from_link, atlas), turns: [] };
    byLink.set(key, arm);
    const lamp = lamps[i] ?? "o";
    const same = arm.turns.find((x) => x.turn === head.turn);
    if (!same) arm.turns.push({ turn: head.turn, lamp });
    else if (ORDER.indexOf(lamp) < ORDER.indexOf(same.lamp)) same.lamp = lamp;
  });
  const list = [...byLink.values()];
  for (const arm of list) arm.turns.sort((a, b) => TURNS.indexOf(a.turn) - TURNS.indexOf(b.turn));
  spread(list);
  return list.sort((a, b) => a.bearing_deg - b.bearing_deg);
}

/** Compass bearing, from the junction, of the side that a link comes from; NaN when its course is unknown. */
function arriving(link: number | null, atlas: Atlas): number {
  const points = link === null ? undefined : atlas.links.get(link)?.points;
  const [a, b] = [points?.at(-2), points?.at(-1)];
  return a && b ? bearing(b, a) : NaN;
}

export function bearing([lon0, lat0]: LonLat, [lon1, lat1]: LonLat): number {
  const east = (lon1 - lon0) * Math.cos((lat0 * Math.PI) / 180);
  return ((Math.atan2(east, lat1 - lat0) * 180) / Math.PI + 360) % 360;
}

/** Gives arms without a known bearing the gaps that are left. */
function spread(list: Arm[]): void {
  list.forEach((arm, i) => {
    if (Number.isNaN(arm.bearing_deg)) arm.bearing_deg = (i * 360) / list.length;
  });
}

const ARROWS: Record<string, string> = {
  through: "M0 8V-8M-4 -4L0 -8L4 -4",
  left: "M3 8V0Q3 -4 -1 -4H-5M-2 -8L-6 -4L-2 0",
  right: "M-3 8V0Q-3 -4 1 -4H5M2 -8L6 -4L2 0",
  u_turn: "M5 8V-2Q5 -7 0 -7Q-5 -7 -5 -2V5M-8 1L-5 5L-2 1",
};

/** The plan of a junction with its lamps. */
export function Plan({ list, size = 220, label }: { list: Arm[]; size?: number; label: string }): JSX.Element {
  return (
    <svg class="plan" viewBox="-125 -125 250 250" width={size} height={size} role="img" aria-label={label}>
      {list.map((arm) => {
        const wide = Math.max(arm.turns.length, 1) * 18 + 4;
        return (
          <g key={arm.link} transform={`rotate(${arm.bearing_deg})`}>
            {/* Traffic comes from outside towards the middle, on the right of its way: seen outwards, on the left. */}
            <rect class="road" x={-wide} y={-150} width={2 * wide} height={140} />
            <line class="middle" x1={0} x2={0} y1={-150} y2={-62} />
            <g transform={`translate(${-wide / 2} -84) rotate(180)`}>
              {arm.turns.map(({ turn, lamp }, i) => (
                <g key={turn} transform={`translate(${(i - (arm.turns.length - 1) / 2) * 18} 0) scale(1.35)`}>
                  <path class={`arrow ${lamp === "g" ? "permissive" : ""}`} d={ARROWS[turn] ?? ARROWS["through"]} stroke={lampColour(lamp)} />
                </g>
              ))}
            </g>
            <line class="stop" x1={-wide + 2} x2={-2} y1={-62} y2={-62} stroke={lampColour(best(arm))} />
          </g>
        );
      })}
      <circle class="heart" r={56} />
      <text class="north" x={110} y={-108} text-anchor="middle">N</text>
      <path class="north" d="M110 -104V-90M106 -99L110 -104L114 -99" />
    </svg>
  );
}

const best = (arm: Arm): string => arm.turns.map((x) => x.lamp).sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))[0] ?? "o";

/** The same lamps as rows of small blocks, one a head: complete where the plan is a picture. */
export function Blocks({ junction, lamps }: { junction: JunctionDetail; lamps: string }): JSX.Element {
  return (
    <span class="blocks" aria-hidden="true">
      {[...lamps].map((lamp, i) => {
        const head = junction.heads[i];
        const gap = i > 0 && junction.heads[i - 1]?.from_link !== head?.from_link;
        return <i key={i} class={gap ? "gap" : ""} style={{ background: lampColour(lamp) }} title={head && `${head.from_road} · ${word("turn", head.turn)}`} />;
      })}
    </span>
  );
}
