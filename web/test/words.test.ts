import { afterEach, expect, test } from "vitest";
import { ApiError, CATEGORIES, FIGURE_KEYS, PRIORITIES, type JunctionDetail } from "../src/api";
import { firstLang, isKey, say, word } from "../src/i18n";
import { heading, isCode, nameIndex } from "../src/names";
import { stageInWords } from "../src/stages";
import { store, type Atlas } from "../src/store";
import { STRINGS, type Key } from "../src/strings";
import { whyNot, whyStage } from "../src/words";

afterEach(() => void (store.lang = "en"));

test("every string is there in both languages, with the same holes", () => {
  const holes = (s: string): string[] => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!).sort();
  for (const [key, [zh, en]] of Object.entries(STRINGS)) {
    if (!key.startsWith("unit_")) expect(zh.length * en.length, key).toBeGreaterThan(0);
    expect(holes(zh), key).toEqual(holes(en));
    if (!["unit_mean_speed_kmh", "lang_switch"].includes(key)) expect(zh, key).toMatch(/\p{Script=Han}/u);
    if (key !== "lang_switch") expect(en, key).not.toMatch(/\p{Script=Han}/u);
  }
});

test("every word of the server has a translation", () => {
  const words = {
    phase: ["waiting", "assigned", "accepted", "arrived", "closed", "cancelled"], priority: PRIORITIES, category: CATEGORIES,
    status: ["ready", "turned_out", "on_the_way", "on_scene", "returning", "stationed", "off_duty"], interval: ["green", "yellow", "all_red"],
    reason: ["start", "pressure", "min_green", "max_red", "max_green", "plan", "not_worth", "idle"], turn: ["through", "left", "right", "u_turn"],
    why: ["start", "pressure", "min_green", "max_red", "max_green", "plan", "not_worth", "idle", "nearest", "least_total", "after_decline", "after_silence", "after_loss"],
    channel: ["phone", "wechat", "app", "desk"], fig: FIGURE_KEYS, unit: FIGURE_KEYS, err: ["outside_city", "out_of_range", "malformed", "duplicate_call", "network"],
  };
  for (const [prefix, list] of Object.entries(words)) for (const bare of list) expect(isKey(`${prefix}_${bare}`), `${prefix}_${bare}`).toBe(true);
});

test("the language: the address, then the last choice, then the browser", () => {
  expect(firstLang("?lang=zh", "en", "en-US")).toBe("zh");
  expect(firstLang("?lang=xx", "zh", "en-US")).toBe("zh");
  expect(firstLang("", null, "zh-CN")).toBe("zh");
  expect(firstLang("", null, "de")).toBe("en");
});

test("holes are filled, and unknown words are shown as they came", () => {
  expect(say("en", "onset_in" as Key, { n: 15 })).toBe("in 15 min");
  expect(word("phase", "on_hold")).toBe("on hold");
});

const junction = (more: Partial<JunctionDetail>): JunctionDetail => ({
  id: 1, name: "n1_1", stage: 0, wanted: 0, interval: "green", since_ms: 0, lamps: "Gr", reason: "pressure", scores: [14.2, 9.1],
  stages: [{ name: "north-south through", lights: "Gr", min_green_s: 15, max_green_s: 60 }, { name: "east-west through", lights: "rG", min_green_s: 15, max_green_s: 60 }],
  heads: [], ...more,
});

test("why a stage, in words that name numbers", () => {
  expect(whyStage(junction({}))).toBe("“north-south through” has the greatest pressure: 14.2 vehicles, against 9.1 for the next.");
  expect(whyStage(junction({ wanted: 1, scores: [1, 9] }))).toContain("“north-south through” is still in force");
  expect(whyStage(junction({ reason: "min_green", wanted: 1 }))).toContain("15 s");
  store.lang = "zh";
  expect(whyStage(junction({ reason: "max_red" }))).toContain("“南北直行”必须放行");
});

test("stage names in Chinese", () => {
  expect(["north-south through", "west-east left", "north-west alone", "south", "north-east-south-west through", "Stage 3"].map((s) => stageInWords(s, "zh")))
    .toEqual(["南北直行", "东西左转", "西北单放", "南放行", "东北—西南直行", "Stage 3"]);
  expect(stageInWords("north-south left", "en")).toBe("north-south left");
});

test("a refusal in words, with the server's advice", () => {
  expect(whyNot(new ApiError("outside_city", "Bounds: 1, 2.", 422))).toBe("This place lies outside every patrol grid. Bounds: 1, 2.");
  expect(whyNot(new ApiError("too_warm", "", 422))).toBe("The server refused: too warm.");
  expect(whyNot(new ApiError("network", "TypeError: fetch", 0))).not.toContain("TypeError");
});

test("junctions and links with codes are named by their streets", () => {
  const link = (id: number, road: string, a: [number, number], b: [number, number]) => [id, { points: [a, b], facts: { id, name: `n${id}-n9`, road, lanes: 2, length_m: 500, free_kmh: 50, district: 0 } }] as const;
  const atlas = {
    links: new Map([link(0, "北京路", [106.7, 26.6], [106.71, 26.6]), link(1, "中华路", [106.71, 26.61], [106.71, 26.6])]),
    junctions: new Map([[4, { at: [106.71, 26.6], facts: { id: 4, name: "n1_2", district: 0, stages: [] } }], [5, { at: [106.8, 26.7], facts: { id: 5, name: "喷水池", district: 0, stages: [] } }]]),
  } as unknown as Atlas;
  const names = nameIndex(atlas);
  expect(names.junction(4)).toBe("北京路 / 中华路");
  expect(names.junction(5)).toBe("喷水池");
  expect(names.link(0)).toBe("北京路 eastbound, to 中华路");
  expect(heading({ points: [[0, 0], [-1, 1]] })).toBe("bound_nw");
  expect([isCode("n3_4-n3_5"), isCode("C"), isCode("喷水池"), isCode("Main Street 4")]).toEqual([true, false, false, false]);
});
