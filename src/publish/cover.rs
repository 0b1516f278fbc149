//! The cover of dispatch regions as people and other systems are told of it.

use nanming_dataflows::decision::{CoverAdvice, CoverState};
use nanming_dataflows::network::City;
use serde_json::{Value, json};

/// A region: how much of what is expected is covered, and who had better wait elsewhere.
pub(super) fn region(city: &City, state: &CoverState) -> Value {
    json!({
        "region": state.region, "time_ms": state.time_ms, "covered": share(state.covered_ppm),
        "busy": share(state.busy_ppm), "idle_units": state.idle_units,
        "advice": state.advice.iter().map(|one| advice(city, one)).collect::<Vec<_>>(),
    })
}

fn advice(city: &City, advice: &CoverAdvice) -> Value {
    let (lon, lat) = advice.at.to_lon_lat(city.origin).degrees();
    let name = city.units.get(advice.unit.index()).map(|unit| unit.name.as_str());
    json!({
        "unit": advice.unit, "name": name, "from_grid": advice.from, "to_grid": advice.to, "lon": lon, "lat": lat,
        "drive_s": advice.drive_ms / 1000, "gain_points": f64::from(advice.gain_ppm) / 1e4,
        "since_ms": advice.since_ms, "until_ms": advice.until_ms,
    })
}

fn share(ppm: u32) -> f64 {
    f64::from(ppm) / 1e6
}

/// Whether desks are to be told of a region anew: other units, or other places.
pub(super) fn is_news(before: Option<&CoverState>, now: &CoverState) -> bool {
    let moves = |state: &CoverState| state.advice.iter().map(|one| (one.unit, one.to)).collect::<Vec<_>>();
    before.map(moves).unwrap_or_default() != moves(now)
}
