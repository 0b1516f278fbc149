//! What rosters are told: tasks raised, answers of persons, absence, hand-over.

use serde::{Deserialize, Serialize};

use crate::ids::{PersonId, PointId, RosterId, TaskId};
use crate::network::Point;

/// Numbers of tasks that people raise begin here: above those of calls.
pub const TASKS_FROM: u64 = 1 << 60;
/// Numbers of tasks that come of calls begin here; the call's number is added.
pub const TASKS_OF_CALLS: u64 = 1 << 61;
/// Numbers of tasks that cameras find begin here.
pub const TASKS_FOUND: u64 = 1 << 62;

/// A roster was told something.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RosterEvent {
    /// When.
    pub time_ms: u64,
    /// Which roster.
    pub roster: RosterId,
    /// What.
    pub change: RosterChange,
}

/// What a roster is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RosterChange {
    /// A point was somebody's when the ledger was last written: a fact, not a wish.
    RestoredDuty(PointDuty),
    /// A task was open when the ledger was last written: a fact, not a wish.
    RestoredTask(TaskId, TaskFacts, TaskStanding),
    /// A person is absent from, until, ms; until = from: not any more.
    Absent(PersonId, u64, u64),
    /// A person is elsewhere than at home.
    Here(PersonId, Point),
    /// A task came up.
    Raised(TaskId, TaskFacts),
    /// A person answered a task, at this attempt at it.
    Answered(TaskId, u16, PersonId, TaskAnswer),
    /// A task is not to be done any more.
    Cancelled(TaskId),
    /// All that is one person's goes to another, or to whoever is best when none is told.
    HandedOver(PersonId, Option<PersonId>),
}

/// What a task is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskFacts {
    /// Row of its kind.
    pub kind: u8,
    /// Where.
    pub at: Point,
    /// The point that it is about, if any.
    pub point: Option<PointId>,
}

/// What a person says of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskAnswer {
    /// It was seen.
    Told,
    /// I do it.
    Accept,
    /// It is done.
    Done,
    /// I do not do it, and why.
    Decline(DeclineReason),
}

/// Why a person does not do a task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeclineReason {
    /// Too much to do.
    Busy,
    /// Too far away.
    TooFar,
    /// Somebody else's matter.
    NotMine,
    /// Anything else.
    #[default]
    Other,
}

/// How far a task is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskPhase {
    /// Nobody can take it now.
    #[default]
    Waiting,
    /// It is a person's.
    Assigned,
    /// The person has seen it.
    Told,
    /// The person does it.
    Accepted,
    /// Done.
    Done,
    /// Withdrawn.
    Cancelled,
}

impl TaskPhase {
    /// Whether nothing more is to come.
    pub fn is_over(self) -> bool {
        matches!(self, TaskPhase::Done | TaskPhase::Cancelled)
    }
}

/// Where a task stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TaskStanding {
    /// How far it is.
    pub phase: TaskPhase,
    /// Whose it is, if anybody's.
    pub person: Option<PersonId>,
    /// Attempts at giving it to somebody so far.
    pub attempt: u16,
    /// Row of its rung in the ladder of its kind.
    pub rung: u8,
    /// Since when it is on this rung, ms.
    pub rung_since_ms: u64,
    /// It must be accepted by this time, ms.
    pub accept_by_ms: u64,
    /// It must be done by this time, ms.
    pub done_by_ms: u64,
    /// Whether it is late and nobody further up is there to take it.
    pub is_overdue: bool,
    /// Times that the same was reported.
    pub reports: u32,
    /// Who declined it or was silent, and when, ms.
    pub passed_over: Vec<(PersonId, u64)>,
}

/// Who looks after a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PointDuty {
    /// Row of the role in which.
    pub role: u8,
    /// Which point.
    pub point: PointId,
    /// Who; none: nobody has room for it.
    pub person: Option<PersonId>,
    /// Whether it was handed over by somebody's word, and stays where it is for that.
    pub is_handed: bool,
}
