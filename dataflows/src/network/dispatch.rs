//! How calls are dispatched: what a city may set.

use serde::{Deserialize, Serialize};

/// The rules of dispatch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DispatchRules {
    /// A unit that has not answered after so long is reminded, ms.
    pub remind_ms: u64,
    /// After so long another unit is sent in its place, as soon as there is one, ms.
    pub second_unit_ms: u64,
    /// A call that nobody has accepted after so long is the supervisor's, ms.
    pub supervisor_ms: u64,
    /// A call for which there is no unit after so long is, by its priority, ms.
    pub waiting_ms: [u64; 3],
    /// A unit that has arrived and is out of service is replaced after so long, ms: radio is lost in a basement.
    pub lost_on_scene_ms: u64,
    /// An engaged unit that goes on reporting for so long that it is on no task is free again, ms.
    pub idle_ms: u64,
    /// A unit of another grid counts as so much further away, ms: the border of grids is soft.
    pub other_grid_ms: u64,
    /// A unit whose place was reported longer ago than this may be elsewhere, ms.
    pub stale_place_ms: u64,
    /// It counts as so much further away, ms.
    pub stale_penalty_ms: u64,
    /// A unit whose shift ends within so long counts as [`shift_end_penalty_ms`](Self::shift_end_penalty_ms) further away, ms.
    pub shift_end_ms: u64,
    /// So much, ms.
    pub shift_end_penalty_ms: u64,
}

impl Default for DispatchRules {
    fn default() -> Self {
        DispatchRules {
            remind_ms: 30_000,
            second_unit_ms: 60_000,
            supervisor_ms: 180_000,
            waiting_ms: [180_000, 600_000, 1_800_000],
            lost_on_scene_ms: 900_000,
            idle_ms: 60_000,
            other_grid_ms: 30_000,
            stale_place_ms: 45_000,
            stale_penalty_ms: 60_000,
            shift_end_ms: 900_000,
            shift_end_penalty_ms: 300_000,
        }
    }
}
