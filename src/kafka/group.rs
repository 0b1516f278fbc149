//! What a consumer calls back. Partitions that come to it from its group begin where the ledger says.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, ConsumerContext, Rebalance};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, Statistics};

use super::reach::Client;
use crate::config::kafka::Begin;
use crate::metrics::Metrics;
use crate::offsets::Offsets;

/// What the consumer calls back.
pub(super) struct Group {
    pub(super) client: Client,
    pub(super) metrics: Arc<Metrics>,
    /// Topics with their streams.
    pub(super) topics: Vec<(Arc<str>, &'static str)>,
    pub(super) begin: Begin,
    /// Where to go on: at the start as the ledger has it, then after what was handed to the door.
    next: Mutex<Offsets>,
}

impl Group {
    pub(super) fn new(
        client: Client,
        metrics: Arc<Metrics>,
        topics: Vec<(Arc<str>, &'static str)>,
        begin: Begin,
        known: &Offsets,
    ) -> Group {
        Group { client, metrics, topics, begin, next: Mutex::new(known.clone()) }
    }

    pub(super) fn next(&self) -> MutexGuard<'_, Offsets> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a partition is begun.
    pub(super) fn start_of(&self, topic: &str, partition: i32) -> Offset {
        match (self.next().next(topic, partition), self.begin) {
            (Some(next), _) => Offset::Offset(next),
            (None, Begin::Earliest) => Offset::Beginning,
            (None, Begin::Latest) => Offset::End,
        }
    }

    /// Messages in the topics of each stream that wait for us.
    fn tell_lag(&self, statistics: &Statistics) {
        for (topic, stream) in &self.topics {
            let partitions = statistics.topics.get(&**topic).map(|topic| &topic.partitions);
            let behind = |(_, partition): (&i32, &rdkafka::statistics::Partition)| {
                // Nothing is known of those that are another member's.
                let next = self.next().next(topic, partition.partition).unwrap_or(partition.lo_offset);
                (partition.desired && partition.hi_offset >= 0).then(|| (partition.hi_offset - next).max(0))
            };
            let lag = partitions.into_iter().flatten().filter_map(behind).sum();
            self.metrics.kafka.lag(stream, lag);
        }
    }
}

impl ClientContext for Group {
    /// What matters comes by [`error`](Self::error) too, and does not repeat itself.
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", "{facility}: {message}");
    }

    fn stats(&self, statistics: Statistics) {
        self.client.hear(&statistics);
        self.tell_lag(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.client.complain(&error, reason);
    }
}

impl ConsumerContext for Group {
    fn pre_rebalance(&self, _: &BaseConsumer<Self>, rebalance: &Rebalance<'_>) {
        let Rebalance::Assign(partitions) = rebalance else { return };
        for mut partition in partitions.elements() {
            let start = self.start_of(partition.topic(), partition.partition());
            if let Err(error) = partition.set_offset(start) {
                // It begins where the broker thinks, and what the ledger has is refused as known.
                tracing::error!(%error, topic = partition.topic(), "a partition cannot begin where the ledger says");
            }
        }
    }
}
