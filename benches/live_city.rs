//! The real `nanming run` with the reference city at 1x: its CPU, memory and tick latency, and how fast calls are accepted
//! and pushed at 20 calls/s, each beside its goal. Fails when one is missed.
//!
//! `cargo bench --bench live_city [-- SECONDS [WARM_UP_S]]`: after a warm-up (60 s) from 08:00, so many seconds (60) without
//! calls and as many with them. Latencies as a caller and a desk see them, over real sockets, both ends on this machine. Each
//! call is due at its time whether those before it were answered or not, and its latency counts from then. Each is withdrawn
//! after ten seconds: at this rate the city would soon have no unit left.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, Message};

mod measure;
use measure::Goals;
use measure::process::Process;

const CALLS_PER_S: u32 = 20;
/// A call is withdrawn so long after it was due.
const OPEN: Duration = Duration::from_secs(10);
/// Callers at once: what is due is sent even when this many less one are waiting for an answer.
const CALLERS: usize = 16;
/// The goals.
const CPU_PERCENT: f64 = 50.0;
const MEMORY_MB: f64 = 600.0;
const P99_MS: f64 = 10.0;

fn main() -> ExitCode {
    let mut numbers = std::env::args().filter_map(|a| a.parse().ok());
    let (seconds, warm_up_s) = (numbers.next().unwrap_or(60), numbers.next().unwrap_or(60));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let city = City::start();
    println!("{cores} cores; {seconds} s at 1x after {warm_up_s} s of warm-up, then as many at {CALLS_PER_S} calls/s");
    std::thread::sleep(Duration::from_secs(warm_up_s));
    let (before, began) = (city.0.cpu_s(), Instant::now());
    let ticks = city.histogram();
    std::thread::sleep(Duration::from_secs(seconds));
    let mut goals = Goals::default();
    let cpu = (city.0.cpu_s() - before) / began.elapsed().as_secs_f64();
    goals.most("cpu, % of one core", cpu * 100.0, CPU_PERCENT);
    goals.most("memory, MB resident", city.0.resident_mb(), MEMORY_MB);
    let quiet = city.histogram();
    within(&mut goals, "ticks", share_within(&ticks, &quiet));
    let calls = city.raise_calls(Duration::from_secs(seconds));
    within(&mut goals, "ticks with calls", share_within(&quiet, &city.histogram()));
    println!("                      accepted: {}", quantiles(&calls.accepted_ms));
    println!("                      pushed:   {}", quantiles(&calls.pushed_ms));
    goals.most("calls pushed, p99 ms", quantile(&calls.pushed_ms, 0.99), P99_MS);
    let lost = calls.due - calls.accepted_ms.len();
    goals.most("calls refused", lost as f64, 1.0);
    goals.most("calls never pushed", (calls.accepted_ms.len() - calls.pushed_ms.len()) as f64, 1.0);
    if !calls.never_pushed.is_empty() {
        println!("                      never pushed: {:?}", calls.never_pushed);
    }
    goals.verdict()
}

/// Whether 99 % of them took at most [`P99_MS`].
fn within(goals: &mut Goals, what: &str, (share, of): (f64, f64)) {
    goals.judge(what, share >= 0.99, format!("{:.2} % of {of} within {P99_MS} ms, to be 99", share * 100.0));
}

/// What became of the calls.
struct Calls {
    due: usize,
    accepted_ms: Vec<f64>,
    pushed_ms: Vec<f64>,
    never_pushed: Vec<u64>,
}

struct City(Process);

impl City {
    fn start() -> City {
        let dir = tempfile::tempdir().expect("a temporary directory");
        City(Process::start(dir, &["--start", "08:00"], &[]))
    }

    /// Ticks by upper edge of latency, s, from the metrics.
    fn histogram(&self) -> BTreeMap<String, f64> {
        let text = self.0.get("/metrics").expect("metrics");
        let lines = text.lines().filter_map(|l| l.strip_prefix("nanming_tick_latency_seconds_bucket{le=\""));
        lines
            .filter_map(|l| l.split_once("\"} "))
            .filter_map(|(le, n)| Some((le.to_owned(), n.parse().ok()?)))
            .collect()
    }

    /// Raises calls at a steady rate, and withdraws each later.
    fn raise_calls(&self, length: Duration) -> Calls {
        let heard = self.listen();
        let due = (length.as_secs_f64() * f64::from(CALLS_PER_S)) as u32;
        let (began, next) = (Instant::now() + Duration::from_millis(100), AtomicU32::new(0));
        let accepted = Mutex::<BTreeMap<u32, f64>>::default();
        let due_at = |n: u32| began + Duration::from_secs(1) / CALLS_PER_S * n;
        std::thread::scope(|scope| {
            for _ in 0..CALLERS {
                scope.spawn(|| {
                    while let Some(n) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|n| *n < due) {
                        sleep_until(due_at(n));
                        if self.post(n) {
                            lock(&accepted).insert(n, ms(due_at(n).elapsed()));
                        }
                    }
                });
            }
            scope.spawn(|| {
                for n in 0..due {
                    sleep_until(due_at(n) + OPEN);
                    if lock(&accepted).contains_key(&n) {
                        // One that its unit has closed meanwhile cannot be withdrawn.
                        let _ = self.0.agent.delete(self.0.url(&format!("/calls/{}", id(n)))).call();
                    }
                }
            });
        });
        self.post_last();
        let heard = heard.join().expect("the desk listens");
        let accepted = lock(&accepted);
        let pushed_ms = |n: &u32| heard.get(&id(*n)).map(|at| ms(at.saturating_duration_since(due_at(*n))));
        Calls {
            due: due as usize,
            accepted_ms: sorted(accepted.values().copied()),
            pushed_ms: sorted(accepted.keys().filter_map(pushed_ms)),
            never_pushed: accepted.keys().filter(|n| pushed_ms(n).is_none()).map(|n| id(*n)).collect(),
        }
    }

    /// A desk: when each call's first assignment was pushed.
    fn listen(&self) -> JoinHandle<BTreeMap<u64, Instant>> {
        let stream = TcpStream::connect(self.0.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time limit");
        let (mut desk, _) = tungstenite::client(format!("ws://{}/ws/desk", self.0.address), stream).expect("a desk");
        std::thread::spawn(move || {
            let mut heard = BTreeMap::new();
            while let Ok(message) = desk.read() {
                let Message::Text(text) = message else { continue };
                let frame: Value = serde_json::from_str(&text).unwrap_or_default();
                match (frame["type"].as_str(), frame["call"].as_u64()) {
                    (Some("assignment"), Some(call)) => drop(heard.entry(call).or_insert_with(Instant::now)),
                    (Some("call_status"), Some(LAST)) => break,
                    _ => {}
                }
            }
            heard
        })
    }

    /// Raises the call of a number; whether it was accepted.
    fn post(&self, n: u32) -> bool {
        let (lon, lat) = (106.59 + f64::from(n * 7 % 80) / 1000.0, 26.61 + f64::from(n * 13 % 80) / 1000.0);
        let priority = ["A", "B", "C"][n as usize % 3];
        self.raise(&json!({"id": id(n), "priority": priority, "lon": lon, "lat": lat, "words": "bench"}))
    }

    /// The call that ends the listening.
    fn post_last(&self) {
        let accepted = self.raise(&json!({"id": LAST, "priority": "C", "lon": 106.6, "lat": 26.62, "words": "bench"}));
        assert!(accepted, "the last call is accepted");
    }

    fn raise(&self, alarm: &Value) -> bool {
        self.0.agent.post(self.0.url("/calls")).send(alarm.to_string()).is_ok_and(|answer| answer.status() == 201)
    }
}

/// IDs of the bench's calls, and of the one that ends the listening.
const FIRST: u64 = 1_000_000;
const LAST: u64 = 999_999;

fn id(n: u32) -> u64 {
    FIRST + u64::from(n)
}

fn sleep_until(at: Instant) {
    std::thread::sleep(at.saturating_duration_since(Instant::now()));
}

fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn ms(length: Duration) -> f64 {
    length.as_secs_f64() * 1000.0
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Of sorted values; infinite when there is none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let row = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(row).copied().unwrap_or(f64::INFINITY)
}

fn quantiles(sorted: &[f64]) -> String {
    let at = |share| quantile(sorted, share);
    format!("{} times: p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms", sorted.len(), at(0.5), at(0.99), at(1.0))
}

/// The share of the ticks between two readings that took at most 10 ms, and how many there were.
fn share_within(before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>) -> (f64, f64) {
    let more = |le: &str| after.get(le).unwrap_or(&0.0) - before.get(le).unwrap_or(&0.0);
    (more("0.01") / more("+Inf"), more("+Inf"))
}
