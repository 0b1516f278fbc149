//! Recordings of a live city, and what is done with them, through the real command line.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::running::Running;

const DECISIONS: [&str; 3] = ["signals.jsonl", "forecasts.jsonl", "assignments.jsonl"];

/// A simulated city at such a speed, with its decisions in `live` and its recording in `recording`.
const RECORDED: [&str; 8] = ["--speed", "60", "--demand", "3", "--jsonl", "live", "--record", "recording"];

pub(crate) fn nanming(dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
    command.args(arguments).current_dir(dir).env("NO_COLOR", "1").output().unwrap()
}

fn said(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}

fn replay(dir: &Path, out: &str, options: &[&str]) -> Value {
    let arguments = ["replay", "--json", "--city", "town.json", "--recording", "recording", "--out", out];
    let done = nanming(dir, &[&arguments, options].concat());
    assert!(done.status.success(), "{}", said(&done));
    serde_json::from_slice(&done.stdout).unwrap()
}

fn decisions(dir: &Path, of: &str) -> Vec<Vec<u8>> {
    DECISIONS.iter().map(|file| std::fs::read(dir.join(of).join(file)).unwrap()).collect()
}

/// Raises alarms, and waits until units have answered and forecasts are made.
fn let_it_run(city: &Running) {
    (0..3).for_each(|unit| assert_eq!(city.post("/calls", &city.alarm(unit, json!({}))).0, 201));
    let count = |metrics: &str, name: &str| {
        let lines =
            metrics.lines().filter(|l| l.starts_with(name)).filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok());
        lines.sum::<f64>()
    };
    city.wait_for("dispatch and forecasts", || {
        let metrics = city.text("/metrics");
        let made = std::fs::metadata(city.dir.path().join("live/forecasts.jsonl")).map_or(0, |file| file.len());
        count(&metrics, "nanming_ack_seconds_count") >= 3.0 && made > 0
    });
}

/// Segments of a recording, in order.
fn segments(dir: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(dir.join("recording")).unwrap().map(|entry| entry.unwrap().path());
    let mut segments: Vec<_> = entries.filter(|path| path.extension().is_some_and(|e| e == "arrows")).collect();
    segments.sort();
    segments
}

#[test]
fn what_a_live_city_decided_is_decided_again_on_one_two_and_four_workers() {
    let city = Running::start_in(tempfile::tempdir().unwrap(), &RECORDED);
    let_it_run(&city);
    let kept = city.end();
    let dir = kept.path();
    let live = decisions(dir, "live");
    assert!(live.iter().all(|file| !file.is_empty()), "{:?}", live.iter().map(Vec::len).collect::<Vec<_>>());
    for workers in ["1", "2", "4"] {
        let summary = replay(dir, workers, &["--workers", workers]);
        for ((file, live), again) in DECISIONS.iter().zip(&live).zip(decisions(dir, workers)) {
            assert!(*live == again, "{file} differs from the live city's on {workers} workers: {summary}");
        }
        assert_eq!(summary["envelope_violations"], 0);
        assert!(summary.get("ticks_missing").is_none(), "{summary}");
        assert!(summary["events"]["acks"].as_u64().unwrap() > 0, "{summary}");
    }
}
