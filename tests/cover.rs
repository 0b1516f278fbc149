//! `GET /api/cover` of a running city: what is covered, and who had better wait elsewhere, with what that gains.

use serde_json::{Value, json};

use crate::running::Running;

fn regions(city: &Running) -> Vec<Value> {
    let (status, told) = city.get("/api/cover");
    assert_eq!(status, 200, "{told}");
    told["regions"].as_array().unwrap().clone()
}

#[test]
fn a_city_tells_how_well_its_units_cover_it_and_each_advice_its_gain() {
    let city = Running::start_in(tempfile::tempdir().unwrap(), &["--no-sim"]);
    let name = &city.city.units[0].name;
    let mut terminal = city.terminal(0);
    terminal.report(city.post_of(0));
    city.wait_for("a unit at hand", || regions(&city).iter().any(|region| region["idle_units"] == 1));
    for region in regions(&city) {
        let covered = region["covered"].as_f64().unwrap();
        assert!(covered > 0.0 && covered <= 1.0, "{region}");
        for advice in region["advice"].as_array().unwrap() {
            assert!(advice["gain_points"].as_f64().unwrap() > 0.0 && advice["drive_s"].as_u64().unwrap() > 0);
            assert!(advice["name"] == json!(name) && advice["to_grid"] != advice["from_grid"], "{advice}");
        }
    }
    let measures = city.text("/metrics");
    assert!(measures.contains("nanming_cover_ratio{region="), "{measures}");
}
