import { afterEach, expect, test } from "vitest";
import { ApiError, CATEGORIES, FIGURE_KEYS, PRIORITIES, type JunctionDetail } from "../src/api";
import { readPlace } from "../src/panels/fields";
import { find } from "../src/parts/search";
import { firstLang, isKey, say, word } from "../src/i18n";
import { heading, isCode, nameIndex } from "../src/names";
import { stageInWords } from "../src/stages";
import { store, type Atlas } from "../src/store";
import { STRINGS, type Key } from "../src/strings";
import { recordWords, whyNot, whyStage } from "../src/words";

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
    status: ["ready", "turned_out", "on_the_way", "on_scene", "returning", "stationed", "off_duty", "silent"], interval: ["green", "yellow", "all_red"],
    reason: ["start", "pressure", "min_green", "max_red", "max_green", "plan", "local_plan", "not_worth", "idle", "preemption", "bus", "hold"], turn: ["through", "left", "right", "u_turn"],
    why: ["start", "pressure", "min_green", "max_red", "max_green", "plan", "local_plan", "not_worth", "idle", "preemption", "bus", "hold", "nearest", "least_total", "after_decline", "after_silence", "after_loss"],
    channel: ["phone", "wechat", "app", "desk"], fig: FIGURE_KEYS, unit: FIGURE_KEYS, err: ["outside_city", "out_of_range", "malformed", "duplicate_call", "call_closed", "ledger_unavailable", "not_confirmed", "busy", "network", "wrong_password", "too_many_requests", "not_your_role", "no_token", "expired_token"],
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
  store.lang = "zh";
  expect(whyStage(junction({ reason: "max_red" }))).toContain("“南北直行”必须放行");
});

test("no reason says more than the engine does", () => {
  // While the minimum green runs, `wanted` is the stage in force, whatever is next.
  const staying = "“north-south through” may not end before its minimum green of 15 s.";
  expect(whyStage(junction({ reason: "min_green" }))).toBe(staying);
  expect(whyStage(junction({ reason: "min_green", scores: [2, 9.1] }))).toBe(`${staying} The greatest pressure is that of “east-west through”: 9.1 vehicles.`);
  expect(whyStage(junction({ reason: "min_green", scores: [-2, -1] }))).toBe(staying);
  // The greatest of all need not be among the stages that may come.
  expect(whyStage(junction({ scores: [3, 9] }))).toBe("Of the stages that may come now, “north-south through” has the greatest pressure: 3.0 vehicles.");
  expect(whyStage(junction({ scores: [3] }))).toBe("“north-south through” has the greatest pressure.");
  for (const lang of ["en", "zh"] as const) {
    store.lang = lang;
    for (const reason of ["pressure", "min_green", "max_red", "max_green", "plan", "local_plan", "not_worth", "idle", "start", "preemption", "bus", "hold"] as const)
      for (const scores of [[3, 9], [9, 3], [5], [], [-1, -2]]) for (const wanted of [0, 1])
        expect(whyStage(junction({ reason, scores, wanted })), reason).not.toMatch(/Infinity|NaN|undefined|null|\{/);
  }
});

test("a reason that the page does not know is shown plainly; before the first command there is none", () => {
  expect(whyStage(junction({ reason: "looked_ahead" }))).toBe("The engine’s reason: looked ahead.");
  expect(whyStage(junction({ stage: null, wanted: null, lamps: "", scores: [], reason: "start" }))).toBe("No command has been given yet.");
});

test("a place as it was written, or what is wrong with it", () => {
  expect(readPlace(["106.71", " 26.58 "])).toEqual([106.71, 26.58]);
  expect(readPlace(["１０６．７", "-26."])).toEqual([106.7, -26]);
  expect(readPlace(["", " "])).toContain("Pick a place");
  expect(readPlace(["106.7", ""])).toBe("Latitude is missing.");
  expect(readPlace(["abc", "26"])).toBe("Longitude “abc” is not a number of degrees, such as 106.713.");
  expect(readPlace(["106", "1e999"])).toContain("Latitude “1e999” is not a number");
  expect(readPlace(["106", "91"])).toBe("Latitude “91” is out of range: -90 to 90.");
});

test("what is found by its name: every kind, calls by part of their number, streets by direction", () => {
  const course = (id: number, points: [number, number][]) => [id, { points, facts: { id, name: `n${id}-n9`, road: "北京路", lanes: 2, length_m: 500, free_kmh: 50, district: 0 } }] as const;
  const atlas = {
    links: new Map([course(0, [[106.7, 26.6], [106.71, 26.6]]), course(1, [[106.71, 26.6], [106.7, 26.6]]), course(2, [[106.71, 26.6], [106.72, 26.6]])]),
    junctions: new Map([[4, { at: [106.71, 26.6], facts: { id: 4, name: "北京路口", district: 0, stages: [] } }]]),
    units: new Map([[7, { id: 7, name: "P0817", grid: 0 }]]),
    venues: [{ at: [106.7, 26.6], facts: { id: 3, name: "北京路体育馆", capacity: 9 } }],
    grids: [{ ring: [[106, 26], [107, 26], [107, 27], [106, 27]], facts: { id: 5, name: "G017", district: 0 } }],
  };
  store.atlas = { ...atlas, names: nameIndex(atlas as unknown as Atlas) } as unknown as Atlas;
  for (const call of [1_795_564_800_042, 17]) store.board.calls.set(call, { call, phase: "waiting", priority: "A", category: "crime", lon: 0, lat: 0, opened_ms: 0 });
  const kinds = (wish: string): string[] => find(wish).map((h) => `${h.to.kind} ${h.to.id} ${h.text}`);
  expect(kinds("北京路")).toEqual(["junction 4 北京路口", "link 0 北京路 eastbound", "link 1 北京路 westbound", "venue 3 北京路体育馆"]);
  expect(kinds("17")).toEqual(["call 17 #17 Crime", "call 1795564800042 #1795564800042 Crime", "unit 7 P0817", "grid 5 G017"]);
  expect(kinds("…800042")).toEqual(["call 1795564800042 #1795564800042 Crime"]);
  expect(find("g017")[0]?.to).toMatchObject({ at: [106.5, 26.5], layer: "grids" });
  store.board.calls.clear();
  store.atlas = null;
});

test("how good forecasts were: what was scored, and that it was too little where it was", () => {
  const record = { lead_min: 30, scored: 5000, mae: 0.0612, coverage80: 0.794, coverage95: 0.95, told: 10.2, hits: 7.1, came: 17.4, by_profile: 3 };
  expect(recordWords(30, record)).toBe("Last weeks, 30 min ahead: off by 6.1% of free speed; the 80% interval held 79%; onsets: 7 of 10 told came, 7 of 17 that came were told");
  expect(recordWords(30, { ...record, told: 3, hits: 3, came: 9 })).toMatch(/held 79%; onsets: too few yet to judge$/);
  expect(recordWords(30, { ...record, told: 0, hits: 0, came: 12 })).toMatch(/onsets: none was told, 12 came$/);
  for (const few of [null, undefined, { ...record, scored: 999 }, { ...record, scored: 0, mae: null, coverage80: null }])
    expect(recordWords(45, few)).toBe("Too few forecasts 45 min ahead have met their time yet to say how good they are");
  store.lang = "zh";
  expect(recordWords(30, record)).toContain("80% 区间实际覆盖 79%；");
  store.lang = "en";
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
