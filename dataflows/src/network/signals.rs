//! Signals: junctions with their heads, conflicts, stages and local plans.

use serde::{Deserialize, Serialize};

use super::{Point, span_holds};
use crate::event::Lamp;
use crate::ids::{DistrictId, JunctionId, LinkId, MovementId, NodeId};

/// A signal controller with its approaches, heads, stages and local plans.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Junction {
    /// Its row.
    pub id: JunctionId,
    /// Name in the source.
    pub name: String,
    /// Place of its middle.
    pub at: Point,
    /// The district that it lies in.
    pub district: DistrictId,
    /// Nodes that it governs.
    pub nodes: Vec<NodeId>,
    /// Links that end at it under signals.
    pub approaches: Vec<Approach>,
    /// Signal heads: one character each in a state string.
    pub heads: Vec<Head>,
    /// Who conflicts with whom.
    pub conflicts: ConflictMatrix,
    /// Selectable stages.
    pub stages: Vec<Stage>,
    /// Local plans; the first is the one to fall back to when none is in force.
    pub plans: Vec<Plan>,
    /// All-red time between conflicting greens, ms.
    pub all_red_ms: u32,
    /// Longest red that a head with demand may see, ms.
    pub max_red_ms: u32,
    /// How its lights are timed.
    #[serde(default)]
    pub mode: SignalMode,
}

#[cfg(test)]
impl Junction {
    /// Two heads, each let go by a stage of its own, at least 7 s; the local plan gives 30 s to each, all day.
    pub(crate) fn of_two_stages() -> Junction {
        let stage = |lights: [Light; 2]| Stage {
            name: String::new(),
            lights: lights.to_vec(),
            min_green_ms: 7_000,
            max_green_ms: 60_000,
            walk_ms: 0,
            clearance_ms: 0,
        };
        let head = Head { movements: Vec::new(), yellow_ms: 3_000, min_green_ms: 5_000 };
        let step = |stage| PlanStep { stage, green_ms: 30_000, intergreen_ms: 5_000 };
        Junction {
            id: JunctionId(0),
            name: String::new(),
            at: Point::default(),
            district: DistrictId(0),
            nodes: Vec::new(),
            approaches: Vec::new(),
            heads: vec![head.clone(), head],
            conflicts: ConflictMatrix::new(2),
            stages: vec![stage([Light::Protected, Light::Red]), stage([Light::Red, Light::Protected])],
            plans: vec![Plan { name: String::new(), offset_ms: 0, day_min: (0, 0), steps: vec![step(0), step(1)] }],
            all_red_ms: 2_000,
            max_red_ms: 120_000,
            mode: SignalMode::Stage,
        }
    }
}

impl Junction {
    /// The local plan in force at a minute of the local day, or the one to fall back to.
    pub fn plan_at(&self, minute: u16) -> &Plan {
        self.plans.iter().find(|plan| plan.in_force(minute)).unwrap_or(&self.plans[0])
    }

    /// The shortest time for which a stage may stand, ms: its own, that of its heads, and for people to walk and clear.
    pub fn least_green_ms(&self, stage: u16) -> u32 {
        let stage = &self.stages[usize::from(stage)];
        let heads = self.heads.iter().zip(&stage.lights).filter(|(_, light)| light.is_green());
        let heads_ms = heads.map(|(head, _)| head.min_green_ms).max().unwrap_or(0);
        heads_ms.max(stage.min_green_ms).max(stage.walk_ms + stage.clearance_ms)
    }
}

/// How the lights of a junction are timed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignalMode {
    /// It chooses its stages by itself, second by second.
    #[default]
    Stage,
    /// It follows plans that are made for it and its neighbours every few minutes: cycle, splits and offset.
    Plan,
}

/// A link that ends at a signalised junction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Approach {
    /// The link.
    pub link: LinkId,
    /// Compass heading of traffic at the stop line, degrees from north, clockwise.
    pub heading_deg: u16,
    /// Length of the crossing for people on foot over this approach, mm; 0: none.
    pub crossing_mm: u32,
}

/// A signal head: lamps that always show the same to some movements.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    /// Movements that obey it; empty for a head without motor traffic.
    pub movements: Vec<MovementId>,
    /// Yellow after its green, ms: by the approach speed.
    pub yellow_ms: u32,
    /// Shortest green, ms.
    pub min_green_ms: u32,
}

/// How two heads of a junction relate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Conflict {
    /// Their ways do not meet.
    #[default]
    None,
    /// Their ways meet, and the first must give way when both are let go: it may only be permissive then.
    FirstYields,
    /// Their ways meet, and the second must give way.
    SecondYields,
    /// Their ways meet and neither gives way, or it is forbidden to rely on it: never both.
    Hard,
}

impl Conflict {
    /// Whether two heads so related may not go together. `yields` says of each whether it gives way now.
    pub fn forbids(self, first_yields: bool, second_yields: bool) -> bool {
        match self {
            Conflict::None => false,
            Conflict::FirstYields => !first_yields,
            Conflict::SecondYields => !second_yields,
            Conflict::Hard => true,
        }
    }
    /// The same seen from the other head.
    fn mirrored(self) -> Conflict {
        match self {
            Conflict::FirstYields => Conflict::SecondYields,
            Conflict::SecondYields => Conflict::FirstYields,
            same => same,
        }
    }
}

/// For each ordered pair of heads, their [`Conflict`]. Square; `get(a, b)` mirrors `get(b, a)`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ConflictMatrix {
    heads: u16,
    cells: Vec<Conflict>,
}

impl ConflictMatrix {
    /// No conflict among `heads` heads.
    pub fn new(heads: usize) -> Self {
        ConflictMatrix { heads: heads as u16, cells: vec![Conflict::None; heads * heads] }
    }
    /// Number of heads.
    pub fn heads(&self) -> usize {
        usize::from(self.heads)
    }
    /// How head `a` relates to head `b`.
    pub fn get(&self, a: usize, b: usize) -> Conflict {
        self.cells[a * self.heads() + b]
    }
    /// Sets the relation of `a` to `b` and its mirror.
    pub fn set(&mut self, a: usize, b: usize, conflict: Conflict) {
        let n = self.heads();
        self.cells[a * n + b] = conflict;
        self.cells[b * n + a] = conflict.mirrored();
    }
    /// Whether it is what it should be: square over so many heads, each pair mirrored, no head against itself.
    pub(super) fn is_whole(&self, heads: usize) -> bool {
        let pair = |a: usize, b: usize| self.get(a, b) == self.get(b, a).mirrored();
        self.heads() == heads
            && self.cells.len() == heads * heads
            && (0..heads).all(|a| self.get(a, a) == Conflict::None && (0..a).all(|b| pair(a, b)))
    }
}

/// What a head shows in a stage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    /// Stop.
    Red,
    /// Go, protected (`G`).
    Protected,
    /// Go, giving way to others (`g`).
    Permissive,
}

impl Light {
    /// Whether it lets traffic go.
    pub fn is_green(self) -> bool {
        self != Light::Red
    }
    /// The lamp that shows it.
    pub fn lamp(self) -> Lamp {
        match self {
            Light::Red => Lamp::Red,
            Light::Protected => Lamp::Protected,
            Light::Permissive => Lamp::Permissive,
        }
    }
}

/// A set of greens that a controller may show together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// Name for people, such as `north-south through`.
    pub name: String,
    /// What each head shows; as long as [`Junction::heads`].
    pub lights: Vec<Light>,
    /// Shortest time that it stands, ms; not less than walk and clearance.
    pub min_green_ms: u32,
    /// Longest time that it stands against demand elsewhere, ms.
    pub max_green_ms: u32,
    /// Walk time of the crossings that it serves, ms; 0: none.
    pub walk_ms: u32,
    /// Clearance time of the longest crossing that it serves, ms.
    pub clearance_ms: u32,
}

/// A local fixed-time plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Name in the source.
    pub name: String,
    /// Start of the first step within the cycle, ms after local midnight, modulo the cycle.
    pub offset_ms: u32,
    /// Minutes of the local day in which it is in force: from, to (to < from wraps over midnight; equal: all day).
    pub day_min: (u16, u16),
    /// Stages in order.
    pub steps: Vec<PlanStep>,
}

impl Plan {
    /// Cycle length, ms: all greens and intergreens.
    pub fn cycle_ms(&self) -> u32 {
        self.steps.iter().map(|s| s.green_ms + s.intergreen_ms).sum()
    }
    /// Whether it is in force at a minute of the local day.
    pub fn in_force(&self, minute: u16) -> bool {
        span_holds(self.day_min, minute)
    }
}

/// A stage in a plan.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlanStep {
    /// Row in [`Junction::stages`].
    pub stage: u16,
    /// Green, ms.
    pub green_ms: u32,
    /// Yellow and all-red after it, ms.
    pub intergreen_ms: u32,
}
