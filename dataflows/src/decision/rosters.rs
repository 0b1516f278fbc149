//! What rosters say: whose each task is and why, who looks after each point, who is absent.

use serde::{Deserialize, Serialize};

use crate::event::{DeclineReason, PointDuty, TaskFacts, TaskStanding};
use crate::ids::{PersonId, RosterId, TaskId};

/// What a roster says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RosterWord {
    /// A task reached a phase, or is another's.
    Task(RosterTask),
    /// A point is somebody's, or nobody's.
    Duty(RosterDuty),
    /// A person is or will be absent, or not any more.
    Absence(RosterAbsence),
}

/// A task reached a phase, or is another's. Ordered by task, then as it was said: the last word holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RosterTask {
    /// Which roster.
    pub roster: RosterId,
    /// Which task.
    pub task: TaskId,
    /// Which word about this task it is.
    pub seq: u32,
    /// When, ms.
    pub time_ms: u64,
    /// When it was raised, ms.
    pub raised_ms: u64,
    /// What it is about.
    pub facts: TaskFacts,
    /// Where it stands.
    pub standing: TaskStanding,
    /// Why.
    pub reason: TaskReason,
    /// Who could have been given it then, least cost first, at most 5; none where it was not given out.
    pub candidates: Vec<PersonCandidate>,
}

/// Why a task stands where it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskReason {
    /// Its person looks after the point.
    Standing,
    /// Its person is the next by travel and load.
    LeastCost,
    /// Its person was named when another's tasks were handed over.
    HandedOver,
    /// Nobody of the rungs before can take it.
    NobodyBefore,
    /// Nobody can take it.
    NobodyThere,
    /// The person before declined.
    Declined(DeclineReason),
    /// The person before did not accept in time.
    NotAccepted,
    /// It was not done in time.
    NotDone,
    /// The person before is absent.
    Absent,
    /// Its person answered.
    Answered,
    /// It was withdrawn.
    Withdrawn,
    /// The same was reported again.
    Repeated,
    /// It is elsewhere than was said before.
    Moved,
    /// The engine was started again, and knows it from the ledger.
    Restored,
}

impl TaskReason {
    /// The name in metrics, the ledger and replies.
    pub fn word(self) -> &'static str {
        match self {
            TaskReason::Standing => "standing",
            TaskReason::LeastCost => "least_cost",
            TaskReason::HandedOver => "handed_over",
            TaskReason::NobodyBefore => "nobody_before",
            TaskReason::NobodyThere => "nobody_there",
            TaskReason::Declined(DeclineReason::Busy) => "declined_busy",
            TaskReason::Declined(DeclineReason::TooFar) => "declined_too_far",
            TaskReason::Declined(DeclineReason::NotMine) => "declined_not_mine",
            TaskReason::Declined(DeclineReason::Other) => "declined_other",
            TaskReason::NotAccepted => "not_accepted",
            TaskReason::NotDone => "not_done",
            TaskReason::Absent => "absent",
            TaskReason::Answered => "answered",
            TaskReason::Withdrawn => "withdrawn",
            TaskReason::Repeated => "repeated",
            TaskReason::Moved => "moved",
            TaskReason::Restored => "restored",
        }
    }
}

/// A person who could have been given a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PersonCandidate {
    /// Travel and load, ms.
    pub cost_ms: u64,
    /// Who.
    pub person: PersonId,
    /// Expected travel time, ms.
    pub travel_ms: u64,
    /// Tasks that they had.
    pub tasks: u16,
}

/// A point is somebody's, or nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RosterDuty {
    /// Which roster.
    pub roster: RosterId,
    /// When, ms.
    pub time_ms: u64,
    /// Whose it is.
    pub duty: PointDuty,
}

/// A person is or will be absent, or not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RosterAbsence {
    /// Which roster.
    pub roster: RosterId,
    /// Who.
    pub person: PersonId,
    /// When it was said, ms.
    pub time_ms: u64,
    /// From, ms.
    pub from_ms: u64,
    /// Until, ms; the same: not absent any more.
    pub until_ms: u64,
}
