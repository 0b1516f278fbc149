//! A consumer on its thread: reads messages and hands them through the door, each whole and with the offset after it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use super::group::Group;
use super::outstanding::Outstanding;
use super::spread::{Place, Spread};
use super::{ClientError, Progress, Reach, Reader, client};
use crate::config::KafkaConfig;
use crate::config::kafka::Begin;
use crate::door::{Arrival, Closed, Inbox};
use crate::ingest::Taken;
use crate::offsets::{Offsets, Partition};

/// Between two looks whether the end has come.
const LOOK: Duration = Duration::from_millis(100);
/// The broker is told how far the ledger is, for those who watch the lag there. Nothing here depends on it.
const TELL_BROKER: Duration = Duration::from_secs(5);

/// A consumer.
pub struct Intake {
    consumer: BaseConsumer<Group>,
    reader: Reader,
    inbox: Inbox,
    /// Whether people wait for what it reads.
    urgent: bool,
    /// Its partitions, where no group gives it any.
    spread: Option<Spread>,
    progress: Arc<Progress>,
    outstanding: Outstanding,
    told: Offsets,
    told_at: Instant,
}

/// What a consumer works with.
pub struct Means<'a> {
    /// The brokers, topics and how messages are written.
    pub config: &'a KafkaConfig,
    /// Who is told whether brokers are reached.
    pub reach: &'a Arc<Reach>,
    /// Reads messages.
    pub reader: Reader,
    /// The door.
    pub inbox: Inbox,
    /// What has passed the ledger, or here has been handed to the leader's.
    pub progress: Arc<Progress>,
}

impl Intake {
    /// Joins the group `name` for the topics of some streams, which begin where `known` says. None when none of them has a
    /// topic.
    pub fn join(
        means: Means<'_>,
        name: &str,
        streams: &[&str],
        known: &Offsets,
    ) -> Result<Option<Intake>, ClientError> {
        let Some((mut settings, topics)) = settings(means.config, name, streams) else { return Ok(None) };
        settings
            // After a crash the same member is back at once; another engine of this group is told that it is one too many.
            .set("group.instance.id", format!("{}-{name}", means.config.group))
            .set("partition.assignment.strategy", "cooperative-sticky");
        let names: Vec<String> = topics.iter().map(|(topic, _)| topic.to_string()).collect();
        let intake = Intake::open(means, &settings, topics, known, None)?;
        intake.consumer.subscribe(&names.iter().map(String::as_str).collect::<Vec<_>>())?;
        Ok(Some(intake))
    }

    /// Reads a process' share of the partitions of some streams' topics, in no group. None when none of them has a topic.
    pub fn spread(means: Means<'_>, name: &str, streams: &[&str], place: Place) -> Result<Option<Intake>, ClientError> {
        let Some((settings, topics)) = settings(means.config, name, streams) else { return Ok(None) };
        Intake::open(means, &settings, topics, &Offsets::default(), Some(Spread::new(place))).map(Some)
    }

    fn open(
        means: Means<'_>,
        settings: &ClientConfig,
        topics: Vec<(Arc<str>, &'static str)>,
        known: &Offsets,
        spread: Option<Spread>,
    ) -> Result<Intake, ClientError> {
        let Means { config, reach, reader, inbox, progress } = means;
        let urgent = topics.iter().any(|(_, stream)| *stream == "calls");
        let group = Group::new(reach.client(), Arc::clone(&reader.metrics), topics, config.begin, known);
        let consumer: BaseConsumer<Group> = settings.create_with_context(group)?;
        let (told, told_at) = (Offsets::default(), Instant::now());
        let outstanding = Outstanding::default();
        Ok(Intake { consumer, reader, inbox, urgent, spread, progress, outstanding, told, told_at })
    }

    /// Reads until the end comes or the door shuts.
    pub fn run(mut self, stop: &AtomicBool) {
        if let Some(spread) = &self.spread {
            let Some(begins) = spread.begins() else { return };
            *self.consumer.context().next() = begins;
        }
        while !stop.load(Ordering::Relaxed) {
            if let Some(spread) = &mut self.spread {
                spread.look(&self.consumer);
            }
            // What goes wrong is told by the group, once.
            let read = match self.consumer.poll(LOOK) {
                Some(Ok(message)) => Some(self.read(&message)),
                Some(Err(KafkaError::MessageConsumptionFatal(_))) => {
                    self.consumer.context().client.shut_out();
                    None
                }
                Some(Err(_)) | None => None,
            };
            if read.is_some_and(|(partition, next, taken)| self.hand_over(partition, next, taken).is_err()) {
                return;
            }
            self.make_room(stop);
            self.tell_broker();
        }
    }

    fn read(&self, message: &BorrowedMessage<'_>) -> (Partition, i64, Taken) {
        let topics = &self.consumer.context().topics;
        let known = topics.iter().find(|(topic, _)| **topic == *message.topic());
        let (topic, stream) = known.cloned().unwrap_or_else(|| (message.topic().into(), "unknown"));
        let taken = self.reader.read(message, stream, self.inbox.now_ms());
        ((topic, message.partition()), message.offset() + 1, taken)
    }

    fn hand_over(&mut self, partition: Partition, next: i64, taken: Taken) -> Result<(), Closed> {
        self.outstanding.add(partition.clone(), next, taken.events.len());
        self.consumer.context().next().set(partition.clone(), next);
        let Taken { events, notes } = taken;
        let arrival = Arrival { events, notes, offsets: Offsets::of(partition, next) };
        if self.urgent { self.inbox.send_first(arrival) } else { self.inbox.send(arrival) }
    }

    /// Waits while too much is on its way.
    fn make_room(&mut self, stop: &AtomicBool) {
        loop {
            let kept = self.progress.kept();
            self.outstanding.settle(&kept);
            if !self.outstanding.is_full() || stop.load(Ordering::Relaxed) {
                return;
            }
            self.progress.wait(kept, LOOK);
        }
    }

    /// Who has the ledger speaks for all.
    fn tell_broker(&mut self) {
        let has_ledger = self.spread.as_ref().is_none_or(Spread::leads);
        if !has_ledger || self.told_at.elapsed() < TELL_BROKER {
            return;
        }
        self.told_at = Instant::now();
        let kept = self.progress.kept().clone();
        let mut news = TopicPartitionList::new();
        for ((topic, partition), next) in kept.iter() {
            let is_ours = self.consumer.context().topics.iter().any(|(ours, _)| ours == topic);
            if is_ours && self.told.next(topic, *partition) != Some(next) {
                // A partition that is added twice only: there is one of each.
                let _ = news.add_partition_offset(topic, *partition, Offset::Offset(next));
            }
        }
        if news.count() > 0 && self.consumer.commit(&news, CommitMode::Async).is_ok() {
            self.told = kept;
        }
    }
}

/// Settings of a consumer, and the topics of its streams. None when it has none.
fn settings(
    config: &KafkaConfig,
    name: &str,
    streams: &[&str],
) -> Option<(ClientConfig, Vec<(Arc<str>, &'static str)>)> {
    let incoming = config.incoming().into_iter().filter(|(stream, _)| streams.contains(stream));
    let topics: Vec<(Arc<str>, &'static str)> =
        incoming.filter_map(|(stream, name)| Some((config.topic(name)?.into(), stream))).collect();
    if topics.is_empty() {
        return None;
    }
    let mut settings = client::config(config, name);
    settings
        .set("group.id", format!("{}-{name}", config.group))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("auto.offset.reset", if config.begin == Begin::Earliest { "earliest" } else { "latest" })
        // Fetched ahead: bounded, and enough for a second.
        .set("queued.max.messages.kbytes", "16384")
        .set("fetch.message.max.bytes", config.message_bytes.max(1 << 20).to_string())
        .set("fetch.wait.max.ms", "50");
    Some((settings, topics))
}
