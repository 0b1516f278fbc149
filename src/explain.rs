//! Why a call went as it did, from the books alone: its life step by step, each assignment with those who could have gone,
//! and where nobody went, why.

use nanming_dataflows::decision::{Candidate, CloseReason, PickReason};
use nanming_dataflows::event::{Answer, AssignmentId, CallPhase};
use nanming_dataflows::ids::{CallId, UnitId};
use nanming_dataflows::network::City;
use serde::Serialize;
use serde_json::Value;

use crate::call_json;
use crate::ledger::{Attempt, Book, CallPage, Changed, Heard, HistoryLine, LedgerError};

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
    /// What became of it.
    pub became: Became,
}

/// A unit that could have gone.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Could {
    /// Which.
    #[serde(flatten)]
    pub unit: Named,
    /// Expected travel time, ms.
    pub eta_ms: u64,
}

/// A unit with its name, where the city is known.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Named {
    /// Its number.
    pub id: UnitId,
    /// Its name; empty where the city is not known.
    pub name: String,
}

/// What became of an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Became {
    /// No answer yet.
    Unanswered,
    /// Its unit is on its way.
    Accepted,
    /// Its unit is there.
    Arrived,
    /// Its unit finished it.
    Closed,
    /// Its unit declined.
    Declined,
    /// Its unit said nothing in time, or left service, and another was sent.
    Replaced,
}

/// The story of a call in a book; none where the book has no such call.
pub fn explain(book: &Book, call: CallId, city: Option<&City>) -> Result<Option<Explained>, LedgerError> {
    let Some(page) = book.page(call)? else { return Ok(None) };
    let attempts = book.attempts(call)?;
    let name = |id: UnitId| Named { id, name: name_of(city, id) };
    let mut steps: Vec<Step> = page.history.iter().filter_map(|line| of_line(line, &name)).collect();
    steps.extend(attempts.iter().flat_map(|attempt| of_attempt(attempt, &attempts, &name)));
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

fn of_attempt(attempt: &Attempt, all: &[Attempt], name: &impl Fn(UnitId) -> Named) -> Vec<Step> {
    let made = &attempt.assignment;
    let could = |c: &Candidate| Could { unit: name(c.unit), eta_ms: c.eta_ms };
    let sent = Sent {
        assignment: made.id,
        unit: name(made.unit),
        eta_ms: made.eta_ms,
        reason: made.reason,
        candidates: made.candidates.iter().map(could).collect(),
        became: became(attempt, all),
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

fn became(attempt: &Attempt, all: &[Attempt]) -> Became {
    let taken = attempt.answers.iter().rfind(|heard| heard.refused.is_empty()).map(|heard| heard.answer);
    let replaces = |other: &&Attempt| {
        let after = matches!(other.assignment.reason, PickReason::AfterSilence | PickReason::AfterLoss);
        after && other.assignment.id.attempt == attempt.assignment.id.attempt + 1
    };
    match taken {
        Some(Answer::Closed) => Became::Closed,
        Some(Answer::Decline) => Became::Declined,
        _ if all.iter().any(|other| replaces(&other)) => Became::Replaced,
        Some(Answer::Arrived) => Became::Arrived,
        Some(Answer::Accept) => Became::Accepted,
        None => Became::Unanswered,
    }
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
            "no other unit that could go was free in its region; one that declined is not asked again for a while"
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
