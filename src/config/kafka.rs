//! What is read from Kafka and written to it.

use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, Secret};

/// How messages are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageFormat {
    /// JSON: lines of events, a line for each decision.
    #[default]
    Json,
    /// Protobuf, by `events.proto` and `decisions.proto` of `proto/nanming/v1`.
    Protobuf,
}

/// Where a partition is begun of which the ledger knows nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Begin {
    /// At its first message.
    #[default]
    Earliest,
    /// After its last.
    Latest,
}

/// How a password is proved: it is never sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scram {
    /// With SHA-256.
    #[serde(rename = "SCRAM-SHA-256")]
    Sha256,
    /// With SHA-512.
    #[default]
    #[serde(rename = "SCRAM-SHA-512")]
    Sha512,
}

impl Scram {
    /// Its name in SASL.
    pub fn mechanism(self) -> &'static str {
        match self {
            Scram::Sha256 => "SCRAM-SHA-256",
            Scram::Sha512 => "SCRAM-SHA-512",
        }
    }
}

/// Kafka. Topics are named by stream; an empty name leaves its stream out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct KafkaConfig {
    /// Brokers to begin with, as `host:port,host:port`. None: no Kafka.
    pub brokers: Option<String>,
    /// PEM file of the authorities that vouch for brokers. None: no TLS.
    pub tls_ca: Option<PathBuf>,
    /// PEM file of the engine's own certificate, with `tls_key`, where brokers ask for one.
    pub tls_certificate: Option<PathBuf>,
    /// PEM file of the key to it.
    pub tls_key: Option<PathBuf>,
    /// Who the engine is to brokers that ask. None: it does not log in.
    pub user: Option<String>,
    /// The password, never shown.
    pub password: Secret,
    /// How the password is proved (`SCRAM-SHA-512`).
    pub sasl: Scram,
    /// Whether brokers beyond this machine are spoken to without TLS (false).
    pub without_tls: bool,
    /// Consumer group; `-calls` and `-sensors` are added (`nanming`). One for each ledger.
    pub group: String,
    /// Before the name of each topic (`nanming.`).
    pub prefix: String,
    /// Of messages that come without a `content-type` (`json`).
    pub format: MessageFormat,
    /// Of decisions (`json`). Dead letters are always JSON.
    pub format_out: MessageFormat,
    /// Where to begin a partition that is new to the ledger (`earliest`).
    pub begin: Begin,
    /// Messages larger than this are refused, bytes (1 MiB).
    pub message_bytes: usize,
    /// In: passages.
    pub passages: String,
    /// In: flows, and other sensors.
    pub flows: String,
    /// In: calls.
    pub calls: String,
    /// In: reports of units.
    pub units: String,
    /// In: answers of units.
    pub acks: String,
    /// Out: signal commands.
    pub signals: String,
    /// Out: forecasts.
    pub forecasts: String,
    /// Out: assignments.
    pub assignments: String,
    /// Out: what was refused.
    pub dead_letters: String,
}

impl Default for KafkaConfig {
    fn default() -> Self {
        KafkaConfig {
            brokers: None,
            tls_ca: None,
            tls_certificate: None,
            tls_key: None,
            user: None,
            password: Secret::default(),
            sasl: Scram::default(),
            without_tls: false,
            group: "nanming".into(),
            prefix: "nanming.".into(),
            format: MessageFormat::default(),
            format_out: MessageFormat::default(),
            begin: Begin::default(),
            message_bytes: 1 << 20,
            passages: "passages".into(),
            flows: "flows".into(),
            calls: "calls".into(),
            units: "units".into(),
            acks: "acks".into(),
            signals: "signals".into(),
            forecasts: "forecasts".into(),
            assignments: "assignments".into(),
            dead_letters: "dead-letters".into(),
        }
    }
}

impl KafkaConfig {
    /// The topic of a stream's name; none when it is left out.
    pub fn topic(&self, name: &str) -> Option<String> {
        (!name.is_empty()).then(|| format!("{}{name}", self.prefix))
    }

    /// Whether a client needs OpenSSL, for TLS or for SCRAM.
    pub fn needs_openssl(&self) -> bool {
        self.brokers.is_some() && (self.tls_ca.is_some() || self.user.is_some())
    }

    /// Whether all brokers are on this machine, as their names have it.
    pub fn is_local(&self) -> bool {
        let is_local = |broker: &str| {
            let address = broker.split_once("://").map_or(broker, |(_, address)| address).trim();
            let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
            let host = host.trim_start_matches('[').trim_end_matches(']');
            host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.to_canonical().is_loopback())
        };
        self.brokers.iter().flat_map(|brokers| brokers.split(',')).all(is_local)
    }

    /// What all processes of a cluster must have alike: each reads its share of the partitions of the same topics.
    pub fn shared(&self) -> String {
        let KafkaConfig { brokers, prefix, passages, flows, begin, .. } = self;
        brokers.as_ref().map_or(String::new(), |_| format!("{prefix:?} {passages:?} {flows:?} {begin:?}"))
    }

    /// Streams that come in, with their names here.
    pub fn incoming(&self) -> [(&'static str, &str); 5] {
        [
            ("passages", &self.passages),
            ("flows", &self.flows),
            ("calls", &self.calls),
            ("units", &self.units),
            ("acks", &self.acks),
        ]
    }

    /// Streams that go out, with their names here.
    pub fn outgoing(&self) -> [(&'static str, &str); 4] {
        [
            ("signals", &self.signals),
            ("forecasts", &self.forecasts),
            ("assignments", &self.assignments),
            ("dead_letters", &self.dead_letters),
        ]
    }

    /// Names that Kafka takes, no two alike, and a size that librdkafka takes.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let fails = |complaint: String| Err(ConfigError::Value(complaint));
        let mut seen = std::collections::BTreeMap::new();
        for (key, name) in self.incoming().into_iter().chain(self.outgoing()) {
            let Some(topic) = self.topic(name) else { continue };
            let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c);
            if !topic.chars().all(is_plain) || topic.len() > 249 {
                return fails(format!("kafka.{key}: '{topic}' is no name of a topic: letters, digits, and . - _"));
            }
            if let Some(other) = seen.insert(topic.clone(), key) {
                return fails(format!("kafka.{key} and kafka.{other} are both topic '{topic}'"));
            }
        }
        if self.tls_certificate.is_some() != self.tls_key.is_some() {
            return fails("kafka.tls_certificate and kafka.tls_key go together: set both, or neither".into());
        }
        if self.tls_certificate.is_some() && self.tls_ca.is_none() {
            return fails("kafka.tls_certificate is of no use without kafka.tls_ca".into());
        }
        if self.user.is_none() != self.password.expose().is_empty() {
            return fails("kafka.user and kafka.password go together: set both, or neither".into());
        }
        if self.group.is_empty() {
            return fails("kafka.group must not be empty".into());
        }
        if !(1024..=64 << 20).contains(&self.message_bytes) {
            return fails(format!("kafka.message_bytes must be from 1024 to {}", 64 << 20));
        }
        Ok(())
    }
}
