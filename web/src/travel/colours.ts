/** Colours of levels on a light ground; test/colours.test.ts holds them apart for colour-blind eyes too. */
import type { Palette } from "../colours";

/** Level of service A..F; A and B read the same to a driver: free. */
export const LEVELS = ["#3b9c95", "#3b9c95", "#8fbf56", "#f2b01e", "#e0532b", "#8c1346"] as const;
export const UNKNOWN = "#c5ccd3";
export const GROUND = "#f4f6f8";
export const levelColour = (level: number | null | undefined): string => LEVELS[level ?? -1] ?? UNKNOWN;
export const DAY: Palette = { body: "#ffffff", unknown: UNKNOWN, level: levelColour };
export const WAY = { line: "#1b4fd6", border: "#ffffff", from: "#1b4fd6", to: "#101828" };
export const INCIDENT: Record<string, string> = { collision: "#b3261e", congestion: "#8c1346", congestion_expected: "#b26a00" };
