//! Calls that are over, remembered for a while: what still speaks of them is told so, and their IDs are not given again.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::ids::{CallId, UnitId};

/// For so long, ms.
const RETENTION_MS: u64 = 24 * 3_600_000;

/// The calls, and since when, oldest first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Over {
    /// With the units that closed each, and by which attempts.
    calls: BTreeMap<CallId, Vec<(UnitId, u16)>>,
    since: VecDeque<(Time, CallId)>,
}

impl Over {
    pub(super) fn holds(&self, call: CallId) -> bool {
        self.calls.contains_key(&call)
    }

    /// Whether a unit closed a call by this attempt.
    pub(super) fn was_closed_by(&self, call: CallId, unit: UnitId, attempt: u16) -> bool {
        self.calls.get(&call).is_some_and(|closed_by| closed_by.contains(&(unit, attempt)))
    }

    /// A call is not over after all.
    pub(super) fn forget(&mut self, call: CallId) {
        self.calls.remove(&call);
    }

    /// A call is over since this tick; those that were long ago are forgotten.
    pub(super) fn add(&mut self, call: CallId, closed_by: Vec<(UnitId, u16)>, tick: Time) {
        self.calls.insert(call, closed_by);
        self.since.push_back((tick, call));
        while let Some((_, old)) = self.since.pop_front_if(|(since, _)| *since + RETENTION_MS <= tick) {
            self.calls.remove(&old);
        }
    }
}
