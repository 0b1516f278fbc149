//! Assignments out: read from the ledger in order, sent, and, once a broker has them all, noted by way of the door as how
//! far they are sent. A broker may be away for a day: they wait in the ledger, not in memory. After a crash those that were
//! sent since the last note are sent again under the same ID.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use nanming_dataflows::Time;
use nanming_dataflows::network::City;
use rdkafka::error::KafkaError;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, PurgeConfig};

use super::render::Render;
use super::sending::{Deliveries, Sending};
use super::{ClientError, Reach, client};
use crate::config::KafkaConfig;
use crate::door::{Arrival, Inbox, TickRecord};
use crate::ledger::{Assigned, Book};
use crate::metrics::Metrics;
use crate::offsets::Offsets;
use crate::publish::Sink;

/// Between two looks: whether the end has come, what became of messages.
const LOOK: Duration = Duration::from_millis(100);
/// Messages that may wait for a broker: more than a page, whatever a tick holds.
const MESSAGES: u32 = 100_000;
/// At the end the last ones get so long.
const GOODBYE: Duration = Duration::from_secs(1);
/// How far assignments are sent stands among the offsets as a partition that no topic has: it counts ticks.
const SENT: i32 = -1;

/// The thread that sends.
pub struct Assignments {
    render: Render,
    book: Book,
    producer: BaseProducer<Sending<Sent>>,
    topic: Arc<str>,
    wake: Receiver<()>,
    inbox: Option<Inbox>,
    sent: Time,
    fails: bool,
}

/// The sinks' end: says that the ledger has more.
pub struct Wake(Sender<()>);

impl Sink for Wake {
    fn take(&mut self, record: &Arc<TickRecord>) {
        if !record.decisions.assignments.is_empty() {
            // Full: it has been told.
            let _ = self.0.try_send(());
        }
    }
}

impl Assignments {
    /// Makes the client. Goes on after what `known` says is sent; where it says nothing, after `now`. None without a topic.
    pub fn open(
        config: &KafkaConfig,
        (reach, metrics): (&Arc<Reach>, &Arc<Metrics>),
        city: Arc<City>,
        book: Book,
        inbox: Inbox,
        (known, now): (&Offsets, Time),
    ) -> Result<Option<(Assignments, Wake)>, ClientError> {
        let Some(topic) = config.topic(&config.assignments) else { return Ok(None) };
        let deliveries = Sent { metrics: Arc::clone(metrics), page: Mutex::default() };
        let producer = client::producer(config, "assignments", 0, MESSAGES)
            .create_with_context(Sending { client: reach.client(), deliveries })?;
        let (sender, wake) = bounded(1);
        let sent = known.next(&topic, SENT).and_then(|tick| Time::try_from(tick).ok());
        let mut made = Assignments {
            render: Render { city, format: config.format_out },
            book,
            producer,
            topic: topic.into(),
            wake,
            inbox: Some(inbox),
            sent: sent.unwrap_or(now),
            fails: false,
        };
        if sent.is_none() {
            made.note();
        }
        Ok(Some((made, Wake(sender))))
    }

    /// Sends until the sinks are gone.
    pub fn run(mut self, stop: &AtomicBool) {
        loop {
            let woken = self.wake.recv_timeout(LOOK);
            let ends = woken == Err(RecvTimeoutError::Disconnected);
            let until = ends.then(|| Instant::now() + GOODBYE);
            // The door waits for everybody who could still hand something in.
            if stop.load(Ordering::Relaxed) {
                self.inbox = None;
            }
            while self.send_page(stop, until) {}
            // Hears how the client is, also when there is nothing to send.
            self.producer.poll(Duration::ZERO);
            if ends {
                return;
            }
        }
    }

    /// Sends the next assignments. Whether there may be more.
    fn send_page(&mut self, stop: &AtomicBool, until: Option<Instant>) -> bool {
        let page = self.book.assigned_after(self.sent).unwrap_or_else(|error| {
            tracing::error!(%error, "assignments cannot be read from the ledger and sent to Kafka; trying again");
            Vec::new()
        });
        let Some(last) = page.last().map(|made| made.assignment.time_ms) else { return false };
        let number = self.producer.context().deliveries.begin();
        let queued = page.iter().all(|made| self.send(made, number));
        let gives_up = |until: Option<Instant>| match until {
            Some(until) => Instant::now() > until,
            // Once more with a bound, when the sinks are gone.
            None => stop.load(Ordering::Relaxed),
        };
        while self.producer.context().deliveries.page().done.len() < page.len() && queued && !gives_up(until) {
            self.producer.poll(LOOK);
        }
        let done = std::mem::take(&mut self.producer.context().deliveries.page().done);
        let arrived = done.len() == page.len() && done.iter().all(Option::is_none);
        self.tell(arrived, done.into_iter().flatten().next());
        if arrived {
            self.sent = last;
            self.note();
        } else {
            // What is still on its way would come twice.
            self.producer.purge(PurgeConfig::default().queue().inflight());
        }
        arrived
    }

    fn send(&self, made: &Assigned, page: usize) -> bool {
        let (key, payload) = (made.facts.grid.to_string(), self.render.assignment(made));
        let record =
            BaseRecord::with_opaque_to(&self.topic, page).key(&key).payload(&payload).headers(self.render.headers());
        self.producer.send(record).is_ok()
    }

    fn tell(&mut self, arrived: bool, error: Option<KafkaError>) {
        if let Some(error) = error.filter(|_| !self.fails) {
            tracing::warn!(%error, "Kafka takes no assignments: they wait in the ledger");
            self.fails = true;
        } else if arrived && std::mem::take(&mut self.fails) {
            tracing::info!("Kafka takes assignments again");
        }
    }

    /// Hands in how far they are sent. At the end nobody takes it: then they are sent again.
    fn note(&mut self) {
        let offsets = Offsets::of((Arc::clone(&self.topic), SENT), i64::try_from(self.sent).unwrap_or(i64::MAX));
        let taken = self.inbox.as_ref().map(|inbox| inbox.send(Arrival { offsets, ..Arrival::default() }));
        if taken.is_some_and(|taken| taken.is_err()) {
            self.inbox = None;
        }
    }
}

/// What became of messages.
struct Sent {
    metrics: Arc<Metrics>,
    page: Mutex<Page>,
}

/// A page on its way, by its number, and what became of its messages so far.
#[derive(Default)]
struct Page {
    number: usize,
    done: Vec<Option<KafkaError>>,
}

impl Sent {
    fn page(&self) -> MutexGuard<'_, Page> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new page; what is still said of the one before does not count.
    fn begin(&self) -> usize {
        let mut page = self.page();
        *page = Page { number: page.number + 1, done: Vec::new() };
        page.number
    }
}

impl Deliveries for Sent {
    fn hear(&self, number: usize, result: Result<(), &KafkaError>) {
        match result {
            Ok(()) => self.metrics.kafka.produced("assignments"),
            Err(error) => tracing::debug!(%error, "an assignment did not arrive"),
        }
        let mut page = self.page();
        if page.number == number {
            page.done.push(result.err().cloned());
        }
    }
}
