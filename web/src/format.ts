/** How numbers, times and ages are written. Pure. */
import type { FigureKey, Figures } from "./api";
import type { Lang } from "./lang";

const GAP = "–";

/** Time of the city's day, hh:mm:ss or hh:mm. */
export function clock(time_ms: number, utc_offset_min: number, seconds = true): string {
  if (!Number.isFinite(time_ms) || time_ms <= 0) return seconds ? "--:--:--" : "--:--";
  return new Date(time_ms + utc_offset_min * 60_000).toISOString().slice(11, seconds ? 19 : 16);
}

/** Day in the city, for the clock. */
export function day(time_ms: number, utc_offset_min: number, lang: Lang): string {
  if (!Number.isFinite(time_ms) || time_ms <= 0) return "";
  return new Intl.DateTimeFormat(lang === "zh" ? "zh-CN" : "en-GB", { month: lang === "zh" ? "long" : "short", day: "numeric", weekday: "short", timeZone: "UTC" })
    .format(time_ms + utc_offset_min * 60_000);
}

/** An age or a length of time: 0:42, 12:05, 1:02:03. */
export function age(ms: number): string {
  if (!Number.isFinite(ms)) return GAP;
  const s = Math.max(0, Math.round(ms / 1000));
  const two = (n: number): string => String(n).padStart(2, "0");
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h > 0 ? `${h}:${two(m)}:${two(s % 60)}` : `${m}:${two(s % 60)}`;
}

/** A figure with as many digits as it bears: 4.2, 31.6, 1,204, 128k. */
export function figure(value: number | null | undefined, digits = 0): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return GAP;
  if (Math.abs(value) >= 1_000_000) return `${(value / 1e6).toFixed(2)}M`;
  if (Math.abs(value) >= 100_000) return `${(value / 1e3).toFixed(0)}k`;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export const percent = (share: number): string => `${Math.round(share * 100)}%`;
export const LEVEL_LETTERS = ["A", "B", "C", "D", "E", "F"] as const;
export const levelLetter = (level: number): string => LEVEL_LETTERS[level] ?? "?";

/** A place as people read it out: 26.58231, 106.71302 (lat, lon). */
export const place = (lon: number, lat: number): string => `${lat.toFixed(5)}, ${lon.toFixed(5)}`;

/** A call's number where there is little room: long ones (the simulator's) by their last digits. */
export const shortNumber = (call: number): string => (call < 1e8 ? String(call) : `…${String(call).slice(-6)}`);

/** Digits after the point that a figure is shown with. */
const FIGURE_DIGITS: Partial<Record<FigureKey, number>> = { mean_speed_kmh: 1, ack_p50_s: 1, tick_p99_ms: 1 };

/** A key figure as the page shows it. Sightings come for the hour and are told for the second: a vehicle passes many cameras. */
export function keyFigure(key: FigureKey, figures: Figures): string {
  const value = figures[key];
  return figure(key === "vehicles_h" && typeof value === "number" ? value / 3600 : value, FIGURE_DIGITS[key]);
}
