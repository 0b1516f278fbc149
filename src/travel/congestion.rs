//! The links with their level, as GeoJSON.

use nanming_dataflows::network::Link;
use serde_json::{Value, json};

use super::{AHEAD_MIN, Picture};
use crate::publish::kmh;

/// All links as they are expected `in_min` minutes from now: 0, 5, .. 60.
pub fn congestion(picture: &Picture, in_min: u16) -> Value {
    let step = usize::from(in_min / 5);
    let features: Vec<Value> = picture.streets.city.links.iter().map(|link| feature(picture, link, step)).collect();
    json!({
        "type": "FeatureCollection", "time_ms": picture.traffic.time_ms, "in_min": in_min, "features": features,
    })
}

/// The levels alone, a character a link in the order of their IDs: `0` (A) to `5` (F), `-` where nothing is known.
pub fn levels(picture: &Picture, in_min: u16) -> Value {
    let (links, step) = (&picture.streets.city.links, usize::from(in_min / 5));
    let level = |link: &Link| picture.traffic.links[link.id.index()].level(link, step);
    let letter = |link: &Link| level(link).map_or('-', |level| char::from(b'0' + level as u8));
    json!({"time_ms": picture.traffic.time_ms, "in_min": in_min, "levels": links.iter().map(letter).collect::<String>()})
}

/// What the page needs to know of the city, and does not change.
pub fn city(picture: &Picture) -> Value {
    let (streets, city) = (&picture.streets, &picture.streets.city);
    let mut bounds = [180.0_f64, 90.0, -180.0, -90.0];
    for node in &city.nodes {
        let [lon, lat] = streets.degrees(node.at);
        bounds = [bounds[0].min(lon), bounds[1].min(lat), bounds[2].max(lon), bounds[3].max(lat)];
    }
    let venues = city.venues.iter().map(|v| json!({"name": v.name, "at": streets.degrees(v.at)}));
    json!({
        "name": city.name, "bounds": bounds, "utc_offset_min": city.utc_offset_min, "ahead_min": AHEAD_MIN,
        "venues": venues.collect::<Vec<_>>(),
    })
}

fn feature(picture: &Picture, link: &Link, step: usize) -> Value {
    let outlook = &picture.traffic.links[link.id.index()];
    let level = outlook.level(link, step).map(|level| level as u8);
    let speed = level.map(|_| kmh(outlook.speed_mm_s[step]));
    let congested = level.map(|_| f64::from(outlook.congested_milli[step]) / 1000.0);
    let course: Vec<[f64; 2]> = link.shape.iter().map(|at| picture.streets.degrees(*at)).collect();
    json!({
        "type": "Feature", "geometry": {"type": "LineString", "coordinates": course},
        "properties": {"id": link.id, "road": link.road, "lanes": link.lanes.len(), "level": level, "speed_kmh": speed, "congested": congested},
    })
}
