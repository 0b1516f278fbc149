/** The map: streets by level, the way of a trip, incidents, and picking a place. */
import * as L from "leaflet";
import "leaflet/dist/leaflet.css";
import type { LonLat } from "../api";
import { CanvasLayer } from "../map/canvas";
import { Network } from "../map/network";
import { mercator, type Sight } from "../map/project";
import type { City, Congestion, Incident } from "./api";
import { DAY, INCIDENT, WAY } from "./colours";

/** What is shown on the streets. */
export interface Shown {
  levels: string;
  way: LonLat[] | null;
  ends: [from: LonLat | null, to: LonLat | null];
  incidents: Incident[];
  link: number | null;
}

/** Room for what lies over the map. */
const CLEAR = { paddingTopLeft: [10, 54], paddingBottomRight: [10, 44] } satisfies L.FitBoundsOptions;
/** A street is hit from so far, px. */
const REACH = 14;

export class TravelMap {
  private readonly leaflet: L.Map;
  private readonly layer: CanvasLayer;
  private readonly network: Network;
  private readonly roads: Map<number, string>;
  private shown: Shown = { levels: "", way: null, ends: [null, null], incidents: [], link: null };
  private fitted = true;
  /** What a tap does: with a place, and the road there if there is one. */
  tapped: (at: LonLat, road: string | null) => void = () => undefined;

  constructor(box: HTMLElement, private readonly city: City, streets: Congestion) {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.leaflet = L.map(box, {
      zoomControl: false, attributionControl: false, zoomSnap: 0.05, minZoom: 9, maxZoom: 18, zoomAnimation: !calm, fadeAnimation: false,
      inertia: !calm,
    });
    L.control.scale({ imperial: false, position: "bottomleft", maxWidth: 90 }).addTo(this.leaflet);
    this.roads = new Map(streets.features.map((f) => [f.properties.id, f.properties.road]));
    this.network = new Network(streets.features.map((f) => ({
      points: f.geometry.coordinates, facts: { ...f.properties, name: "", length_m: 0, free_kmh: 0, district: 0 },
    })), DAY);
    this.whole();
    this.layer = new CanvasLayer((ctx, sight) => this.draw(ctx, sight), "overlayPane").addTo(this.leaflet);
    this.leaflet.on("click", (e) => this.tap(e));
    this.leaflet.on("dragstart", () => void (this.fitted = false));
    box.addEventListener("wheel", () => void (this.fitted = false), { passive: true });
    box.addEventListener("touchstart", (e) => e.touches.length > 1 && void (this.fitted = false), { passive: true });
    new ResizeObserver(() => {
      this.leaflet.invalidateSize({ pan: false });
      if (this.fitted) this.whole();
    }).observe(box);
  }

  show(patch: Partial<Shown>): void {
    Object.assign(this.shown, patch);
    this.layer.redraw();
  }

  /** The whole city. */
  whole(): void {
    this.fitted = true;
    const [w, s, e, n] = this.city.bounds;
    this.leaflet.fitBounds([[s, w], [n, e]], { ...CLEAR, animate: false });
  }

  /** Brings a course into sight. */
  fit(course: LonLat[]): void {
    if (course.length === 0) return;
    this.fitted = false;
    this.leaflet.fitBounds(L.latLngBounds(course.map(([lon, lat]) => [lat, lon])), { paddingTopLeft: [28, 66], paddingBottomRight: [28, 58], maxZoom: 15.5 });
  }

  private tap(event: L.LeafletMouseEvent): void {
    const bounds = this.leaflet.getPixelBounds();
    const zoom = this.leaflet.getZoom();
    const size = this.leaflet.getSize();
    const sight: Sight = { zoom, scale: 256 * 2 ** zoom, left: bounds.min?.x ?? 0, top: bounds.min?.y ?? 0, width: size.x, height: size.y };
    const link = this.network.at(event.containerPoint.x, event.containerPoint.y, sight, REACH);
    const five = (degrees: number): number => Math.round(degrees * 1e5) / 1e5;
    this.tapped([five(event.latlng.lng), five(event.latlng.lat)], link === null ? null : this.roads.get(link) || null);
  }

  private draw(ctx: CanvasRenderingContext2D, sight: Sight): void {
    const { levels, way, ends, incidents, link } = this.shown;
    const levelOf = (id: number): number | undefined => (/[0-5]/.test(levels[id] ?? "") ? Number(levels[id]) : undefined);
    ctx.globalAlpha = way ? 0.45 : 1;
    this.network.draw(ctx, sight, levelOf, link);
    ctx.globalAlpha = 1;
    const spot = ([lon, lat]: LonLat): [number, number] => {
      const [x, y] = mercator(lon, lat);
      return [x * sight.scale - sight.left, y * sight.scale - sight.top];
    };
    if (way) for (const [colour, width] of [[WAY.border, 9], [WAY.line, 5]] as const) {
      ctx.strokeStyle = colour;
      ctx.lineWidth = width;
      ctx.lineJoin = ctx.lineCap = "round";
      ctx.beginPath();
      way.forEach((at, i) => (i === 0 ? ctx.moveTo(...spot(at)) : ctx.lineTo(...spot(at))));
      ctx.stroke();
    }
    for (const incident of incidents) if (incident.kind === "collision") triangle(ctx, spot(incident.at), INCIDENT["collision"]!);
    ends.forEach((at, i) => at && dot(ctx, spot(at), i === 0 ? WAY.from : WAY.to, i === 0 ? "A" : "B"));
  }
}

function dot(ctx: CanvasRenderingContext2D, [x, y]: [number, number], colour: string, letter: string): void {
  ctx.beginPath();
  ctx.arc(x, y, 11, 0, 2 * Math.PI);
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.lineWidth = 2.5;
  ctx.strokeStyle = "#ffffff";
  ctx.stroke();
  ctx.fillStyle = "#ffffff";
  ctx.font = "bold 12px sans-serif";
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  ctx.fillText(letter, x, y + 0.5);
}

function triangle(ctx: CanvasRenderingContext2D, [x, y]: [number, number], colour: string): void {
  ctx.beginPath();
  ctx.moveTo(x, y - 10);
  ctx.lineTo(x + 10, y + 8);
  ctx.lineTo(x - 10, y + 8);
  ctx.closePath();
  ctx.lineJoin = "round";
  ctx.lineWidth = 4;
  ctx.strokeStyle = "#ffffff";
  ctx.stroke();
  ctx.fillStyle = colour;
  ctx.fill();
  ctx.fillStyle = "#ffffff";
  ctx.fillRect(x - 1.2, y - 4, 2.4, 6);
  ctx.fillRect(x - 1.2, y + 3.6, 2.4, 2.4);
}
