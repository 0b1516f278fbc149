//! What librdkafka tells of a client that sends.

use rdkafka::Statistics;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::producer::{DeliveryResult, ProducerContext};

use super::reach::Client;

/// Who wants to hear what became of messages, each by the number that it was sent with.
pub(super) trait Deliveries: Send + Sync {
    /// It arrived, or why it did not.
    fn hear(&self, number: usize, result: Result<(), &KafkaError>);
}

/// The client's state goes to whoever watches over the broker, each message's to its sender.
pub(super) struct Sending<D> {
    pub(super) client: Client,
    pub(super) deliveries: D,
}

impl<D: Deliveries> ClientContext for Sending<D> {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(target: "librdkafka", "{facility}: {message}");
    }

    fn stats(&self, statistics: Statistics) {
        self.client.hear(&statistics);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.client.complain(&error, reason);
    }
}

impl<D: Deliveries> ProducerContext for Sending<D> {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, number: usize) {
        self.deliveries.hear(number, result.as_ref().map(|_| ()).map_err(|(error, _)| error));
    }
}
