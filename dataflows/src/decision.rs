//! What the engine decides and knows at a tick: the records that leave the dataflow.

use serde::{Deserialize, Serialize};

use crate::Time;
pub use crate::event::CallPhase;
use crate::event::Lamp;
use crate::ids::*;
use crate::network::PlanStep;

mod cover;
mod dispatch;
mod expected;
mod rosters;
pub use cover::*;
pub use dispatch::*;
pub use expected::*;
pub use rosters::*;

/// Everything that one tick brought out, each list sorted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Decisions {
    /// The tick.
    pub tick: Time,
    /// Links whose state changed.
    pub links: Vec<LinkState>,
    /// What the signals were told.
    pub commands: Vec<SignalCommand>,
    /// Why each junction chose its stage.
    pub choices: Vec<SignalChoice>,
    /// Plans made for junctions in plan mode.
    pub plans: Vec<SignalPlan>,
    /// Forecasts made anew.
    pub forecasts: Vec<LinkForecast>,
    /// How good forecasts were, by region.
    #[serde(default)]
    pub forecast_records: Vec<ForecastRecord>,
    /// Links that are about to congest: entries (+1) and withdrawals (-1).
    pub onsets: Vec<(Onset, isize)>,
    /// People at venues, where that changed.
    #[serde(default)]
    pub crowds: Vec<CrowdState>,
    /// Forecasts of people at venues, made anew.
    #[serde(default)]
    pub venue_forecasts: Vec<VenueForecast>,
    /// Venues with more people than usual: entries (+1) and withdrawals (-1).
    #[serde(default)]
    pub surges: Vec<(Surge, isize)>,
    /// Load of patrol grids: new values (+1), old values (-1).
    pub grids: Vec<(GridLoad, isize)>,
    /// New assignments, to be pushed.
    pub assignments: Vec<Assignment>,
    /// Calls that reached another phase or lie in another grid, call by call in the order in which it was said.
    pub calls: Vec<CallStatus>,
    /// Phases that assignments reached, call by call in the order in which it was said.
    #[serde(default)]
    pub assignment_statuses: Vec<AssignmentStatus>,
    /// Calls that are not served as they should be.
    #[serde(default)]
    pub escalations: Vec<Escalation>,
    /// Calls that were merged into others.
    #[serde(default)]
    pub merges: Vec<Merge>,
    /// Cover of dispatch regions, looked at anew.
    #[serde(default)]
    pub cover: Vec<CoverState>,
    /// What rosters say.
    #[serde(default)]
    pub rosters: Vec<RosterWord>,
    /// Signal changes that the safety envelope refused; the lamps stayed as they were.
    pub refusals: Vec<Refusal>,
    /// Reds that have lasted longer than they may, each once.
    pub long_reds: Vec<LongRed>,
    /// Units that come to junctions whose controllers are not led, each once.
    pub unserved: Vec<Unserved>,
    /// Ways found for units that drive with lights.
    pub routes: Vec<UnitRoute>,
    /// Events that made no sense in the state they met.
    pub rejected: Vec<Rejected>,
}

impl Decisions {
    /// Adds another worker's share of the same tick.
    pub fn absorb(&mut self, other: Decisions) {
        self.links.extend(other.links);
        self.commands.extend(other.commands);
        self.choices.extend(other.choices);
        self.plans.extend(other.plans);
        self.forecasts.extend(other.forecasts);
        self.forecast_records.extend(other.forecast_records);
        self.onsets.extend(other.onsets);
        self.crowds.extend(other.crowds);
        self.venue_forecasts.extend(other.venue_forecasts);
        self.surges.extend(other.surges);
        self.grids.extend(other.grids);
        self.assignments.extend(other.assignments);
        self.calls.extend(other.calls);
        self.assignment_statuses.extend(other.assignment_statuses);
        self.escalations.extend(other.escalations);
        self.merges.extend(other.merges);
        self.cover.extend(other.cover);
        self.rosters.extend(other.rosters);
        self.refusals.extend(other.refusals);
        self.long_reds.extend(other.long_reds);
        self.unserved.extend(other.unserved);
        self.routes.extend(other.routes);
        self.rejected.extend(other.rejected);
    }

    /// Puts every list into its order, whatever workers the records came from.
    pub fn sort(&mut self) {
        self.links.sort_unstable_by_key(|x| (x.link, x.time_ms));
        self.commands.sort_unstable_by_key(|x| (x.junction, x.at_ms));
        self.choices.sort_unstable_by_key(|x| x.junction);
        self.plans.sort_unstable();
        self.forecasts.sort_unstable_by_key(|x| x.link);
        self.forecast_records.sort_unstable_by_key(|x| x.region);
        self.onsets.sort_unstable();
        self.crowds.sort_unstable_by_key(|x| x.venue);
        self.venue_forecasts.sort_unstable_by_key(|x| x.venue);
        self.surges.sort_unstable();
        self.grids.sort_unstable();
        self.assignments.sort_unstable_by_key(|x| x.id);
        self.calls.sort_unstable();
        self.assignment_statuses.sort_unstable_by_key(|x| (x.id.call, x.seq));
        self.escalations.sort_unstable();
        self.merges.sort_unstable();
        self.cover.sort_unstable();
        self.rosters.sort_unstable();
        self.refusals.sort_unstable();
        self.long_reds.sort_unstable();
        self.unserved.sort_unstable();
        self.routes.sort_unstable();
        self.rejected.sort_unstable();
    }
}

/// Level of service, as the Highway Capacity Manual letters it for urban streets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LevelOfService {
    /// Free flow.
    #[default]
    A,
    /// Reasonably free.
    B,
    /// Stable.
    C,
    /// Approaching unstable.
    D,
    /// Unstable.
    E,
    /// Breakdown.
    F,
}

/// State of a link over the last window.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkState {
    /// Which link.
    pub link: LinkId,
    /// End of the window, ms.
    pub time_ms: u64,
    /// Flow at its end, vehicles/h.
    pub flow_veh_h: u32,
    /// Mean travel speed, mm/s.
    pub speed_mm_s: u32,
    /// Vehicles per km, 1/1000.
    pub density_milli_veh_km: u32,
    /// Vehicles near the stop line, 1/1000.
    pub queue_milli_veh: u32,
    /// Travel time over the link, ms.
    pub travel_ms: u32,
    /// Level of service.
    pub level: LevelOfService,
    /// Whether anything was observed in the window (false: carried on from before).
    pub observed: bool,
}

/// What part of a stage change a command starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// The stage stands.
    Green,
    /// Heads that lose their green show yellow.
    Yellow,
    /// They show red; the next stage's own heads wait.
    AllRed,
}

/// Why a stage was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageReason {
    /// The junction is taken over: the first command to a controller that the engine has not led so far.
    Start,
    /// It has the greatest pressure.
    Pressure,
    /// The stage in force may not end yet.
    MinGreen,
    /// A head with demand has waited as long as the envelope allows.
    MaxRed,
    /// The stage in force has stood as long as it may against demand elsewhere.
    MaxGreen,
    /// The plan of the centre, in plan mode.
    Plan,
    /// No detector has spoken, or the centre has no plan for it: the junction's own plan of the time of day.
    LocalPlan,
    /// Another stage has more pressure, but not so much more that the change would pay: it stays.
    NotWorth,
    /// Nothing waits anywhere: it stays.
    Idle,
    /// A unit that drives with lights comes.
    Preemption,
    /// A late bus comes.
    Bus,
    /// Somebody holds it.
    Hold,
}

/// An order to a controller: from `at_ms` on show these lamps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignalCommand {
    /// Which junction.
    pub junction: JunctionId,
    /// From when, ms; the tick that decided it.
    pub at_ms: u64,
    /// The stage that stands (green) or comes (yellow, all-red): row in the junction's stages.
    pub stage: u16,
    /// What part of the change this is.
    pub interval: Interval,
    /// What each head shows.
    pub lamps: Vec<Lamp>,
    /// Why this stage.
    pub reason: StageReason,
}

/// Why a junction's stage is what it is: the scores behind a decision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SignalChoice {
    /// Which junction.
    pub junction: JunctionId,
    /// When, ms.
    pub time_ms: u64,
    /// The stage in force.
    pub stage: u16,
    /// The stage wanted.
    pub wanted: u16,
    /// Why.
    pub reason: StageReason,
    /// Pressure of each stage, 1/1000 vehicle.
    pub scores_milli: Vec<i64>,
}

/// A plan for a junction in plan mode: it is followed from the junction's next cycle on, until another comes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SignalPlan {
    /// Which junction.
    pub junction: JunctionId,
    /// When it was made, ms.
    pub time_ms: u64,
    /// The first junction of the group whose offsets count against each other.
    pub group: JunctionId,
    /// Cycle, ms: that of the group or half of it; all greens and intergreens.
    pub cycle_ms: u32,
    /// The green of the first step begins at this, ms since the Unix epoch modulo the cycle.
    pub offset_ms: u32,
    /// Greatest degree of saturation of a lane that it was made for, 1/1000.
    pub saturation_milli: u32,
    /// Stages in order.
    pub steps: Vec<PlanStep>,
}

/// A plan holds for so long; then the local plan does until another comes, ms.
const PLAN_HOLDS_MS: u64 = 900_000;

impl SignalPlan {
    /// Until when it holds, ms.
    pub fn holds_until_ms(&self) -> Time {
        self.time_ms + PLAN_HOLDS_MS
    }

    /// When its first green is to begin next, not before `now`, ms.
    pub fn next_begin_ms(&self, now: Time) -> Time {
        let cycle_ms = u64::from(self.cycle_ms.max(1));
        let offset_ms = u64::from(self.offset_ms) % cycle_ms;
        now + (offset_ms + cycle_ms - now % cycle_ms) % cycle_ms
    }
}

/// A rule of a junction's safety envelope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnvelopeRule {
    /// As many lamps as heads.
    HeadCount,
    /// Heads that conflict are never let go together.
    Conflict,
    /// A green stands its shortest time.
    MinGreen,
    /// A stage stands until its crossings are walked and cleared.
    Pedestrian,
    /// Green ends through yellow, which stands its time and ends in red.
    Yellow,
    /// Between conflicting heads all-red passes.
    AllRed,
    /// Time does not run backwards.
    Order,
    /// No lamp is switched off, and out of the dark all show red first.
    Dark,
}

/// A signal change that the safety envelope refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Refusal {
    /// Which junction.
    pub junction: JunctionId,
    /// When, ms.
    pub time_ms: u64,
    /// The rule that it would have broken.
    pub rule: EnvelopeRule,
    /// The head at which it would have been broken.
    pub head: u16,
}

/// A unit that drives with lights comes to a junction that does not follow the engine: nothing turns green for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unserved {
    /// Which junction.
    pub junction: JunctionId,
    /// When, ms.
    pub time_ms: u64,
    /// Which unit.
    pub unit: UnitId,
}

/// A red that lasts longer than its junction's longest red and an allowance, though somebody waits and a stage would end it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LongRed {
    /// Which junction.
    pub junction: JunctionId,
    /// When, ms.
    pub time_ms: u64,
    /// Who waits.
    pub waiting: Waiting,
    /// For how long, ms.
    pub red_ms: u64,
}

/// Who waits at a red.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Waiting {
    /// Vehicles at a head.
    Head(u16),
    /// People on foot at the crossings of a stage.
    Crossings(u16),
}

/// The way that a unit with lights is expected to drive: its terminal shows it, signals turn green along it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnitRoute {
    /// Which unit.
    pub unit: UnitId,
    /// When it was found, ms.
    pub time_ms: u64,
    /// Links from where it is to where it goes.
    pub links: Vec<LinkId>,
}

/// Open calls, available units and calls closed lately of a patrol grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct GridLoad {
    /// Which grid.
    pub grid: GridId,
    /// Calls open.
    pub open_calls: u32,
    /// Units available, by home grid.
    pub available_units: u32,
    /// Calls closed within the last hour.
    pub closed_last_hour: u32,
}

/// Why an event was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It could not be read.
    Malformed,
    /// It names a camera that the city does not have.
    UnknownCamera,
    /// It names a junction that the city does not have.
    UnknownJunction,
    /// It names a unit that the city does not have.
    UnknownUnit,
    /// It names something else that the city does not have.
    UnknownName,
    /// A speed that no vehicle drives.
    ImpossibleSpeed,
    /// A number outside its range.
    OutOfRange,
    /// A place outside every patrol grid.
    OutsideCity,
    /// Its time lies in the future beyond the bound.
    FromTheFuture,
    /// Its time lies further back than any window reaches.
    TooLate,
    /// The same call ID with other content.
    DuplicateCall,
    /// It speaks of a call that nobody knows.
    UnknownCall,
    /// It changes or withdraws a call that is over.
    CallClosed,
    /// It answers an assignment that does not exist.
    UnknownAssignment,
    /// It answers an assignment that belongs to another unit.
    NotYourAssignment,
    /// It answers an assignment that is no longer in force.
    StaleAssignment,
    /// The camera is of a kind that cannot report this.
    WrongCameraKind,
    /// What the ledger keeps was sent to a process that has none.
    NotTheLeader,
    /// It is of a version of its schema that this engine does not read.
    UnknownVersion,
    /// It is larger than what is read.
    TooLarge,
    /// It names a roster that the city does not have, or something that its roster does not have.
    UnknownDuty,
    /// The same task ID again.
    DuplicateTask,
    /// It speaks of a task that nobody knows.
    UnknownTask,
    /// It speaks of a task that is over.
    TaskOver,
    /// It answers a task that is not, or no longer, this person's.
    NotYourTask,
    /// The person to take over has no room for so many points, or is away for long.
    NoRoom,
}

impl Reason {
    /// The name in metrics, dead letters and replies.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Malformed => "malformed",
            Reason::UnknownCamera => "unknown_camera",
            Reason::UnknownJunction => "unknown_junction",
            Reason::UnknownUnit => "unknown_unit",
            Reason::UnknownName => "unknown_name",
            Reason::ImpossibleSpeed => "impossible_speed",
            Reason::OutOfRange => "out_of_range",
            Reason::OutsideCity => "outside_city",
            Reason::FromTheFuture => "from_the_future",
            Reason::TooLate => "too_late",
            Reason::DuplicateCall => "duplicate_call",
            Reason::UnknownCall => "unknown_call",
            Reason::CallClosed => "call_closed",
            Reason::UnknownAssignment => "unknown_assignment",
            Reason::NotYourAssignment => "not_your_assignment",
            Reason::StaleAssignment => "stale_assignment",
            Reason::WrongCameraKind => "wrong_camera_kind",
            Reason::NotTheLeader => "not_the_leader",
            Reason::UnknownVersion => "unknown_version",
            Reason::TooLarge => "too_large",
            Reason::UnknownDuty => "unknown_duty",
            Reason::DuplicateTask => "duplicate_task",
            Reason::UnknownTask => "unknown_task",
            Reason::TaskOver => "task_over",
            Reason::NotYourTask => "not_your_task",
            Reason::NoRoom => "no_room",
        }
    }
}

/// An event that made no sense in the state it met.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rejected {
    /// Its time, ms.
    pub time_ms: u64,
    /// Why.
    pub reason: Reason,
    /// The event itself.
    pub event: crate::event::Event,
}
