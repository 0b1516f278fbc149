//! What the city has learned outlives a kill.

use serde_json::Value;

use crate::running::Running;

/// How many forecasts have been scored 5 min ahead, as the newest record tells; none before the first forecast.
fn scored(city: &Running) -> Option<f64> {
    let record: Value = city.get("/api/forecast?lead=5").1["record"].take();
    record["scored"].as_f64()
}

#[test]
fn a_city_that_was_killed_goes_on_with_what_it_had_learned() {
    let options = ["--start", "07:30", "--speed", "60"];
    let city = Running::start_in(tempfile::tempdir().unwrap(), &options);
    city.wait_for("forecasts that came true", || scored(&city).is_some_and(|count| count > 0.0));
    let is_kept = |file: &std::fs::DirEntry| file.path().extension() == Some("learned".as_ref());
    let dir = city.dir.path().to_owned();
    let bytes = || {
        let file = std::fs::read_dir(&dir).unwrap().flatten().find(is_kept);
        file.and_then(|file| file.metadata().ok()).map_or(0, |facts| facts.len())
    };
    city.wait_for("a file of what regions have learned", || bytes() > 1_000_000);

    let city = Running::start_in(city.kill(), &options);
    let mut first = None;
    city.wait_for("a forecast after the restart", || {
        first = scored(&city);
        first.is_some()
    });
    assert!(first.unwrap() > 0.0, "the first record after a restart counts what was scored before: {first:?}");
}
