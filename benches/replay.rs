//! A recorded flood of passages through the engine with all views, for the reference city: decoding alone, replays at the
//! highest speed and at ten times the city's, the same passages as JSON Lines, and the same traffic past more cameras. Each
//! figure beside its goal. Fails when one is missed.
//!
//! `cargo bench --bench replay [-- SECONDS [PASSAGES_PER_S]]`: so many seconds (600) of city time, at a passage a second
//! from every one of the 105,000 cameras. More would be no traffic: one a second is all that a lane carries. Every
//! measurement runs in a process of its own, so that its peak memory is its own. Needs 16 bytes on the disk for every
//! passage, and 140 more for a third of them.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crossbeam_channel::bounded;
use measure::passages::{CITY_PER_S, START_MS, decoded, lines, make, recording};
use measure::{Goals, Measured, answered, child, numbers, rate};
use nanming::engine::Engine;
use nanming::ingest::{Callers, Plates, Validator};
use nanming::replay::{ReplayArgs, Speed, recorded};
use nanming_dataflows::event::{Batch, Event};
use nanming_dataflows::keyed::Tick;
use nanming_dataflows::network::City;
use nanming_simulators::guiyang;

mod measure;

/// How many times as fast as the city the engine is to be.
const FASTER: f64 = 10.0;
/// The goals.
const PASSAGES_PER_S: f64 = 1_050_000.0;
const DECODED_PER_S: f64 = 5_000_000.0;
const LINES_PER_S: f64 = 300_000.0;
const P99_MS: f64 = 10.0;
const PEAK_MB: f64 = 1024.0;
/// Cost of a passage with more cameras, as a ratio.
const FLAT: f64 = 1.15;

fn main() -> ExitCode {
    if answered(measure) {
        return ExitCode::SUCCESS;
    }
    let mut numbers = numbers();
    let (seconds, per_s) = (numbers.next().unwrap_or(600), numbers.next().unwrap_or(CITY_PER_S));
    let dir = tempfile::tempdir().expect("a temporary directory");
    make(dir.path(), &city(1), seconds, per_s, seconds * per_s / 3);
    let mut goals = Goals::default();
    let run = |what: &str, number: usize| child(what, dir.path(), number);
    goals.least("decoded alone, passages/s", run("decode", 1)["per_s"], DECODED_PER_S);
    for workers in [1, 2] {
        let played = run("max", workers);
        if workers == 2 {
            goals.least("2 workers, passages/s", played["per_s"], PASSAGES_PER_S);
        } else {
            println!("       1 worker                                   {:.0} passages/s", played["per_s"]);
        }
        goals.most(&format!("{workers} workers, tick p99 ms"), played["p99_ms"], P99_MS);
        goals.most(&format!("{workers} workers, peak MB"), played["peak_mb"], PEAK_MB);
        println!("       tick p50 {:.1} ms; the work of {:.2} cores", played["p50_ms"], played["cores"]);
    }
    let paced = run("paced", 2);
    goals.most("at ten times the city's pace, tick p99 ms", paced["p99_ms"], P99_MS);
    println!("       tick p50 {:.1} ms at {:.0} passages/s", paced["p50_ms"], paced["per_s"]);
    println!("       JSON Lines decoded alone       {:.0} lines/s", run("lines", 0)["per_s"]);
    let lines = run("lines", 1);
    goals.least("JSON Lines to decisions, lines/s", lines["per_s"], LINES_PER_S);
    goals.most("JSON Lines, peak MB", lines["peak_mb"], PEAK_MB);
    more_cameras(&mut goals, seconds * per_s / 4);
    goals.verdict()
}

/// The same traffic past more cameras: the cost of a passage, of so many each time.
fn more_cameras(goals: &mut Goals, passages: u64) {
    let cost_ns = |times: usize| {
        let (dir, per_s) = (tempfile::tempdir().expect("a temporary directory"), CITY_PER_S * times as u64);
        make(dir.path(), &city(times), passages / per_s, per_s, 0);
        child("cameras", dir.path(), times)["cpu_ns"]
    };
    let once_ns = cost_ns(1);
    for times in [2, 4, 8] {
        let ratio = cost_ns(times) / once_ns;
        goals.most(&format!("{times} times the cameras, cost of a passage"), ratio, FLAT);
    }
}

/// The reference city with so many times its cameras.
fn city(times: usize) -> Arc<City> {
    Arc::new(guiyang::with_cameras(1, 105_000 * times))
}

fn measure(what: &str, dir: &Path, number: usize) -> Measured {
    let city = city(if what == "cameras" { number } else { 1 });
    match what {
        "decode" => rate(|| decoded(dir, &city, |_, passages| passages.len() as u64)),
        "max" => played(dir, &city, number, Speed::Max),
        "paced" => played(dir, &city, number, Speed::Times(FASTER)),
        "cameras" => played(dir, &city, 1, Speed::Max),
        _ if number == 0 => rate(|| read_lines(dir, &city, |_| {})),
        _ => lines_played(dir, &city, number),
    }
}

fn played(dir: &Path, city: &Arc<City>, workers: usize, speed: Speed) -> Measured {
    let args = ReplayArgs {
        city: None,
        seed: 1,
        recording: Some(recording(dir)),
        from: None,
        to: None,
        rosters: Vec::new(),
        loops: 1,
        passages: None,
        signals: None,
        calls: None,
        units: 0,
        speed,
        workers,
        out: dir.join("out"),
        json: true,
        cluster: Default::default(),
    };
    let mut latencies = Measured::new();
    let mut measured = rate(|| {
        let (_, figures) =
            recorded::play(&args, &recording(dir), city, None, &AtomicBool::new(false)).expect("a replay");
        latencies.insert("p50_ms".into(), figures.latency_ms(0.5));
        latencies.insert("p99_ms".into(), figures.latency_ms(0.99));
        figures.passages
    });
    measured.extend(latencies);
    measured
}

/// Lines to events; each batch of them is given away.
fn read_lines(dir: &Path, city: &Arc<City>, mut take: impl FnMut(Batch)) -> u64 {
    let validator = Validator::new(Arc::clone(city), Plates::new("bench"), Callers::new("bench"), 5_000, u64::MAX);
    let mut reader = BufReader::with_capacity(1 << 20, File::open(lines(dir)).expect("lines"));
    let (mut line, mut batch, mut lines) = (Vec::new(), Batch::default(), 0);
    while reader.read_until(b'\n', &mut line).expect("lines") > 0 {
        match validator.event(line.trim_ascii(), u64::MAX / 2) {
            Ok((Event::Passage(passage), None)) => batch.passages.push(passage),
            other => panic!("a line is no passage: {other:?}"),
        }
        line.clear();
        lines += 1;
        if batch.passages.len() == 4_000 {
            take(std::mem::take(&mut batch));
        }
    }
    take(batch);
    lines
}

/// Lines to decisions: a thread reads and checks, this one drives the engine.
fn lines_played(dir: &Path, city: &Arc<City>, workers: usize) -> Measured {
    let mut engine = Engine::start(city, workers);
    rate(|| {
        std::thread::scope(|scope| {
            let (sender, batches) = bounded(4);
            let reading = scope.spawn(move || read_lines(dir, city, |batch| sender.send(batch).expect("an engine")));
            let mut tick = START_MS;
            for batch in batches {
                tick = batch.passages.iter().map(|p| p.time_ms).max().unwrap_or(0).max(tick + 1);
                engine.submit(tick, batch, Tick::default()).expect("an engine");
                if engine.in_flight() >= 4 {
                    engine.finished().expect("an engine");
                }
            }
            while engine.in_flight() > 0 {
                engine.finished().expect("an engine");
            }
            reading.join().expect("a reader")
        })
    })
}
