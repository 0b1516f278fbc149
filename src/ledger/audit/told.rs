//! What the record of a tick tells: who did what, what was decided, the digest of the tick's inputs, the rows written.

use std::collections::BTreeMap;

use blake3::Hasher;
use nanming_dataflows::Time;
use nanming_dataflows::decision::{
    AssignmentPhase, CallPhase, CloseReason, EscalationStep, PickReason, Reason, RosterWord, Shortfall, TaskReason,
};
use nanming_dataflows::event::{
    Answer, CallChange, CallEvent, Category, Priority, RosterChange, RosterEvent, TaskAnswer, TaskPhase,
};
use nanming_dataflows::network::Roster;
use rusqlite::Transaction;
use serde::{Serialize, Serializer};

use super::rows::{self, Ends, SIGNALS, Seal};
use super::{Digest, Head, Kind, LedgerError, text};
use crate::door::TickRecord;
use crate::ledger::refusals;
use crate::ledger::text::unsigned;
use crate::ledger::write::Wrote;

/// The body of a tick's record.
#[derive(Serialize)]
struct Told<'a> {
    #[serde(serialize_with = "as_text")]
    inputs: Digest,
    /// Events taken, by stream.
    counts: BTreeMap<&'static str, usize>,
    did: Vec<Did<'a>>,
    decided: Vec<Decided>,
    rows: Vec<Seal>,
}

fn as_text<S: Serializer>(digest: &Digest, to: S) -> Result<S::Ok, S::Error> {
    text(digest).serialize(to)
}

/// What a person or a sender did. Why it was refused is told where it was.
#[derive(Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum Did<'a> {
    Raised { call: u64, priority: Priority, category: Category, channel: &'a str, refused: Option<Reason> },
    Changed { call: u64, priority: Priority, category: Category, refused: Option<Reason> },
    Withdrawn { call: u64, refused: Option<Reason> },
    Split { call: u64, refused: Option<Reason> },
    Ordered { call: u64, unit: u32, refused: Option<Reason> },
    Answered { call: u64, attempt: u16, unit: u32, answer: Answer, refused: Option<Reason> },
    Held { junction: u32, stage: Option<u16>, until_ms: u64, by: &'a str },
    Absent { roster: u32, person: u32, from_ms: u64, until_ms: u64, refused: Option<Reason> },
    HandedOver { roster: u32, person: u32, to: Option<u32>, refused: Option<Reason> },
    TaskRaised { roster: u32, task: u64, kind: u8, refused: Option<Reason> },
    TaskAnswered { roster: u32, task: u64, attempt: u16, person: u32, answer: TaskAnswer, refused: Option<Reason> },
    TaskCancelled { roster: u32, task: u64, refused: Option<Reason> },
}

/// What the engine decided.
#[derive(Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
enum Decided {
    Assigned { call: u64, attempt: u16, unit: u32, priority: Priority, eta_ms: u64, reason: PickReason },
    AssignmentIs { call: u64, attempt: u16, unit: u32, phase: AssignmentPhase },
    CallIs { call: u64, phase: CallPhase, reason: Option<CloseReason> },
    Merged { call: u64, into: u64 },
    Parted { call: u64 },
    Escalated { call: u64, step: EscalationStep, why: Shortfall, attempt: Option<u16>, unit: Option<u32> },
    TaskIs { roster: u32, task: u64, attempt: u16, phase: TaskPhase, person: Option<u32>, reason: TaskReason },
    DutyIs { roster: u32, point: u32, person: Option<u32> },
    AbsenceIs { roster: u32, person: u32, from_ms: u64, until_ms: u64 },
}

/// Writes the record of a tick behind the chain; `ends` are those of the tables before it was written.
pub(in crate::ledger) fn tick(
    to: &Transaction<'_>,
    head: &mut Head,
    ends: Ends,
    rosters: &[Roster],
    record: &TickRecord,
) -> Result<(), LedgerError> {
    let told = Told {
        inputs: inputs(record)?,
        counts: record.counts.iter().filter(|(_, count)| *count > 0).copied().collect(),
        did: did(record),
        decided: decided(record),
        rows: rows::written(to, ends, rosters, record)?,
    };
    head.append(to, record.tick, Kind::Tick, &told)
}

/// What of a tick's inputs came to the ledger, whatever the order in which it came.
fn inputs(record: &TickRecord) -> Result<Digest, LedgerError> {
    let mut events = Vec::new();
    fn add<T: Serialize>(events: &mut Vec<Vec<u8>>, stream: u8, of: &[T]) -> Result<(), postcard::Error> {
        for event in of {
            events.push(postcard::to_extend(event, vec![stream])?);
        }
        Ok(())
    }
    let added = add(&mut events, 0, &record.calls)
        .and_then(|()| add(&mut events, 1, &record.acks))
        .and_then(|()| add(&mut events, 2, &record.units))
        .and_then(|()| add(&mut events, 3, &record.holds))
        .and_then(|()| add(&mut events, 4, &record.rosters))
        .and_then(|()| add(&mut events, 5, &record.notes));
    added.map_err(|error| LedgerError::Corrupt(error.to_string()))?;
    events.sort_unstable();
    let mut hasher = Hasher::new();
    hasher.update(&record.tick.to_le_bytes());
    for event in events {
        hasher.update(&(event.len() as u64).to_le_bytes()).update(&event);
    }
    Ok(hasher.finalize().into())
}

fn did(record: &TickRecord) -> Vec<Did<'_>> {
    let calls = refusals::calls(record).filter_map(|(event, refused)| call(record, event, refused));
    let acks = refusals::acks(record).map(|(ack, refused)| {
        let (call, attempt) = (ack.assignment.call.0, ack.assignment.attempt);
        Did::Answered { call, attempt, unit: ack.unit.0, answer: ack.answer, refused }
    });
    let holds = record.holds.iter().map(|hold| Did::Held {
        junction: hold.junction.0,
        stage: hold.stage,
        until_ms: hold.until_ms,
        by: &hold.by,
    });
    let rosters = refusals::rosters(record).filter_map(|(event, refused)| roster(event, refused));
    calls.chain(acks).chain(holds).chain(rosters).collect()
}

/// None: a fact of the time before, which nobody did now.
fn call<'a>(record: &'a TickRecord, event: &CallEvent, refused: Option<Reason>) -> Option<Did<'a>> {
    let call = event.call.0;
    match event.change {
        CallChange::Opened(facts) => {
            let channel =
                record.notes.iter().find(|(of, _)| of.0 == call).map_or("", |(_, note)| note.channel.as_str());
            Some(Did::Raised { call, priority: facts.priority, category: facts.category, channel, refused })
        }
        CallChange::Updated(facts) => {
            Some(Did::Changed { call, priority: facts.priority, category: facts.category, refused })
        }
        CallChange::Cancelled => Some(Did::Withdrawn { call, refused }),
        CallChange::Split(_) => Some(Did::Split { call, refused }),
        CallChange::Ordered(unit) => Some(Did::Ordered { call, unit: unit.0, refused }),
        CallChange::Restored(..)
        | CallChange::Joined(..)
        | CallChange::Withdrawn
        | CallChange::Serving(_)
        | CallChange::Declined(_)
        | CallChange::Done(_)
        | CallChange::Attempts(_) => None,
    }
}

/// None: a fact, or where somebody is, which is no word that decides anything.
fn roster(event: &RosterEvent, refused: Option<Reason>) -> Option<Did<'static>> {
    let roster = event.roster.0.into();
    match &event.change {
        RosterChange::Absent(person, from_ms, until_ms) => {
            Some(Did::Absent { roster, person: person.0, from_ms: *from_ms, until_ms: *until_ms, refused })
        }
        RosterChange::HandedOver(person, to) => {
            Some(Did::HandedOver { roster, person: person.0, to: to.map(|to| to.0), refused })
        }
        RosterChange::Raised(task, facts) => Some(Did::TaskRaised { roster, task: task.0, kind: facts.kind, refused }),
        RosterChange::Answered(task, attempt, person, answer) => Some(Did::TaskAnswered {
            roster,
            task: task.0,
            attempt: *attempt,
            person: person.0,
            answer: *answer,
            refused,
        }),
        RosterChange::Cancelled(task) => Some(Did::TaskCancelled { roster, task: task.0, refused }),
        RosterChange::RestoredDuty(_) | RosterChange::RestoredTask(..) | RosterChange::Here(..) => None,
    }
}

fn decided(record: &TickRecord) -> Vec<Decided> {
    let decisions = &record.decisions;
    let assigned = decisions.assignments.iter().map(|a| Decided::Assigned {
        call: a.call.0,
        attempt: a.id.attempt,
        unit: a.unit.0,
        priority: a.priority,
        eta_ms: a.eta_ms,
        reason: a.reason,
    });
    let moved = decisions.assignment_statuses.iter().map(|s| Decided::AssignmentIs {
        call: s.id.call.0,
        attempt: s.id.attempt,
        unit: s.unit.0,
        phase: s.phase,
    });
    let merged = decisions.merges.iter().map(|merge| match merge.into {
        Some(into) => Decided::Merged { call: merge.call.0, into: into.0 },
        None => Decided::Parted { call: merge.call.0 },
    });
    let phases = decisions.calls.iter().map(|s| Decided::CallIs { call: s.call.0, phase: s.phase, reason: s.reason });
    let escalated = decisions.escalations.iter().map(|e| Decided::Escalated {
        call: e.call.0,
        step: e.step,
        why: e.why,
        attempt: e.assignment.map(|id| id.attempt),
        unit: e.unit.map(|unit| unit.0),
    });
    let rosters = decisions.rosters.iter().map(said);
    assigned.chain(moved).chain(merged).chain(phases).chain(escalated).chain(rosters).collect()
}

fn said(word: &RosterWord) -> Decided {
    match word {
        RosterWord::Task(said) => Decided::TaskIs {
            roster: said.roster.0.into(),
            task: said.task.0,
            attempt: said.standing.attempt,
            phase: said.standing.phase,
            person: said.standing.person.map(|person| person.0),
            reason: said.reason,
        },
        RosterWord::Duty(said) => Decided::DutyIs {
            roster: said.roster.0.into(),
            point: said.duty.point.0,
            person: said.duty.person.map(|person| person.0),
        },
        RosterWord::Absence(said) => Decided::AbsenceIs {
            roster: said.roster.0.into(),
            person: said.person.0,
            from_ms: said.from_ms,
            until_ms: said.until_ms,
        },
    }
}

/// Commands of a transaction: there are many, so that one digest stands for all.
#[derive(Serialize)]
struct Signals {
    commands: usize,
    rows: Vec<Seal>,
    /// Rows before this time were removed by the same transaction, ms.
    expired_before_ms: i64,
}

/// Writes the record of commands that were written as one row, the last of its table, with the tick `last`.
pub(in crate::ledger) fn signals(
    to: &Transaction<'_>,
    head: &mut Head,
    wrote: Option<Wrote>,
    last: Option<Time>,
) -> Result<(), LedgerError> {
    let Some(Wrote { commands, last_ms, expired_before_ms }) = wrote else { return Ok(()) };
    let mut rows = Vec::new();
    SIGNALS.seals(to, "WHERE rowid = (SELECT max(rowid) FROM signal_commands)", [], |seal| {
        rows.push(seal);
        Ok(())
    })?;
    head.append(to, last.unwrap_or(unsigned(last_ms)), Kind::Signals, &Signals { commands, rows, expired_before_ms })
}
