//! Reports of people: steps of cases, findings at building sites.

use serde::{Deserialize, Serialize};

use crate::ids::{CaseId, SiteId, UnitId};

/// A step of a case, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaseStage {
    /// Taken up.
    Accepted,
    /// Under investigation.
    Investigated,
    /// Reviewed by a second person.
    Reviewed,
    /// Decided.
    Decided,
    /// Closed.
    Closed,
}

/// A case moved a step: handling leaves traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CaseStep {
    /// When.
    pub time_ms: u64,
    /// Which case.
    pub case: CaseId,
    /// The stage that it reached.
    pub stage: CaseStage,
    /// The unit that did it.
    pub by: UnitId,
}

/// What was found at a building site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Dust.
    Dust,
    /// Mud carried onto the street.
    Mud,
    /// Work at a forbidden hour.
    Noise,
    /// Danger to people.
    Danger,
    /// Nothing to complain of.
    Clean,
}

/// A report from a building site.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SiteReport {
    /// When.
    pub time_ms: u64,
    /// Which site.
    pub site: SiteId,
    /// What.
    pub finding: Finding,
}
