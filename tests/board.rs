//! What the board reads.

use std::io::{BufRead, BufReader};

use serde_json::{Value, json};

use crate::running::{PATIENCE, Running};

/// The first `n` events of a stream: sequence number, kind, data.
pub(crate) fn events(city: &Running, last_seen: Option<u64>, n: usize) -> Vec<(u64, String, Value)> {
    let config = ureq::Agent::config_builder().timeout_recv_response(Some(PATIENCE)).build();
    let mut request = ureq::Agent::from(config).get(city.url("/api/events"));
    if let Some(seen) = last_seen {
        request = request.header("Last-Event-ID", seen.to_string());
    }
    let (mut seq, mut kind, mut events) = (0, String::new(), Vec::new());
    for line in BufReader::new(request.call().unwrap().into_body().into_reader()).lines() {
        let line = line.unwrap();
        if let Some(id) = line.strip_prefix("id: ") {
            seq = id.parse().unwrap();
        } else if let Some(event) = line.strip_prefix("event: ") {
            kind = event.to_owned();
        } else if let Some(data) = line.strip_prefix("data: ") {
            events.push((seq, kind.clone(), serde_json::from_str(data).unwrap()));
            if events.len() == n {
                break;
            }
        }
    }
    events
}

#[test]
fn the_stream_begins_with_a_snapshot_and_goes_on_after_a_break() {
    // Fast, so that every junction is taken over within the patience of a test: as its own plan begins a stage.
    let city = Running::start_in(tempfile::tempdir().unwrap(), &["--start", "08:00", "--speed", "10"]);
    let first = events(&city, None, 3);
    let kinds: Vec<&str> = first.iter().map(|e| e.1.as_str()).collect();
    assert_eq!(kinds, ["snapshot", "delta", "delta"]);
    assert!(first[0].0 < first[1].0 && first[1].0 < first[2].0);
    for key in ["time_ms", "links", "junctions", "units", "calls", "closed", "figures"] {
        assert!(first.iter().all(|e| !e.2[key].is_null() || e.1 == "snapshot"), "{key}");
    }
    let resumed = events(&city, Some(first[1].0), 1);
    assert_eq!((resumed[0].0, resumed[0].1.as_str()), (first[2].0, "delta"), "the missed one comes again");
    assert_eq!(events(&city, Some(1), 1)[0].1, "snapshot", "what is gone is replaced by a snapshot");
    city.wait_for("signals", || events(&city, None, 1)[0].2["junctions"].as_array().unwrap().len() == 4);
    city.wait_for("units", || !events(&city, None, 1)[0].2["units"].as_array().unwrap().is_empty());
    let junction = city.get("/api/junctions/0").1;
    assert_eq!(junction["lamps"].as_str().unwrap().len(), junction["heads"].as_array().unwrap().len());
    assert!(city.measures("nanming_envelope_violations_total 0"));
}

#[test]
fn a_call_shows_on_the_board_with_its_unit() {
    let city = Running::start();
    let mut terminal = city.terminal(3);
    terminal.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    let call = city.post("/calls", &city.alarm(3, json!({}))).1["call"].clone();
    terminal.hear("assignment");
    let snapshot = events(&city, None, 1).remove(0).2;
    let shown = &snapshot["calls"][0];
    assert_eq!((&shown["call"], &shown["phase"], &shown["unit"]), (&call, &json!("assigned"), &json!(3)), "{shown}");
    assert!(shown["eta_s"].is_u64(), "{shown}");
    assert_eq!(snapshot["units"][0][4], shown["assignment"]);
}

#[test]
fn the_map_is_geojson_of_the_whole_city() {
    let city = Running::start();
    let about = city.get("/api/city").1;
    assert_eq!(about["counts"]["junctions"], 4);
    for (what, rows) in [("links", city.city.links.len()), ("junctions", 4), ("grids", city.city.grids.len())] {
        let map = city.get(&format!("/api/{what}.geojson")).1;
        assert_eq!(map["features"].as_array().unwrap().len(), rows, "{what}");
    }
    let link = city.get("/api/links/0").1;
    assert_eq!(link["name"], city.city.links[0].name.as_str());
    assert_eq!(link["record"], json!([]), "no forecast was made yet");
    let forecast = city.get("/api/forecast?lead=15").1;
    assert_eq!((&forecast["lead_min"], &forecast["record"]), (&json!(15), &Value::Null));
    for path in ["/api/links/9999", "/api/links/x", "/api/nothing", "/assets/nothing.js"] {
        assert_eq!(city.get(path).0, 404, "{path}");
    }
    assert_eq!(city.get("/api/forecast?lead=7").0, 422);
    assert!(city.text("/").contains("<html"));
}

#[test]
fn forecasts_have_their_record_beside_them_as_soon_as_some_have_come_true() {
    // Forecasts are made every five minutes of city time: five seconds.
    let city = Running::start_in(tempfile::tempdir().unwrap(), &["--start", "08:04", "--speed", "60"]);
    let ahead = || city.get("/api/forecast?lead=5").1;
    city.wait_for("a forecast", || !ahead()["links"].as_array().unwrap().is_empty());
    city.wait_for("its truth", || ahead()["record"]["scored"].as_f64().is_some_and(|scored| scored > 0.0));
    let told = ahead();
    let (made_ms, time_ms) = (told["made_ms"].as_u64().unwrap(), told["time_ms"].as_u64().unwrap());
    assert!(made_ms <= time_ms && time_ms - made_ms < 360_000, "{made_ms} {time_ms}");
    for share in ["mae", "coverage80", "coverage95"] {
        assert!((0.0..=1.0).contains(&told["record"][share].as_f64().unwrap()), "{}", told["record"]);
    }
    let link = city.get("/api/links/0").1;
    let leads: Vec<u64> = link["record"].as_array().unwrap().iter().map(|r| r["lead_min"].as_u64().unwrap()).collect();
    assert_eq!(leads, (1..=12).map(|n| n * 5).collect::<Vec<u64>>());
    assert!(link["made_ms"].is_u64() && link["forecast"][0]["onset"].is_boolean(), "{link}");
    let metrics = city.text("/metrics");
    let measure = |name: &str| -> f64 {
        let line = metrics.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("no {name}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    assert!(measure("nanming_forecasts_total") > 0.0);
    assert!(measure("nanming_forecast_scored{lead_min=\"5\"}") > 0.0);
    assert!(measure("nanming_forecast_mae_ratio{lead_min=\"5\"}").is_finite());
    assert!(measure("nanming_forecast_coverage_ratio{interval=\"80\",lead_min=\"5\"}").is_finite());
}
