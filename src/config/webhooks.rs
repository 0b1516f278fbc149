//! Receivers of what becomes of calls (docs/terminals.md).

use serde::{Deserialize, Serialize};

use super::{ConfigError, Secret};

/// What can be told.
pub(super) const KINDS: [&str; 8] =
    ["waiting", "assigned", "accepted", "arrived", "closed", "cancelled", "changed", "withdrawn"];

/// A receiver.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WebhookConfig {
    /// Where events are POSTed: `http://host:port/path`. TLS is a proxy's beside the engine.
    pub url: String,
    /// Signs each event; `whsec_..` is base64.
    pub secret: Secret,
    /// Call signs of the units of which it is told; none: of all calls.
    #[serde(default)]
    pub units: Vec<String>,
    /// What it is told, of `waiting`, `assigned`, `accepted`, `arrived`, `closed`, `cancelled`, `changed`, `withdrawn`; none:
    /// all.
    #[serde(default)]
    pub kinds: Vec<String>,
    /// It must answer within so long, s (3).
    #[serde(default = "timeout_s")]
    pub timeout_s: u64,
    /// An event is given up after so many tries (20: after some quarter of an hour).
    #[serde(default = "tries")]
    pub tries: u32,
}

fn timeout_s() -> u64 {
    3
}

fn tries() -> u32 {
    20
}

impl WebhookConfig {
    /// Checks ranges that types do not.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let need = |holds: bool, complaint: String| if holds { Ok(()) } else { Err(ConfigError::Value(complaint)) };
        let tls = "webhooks: url must be http://host/path; for a receiver with TLS put a proxy beside the engine";
        need(self.url.starts_with("http://") && self.url.parse::<axum::http::Uri>().is_ok(), tls.into())?;
        need(!self.secret.expose().is_empty(), "webhooks: secret must not be empty".into())?;
        let strange = self.kinds.iter().find(|kind| !KINDS.contains(&kind.as_str()));
        let complaint = |kind: &String| format!("webhooks: there is no kind {kind}; there are {}", KINDS.join(", "));
        need(strange.is_none(), strange.map_or(String::new(), complaint))?;
        need((1..=30).contains(&self.timeout_s), "webhooks: timeout_s must be from 1 to 30".into())?;
        need((1..=1000).contains(&self.tries), "webhooks: tries must be from 1 to 1000".into())
    }
}
