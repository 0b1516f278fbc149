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
