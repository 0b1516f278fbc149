//! What patrol units report and answer.

use serde::{Deserialize, Serialize};

use crate::ids::{CallId, UnitId};
use crate::network::Point;

/// Status of a unit, as GA/T 974.39 numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitStatus {
    /// Ready for a task (10).
    Ready,
    /// Turned out (20).
    TurnedOut,
    /// On the way (21).
    OnTheWay,
    /// On scene (22).
    OnScene,
    /// Returning, ready for a task (25).
    Returning,
    /// Stationed, ready for a task (26).
    Stationed,
    /// Off duty.
    OffDuty,
}

impl UnitStatus {
    /// Its code in GA/T 974.39, which has none for off duty.
    pub fn code(self) -> Option<u8> {
        Some(match self {
            UnitStatus::Ready => 10,
            UnitStatus::TurnedOut => 20,
            UnitStatus::OnTheWay => 21,
            UnitStatus::OnScene => 22,
            UnitStatus::Returning => 25,
            UnitStatus::Stationed => 26,
            UnitStatus::OffDuty => return None,
        })
    }

    /// Whether a unit in this status may be given a task.
    pub fn is_available(self) -> bool {
        matches!(self, UnitStatus::Ready | UnitStatus::Returning | UnitStatus::Stationed)
    }

    /// Whether a unit in this status is on a task.
    pub fn is_on_task(self) -> bool {
        matches!(self, UnitStatus::TurnedOut | UnitStatus::OnTheWay | UnitStatus::OnScene)
    }
}

/// A unit reported place and status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnitReport {
    /// When.
    pub time_ms: u64,
    /// Which unit.
    pub unit: UnitId,
    /// Where.
    pub at: Point,
    /// Status.
    pub status: UnitStatus,
}

/// An assignment: the call and which attempt at it this is, from 1. Shown as `call.attempt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AssignmentId {
    /// The call.
    pub call: CallId,
    /// The attempt, from 1.
    pub attempt: u16,
}

impl std::fmt::Display for AssignmentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.call, self.attempt)
    }
}

impl From<AssignmentId> for String {
    fn from(id: AssignmentId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for AssignmentId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let parse = || {
            let (call, attempt) = text.split_once('.')?;
            Some(AssignmentId { call: CallId(call.parse().ok()?), attempt: attempt.parse().ok()? })
        };
        parse().ok_or_else(|| format!("assignment '{text}' is not of the form CALL.ATTEMPT, such as 17.1"))
    }
}

/// What a unit says to an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Takes it.
    Accept,
    /// Refuses it.
    Decline,
    /// Reached the place.
    Arrived,
    /// Finished.
    Closed,
}

/// A unit answered an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ack {
    /// When.
    pub time_ms: u64,
    /// Which unit.
    pub unit: UnitId,
    /// Which assignment.
    pub assignment: AssignmentId,
    /// What it says.
    pub answer: Answer,
}
