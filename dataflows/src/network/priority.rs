//! Who has priority at the signals of a city.

use serde::{Deserialize, Serialize};

use crate::event::Priority;

/// What signals may do for vehicles that have priority.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct SignalPriority {
    /// Units on their way to calls at least so urgent drive with lights and get green along their way; none: no unit does.
    pub corridor: Option<Priority>,
    /// By so much in a cycle at most the green of a late bus comes earlier or lasts longer, ms; 0: no bus is helped.
    pub bus_ms: u32,
}

impl Default for SignalPriority {
    fn default() -> Self {
        SignalPriority { corridor: Some(Priority::A), bus_ms: 10_000 }
    }
}
