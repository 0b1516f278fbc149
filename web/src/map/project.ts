/** Web Mercator and the window onto it. Pure. */

/** A place on the world square, 0..1 east and 0..1 south. */
export function mercator(lon: number, lat: number): [x: number, y: number] {
  const sin = Math.sin((lat * Math.PI) / 180);
  return [(lon + 180) / 360, 0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI)];
}

/** What is in sight: world pixels times `scale` less the corner is a place on the canvas. */
export interface Sight {
  zoom: number;
  scale: number;
  left: number;
  top: number;
  width: number;
  height: number;
}

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
