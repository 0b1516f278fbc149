/** Room on the map: what of it lies under tools, slider and panel. Pure. */

export interface Rect { left: number; top: number; right: number; bottom: number }
/** Something over the map, at a side of it. */
export interface Over { side: "top" | "right" | "bottom"; rect: Rect }
export interface Insets { left: number; top: number; right: number; bottom: number }

/** A panel as wide as this share of the map is a sheet at its bottom. */
const SHEET = 0.9;

/** How much of each side of the map is covered, px. What lies beside the map covers nothing. */
export function insets(map: Rect, over: Over[]): Insets {
  const covered: Insets = { left: 0, top: 0, right: 0, bottom: 0 };
  for (const { side, rect } of over) {
    if (rect.right <= map.left || rect.left >= map.right || rect.bottom <= map.top || rect.top >= map.bottom) continue;
    const sheet = side === "right" && rect.right - rect.left >= SHEET * (map.right - map.left);
    if (side === "top") covered.top = Math.max(covered.top, rect.bottom - map.top);
    else if (side === "bottom" || sheet) covered.bottom = Math.max(covered.bottom, map.bottom - rect.top);
    else covered.right = Math.max(covered.right, map.right - rect.left);
  }
  return covered;
}

/** Takes a place among those that are taken, if it is free: no two words over one another. */
export function claim(taken: Rect[], wish: Rect): boolean {
  if (taken.some((t) => t.left < wish.right && t.right > wish.left && t.top < wish.bottom && t.bottom > wish.top)) return false;
  taken.push(wish);
  return true;
}
