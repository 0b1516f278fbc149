/** Where the terminal is: by the phone, or where somebody tapped while the phone says nothing. */
import type { LonLat } from "../api";

export interface Place { at: LonLat; by: "gps" | "tapped" }

/** A position of the phone is good for so long, ms. */
const FRESH_MS = 60_000;

export class Places {
  private gps: { at: LonLat; when: number } | null = null;
  private tap: LonLat | null = null;
  private readonly watch: number | null = null;

  constructor(private readonly changed: () => void) {
    if (!("geolocation" in navigator)) return;
    this.watch = navigator.geolocation.watchPosition(
      ({ coords }) => {
        this.gps = { at: [coords.longitude, coords.latitude], when: Date.now() };
        this.changed();
      },
      () => this.changed(), // not allowed, or not found: then one taps
      { enableHighAccuracy: true, maximumAge: 10_000 },
    );
  }

  tapped(at: LonLat): void {
    this.tap = at;
    this.changed();
  }

  now(): Place | null {
    if (this.gps && Date.now() - this.gps.when < FRESH_MS) return { at: this.gps.at, by: "gps" };
    if (this.tap) return { at: this.tap, by: "tapped" };
    return this.gps && { at: this.gps.at, by: "gps" };
  }

  end(): void {
    if (this.watch !== null) navigator.geolocation.clearWatch(this.watch);
  }
}
