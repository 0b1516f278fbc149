//! Recordings of a live city, and what is done with them, through the real command line.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;

use nanming::recording::{Bounds, Recorded, Recording, Writer};
use serde_json::{Value, json};

use crate::cluster::hosts;
use crate::running::{Running, lines};

const DECISIONS: [&str; 5] =
    ["signals.jsonl", "forecasts.jsonl", "crowds.jsonl", "venue_forecasts.jsonl", "assignments.jsonl"];

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
    let town: &[&str] = if options.contains(&"--city") { &[] } else { &["--city", "town.json"] };
    let arguments = ["replay", "--json", "--recording", "recording", "--out", out];
    let done = nanming(dir, &[&arguments, town, options].concat());
    assert!(done.status.success(), "{}", said(&done));
    serde_json::from_slice(&done.stdout).unwrap()
}

fn decisions(dir: &Path, of: &str) -> Vec<Vec<u8>> {
    DECISIONS.iter().map(|file| std::fs::read(dir.join(of).join(file)).unwrap()).collect()
}

/// Raises alarms, and waits until units have answered and forecasts are made, after those of an engine before.
fn let_it_run(city: &Running) {
    let made = || std::fs::metadata(city.dir.path().join("live/forecasts.jsonl")).map_or(0, |file| file.len());
    let before = made();
    let held = json!({"type": "hold", "junction": 0, "stage": 1, "for_s": 600, "by": "desk"});
    assert_eq!(city.post("/api/ingest", &held.to_string()).1["accepted"], 1);
    (0..3).for_each(|unit| assert_eq!(city.post("/calls", &city.alarm(unit, json!({}))).0, 201));
    let count = |metrics: &str, name: &str| {
        let lines =
            metrics.lines().filter(|l| l.starts_with(name)).filter_map(|l| l.rsplit(' ').next()?.parse::<f64>().ok());
        lines.sum::<f64>()
    };
    city.wait_for("dispatch and forecasts", || {
        let metrics = city.text("/metrics");
        count(&metrics, "nanming_ack_seconds_count") >= 3.0 && made() > before
    });
}

fn audit(dir: &Path, recording: &str) -> Output {
    let books = ["audit", "verify", "--ledger", "ledger.sqlite", "--city", "town.json"];
    nanming(dir, &[&books[..], &["--recording", recording]].concat())
}

/// The audit log tells of what the recording holds: all of it, but for the last second of one that was killed.
fn agrees(dir: &Path, was_killed: bool) {
    let agrees = audit(dir, "recording");
    assert!(agrees.status.success(), "{}", said(&agrees));
    let told = String::from_utf8(agrees.stdout).unwrap();
    let number = |words: &str| {
        let before = told.split_once(words)?.0;
        before.rsplit([' ', '\n']).next()?.parse::<u64>().ok()
    };
    let lost = number(" are of ticks").unwrap_or(0);
    assert!(number(" records agree with the recording").unwrap() > lost, "{told}");
    assert!(was_killed || !told.contains(';'), "{told}");
}

/// Writes the recording anew into `altered`, one passage in the middle of it left out.
fn without_a_passage(dir: &Path) {
    let city = Arc::new(nanming::city_file::load(Some(&dir.join("town.json")), 1).unwrap());
    let recording = Recording::open(&dir.join("recording"), &city).unwrap();
    let mut ticks: Vec<Recorded> = recording.ticks(0, u64::MAX).flat_map(Result::unwrap).collect();
    let middle = ticks.len() / 2;
    let passages =
        ticks[middle..].iter_mut().map(|tick| &mut tick.batch.passages).find(|passages| !passages.is_empty());
    passages.unwrap().pop();
    let bounds = Bounds { segment_bytes: u64::MAX, keep_ms: None };
    let mut writer = Writer::open(&dir.join("altered"), &city, "altered", bounds).unwrap();
    ticks.iter().for_each(|tick| writer.write(tick.tick, tick.left_out, &tick.batch).unwrap());
    writer.finish().unwrap();
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
    agrees(dir, false);
    without_a_passage(dir);
    let differs = audit(dir, "altered");
    assert_eq!(differs.status.code(), Some(1));
    assert!(said(&differs).contains("is not what was audited: record "), "{}", said(&differs));
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

/// Plays a recording on several processes; what became of each.
fn replay_on(dir: &Path, processes: usize, out: &str, of_each: impl Fn(usize) -> Vec<String>) -> Vec<Output> {
    hosts(dir, processes);
    let start = |process: usize| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
        command.args(["replay", "--json", "--recording", "recording", "--city", "town.json", "--out", out]);
        command.args(["--hosts", "hosts.txt", "--process", &process.to_string()]).args(of_each(process));
        command.current_dir(dir).env("NO_COLOR", "1").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let started: Vec<_> = (0..processes).map(start).collect();
    started.into_iter().map(|child| child.wait_with_output().unwrap()).collect()
}

#[test]
fn a_recording_is_played_on_two_and_three_processes_as_on_one_also_where_an_engine_was_started_anew() {
    let city = Running::start_in(tempfile::tempdir().unwrap(), &RECORDED);
    let_it_run(&city);
    let city = Running::start_in(city.kill(), &RECORDED);
    let_it_run(&city);
    let kept = city.end();
    let dir = kept.path();
    assert_eq!(segments(dir).len(), 2);
    replay(dir, "one", &[]);
    for processes in [2, 3] {
        let out = processes.to_string();
        for done in replay_on(dir, processes, &out, |_| vec!["--workers".into(), (4 - processes).to_string()]) {
            assert!(done.status.success(), "{}", said(&done));
        }
        let files = DECISIONS.iter().chain(&["dead_letters.jsonl", "summary.json"]);
        for file in files {
            let read = |of: &str| std::fs::read(dir.join(of).join(file)).unwrap();
            assert!(!read("one").is_empty() || *file == "dead_letters.jsonl", "{file}");
            assert!(read("one") == read(&out), "{file} differs on {processes} processes");
        }
    }
    // Whose recording is another one ends with an error, and so does the leader: not with half of the decisions.
    let loops = |process: usize| vec!["--loops".to_owned(), (2 - process).to_string()];
    let done = replay_on(dir, 2, "differs", loops);
    assert!(said(&done[1]).contains("same recording"), "{}", said(&done[1]));
    assert_eq!(done.iter().map(|done| done.status.code()).collect::<Vec<_>>(), [Some(1), Some(1)]);
}

#[test]
fn a_city_that_was_killed_is_recorded_to_its_last_second_and_goes_on_in_the_same_recording() {
    let city = Running::start_in(tempfile::tempdir().unwrap(), &RECORDED);
    let_it_run(&city);
    let killed = city.kill();
    let of = |dir: &Path, of: &str, file: &str| lines(&dir.join(of).join(file));
    let before = DECISIONS.map(|file| of(killed.path(), "live", file).len());
    let city = Running::start_in(killed, &RECORDED);
    let_it_run(&city);
    let kept = city.end();
    let dir = kept.path();
    agrees(dir, true);
    let segments = segments(dir);
    let [_, second] = segments.as_slice() else { panic!("{segments:?}") };
    let restart_ms: u64 = second.file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let done = nanming(dir, &["replay", "--city", "town.json", "--recording", "recording", "--out", "again"]);
    assert!(done.status.success() && said(&done).contains("cut off"), "{}", said(&done));
    // So fast a city may begin anew a little before it was killed: what it decided then is known by its place, not its time.
    for (file, before) in DECISIONS.into_iter().zip(before).skip(1) {
        let live = of(dir, "live", file).split_off(before);
        assert!(!live.is_empty(), "{file}: the new engine decided nothing");
        assert!(of(dir, "again", file).ends_with(&live), "{file}: a new engine is played as one");
    }
    let (first, last) = (restart_ms.to_string(), (restart_ms + 60_000).to_string());
    let part = replay(dir, "part", &["--from", &first, "--to", &last, "--speed", "1000"]);
    let twice = replay(dir, "twice", &["--from", &first, "--to", &last, "--loops", "2"]);
    let ticks = |summary: &Value| summary["ticks"].as_u64().unwrap();
    assert!(ticks(&part) > 0 && ticks(&twice) == 2 * ticks(&part), "{part} {twice}");
}

#[test]
fn a_city_whose_recording_is_ahead_of_its_ledger_goes_on_after_the_recording() {
    let ticked = |city: &Running| city.wait_for("ticks", || city.get("/healthz").1["tick"].as_u64() > Some(0));
    let city = Running::start_in(tempfile::tempdir().unwrap(), &RECORDED);
    ticked(&city);
    // As if it had been killed before its ledger had a tick, but its recording all.
    let kept = city.end();
    std::fs::remove_file(kept.path().join("ledger.sqlite")).unwrap();
    let city = Running::start_in(kept, &RECORDED);
    ticked(&city);
    let kept = city.end();
    replay(kept.path(), "again", &[]);
    assert_eq!(segments(kept.path()).len(), 2);
}

#[test]
fn what_changed_between_two_runs_is_told_and_by_the_exit_code() {
    let city = Running::start_in(tempfile::tempdir().unwrap(), &RECORDED);
    let_it_run(&city);
    let signals = city.dir.path().join("live/signals.jsonl");
    city.wait_for("stages of all kinds", || {
        std::fs::read_to_string(&signals).is_ok_and(|text| text.lines().count() > 60)
    });
    let mut changed = city.city.clone();
    let kept = city.end();
    let dir = kept.path();
    replay(dir, "again", &[]);
    let code = |done: &Output| done.status.code().unwrap();
    let same = nanming(dir, &["diff", "live", "again"]);
    assert_eq!(code(&same), 0, "{}{}", String::from_utf8_lossy(&same.stdout), said(&same));
    // Other plans, in a city whose numbers are the same.
    changed.junctions.iter_mut().for_each(|junction| junction.stages.iter_mut().for_each(|s| s.min_green_ms += 3_000));
    nanming::city_file::write(&changed, &dir.join("changed.json")).unwrap();
    replay(dir, "changed", &["--city", "changed.json"]);
    let differs = nanming(dir, &["diff", "live", "changed", "--json"]);
    let found: Value = serde_json::from_slice(&differs.stdout).unwrap();
    assert!(code(&differs) == 1 && found["same"] == false, "{found}");
    assert!(!found["signals"]["junctions"].as_object().unwrap().is_empty(), "{found}");
    assert_eq!(code(&nanming(dir, &["diff", "live", "nowhere"])), 2);
}

#[test]
fn a_recording_of_another_city_or_none_and_wrong_times_are_refused_with_what_to_do() {
    let city = Running::start_in(tempfile::tempdir().unwrap(), &RECORDED[4..]);
    city.wait_for("a block", || !city.measures("nanming_recorded_ticks_total 0"));
    let kept = city.end();
    let dir = kept.path();
    let refused = |options: &[&str], code: i32, words: &str| {
        let done = nanming(dir, &[&["replay", "--out", "x"], options].concat());
        assert_eq!(done.status.code(), Some(code), "{options:?}: {}", said(&done));
        assert!(said(&done).contains(words), "{options:?}: {}", said(&done));
    };
    let town = ["--city", "town.json"];
    refused(&["--recording", "recording"], 1, "--city");
    refused(&[&town[..], &["--recording", "live"]].concat(), 1, "nanming record");
    refused(&[&town[..], &["--recording", "recording", "--to", "1"]].concat(), 1, "--from to --to");
    refused(&[&town[..], &["--recording", "recording", "--from", "25:00"]].concat(), 2, "07:30");
    refused(&[&town[..], &["--recording", "recording", "--passages", "x.csv"]].concat(), 2, "--passages");
    refused(&town, 2, "--passages");
}

/// SUMO's program, or none with a loud word.
fn sumo() -> Option<PathBuf> {
    let find = "import sumo, os; print(os.path.join(sumo.SUMO_HOME, 'bin', 'sumo'))";
    let found = Command::new("python3").args(["-c", find]).output().ok().filter(|done| done.status.success());
    let path = found.map(|done| PathBuf::from(String::from_utf8_lossy(&done.stdout).trim()));
    let path = path.filter(|path| path.exists());
    if path.is_none() {
        eprintln!("SKIPPED: no SUMO (pip install eclipse-sumo)");
    }
    path
}

#[test]
fn what_sumo_writes_of_cologne_is_imported_and_played() {
    let (Some(sumo), Some(data)) = (sumo(), crate::replay::data()) else { return };
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let cologne = |file: &str| data.join("signal/cologne1").join(file).to_str().unwrap().to_owned();
    let (net, routes) = (cologne("cologne1.net.xml"), cologne("cologne1.rou.xml"));
    let town = nanming::city_file::load(Some(Path::new(&net)), 1).unwrap();
    let loops =
        town.lanes.iter().filter(|lane| town.cameras.iter().any(|c| c.lane.is_some_and(|(on, _)| on == lane.id)));
    let loops = loops.map(|lane| {
        format!(r#"<inductionLoop id="loop {0}" lane="{0}" pos="-2" period="60" file="loops.xml"/>"#, lane.name)
    });
    let loops = format!("<additional>{}</additional>", loops.collect::<String>());
    std::fs::write(dir.join("add.xml"), loops).unwrap();
    let mut simulation = Command::new(sumo);
    simulation.args(["-n", &net, "-r", &routes, "-a", "add.xml", "-b", "25200", "-e", "25800", "--seed", "1"]);
    simulation.args([
        "--fcd-output",
        "fcd.xml.gz",
        "--fcd-output.attributes",
        "lane,pos,speed,type",
        "--no-step-log",
        "true",
    ]);
    let done = simulation.current_dir(dir).output().unwrap();
    assert!(done.status.success(), "{}", said(&done));
    let import =
        ["import", "--json", "--city", &net, "--fcd", "fcd.xml.gz", "--detectors", "loops.xml", "--loops", "add.xml"];
    let done = nanming(dir, &[&import[..], &["--out", "recording"]].concat());
    assert!(done.status.success(), "{}", said(&done));
    let imported: Value = serde_json::from_slice(&done.stdout).unwrap();
    assert_eq!(imported["dead_letters"], json!({}), "{imported}");
    // Loops at the same places as the cameras count the same vehicles, but for those on their way at the end.
    let counted = counted(dir);
    let passed = imported["events"]["passages"].as_u64().unwrap();
    assert!(passed > 300 && counted.abs_diff(passed) <= passed / 20, "{passed} passages, {counted} counted by loops");
    let played = replay(dir, "out", &["--city", &net]);
    assert!(played["signal_commands"].as_u64().unwrap() > 10, "{played}");
    assert_eq!((&played["dead_letters"], &played["envelope_violations"]), (&json!(0), &json!(0)), "{played}");
}

/// Vehicles that the loops counted, in their own words.
fn counted(dir: &Path) -> u64 {
    let text = std::fs::read_to_string(dir.join("loops.xml")).unwrap();
    let counts = text.split("nVehEntered=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    counts.map(|n| n.parse::<u64>().unwrap()).sum()
}
