//! What all clients have in common.

use rdkafka::ClientConfig;

use crate::config::KafkaConfig;

/// How often a client tells how it is, ms.
const STATISTICS_MS: u32 = 1_000;

/// A client of the brokers. It comes back within a second or two of a broker, and finds topics that are made later.
pub(super) fn config(kafka: &KafkaConfig, of: &str) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", kafka.brokers.as_deref().unwrap_or_default())
        .set("client.id", format!("nanming-{of}"))
        .set("statistics.interval.ms", STATISTICS_MS.to_string())
        .set("reconnect.backoff.ms", "100")
        .set("reconnect.backoff.max.ms", "1000")
        .set("topic.metadata.refresh.interval.ms", "10000")
        .set("log.connection.close", "false");
    secure(&mut config, kafka);
    config
}

/// One that sends: nothing twice and in order, as long as the process lives.
pub(super) fn producer(kafka: &KafkaConfig, of: &str, timeout_ms: u32, queue: u32) -> ClientConfig {
    let mut config = config(kafka, of);
    config
        .set("enable.idempotence", "true")
        .set("message.timeout.ms", timeout_ms.to_string())
        .set("queue.buffering.max.messages", queue.to_string())
        .set("queue.buffering.max.kbytes", "32768")
        .set("linger.ms", "2")
        .set("compression.type", "lz4");
    config
}

/// TLS, where an authority is named, and who the engine is. Brokers are held to the names by which they are called.
fn secure(config: &mut ClientConfig, kafka: &KafkaConfig) {
    let tls = kafka.tls_ca.is_some();
    let protocol = match (tls, kafka.user.is_some()) {
        (false, false) => "plaintext",
        (true, false) => "ssl",
        (false, true) => "sasl_plaintext",
        (true, true) => "sasl_ssl",
    };
    config.set("security.protocol", protocol);
    if tls {
        config.set("ssl.endpoint.identification.algorithm", "https");
    }
    let files = [
        ("ssl.ca.location", &kafka.tls_ca),
        ("ssl.certificate.location", &kafka.tls_certificate),
        ("ssl.key.location", &kafka.tls_key),
    ];
    for (name, file) in files {
        if let Some(file) = file {
            config.set(name, file.to_string_lossy());
        }
    }
    if let Some(user) = &kafka.user {
        config
            .set("sasl.mechanisms", kafka.sasl.mechanism())
            .set("sasl.username", user)
            .set("sasl.password", kafka.password.expose());
    }
}
