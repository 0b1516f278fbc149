/** The streets: laid out once a zoom, two directions side by side, and drawn by level of service. */
import { NIGHT, type Palette } from "../colours";
import type { Course } from "../store";
import { mercator, type Sight } from "./project";
import { distance2, offsetRight, twins } from "./course";

interface Laid {
  id: number;
  lanes: number;
  /** Distance to the link of the other direction, on the world square; null: there is none. */
  apart: number | null;
  world: Float64Array;
  /** Course in pixels from the origin of the layout, at `zoom`. */
  xy: Float64Array;
  box: [left: number, top: number, right: number, bottom: number];
  width: number;
}

export class Network {
  private readonly links: Laid[];
  private readonly byId = new Map<number, Laid>();
  private readonly origin: [number, number];
  private zoom = NaN;

  constructor(courses: Iterable<Course>, private readonly palette: Palette = NIGHT) {
    const worlds = [...courses].map(({ points, facts }) => ({ facts, world: Float64Array.from(points.flatMap(([lon, lat]) => mercator(lon, lat))) }));
    const apart = twins(worlds.map((w) => w.world));
    this.links = worlds.map(({ facts, world }, i) => ({
      id: facts.id, lanes: facts.lanes, world, apart: apart[i] ?? null, xy: new Float64Array(0), box: [0, 0, 0, 0], width: 1,
    }));
    for (const link of this.links) this.byId.set(link.id, link);
    this.origin = [this.links[0]?.world[0] ?? 0, this.links[0]?.world[1] ?? 0];
  }

  /** Draws all links in sight; `levelOf` gives each its level, or undefined when nothing is known of it. */
  draw(ctx: CanvasRenderingContext2D, sight: Sight, levelOf: (id: number) => number | undefined, marked: number | null): void {
    this.lay(sight);
    const [dx, dy] = this.shift(sight);
    const seen = this.links.filter((l) => inSight(l, dx, dy, sight));
    ctx.save();
    ctx.translate(dx, dy);
    ctx.lineCap = "round";
    ctx.lineJoin = "round";
    this.stroke(ctx, seen, this.palette.body, (l) => l.width + 2.4);
    const groups: Laid[][] = [[], [], [], [], [], [], []];
    for (const link of seen) groups[(levelOf(link.id) ?? -1) + 1]?.push(link);
    groups.forEach((group, i) => {
      const level = i - 1;
      const swell = level >= 4 ? 1.3 : level === 3 ? 1.12 : 1;
      this.stroke(ctx, group, level < 0 ? this.palette.unknown : this.palette.level(level), (l) => l.width * swell);
    });
    const chosen = marked === null ? undefined : this.byId.get(marked);
    if (chosen) this.mark(ctx, chosen, levelOf(chosen.id));
    ctx.restore();
  }

  /** The link nearest to a point of the canvas, within reach. */
  at(x: number, y: number, sight: Sight, reach: number): number | null {
    this.lay(sight);
    const [dx, dy] = this.shift(sight);
    const [px, py] = [x - dx, y - dy];
    let best: number | null = null;
    let least = Infinity;
    for (const l of this.links) {
      const far = reach + l.width / 2;
      if (px < l.box[0] - far || px > l.box[2] + far || py < l.box[1] - far || py > l.box[3] + far) continue;
      const d = distance2(l.xy, px, py);
      if (d <= far * far && d < least) [least, best] = [d, l.id];
    }
    return best;
  }

  /** Lays the links out for a zoom. */
  private lay({ zoom, scale }: Sight): void {
    if (zoom === this.zoom) return;
    this.zoom = zoom;
    const base = Math.max(1.05, Math.min(1.5 * 1.42 ** (zoom - 12.6), 9));
    for (const l of this.links) {
      l.width = base * (0.62 + 0.2 * Math.min(l.lanes, 4));
      const flat = l.world.map((v, i) => (v - this.origin[i & 1]!) * scale);
      // As far apart as they are on the ground, but never so near that one hides the other.
      const short = l.apart === null ? 0 : l.width * 0.62 + 0.45 - (l.apart * scale) / 2;
      l.xy = short > 0 ? offsetRight(flat, short) : flat;
      l.box = [Infinity, Infinity, -Infinity, -Infinity];
      for (let i = 0; i < l.xy.length; i += 2) {
        l.box[0] = Math.min(l.box[0], l.xy[i]!);
        l.box[2] = Math.max(l.box[2], l.xy[i]!);
        l.box[1] = Math.min(l.box[1], l.xy[i + 1]!);
        l.box[3] = Math.max(l.box[3], l.xy[i + 1]!);
      }
    }
  }

  private shift(s: Sight): [number, number] {
    return [this.origin[0] * s.scale - s.left, this.origin[1] * s.scale - s.top];
  }

  /** One path for each width: a handful of strokes for thousands of links. */
  private stroke(ctx: CanvasRenderingContext2D, links: Laid[], colour: string, width: (l: Laid) => number): void {
    ctx.strokeStyle = colour;
    const widths = new Map<number, Laid[]>();
    for (const l of links) {
      const w = Math.round(width(l) * 4) / 4;
      const same = widths.get(w);
      if (same) same.push(l);
      else widths.set(w, [l]);
    }
    for (const [w, same] of widths) {
      ctx.lineWidth = w;
      ctx.beginPath();
      for (const l of same) trace(ctx, l.xy);
      ctx.stroke();
    }
  }

  private mark(ctx: CanvasRenderingContext2D, l: Laid, level: number | undefined): void {
    for (const [colour, width] of [["#ffffff", l.width + 5], ["#0b1016", l.width + 2.4], [level === undefined ? this.palette.unknown : this.palette.level(level), l.width + 0.6]] as const) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = width;
      ctx.beginPath();
      trace(ctx, l.xy);
      ctx.stroke();
    }
  }
}

function trace(ctx: CanvasRenderingContext2D, xy: Float64Array): void {
  ctx.moveTo(xy[0]!, xy[1]!);
  for (let i = 2; i < xy.length; i += 2) ctx.lineTo(xy[i]!, xy[i + 1]!);
}

const inSight = (l: Laid, dx: number, dy: number, s: Sight): boolean =>
  l.box[2] + dx > -12 && l.box[0] + dx < s.width + 12 && l.box[3] + dy > -12 && l.box[1] + dy < s.height + 12;
