//! A claim: what a vehicle with priority asks of a junction. Who claims and who switches know no more of each other.

use serde::{Deserialize, Serialize};

use crate::event::Priority;
use crate::ids::{BusId, JunctionId, LinkId, UnitId};

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Claimant {
    /// A unit that drives with lights.
    Unit(UnitId),
    /// A bus that is late.
    Bus(BusId),
}

/// Green for a way over a junction at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Claim {
    /// When it comes to the stop line, ms.
    pub eta_ms: u64,
    /// Urgency of its call.
    pub urgency: Priority,
    /// Who.
    pub who: Claimant,
    /// The link by which it comes.
    pub approach: LinkId,
    /// The link by which it leaves.
    pub out: LinkId,
    /// Green needed before it comes, so that the queue before it is gone, ms.
    pub clear_ms: u32,
}

/// A word of one with priority to a junction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Asked {
    /// It has passed this approach, or does not come: its claim is over.
    Released(Claimant, LinkId),
    /// It comes; takes the place of what it claimed before at this approach.
    Claimed(Claim),
}

/// What was asked, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// The junction.
    pub junction: JunctionId,
    /// When it was said, ms.
    pub time_ms: u64,
    /// What.
    pub asked: Asked,
}
