//! Who may send what: keys of HTTP senders, the camera platforms of GA/T 1400, the WeChat account.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{ConfigError, Secret};

/// Cameras that speak GA/T 1400 (docs/cameras.md).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ViidConfig {
    /// Names and passwords of the platforms and cameras that may register; none: the service is off.
    pub users: BTreeMap<String, Secret>,
    /// Realm of the digest log-in, and this engine's own ID in its answers (`nanming`).
    pub realm: String,
    /// Keepalives come at least so often, s (30); after three missed ones a device is offline and registers anew.
    pub keepalive_s: u64,
    /// Table of devices, tollgates and lanes; none: device IDs are the names of the city's cameras.
    pub cameras: Option<PathBuf>,
    /// Device IDs that begin so and have type 131 or 132 mean the camera with the number in their last six digits; none:
    /// that rule is off.
    pub serial_area: Option<String>,
}

impl Default for ViidConfig {
    fn default() -> Self {
        ViidConfig {
            users: BTreeMap::new(),
            realm: "nanming".into(),
            keepalive_s: 30,
            cameras: None,
            serial_area: None,
        }
    }
}

/// The WeChat official account (docs/alarms.md).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WechatConfig {
    /// The token that its server settings hold; none: the callback is off.
    pub token: Secret,
}

impl ViidConfig {
    /// Checks ranges that types do not.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let need = |holds: bool, complaint: &str| {
            if holds { Ok(()) } else { Err(ConfigError::Value(complaint.into())) }
        };
        let quotable = |text: &str| !text.is_empty() && text.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'"');
        need(quotable(&self.realm), "viid.realm must be ASCII text without quotes")?;
        need((1..=3600).contains(&self.keepalive_s), "viid.keepalive_s must be from 1 to 3600")?;
        let named = self.users.keys().all(|name| quotable(name) && !name.contains(':'));
        need(named, "viid.users must have names in ASCII, without quotes and colons")?;
        let area = self.serial_area.as_deref().unwrap_or("0");
        let digits = !area.is_empty() && area.len() <= 10 && area.bytes().all(|b| b.is_ascii_digit());
        need(digits, "viid.serial_area must be 1 to 10 digits, such as 5201")
    }
}
