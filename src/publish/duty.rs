//! Who is on what: the calls that are open and the assignments in force, and what a tick changes about them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use nanming_dataflows::decision::{
    Assignment, AssignmentPhase, AssignmentStatus, CallPhase, CallStatus, EndReason, Escalation, EscalationStep, Merge,
    Reason,
};
use nanming_dataflows::event::{Ack, AssignmentId, CallChange, CallEvent, CallFacts, Standing};
use nanming_dataflows::ids::{CallId, UnitId};

use crate::door::{CallNote, TickRecord};
use crate::ledger::{InForce, refusals};

/// An open call.
#[derive(Clone, Debug)]
pub(super) struct OpenCall {
    pub(super) facts: CallFacts,
    pub(super) words: String,
    /// When it came in, where this process saw it come.
    pub(super) arrived: Option<Instant>,
    /// Who is on it, in the order in which they were sent.
    pub(super) crew: Vec<Assignment>,
    /// How far those are who have answered.
    phases: BTreeMap<AssignmentId, CallPhase>,
    /// What was last said of it.
    pub(super) status: CallStatus,
}

impl OpenCall {
    fn new(facts: CallFacts, words: &str, arrived: Option<Instant>, status: CallStatus) -> OpenCall {
        OpenCall { facts, words: words.into(), arrived, crew: Vec::new(), phases: BTreeMap::new(), status }
    }

    /// How far a unit is with its assignment to it.
    pub(super) fn phase_of(&self, assignment: AssignmentId) -> CallPhase {
        self.phases.get(&assignment).copied().unwrap_or(CallPhase::Assigned)
    }
}

/// Why an assignment holds no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Withdrawal {
    /// Its call was withdrawn.
    Cancelled,
    /// Another unit goes.
    Reassigned,
    /// Its unit goes to a more urgent call.
    Preempted,
    /// Its call was closed, though its unit did not say so.
    Closed,
}

/// What somebody must be told.
#[derive(Clone, Debug)]
pub(super) enum Notice {
    /// A unit is sent to a call.
    Assigned(Assignment, OpenCall),
    /// What is known of its call changed, and perhaps where to go.
    Changed(Assignment, OpenCall),
    /// It need not go any more.
    Withdrawn(AssignmentId, UnitId, Withdrawal),
    /// A unit has not answered yet.
    Reminded(Assignment, OpenCall),
    /// A call is not served as it should be.
    Escalated(Escalation),
    /// Its answer was taken, or refused.
    Answered(Ack, Option<Reason>),
    /// A call reached a phase; what is known of it.
    Status(CallStatus, Option<CallFacts>),
}

/// The open calls and what is in force.
#[derive(Clone, Debug, Default)]
pub struct Duty {
    calls: BTreeMap<CallId, OpenCall>,
    /// Words of calls that joined others or were referred: they may be calls of their own again.
    aside: BTreeMap<CallId, String>,
}

impl Duty {
    /// As the ledger says it was.
    pub fn restored(calls: &[(CallEvent, CallNote)], in_force: &[InForce]) -> Duty {
        let mut duty = Duty::default();
        for (event, note) in calls {
            duty.open(event, &note.words, None);
        }
        for known in in_force {
            if let Some(call) = duty.calls.get_mut(&known.assignment.call) {
                call.crew.push(known.assignment.clone());
                call.phases.insert(known.assignment.id, known.phase);
            }
        }
        duty
    }

    /// Takes a tick; what somebody must be told of it, in order. `posted`: when a call that is on its way was posted.
    pub(super) fn take(&mut self, record: &TickRecord, posted: impl Fn(CallId) -> Option<Instant>) -> Vec<Notice> {
        let mut notices = Vec::new();
        for (event, _) in refusals::calls(record).filter(|(_, refused)| refused.is_none()) {
            let words = record.notes.iter().find(|(call, _)| *call == event.call).map_or("", |(_, note)| &note.words);
            self.open(event, words, Some(posted(event.call).unwrap_or(record.closed_at)));
            notices.extend(self.changed(event));
        }
        record.decisions.merges.iter().for_each(|merge| notices.extend(self.raised(merge)));
        let mut statuses = self.statuses(record);
        notices.extend(self.withdraw(record));
        record.decisions.assignment_statuses.iter().for_each(|status| self.advance(status));
        self.assign(record, &mut statuses, &mut notices);
        notices.extend(refusals::acks(record).map(|(ack, refused)| Notice::Answered(*ack, refused)));
        notices.extend(statuses.into_iter().flatten());
        record.decisions.escalations.iter().for_each(|escalation| notices.extend(self.escalated(escalation)));
        record.decisions.calls.iter().filter(|s| s.phase.is_over()).for_each(|s| self.forget(s));
        notices
    }

    /// A call waits for no unit any more; the words of one that may do so again are kept.
    fn forget(&mut self, status: &CallStatus) {
        let call = self.calls.remove(&status.call);
        if !status.phase.is_set_aside() {
            self.aside.remove(&status.call);
        } else if let Some(call) = call.filter(|call| !call.words.is_empty()) {
            self.aside.insert(status.call, call.words);
        }
    }

    fn own(&mut self, call: CallId, time_ms: u64, facts: CallFacts, words: &str) {
        let standing = Standing { phase: CallPhase::Waiting, attempts: 0, unit: None };
        let status = first_status(call, time_ms, &facts, standing);
        let kept = self.aside.get(&call).map_or("", String::as_str);
        let words = if words.is_empty() { kept } else { words };
        let new = || OpenCall::new(facts, words, None, status);
        self.calls.entry(call).or_insert_with(new).facts = facts;
    }

    /// What is open and in force, for a desk that connects: each call, then the assignments that it has.
    pub(super) fn everything(&self) -> impl Iterator<Item = Notice> {
        self.calls.values().flat_map(|call| {
            let assigned = call.crew.iter().map(|a| Notice::Assigned(a.clone(), call.clone()));
            std::iter::once(Notice::Status(call.status, Some(call.facts))).chain(assigned)
        })
    }

    /// The words on calls of a tick, in their order, with what is known of each call before any of them is over.
    fn statuses(&mut self, record: &TickRecord) -> Vec<Option<Notice>> {
        let of = |status: &CallStatus| {
            let call = self.calls.get_mut(&status.call);
            let facts = call.map(|call| {
                call.status = *status;
                call.facts
            });
            Some(Notice::Status(*status, facts))
        };
        record.decisions.calls.iter().map(of).collect()
    }

    /// The assignments in force of a unit.
    pub(super) fn in_force(&self, unit: UnitId) -> impl Iterator<Item = (&Assignment, &OpenCall)> {
        let with = self.calls.values().flat_map(|call| call.crew.iter().map(move |a| (a, call)));
        with.filter(move |(assignment, _)| assignment.unit == unit)
    }

    fn open(&mut self, event: &CallEvent, words: &str, arrived: Option<Instant>) {
        match event.change {
            CallChange::Opened(facts) => {
                let status = first_status(
                    event.call,
                    event.time_ms,
                    &facts,
                    Standing { phase: CallPhase::Waiting, attempts: 0, unit: None },
                );
                let new = || OpenCall::new(facts, words, arrived, status);
                self.calls.entry(event.call).or_insert_with(new);
            }
            CallChange::Restored(_, Standing { phase: CallPhase::Referred, .. }) | CallChange::Joined(..) => {
                self.aside.insert(event.call, words.into());
            }
            CallChange::Restored(facts, standing) => {
                let status = first_status(event.call, event.time_ms, &facts, standing);
                let new = || OpenCall::new(facts, words, arrived, status);
                self.calls.entry(event.call).or_insert_with(new);
            }
            // One that was set aside may be a call of its own now; if not, its status says so in the same tick.
            CallChange::Updated(facts) | CallChange::Split(facts) => {
                self.own(event.call, event.time_ms, facts, words);
            }
            CallChange::Cancelled
            | CallChange::Serving(_)
            | CallChange::Declined(_)
            | CallChange::Done(_)
            | CallChange::Attempts(_)
            | CallChange::Ordered(_)
            | CallChange::Withdrawn => {}
        }
    }

    /// The units of a call that was updated are told.
    fn changed(&self, event: &CallEvent) -> Vec<Notice> {
        let is_update = matches!(event.change, CallChange::Updated(_));
        self.calls.get(&event.call).filter(|_| is_update).map(changes).unwrap_or_default()
    }

    /// What is known of a call that another joined, where that changed it; or that it is one of its own again.
    fn raised(&mut self, merge: &Merge) -> Vec<Notice> {
        let Some(into) = merge.into else {
            self.own(merge.call, merge.time_ms, merge.facts, "");
            return Vec::new();
        };
        let Some(call) = self.calls.get_mut(&into).filter(|call| call.facts != merge.facts) else {
            return Vec::new();
        };
        call.facts = merge.facts;
        changes(call)
    }

    /// New assignments; one that is in force already is not told twice, and one that has ended in its tick not at all. What
    /// was said of a call before it was assigned is told first.
    fn assign(&mut self, record: &TickRecord, statuses: &mut [Option<Notice>], notices: &mut Vec<Notice>) {
        let ended: BTreeSet<AssignmentId> = ended(record).map(|(id, ..)| id).collect();
        for assignment in &record.decisions.assignments {
            let Some(call) = self.calls.get_mut(&assignment.call) else { continue };
            if ended.contains(&assignment.id) || call.crew.iter().any(|known| known.id == assignment.id) {
                continue;
            }
            call.crew.push(assignment.clone());
            notices.extend(before(assignment, statuses));
            notices.push(Notice::Assigned(assignment.clone(), call.clone()));
        }
    }

    /// Assignments that ended: their units are told, where they did not say so themselves.
    fn withdraw(&mut self, record: &TickRecord) -> Vec<Notice> {
        let mut notices = Vec::new();
        for (id, unit, end) in ended(record) {
            let Some(call) = self.calls.get_mut(&id.call) else { continue };
            if call.crew.extract_if(.., |known| known.id == id).next().is_none() {
                continue;
            }
            let why = match end {
                EndReason::Done | EndReason::Declined => continue,
                EndReason::CallOver if call.status.phase != CallPhase::Closed => Withdrawal::Cancelled,
                EndReason::UnitFree | EndReason::CallOver => Withdrawal::Closed,
                EndReason::Silent | EndReason::Lost | EndReason::Relieved => Withdrawal::Reassigned,
                EndReason::Preempted => Withdrawal::Preempted,
            };
            notices.push(Notice::Withdrawn(id, unit, why));
        }
        notices
    }

    fn advance(&mut self, status: &AssignmentStatus) {
        let Some(call) = self.calls.get_mut(&status.id.call) else { return };
        match status.phase {
            AssignmentPhase::Assigned => {}
            AssignmentPhase::Accepted => _ = call.phases.insert(status.id, CallPhase::Accepted),
            AssignmentPhase::Arrived => _ = call.phases.insert(status.id, CallPhase::Arrived),
            AssignmentPhase::Ended(_) => _ = call.phases.remove(&status.id),
        }
    }

    /// A desk is told of each step, a unit that it is to answer.
    fn escalated(&self, escalation: &Escalation) -> Vec<Notice> {
        let call = self.calls.get(&escalation.call).filter(|_| escalation.step == EscalationStep::Reminded);
        let reminded = call.and_then(|call| {
            let assignment = call.crew.iter().find(|known| Some(known.id) == escalation.assignment)?;
            Some(Notice::Reminded(assignment.clone(), call.clone()))
        });
        std::iter::once(Notice::Escalated(*escalation)).chain(reminded).collect()
    }
}

/// The units of a call are told what is known of it now.
fn changes(call: &OpenCall) -> Vec<Notice> {
    call.crew.iter().map(|a| Notice::Changed(a.clone(), call.clone())).collect()
}

/// Assignments that ended in a tick, and why, as it was said.
fn ended(record: &TickRecord) -> impl Iterator<Item = (AssignmentId, UnitId, EndReason)> {
    record.decisions.assignment_statuses.iter().filter_map(|status| match status.phase {
        AssignmentPhase::Ended(why) => Some((status.id, status.unit, why)),
        _ => None,
    })
}

/// Takes out what was said of a call up to its being assigned so.
fn before(assignment: &Assignment, statuses: &mut [Option<Notice>]) -> Vec<Notice> {
    let of_call =
        |notice: &Option<Notice>| matches!(notice, Some(Notice::Status(status, _)) if status.call == assignment.call);
    let earlier = |notice: &Option<Notice>| !matches!(notice, Some(Notice::Status(status, _)) if status.assignment == Some(assignment.id));
    let rows = statuses.iter_mut().filter(|notice| of_call(notice)).take_while(|notice| earlier(notice));
    rows.filter_map(Option::take).collect()
}

/// Where a call stands before anything is said of it.
fn first_status(call: CallId, time_ms: u64, facts: &CallFacts, standing: Standing) -> CallStatus {
    let attempt = AssignmentId { call, attempt: standing.attempts };
    CallStatus {
        call,
        time_ms,
        seq: 0,
        phase: standing.phase,
        reason: None,
        priority: facts.priority,
        grid: facts.grid,
        assignment: standing.unit.map(|_| attempt),
        unit: standing.unit,
        lacking: 0,
    }
}
