//! A call that is not over, and the units that are on it.

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::decision::{CallPhase, PickReason, Reason};
use crate::event::{Ack, Answer, CallFacts, Serving};
use crate::ids::{CallId, RegionId, UnitId};
use crate::network::DispatchRules;

use super::state::Rank;

/// A call that is not over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OpenCall {
    pub(super) facts: CallFacts,
    /// The region that its place lies in.
    pub(super) region: RegionId,
    pub(super) opened_ms: u64,
    /// Since when nobody is on it who has accepted it.
    pub(super) unheard_ms: u64,
    pub(super) attempts: u16,
    /// Who is on it, in the order in which they were sent.
    pub(super) crew: Vec<Task>,
    /// Who has done their part, and by which attempt.
    pub(super) done: Vec<(UnitId, u16)>,
    /// Who declined it, and by which attempt: they are not asked again.
    pub(super) declined: Vec<(UnitId, u16)>,
    /// Who did not answer or went missing.
    pub(super) silent: Vec<UnitId>,
    /// Why it waits again, if it does.
    pub(super) why: Option<PickReason>,
    /// Whether the supervisor was told.
    pub(super) is_escalated: bool,
    /// Words said about it so far.
    pub(super) said: u32,
}

/// A unit on a call.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Task {
    pub(super) unit: UnitId,
    pub(super) attempt: u16,
    /// Assigned, accepted or arrived.
    pub(super) phase: CallPhase,
    pub(super) assigned_ms: u64,
    /// When it last answered, or was assigned.
    pub(super) answered_ms: u64,
    /// Since when it is out of service, if it is.
    pub(super) lost_ms: Option<u64>,
    /// Since when it has been reporting that it is on no task, if it has.
    pub(super) free_ms: Option<u64>,
    pub(super) is_reminded: bool,
    /// Another unit is looked for in its place.
    pub(super) is_overdue: bool,
    /// A desk sent it: it is nobody else's to take it off its way.
    pub(super) is_ordered: bool,
}

impl Task {
    /// A unit that is told at a tick.
    pub(super) fn new(Serving { unit, attempt, phase, is_ordered }: Serving, tick: Time) -> Task {
        let (assigned_ms, answered_ms) = (tick, tick);
        let (lost_ms, free_ms) = (None, None);
        Task {
            unit,
            attempt,
            phase,
            assigned_ms,
            answered_ms,
            lost_ms,
            free_ms,
            is_reminded: false,
            is_overdue: false,
            is_ordered,
        }
    }

    /// When it must have answered or come back at the latest before another is looked for; none when it is where it should be.
    pub(super) fn overdue_at(&self, rules: &DispatchRules) -> Option<Time> {
        let answer_by = self.assigned_ms + rules.second_unit_ms;
        let at = match (self.phase, self.lost_ms) {
            (CallPhase::Assigned, None) => answer_by,
            (CallPhase::Assigned | CallPhase::Accepted, Some(lost_ms)) => lost_ms.max(answer_by),
            (CallPhase::Arrived, Some(lost_ms)) => lost_ms + rules.lost_on_scene_ms,
            _ => return None,
        };
        (!self.is_overdue).then_some(at)
    }

    /// When it is to be reminded.
    pub(super) fn remind_at(&self, rules: &DispatchRules) -> Option<Time> {
        let is_due = self.phase == CallPhase::Assigned
            && !(self.is_reminded || self.is_overdue)
            && rules.remind_ms < rules.second_unit_ms;
        is_due.then_some(self.assigned_ms + rules.remind_ms)
    }

    fn due(&self, rules: &DispatchRules) -> Option<Time> {
        self.overdue_at(rules).into_iter().chain(self.remind_at(rules)).min()
    }
}

impl OpenCall {
    /// How far it is: as far as that of its units which is furthest.
    pub(super) fn phase(&self) -> CallPhase {
        self.lead().map_or(CallPhase::Waiting, |task| task.phase)
    }

    /// The unit in charge: that which is furthest, and was sent first.
    pub(super) fn lead(&self) -> Option<&Task> {
        self.crew.iter().max_by_key(|task| (task.phase, !task.is_overdue, std::cmp::Reverse(task.attempt)))
    }

    pub(super) fn task(&self, unit: UnitId) -> Option<&Task> {
        self.crew.iter().find(|task| task.unit == unit)
    }

    pub(super) fn task_mut(&mut self, unit: UnitId) -> Option<&mut Task> {
        self.crew.iter_mut().find(|task| task.unit == unit)
    }

    /// Units that are still looked for.
    pub(super) fn lacking(&self) -> u8 {
        let served = self.crew.iter().filter(|task| !task.is_overdue).count() as u8;
        self.facts.needs.units.max(1).saturating_sub(served).saturating_sub(self.done.len() as u8)
    }

    /// Where it stands among those that wait; none when nobody is looked for.
    pub(super) fn rank(&self, id: CallId) -> Option<Rank> {
        (self.lacking() > 0).then_some((self.region, self.facts.priority, self.opened_ms, id))
    }

    /// When the supervisor is to be told: nobody has accepted it for long, or units are lacking of which there are none.
    pub(super) fn supervisor_at(&self, rules: &DispatchRules) -> Option<Time> {
        let is_heard = self.crew.iter().any(|task| task.phase > CallPhase::Assigned && !task.is_overdue);
        let wait_ms = rules.waiting_ms[self.facts.priority as usize];
        let last_sent_ms = self.crew.iter().map(|task| task.assigned_ms).max();
        let at = match last_sent_ms {
            None => self.unheard_ms + wait_ms,
            Some(_) if !is_heard => self.unheard_ms + rules.supervisor_ms,
            Some(last_sent_ms) if self.lacking() > 0 => last_sent_ms + wait_ms,
            Some(_) => return None,
        };
        (!self.is_escalated).then_some(at)
    }

    /// A unit that was on its way or there is so no longer: from now on it is unheard.
    pub(super) fn is_unheard(&mut self, tick: Time) {
        (self.unheard_ms, self.is_escalated) = (tick, false);
    }

    /// When something about it is due next.
    pub(super) fn due(&self, rules: &DispatchRules) -> Option<Time> {
        let tasks = self.crew.iter().filter_map(|task| task.due(rules));
        tasks.chain(self.supervisor_at(rules)).min()
    }

    pub(super) fn is_declined_by(&self, unit: UnitId) -> bool {
        self.declined.iter().any(|(who, _)| *who == unit)
    }

    /// What a unit's answer is to this call: something new, something said before, or nothing that it may say.
    pub(super) fn heard(&self, ack: &Ack) -> Result<Heard, Reason> {
        let attempt = ack.assignment.attempt;
        if attempt == 0 || attempt > self.attempts {
            return Err(Reason::UnknownAssignment);
        }
        let said = (ack.unit, attempt);
        let is_known = match ack.answer {
            Answer::Decline => self.declined.contains(&said),
            Answer::Closed => self.done.contains(&said),
            _ => false,
        };
        if is_known {
            return Ok(Heard::Again);
        }
        match self.crew.iter().find(|task| task.attempt == attempt) {
            None => Err(Reason::StaleAssignment),
            Some(task) if task.unit != ack.unit => Err(Reason::NotYourAssignment),
            Some(task) if ack.answer == Answer::Decline && task.phase == CallPhase::Arrived => {
                Err(Reason::StaleAssignment)
            }
            Some(_) => Ok(Heard::New),
        }
    }
}

/// How an answer is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It is about an assignment in force.
    New,
    /// It was taken before: said again because the link was lost.
    Again,
}
