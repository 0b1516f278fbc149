//! What may be set of the policy. The defaults are those of the figures in `docs/dispatch-eval.md`.

use serde::{Deserialize, Serialize};

use crate::event::Priority;

/// The settings of dispatch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// A call of priority A is to be reached so long after it was opened, ms.
    pub target_ms: u64,
    /// What missing that target costs, as travel time of a call of priority A, ms.
    pub late_ms: u64,
    /// From so long a wait on a call of priority A is served before all others, ms; before it, where there are fewer units than
    /// such calls, those are served that are reached soon.
    pub a_overdue_ms: u64,
    /// A free unit takes a call over from one on its way where it arrives earlier by so much, ms.
    pub change_ms: u64,
    /// Calls of priority B.
    pub b: Service,
    /// Calls of priority C.
    pub c: Service,
    /// What a unit on its way to a call of priority A may be taken for.
    pub from_a: Gains,
    /// What a unit on its way to a call of priority B may be taken for.
    pub from_b: Gains,
    /// What a unit on its way to a call of priority C may be taken for.
    pub from_c: Gains,
    /// For each unit, so many calls that may wait are looked at: the nearest, and those that have waited long.
    pub near: usize,
    /// Calls that wait for a better moment are looked at again after so long, ms.
    pub look_again_ms: u64,
}

/// How calls are served that may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Service {
    /// What its travel time weighs against that of a call of priority A, %.
    pub weight: u16,
    /// The longest travel that a new call is worth, ms.
    pub travel_ms: u64,
    /// For each such stretch that a call has waited, it is worth a stretch of travel more: a number of times.
    pub ageing: u64,
    /// From so long a wait on it is served before all that are not, whatever the travel, ms.
    pub overdue_ms: u64,
    /// It is not served by a free unit unless so many others stay free or on their way.
    pub reserve_units: u16,
}

/// By how much earlier a unit has to be there than any other, to be taken off its way for a call of each priority, ms; none:
/// it is not taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Gains {
    /// For a call of priority A.
    pub a: Option<u64>,
    /// For a call of priority B.
    pub b: Option<u64>,
    /// For a call of priority C.
    pub c: Option<u64>,
}

const GAIN_MS: Option<u64> = Some(30_000);

impl Default for Policy {
    fn default() -> Self {
        let b = Service { weight: 25, travel_ms: 900_000, ageing: 20, overdue_ms: 7_200_000, reserve_units: 0 };
        let c = Service { weight: 6, travel_ms: 1_200_000, ageing: 10, overdue_ms: 43_200_000, reserve_units: 0 };
        Policy {
            target_ms: 480_000,
            late_ms: 300_000,
            a_overdue_ms: 1_200_000,
            change_ms: 30_000,
            b,
            c,
            from_a: Gains { a: GAIN_MS, ..Gains::default() },
            from_b: Gains { a: GAIN_MS, b: GAIN_MS, c: None },
            from_c: Gains { a: GAIN_MS, b: GAIN_MS, c: GAIN_MS },
            near: 6,
            look_again_ms: 10_000,
        }
    }
}

impl Default for Service {
    fn default() -> Self {
        Policy::default().c
    }
}

impl Policy {
    /// What a unit gains when it leaves a call of one priority for one of the other, ms at least; none: it stays.
    pub(super) fn gain_ms(&self, from: Priority, to: Priority) -> Option<u64> {
        let gains = match from {
            Priority::A => &self.from_a,
            Priority::B => &self.from_b,
            Priority::C => &self.from_c,
        };
        match to {
            Priority::A => gains.a,
            Priority::B => gains.b,
            Priority::C => gains.c,
        }
    }

    /// How calls of a priority are served that may wait; none: they may not.
    pub(super) fn service(&self, priority: Priority) -> Option<&Service> {
        match priority {
            Priority::A => None,
            Priority::B => Some(&self.b),
            Priority::C => Some(&self.c),
        }
    }
}
