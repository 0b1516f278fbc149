import { expect, test } from "vitest";
import { NOBODY, hear, say, status, type Duty, type Frame } from "../src/terminal/duty";
import { loginOf } from "../src/terminal/login";
import { STRINGS } from "../src/terminal/strings";

const TASK = { assignment: "17.1", call: 17, priority: "A", category: "crime", lon: 106.6, lat: 26.6, words: "救命", eta_s: 140, time_ms: 1, phase: "assigned" } as const;
const assigned = (id: number, more: object = {}): Frame => ({ type: "assignment", id, unit: 3, ...TASK, ...more });
const result = (id: number, answer: "accept" | "decline" | "arrived" | "closed", ok = true): Frame =>
  ({ type: "ack_result", id, assignment: "17.1", answer, ok, ...(ok ? {} : { reason: "stale_assignment" }) });
const all = (frames: Frame[], from: Duty = NOBODY): Duty => frames.reduce(hear, from);

test("every string is there in both languages, with the same holes", () => {
  const holes = (s: string): string[] => [...s.matchAll(/\{(\w+)\}/g)].map((m) => m[1]!).sort();
  for (const [key, [zh, en]] of Object.entries(STRINGS)) {
    expect(holes(zh), key).toEqual(holes(en));
    if (key !== "lang_switch") expect([/\p{Script=Han}/u.test(zh), /\p{Script=Han}/u.test(en)], key).toEqual([true, false]);
  }
});

test("a frame that comes twice changes nothing more, and one that is sent again says what is new", () => {
  const once = hear(NOBODY, assigned(5));
  expect(hear(once, assigned(5))).toEqual(once);
  const changed = hear(once, assigned(6, { priority: "C", phase: "accepted" }));
  expect([changed.tasks.length, changed.tasks[0]!.priority, changed.tasks[0]!.phase, changed.last]).toEqual([1, "C", "accepted", 6]);
});

test("an answer is kept until it is confirmed, over a lost link too", () => {
  const said = say(all([assigned(5)]), { assignment: "17.1", answer: "accept" });
  expect(say(said, { assignment: "17.1", answer: "accept" }).unconfirmed.length).toBe(1);
  const back = all([assigned(7), { type: "current", id: 7, unit: 3, name: "P4", in_force: ["17.1"] }], said);
  expect(back.unconfirmed).toEqual([{ assignment: "17.1", answer: "accept" }]);
  const confirmed = hear(back, result(8, "accept"));
  expect([confirmed.unconfirmed, confirmed.tasks[0]!.phase]).toEqual([[], "accepted"]);
  expect(hear(confirmed, result(9, "accept")).tasks[0]!.phase).toBe("accepted");
});

test("answers in the wrong order never lead back", () => {
  const there = all([assigned(5), result(6, "arrived"), result(7, "accept")]);
  expect([there.tasks[0]!.phase, status(there, true)]).toEqual(["arrived", "on_scene"]);
});

test("what is not in force any more goes, and a refusal is told", () => {
  const gone = all([assigned(5), { type: "current", id: 9, unit: 3, name: "P4", in_force: [] }]);
  expect([gone.tasks, gone.notice]).toEqual([[], { kind: "gone" }]);
  const withdrawn = all([assigned(5), { type: "withdrawn", id: 6, assignment: "17.1", reason: "cancelled" }]);
  expect([withdrawn.tasks, withdrawn.notice]).toEqual([[], { kind: "withdrawn", reason: "cancelled" }]);
  expect(all([assigned(5), result(6, "accept", false)]).notice).toEqual({ kind: "refused", reason: "stale_assignment" });
  const closed = all([assigned(5), result(6, "closed")]);
  expect([closed.tasks, closed.notice, status(closed, false)]).toEqual([[], null, "off_duty"]);
});

test("a fragment says who the terminal is", () => {
  expect([loginOf("#token=a.1.b"), loginOf("#unit=P12"), loginOf("#"), loginOf("")]).toEqual([{ token: "a.1.b" }, { unit: "P12" }, null, null]);
});
