//! Why a call went as it did, from the books alone: its life step by step, each assignment with those who could have gone,
//! and where nobody went, why.

use nanming_dataflows::decision::{
    AssignmentPhase, Candidate, CloseReason, EscalationStep, Objection, PickReason, Shortfall,
};
use nanming_dataflows::event::{Answer, AssignmentId, CallPhase};
use nanming_dataflows::ids::{CallId, UnitId};
use nanming_dataflows::network::City;
use serde::Serialize;
use serde_json::{Value, json};

use crate::call_json;
use crate::ledger::{Attempt, Book, CallPage, Changed, Escalated, Heard, HistoryLine, LedgerError};

mod text;
pub use text::text;

/// The story of a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explained {
    /// Which call.
    pub call: CallId,
    /// All that is known of it, as `GET /calls/{id}` says it.
    pub page: Value,
    /// What happened, oldest first.
    pub steps: Vec<Step>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Step {
    /// When, ms.
    pub time_ms: u64,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What happened to a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum What {
    /// It reached a phase.
    Phase {
        /// Which.
        phase: CallPhase,
        /// The unit in charge, if any.
        unit: Option<Named>,
        /// Why, in a word, where its unit did not say so.
        reason: Option<CloseReason>,
        /// Why, as somebody said.
        note: String,
    },
    /// Something about it changed.
    Changed {
        /// What.
        changed: Changed,
        /// Why, as somebody said.
        note: String,
    },
    /// A unit was sent.
    Assigned(Sent),
    /// It was answered.
    Answered {
        /// The assignment.
        assignment: AssignmentId,
        /// Who.
        unit: Named,
        /// What.
        answer: Answer,
        /// Why the answer was refused; empty where it was taken.
        refused: String,
    },
    /// Somebody had to be told that it was not served as it should be.
    Escalated {
        /// How far up.
        step: EscalationStep,
        /// Why.
        why: Shortfall,
        /// The unit that it is about, if any.
        unit: Option<Named>,
    },
    /// Nobody was sent from this time on.
    Waited {
        /// For so long, ms; none: it waits still.
        for_ms: Option<u64>,
        /// Why.
        why: &'static str,
    },
}

/// A unit was sent: who else could have gone, and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sent {
    /// The assignment.
    pub assignment: AssignmentId,
    /// Who.
    pub unit: Named,
    /// Expected travel time, ms.
    pub eta_ms: u64,
    /// Why this one.
    pub reason: PickReason,
    /// The nearest that could have gone.
    pub candidates: Vec<Could>,
    /// What became of it: `assigned`, `accepted`, `arrived`, or why it ended.
    pub became: Value,
    /// When it ended, ms.
    pub ended_ms: Option<u64>,
}

/// A unit that could have gone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Could {
    /// Which.
    #[serde(flatten)]
    pub unit: Named,
    /// Expected travel time, ms.
    pub eta_ms: u64,
    /// What spoke against it, if anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub but: Option<Objection>,
}

/// A unit with its name, where the city is known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Named {
    /// Its number.
    pub id: UnitId,
    /// Its name; empty where the city is not known.
    pub name: String,
}

/// The story of a call in a book; none where the book has no such call.
pub fn explain(book: &Book, call: CallId, city: Option<&City>) -> Result<Option<Explained>, LedgerError> {
    let Some(page) = book.page(call)? else { return Ok(None) };
    let attempts = book.attempts(call)?;
    let name = |id: UnitId| Named { id, name: name_of(city, id) };
    let mut steps: Vec<Step> = page.history.iter().filter_map(|line| of_line(line, &name)).collect();
    steps.extend(attempts.iter().flat_map(|attempt| of_attempt(attempt, &name)));
    steps.extend(book.escalations(call)?.iter().map(|told| of_escalation(told, &name)));
    steps.extend(waits(&page));
    steps.sort_by_key(|step| (step.time_ms, step.what.order()));
    Ok(Some(Explained { call, page: call_json::call(city, &page), steps }))
}

fn name_of(city: Option<&City>, unit: UnitId) -> String {
    city.and_then(|city| city.units.get(unit.index())).map_or(String::new(), |unit| unit.name.clone())
}

impl What {
    /// Of what happened at one time, what comes first.
    fn order(&self) -> u8 {
        match self {
            What::Phase { phase: CallPhase::Waiting, .. } => 1,
            What::Changed { .. } => 2,
            What::Waited { .. } => 3,
            What::Assigned(_) => 4,
            What::Answered { .. } => 0,
            What::Escalated { .. } => 6,
            What::Phase { .. } => 5,
        }
    }
}

/// That a unit was sent is told by its assignment, with more.
fn of_line(line: &HistoryLine, name: &impl Fn(UnitId) -> Named) -> Option<Step> {
    let note = line.note.clone();
    let what = match (line.changed, line.phase) {
        (Some(changed), _) => What::Changed { changed, note },
        (None, CallPhase::Assigned) => return None,
        (None, phase) => What::Phase { phase, unit: line.unit.map(name), reason: line.reason, note },
    };
    Some(Step { time_ms: line.time_ms, what })
}

fn of_attempt(attempt: &Attempt, name: &impl Fn(UnitId) -> Named) -> Vec<Step> {
    let made = &attempt.assignment;
    let could = |c: &Candidate| Could { unit: name(c.unit), eta_ms: c.eta_ms, but: c.but };
    let sent = Sent {
        assignment: made.id,
        unit: name(made.unit),
        eta_ms: made.eta_ms,
        reason: made.reason,
        candidates: made.candidates.iter().map(could).collect(),
        became: became(attempt),
        ended_ms: attempt.ended_ms,
    };
    let answered = |heard: &Heard| Step {
        time_ms: heard.time_ms,
        what: What::Answered {
            assignment: made.id,
            unit: name(heard.unit),
            answer: heard.answer,
            refused: heard.refused.clone(),
        },
    };
    let sent = Step { time_ms: made.time_ms, what: What::Assigned(sent) };
    std::iter::once(sent).chain(attempt.answers.iter().map(answered)).collect()
}

/// How far an assignment came, or why it ended, in a word.
fn became(attempt: &Attempt) -> Value {
    match attempt.phase {
        Some(AssignmentPhase::Ended(end)) => json!(end),
        Some(phase) => json!(phase),
        None => json!("ended"),
    }
}

fn of_escalation(told: &Escalated, name: &impl Fn(UnitId) -> Named) -> Step {
    let Escalated { time_ms, step, why, unit } = *told;
    Step { time_ms, what: What::Escalated { step, why, unit: unit.map(name) } }
}

/// Times in which the call waited and nobody was sent at once: the matching runs whenever a call or a unit is new, so a
/// wait means that no unit could go.
fn waits(page: &CallPage) -> Vec<Step> {
    let phases: Vec<&HistoryLine> = page.history.iter().filter(|line| line.changed.is_none()).collect();
    let next_of = |row: usize| phases.get(row + 1).map(|next| next.time_ms);
    let step = |(row, line): (usize, &&HistoryLine)| {
        let for_ms = next_of(row).map(|next_ms| next_ms.saturating_sub(line.time_ms));
        let why = if row == 0 {
            "no unit that could go was free in its region"
        } else {
            "no other unit that could go was free in its region; one that declined is not asked again"
        };
        let is_wait = line.phase == CallPhase::Waiting && for_ms.is_none_or(|for_ms| for_ms > AT_ONCE_MS);
        is_wait.then_some(Step { time_ms: line.time_ms, what: What::Waited { for_ms, why } })
    };
    phases.iter().enumerate().filter_map(step).collect()
}

/// From a call's arrival at the door to its assignment, ms: what takes no longer is no wait.
const AT_ONCE_MS: u64 = 1_000;

#[cfg(test)]
mod tests;
