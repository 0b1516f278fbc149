//! Measures of Kafka. They stand at zero where it is not configured.

use prometheus::{IntCounter, IntGauge};

use super::make::Make;

/// Streams that come in by topics of their own.
const INCOMING: [&str; 5] = ["passages", "flows", "calls", "units", "acks"];
/// Streams that go out.
const OUTGOING: [&str; 4] = ["signals", "forecasts", "assignments", "dead_letters"];

/// Measures of Kafka, by stream.
pub struct KafkaMeasures {
    configured: IntGauge,
    up: IntGauge,
    lag: Vec<(&'static str, IntGauge)>,
    consumed: Vec<(&'static str, IntCounter)>,
    unreadable: Vec<(&'static str, IntCounter)>,
    produced: Vec<(&'static str, IntCounter)>,
    dropped: Vec<(&'static str, IntCounter)>,
}

impl KafkaMeasures {
    pub(super) fn new(make: &Make) -> KafkaMeasures {
        let (incoming, outgoing) = (|| INCOMING.map(|name| (name, name)), || OUTGOING.map(|name| (name, name)));
        KafkaMeasures {
            configured: make.int_gauge("kafka_configured", "Whether Kafka is configured: 1, else 0."),
            up: make.int_gauge("kafka_up", "Whether every client reaches a broker: 1, else 0."),
            lag: make.int_gauges("kafka_lag_messages", "Messages that wait in topics.", "stream", incoming()),
            consumed: make.counters("kafka_consumed_messages_total", "Messages read.", "stream", incoming()),
            unreadable: make.counters(
                "kafka_unreadable_messages_total",
                "Messages read that, or lines of which, could not be read at all.",
                "stream",
                incoming(),
            ),
            produced: make.counters(
                "kafka_produced_messages_total",
                "Messages that a broker has taken.",
                "stream",
                outgoing(),
            ),
            dropped: make.counters(
                "kafka_dropped_messages_total",
                "Messages that no broker took in time; assignments wait instead.",
                "stream",
                outgoing(),
            ),
        }
    }

    /// Kafka is configured.
    pub fn is_configured(&self) {
        self.configured.set(1);
    }

    /// Whether every client reaches a broker.
    pub fn reached(&self, all: bool) {
        self.up.set(i64::from(all));
    }

    /// So many messages wait in a stream's topic.
    pub fn lag(&self, stream: &str, messages: i64) {
        of(&self.lag, stream).into_iter().for_each(|gauge| gauge.set(messages));
    }

    /// A message was read, and whether all of it could be.
    pub fn consumed(&self, stream: &str, is_whole: bool) {
        of(&self.consumed, stream).into_iter().for_each(IntCounter::inc);
        of(&self.unreadable, stream).filter(|_| !is_whole).into_iter().for_each(IntCounter::inc);
    }

    /// A broker has taken a message.
    pub fn produced(&self, stream: &str) {
        of(&self.produced, stream).into_iter().for_each(IntCounter::inc);
    }

    /// No broker took so many messages in time.
    pub fn dropped(&self, stream: &str, messages: u64) {
        of(&self.dropped, stream).into_iter().for_each(|counter| counter.inc_by(messages));
    }
}

fn of<'a, M>(handles: &'a [(&'static str, M)], stream: &str) -> Option<&'a M> {
    handles.iter().find(|(name, _)| *name == stream).map(|(_, handle)| handle)
}
