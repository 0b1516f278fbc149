//! The city's things as GeoJSON (RFC 7946: longitude, latitude, WGS-84).

use nanming_dataflows::network::{City, Grid, Point};
use serde_json::{Value, json};

/// Links as lines.
pub(super) fn links(city: &City) -> Value {
    let feature = |l: &nanming_dataflows::network::Link| {
        let course: Vec<Value> = l.shape.iter().map(|p| position(city, *p)).collect();
        let properties = json!({
            "id": l.id, "name": l.name, "road": l.road, "lanes": l.lanes.len(), "length_m": l.length_mm / 1000,
            "free_kmh": (f64::from(l.free_speed_mm_s) * 0.0036).round(), "district": l.district,
        });
        feature("LineString", course.into(), properties)
    };
    collection(city.links.iter().map(feature))
}

/// Signalised junctions as points.
pub(super) fn junctions(city: &City) -> Value {
    let feature = |j: &nanming_dataflows::network::Junction| {
        let stages: Vec<&str> = j.stages.iter().map(|s| s.name.as_str()).collect();
        let properties = json!({"id": j.id, "name": j.name, "district": j.district, "stages": stages});
        feature("Point", position(city, j.at), properties)
    };
    collection(city.junctions.iter().map(feature))
}

/// Patrol grids as polygons.
pub(super) fn grids(city: &City) -> Value {
    let feature = |g: &Grid| {
        let ring = ring(g).map(|p| position(city, p));
        feature("Polygon", json!([ring]), json!({"id": g.id, "name": g.name, "district": g.district}))
    };
    collection(city.grids.iter().map(feature))
}

/// Venues as points.
pub(super) fn venues(city: &City) -> Value {
    let feature = |v: &nanming_dataflows::network::Venue| {
        feature("Point", position(city, v.at), json!({"id": v.id, "name": v.name, "capacity": v.capacity}))
    };
    collection(city.venues.iter().map(feature))
}

/// Degrees of a place, to about 0.1 m.
pub(super) fn degrees(city: &City, at: Point) -> [f64; 2] {
    let (lon, lat) = at.to_lon_lat(city.origin).degrees();
    [lon, lat].map(|d| (d * 1e6).round() / 1e6)
}

fn position(city: &City, at: Point) -> Value {
    json!(degrees(city, at))
}

/// Counter-clockwise and closed.
fn ring(grid: &Grid) -> [Point; 5] {
    let (min, max) = (grid.min, grid.max);
    let (south_east, north_west) = (Point { x_mm: max.x_mm, y_mm: min.y_mm }, Point { x_mm: min.x_mm, y_mm: max.y_mm });
    [min, south_east, max, north_west, min]
}

fn feature(kind: &str, coordinates: Value, properties: Value) -> Value {
    json!({"type": "Feature", "geometry": {"type": kind, "coordinates": coordinates}, "properties": properties})
}

fn collection(features: impl Iterator<Item = Value>) -> Value {
    json!({"type": "FeatureCollection", "features": features.collect::<Vec<_>>()})
}
