//! What all clients have in common.

use rdkafka::ClientConfig;

/// How often a client tells how it is, ms.
const STATISTICS_MS: u32 = 1_000;

/// A client of these brokers. It comes back within a second or two of a broker, and finds topics that are made later.
pub(super) fn config(brokers: &str, of: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", brokers)
        .set("client.id", format!("nanming-{of}"))
        .set("statistics.interval.ms", STATISTICS_MS.to_string())
        .set("reconnect.backoff.ms", "100")
        .set("reconnect.backoff.max.ms", "1000")
        .set("topic.metadata.refresh.interval.ms", "10000")
        .set("log.connection.close", "false");
    config
}

/// One that sends: nothing twice and in order, as long as the process lives.
pub(super) fn producer(brokers: &str, of: &str, timeout_ms: u32, queue: u32) -> ClientConfig {
    let mut config = config(brokers, of);
    config
        .set("enable.idempotence", "true")
        .set("message.timeout.ms", timeout_ms.to_string())
        .set("queue.buffering.max.messages", queue.to_string())
        .set("queue.buffering.max.kbytes", "32768")
        .set("linger.ms", "2")
        .set("compression.type", "lz4");
    config
}
