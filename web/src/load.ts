/** Fetches what does not change, and keeps trying. */
import { ask, type City, type Features, type GridFacts, type JunctionFacts, type LinkFacts, type LonLat, type VenueFacts } from "./api";
import { nameIndex } from "./names";
import type { Atlas, Course } from "./store";

export async function loadAtlas(): Promise<Atlas> {
  const [city, links, junctions, grids, venues] = await Promise.all([
    ask<City>("./api/city"),
    ask<Features<LonLat[], LinkFacts>>("./api/links.geojson"),
    ask<Features<LonLat, JunctionFacts>>("./api/junctions.geojson"),
    ask<Features<LonLat[][], GridFacts>>("./api/grids.geojson"),
    ask<Features<LonLat, VenueFacts>>("./api/venues.geojson"),
  ]);
  const atlas = {
    city,
    links: new Map<number, Course>(links.features.map((f) => [f.properties.id, { points: f.geometry.coordinates, facts: f.properties }])),
    junctions: new Map(junctions.features.map((f) => [f.properties.id, { at: f.geometry.coordinates, facts: f.properties }])),
    grids: grids.features.map((f) => ({ ring: f.geometry.coordinates[0] ?? [], facts: f.properties })),
    venues: venues.features.map((f) => ({ at: f.geometry.coordinates, facts: f.properties })),
    units: new Map(city.units.map((u) => [u.id, u])),
  };
  return { ...atlas, names: nameIndex(atlas) };
}
