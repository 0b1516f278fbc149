//! Who is on what: the calls that are open and the assignments in force, and what a tick changes about them.

use std::collections::BTreeMap;
use std::time::Instant;

use nanming_dataflows::decision::{Assignment, CallPhase, CallStatus, Merge, Reason};
use nanming_dataflows::event::{Ack, Answer, AssignmentId, CallChange, CallEvent, CallFacts, Standing};
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
    pub(super) assignment: Option<Assignment>,
    /// What was last said of it.
    pub(super) status: CallStatus,
}

/// Why an assignment holds no longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Withdrawal {
    /// Its call was withdrawn.
    Cancelled,
    /// Another unit goes.
    Reassigned,
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
    /// Its answer was taken, or refused.
    Answered(Ack, Option<Reason>),
    /// A call reached a phase; what is known of it.
    Status(CallStatus, Option<CallFacts>),
}

/// The open calls and what is in force.
#[derive(Clone, Debug, Default)]
pub struct Duty {
    calls: BTreeMap<CallId, OpenCall>,
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
                call.assignment = Some(known.assignment.clone());
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
        notices.extend(record.decisions.merges.iter().filter_map(|merge| self.raised(merge)));
        let mut statuses = self.statuses(record);
        self.assign(record, &mut statuses, &mut notices);
        self.withdraw(record, &mut notices);
        notices.extend(refusals::acks(record).map(|(ack, refused)| Notice::Answered(*ack, refused)));
        notices.extend(statuses.into_iter().flatten());
        notices
    }

    /// What is open and in force, for a desk that connects: each call, then the assignment that it has.
    pub(super) fn everything(&self) -> impl Iterator<Item = Notice> {
        self.calls.values().flat_map(|call| {
            let assigned = call.assignment.clone().map(|a| Notice::Assigned(a, call.clone()));
            [Some(Notice::Status(call.status, Some(call.facts))), assigned].into_iter().flatten()
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
        let with = self.calls.values().filter_map(|call| call.assignment.as_ref().map(|a| (a, call)));
        with.filter(move |(assignment, _)| assignment.unit == unit)
    }

    fn open(&mut self, event: &CallEvent, words: &str, arrived: Option<Instant>) {
        match event.change {
            CallChange::Opened(facts) => {
                let status =
                    first_status(event, &facts, Standing { phase: CallPhase::Waiting, attempts: 0, unit: None });
                let new = || OpenCall { facts, words: words.into(), arrived, assignment: None, status };
                self.calls.entry(event.call).or_insert_with(new);
            }
            CallChange::Restored(_, standing) if standing.phase.is_over() => {}
            CallChange::Restored(facts, standing) => {
                let status = first_status(event, &facts, standing);
                let new = || OpenCall { facts, words: words.into(), arrived, assignment: None, status };
                self.calls.entry(event.call).or_insert_with(new);
            }
            // One that was set aside may be a call of its own now; if not, its status says so in the same tick.
            CallChange::Updated(facts) | CallChange::Split(facts) => {
                let standing = Standing { phase: CallPhase::Waiting, attempts: 0, unit: None };
                let status = first_status(event, &facts, standing);
                let new = || OpenCall { facts, words: words.into(), arrived: None, assignment: None, status };
                self.calls.entry(event.call).or_insert_with(new).facts = facts;
            }
            CallChange::Cancelled | CallChange::Joined(..) | CallChange::Withdrawn => {}
        }
    }

    /// The unit of a call that was updated is told.
    fn changed(&self, event: &CallEvent) -> Option<Notice> {
        let CallChange::Updated(_) = event.change else { return None };
        let call = self.calls.get(&event.call)?;
        Some(Notice::Changed(call.assignment.clone()?, call.clone()))
    }

    /// What is known of a call that another joined, where that changed it.
    fn raised(&mut self, merge: &Merge) -> Option<Notice> {
        let call = self.calls.get_mut(&merge.into).filter(|call| call.facts != merge.facts)?;
        call.facts = merge.facts;
        Some(Notice::Changed(call.assignment.clone()?, call.clone()))
    }

    /// New assignments take the place of old ones; one that is in force already is not told twice. What was said of a call
    /// before it was assigned is told first.
    fn assign(&mut self, record: &TickRecord, statuses: &mut [Option<Notice>], notices: &mut Vec<Notice>) {
        for assignment in &record.decisions.assignments {
            let Some(call) = self.calls.get_mut(&assignment.call) else { continue };
            let old = call.assignment.replace(assignment.clone());
            if old.as_ref().is_some_and(|old| old.id == assignment.id) {
                continue;
            }
            notices.extend(before(assignment, statuses));
            let old = old.filter(|old| !declined(record, old));
            notices.extend(old.map(|old| Notice::Withdrawn(old.id, old.unit, Withdrawal::Reassigned)));
            notices.push(Notice::Assigned(assignment.clone(), call.clone()));
        }
    }

    /// The last status of a call in a tick says what is in force.
    fn withdraw(&mut self, record: &TickRecord, notices: &mut Vec<Notice>) {
        let last: BTreeMap<CallId, &CallStatus> = record.decisions.calls.iter().map(|s| (s.call, s)).collect();
        for status in last.into_values() {
            let Some(call) = self.calls.get_mut(&status.call) else { continue };
            let is_over = status.phase.is_over();
            let old = call.assignment.take_if(|a| is_over || status.assignment != Some(a.id));
            let why = match (status.phase, status.reason) {
                (CallPhase::Closed, None) => None, // its unit said so
                (CallPhase::Closed, Some(_)) => Some(Withdrawal::Closed),
                (CallPhase::Cancelled | CallPhase::Merged | CallPhase::Referred, _) => Some(Withdrawal::Cancelled),
                _ => Some(Withdrawal::Reassigned),
            };
            let told = old.filter(|old| !declined(record, old)).zip(why);
            notices.extend(told.map(|(old, why)| Notice::Withdrawn(old.id, old.unit, why)));
            if is_over {
                self.calls.remove(&status.call);
            }
        }
    }
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
fn first_status(event: &CallEvent, facts: &CallFacts, standing: Standing) -> CallStatus {
    let attempt = AssignmentId { call: event.call, attempt: standing.attempts };
    CallStatus {
        call: event.call,
        time_ms: event.time_ms,
        seq: 0,
        phase: standing.phase,
        reason: None,
        priority: facts.priority,
        grid: facts.grid,
        assignment: standing.unit.map(|_| attempt),
        unit: standing.unit,
    }
}

/// Whether a unit has given an assignment back itself.
fn declined(record: &TickRecord, old: &Assignment) -> bool {
    let of_old = |a: &Ack| a.assignment == old.id && a.unit == old.unit && a.answer == Answer::Decline;
    refusals::acks(record).any(|(ack, refused)| refused.is_none() && of_old(ack))
}
