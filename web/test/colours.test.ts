import { expect, test } from "vitest";
import { decider, INTERVALS, levelColour, LEVELS, PRIORITIES, UNKNOWN_LEVEL } from "../src/colours";
import { GROUND, LEVELS as DAY_LEVELS, UNKNOWN } from "../src/travel/colours";

type Rgb = [number, number, number];
/** Machado, Oliveira & Fernandes 2009, severity 1.0, on linear RGB. */
const EYES: Record<string, Rgb[]> = {
  usual: [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
  protan: [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
  deutan: [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
  tritan: [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
};
const linear = (c: number): number => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
const rgb = (hex: string): Rgb => [1, 3, 5].map((i) => linear(parseInt(hex.slice(i, i + 2), 16) / 255)) as Rgb;
const times = (m: Rgb[], v: Rgb): Rgb => m.map((row) => Math.max(0, Math.min(1, row[0] * v[0] + row[1] * v[1] + row[2] * v[2]))) as Rgb;
function lab(v: Rgb): Rgb {
  const xyz = times([[0.4124 / 0.9505, 0.3576 / 0.9505, 0.1805 / 0.9505], [0.2126, 0.7152, 0.0722], [0.0193 / 1.089, 0.1192 / 1.089, 0.9505 / 1.089]], v);
  const [x, y, z] = xyz.map((t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * t + 16 / 116)) as Rgb;
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
const apart = (a: string, b: string, eye: Rgb[]): number => Math.hypot(...lab(times(eye, rgb(a))).map((v, i) => v - lab(times(eye, rgb(b)))[i]!));

test.each(Object.entries(EYES))("levels of service stay apart for %s eyes", (_, eye) => {
  const all = Object.values(LEVELS);
  all.forEach((a, i) => all.slice(i + 1).forEach((b) => expect(apart(a, b, eye), `${a} ${b}`).toBeGreaterThan(16)));
  all.forEach((a) => expect(apart(a, "#18212b", eye), `${a} on the road`).toBeGreaterThan(18));
});

test.each(Object.entries(EYES))("what travellers see of levels stays apart for %s eyes", (_, eye) => {
  const all = [...new Set<string>(DAY_LEVELS), UNKNOWN];
  all.forEach((a, i) => all.slice(i + 1).forEach((b) => expect(apart(a, b, eye), `${a} ${b}`).toBeGreaterThan(14)));
  all.forEach((a) => expect(apart(a, GROUND, eye), `${a} on the ground`).toBeGreaterThan(14));
});

test.each(Object.entries(EYES))("signal intervals and priorities stay apart for %s eyes", (_, eye) => {
  for (const set of [[...INTERVALS], Object.values(PRIORITIES)])
    set.forEach((a, i) => set.slice(i + 1).forEach((b) => expect(apart(a, b, eye), `${a} ${b}`).toBeGreaterThan(14)));
});

test("an unknown level has the colour of nothing known", () => {
  expect(levelColour(undefined)).toBe(UNKNOWN_LEVEL);
  expect(levelColour(5)).toBe(LEVELS[5]);
});

test("who decided a stage", () => {
  expect(["pressure", "min_green", "idle", "max_red", "max_green", "plan", "local_plan", "start"].map(decider)).toEqual(["adaptive", "adaptive", "adaptive", "bound", "bound", "plan", "plan", "plan"]);
});
