//! What is known of a patrol unit from its reports.

use serde::{Deserialize, Serialize};

use crate::network::Point;

/// Where a unit is and whether it is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct UnitPlace {
    /// Where.
    pub at: Point,
    /// Whether its status lets it take a task.
    pub available: bool,
}
