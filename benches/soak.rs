//! The real `nanming run` with the reference city at ten times its pace, so at ten times its events a second, for three hours of
//! city time, in the first of which its streets fill: whether its memory stays as it is and no measure drifts. Callers, desks and
//! boards that come and go, and readers of every page are there all the time. Fails when a goal is missed.
//!
//! `cargo bench --bench soak [-- CITY_MINUTES [SPEED]]`: 180 minutes at 10. From 10:30 on, when traffic is about the same for
//! hours. Memory's slope is that of the last quarter, per hour of city time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use measure::process::{Process, value};
use measure::{Goals, numbers};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite;

mod measure;

/// A look at the process so often, ms of city time.
const LOOK_MS: u64 = 10_000;
/// Calls of ours a second, and how many of them stay open: the older ones are withdrawn.
const CALLS_PER_S: u32 = 2;
const OPEN: u64 = 20;
/// The first of our calls.
const FIRST: u64 = 1_000_000;
/// A desk and a board stay so long, and the next ones come.
const STAY: Duration = Duration::from_secs(5);
/// Pages that are read in turn.
const PAGES: [&str; 6] =
    ["/api/city", "/api/forecast", "/api/cover", "/api/travel/incidents", "/api/travel/roads", "/api/links.geojson"];
/// The goals: growth of memory, % an hour of city time; growth of a measure from the second quarter to the last.
const SLOPE_PERCENT: f64 = 1.0;
const DRIFT: f64 = 1.25;
/// Measures of what piles up where something leaks, and by how much they may grow whatever their size.
const PILES: [(&str, f64); 4] = [
    ("nanming_ticks_in_flight", 4.0),
    ("nanming_ledger_waiting_ticks", 1.0),
    ("nanming_event_streams_connected", 1.0),
    ("open files", 8.0),
];
/// Measures of how long something takes.
const TIMES: [&str; 4] = [
    "nanming_tick_latency_seconds",
    "nanming_ledger_commit_seconds",
    "nanming_assignment_push_seconds",
    "nanming_call_accept_seconds",
];

/// One look.
struct Look {
    city_s: f64,
    resident_mb: f64,
    own_mb: f64,
    open_files: f64,
    page: String,
}

fn main() -> ExitCode {
    let mut numbers = numbers();
    let (minutes, speed) = (numbers.next().unwrap_or(180), numbers.next().unwrap_or(10));
    let dir = tempfile::tempdir().expect("a temporary directory");
    let process = Process::start(dir, &["--start", "10:30", "--speed", &speed.to_string()], &[]);
    let (ends, raised) = (AtomicBool::new(false), AtomicU64::new(0));
    let looks = std::thread::scope(|scope| {
        scope.spawn(|| call(&process, &ends, &raised));
        scope.spawn(|| come_and_go(&process, &ends));
        scope.spawn(|| read(&process, &ends));
        let looks = look(&process, Duration::from_millis(LOOK_MS / speed), minutes as f64 * 60.0);
        ends.store(true, Ordering::Relaxed);
        looks
    });
    let mut goals = Goals::default();
    judge(&mut goals, &looks);
    truth(&mut goals, &process);
    println!("       {} calls raised by the bench", raised.into_inner());
    goals.verdict()
}

fn look(process: &Process, pause: Duration, city_s: f64) -> Vec<Look> {
    let mut looks: Vec<Look> = Vec::new();
    while looks.last().is_none_or(|last| last.city_s - looks[0].city_s < city_s) {
        std::thread::sleep(pause);
        let page = process.get("/metrics").expect("measures");
        let city_s = value(&page, "nanming_city_time_seconds").expect("the city's clock");
        let (resident_mb, own_mb) = (process.resident_mb(), process.own_mb());
        let open_files = process.open_files() as f64;
        looks.push(Look { city_s, resident_mb, own_mb, open_files, page });
    }
    looks
}

fn judge(goals: &mut Goals, looks: &[Look]) {
    let quarters: Vec<&[Look]> = looks.chunks(looks.len().div_ceil(4)).collect();
    let [first, second, third, last] = quarters[..] else { panic!("too few looks") };
    for (name, quarter) in [("first", first), ("second", second), ("third", third), ("last", last)] {
        let events = rate(quarter, |page| sum(page, "nanming_events_total"));
        let latencies = TIMES.map(|time| format!("{:.2}", mean_ms(quarter, time)));
        let of = |value: fn(&Look) -> f64| mean(quarter.iter().map(value));
        let (own_mb, resident_mb) = (of(|look| look.own_mb), of(|look| look.resident_mb));
        println!(
            "       {name} quarter: {own_mb:.1} MB and {:.0} MB of files, {events:.0} events a second of city time, {latencies:?} ms",
            resident_mb - own_mb
        );
    }
    let points: Vec<(f64, f64)> = last.iter().map(|look| (look.city_s / 3_600.0, look.own_mb)).collect();
    let (slope, level) = slope(&points);
    goals.most("memory, last quarter, growth in %/h", slope / level * 100.0, SLOPE_PERCENT);
    for (pile, allowed) in PILES {
        let of = |look: &Look| if pile == "open files" { look.open_files } else { sum(&look.page, pile) };
        let (before, after) = (mean(second.iter().map(of)), mean(last.iter().map(of)));
        let holds = after <= (before * DRIFT).max(before + allowed);
        goals.judge(pile, holds, format!("{before:.2}, then {after:.2}"));
    }
    for time in TIMES {
        let (before, after) = (mean_ms(second, time), mean_ms(last, time));
        goals.judge(time, after <= (before * DRIFT).max(before + 1.0), format!("{before:.2}, then {after:.2} ms"));
    }
}

/// Whether measures that go up and down still tell what is.
fn truth(goals: &mut Goals, process: &Process) {
    process.wait_for("the last board's end", || process.measure("nanming_event_streams_connected") == Some(0.0));
    let page = process.get("/metrics").expect("measures");
    let of = |name: &str| sum(&page, name);
    let (by_urgency, by_place) = (of("nanming_calls_open"), of("nanming_district_calls_open"));
    goals.judge("open calls", by_urgency == by_place, format!("{by_urgency} by urgency, {by_place} by district"));
    // One counts units by what they said last, the other by what they are given: a word on its way is in one of them.
    let (all, by_place) = (of("nanming_units_available"), of("nanming_district_units_available"));
    goals.judge("units available", (all - by_place).abs() <= 5.0, format!("{all} in all, {by_place} by district"));
}

/// Raises calls, and withdraws each a little later.
fn call(process: &Process, ends: &AtomicBool, raised: &AtomicU64) {
    for n in 0.. {
        if ends.load(Ordering::Relaxed) {
            return;
        }
        let (lon, lat) = (106.59 + (n * 7 % 80) as f64 / 1000.0, 26.61 + (n * 13 % 80) as f64 / 1000.0);
        let priority = ["A", "B", "C"][n as usize % 3];
        let alarm = json!({"id": FIRST + n, "priority": priority, "lon": lon, "lat": lat, "words": "soak"});
        let answer = process.agent.post(process.url("/calls")).send(alarm.to_string());
        raised.fetch_add(u64::from(answer.is_ok_and(|answer| answer.status() == 201)), Ordering::Relaxed);
        if n >= OPEN {
            // One that its unit has closed meanwhile cannot be withdrawn.
            let _ = process.agent.delete(process.url(&format!("/calls/{}", FIRST + n - OPEN))).call();
        }
        std::thread::sleep(Duration::from_secs(1) / CALLS_PER_S);
    }
}

/// Desks and boards that listen for a while and leave.
fn come_and_go(process: &Process, ends: &AtomicBool) {
    let board = format!("GET /api/events HTTP/1.1\r\nHost: {}\r\n\r\n", process.address);
    let connected = || {
        let stream = TcpStream::connect(process.address).ok()?;
        stream.set_read_timeout(Some(STAY)).ok()?;
        Some(stream)
    };
    while !ends.load(Ordering::Relaxed) {
        let (Some(desk), Some(mut stream)) = (connected(), connected()) else { continue };
        let began = Instant::now();
        let Ok((mut desk, _)) = tungstenite::client(format!("ws://{}/ws/desk", process.address), desk) else {
            continue;
        };
        let mut told = [0; 1 << 16];
        let _asked = stream.write_all(board.as_bytes());
        while began.elapsed() < STAY && stream.read(&mut told).is_ok_and(|n| n > 0) {}
        // The desk has been told all the while, and hears it now.
        while began.elapsed() < STAY * 2 && desk.read().is_ok() {}
    }
}

fn read(process: &Process, ends: &AtomicBool) {
    for page in PAGES.into_iter().cycle() {
        if ends.load(Ordering::Relaxed) {
            return;
        }
        let _: Option<Value> = process.get(page).and_then(|text| serde_json::from_str(&text).ok());
        std::thread::sleep(Duration::from_millis(500));
    }
}

/// All lines of a measure together.
fn sum(page: &str, name: &str) -> f64 {
    let value = |line: &str| {
        let rest = line.strip_prefix(name).filter(|rest| rest.starts_with(['{', ' ']))?;
        rest.rsplit(' ').next()?.parse::<f64>().ok()
    };
    let values: Vec<f64> = page.lines().filter_map(value).collect();
    assert!(!values.is_empty(), "there is no measure {name}");
    values.iter().sum()
}

/// How much something grows, per second of city time.
fn rate(looks: &[Look], of: impl Fn(&str) -> f64) -> f64 {
    let (first, last) = (&looks[0], &looks[looks.len() - 1]);
    (of(&last.page) - of(&first.page)) / (last.city_s - first.city_s)
}

/// How long something took on average between the first look and the last, ms.
fn mean_ms(looks: &[Look], time: &str) -> f64 {
    let more = |end: &str| rate(looks, |page| sum(page, &format!("{time}_{end}")));
    more("sum") / more("count").max(f64::MIN_POSITIVE) * 1e3
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (n, sum) = values.fold((0.0, 0.0), |(n, sum), value| (n + 1.0, sum + value));
    sum / f64::max(n, 1.0)
}

/// The line of least squares through points: its slope, and its mean height.
fn slope(points: &[(f64, f64)]) -> (f64, f64) {
    let (x_mean, y_mean) = (mean(points.iter().map(|p| p.0)), mean(points.iter().map(|p| p.1)));
    let xy: f64 = points.iter().map(|(x, y)| (x - x_mean) * (y - y_mean)).sum();
    let xx: f64 = points.iter().map(|(x, _)| (x - x_mean).powi(2)).sum();
    (xy / xx.max(f64::MIN_POSITIVE), y_mean)
}
