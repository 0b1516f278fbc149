//! What goes out as it comes and is of no use later: signal commands straight from the door, forecasts, dead letters. Who
//! hands something over never waits: what does not fit, or no broker takes within seconds, is dropped and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, never, select};
use nanming_dataflows::decision::SignalCommand;
use nanming_dataflows::network::City;
use rdkafka::error::KafkaError;
use rdkafka::message::OwnedHeaders;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

use super::render::{Render, json_headers};
use super::sending::{Deliveries, Sending};
use super::{ClientError, Reach, client};
use crate::config::KafkaConfig;
use crate::door::TickRecord;
use crate::metrics::Metrics;
use crate::publish::Sink;

/// Signal commands and dead letters that may wait for the thread, and ticks.
const QUEUE: usize = 8_192;
const TICKS: usize = 64;
/// Messages that may wait for a broker.
const MESSAGES: u32 = 50_000;
/// They wait so long, ms: what they say is old then.
const TIMEOUT_MS: u32 = 5_000;
/// Between two looks at what became of messages.
const LOOK: Duration = Duration::from_millis(20);
/// At the end the last ones get so long.
const GOODBYE: Duration = Duration::from_secs(1);

const SIGNALS: usize = 0;
const FORECASTS: usize = 1;
const DEAD_LETTERS: usize = 3;

/// The thread that sends.
pub struct Outlet {
    render: Render,
    producer: BaseProducer<Sending<Streams>>,
    /// By stream, as the configuration lists them.
    topics: Vec<Option<String>>,
    signals: Receiver<SignalCommand>,
    ticks: Receiver<Arc<TickRecord>>,
    letters: Receiver<String>,
}

/// The door's end.
pub struct SignalsOut {
    commands: Sender<SignalCommand>,
    metrics: Arc<Metrics>,
}

/// The sinks' end.
pub struct TicksOut {
    ticks: Sender<Arc<TickRecord>>,
    metrics: Arc<Metrics>,
}

/// The dead-letter office's end.
pub struct LettersOut {
    letters: Sender<String>,
    metrics: Arc<Metrics>,
}

impl Outlet {
    /// Makes the client, and the ends for those who hand over.
    pub fn open(
        config: &KafkaConfig,
        city: Arc<City>,
        reach: &Arc<Reach>,
        metrics: &Arc<Metrics>,
    ) -> Result<(Outlet, SignalsOut, TicksOut, LettersOut), ClientError> {
        let streams = config.outgoing().map(|(stream, _)| (stream, AtomicBool::new(true)));
        let deliveries = Streams { metrics: Arc::clone(metrics), streams };
        let producer = client::producer(config, "out", TIMEOUT_MS, MESSAGES)
            .create_with_context(Sending { client: reach.client(), deliveries })?;
        let render = Render { city, format: config.format_out };
        let topics = config.outgoing().map(|(_, name)| config.topic(name)).to_vec();
        let ((to_signals, signals), (to_ticks, ticks), (to_letters, letters)) =
            (bounded(QUEUE), bounded(TICKS), bounded(QUEUE));
        Ok((
            Outlet { render, producer, topics, signals, ticks, letters },
            SignalsOut { commands: to_signals, metrics: Arc::clone(metrics) },
            TicksOut { ticks: to_ticks, metrics: Arc::clone(metrics) },
            LettersOut { letters: to_letters, metrics: Arc::clone(metrics) },
        ))
    }

    /// Sends until neither commands nor ticks can come any more.
    pub fn run(mut self) {
        let (mut commands_come, mut ticks_come) = (true, true);
        while commands_come || ticks_come {
            select! {
                recv(self.signals) -> command => match command {
                    Ok(command) => self.signal(&command),
                    Err(_) => (commands_come, self.signals) = (false, never()),
                },
                recv(self.ticks) -> tick => match tick {
                    Ok(tick) => self.forecasts(&tick),
                    Err(_) => (ticks_come, self.ticks) = (false, never()),
                },
                recv(self.letters) -> letter => match letter {
                    Ok(letter) => self.letter(&letter),
                    Err(_) => self.letters = never(),
                },
                default(LOOK) => {}
            }
            self.producer.poll(Duration::ZERO);
        }
        self.letters.try_iter().for_each(|letter| self.letter(&letter));
        // Who does not take them in a second takes them no more.
        let _ = self.producer.flush(GOODBYE);
    }

    fn signal(&self, command: &SignalCommand) {
        let junction = &self.render.city.junctions[command.junction.index()].name;
        self.send(SIGNALS, junction, &self.render.signal(command), self.render.headers());
    }

    fn forecasts(&self, tick: &TickRecord) {
        for made in &tick.decisions.forecasts {
            let link = &self.render.city.links[made.link.index()].name;
            self.send(FORECASTS, link, &self.render.forecast(made), self.render.headers());
        }
    }

    fn letter(&self, letter: &str) {
        self.send(DEAD_LETTERS, "", letter.as_bytes(), json_headers());
    }

    fn send(&self, stream: usize, key: &str, payload: &[u8], headers: OwnedHeaders) {
        let Some(topic) = &self.topics[stream] else { return };
        let record = BaseRecord::with_opaque_to(topic, stream).key(key).payload(payload).headers(headers);
        if let Err((error, _)) = self.producer.send(record) {
            self.producer.context().deliveries.failed(stream, &error);
        }
    }
}

impl SignalsOut {
    /// Takes a command that leaves.
    pub fn take(&self, command: &SignalCommand) {
        if self.commands.try_send(command.clone()).is_err() {
            self.metrics.kafka.dropped("signals", 1);
        }
    }
}

impl Sink for TicksOut {
    fn take(&mut self, record: &Arc<TickRecord>) {
        let forecasts = record.decisions.forecasts.len();
        if forecasts > 0 && self.ticks.try_send(Arc::clone(record)).is_err() {
            self.metrics.kafka.dropped("forecasts", forecasts as u64);
        }
    }
}

impl LettersOut {
    /// Takes a line of `dead_letters.jsonl`.
    pub fn take(&self, letter: String) {
        if self.letters.try_send(letter).is_err() {
            self.metrics.kafka.dropped("dead_letters", 1);
        }
    }
}

/// What became of messages.
struct Streams {
    metrics: Arc<Metrics>,
    /// By stream: its name, and whether its last message arrived.
    streams: [(&'static str, AtomicBool); 4],
}

impl Streams {
    fn failed(&self, stream: usize, error: &KafkaError) {
        let (name, arrives) = &self.streams[stream];
        self.metrics.kafka.dropped(name, 1);
        if arrives.swap(false, Ordering::Relaxed) {
            tracing::warn!(%error, "Kafka takes no {name}: they are dropped and counted until it does again");
        }
    }

    fn arrived(&self, stream: usize) {
        let (name, arrives) = &self.streams[stream];
        self.metrics.kafka.produced(name);
        if !arrives.swap(true, Ordering::Relaxed) {
            tracing::info!("Kafka takes {name} again");
        }
    }
}

impl Deliveries for Streams {
    fn hear(&self, stream: usize, result: Result<(), &KafkaError>) {
        match result {
            Ok(()) => self.arrived(stream),
            Err(error) => self.failed(stream, error),
        }
    }
}
