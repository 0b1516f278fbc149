//! Calls for service, as their callers and the 110 desk tell of them.

use serde::{Deserialize, Serialize};

use super::Skills;
use crate::ids::{CallId, GridId, UnitId};
use crate::network::Point;

/// Urgency of a call, most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Priority {
    /// Life in danger, or a crime in progress.
    A,
    /// Urgent.
    B,
    /// Can wait.
    C,
}

/// What a call is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// A crime.
    Crime,
    /// A dispute or disturbance.
    Disturbance,
    /// A traffic collision, which blocks its link.
    Collision,
    /// Someone needs help.
    Help,
    /// Anything else.
    #[default]
    Other,
    /// What a community grid settles, and no patrol unit: noise of building works, stray animals, street lamps.
    Community,
}

/// A step in the life of a call that comes from its caller or the 110 desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallEvent {
    /// When.
    pub time_ms: u64,
    /// Which call.
    pub call: CallId,
    /// What happened.
    pub change: CallChange,
}

/// What happened to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallChange {
    /// It was raised.
    Opened(CallFacts),
    /// What is known of it changed.
    Updated(CallFacts),
    /// It was withdrawn.
    Cancelled,
    /// It was in the ledger when the engine started: a fact, not a wish.
    Restored(CallFacts, Standing),
    /// So was a unit on it, told after it was restored: a further one, or more of the one in charge.
    Serving(Serving),
    /// So was a unit that had declined it.
    Declined(UnitId),
    /// So was a unit that had done its part.
    Done(UnitId),
    /// So many attempts at it had been made.
    Attempts(u16),
    /// A desk sends a unit, whatever else it was to do.
    Ordered(UnitId),
    /// It was in the ledger when the engine started, merged into this other call.
    Joined(CallFacts, CallId),
    /// It was merged by mistake, and is a call of its own; what was known of it.
    Split(CallFacts),
    /// It was in the ledger when the engine started: its own caller had withdrawn it, and it went on for others.
    Withdrawn,
}

/// A unit on a call, as the ledger has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Serving {
    /// Which unit.
    pub unit: UnitId,
    /// By which attempt at the call.
    pub attempt: u16,
    /// How far it is.
    pub phase: CallPhase,
    /// Whether a desk sent it.
    #[serde(default)]
    pub is_ordered: bool,
}

/// Where a call stood in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Standing {
    /// How far it was.
    pub phase: CallPhase,
    /// Attempts at it so far.
    pub attempts: u16,
    /// The unit in charge, if any.
    pub unit: Option<UnitId>,
}

/// How far a call is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallPhase {
    /// No unit yet.
    #[default]
    Waiting,
    /// A unit was told.
    Assigned,
    /// It accepted and is on its way.
    Accepted,
    /// It arrived.
    Arrived,
    /// Done.
    Closed,
    /// Withdrawn.
    Cancelled,
    /// Another call is about the same incident, and stands for both.
    Merged,
    /// No patrol unit's matter: the community grid has it.
    Referred,
}

impl CallPhase {
    /// Whether no unit is to come for it, as far as is known.
    pub fn is_over(self) -> bool {
        matches!(self, CallPhase::Closed | CallPhase::Cancelled) || self.is_set_aside()
    }

    /// Whether it waits for no unit of its own, and may come to do so yet.
    pub fn is_set_aside(self) -> bool {
        matches!(self, CallPhase::Merged | CallPhase::Referred)
    }
}

/// What is known of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallFacts {
    /// Urgency.
    pub priority: Priority,
    /// Kind.
    pub category: Category,
    /// Place.
    pub at: Point,
    /// The grid that the place lies in.
    pub grid: GridId,
    /// Who has to come.
    #[serde(default)]
    pub needs: Needs,
}

/// Who has to come to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Needs {
    /// So many units, from 1.
    pub units: u8,
    /// What each of them has to bring.
    pub skills: Skills,
}

impl Needs {
    /// One unit, whichever.
    pub const ONE: Needs = Needs { units: 1, skills: Skills::NONE };
}

impl Needs {
    /// What two calls about one incident need together; `together` are the skills that it asks for.
    pub(crate) fn joined(self, other: Needs, together: Skills) -> Needs {
        Needs { units: self.units.max(other.units), skills: together }
    }
}

impl Default for Needs {
    fn default() -> Self {
        Needs::ONE
    }
}
