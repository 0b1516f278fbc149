//! What dispatch remembers: the calls that are open, who is on them, who waits, and the units in service.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::duplicates::Duplicates;
use super::over::Over;
use super::roads::Stop;
use crate::Time;
use crate::decision::{CallPhase, PickReason, Reason};
use crate::event::{Ack, Answer, CallFacts, Priority};
use crate::ids::{CallId, RegionId, UnitId};

/// A unit that has not answered after so long is replaced, ms.
pub(super) const SILENT_MS: u64 = 60_000;
/// A unit that has arrived and is out of service is replaced after so long, ms: longer, for radio is lost in a basement.
pub(super) const LOST_ON_SCENE_MS: u64 = 900_000;
/// An engaged unit that goes on reporting for so long that it is on no task is free again, ms.
pub(super) const FREE_MS: u64 = 60_000;

/// A unit that declined is not asked again for so long, ms: not for ever, for there may be no other.
pub(super) const DECLINED_MS: u64 = 600_000;

/// Order in which calls of a region are served.
type Rank = (RegionId, Priority, u64, CallId);

/// What is remembered.
#[derive(Default, Serialize, Deserialize)]
pub struct Calls {
    pub(super) units: BTreeMap<UnitId, Station>,
    pub(super) engaged: BTreeMap<UnitId, CallId>,
    pub(super) open: BTreeMap<CallId, OpenCall>,
    pub(super) over: Over,
    pub(super) duplicates: Duplicates,
    pub(super) travel_ms: Vec<u32>,
    waiting: BTreeSet<Rank>,
}

/// A unit in service.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Station {
    pub(super) region: RegionId,
    pub(super) stop: Stop,
    pub(super) available: bool,
}

/// A call that is not over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OpenCall {
    pub(super) facts: CallFacts,
    /// The region that its place lies in.
    pub(super) region: RegionId,
    pub(super) phase: CallPhase,
    pub(super) opened_ms: u64,
    pub(super) attempts: u16,
    pub(super) unit: Option<UnitId>,
    pub(super) assigned_ms: u64,
    /// When its unit last answered, or was assigned.
    pub(super) answered_ms: u64,
    /// Since when its unit is out of service, if it is.
    pub(super) lost_ms: Option<u64>,
    /// Since when its unit has been reporting that it is on no task, if it has.
    pub(super) free_ms: Option<u64>,
    /// Who declined it, and when.
    pub(super) declined: Vec<(UnitId, u64)>,
    /// Who did not answer or went missing.
    pub(super) silent: Vec<UnitId>,
    /// Why it waits again, if it does.
    pub(super) why: Option<PickReason>,
    /// Words said about it so far.
    pub(super) said: u32,
}

impl Calls {
    /// Changes an open call, and its place among those that wait.
    pub(super) fn change(&mut self, id: CallId, change: impl FnOnce(&mut OpenCall)) {
        let Some(call) = self.open.get_mut(&id) else { return };
        self.waiting.remove(&call.rank(id));
        change(call);
        if call.phase == CallPhase::Waiting {
            self.waiting.insert(call.rank(id));
        }
    }

    /// Calls of a region that wait, most urgent and oldest first.
    pub(super) fn waiting(&self, region: RegionId) -> impl Iterator<Item = (CallId, &OpenCall)> {
        let from = self.waiting.range((region, Priority::A, 0, CallId(0))..);
        from.take_while(move |rank| rank.0 == region).filter_map(|rank| Some((rank.3, self.open.get(&rank.3)?)))
    }

    /// Units of a region that could take a call now.
    pub(super) fn free(&self, region: RegionId) -> Vec<(UnitId, Stop)> {
        let free = |unit: &UnitId, s: &Station| s.region == region && s.available && !self.engaged.contains_key(unit);
        self.units.iter().filter(|(unit, s)| free(unit, s)).map(|(unit, s)| (*unit, s.stop)).collect()
    }

    /// Calls whose units are due to answer or to come back by `tick`, and why others go then.
    pub(super) fn overdue(&self, tick: Time) -> Vec<(CallId, PickReason)> {
        let due = self.engaged.values().filter_map(|id| Some((*id, self.open.get(id)?.due()?)));
        due.filter(|(_, (at, _))| *at <= tick).map(|(id, (_, why))| (id, why)).collect()
    }

    /// When the next unit is due.
    pub(super) fn next_due(&self) -> Option<Time> {
        self.engaged.values().filter_map(|id| Some(self.open.get(id)?.due()?.0)).min()
    }
}

impl OpenCall {
    fn rank(&self, id: CallId) -> Rank {
        (self.region, self.facts.priority, self.opened_ms, id)
    }

    /// When its unit must have answered or come back at the latest, and why another one goes then.
    fn due(&self) -> Option<(Time, PickReason)> {
        let answer_by = self.assigned_ms + SILENT_MS;
        match (self.phase, self.lost_ms) {
            (CallPhase::Assigned, None) => Some((answer_by, PickReason::AfterSilence)),
            (CallPhase::Assigned | CallPhase::Accepted, Some(lost_ms)) => {
                Some((lost_ms.max(answer_by), PickReason::AfterLoss))
            }
            (CallPhase::Arrived, Some(lost_ms)) => Some((lost_ms + LOST_ON_SCENE_MS, PickReason::AfterLoss)),
            _ => None,
        }
    }

    /// Whether a unit that declined it is not to be asked yet.
    pub(super) fn is_declined_by(&self, unit: UnitId, tick: Time) -> bool {
        self.declined.iter().any(|(who, at_ms)| *who == unit && tick < at_ms + DECLINED_MS)
    }

    /// Whether a unit may say this about this call now.
    pub(super) fn may_answer(&self, ack: &Ack) -> Result<(), Reason> {
        if ack.assignment.attempt == 0 || ack.assignment.attempt > self.attempts {
            return Err(Reason::UnknownAssignment);
        }
        match self.unit {
            _ if ack.assignment.attempt < self.attempts => Err(Reason::StaleAssignment),
            None => Err(Reason::StaleAssignment),
            Some(unit) if unit != ack.unit => Err(Reason::NotYourAssignment),
            Some(_) if ack.answer == Answer::Decline && self.phase == CallPhase::Arrived => {
                Err(Reason::StaleAssignment)
            }
            Some(_) => Ok(()),
        }
    }
}
