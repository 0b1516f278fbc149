//! The city: its street network and everything that stands or drives on it. One type, read by every view.
//!
//! Knows nothing about events, time or files. Lengths are mm, times ms, speeds mm/s, places [`Point`]s in mm east and
//! north of [`City::origin`].

use serde::{Deserialize, Serialize};

use crate::ids::*;

mod check;
mod geo;
pub use check::CityError;
pub use geo::{LonLat, Point};

/// Everything fixed about a city. Tables are dense: `links[id.index()].id == id`, and so for all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct City {
    /// Short name, such as `guiyang`.
    pub name: String,
    /// WGS-84 place of the local point (0, 0).
    pub origin: LonLat,
    /// Local time minus UTC, minutes.
    pub utc_offset_min: i32,
    /// Nodes by [`NodeId`].
    pub nodes: Vec<Node>,
    /// Links by [`LinkId`].
    pub links: Vec<Link>,
    /// Lanes by [`LaneId`].
    pub lanes: Vec<Lane>,
    /// Movements by [`MovementId`], at signals and elsewhere.
    pub movements: Vec<Movement>,
    /// Signalised junctions by [`JunctionId`].
    pub junctions: Vec<Junction>,
    /// Cameras by [`CameraId`].
    pub cameras: Vec<Camera>,
    /// Districts by [`DistrictId`].
    pub districts: Vec<District>,
    /// Patrol grids by [`GridId`].
    pub grids: Vec<Grid>,
    /// Patrol units by [`UnitId`].
    pub units: Vec<Unit>,
    /// Venues by [`VenueId`].
    pub venues: Vec<Venue>,
    /// Building sites by [`SiteId`].
    pub sites: Vec<Site>,
    /// Site supervisors by [`SupervisorId`].
    pub supervisors: Vec<Supervisor>,
    /// Bus lines by [`BusLineId`].
    pub bus_lines: Vec<BusLine>,
}

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
    /// The signal head that governs it: the junction, and the row in its [`Junction::heads`].
    pub signal: Option<(JunctionId, u16)>,
}

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
        self.cells[b * n + a] = match conflict {
            Conflict::FirstYields => Conflict::SecondYields,
            Conflict::SecondYields => Conflict::FirstYields,
            same => same,
        };
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
    pub fn lamp(self) -> crate::event::Lamp {
        match self {
            Light::Red => crate::event::Lamp::Red,
            Light::Protected => crate::event::Lamp::Protected,
            Light::Permissive => crate::event::Lamp::Permissive,
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
        let (from, to) = self.day_min;
        match from.cmp(&to) {
            std::cmp::Ordering::Equal => true,
            std::cmp::Ordering::Less => (from..to).contains(&minute),
            std::cmp::Ordering::Greater => minute >= from || minute < to,
        }
    }
}

/// A stage in a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanStep {
    /// Row in [`Junction::stages`].
    pub stage: u16,
    /// Green, ms.
    pub green_ms: u32,
    /// Yellow and all-red after it, ms.
    pub intergreen_ms: u32,
}

/// What a camera is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CameraKind {
    /// A checkpoint at a stop line: reads plates lane by lane.
    StopLine,
    /// Along a link.
    MidLink,
    /// Counts people at a public place.
    Crowd,
    /// Watches a building site.
    Site,
}

/// A camera or another fixed sensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Camera {
    /// Its row.
    pub id: CameraId,
    /// Device ID outside, such as the 20 digits of GB/T 28181.
    pub name: String,
    /// What it is there for.
    pub kind: CameraKind,
    /// Place.
    pub at: Point,
    /// The lane that it watches, and how far before the lane's end, mm (stop-line and mid-link cameras).
    pub lane: Option<(LaneId, u32)>,
    /// The venue that it counts at (crowd cameras).
    pub venue: Option<VenueId>,
    /// The site that it watches (site cameras).
    pub site: Option<SiteId>,
}

/// A district: the unit of labels on metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct District {
    /// Its row.
    pub id: DistrictId,
    /// Name in the local language.
    pub name: String,
    /// Name in English.
    pub name_en: String,
}

/// A patrol grid: a rectangle of the city.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Its row.
    pub id: GridId,
    /// Name outside.
    pub name: String,
    /// South-west corner.
    pub min: Point,
    /// North-east corner, excluded.
    pub max: Point,
    /// The district that it lies in.
    pub district: DistrictId,
    /// The dispatch region that it belongs to.
    pub region: RegionId,
}

/// A patrol unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// Its row.
    pub id: UnitId,
    /// Call sign.
    pub name: String,
    /// Its home grid.
    pub grid: GridId,
    /// The dispatch region that it serves.
    pub region: RegionId,
    /// Where it waits.
    pub post: Point,
    /// Shift in minutes of the local day: from, to (to < from wraps over midnight; equal: always).
    pub shift_min: (u16, u16),
}

/// A place where crowds gather.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Venue {
    /// Its row.
    pub id: VenueId,
    /// Name for people.
    pub name: String,
    /// Place.
    pub at: Point,
    /// The link that its gates open to.
    pub link: LinkId,
    /// People that it holds.
    pub capacity: u32,
}

/// A building site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// Its row.
    pub id: SiteId,
    /// Name for people.
    pub name: String,
    /// Place.
    pub at: Point,
    /// Who watches it.
    pub supervisor: SupervisorId,
}

/// A site supervisor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Supervisor {
    /// Their row.
    pub id: SupervisorId,
    /// Name for people (a pseudonym in a generated city).
    pub name: String,
}

/// A bus line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BusLine {
    /// Its row.
    pub id: BusLineId,
    /// Line number.
    pub name: String,
    /// Links in order of travel, end to end.
    pub route: Vec<LinkId>,
    /// Stops: link and distance from its start, mm, in order.
    pub stops: Vec<(LinkId, u32)>,
    /// Planned headway in the day, ms.
    pub headway_ms: u32,
}

impl City {
    /// The link that a lane belongs to.
    pub fn link_of(&self, lane: LaneId) -> &Link {
        &self.links[self.lanes[lane.index()].link.index()]
    }
    /// The grid that a place lies in, if any.
    pub fn grid_at(&self, at: Point) -> Option<GridId> {
        self.grids.iter().find(|g| g.holds(at)).map(|g| g.id)
    }
    /// Minute of the local day at a time in ms since the Unix epoch.
    pub fn minute_of_day(&self, time_ms: u64) -> u16 {
        let local_min = (time_ms / 60_000) as i64 + i64::from(self.utc_offset_min);
        local_min.rem_euclid(24 * 60) as u16
    }
    /// Links that leave each node, by [`NodeId`].
    pub fn links_out(&self) -> Vec<Vec<LinkId>> {
        let mut out = vec![Vec::new(); self.nodes.len()];
        for l in &self.links {
            out[l.from.index()].push(l.id);
        }
        out
    }
}

impl Grid {
    /// Whether a place lies in it.
    pub fn holds(&self, at: Point) -> bool {
        self.min.x_mm <= at.x_mm && at.x_mm < self.max.x_mm && self.min.y_mm <= at.y_mm && at.y_mm < self.max.y_mm
    }
}

impl Unit {
    /// Whether a minute of the local day lies in its shift.
    pub fn on_shift(&self, minute: u16) -> bool {
        let (from, to) = self.shift_min;
        match from.cmp(&to) {
            std::cmp::Ordering::Equal => true,
            std::cmp::Ordering::Less => (from..to).contains(&minute),
            std::cmp::Ordering::Greater => minute >= from || minute < to,
        }
    }
}
