//! Who may do what is told by roles. What each may is in `http/rules.rs`, one row a route.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Minutes of a day: nobody stays logged in for longer.
const DAY_MIN: u64 = 1440;
/// What a machine shows is renewed each month.
const MONTH_MIN: u64 = 30 * DAY_MIN;

/// What somebody is to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Watches the lights and holds stages.
    TrafficOperator,
    /// Raises, changes and ends calls, and sends units.
    Dispatcher,
    /// The terminal of a unit, by a token of `nanming terminal-token`.
    Unit,
    /// What alarms come in by: a telephone exchange, an app, WeChat.
    CallerChannel,
    /// What cameras and other sensors send by.
    CameraPlatform,
    /// Whoever asks: nothing is to be proved.
    Citizen,
    /// Reads everything, and changes nothing.
    Auditor,
    /// A person of a roster, or its desk, by a token of `nanming roster-token`.
    Staff,
    /// Scrapes the measures.
    Monitor,
}

impl Role {
    /// All of them.
    pub const ALL: [Role; 9] = [
        Role::TrafficOperator,
        Role::Dispatcher,
        Role::Unit,
        Role::CallerChannel,
        Role::CameraPlatform,
        Role::Citizen,
        Role::Auditor,
        Role::Staff,
        Role::Monitor,
    ];

    /// Its name in tokens, in the configuration, in answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Role::TrafficOperator => "traffic-operator",
            Role::Dispatcher => "dispatcher",
            Role::Unit => "unit",
            Role::CallerChannel => "caller-channel",
            Role::CameraPlatform => "camera-platform",
            Role::Citizen => "citizen",
            Role::Auditor => "auditor",
            Role::Staff => "staff",
            Role::Monitor => "monitor",
        }
    }

    /// The role of a name.
    pub fn of(name: &str) -> Option<Role> {
        Role::ALL.into_iter().find(|role| role.as_str() == name)
    }

    /// How long a token of this role may be good, minutes; none: there are no such tokens, it is proved otherwise or not
    /// at all.
    pub fn longest_min(self) -> Option<u64> {
        match self {
            Role::TrafficOperator | Role::Dispatcher | Role::Auditor => Some(DAY_MIN),
            Role::CallerChannel | Role::CameraPlatform | Role::Monitor => Some(MONTH_MIN),
            Role::Unit | Role::Citizen | Role::Staff => None,
        }
    }

    /// Whether people log in with it, by name and password.
    pub fn is_a_person_s(self) -> bool {
        matches!(self, Role::TrafficOperator | Role::Dispatcher | Role::Auditor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_has_one_name_everywhere() {
        for role in Role::ALL {
            assert_eq!(Role::of(role.as_str()), Some(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
            assert_eq!(role.to_possible_value().unwrap().get_name(), role.as_str());
        }
        assert_eq!(Role::of("admin"), None);
    }
}
