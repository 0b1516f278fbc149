import { afterEach, expect, test } from "vitest";
import { at, type Figures } from "../src/travel/api";
import { roadWords, speech, whyNot, word } from "../src/travel/say";
import { STRINGS } from "../src/travel/strings";
import { offered } from "../src/travel/trip";

afterEach(() => void (speech.lang = "zh"));

test("every string of the travellers' page is there in both languages, with the same holes", () => {
  const holes = (s: string): string[] => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!).sort();
  for (const [key, [zh, en]] of Object.entries(STRINGS)) {
    expect(zh.length * en.length, key).toBeGreaterThan(0);
    expect(holes(zh), key).toEqual(holes(en));
    if (!["lang_switch", "range", "picked"].includes(key)) expect(zh, key).toMatch(/\p{Script=Han}/u);
    if (key !== "lang_switch") expect(en, key).not.toMatch(/\p{Script=Han}/u);
  }
});

test("every word of the server has a translation", () => {
  const words = {
    head: ["n", "ne", "e", "se", "s", "sw", "w", "nw"], level: [0, 1, 2, 3, 4, 5, "none"], kind: ["collision", "congestion", "congestion_expected"],
    err: ["too_far", "no_way", "too_many_requests", "starting", "busy", "network"],
  };
  for (const [prefix, list] of Object.entries(words)) for (const bare of list) expect(Object.hasOwn(STRINGS, `${prefix}_${bare}`), `${prefix}_${bare}`).toBe(true);
});

test("a road with its direction, and a refusal, in words", () => {
  expect(roadWords("北京路", "ne")).toBe("北京路向东北");
  expect(roadWords("", null)).toBe("无名道路");
  speech.lang = "en";
  expect(roadWords("北京路", "ne")).toBe("北京路 north-eastbound");
  expect(whyNot("too_far")).toContain("too far");
  expect(whyNot("too_warm")).toBe("The server refused: too warm.");
  expect(word("kind", "congestion_expected", { n: 15 })).toBe("Congestion expected within 15 min");
  expect(word("kind", "land_slide")).toBe("land slide");
});

test("a road's figures now and ahead, or nothing where nothing is known", () => {
  const figures: Figures = {
    length_m: 900, level: 2, speed_kmh: 31, congested: 0, seen: 1, expected: [{ in_min: 30, speed_kmh: 20, low_kmh: 15, high_kmh: 25, level: 4, congested: 0.6 }],
  };
  expect(at(figures, 0)).toEqual({ level: 2, speed_kmh: 31, range: null });
  expect(at(figures, 30)).toEqual({ level: 4, speed_kmh: 20, range: [15, 25] });
  expect(at(figures, 60)).toBeNull();
  expect(at({ ...figures, level: null, speed_kmh: null }, 0)).toBeNull();
});

test("places are offered by a part of their name, venues first", () => {
  const city = { venues: [{ name: "北京路体育馆", at: [1, 2] as [number, number] }] };
  const roads = ["北京路", "南京路"].map((name) => ({ name, at: [3, 4] as [number, number] }));
  expect(offered("北京", city, roads).map((o) => [o.name, o.kind])).toEqual([["北京路体育馆", "venue"], ["北京路", "road"]]);
  expect(offered(" ", city, roads)).toEqual([]);
  expect(offered("京路", city, null)).toHaveLength(1);
});
