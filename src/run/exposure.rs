//! Who can reach the engine, and whether it may be started so. On this machine alone it asks nobody who they are, unless it
//! is told to; where others reach it, it does not start without keys and TLS. Nor does it speak to brokers elsewhere without TLS.

use std::net::SocketAddr;

use crate::config::{Config, KafkaConfig};

/// A start that is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exposed {
    /// Whoever reaches it could do everything.
    #[error(
        "http.listen = \"{0}\" lets others than this machine in, and there are no keys: whoever connects could command the \
         city's lights and units. Set [access] key to a random text of 32 bytes or more and give out roles \
         (docs/security.md), or listen on 127.0.0.1"
    )]
    Keyless(SocketAddr),
    /// A proxy lets others in.
    #[error(
        "http.behind_proxy = true lets others than this machine in, and there are no keys: set [access] key to a random text \
         of 32 bytes or more and give out roles (docs/security.md)"
    )]
    ProxiedWithoutKey,
    /// Whoever listens on the way could read tokens.
    #[error(
        "http.listen = \"{0}\" lets others than this machine in, and there is no TLS: whoever is on the way could read tokens \
         and calls. Set [http] tls_certificate and tls_key to PEM files; or http.behind_proxy = true if a proxy with TLS \
         stands before the engine and nobody else reaches this address; or listen on 127.0.0.1"
    )]
    Readable(SocketAddr),
    /// Whoever listens on the way to brokers could read calls, and raise them.
    #[error(
        "kafka.brokers = \"{0}\" are beyond this machine, and there is no TLS: whoever is on the way could read calls, and raise \
         and answer them. Set [kafka] tls_ca to a PEM file (docs/kafka.md); or kafka.without_tls = true if they are on a \
         network of the engine's own"
    )]
    KafkaReadable(String),
    /// The client of Kafka has no TLS.
    #[error(
        "kafka.tls_ca or kafka.user is set, and this engine was built without OpenSSL, which both need: build it with `cargo \
         build --release --features kafka-tls` (it needs OpenSSL's headers: libssl-dev), or leave them out"
    )]
    KafkaWithoutOpenssl,
}

/// Whether this engine was built with OpenSSL for its client of Kafka.
const HAS_OPENSSL: bool = cfg!(feature = "kafka-tls");

/// Whether the engine may be started so.
pub(super) fn check(config: &Config) -> Result<(), Exposed> {
    let http = &config.http;
    let (is_local, has_key) = (http.listen.ip().to_canonical().is_loopback(), config.access.key().is_some());
    let has_tls = http.tls_certificate.is_some();
    match (is_local, has_key) {
        (true, false) if http.behind_proxy => Err(Exposed::ProxiedWithoutKey),
        (false, false) => Err(Exposed::Keyless(http.listen)),
        (false, true) if !has_tls && !http.behind_proxy => Err(Exposed::Readable(http.listen)),
        _ => kafka(&config.kafka, HAS_OPENSSL),
    }
}

fn kafka(config: &KafkaConfig, has_openssl: bool) -> Result<(), Exposed> {
    if config.needs_openssl() && !has_openssl {
        return Err(Exposed::KafkaWithoutOpenssl);
    }
    let may = config.tls_ca.is_some() || config.without_tls || config.is_local();
    let brokers = config.brokers.as_ref().filter(|_| !may);
    brokers.map_or(Ok(()), |brokers| Err(Exposed::KafkaReadable(brokers.clone())))
}

/// How it is spoken to.
pub(super) fn scheme(config: &Config) -> &'static str {
    if config.http.tls_certificate.is_some() { "https" } else { "http" }
}

/// Says what holds where there are no roles, and what TLS does not cover.
pub(super) fn warn(config: &Config) {
    if config.gat1049.listen.is_some_and(|listen| !listen.ip().to_canonical().is_loopback()) {
        tracing::warn!(
            "gat1049.listen lets others than this machine in, and GA/T 1049 has no TLS: passwords of command platforms can be \
             read on the way; keep it on a network of its own"
        );
    }
    if config.kafka.tls_ca.is_none() && !config.kafka.is_local() {
        tracing::warn!(
            "kafka.without_tls is set: what passes between the engine and its brokers can be read on the way"
        );
    }
    if config.access.key().is_none() {
        tracing::info!("access.key is not set: everybody on this machine may do everything");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;

    fn told(listen: &str, key: bool, tls: bool, behind_proxy: bool) -> Result<(), Exposed> {
        let mut config = Config::default();
        config.http.listen = listen.parse().unwrap();
        config.http.behind_proxy = behind_proxy;
        config.http.tls_certificate = tls.then(|| "cert.pem".into());
        if key {
            config.access.key = Secret::from("x".repeat(32));
        }
        check(&config)
    }

    #[test]
    fn beyond_this_machine_it_starts_with_keys_and_tls_only() {
        for local in ["127.0.0.1:8080", "127.8.0.1:80", "[::1]:8080", "[::ffff:127.0.0.1]:8080"] {
            assert_eq!(told(local, false, false, false), Ok(()), "{local}");
            assert_eq!(told(local, true, false, true), Ok(()), "{local}");
            assert_eq!(told(local, false, false, true), Err(Exposed::ProxiedWithoutKey), "{local}");
            assert_eq!(told(local, false, true, true), Err(Exposed::ProxiedWithoutKey), "{local}");
        }
        for far in ["0.0.0.0:8080", "10.0.0.7:8080", "[::]:8080", "[2001:db8::1]:80"] {
            let listen = far.parse().unwrap();
            assert_eq!(told(far, false, false, false), Err(Exposed::Keyless(listen)));
            assert_eq!(told(far, false, true, true), Err(Exposed::Keyless(listen)));
            assert_eq!(told(far, true, false, false), Err(Exposed::Readable(listen)));
            assert_eq!((told(far, true, true, false), told(far, true, false, true)), (Ok(()), Ok(())));
        }
    }

    fn told_of_kafka(brokers: &str, set: impl Fn(&mut KafkaConfig), has_openssl: bool) -> Result<(), Exposed> {
        let mut config = KafkaConfig { brokers: Some(brokers.into()), ..KafkaConfig::default() };
        set(&mut config);
        kafka(&config, has_openssl)
    }

    #[test]
    fn brokers_elsewhere_are_spoken_to_by_tls_unless_it_is_allowed() {
        let (plain, tls) = (|_: &mut KafkaConfig| {}, |c: &mut KafkaConfig| c.tls_ca = Some("ca.pem".into()));
        let allowed = |c: &mut KafkaConfig| c.without_tls = true;
        let logs_in = |c: &mut KafkaConfig| c.user = Some("nanming".into());
        for local in ["127.0.0.1:9092", "localhost:9092", "[::1]:9092,127.0.0.2:9092", "PLAINTEXT://localhost:1"] {
            assert_eq!(told_of_kafka(local, plain, false), Ok(()), "{local}");
            assert_eq!(told_of_kafka(local, tls, false), Err(Exposed::KafkaWithoutOpenssl), "{local}");
            assert_eq!(told_of_kafka(local, logs_in, false), Err(Exposed::KafkaWithoutOpenssl), "{local}");
            assert_eq!(told_of_kafka(local, logs_in, true), Ok(()), "{local}");
        }
        for far in ["kafka1:9092", "127.0.0.1:9092,10.0.0.7:9092", "localhost.example:9092", "[2001:db8::1]:1", ""] {
            let readable = Err(Exposed::KafkaReadable(far.into()));
            assert_eq!(told_of_kafka(far, plain, true), readable, "{far}");
            assert_eq!(told_of_kafka(far, logs_in, true), readable, "{far}");
            assert_eq!((told_of_kafka(far, tls, true), told_of_kafka(far, allowed, false)), (Ok(()), Ok(())), "{far}");
        }
        assert_eq!(kafka(&KafkaConfig::default(), false), Ok(()));
    }
}
