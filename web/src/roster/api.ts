/** What the server tells persons of rosters, as docs/rosters.md gives it. */
import { ask } from "../api";
import { headers } from "./token";

export type Phase = "waiting" | "assigned" | "told" | "accepted" | "done" | "cancelled";
export type Answer = "told" | "accept" | "done" | "decline";
export const REASONS = ["busy", "too_far", "not_mine", "other"] as const;
export type Reason = (typeof REASONS)[number];

export interface Brief { roster: string; title: string; persons: number; points: number; open: number; waiting: number; overdue: number; kinds: string[] }
export interface Person { person: string; role: string; points: number; tasks: number; absent?: Span }
export interface Span { from_ms: number; until_ms: number }
export interface Roster extends Omit<Brief, "persons"> { persons: Person[]; point_names: string[] }
export interface Task {
  task: string; kind: string; point?: string; lon: number; lat: number; raised_ms: number; phase: Phase; attempt: number; rung: number;
  accept_by_ms: number; done_by_ms: number; overdue: boolean; reports: number; words: string; pictures: string[]; reason: string; given?: string;
}
export interface Mine { person: string; roster: string; title: string; role: string; tasks: Task[]; points: { point: string; role: string }[]; absent?: Span }
export interface City { utc_offset_min: number }
export interface Report { kind: string; point?: string; lon?: number; lat?: number; words: string; pictures: string[]; caller: string; channel: "phone_page" }

const API = "./api/rosters";
const safe = encodeURIComponent;
export const cityPath = "./api/city";
export const rostersPath = API;
export const rosterPath = (roster: string): string => `${API}/${safe(roster)}`;
export const minePath = (roster: string, person: string): string => `${API}/${safe(roster)}/persons/${safe(person)}`;

const send = <T>(path: string, body: unknown): Promise<T> =>
  ask<T>(path, { method: "POST", headers: { "content-type": "application/json", ...headers }, body: JSON.stringify(body) });

export const answer = (roster: string, person: string, task: Task, answer: Answer, reason?: Reason): Promise<unknown> =>
  send(`${rosterPath(roster)}/tasks/${task.task}/answer`, { person, attempt: task.attempt, answer, ...(reason && { reason }) });
export const report = (roster: string, report: Report): Promise<{ task: string }> => send(`${rosterPath(roster)}/tasks`, report);
export const absent = (roster: string, person: string, hours: number): Promise<unknown> => send(`${minePath(roster, person)}/absence`, hours > 0 ? { hours } : {});
