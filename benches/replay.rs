//! A recorded flood of passages through the engine with all views, for the reference city: decoding alone, a hand-written
//! loop over the same bytes, replays at the highest speed and at ten times the city's, and the same passages as JSON Lines.
//! Each figure beside its goal. Fails when one is missed.
//!
//! `cargo bench --bench replay [-- SECONDS [PASSAGES_PER_S]]`: so many seconds (600) of city time, at a passage a second
//! from every one of the 105,000 cameras. More would be no traffic: one a second is all that a lane carries. Every
//! measurement runs in a process of its own, so that its peak memory is its own. Needs 16 bytes on the disk for every
//! passage, and 140 more for a third of them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use crossbeam_channel::bounded;
use nanming::engine::Engine;
use nanming::ingest::{Callers, Plates, Validator};
use nanming::recording::{Bounds, Recording, Writer};
use nanming::replay::{ReplayArgs, Speed, recorded};
use nanming_dataflows::Time;
use nanming_dataflows::event::{Batch, Event, Passage};
use nanming_dataflows::keyed::Tick;
use nanming_dataflows::network::City;
use nanming_simulators::flood::Flood;
use nanming_simulators::guiyang;

/// City time of a tick, ms: that of the live door under load.
const TICK_MS: u64 = 20;
/// Passages that all cameras of the city see, and how many times as fast the engine is to be.
const CITY_PER_S: u64 = 105_000;
const FASTER: f64 = 10.0;
/// 08:00 of a January day in Guiyang.
const START_MS: u64 = 1_767_657_600_000;
/// Width of the windows in which the hand-written loop counts, ms.
const WINDOW_MS: u64 = 10_000;
/// The goals.
const PASSAGES_PER_S: f64 = 1_050_000.0;
const DECODED_PER_S: f64 = 5_000_000.0;
const LINES_PER_S: f64 = 300_000.0;
const P99_MS: f64 = 10.0;
const PEAK_MB: f64 = 1024.0;
const OF_THE_LOOP: f64 = 0.25;

/// What a child measures, by name.
type Measured = BTreeMap<String, f64>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    if let [child, what, dir, workers] = arguments.as_slice()
        && child == "child"
    {
        let measured = measure(what, Path::new(dir), workers.parse().unwrap_or(1));
        println!("{}", serde_json::to_string(&measured).unwrap_or_default());
        return ExitCode::SUCCESS;
    }
    let mut numbers = arguments.iter().filter_map(|a| a.parse().ok());
    let (seconds, per_s) = (numbers.next().unwrap_or(600), numbers.next().unwrap_or(CITY_PER_S));
    let dir = tempfile::tempdir().expect("a temporary directory");
    make(dir.path(), seconds, per_s);
    let mut goals = Goals::default();
    let run = |what: &str, workers: usize| child(what, dir.path(), workers);
    goals.least("decoded alone, passages/s", run("decode", 1)["per_s"], DECODED_PER_S);
    let limit = run("loop", 1)["per_s"];
    println!("       counted by a loop, 1 thread    {limit:.0} passages/s");
    for workers in [1, 2] {
        let played = run("max", workers);
        goals.least(&format!("{workers} workers, passages/s"), played["per_s"], PASSAGES_PER_S);
        goals.least(&format!("{workers} workers, share of the loop"), played["per_s"] / limit, OF_THE_LOOP);
        goals.most(&format!("{workers} workers, tick p99 ms"), played["p99_ms"], P99_MS);
        goals.most(&format!("{workers} workers, peak MB"), played["peak_mb"], PEAK_MB);
        println!("       tick p50 {:.1} ms; the work of {:.2} cores", played["p50_ms"], played["cores"]);
    }
    let paced = run("paced", 1);
    goals.most("at ten times the city's pace, tick p99 ms", paced["p99_ms"], P99_MS);
    println!("       tick p50 {:.1} ms at {:.0} passages/s", paced["p50_ms"], paced["per_s"]);
    println!("       JSON Lines decoded alone       {:.0} lines/s", run("lines", 0)["per_s"]);
    let lines = run("lines", 1);
    goals.least("JSON Lines to decisions, lines/s", lines["per_s"], LINES_PER_S);
    goals.most("JSON Lines, peak MB", lines["peak_mb"], PEAK_MB);
    goals.verdict()
}

/// What was asked for, and whether it was reached.
#[derive(Default)]
struct Goals {
    missed: usize,
}

impl Goals {
    fn least(&mut self, what: &str, value: f64, goal: f64) {
        self.judge(what, value >= goal, format!("{value:.2}, to be at least {goal}"));
    }

    fn most(&mut self, what: &str, value: f64, goal: f64) {
        self.judge(what, value < goal, format!("{value:.1}, to be below {goal}"));
    }

    fn judge(&mut self, what: &str, reached: bool, said: String) {
        println!("{} {what:<30}  {said}", if reached { "ok    " } else { "MISSED" });
        self.missed += usize::from(!reached);
    }

    fn verdict(&self) -> ExitCode {
        if self.missed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

fn city() -> Arc<City> {
    Arc::new(guiyang::generate(1))
}

fn recording(dir: &Path) -> PathBuf {
    dir.join("recording")
}

fn lines(dir: &Path) -> PathBuf {
    dir.join("passages.jsonl")
}

/// Makes the recording, and the first third of it as JSON Lines.
fn make(dir: &Path, seconds: u64, per_s: u64) {
    let city = city();
    let mut flood = Flood::new(&city, per_s, START_MS, 1);
    let bounds = Bounds { segment_bytes: 256 << 20, keep_ms: None };
    let mut writer = Writer::open(&recording(dir), &city, "bench", bounds).expect("a recording");
    let mut out = BufWriter::new(File::create(lines(dir)).expect("a file"));
    let (began, mut passages, mut bytes) = (Instant::now(), 0, 0);
    let ticks = seconds * 1000 / TICK_MS;
    for n in 1..=ticks {
        let mut batch = Batch::default();
        flood.step(TICK_MS, &mut batch.passages);
        passages += batch.passages.len();
        if n <= ticks / 3 {
            batch.passages.iter().for_each(|p| writeln!(out, "{}", line(&city, p)).expect("room on the disk"));
        }
        writer.write(START_MS + n * TICK_MS, 0, &batch).expect("room on the disk");
    }
    writer.finish().and(Ok(out.flush())).expect("room on the disk").expect("room on the disk");
    for entry in std::fs::read_dir(recording(dir)).expect("a recording").flatten() {
        bytes += entry.metadata().map_or(0, |file| file.len());
    }
    let (took_s, each) = (began.elapsed().as_secs_f64(), bytes as f64 / passages as f64);
    println!("{passages} passages in {seconds} s of the city, {each:.1} bytes each; recorded in {took_s:.1} s");
}

/// A passage as docs/events.md has it.
fn line(city: &City, p: &Passage) -> String {
    let (camera, kmh) = (&city.cameras[p.camera.index()].name, f64::from(p.speed_mm_s) * 3.6 / 1000.0);
    let (time_ms, plate) = (p.time_ms, p.vehicle.0 % 100_000);
    format!(
        r#"{{"type":"passage","time_ms":{time_ms},"camera":"{camera}","plate":"贵A{plate:05}","speed_kmh":{kmh:.1},"class":"car"}}"#
    )
}

/// A measurement in a process of its own.
fn child(what: &str, dir: &Path, workers: usize) -> Measured {
    let myself = std::env::current_exe().expect("a path of its own");
    let done =
        Command::new(myself).args(["child", what]).arg(dir).arg(workers.to_string()).output().expect("a process");
    assert!(done.status.success(), "{what}: {}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&done.stdout).expect("figures")
}

fn measure(what: &str, dir: &Path, workers: usize) -> Measured {
    let city = city();
    let mut measured = match what {
        "decode" => rate(|| decoded(dir, &city, |_, passages| passages.len() as u64)),
        "loop" => counted(dir, &city),
        "max" => played(dir, &city, workers, Speed::Max),
        "paced" => played(dir, &city, workers, Speed::Times(FASTER)),
        _ if workers == 0 => rate(|| read_lines(dir, &city, |_| {})),
        _ => lines_played(dir, &city, workers),
    };
    measured.insert("peak_mb".into(), status_mb("VmHWM:"));
    measured
}

fn rate(work: impl FnOnce() -> u64) -> Measured {
    let (began, cpu_s) = (Instant::now(), cpu_s());
    let done = work();
    let wall_s = began.elapsed().as_secs_f64();
    let cores = (self::cpu_s() - cpu_s) / wall_s;
    [("per_s".to_owned(), done as f64 / wall_s), ("cores".to_owned(), cores)].into()
}

/// Every tick's passages on this thread; the sum of what is made of them.
fn decoded(dir: &Path, city: &Arc<City>, mut tick: impl FnMut(Time, &[Passage]) -> u64) -> u64 {
    let recording = Recording::open(&recording(dir), city).expect("a recording");
    let (from, to) = recording.span();
    let blocks = recording.ticks(from, to).map(|block| block.expect("a block"));
    blocks.flatten().map(|recorded| tick(recorded.tick, &recorded.batch.passages)).sum()
}

/// Vehicles and their mean speed on each link in windows: what any engine over these bytes must at least do.
fn counted(dir: &Path, city: &Arc<City>) -> Measured {
    let link_of =
        |camera: &nanming_dataflows::network::Camera| camera.lane.map_or(0, |(lane, _)| city.link_of(lane).id.0);
    let links: Vec<u32> = city.cameras.iter().map(link_of).collect();
    let (mut windows, mut end, mut shown) = (vec![(0_u32, 0_u64); city.links.len()], START_MS + WINDOW_MS, 0_u64);
    let measured = rate(|| {
        decoded(dir, city, |tick, passages| {
            if tick > end {
                shown += windows.iter().map(|(n, sum)| sum / u64::from(*n).max(1)).sum::<u64>();
                windows.fill((0, 0));
                end += WINDOW_MS;
            }
            for passage in passages {
                let window = &mut windows[links[passage.camera.index()] as usize];
                *window = (window.0 + 1, window.1 + u64::from(passage.speed_mm_s));
            }
            passages.len() as u64
        })
    });
    shown += windows.iter().map(|(n, _)| u64::from(*n)).sum::<u64>();
    assert!(shown > 0, "the windows held nothing");
    measured
}

fn played(dir: &Path, city: &Arc<City>, workers: usize, speed: Speed) -> Measured {
    let args = ReplayArgs {
        city: None,
        seed: 1,
        recording: Some(recording(dir)),
        from: None,
        to: None,
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
    let mut engine = Engine::start(city, workers, &[]);
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

/// CPU time of this process so far, s (`/proc`, 100 ticks a second on Linux).
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<f64> = after_name.split_whitespace().filter_map(|f| f.parse().ok()).collect();
    // State is no number and drops out: utime and stime are the fields 14 and 15 of the line.
    fields.get(10..12).map_or(0.0, |t| t.iter().sum::<f64>() / 100.0)
}

fn status_mb(name: &str) -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix(name)).unwrap_or_default();
    line.split_whitespace().next().and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1000.0
}
