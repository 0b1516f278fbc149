//! Passages of the reference city in binary, through a real Kafka broker on the same machine, into the live engine with all
//! its views: how many a second, beside the goal. Fails when it is missed.
//!
//! `cargo bench --bench kafka [-- SECONDS [RATE [WORKERS]]]`: so many seconds (60) of city time at so many passages a second
//! (300,000) are written into the topic first; then the engine is started and reads them as fast as it can. The rate counts
//! from a fifth of them on to nine tenths. `tests/kafka.sh install` fetches the broker.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nanming::ingest::protobuf::{VERSION, v1};
use nanming::ingest::{Callers, Plates, Validator};
use nanming_dataflows::event::Passage;
use nanming_dataflows::network::City;
use nanming_simulators::flood::Flood;
use nanming_simulators::guiyang;
use prost::Message;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::types::RDKafkaErrorCode;

mod measure;
use measure::process::Process;
use measure::{Goals, cpu_s_of, status_mb};

/// Passages a second through the broker, and decoded by one core alone.
const GOAL: f64 = 210_000.0;
const DECODING_GOAL: f64 = 2_000_000.0;
/// Passages in a message, and partitions of the topic.
const IN_A_MESSAGE: usize = 1_000;
const PARTITIONS: i32 = 4;
const TOPIC: &str = "nanming.passages";

fn main() -> ExitCode {
    let mut numbers = std::env::args().filter_map(|a| a.parse::<u64>().ok());
    let (seconds, rate, workers) =
        (numbers.next().unwrap_or(60), numbers.next().unwrap_or(300_000), numbers.next().unwrap_or(1));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let city = Arc::new(guiyang::generate(1));
    let decoded = decoding(&city, rate);
    let broker = Broker::start();
    broker.make_topic();
    let passages = broker.fill(&city, seconds, rate);
    println!("{cores} cores, {workers} workers; {passages} passages in the topic, {IN_A_MESSAGE} a message");
    let engine = Engine::start(&broker, workers);
    let (read, p99) = engine.read(passages);
    let mut goals = Goals::default();
    goals.least("passages/s decoded, one core", decoded, DECODING_GOAL);
    goals.least("passages/s through Kafka to decisions", read, GOAL);
    println!("       {p99}");
    println!("       engine {}; broker {}", used(engine.0.id()), used(broker.java()));
    goals.verdict()
}

/// How many passages a second one core decodes and checks.
fn decoding(city: &Arc<City>, rate: u64) -> f64 {
    let validator = Validator::new(Arc::clone(city), Plates::new("bench"), Callers::new("bench"), 5_000, u64::MAX);
    let mut passages = Vec::new();
    Flood::new(city, rate, now_ms(), 1).step(1_000, &mut passages);
    let messages: Vec<Vec<u8>> = passages.chunks(IN_A_MESSAGE).map(|part| message(city, part)).collect();
    let (began, mut taken) = (Instant::now(), 0);
    for _ in 0..10 {
        for raw in &messages {
            taken += validator.protobuf(raw, now_ms(), &mut |_, unfit, _| panic!("{unfit}")).events.len();
        }
    }
    assert_eq!(taken, 10 * passages.len());
    taken as f64 / began.elapsed().as_secs_f64()
}

fn message(city: &City, passages: &[Passage]) -> Vec<u8> {
    let base_ms = passages[0].time_ms;
    let mut columns = v1::Passages { base_ms, ..v1::Passages::default() };
    let mut rows = std::collections::HashMap::new();
    for passage in passages {
        let row = *rows.entry(passage.camera).or_insert_with(|| {
            columns.devices.push(city.cameras[passage.camera.index()].name.clone());
            columns.devices.len() as u32 - 1
        });
        columns.camera.push(row);
        columns.offset_ms.push((passage.time_ms as i64 - base_ms as i64) as i32);
        columns.vehicle.push(passage.vehicle.0);
        columns.speed_mm_s.push(passage.speed_mm_s);
    }
    v1::Batch { version: VERSION, passages: Some(columns), ..v1::Batch::default() }.encode_to_vec()
}

struct Broker {
    process: Child,
    address: SocketAddr,
    _dir: tempfile::TempDir,
}

impl Broker {
    fn start() -> Broker {
        let (dir, address, controller) = (tempfile::tempdir().expect("a directory"), free(), free());
        let process = Command::new("bash")
            .args([concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kafka.sh"), "run"])
            .arg(dir.path())
            .args([address.port().to_string(), controller.port().to_string()])
            .env("KAFKA_JAVA_OPTIONS", "-XX:+TieredCompilation")
            .stdin(Stdio::piped())
            .spawn()
            .expect("the broker starts");
        wait_until("the broker", || TcpStream::connect(address).is_ok());
        Broker { process, address, _dir: dir }
    }

    /// By its tool, as an operator would.
    fn make_topic(&self) {
        use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
        let admin: AdminClient<rdkafka::client::DefaultClientContext> =
            ClientConfig::new().set("bootstrap.servers", self.address.to_string()).create().expect("a client");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let topic = NewTopic::new(TOPIC, PARTITIONS, TopicReplication::Fixed(1));
        runtime.block_on(admin.create_topics([&topic], &AdminOptions::new())).expect("the topic");
    }

    /// Writes the passages; how many.
    fn fill(&self, city: &City, seconds: u64, rate: u64) -> u64 {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", self.address.to_string())
            .set("linger.ms", "20")
            .create()
            .expect("a producer");
        // They begin when the engine will: writing them takes about a fifth of the time that they tell of.
        let mut flood = Flood::new(city, rate, now_ms() + 200 * seconds, 1);
        let (mut written, mut messages, mut passages) = (0, 0, Vec::new());
        for _ in 0..seconds * 10 {
            flood.step(100, &mut passages);
            for part in passages.chunks(IN_A_MESSAGE) {
                let payload = message(city, part);
                messages += 1;
                let record = || BaseRecord::<str, [u8]>::to(TOPIC).payload(&payload).partition(messages % PARTITIONS);
                while let Err((error, _)) = producer.send(record()) {
                    assert_eq!(error, KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull));
                    producer.poll(Duration::from_millis(10));
                }
            }
            written += passages.len() as u64;
            passages.clear();
            producer.poll(Duration::ZERO);
        }
        producer.flush(Duration::from_secs(60)).expect("all is written");
        written
    }

    /// The process under the script's.
    fn java(&self) -> u32 {
        let children = format!("/proc/{0}/task/{0}/children", self.process.id());
        let children = std::fs::read_to_string(children).unwrap_or_default();
        let is_java = |pid: &u32| std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|c| c == "java\n");
        children.split_whitespace().filter_map(|pid| pid.parse().ok()).find(is_java).unwrap_or_default()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

struct Engine(Process);

impl Engine {
    fn start(broker: &Broker, workers: u64) -> Engine {
        let dir = tempfile::tempdir().expect("a directory");
        let settings = [
            ("NANMING_KAFKA__BROKERS", broker.address.to_string()),
            ("NANMING_KAFKA__FORMAT", "protobuf".to_owned()),
            // They are read faster than they were driven.
            ("NANMING_INGEST__FUTURE_MS", "3600000".to_owned()),
        ];
        let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
        Engine(Process::start(dir, &["--no-sim", "--workers", &workers.to_string()], &settings))
    }

    /// Reads all; passages a second on the way, and the latency of ticks.
    fn read(&self, passages: u64) -> (f64, String) {
        let taken = || self.measure("nanming_events_total{stream=\"passages\"}");
        let reaches = |share: f64| {
            let mark = passages as f64 * share;
            wait_until("passages", || taken() >= mark);
            (taken(), Instant::now(), self.ticks())
        };
        let (from, began, before) = reaches(0.2);
        let (to, ended, after) = reaches(0.9);
        let within = (after.0 - before.0) / (after.1 - before.1).max(1.0) * 100.0;
        let ticks = format!("{:.0} ticks of which {within:.1} % within 10 ms", after.1 - before.1);
        ((to - from) / (ended - began).as_secs_f64(), ticks)
    }

    /// Ticks within 10 ms, and all.
    fn ticks(&self) -> (f64, f64) {
        let bucket = |le: &str| self.measure(&format!("nanming_tick_latency_seconds_bucket{{le=\"{le}\"}}"));
        (bucket("0.01"), bucket("+Inf"))
    }

    fn measure(&self, name: &str) -> f64 {
        self.0.measure(name).unwrap_or(0.0)
    }
}

fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port")
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

fn wait_until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(600), "{what} did not come");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// Memory and CPU time of a process.
fn used(pid: u32) -> String {
    let pid = pid.to_string();
    format!("{:.0} MB at most, {:.0} s of CPU", status_mb(&pid, "VmHWM:"), cpu_s_of(&pid))
}
