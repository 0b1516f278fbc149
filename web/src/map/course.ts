/** Geometry of courses: flat lists x, y, x, y, .. . Pure. */

/** Shifts a course to the right of its way by `by` pixels (screen: y grows downwards), corners mitred. */
export function offsetRight(xy: Float64Array, by: number): Float64Array {
  const n = xy.length / 2;
  const out = new Float64Array(xy.length);
  for (let i = 0; i < n; i++) {
    const [ax, ay] = direction(xy, Math.max(i - 1, 0));
    const [bx, by_] = direction(xy, Math.min(i, n - 2));
    let [mx, my] = [ax + bx, ay + by_];
    const length = Math.hypot(mx, my) || 1;
    [mx, my] = [mx / length, my / length];
    const mitre = Math.min(1 / Math.max(mx * bx + my * by_, 0.5), 2);
    out[2 * i] = xy[2 * i]! - my * by * mitre;
    out[2 * i + 1] = xy[2 * i + 1]! + mx * by * mitre;
  }
  return out;
}

function direction(xy: Float64Array, i: number): [number, number] {
  const dx = xy[2 * i + 2]! - xy[2 * i]!;
  const dy = xy[2 * i + 3]! - xy[2 * i + 1]!;
  const length = Math.hypot(dx, dy) || 1;
  return [dx / length, dy / length];
}

/** Square of the distance from a point to a course. */
export function distance2(xy: Float64Array, x: number, y: number): number {
  let best = Infinity;
  for (let i = 0; i + 3 < xy.length; i += 2) {
    const [ax, ay] = [xy[i]!, xy[i + 1]!];
    const [dx, dy] = [xy[i + 2]! - ax, xy[i + 3]! - ay];
    const along = Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy || 1)));
    best = Math.min(best, (x - ax - along * dx) ** 2 + (y - ay - along * dy) ** 2);
  }
  return best;
}

/** Ends of the two directions of a street lie within this of each other, on the world square (about 60 m). */
const TWIN_REACH = 60 / 40_075_000 / 0.89;

/** For each course, how far its middle is from the course of the same street's other direction; null: none runs back. */
export function twins(courses: Float64Array[]): (number | null)[] {
  const near = (a: Float64Array, i: number, b: Float64Array, k: number): boolean =>
    Math.abs(a[i]! - b[k]!) < TWIN_REACH && Math.abs(a[i + 1]! - b[k + 1]!) < TWIN_REACH;
  return courses.map((a) => {
    const middle = 2 * Math.floor(a.length / 4);
    let least = Infinity;
    for (const b of courses) {
      if (a === b || !near(a, 0, b, b.length - 2) || !near(a, a.length - 2, b, 0)) continue;
      least = Math.min(least, Math.sqrt(distance2(b, a[middle]!, a[middle + 1]!)));
    }
    return least < TWIN_REACH ? least : null;
  });
}
