//! Streets: nodes, links, lanes, and the movements between them.

use serde::{Deserialize, Serialize};

use super::Point;
use crate::ids::{DistrictId, JunctionId, LaneId, LinkId, MovementId, NodeId};

/// A point where links meet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Its row.
    pub id: NodeId,
    /// Name in the source.
    pub name: String,
    /// Place.
    pub at: Point,
    /// The controller that governs it, if any.
    pub junction: Option<JunctionId>,
}

/// One direction of a street between two nodes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Link {
    /// Its row.
    pub id: LinkId,
    /// Name in the source.
    pub name: String,
    /// Road name for people, in the local language; may be empty.
    pub road: String,
    /// Where it starts.
    pub from: NodeId,
    /// Where it ends.
    pub to: NodeId,
    /// Length along the street, mm.
    pub length_mm: u32,
    /// Free-flow speed, mm/s.
    pub free_speed_mm_s: u32,
    /// Its lanes, kerb side first.
    pub lanes: Vec<LaneId>,
    /// Its course, from start to end, at least two points.
    pub shape: Vec<Point>,
    /// The district that it lies in.
    pub district: DistrictId,
}

impl Link {
    /// Travel time at free-flow speed, ms; at least 1.
    pub fn free_travel_ms(&self) -> u64 {
        (u64::from(self.length_mm) * 1000 / u64::from(self.free_speed_mm_s.max(1))).max(1)
    }
}

/// A lane of a link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Lane {
    /// Its row.
    pub id: LaneId,
    /// Name in the source.
    pub name: String,
    /// The link that it belongs to.
    pub link: LinkId,
    /// Length, mm.
    pub length_mm: u32,
    /// Whether general traffic may use it (false: foot, cycle, rail, bus only).
    pub motor: bool,
    /// Movements that leave it.
    pub movements: Vec<MovementId>,
}

/// Where a movement turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// Straight on.
    Through,
    /// To the left.
    Left,
    /// To the right.
    Right,
    /// Back.
    UTurn,
}

/// A way from a lane into a lane of another link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Movement {
    /// Its row.
    pub id: MovementId,
    /// The lane that it leaves.
    pub from: LaneId,
    /// The lane that it enters.
    pub to: LaneId,
    /// Where it turns.
    pub turn: Turn,
    /// The signal head that governs it: the junction, and the row in its [`Junction::heads`](super::Junction::heads).
    pub signal: Option<(JunctionId, u16)>,
}
