//! Command platforms by GA/T 1049 (docs/controllers.md).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::{ConfigError, Secret};

/// The service for command platforms.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Gat1049Config {
    /// Address and port; none: the service is off.
    pub listen: Option<SocketAddr>,
    /// Names and passwords of the platforms that may log in.
    pub users: BTreeMap<String, Secret>,
    /// The agency's 6 digits, with which IDs of junctions begin (`520100`).
    pub agency: String,
    /// This system's name in messages (`UTCS`).
    pub system: String,
    /// Version of the protocol in messages (`2.0`).
    pub version: String,
    /// Heartbeats are sent so often; who is silent for three is hung up on, s (30).
    pub heartbeat_s: u64,
    /// Traffic is reported so often, s of city time (300).
    pub traffic_s: u64,
    /// A stage is held for somebody for so long at most, s of city time (300).
    pub lock_max_s: u64,
    /// A stage that is to be held and does not stand after so long is given up, s of city time (60).
    pub lock_wait_s: u64,
    /// Platforms at once (16).
    pub platforms: usize,
}

impl Default for Gat1049Config {
    fn default() -> Self {
        Gat1049Config {
            listen: None,
            users: BTreeMap::new(),
            agency: "520100".into(),
            system: "UTCS".into(),
            version: "2.0".into(),
            heartbeat_s: 30,
            traffic_s: 300,
            lock_max_s: 300,
            lock_wait_s: 60,
            platforms: 16,
        }
    }
}

impl Gat1049Config {
    /// Checks ranges that types do not.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let need = |holds: bool, complaint: &str| {
            if holds { Ok(()) } else { Err(ConfigError::Value(format!("gat1049.{complaint}"))) }
        };
        let is_agency = self.agency.len() == 6 && self.agency.bytes().all(|byte| byte.is_ascii_digit());
        need(is_agency, "agency must be 6 digits, such as 520100")?;
        need(self.listen.is_none() || !self.users.is_empty(), "users must name at least one platform that may log in")?;
        need((1..=3600).contains(&self.heartbeat_s), "heartbeat_s must be from 1 to 3600")?;
        need((1..=3600).contains(&self.traffic_s), "traffic_s must be from 1 to 3600")?;
        need((1..=3600).contains(&self.lock_max_s), "lock_max_s must be from 1 to 3600")?;
        need((1..=600).contains(&self.lock_wait_s), "lock_wait_s must be from 1 to 600")?;
        need((1..=1000).contains(&self.platforms), "platforms must be from 1 to 1000")
    }
}
