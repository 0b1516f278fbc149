/** Colours that carry a meaning. test/colours.test.ts holds them apart for colour-blind eyes too. */
import type { Level, Phase, Priority, StageReason } from "./api";

/** Level of service A..F: from a calm blue that recedes to a hot pink that does not; lightness peaks at D. */
export const LEVELS: Record<Level, string> = {
  0: "#2a5b7e", 1: "#3f8fa8", 2: "#8fc7b4", 3: "#f3dc7a", 4: "#f08a35", 5: "#e0305c",
};
export const UNKNOWN_LEVEL = "#2b3742";
export const levelColour = (level: number | undefined): string => LEVELS[level as Level] ?? UNKNOWN_LEVEL;

/** How a map is coloured: the border of streets, streets of which nothing is known, levels. */
export interface Palette { body: string; unknown: string; level(level: number): string }
export const NIGHT: Palette = { body: "#18212b", unknown: UNKNOWN_LEVEL, level: levelColour };

/** Signal intervals: green, yellow, all-red. */
export const INTERVALS = ["#4fd18b", "#ffd84d", "#ff5a4f"] as const;
export const LAMPS: Record<string, string> = { G: "#4fd18b", g: "#2f8f63", y: "#ffd84d", u: "#ffa04d", r: "#b03b45", o: "#3a4652", O: "#3a4652" };
export const lampColour = (lamp: string): string => LAMPS[lamp] ?? "#3a4652";

export const PRIORITIES: Record<Priority, string> = { A: "#ff4f6d", B: "#ffb84a", C: "#86b7ff" };
export const UNIT_FREE = "#9fd3ff";
export const UNIT_BUSY = "#ffffff";
export const PHASES: Record<Phase, string> = {
  waiting: "#ff6b7f", assigned: "#ffb84a", accepted: "#86b7ff", arrived: "#5fd0a0", closed: "#7b8896", cancelled: "#7b8896", merged: "#7b8896", referred: "#7b8896",
};

export const VENUE = "#c9a6ff";
export const SURGE = "#ff9d3c";

/** Who decided a junction's stage: the demand, a limit of the envelope, or the fixed plan. */
export type Decider = "adaptive" | "bound" | "plan";
export function decider(reason: StageReason | string): Decider {
  if (reason === "max_red" || reason === "max_green") return "bound";
  return reason === "plan" || reason === "local_plan" || reason === "start" ? "plan" : "adaptive";
}
