//! What travellers are told.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::ConfigError;

/// Public travel information (docs/travel.md).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TravelConfig {
    /// Whether `/travel` and `/api/travel/` are served (true). They ask for no key.
    pub enabled: bool,
    /// Requests to `/api/travel/` a minute from one address (300), a /64 of IPv6; so many at once, too.
    pub requests_per_minute: u32,
    /// What is told is made anew so often, s (10), and may be kept for so long by whoever asked.
    pub refresh_s: u64,
    /// Sender of alerts, unique in the world (`nanming`): a domain of yours. No spaces, commas, `<` or `&`.
    pub sender: String,
    /// Addresses of proxies in front of the engine: of what comes from them, the last address in `X-Forwarded-For` counts.
    pub proxies: Vec<IpAddr>,
}

impl Default for TravelConfig {
    fn default() -> Self {
        TravelConfig {
            enabled: true,
            requests_per_minute: 300,
            refresh_s: 10,
            sender: "nanming".into(),
            proxies: Vec::new(),
        }
    }
}

impl TravelConfig {
    /// Checks ranges that types do not.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let need = |holds: bool, complaint: &str| {
            if holds { Ok(()) } else { Err(ConfigError::Value(complaint.into())) }
        };
        let per_minute = "travel.requests_per_minute must be from 1 to 60000";
        need((1..=60_000).contains(&self.requests_per_minute), per_minute)?;
        need((1..=300).contains(&self.refresh_s), "travel.refresh_s must be from 1 to 300")?;
        let plain = !self.sender.is_empty() && self.sender.chars().all(|c| c.is_ascii_graphic() && !",<>&".contains(c));
        need(plain, "travel.sender must be ASCII without spaces, commas, <, > and &, such as traffic.example")
    }
}
