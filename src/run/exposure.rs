//! Who can reach the engine, and whether it may be started so. On this machine alone it asks nobody who they are, unless it
//! is told to; where others reach it, it does not start without keys and TLS.

use std::net::SocketAddr;

use crate::config::Config;

/// A start that is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
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
}

/// Whether the engine may be started so.
pub(super) fn check(config: &Config) -> Result<(), Exposed> {
    let http = &config.http;
    let (is_local, has_key) = (http.listen.ip().to_canonical().is_loopback(), config.access.key().is_some());
    let has_tls = http.tls_certificate.is_some();
    match (is_local, has_key) {
        (true, false) if http.behind_proxy => Err(Exposed::ProxiedWithoutKey),
        (false, false) => Err(Exposed::Keyless(http.listen)),
        (false, true) if !has_tls && !http.behind_proxy => Err(Exposed::Readable(http.listen)),
        _ => Ok(()),
    }
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
}
