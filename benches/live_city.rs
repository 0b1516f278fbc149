//! The real `nanming run` with the reference city at 1x: its CPU, memory and tick latency, and how fast calls are accepted
//! and pushed at 20 calls/s.
//!
//! `cargo bench --bench live_city [-- SECONDS [WARM_UP_S]]`: after a warm-up (60 s) from 08:00, so many seconds (60) without
//! calls and as many with them. Latencies as a caller and a desk see them, over real sockets, both ends on this machine. Each
//! call is withdrawn after ten seconds: at this rate the city would soon have no unit left.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, Message};

const CALLS_PER_S: u32 = 20;
/// Calls after which a call is withdrawn.
const OPEN_CALLS: u32 = 10 * CALLS_PER_S;

fn main() {
    let mut numbers = std::env::args().filter_map(|a| a.parse().ok());
    let (seconds, warm_up_s) = (numbers.next().unwrap_or(60), numbers.next().unwrap_or(60));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let city = City::start();
    city.wait_until_it_answers();
    std::thread::sleep(Duration::from_secs(warm_up_s));
    let (before, began) = (city.cpu_s(), Instant::now());
    let ticks = city.histogram();
    std::thread::sleep(Duration::from_secs(seconds));
    let cpu = (city.cpu_s() - before) / began.elapsed().as_secs_f64();
    println!("{cores} cores, {seconds} s at 1x after {warm_up_s} s of warm-up");
    println!("cpu           {:.1} % of one core", cpu * 100.0);
    println!("memory        {:.0} MB resident", city.resident_mb());
    let quiet = city.histogram();
    println!("tick latency  {}", share_within_10_ms(&ticks, &quiet));
    let (accepted, pushed, sent) = city.raise_calls(Duration::from_secs(seconds));
    println!("{sent} calls at {CALLS_PER_S}/s");
    println!("accepted      {}", quantiles(accepted));
    println!("pushed        {}", quantiles(pushed));
    println!("tick latency  {} with calls", share_within_10_ms(&quiet, &city.histogram()));
}

struct City {
    child: Child,
    address: SocketAddr,
    agent: ureq::Agent,
    _dir: tempfile::TempDir,
}

impl City {
    fn start() -> City {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let address = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
        let child = Command::new(env!("CARGO_BIN_EXE_nanming"))
            .args(["run", "--start", "08:00", "--listen", &address.to_string(), "--ledger", "ledger.sqlite"])
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nanming starts");
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(5))).build();
        City { child, address, agent: config.into(), _dir: dir }
    }

    fn get(&self, path: &str) -> Option<String> {
        let url = format!("http://{}{path}", self.address);
        self.agent.get(url).call().ok()?.body_mut().read_to_string().ok()
    }

    fn wait_until_it_answers(&self) {
        let began = Instant::now();
        while self.get("/healthz").is_none() {
            assert!(began.elapsed() < Duration::from_secs(30), "the city does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// CPU time of the process so far, s (`/proc`, 100 ticks a second on Linux).
    fn cpu_s(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id())).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let fields: Vec<f64> = after_name.split_whitespace().filter_map(|f| f.parse().ok()).collect();
        // State is no number and drops out: utime and stime are the fields 14 and 15 of the line.
        fields.get(10..12).map_or(0.0, |t| t.iter().sum::<f64>() / 100.0)
    }

    fn resident_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or_default();
        line.split_whitespace().next().and_then(|kb| kb.parse::<f64>().ok()).unwrap_or(0.0) / 1000.0
    }

    /// Ticks by upper edge of latency, s, from the metrics.
    fn histogram(&self) -> BTreeMap<String, f64> {
        let text = self.get("/metrics").expect("metrics");
        let lines = text.lines().filter_map(|l| l.strip_prefix("nanming_tick_latency_seconds_bucket{le=\""));
        lines
            .filter_map(|l| l.split_once("\"} "))
            .filter_map(|(le, n)| Some((le.to_owned(), n.parse().ok()?)))
            .collect()
    }

    /// Raises calls at a steady rate; latencies of acceptance and of push to a desk, ms, and the number sent.
    fn raise_calls(&self, length: Duration) -> (Vec<f64>, Vec<f64>, usize) {
        let stream = TcpStream::connect(self.address).expect("a connection");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a time limit");
        let (mut desk, _) = tungstenite::client(format!("ws://{}/ws/desk", self.address), stream).expect("a desk");
        let heard = std::thread::spawn(move || {
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
        });
        let pause = Duration::from_secs(1) / CALLS_PER_S;
        let (began, url) = (Instant::now(), format!("http://{}/calls", self.address));
        let (mut posted, mut accepted) = (BTreeMap::new(), Vec::new());
        let mut next = 0;
        while began.elapsed() < length {
            std::thread::sleep((pause * next).saturating_sub(began.elapsed()));
            next += 1;
            let call = FIRST + u64::from(next);
            self.post(&url, call, next, &mut posted, &mut accepted);
            if next > OPEN_CALLS {
                self.agent
                    .delete(format!("{url}/{}", call - u64::from(OPEN_CALLS)))
                    .call()
                    .expect("a call is withdrawn");
            }
        }
        std::thread::sleep(Duration::from_secs(2));
        self.post(&url, LAST, 0, &mut BTreeMap::new(), &mut Vec::new());
        let heard = heard.join().expect("the desk listens");
        let pushed =
            posted.iter().filter_map(|(call, at)| Some((*heard.get(call)? - *at).as_secs_f64() * 1000.0)).collect();
        (accepted, pushed, posted.len())
    }

    fn post(&self, url: &str, call: u64, n: u32, posted: &mut BTreeMap<u64, Instant>, accepted: &mut Vec<f64>) {
        let (lon, lat) = (106.59 + f64::from(n * 7 % 80) / 1000.0, 26.61 + f64::from(n * 13 % 80) / 1000.0);
        let priority = ["A", "B", "C"][n as usize % 3];
        let alarm = json!({"id": call, "priority": priority, "lon": lon, "lat": lat, "words": "bench"});
        let began = Instant::now();
        posted.insert(call, began);
        let answer = self.agent.post(url).send(alarm.to_string()).expect("a call is accepted");
        assert_eq!(answer.status(), 201);
        accepted.push(began.elapsed().as_secs_f64() * 1000.0);
    }
}

/// IDs of the bench's calls, and of the one that ends the listening.
const FIRST: u64 = 1_000_000;
const LAST: u64 = 999_999;

impl Drop for City {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn quantiles(mut ms: Vec<f64>) -> String {
    ms.sort_by(f64::total_cmp);
    let at = |share: f64| {
        ms.get(((ms.len() as f64 * share) as usize).min(ms.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
    };
    format!("{} times: p50 {:.1} ms, p99 {:.1} ms, longest {:.1} ms", ms.len(), at(0.5), at(0.99), at(1.0))
}

fn share_within_10_ms(before: &BTreeMap<String, f64>, after: &BTreeMap<String, f64>) -> String {
    let more = |le: &str| after.get(le).unwrap_or(&0.0) - before.get(le).unwrap_or(&0.0);
    format!("{:.2} % of {} ticks within 10 ms", more("0.01") * 100.0 / more("+Inf"), more("+Inf"))
}
