//! What the engine knew outlives a kill.

use std::path::Path;

use serde_json::Value;

use crate::running::Running;

/// How many forecasts have been scored 5 min ahead, as the newest record tells; none before the first forecast.
fn scored(city: &Running) -> Option<f64> {
    let record: Value = city.get("/api/forecast?lead=5").1["record"].take();
    record["scored"].as_f64()
}

/// Links on which somebody drives, as the board has it.
fn busy(city: &Running) -> usize {
    let flow = |id: usize| city.get(&format!("/api/links/{id}")).1["flow_veh_h"].as_f64();
    (0..city.city.links.len()).filter(|id| flow(*id).is_some_and(|flow| flow > 0.0)).count()
}

/// Ticks finished.
fn ticks(city: &Running) -> f64 {
    let metrics = city.text("/metrics");
    let count = metrics.lines().find_map(|line| line.strip_prefix("nanming_tick_latency_seconds_count "));
    count.map_or(0.0, |count| count.parse().unwrap())
}

/// Bytes of all snapshots.
fn kept(dir: &Path) -> u64 {
    let files = std::fs::read_dir(dir.join("ledger.snapshots")).into_iter().flatten().flatten();
    files.filter_map(|file| Some(file.metadata().ok()?.len())).sum()
}

#[test]
fn a_city_that_was_killed_goes_on_with_what_it_had_learned() {
    let options = ["--start", "07:30", "--speed", "60"];
    let city = Running::start_in(tempfile::tempdir().unwrap(), &options);
    city.wait_for("forecasts that came true", || scored(&city).is_some_and(|count| count > 0.0));
    wait_for_snapshots(&city);

    let city = Running::start_in(city.kill(), &options);
    let mut first = None;
    city.wait_for("a forecast after the restart", || {
        first = scored(&city);
        first.is_some()
    });
    assert!(first.unwrap() > 0.0, "the first record after a restart counts what was scored before: {first:?}");
}

#[test]
fn a_city_that_was_killed_knows_its_streets_before_anybody_tells_it_anything() {
    let city = Running::start_in(tempfile::tempdir().unwrap(), &["--start", "07:30", "--speed", "20"]);
    city.wait_for("traffic", || busy(&city) > 5);
    wait_for_snapshots(&city);

    let city = without_simulator(city.kill());
    city.wait_for("what was seen before", || busy(&city) > 5);
    let dir = city.kill();
    std::fs::remove_dir_all(dir.path().join("ledger.snapshots")).unwrap();
    let city = without_simulator(dir);
    city.wait_for("some ticks", || ticks(&city) > 20.0);
    assert_eq!(busy(&city), 0, "without a snapshot it knows nothing");
}

/// With a key of plates: without one vehicles would go by other names from now on, and nobody would be known again.
fn without_simulator(dir: tempfile::TempDir) -> Running {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_nanming"));
    command.env("NANMING_INGEST__PLATE_KEY", "a key for this test");
    Running::start_as(command, dir, &["--no-sim"])
}

/// Until two more snapshots are on the disk: the second holds whatever the board shows now.
fn wait_for_snapshots(city: &Running) {
    for _ in 0..2 {
        let before = kept(city.dir.path());
        city.wait_for("a snapshot", || kept(city.dir.path()) != before);
    }
}
