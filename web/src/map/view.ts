/** The map: two canvases over Leaflet, what is under the pointer, and how to get somewhere. */
import * as L from "leaflet";
import "leaflet/dist/leaflet.css";
import { select, set, store, type Atlas, type Selection } from "../store";
import { Areas } from "./areas";
import { CanvasLayer } from "./canvas";
import { Marks, whereIs } from "./marks";
import { Network } from "./network";
import type { Sight } from "./project";
import { tipFor } from "./tip";

export class CityMap {
  readonly leaflet: L.Map;
  private readonly streets: CanvasLayer;
  private readonly things: CanvasLayer;
  private readonly network: Network;
  private readonly marks: Marks;
  private readonly tip = document.createElement("div");
  private hovered: Selection | null = null;

  constructor(box: HTMLElement, private readonly atlas: Atlas) {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.leaflet = L.map(box, {
      zoomControl: false, attributionControl: false, zoomSnap: 0.25, zoomDelta: 0.75, wheelPxPerZoomLevel: 90,
      minZoom: 10, maxZoom: 18, zoomAnimation: !calm, fadeAnimation: false, inertia: !calm, preferCanvas: true,
    });
    L.control.scale({ imperial: false, position: "topright", maxWidth: 90 }).addTo(this.leaflet);
    this.network = new Network(atlas.links.values());
    this.marks = new Marks(store);
    const areas = new Areas(store, atlas);
    this.whole();
    this.streets = new CanvasLayer((ctx, s) => {
      areas.drawGround(ctx, s);
      this.network.draw(ctx, s, levelOf, store.selection?.kind === "link" ? store.selection.id : null);
      areas.drawWords(ctx, s);
    }, "overlayPane").addTo(this.leaflet);
    this.things = new CanvasLayer((ctx, s) => this.marks.draw(ctx, s), "overlayPane").addTo(this.leaflet);
    this.tip.className = "tip";
    this.tip.hidden = true;
    box.append(this.tip);
    this.leaflet.on("click", (e) => this.click(e));
    this.leaflet.on("mousemove", (e) => this.hover(e));
    this.leaflet.on("mouseout", () => this.hide());
    this.leaflet.on("movestart zoomstart", () => this.hide());
    new ResizeObserver(() => this.leaflet.invalidateSize({ pan: false })).observe(box);
  }

  /** Draws what is known now. */
  redraw(): void {
    this.streets.redraw();
    this.things.redraw();
  }

  /** Milliseconds that the last drawing of streets and of things took. */
  get drawn_ms(): [number, number] {
    return [this.streets.drawn_ms, this.things.drawn_ms];
  }

  /** Shows the whole city. */
  whole(): void {
    const [w, s, e, n] = this.atlas.city.bounds;
    const phone = this.leaflet.getSize().x < 640;
    this.leaflet.fitBounds([[s, w], [n, e]], { paddingTopLeft: [6, phone ? 84 : 34], paddingBottomRight: [6, phone ? 110 : 22] });
  }

  /** Goes where a thing is, near enough to see it; stays when it is well in sight already. */
  goTo(selection: Selection, zoom = 14.5): void {
    const at = whereIs(store, selection);
    if (!at) return;
    const place = L.latLng(at[1], at[0]);
    const size = this.leaflet.getSize();
    const spot = this.leaflet.latLngToContainerPoint(place);
    // The panel lies over the right of the map, or over the lower part of a phone's page.
    const box = this.leaflet.getContainer().getBoundingClientRect();
    const [right, below] = size.x > 700 ? [380, 0] : [0, Math.max(box.bottom - window.innerHeight * 0.34, 0)];
    const seen = spot.x > 60 && spot.y > 60 && spot.x < size.x - right - 60 && spot.y < size.y - Math.max(below, 90) - 20;
    if (seen && this.leaflet.getZoom() >= zoom - 1) return;
    const to = Math.max(this.leaflet.getZoom(), zoom);
    const centre = this.leaflet.unproject(this.leaflet.project(place, to).add([right / 2, below / 2]), to);
    this.leaflet.setView(centre, to, { animate: true });
  }

  private sight(): Sight {
    const bounds = this.leaflet.getPixelBounds();
    const size = this.leaflet.getSize();
    const zoom = this.leaflet.getZoom();
    return { zoom, scale: 256 * 2 ** zoom, left: bounds.min?.x ?? 0, top: bounds.min?.y ?? 0, width: size.x, height: size.y };
  }

  private under({ x, y }: L.Point, touch: boolean): Selection | null {
    const sight = this.sight();
    const mark = this.marks.at(x, y, sight, touch ? 12 : 4);
    if (mark) return mark;
    const link = this.network.at(x, y, sight, touch ? 12 : 5);
    return link === null ? null : { kind: "link", id: link };
  }

  private click(event: L.LeafletMouseEvent): void {
    if (store.raising) {
      set({ raising: { place: [event.latlng.lng, event.latlng.lat] } });
      return;
    }
    const touch = (event.originalEvent as PointerEvent).pointerType === "touch";
    const found = this.under(event.containerPoint, touch);
    if (found) select(found);
  }

  private hover(event: L.LeafletMouseEvent): void {
    if (store.raising) return this.hide();
    this.hovered = this.under(event.containerPoint, false);
    const words = this.hovered && tipFor(this.hovered);
    this.leaflet.getContainer().classList.toggle("over", this.hovered !== null);
    if (!words) return this.hide();
    this.tip.replaceChildren(...words);
    this.tip.hidden = false;
    const size = this.leaflet.getSize();
    const { x, y } = event.containerPoint;
    this.tip.style.transform = `translate(${Math.min(x + 14, size.x - this.tip.offsetWidth - 8)}px, ${Math.min(y + 14, size.y - this.tip.offsetHeight - 8)}px)`;
  }

  private hide(): void {
    this.hovered = null;
    this.tip.hidden = true;
  }
}

/** The level that a link is drawn with: as it is now, or as it is expected to be. */
function levelOf(id: number): number | undefined {
  return store.lead_min > 0 && store.forecast ? store.forecast.byLink.get(id)?.[1] : store.board.links.get(id)?.level;
}
