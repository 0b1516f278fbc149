/** The map: streets, the unit itself, and where it has to go. */
import * as L from "leaflet";
import "leaflet/dist/leaflet.css";
import type { Features, LonLat } from "../api";
import { CanvasLayer } from "../map/canvas";
import { Network } from "../map/network";
import { mercator, type Sight } from "../map/project";
import { DAY } from "../travel/colours";

export type Streets = Features<LonLat[], { id: number; name: string; road: string; lanes: number; length_m: number; free_kmh: number; district: number }>;
export interface Shown { here: LonLat | null; tasks: { at: LonLat; priority: string }[] }

const HERE = "#1b4fd6";
const PRIORITY: Record<string, string> = { A: "#b3261e", B: "#b26a00", C: "#3d5a80" };

export class TerminalMap {
  private readonly leaflet: L.Map;
  private readonly layer: CanvasLayer;
  private readonly network: Network;
  private shown: Shown = { here: null, tasks: [] };
  private fitted = true;
  /** What a tap does. */
  tapped: (at: LonLat) => void = () => undefined;

  constructor(box: HTMLElement, private readonly bounds: [number, number, number, number], streets: Streets) {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.leaflet = L.map(box, { zoomControl: false, attributionControl: false, zoomSnap: 0.05, minZoom: 9, maxZoom: 18, zoomAnimation: !calm, fadeAnimation: false, inertia: !calm });
    this.network = new Network(streets.features.map((f) => ({ points: f.geometry.coordinates, facts: f.properties })), DAY);
    this.fit();
    this.layer = new CanvasLayer((ctx, sight) => this.draw(ctx, sight), "overlayPane").addTo(this.leaflet);
    this.leaflet.on("click", (e) => this.tapped([Math.round(e.latlng.lng * 1e5) / 1e5, Math.round(e.latlng.lat * 1e5) / 1e5]));
    this.leaflet.on("dragstart", () => void (this.fitted = false));
    new ResizeObserver(() => {
      this.leaflet.invalidateSize({ pan: false });
      if (this.fitted) this.fit();
    }).observe(box);
  }

  show(shown: Shown): void {
    const went = JSON.stringify(shown.tasks) !== JSON.stringify(this.shown.tasks) || (shown.here === null) !== (this.shown.here === null);
    this.shown = shown;
    if (went) this.fit();
    this.layer.redraw();
  }

  /** The unit and where it has to go; without a task the whole city. */
  fit(whole = false): void {
    this.fitted = true;
    const { here, tasks } = this.shown;
    const spots = tasks.length > 0 && !whole ? [...tasks.map((task) => task.at), ...(here ? [here] : [])] : [];
    const [w, s, e, n] = this.bounds;
    const box = spots.length > 0 ? L.latLngBounds(spots.map(([lon, lat]) => [lat, lon])) : L.latLngBounds([[s, w], [n, e]]);
    this.leaflet.fitBounds(box, { padding: [34, 34], maxZoom: 15.5, animate: false });
  }

  private draw(ctx: CanvasRenderingContext2D, sight: Sight): void {
    this.network.draw(ctx, sight, () => undefined, null);
    const spot = ([lon, lat]: LonLat): [number, number] => {
      const [x, y] = mercator(lon, lat);
      return [x * sight.scale - sight.left, y * sight.scale - sight.top];
    };
    const { here, tasks } = this.shown;
    for (const task of tasks) {
      if (here) line(ctx, spot(here), spot(task.at));
      pin(ctx, spot(task.at), PRIORITY[task.priority] ?? HERE, task.priority);
    }
    if (here) disc(ctx, spot(here));
  }
}

function line(ctx: CanvasRenderingContext2D, from: [number, number], to: [number, number]): void {
  ctx.setLineDash([7, 7]);
  ctx.strokeStyle = HERE;
  ctx.lineWidth = 2.5;
  ctx.beginPath();
  ctx.moveTo(...from);
  ctx.lineTo(...to);
  ctx.stroke();
  ctx.setLineDash([]);
}

function disc(ctx: CanvasRenderingContext2D, [x, y]: [number, number]): void {
  for (const [radius, colour] of [[16, "#1b4fd633"], [9, "#ffffff"], [6.5, HERE]] as const) {
    ctx.beginPath();
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
    ctx.fillStyle = colour;
    ctx.fill();
  }
}

function pin(ctx: CanvasRenderingContext2D, [x, y]: [number, number], colour: string, letter: string): void {
  ctx.beginPath();
  ctx.arc(x, y - 20, 13, 0.75 * Math.PI, 2.25 * Math.PI);
  ctx.lineTo(x, y);
  ctx.closePath();
  ctx.fillStyle = colour;
  ctx.strokeStyle = "#ffffff";
  ctx.lineWidth = 2.5;
  ctx.lineJoin = "round";
  ctx.stroke();
  ctx.fill();
  ctx.fillStyle = "#ffffff";
  ctx.font = "bold 14px sans-serif";
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(letter, x, y - 19.5);
}
