import { expect, test } from "vitest";
import { age, clock, day, figure, keyFigure, percent, place, shortNumber } from "../src/format";

test("clock of the city, not of the browser", () => {
  expect(clock(Date.UTC(2026, 0, 1, 16, 30, 5), 480)).toBe("00:30:05");
  expect(clock(Date.UTC(2026, 0, 1, 16, 30, 5), 480, false)).toBe("00:30");
  expect(clock(0, 480)).toBe("--:--:--");
  expect(day(Date.UTC(2026, 0, 1, 16, 30, 5), 480, "en")).toContain("2 Jan");
  expect(day(Date.UTC(2026, 0, 1, 16, 30, 5), 480, "zh")).toContain("1月2日");
});

test("ages", () => {
  expect([0, 42_000, 725_000, 3_723_000, -5, NaN].map(age)).toEqual(["0:00", "0:42", "12:05", "1:02:03", "0:00", "–"]);
});

test("figures", () => {
  expect([figure(4.24, 1), figure(1204), figure(128_400), figure(1_283_000), figure(null), figure(undefined), figure(NaN)]).toEqual(["4.2", "1,204", "128k", "1.28M", "–", "–", "–"]);
  expect(percent(0.456)).toBe("46%");
  expect(place(106.713017, 26.582314)).toBe("26.58231, 106.71302");
});

test("key figures: sightings for the second, a dash for what is unknown", () => {
  expect(keyFigure("vehicles_h", { vehicles_h: 12_140_000 })).toBe("3,372");
  expect(keyFigure("mean_speed_kmh", { mean_speed_kmh: 36.84 })).toBe("36.8");
  expect([keyFigure("vehicles_h", { vehicles_h: null }), keyFigure("mean_speed_kmh", {})]).toEqual(["–", "–"]);
});

test("long numbers of calls by their last digits", () => {
  expect([17, 1_234_567, 1_795_564_800_042].map(shortNumber)).toEqual(["17", "1234567", "…800042"]);
});
