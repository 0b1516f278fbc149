/** The map: two canvases over Leaflet, what is under the pointer, and how to get somewhere. */
import * as L from "leaflet";
import "leaflet/dist/leaflet.css";
import type { LonLat } from "../api";
import { select, set, store, type Atlas, type Selection } from "../store";
import { Areas } from "./areas";
import { CanvasLayer } from "./canvas";
import { Marks, whereIs } from "./marks";
import { Network } from "./network";
import type { Sight } from "./project";
import { insets, type Insets, type Over } from "./room";
import { tipFor } from "./tip";

/** What lies over the map, and on which side of it. */
const TOOLS: Record<string, Over["side"]> = { ".tools": "top", ".bottom": "bottom" };
const ALL: Record<string, Over["side"]> = { ...TOOLS, ".panel": "right" };
/** What is shown stays so far from every edge, px. */
const EDGE = 48;
/** Room to show something in, px. */
const LEAST = 2.5 * EDGE;

export class CityMap {
  readonly leaflet: L.Map;
  private readonly streets: CanvasLayer;
  private readonly things: CanvasLayer;
  private readonly network: Network;
  private readonly marks: Marks;
  private readonly areas: Areas;
  private readonly tip = document.createElement("div");
  private hovered: Selection | null = null;
  /** Whether the whole city is shown, and nobody has moved the map since. */
  private fitted = false;

  constructor(box: HTMLElement, private readonly atlas: Atlas) {
    const calm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    this.leaflet = L.map(box, {
      zoomControl: false, attributionControl: false, zoomSnap: 0.25, zoomDelta: 0.75, wheelPxPerZoomLevel: 90,
      minZoom: 10, maxZoom: 18, zoomAnimation: !calm, fadeAnimation: false, inertia: !calm, preferCanvas: true,
    });
    L.control.scale({ imperial: false, position: "bottomleft", maxWidth: 90 }).addTo(this.leaflet);
    this.network = new Network(atlas.links.values());
    this.marks = new Marks(store);
    this.areas = new Areas(store, atlas);
    this.makeRoom();
    this.whole();
    this.streets = new CanvasLayer((ctx, s) => {
      this.areas.drawGround(ctx, s);
      this.network.draw(ctx, s, levelOf, store.selection?.kind === "link" ? store.selection.id : null);
      this.areas.drawWords(ctx, s);
    }, "overlayPane").addTo(this.leaflet);
    this.things = new CanvasLayer((ctx, s) => this.marks.draw(ctx, s), "overlayPane").addTo(this.leaflet);
    this.tip.className = "tip";
    this.tip.hidden = true;
    box.append(this.tip);
    this.leaflet.on("click", (e) => this.click(e));
    this.leaflet.on("mousemove", (e) => this.hover(e));
    this.leaflet.on("mouseout", () => this.hide());
    this.leaflet.on("movestart zoomstart", () => this.hide());
    const moved = (): void => void (this.fitted = false);
    this.leaflet.on("dragstart boxzoomend", moved);
    for (const by of ["wheel", "keydown", "dblclick"]) box.addEventListener(by, moved, { passive: true });
    box.addEventListener("touchstart", (e) => e.touches.length > 1 && moved(), { passive: true });
    const watch = new ResizeObserver(() => this.makeRoom());
    for (const element of [box, ...document.querySelectorAll(Object.keys(TOOLS).join())]) watch.observe(element);
  }

  /** Tells the style sheets how far tools and slider reach over the map, and fits the city between them. */
  private makeRoom(): void {
    this.leaflet.invalidateSize({ pan: false });
    const { top, bottom } = this.covered(TOOLS);
    const main = this.leaflet.getContainer().closest("main");
    main?.style.setProperty("--above", `${top}px`);
    main?.style.setProperty("--below", `${bottom}px`);
    if (this.fitted) this.whole();
  }

  private covered(by: Record<string, Over["side"]>): Insets {
    const over = Object.entries(by).flatMap(([name, side]) =>
      [...document.querySelectorAll(name)].map((element): Over => ({ side, rect: element.getBoundingClientRect() })));
    const found = insets(this.leaflet.getContainer().getBoundingClientRect(), over);
    const size = this.leaflet.getSize();
    const bare = by === TOOLS || (size.x - found.left - found.right > LEAST && size.y - found.top - found.bottom > LEAST);
    return bare ? found : this.covered(TOOLS); // a panel over all of the map leaves no better place than the middle
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

  /** Shows the whole city, clear of what lies over the map. */
  whole(): void {
    const [w, s, e, n] = this.atlas.city.bounds;
    const { top, right, bottom, left } = this.covered(ALL);
    this.leaflet.fitBounds([[s, w], [n, e]], { paddingTopLeft: [left + 6, top + 6], paddingBottomRight: [right + 6, bottom + 6] });
    this.fitted = true;
  }

  /** Makes room for a panel that came, and shows what it is about; takes the room back when it has gone. */
  settle(): void {
    const { selection, raising } = store;
    if (selection || raising) this.leaflet.getContainer().scrollIntoView({ block: "start" }); // a narrow page scrolls
    if (this.fitted && selection?.near === undefined) return this.whole();
    const at = selection && whereIs(store, selection);
    if (at) this.show(at, selection.near);
  }

  /** Brings a place into sight, at a zoom near enough where one is asked for; stays when it is well in sight already. */
  show([lon, lat]: LonLat, near?: number): void {
    const [map, place] = [this.leaflet, L.latLng(lat, lon)];
    const { top, right, bottom, left } = this.covered(ALL);
    const [size, spot] = [map.getSize(), map.latLngToContainerPoint(place)];
    const seen = spot.x > left + EDGE && spot.y > top + EDGE && spot.x < size.x - right - EDGE && spot.y < size.y - bottom - EDGE;
    const to = Math.max(map.getZoom(), near ?? 0);
    if (seen && map.getZoom() >= to - 1) return;
    this.fitted = false;
    const centre = map.project(place, to).add([(right - left) / 2, (bottom - top) / 2]);
    map.setView(map.unproject(centre, to), to, { animate: true });
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
    const venue = this.areas.at(x, y, sight, touch ? 12 : 4);
    if (venue !== null) return { kind: "venue", id: venue };
    const link = this.network.at(x, y, sight, touch ? 12 : 5);
    return link === null ? null : { kind: "link", id: link };
  }

  private click(event: L.LeafletMouseEvent): void {
    this.hide();
    if (store.picking) {
      set({ picking: { place: [event.latlng.lng, event.latlng.lat] } });
      return;
    }
    const touch = (event.originalEvent as PointerEvent).pointerType === "touch";
    const found = this.under(event.containerPoint, touch);
    if (found) select(found);
  }

  private hover(event: L.LeafletMouseEvent): void {
    if (store.picking) return this.hide();
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
