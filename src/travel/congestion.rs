//! The links with their level, as GeoJSON.

use nanming_dataflows::network::Link;
use serde_json::{Value, json};

use super::Picture;
use crate::publish::kmh;

/// All links as they are expected `in_min` minutes from now: 0, 5, .. 60.
pub fn congestion(picture: &Picture, in_min: u16) -> Value {
    let step = usize::from(in_min / 5);
    let features: Vec<Value> = picture.streets.city.links.iter().map(|link| feature(picture, link, step)).collect();
    json!({
        "type": "FeatureCollection", "time_ms": picture.traffic.time_ms, "in_min": in_min, "features": features,
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
        "properties": {"id": link.id, "road": link.road, "level": level, "speed_kmh": speed, "congested": congested},
    })
}
