//! Callers by way of Kafka: each alarm is written until a broker has taken it, whether the engine lives or not. Brokers die, too.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nanming_dataflows::decision::SignalCommand;
use nanming_dataflows::network::City;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};

use super::callers::alarm;
use super::orders::Orders;
use super::told::Told;
use crate::kafka::broker::{Broker, PATIENCE};

/// Of their calls: above those of other callers.
const FIRST: u64 = 1 << 32;
const PREFIX: &str = "crash.";
const TOPIC: &str = "crash.calls";
const SIGNALS: &str = "crash.signals";
/// A broker that does not take an alarm for so long, ms, is asked again.
const ANSWER_MS: &str = "2000";
/// Between two looks at what became of alarms.
const LOOK: Duration = Duration::from_millis(20);

/// How much of it.
#[derive(Clone, Copy)]
pub(crate) struct Traffic {
    /// Between two alarms.
    pub(crate) every: Duration,
    /// Of so many lives of the engine the broker dies in one.
    pub(crate) dies_once_in: usize,
}

pub(crate) struct Topic {
    broker: Broker,
    lives: bool,
    deaths: usize,
    pub(crate) dies_once_in: usize,
    end: Arc<AtomicBool>,
    writer: JoinHandle<()>,
    orders: Orders,
}

impl Topic {
    /// Starts a broker, callers who write to it, and somebody who reads what the lights are told.
    pub(crate) fn start(told: &Told, city: &City, seed: u64, traffic: Traffic) -> (Topic, Receiver<SignalCommand>) {
        let mut broker = Broker::down();
        broker.start();
        broker.make_topics(PREFIX);
        let end = Arc::<AtomicBool>::default();
        let writer = Writer::new(&broker, told, city);
        let (ends, random) = (Arc::clone(&end), ChaCha8Rng::seed_from_u64(seed ^ FIRST));
        let writer = std::thread::spawn(move || writer.run(traffic.every, random, &ends));
        let (orders, heard) = Orders::start(&broker, SIGNALS, told, city);
        let dies_once_in = traffic.dies_once_in;
        (Topic { broker, lives: true, deaths: 0, dies_once_in, end, writer, orders }, heard)
    }

    /// How the engine finds it.
    pub(crate) fn settings(&self) -> [(String, String); 3] {
        [("BROKERS", self.broker.address()), ("GROUP", PREFIX.into()), ("PREFIX", PREFIX.into())]
            .map(|(name, value)| (format!("NANMING_KAFKA__{name}"), value))
    }

    /// `kill -9` of the broker.
    pub(crate) fn kill(&mut self) {
        self.broker.kill();
        (self.lives, self.deaths) = (false, self.deaths + 1);
    }

    /// The broker comes back with what it had.
    pub(crate) fn revive(&mut self) {
        if !self.lives {
            self.broker.start();
            self.lives = true;
        }
    }

    /// No more alarms; those that were begun are taken first. The broker goes on for as long as what is returned is held; its
    /// deaths, and the orders to lights that were heard.
    pub(crate) fn end(mut self) -> (Broker, (usize, usize)) {
        self.revive();
        self.end.store(true, Ordering::Relaxed);
        self.writer.join().unwrap();
        (self.broker, (self.deaths, self.orders.heard.load(Ordering::Relaxed)))
    }
}

/// What became of alarms.
struct Taken {
    told: Told,
    under_way: AtomicUsize,
    refused: Mutex<VecDeque<Alarm>>,
}

struct Alarm {
    id: u64,
    words: String,
    line: String,
}

struct Writer {
    city: City,
    taken: Arc<Taken>,
    producer: ThreadedProducer<Deliveries>,
}

struct Deliveries(Arc<Taken>);

impl ClientContext for Deliveries {
    fn log(&self, _: RDKafkaLogLevel, _: &str, _: &str) {}

    /// Brokers die here.
    fn error(&self, _: KafkaError, _: &str) {}
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = Box<Alarm>;

    fn delivery(&self, result: &DeliveryResult<'_>, alarm: Box<Alarm>) {
        match result {
            Ok(_) => drop(self.0.told.words().written.insert(alarm.id, alarm.words)),
            Err(_) => self.0.refused.lock().unwrap().push_back(*alarm),
        }
        self.0.under_way.fetch_sub(1, Ordering::Release);
    }
}

impl Writer {
    fn new(broker: &Broker, told: &Told, city: &City) -> Writer {
        let taken = Taken { told: told.clone(), under_way: AtomicUsize::new(0), refused: Mutex::default() };
        let taken = Arc::new(taken);
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", broker.address())
            .set("message.timeout.ms", ANSWER_MS)
            .set("reconnect.backoff.max.ms", "500")
            .set("linger.ms", "0");
        let producer = config.create_with_context(Deliveries(Arc::clone(&taken))).unwrap();
        Writer { city: city.clone(), taken, producer }
    }

    fn run(&self, every: Duration, mut random: ChaCha8Rng, end: &AtomicBool) {
        let (began, mut id) = (Instant::now(), FIRST);
        while !end.load(Ordering::Relaxed) {
            self.write_again();
            if began.elapsed() < every * (id - FIRST) as u32 {
                std::thread::park_timeout(LOOK);
                continue;
            }
            let (mut alarm, words) = alarm(&self.city, id, &mut random);
            (alarm["type"], alarm["call"]) = ("call".into(), id.into());
            self.write(Alarm { id, words, line: alarm.to_string() });
            id += 1;
        }
        let ended = Instant::now();
        while self.taken.under_way.load(Ordering::Acquire) > 0 || self.write_again() {
            assert!(ended.elapsed() < PATIENCE, "the broker takes no alarms");
            std::thread::park_timeout(LOOK);
        }
        self.producer.flush(PATIENCE).unwrap();
    }

    /// What no broker took; whether there was any. It may have come all the same: then it is in the topic twice.
    fn write_again(&self) -> bool {
        let refused = std::mem::take(&mut *self.taken.refused.lock().unwrap());
        let any = !refused.is_empty();
        refused.into_iter().for_each(|alarm| self.write(alarm));
        any
    }

    fn write(&self, alarm: Alarm) {
        let (key, line) = (alarm.id.to_string(), alarm.line.clone());
        self.taken.under_way.fetch_add(1, Ordering::Relaxed);
        let record = BaseRecord::with_opaque_to(TOPIC, Box::new(alarm)).key(&key).payload(&line);
        if let Err((_, record)) = self.producer.send(record) {
            self.taken.refused.lock().unwrap().push_back(*record.delivery_opaque);
            self.taken.under_way.fetch_sub(1, Ordering::Release);
        }
    }
}
