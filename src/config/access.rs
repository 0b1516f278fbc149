//! Who may do what (docs/security.md).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{ConfigError, Secret};
use crate::password;
use crate::roles::Role;

/// A key of fewer bytes could be found by trying.
const SHORTEST_KEY: usize = 32;
/// Longest name of a person, characters.
const LONGEST_NAME: usize = 64;

/// Roles, and how they are proved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessConfig {
    /// Key of the tokens of roles (`nanming role-token`, `POST /login`), at least 32 bytes; none: there are no roles,
    /// whoever reaches the engine may do all, and it listens on this machine only.
    pub key: Secret,
    /// Those who log in with a password, by name.
    pub persons: BTreeMap<String, PersonConfig>,
    /// Whoever logs in stays so for so long, min (480).
    pub login_min: u64,
    /// Tries to log in a minute from one address (10), a /64 of IPv6.
    pub logins_per_minute: u32,
    /// Alarms a minute from one caller channel (6000).
    pub calls_per_minute: u32,
}

/// Somebody who logs in with a password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PersonConfig {
    /// `traffic-operator`, `dispatcher` or `auditor`.
    pub role: Role,
    /// What `nanming password` made of the password.
    pub password: Secret,
}

impl Default for AccessConfig {
    fn default() -> Self {
        AccessConfig {
            key: Secret::default(),
            persons: BTreeMap::new(),
            login_min: 480,
            logins_per_minute: 10,
            calls_per_minute: 6000,
        }
    }
}

impl AccessConfig {
    /// The key of roles, where there is one.
    pub fn key(&self) -> Option<&Secret> {
        Some(&self.key).filter(|key| !key.expose().is_empty())
    }

    /// Checks ranges that types do not.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let need = |holds: bool, complaint: &str| {
            if holds { Ok(()) } else { Err(ConfigError::Value(complaint.into())) }
        };
        let is_long = self.key().is_none_or(|key| key.expose().len() >= SHORTEST_KEY);
        need(is_long, "access.key must have at least 32 bytes, such as `openssl rand -base64 32` prints")?;
        let keyed = self.persons.is_empty() || self.key().is_some();
        need(keyed, "access.persons log in with tokens: set access.key too, which signs them")?;
        need((1..=1440).contains(&self.login_min), "access.login_min must be from 1 to 1440")?;
        need((1..=60_000).contains(&self.logins_per_minute), "access.logins_per_minute must be from 1 to 60000")?;
        need((1..=60_000).contains(&self.calls_per_minute), "access.calls_per_minute must be from 1 to 60000")?;
        self.persons.iter().try_for_each(|(name, person)| person.check(name))
    }
}

impl PersonConfig {
    fn check(&self, name: &str) -> Result<(), ConfigError> {
        let wrong = |why: String| ConfigError::Value(format!("access.persons.{name}: {why}"));
        let length = name.chars().count();
        if !(1..=LONGEST_NAME).contains(&length) || name.chars().any(char::is_control) {
            return Err(wrong("a name has 1 to 64 characters, none of them a control character".into()));
        }
        if !self.role.is_a_person_s() {
            return Err(wrong(format!(
                "'{}' is no role that people log in with; those are traffic-operator, dispatcher and auditor",
                self.role.as_str()
            )));
        }
        password::check(self.password.expose()).map_err(|error| wrong(error.to_string()))
    }
}
