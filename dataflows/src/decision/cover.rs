//! How well the units at hand cover what is expected, and which of them had better wait elsewhere.

use serde::{Deserialize, Serialize};

use crate::ids::{GridId, RegionId, UnitId};
use crate::network::Point;

/// The cover of a dispatch region. It replaces what was said of the region before, advice and all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CoverState {
    /// Which region.
    pub region: RegionId,
    /// When, ms.
    pub time_ms: u64,
    /// Share of the expected demand that a unit at hand would reach within the target, 1/1,000,000.
    pub covered_ppm: u32,
    /// Share of the units in service that are engaged, of late, 1/1,000,000.
    pub busy_ppm: u32,
    /// Units at hand.
    pub idle_units: u32,
    /// Units that had better wait elsewhere, by unit.
    pub advice: Vec<CoverAdvice>,
}

/// A unit had better wait elsewhere. Advice, no order: whether it goes is for people to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CoverAdvice {
    /// Which unit.
    pub unit: UnitId,
    /// The grid that it was in when this was first said.
    pub from: GridId,
    /// The grid in which to wait.
    pub to: GridId,
    /// Where in it.
    pub at: Point,
    /// How long the drive takes on empty roads, ms.
    pub drive_ms: u32,
    /// Expected demand that would be reached within the target besides what is now, 1/1,000,000 of all.
    pub gain_ppm: u32,
    /// When it was first said, ms.
    pub since_ms: u64,
    /// Until when it holds, ms, unless it is withdrawn.
    pub until_ms: u64,
}
