/** The ground under the streets and the words over them: patrol grids, venues, names of streets and districts. */
import type { CallRow, LonLat, VenueFacts } from "../api";
import { SURGE, VENUE } from "../colours";
import { figure } from "../format";
import { isAvailable, type CrowdNow } from "../state";
import type { Atlas, Place, Store } from "../store";
import { FONT } from "./marks";
import { mercator, type Sight } from "./project";
import { claim, type Rect } from "./room";

/** A street's name goes along `a` to `b`, beside the course's middle. */
interface StreetName { text: string; a: [number, number]; b: [number, number]; middle: [number, number]; length_m: number }
interface DistrictName { zh: string; en: string; at: [number, number] }

export class Areas {
  private readonly streets: StreetName[] = [];
  private readonly districts: DistrictName[];
  /** The largest first: they keep their names where there is no room for all. */
  private readonly venueList: Place<VenueFacts>[];

  constructor(private readonly store: Store, atlas: Atlas) {
    for (const { points, facts } of atlas.links.values()) {
      const [a, b] = [points.at(0), points.at(-1)];
      if (a && b && facts.road) this.streets.push({ text: facts.road, a: mercator(...a), b: mercator(...b), middle: mercator(...halfWay(points)), length_m: facts.length_m });
    }
    this.streets.sort((p, q) => q.length_m - p.length_m);
    this.venueList = [...atlas.venues].sort((p, q) => q.facts.capacity - p.facts.capacity);
    this.districts = atlas.city.districts.flatMap((d) => {
      const mine = [...atlas.junctions.values()].filter((j) => j.facts.district === d.id).map((j) => j.at);
      return mine.length === 0 ? [] : [{ zh: d.name, en: d.name_en, at: mercator(...middle(mine)) }];
    });
  }

  drawGround(ctx: CanvasRenderingContext2D, s: Sight): void {
    const { layers, atlas } = this.store;
    if (layers.grids && atlas) this.grids(ctx, s, atlas);
  }

  drawWords(ctx: CanvasRenderingContext2D, s: Sight): void {
    const { layers } = this.store;
    const taken: Rect[] = [];
    this.venues(ctx, s, taken);
    if (layers.names && s.zoom >= 13.5) this.streetNames(ctx, s, taken);
    else if (layers.names) for (const d of this.districts) this.districtName(ctx, s, d);
  }

  private districtName(ctx: CanvasRenderingContext2D, s: Sight, d: DistrictName): void {
    const text = this.store.lang === "zh" ? [...d.zh].join("\u2006") : d.en;
    label(ctx, text, d.at[0] * s.scale - s.left, d.at[1] * s.scale - s.top, "center", "#eef4f9", s.zoom < 12 ? 12 : 14.5);
  }

  /** Grids, tinted where a call is open or no unit is free. */
  private grids(ctx: CanvasRenderingContext2D, s: Sight, atlas: Atlas): void {
    const { calls, units } = this.store.board;
    const free = [...units.values()].filter(isAvailable);
    ctx.lineWidth = 1;
    ctx.font = `500 10px ${FONT}`;
    ctx.textAlign = "left";
    ctx.textBaseline = "top";
    for (const { ring, facts } of atlas.grids) {
      const box = bounds(ring);
      const [x0, y0] = place(s, box[0], box[3]);
      const [x1, y1] = place(s, box[2], box[1]);
      if (x1 < 0 || y1 < 0 || x0 > s.width || y0 > s.height) continue;
      const open = count(calls.values(), (c: CallRow) => within(box, c.lon, c.lat));
      const uncovered = units.size > 0 && !free.some((u) => within(box, u.lon, u.lat));
      ctx.fillStyle = uncovered ? "#ff4f6d17" : open > 0 ? `rgba(134,183,255,${Math.min(0.05 + open * 0.035, 0.2)})` : "#00000000";
      ctx.fillRect(x0, y0, x1 - x0, y1 - y0);
      ctx.strokeStyle = uncovered ? "#ff4f6d3d" : "#7f9bb52e";
      ctx.strokeRect(x0 + 0.5, y0 + 0.5, x1 - x0, y1 - y0);
      if (x1 - x0 > 64) {
        ctx.fillStyle = "#8ea3b599";
        ctx.fillText(facts.name, x0 + 4, y0 + 4);
      }
    }
  }

  /** The venue whose mark lies under a point of the canvas. */
  at(x: number, y: number, s: Sight, reach: number): number | null {
    let [found, least]: [number | null, number] = [null, reach + 6];
    for (const { at: [px, py], facts } of this.venuesIn(s)) {
      const far = Math.hypot(px - x, py - y);
      if (far <= least) [found, least] = [facts.id, far];
    }
    return found;
  }

  /** Those with a surge whatever layers are shown, and last, so that they lie over the others. */
  private venuesIn(s: Sight): { at: [number, number]; facts: VenueFacts; crowd: CrowdNow | undefined }[] {
    const { layers, board, selection } = this.store;
    const all = this.venueList.map(({ at, facts }) => ({ at: place(s, ...at), facts, crowd: board.crowds.get(facts.id) }));
    const chosen = (id: number): boolean => selection?.kind === "venue" && selection.id === id;
    const shown = all.filter(({ at: [x, y], facts, crowd }) => (layers.venues || crowd?.surge || chosen(facts.id)) && x > -20 && y > -20 && x < s.width + 20 && y < s.height + 20);
    return shown.sort((a, b) => Number(a.crowd?.surge ?? false) - Number(b.crowd?.surge ?? false));
  }

  private venues(ctx: CanvasRenderingContext2D, s: Sight, taken: Rect[]): void {
    const seen = this.venuesIn(s);
    for (const { at: [x, y], crowd } of seen) {
      if (crowd?.surge) {
        ctx.strokeStyle = SURGE;
        ctx.lineWidth = 2;
        ctx.beginPath();
        ctx.arc(x, y, 10, 0, 2 * Math.PI);
        ctx.stroke();
      }
      ctx.fillStyle = crowd?.surge ? SURGE : VENUE;
      ctx.strokeStyle = "#0b1016";
      ctx.lineWidth = 2;
      ctx.beginPath();
      ctx.roundRect(x - 4.5, y - 4.5, 9, 9, 2.5);
      ctx.stroke();
      ctx.fill();
      taken.push({ left: x - 5, top: y - 5, right: x + 5, bottom: y + 5 });
    }
    for (const { at: [x, y], facts, crowd } of [...seen].reverse()) {
      if (s.zoom < VENUE_NAMES && !crowd?.surge) continue;
      const text = crowd?.people === undefined || crowd.people === null ? facts.name : `${facts.name} ${figure(crowd.people)}`;
      const wide = measure(ctx, text, 11);
      const beside = crowd?.surge ? 14 : 9;
      if (claim(taken, { left: x + 7, top: y - 8, right: x + beside + wide + 3, bottom: y + 8 })) label(ctx, text, x + beside, y, "left", crowd?.surge ? "#ffd2a1" : "#d9c5ff", 11);
    }
  }

  /** Names beside the longest links, where units do not stand, none over another. */
  private streetNames(ctx: CanvasRenderingContext2D, s: Sight, taken: Rect[]): void {
    const shown = new Map<string, [number, number][]>();
    const beside = 9 + 2.2 * Math.max(s.zoom - 13, 0) ** 1.4;
    for (const street of this.streets) {
      if (street.length_m * (s.scale / 34_000_000) < street.text.length * 12) continue;
      const [ax, ay] = [street.a[0] * s.scale - s.left, street.a[1] * s.scale - s.top];
      const [bx, by] = [street.b[0] * s.scale - s.left, street.b[1] * s.scale - s.top];
      let turn = Math.atan2(by - ay, bx - ax);
      if (Math.abs(turn) > Math.PI / 2) turn += Math.PI; // never upside down
      const x = street.middle[0] * s.scale - s.left + Math.sin(turn) * beside;
      const y = street.middle[1] * s.scale - s.top - Math.cos(turn) * beside;
      if (x < 0 || y < 0 || x > s.width || y > s.height) continue;
      const same = shown.get(street.text) ?? [];
      if (same.some((p) => near(p, x, y, 420))) continue;
      const wide = measure(ctx, street.text, 11.5) + 4;
      if (Math.hypot(bx - ax, by - ay) < wide + 10) continue;
      const [dx, dy] = [Math.abs(Math.cos(turn)) * wide + Math.abs(Math.sin(turn)) * 16, Math.abs(Math.sin(turn)) * wide + Math.abs(Math.cos(turn)) * 16];
      if (!claim(taken, { left: x - dx / 2, top: y - dy / 2, right: x + dx / 2, bottom: y + dy / 2 })) continue;
      shown.set(street.text, [...same, [x, y]]);
      ctx.save();
      ctx.translate(x, y);
      ctx.rotate(turn);
      label(ctx, street.text, 0, 0, "center", "#dbe6ee", 11.5);
      ctx.restore();
    }
  }
}

/** From this zoom on venues have names. */
const VENUE_NAMES = 13.5;

function measure(ctx: CanvasRenderingContext2D, text: string, size: number): number {
  ctx.font = `500 ${size}px ${FONT}`;
  return ctx.measureText(text).width;
}

function label(ctx: CanvasRenderingContext2D, text: string, x: number, y: number, align: CanvasTextAlign, colour: string, size: number): void {
  ctx.font = `500 ${size}px ${FONT}`;
  ctx.textAlign = align;
  ctx.textBaseline = "middle";
  ctx.lineJoin = "round";
  ctx.lineWidth = 3.5;
  ctx.strokeStyle = "#0b1016d9";
  ctx.strokeText(text, x, y);
  ctx.fillStyle = colour;
  ctx.fillText(text, x, y);
}

/** The middle of a course, by its points. */
function halfWay(points: LonLat[]): LonLat {
  const at = (points.length - 1) / 2;
  const [p, q] = [points[Math.floor(at)]!, points[Math.ceil(at)]!];
  return [(p[0] + q[0]) / 2, (p[1] + q[1]) / 2];
}

type Box = [west: number, south: number, east: number, north: number];
const bounds = (ring: LonLat[]): Box => [
  Math.min(...ring.map((p) => p[0])), Math.min(...ring.map((p) => p[1])),
  Math.max(...ring.map((p) => p[0])), Math.max(...ring.map((p) => p[1])),
];
const within = (b: Box, lon: number, lat: number): boolean => lon >= b[0] && lon < b[2] && lat >= b[1] && lat < b[3];
const middle = (at: LonLat[]): LonLat => [mean(at.map((p) => p[0])), mean(at.map((p) => p[1]))];
const mean = (xs: number[]): number => xs.reduce((a, b) => a + b, 0) / xs.length;
const near = (p: [number, number], x: number, y: number, far: number): boolean => Math.hypot(p[0] - x, p[1] - y) < far;
const place = (s: Sight, lon: number, lat: number): [number, number] => {
  const [x, y] = mercator(lon, lat);
  return [x * s.scale - s.left, y * s.scale - s.top];
};
function count<T>(items: Iterable<T>, holds: (item: T) => boolean): number {
  let n = 0;
  for (const item of items) if (holds(item)) n += 1;
  return n;
}
