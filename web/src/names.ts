/** Names for people where the source has only codes (`n3_4`, `n3_4-n3_5`): from the streets that meet there. */
import type { LonLat } from "./api";
import { t } from "./i18n";
import type { Key } from "./strings";
import type { Atlas, Course } from "./store";

/** Ends of links further than this from a junction's middle belong to something else. */
const REACH_M = 90;

export interface Names {
  junction(id: number): string;
  link(id: number): string;
}

/** Finds once which streets meet where; the names themselves are made when asked for, in the page's language. */
export function nameIndex(atlas: Pick<Atlas, "links" | "junctions">): Names {
  const roads = new Map<number, Set<string>>();
  const ends = new Map<number, number>();
  const spots = [...atlas.junctions.values()].map(({ at, facts }) => ({ at, id: facts.id }));
  for (const { points, facts } of atlas.links.values()) {
    const [first, last] = [points.at(0), points.at(-1)];
    if (!first || !last) continue;
    const [from, to] = [nearest(spots, first), nearest(spots, last)];
    if (to !== null) ends.set(facts.id, to);
    for (const id of [from, to]) if (id !== null && facts.road) roads.set(id, (roads.get(id) ?? new Set()).add(facts.road));
  }
  const junction = (id: number): string => {
    const name = atlas.junctions.get(id)?.facts.name ?? "";
    const meeting = [...(roads.get(id) ?? [])];
    if (!isCode(name) || meeting.length === 0) return name || `#${id}`;
    return meeting.length === 1 ? `${meeting[0]} ${name}` : t("crossing", { a: meeting[0]!, b: meeting[1]! });
  };
  const link = (id: number): string => {
    const course = atlas.links.get(id);
    if (!course) return `#${id}`;
    const { name, road } = course.facts;
    if (!isCode(name) || !road) return name || road || `#${id}`;
    const to = ends.get(id);
    const cross = to === undefined ? undefined : [...(roads.get(to) ?? [])].find((r) => r !== road);
    return cross ? t("link_to", { road, way: t(heading(course)), cross }) : `${road} ${t(heading(course))}`;
  };
  return { junction, link };
}

/** Whether a name is a code of the source rather than words: nothing but Latin letters, digits and joints. */
export const isCode = (name: string): boolean => /^[\w.:#-]*$/.test(name) && (/\d/.test(name) || name === "");

const WAYS = ["bound_n", "bound_ne", "bound_e", "bound_se", "bound_s", "bound_sw", "bound_w", "bound_nw"] as const satisfies Key[];

/** Which way a link leads, start to end. */
export function heading({ points }: Pick<Course, "points">): Key {
  const [a, b]: [LonLat, LonLat] = [points.at(0) ?? [0, 0], points.at(-1) ?? [0, 0]];
  const deg = (Math.atan2((b[0] - a[0]) * Math.cos((a[1] * Math.PI) / 180), b[1] - a[1]) * 180) / Math.PI;
  return WAYS[Math.round((deg + 360) / 45) % 8]!;
}

function nearest(spots: { at: LonLat; id: number }[], [lon, lat]: LonLat): number | null {
  const east_m = 111_320 * Math.cos((lat * Math.PI) / 180);
  let [found, least]: [number | null, number] = [null, REACH_M * REACH_M];
  for (const { at, id } of spots) {
    const d = ((at[0] - lon) * east_m) ** 2 + ((at[1] - lat) * 110_600) ** 2;
    if (d < least) [found, least] = [id, d];
  }
  return found;
}
