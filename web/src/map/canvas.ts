/** A canvas that covers the map and is drawn by one function. Follows pans and zooms; knows nothing about what is drawn. */
import * as L from "leaflet";
import type { Sight } from "./project";

export type Draw = (ctx: CanvasRenderingContext2D, sight: Sight) => void;

/** How far the canvas reaches beyond the map on each side, so that a pan or zoom shows no bare edge. */
const MARGIN = 0.1;

export class CanvasLayer extends L.Layer {
  private canvas = document.createElement("canvas");
  private frame = 0;
  private corner = L.point(0, 0);
  /** Milliseconds that the last drawing took. */
  drawn_ms = 0;

  constructor(private readonly draw: Draw, pane: string) {
    super({ pane });
    this.canvas.className = "leaflet-zoom-animated sheet";
    this.canvas.setAttribute("aria-hidden", "true");
  }

  override onAdd(map: L.Map): this {
    map.getPane(this.options.pane ?? "overlayPane")?.append(this.canvas);
    this.redraw();
    return this;
  }

  override onRemove(): this {
    this.canvas.remove();
    return this;
  }

  override getEvents(): Record<string, L.LeafletEventHandlerFn> {
    return {
      move: () => this.redraw(),
      zoomend: () => this.redraw(),
      resize: () => this.redraw(),
      zoomanim: (event) => this.follow(event as L.ZoomAnimEvent),
    };
  }

  /** Asks for a drawing with the next frame. */
  redraw(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      if (this._map && !(this._map as unknown as { _animatingZoom?: boolean })._animatingZoom) this.paint();
    });
  }

  private paint(): void {
    const begun = performance.now();
    const size = this._map.getSize();
    const pad = size.multiplyBy(MARGIN).round();
    const full = size.add(pad.multiplyBy(2));
    this.corner = this._map.containerPointToLayerPoint(pad.multiplyBy(-1)).round();
    const dpr = Math.min(window.devicePixelRatio || 1, 2);
    if (this.canvas.width !== Math.round(full.x * dpr) || this.canvas.height !== Math.round(full.y * dpr)) {
      this.canvas.width = Math.round(full.x * dpr);
      this.canvas.height = Math.round(full.y * dpr);
      this.canvas.style.width = `${full.x}px`;
      this.canvas.style.height = `${full.y}px`;
    }
    L.DomUtil.setPosition(this.canvas, this.corner);
    const ctx = this.canvas.getContext("2d");
    if (!ctx) return;
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.clearRect(0, 0, full.x, full.y);
    const zoom = this._map.getZoom();
    const world = this._map.getPixelOrigin().add(this.corner);
    this.draw(ctx, { zoom, scale: 256 * 2 ** zoom, left: world.x, top: world.y, width: full.x, height: full.y });
    this.drawn_ms = performance.now() - begun;
  }

  /** Stretches the picture while Leaflet animates a zoom; it is drawn anew at the end. */
  private follow(event: L.ZoomAnimEvent): void {
    const map = this._map as unknown as { _latLngToNewLayerPoint(at: L.LatLng, zoom: number, centre: L.LatLng): L.Point };
    const scale = this._map.getZoomScale(event.zoom);
    const at = map._latLngToNewLayerPoint(this._map.layerPointToLatLng(this.corner), event.zoom, event.center);
    L.DomUtil.setTransform(this.canvas, at, scale);
  }
}
