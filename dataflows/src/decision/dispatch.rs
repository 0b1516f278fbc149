//! What dispatch says: who is sent where and why, how far that is, and who has to be told when it is not as it should be.

use serde::{Deserialize, Serialize};

use super::CallPhase;
use crate::event::{AssignmentId, CallFacts, Priority};
use crate::ids::{CallId, GridId, UnitId};

/// A unit that could have gone, and how long it would take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Candidate {
    /// Expected travel time, ms.
    pub eta_ms: u64,
    /// Which unit.
    pub unit: UnitId,
    /// What speaks against it, if anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub but: Option<Objection>,
}

/// What speaks against sending a unit to a call. The last two bar it, the others make it count as further away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objection {
    /// It serves another grid.
    OtherGrid,
    /// Its place was reported long ago.
    StalePlace,
    /// Its shift ends soon.
    ShiftEnds,
    /// It did not answer when it was sent there.
    Silent,
    /// It is on its way to another call.
    UnderWay,
    /// It has declined this call.
    Declined,
    /// It lacks something that the call needs.
    LacksSkill,
}

/// Why a unit was picked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PickReason {
    /// The nearest available unit.
    Nearest,
    /// Not the nearest, but the total travel time of all calls is least so.
    LeastTotal,
    /// Another unit refused.
    AfterDecline,
    /// Another unit did not answer in time.
    AfterSilence,
    /// The unit before left service.
    AfterLoss,
    /// The unit before was sent to a more urgent call.
    AfterPreemption,
    /// It is there sooner than the unit before, which is let go.
    Sooner,
    /// It was on its way to a less urgent call.
    Preempting,
    /// A desk said so.
    Ordered,
}

/// How far a unit is with an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AssignmentPhase {
    /// It was told.
    Assigned,
    /// It is on its way.
    Accepted,
    /// It is there.
    Arrived,
    /// It has nothing more to do with the call.
    Ended(EndReason),
}

/// Why an assignment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndReason {
    /// Its unit said that it is done.
    Done,
    /// Its unit arrived, and later went on reporting that it is on no task.
    UnitFree,
    /// Its unit declined.
    Declined,
    /// Its unit did not answer, and another goes.
    Silent,
    /// Its unit was out of service, or forgot it.
    Lost,
    /// Its unit was sent to another call, and this one waits.
    Preempted,
    /// Another unit is there sooner.
    Relieved,
    /// The call was withdrawn, or another unit closed it.
    CallOver,
}

/// An assignment reached a phase. Ordered by assignment, then as it was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AssignmentStatus {
    /// Which.
    pub id: AssignmentId,
    /// Which word about its call it is: numbers as those of [`CallStatus::seq`], in one row.
    pub seq: u32,
    /// Its unit.
    pub unit: UnitId,
    /// When, ms.
    pub time_ms: u64,
    /// How far it is.
    pub phase: AssignmentPhase,
}

/// A step on the ladder that is climbed while nobody answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EscalationStep {
    /// The unit is reminded.
    Reminded,
    /// Another unit is looked for.
    SecondUnit,
    /// The supervisor has to see to it.
    Supervisor,
}

/// Why a call escalates.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortfall {
    /// A unit was told and does not answer.
    Silence,
    /// Its unit is out of service.
    Loss,
    /// There is no unit in the region that is free.
    NoUnit,
    /// Those that are free have declined.
    AllDeclined,
    /// Those that are free lack something that the call needs.
    NoSkill,
    /// Those that are free are too far away for its urgency: it waits for one that gets free nearer.
    TooFar,
}

/// Somebody has to be told that a call is not served as it should be. Ordered by call, then as it was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Escalation {
    /// Which call.
    pub call: CallId,
    /// Which word about its call it is: numbers as those of [`CallStatus::seq`], in one row.
    pub seq: u32,
    /// When, ms.
    pub time_ms: u64,
    /// How far up.
    pub step: EscalationStep,
    /// Why.
    pub why: Shortfall,
    /// The assignment that it is about, if any.
    pub assignment: Option<AssignmentId>,
    /// Its unit.
    pub unit: Option<UnitId>,
}

/// A unit is sent to a call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assignment {
    /// Which.
    pub id: AssignmentId,
    /// The call.
    pub call: CallId,
    /// The unit.
    pub unit: UnitId,
    /// When it was decided, ms.
    pub time_ms: u64,
    /// Urgency of the call.
    pub priority: Priority,
    /// Expected travel time, ms.
    pub eta_ms: u64,
    /// The nearest units available then, nearest first, at most 5.
    pub candidates: Vec<Candidate>,
    /// Why this one.
    pub reason: PickReason,
}

/// Why a call was closed, where its unit did not say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// Its unit arrived, and later went on reporting that it is on no task.
    UnitFree,
    /// The call that it was merged into was closed.
    WithJoined,
}

/// A call reached a phase. Ordered by call, then as it was said: the last one of a call holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallStatus {
    /// Which call.
    pub call: CallId,
    /// When, ms.
    pub time_ms: u64,
    /// Which word about this call it is: what was said later has the greater number.
    pub seq: u32,
    /// The phase.
    pub phase: CallPhase,
    /// Why it was closed, where its unit did not say so.
    pub reason: Option<CloseReason>,
    /// Urgency.
    pub priority: Priority,
    /// The grid that its place lies in.
    pub grid: GridId,
    /// The assignment in force, if any.
    pub assignment: Option<AssignmentId>,
    /// The unit in charge, if any: of several that which is furthest, and was sent first.
    pub unit: Option<UnitId>,
    /// So many units are still looked for.
    pub lacking: u8,
}

/// A call is about the same incident as another, which stands for both from now on; or it is one of its own again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Merge {
    /// Which call.
    pub call: CallId,
    /// When, ms.
    pub time_ms: u64,
    /// The call that it joins; none: it is one of its own again.
    pub into: Option<CallId>,
    /// What is known now of the call that it joins, which may be more urgent, and need more; or of itself.
    pub facts: CallFacts,
}
