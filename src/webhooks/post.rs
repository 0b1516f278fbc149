//! One POST to a receiver, signed as Standard Webhooks have it: `webhook-id`, `webhook-timestamp`, and `webhook-signature` =
//! `v1,` + base64 of HMAC-SHA256 over `<id>.<timestamp>.<body>`.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::clock::wall_ms;
use crate::config::{Secret, WebhookConfig};

/// Of secrets that are written in base64.
const ENCODED: &str = "whsec_";

/// The receiver's end.
pub(super) struct Receiver {
    agent: ureq::Agent,
    url: String,
    secret: Secret,
}

impl Receiver {
    pub(super) fn new(config: &WebhookConfig) -> Receiver {
        let settings = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(Duration::from_secs(config.timeout_s)))
            .build();
        Receiver { agent: settings.into(), url: config.url.clone(), secret: config.secret.clone() }
    }

    /// Sends an event. An error says why it was not taken.
    pub(super) fn post(&self, id: &str, event: &str) -> Result<(), String> {
        let timestamp = wall_ms() / 1000;
        let request = self
            .agent
            .post(&self.url)
            .header("content-type", "application/cloudevents+json; charset=utf-8")
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp.to_string())
            .header("webhook-signature", signature(&self.secret, id, timestamp, event));
        match request.send(event) {
            Ok(answer) if answer.status().is_success() => Ok(()),
            Ok(answer) => Err(format!("answered {}", answer.status())),
            Err(error) => Err(error.to_string()),
        }
    }
}

/// What `webhook-signature` must be.
pub fn signature(secret: &Secret, id: &str, timestamp: u64, body: &str) -> String {
    let text = secret.expose();
    let key = text.strip_prefix(ENCODED).and_then(|text| STANDARD.decode(text).ok());
    // A key of any length will do.
    let mac = Hmac::<Sha256>::new_from_slice(key.as_deref().unwrap_or(text.as_bytes()));
    let mut mac = mac.unwrap_or_else(|error| panic!("HMAC refuses a key: {error}"));
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By `printf '%s' 7.1700000000.{} | openssl dgst -sha256 -hmac key -binary | base64`.
    const KNOWN: &str = "v1,62dQWDJBmyLQbjKuSALG1nK/Tac7x1bCtR9xrmxJtDc=";

    #[test]
    fn it_is_the_signature_that_receivers_reckon() {
        let sign = |secret: &str, id| signature(&secret.to_owned().into(), id, 1_700_000_000, "{}");
        assert_eq!(sign("key", "7"), KNOWN);
        assert_eq!(sign("whsec_a2V5", "7"), KNOWN, "the same key in base64");
        assert_ne!(sign("key", "8"), KNOWN);
    }
}
