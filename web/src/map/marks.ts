/** What stands and moves on the streets: junctions, units, calls. Drawn each second, found again under the pointer. */
import { unitId, type CallRow } from "../api";
import { decider, INTERVALS, PRIORITIES, UNIT_BUSY, UNIT_FREE, UNKNOWN_LEVEL } from "../colours";
import { isAvailable, type JunctionNow, type UnitNow } from "../state";
import type { Selection, Store } from "../store";
import { mercator, type Sight } from "./project";

export const FONT = '"PingFang SC","Microsoft YaHei","Noto Sans CJK SC","Noto Sans SC",system-ui,sans-serif';
const NIGHT = "#0b1016";

export class Marks {
  private readonly junctions: { id: number; x: number; y: number }[];

  constructor(private readonly store: Store) {
    this.junctions = [...(store.atlas?.junctions.values() ?? [])].map(({ at, facts }) => {
      const [x, y] = mercator(...at);
      return { id: facts.id, x, y };
    });
  }

  draw(ctx: CanvasRenderingContext2D, sight: Sight): void {
    const { layers, board, selection, picking } = this.store;
    const grey = this.store.lead_min > 0 ? 0.35 : 1;
    ctx.globalAlpha = grey;
    if (layers.junctions) for (const j of this.junctions) this.junction(ctx, sight, j, board.junctions.get(j.id));
    ctx.globalAlpha = 1;
    if (layers.units) this.units(ctx, sight);
    if (layers.calls) {
      for (const call of board.calls.values()) this.tie(ctx, sight, call);
      const urgentLast = [...board.calls.values()].sort((a, b) => (a.priority < b.priority ? 1 : -1));
      for (const call of urgentLast) this.call(ctx, sight, call);
    }
    if (selection) this.ring(ctx, sight, selection);
    if (picking?.place) pin(ctx, ...spot(sight, ...picking.place));
  }

  /** What lies under a point of the canvas: calls before units before junctions. */
  at(x: number, y: number, sight: Sight, reach: number): Selection | null {
    const { board, layers } = this.store;
    const near = (px: number, py: number, r: number): number => {
      const d = Math.hypot(px - x, py - y);
      return d <= r + reach ? d : Infinity;
    };
    const best = <T>(items: Iterable<T>, far: (item: T) => number): T | null => {
      let [found, least]: [T | null, number] = [null, Infinity];
      for (const item of items) {
        const d = far(item);
        if (d < least) [found, least] = [item, d];
      }
      return found;
    };
    const call = layers.calls ? best(board.calls.values(), (c) => near(...spot(sight, c.lon, c.lat), 9)) : null;
    if (call) return { kind: "call", id: call.call };
    const r = junctionRadius(sight.zoom);
    const j = layers.junctions ? best(this.junctions, (m) => near(m.x * sight.scale - sight.left, m.y * sight.scale - sight.top, r)) : null;
    const u = layers.units ? best(board.units.values(), (m) => (m.status === "off_duty" ? Infinity : near(...spot(sight, m.lon, m.lat), 2))) : null;
    if (j && u) {
      const unitNearer = near(...spot(sight, u.lon, u.lat), 99) < near(j.x * sight.scale - sight.left, j.y * sight.scale - sight.top, 99) * 0.6;
      return unitNearer ? { kind: "unit", id: u.id } : { kind: "junction", id: j.id };
    }
    return j ? { kind: "junction", id: j.id } : u ? { kind: "unit", id: u.id } : null;
  }

  private junction(ctx: CanvasRenderingContext2D, s: Sight, mark: { x: number; y: number }, now: JunctionNow | undefined): void {
    const [x, y] = [mark.x * s.scale - s.left, mark.y * s.scale - s.top];
    if (outside(x, y, s)) return;
    const r = junctionRadius(s.zoom);
    const colour = now ? INTERVALS[now.interval] : UNKNOWN_LEVEL;
    const by = decider(now?.reason ?? "plan");
    ctx.beginPath();
    if (by === "bound") ctx.rect(x - r, y - r, 2 * r, 2 * r);
    else ctx.arc(x, y, r, 0, 2 * Math.PI);
    ctx.fillStyle = by === "plan" ? NIGHT : colour;
    ctx.strokeStyle = by === "plan" ? colour : NIGHT;
    ctx.lineWidth = by === "plan" ? Math.max(1.1, r * 0.35) : 1.2;
    if (by !== "plan") ctx.stroke();
    ctx.fill();
    if (by === "plan") ctx.stroke();
    if (now && r >= 6) write(ctx, String(now.stage + 1), x, y + 0.5, `600 ${Math.round(r * 1.35)}px ${FONT}`, by === "plan" ? colour : NIGHT);
  }

  private units(ctx: CanvasRenderingContext2D, s: Sight): void {
    const r = Math.max(0.8, Math.min(1.5 + (s.zoom - 12.4) * 0.7, 4.5));
    const [free, busy]: [UnitNow[], UnitNow[]] = [[], []];
    for (const u of this.store.board.units.values()) if (u.status !== "off_duty") (isAvailable(u) ? free : busy).push(u);
    for (const [list, colour, size] of [[free, UNIT_FREE, r], [busy, UNIT_BUSY, r * 1.35]] as const) {
      ctx.beginPath();
      for (const u of list) {
        const [x, y] = spot(s, u.lon, u.lat);
        if (!outside(x, y, s)) chevron(ctx, x, y, size);
      }
      ctx.globalAlpha = list === free ? 0.72 : 1;
      ctx.fillStyle = colour;
      ctx.strokeStyle = NIGHT;
      ctx.lineWidth = 1;
      ctx.stroke();
      ctx.fill();
    }
    ctx.globalAlpha = 1;
  }

  /** The line from a call to its unit. */
  private tie(ctx: CanvasRenderingContext2D, s: Sight, call: CallRow): void {
    const unit = this.store.board.units.get(unitId(call.unit) ?? -1);
    if (!unit || call.phase === "arrived") return;
    ctx.beginPath();
    ctx.moveTo(...spot(s, call.lon, call.lat));
    ctx.lineTo(...spot(s, unit.lon, unit.lat));
    ctx.setLineDash(call.phase === "assigned" ? [3, 4] : []);
    for (const [colour, width] of [["#0b1016aa", 3.2], [PRIORITIES[call.priority], 1.3]] as const) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = width;
      ctx.stroke();
    }
    ctx.setLineDash([]);
  }

  private call(ctx: CanvasRenderingContext2D, s: Sight, call: CallRow): void {
    const [x, y] = spot(s, call.lon, call.lat);
    if (outside(x, y, s)) return;
    const r = (s.zoom < 13.5 ? 6.2 : 8) + (call.priority === "A" ? 1.2 : 0);
    const waiting = call.phase === "waiting" || call.phase === "assigned";
    if (call.phase === "waiting") {
      ctx.beginPath();
      diamond(ctx, x, y, r + 4.5);
      ctx.strokeStyle = PRIORITIES[call.priority];
      ctx.lineWidth = 1.3;
      ctx.stroke();
    }
    ctx.beginPath();
    diamond(ctx, x, y, r + 1);
    ctx.fillStyle = waiting ? PRIORITIES[call.priority] : NIGHT;
    ctx.strokeStyle = waiting ? "#ffffff" : PRIORITIES[call.priority];
    ctx.lineWidth = waiting ? 1.2 : 1.8;
    ctx.fill();
    ctx.stroke();
    write(ctx, call.priority, x, y + 0.5, `700 ${Math.round(r * 1.15)}px ${FONT}`, waiting ? NIGHT : PRIORITIES[call.priority]);
  }

  private ring(ctx: CanvasRenderingContext2D, s: Sight, selection: Selection): void {
    const at = whereIs(this.store, selection);
    if (!at || selection.kind === "link") return;
    const [x, y] = spot(s, ...at);
    for (const [colour, width] of [["#0b1016", 4.5], ["#ffffff", 2]] as const) {
      ctx.beginPath();
      ctx.arc(x, y, selection.kind === "call" || selection.kind === "venue" ? 15 : junctionRadius(s.zoom) + 6, 0, 2 * Math.PI);
      ctx.strokeStyle = colour;
      ctx.lineWidth = width;
      ctx.stroke();
    }
  }
}

/** Where a selected thing is. */
export function whereIs(store: Store, { kind, id }: Selection): [lon: number, lat: number] | null {
  const moving = kind === "call" ? store.board.calls.get(id) : kind === "unit" ? store.board.units.get(id) : undefined;
  if (moving) return [moving.lon, moving.lat];
  if (kind === "junction") return store.atlas?.junctions.get(id)?.at ?? null;
  if (kind === "venue") return store.atlas?.venues.find(({ facts }) => facts.id === id)?.at ?? null;
  const points = kind === "link" ? store.atlas?.links.get(id)?.points : undefined;
  return points?.[Math.floor(points.length / 2)] ?? null;
}

const junctionRadius = (zoom: number): number => Math.max(1, Math.min(1.9 * 1.5 ** (zoom - 12.4), 10));

const spot = (s: Sight, lon: number, lat: number): [number, number] => {
  const [x, y] = mercator(lon, lat);
  return [x * s.scale - s.left, y * s.scale - s.top];
};
const outside = (x: number, y: number, s: Sight): boolean => x < -20 || y < -20 || x > s.width + 20 || y > s.height + 20;

function diamond(ctx: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  ctx.moveTo(x, y - r);
  ctx.lineTo(x + r, y);
  ctx.lineTo(x, y + r);
  ctx.lineTo(x - r, y);
  ctx.closePath();
}

function chevron(ctx: CanvasRenderingContext2D, x: number, y: number, r: number): void {
  ctx.moveTo(x, y - r * 1.3);
  ctx.lineTo(x + r * 1.15, y + r);
  ctx.lineTo(x - r * 1.15, y + r);
  ctx.closePath();
}

function pin(ctx: CanvasRenderingContext2D, x: number, y: number): void {
  ctx.strokeStyle = "#ffffff";
  ctx.lineWidth = 2;
  ctx.beginPath();
  ctx.arc(x, y, 9, 0, 2 * Math.PI);
  for (const [dx, dy] of [[0, -1], [0, 1], [-1, 0], [1, 0]] as const) {
    ctx.moveTo(x + dx * 5, y + dy * 5);
    ctx.lineTo(x + dx * 16, y + dy * 16);
  }
  ctx.stroke();
}

function write(ctx: CanvasRenderingContext2D, text: string, x: number, y: number, font: string, colour: string): void {
  ctx.font = font;
  ctx.fillStyle = colour;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(text, x, y);
}
