//! What comes through the door, after decoding and validation. Times are event times, ms since the Unix epoch.
//!
//! The order of fields is the order of sorting: `keyed` sorts a key's events within a tick, event time first, so that
//! the order of arrival never matters.

use serde::{Deserialize, Serialize};

use crate::ids::*;
use crate::network::Point;

/// One valid event of any stream.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event {
    /// A vehicle passed a camera.
    Passage(Passage),
    /// A detector reported an interval.
    Flow(FlowReading),
    /// A camera counted people.
    Crowd(CrowdCount),
    /// A call for service was opened, updated or cancelled.
    Call(CallEvent),
    /// A unit reported place and status.
    Unit(UnitReport),
    /// A unit answered an assignment.
    Ack(Ack),
    /// A controller reported its lamps.
    Signal(SignalFeedback),
    /// A bus reported its place.
    Bus(BusFix),
    /// A camera or a person reported a violation.
    Violation(Violation),
    /// A case moved a step.
    Case(CaseStep),
    /// Something was found at a building site.
    Site(SiteReport),
}

/// Class of a vehicle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VehicleClass {
    /// Passenger car.
    #[default]
    Car,
    /// Bus or coach.
    Bus,
    /// Lorry.
    Truck,
    /// Motorcycle.
    Motorcycle,
    /// Taxi.
    Taxi,
    /// Police, fire, ambulance.
    Emergency,
    /// Anything else.
    Other,
}

/// A vehicle passed a stop-line or mid-link camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Passage {
    /// When.
    pub time_ms: u64,
    /// Which camera.
    pub camera: CameraId,
    /// Keyed hash of the plate; 0: no plate read.
    pub vehicle: VehicleId,
    /// Speed, mm/s.
    pub speed_mm_s: u32,
    /// Class.
    pub class: VehicleClass,
}

/// What a detector counted over an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FlowReading {
    /// End of the interval.
    pub time_ms: u64,
    /// Which detector: a stop-line or mid-link camera, or a loop listed as one.
    pub camera: CameraId,
    /// Length of the interval, ms.
    pub interval_ms: u32,
    /// Vehicles.
    pub vehicles: u32,
    /// Mean speed, mm/s; 0 when no vehicle passed.
    pub speed_mm_s: u32,
    /// Share of the interval in which the detector was covered, 1/1000.
    pub occupancy_milli: u16,
}

/// People counted by a crowd camera.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CrowdCount {
    /// When.
    pub time_ms: u64,
    /// Which camera.
    pub camera: CameraId,
    /// People in view.
    pub people: u32,
}

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
}

impl CallPhase {
    /// Whether nothing more is to come.
    pub fn is_over(self) -> bool {
        matches!(self, CallPhase::Closed | CallPhase::Cancelled)
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
}

/// Status of a unit, as GA/T 974.39 numbers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnitStatus {
    /// Ready for a task (10).
    Ready,
    /// Turned out (20).
    TurnedOut,
    /// On the way (21).
    OnTheWay,
    /// On scene (22).
    OnScene,
    /// Returning, ready for a task (25).
    Returning,
    /// Stationed, ready for a task (26).
    Stationed,
    /// Off duty.
    OffDuty,
}

impl UnitStatus {
    /// Whether a unit in this status may be given a task.
    pub fn is_available(self) -> bool {
        matches!(self, UnitStatus::Ready | UnitStatus::Returning | UnitStatus::Stationed)
    }

    /// Whether a unit in this status is on a task.
    pub fn is_on_task(self) -> bool {
        matches!(self, UnitStatus::TurnedOut | UnitStatus::OnTheWay | UnitStatus::OnScene)
    }
}

/// A unit reported place and status.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct UnitReport {
    /// When.
    pub time_ms: u64,
    /// Which unit.
    pub unit: UnitId,
    /// Where.
    pub at: Point,
    /// Status.
    pub status: UnitStatus,
}

/// An assignment: the call and which attempt at it this is, from 1. Shown as `call.attempt`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AssignmentId {
    /// The call.
    pub call: CallId,
    /// The attempt, from 1.
    pub attempt: u16,
}

impl std::fmt::Display for AssignmentId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.call, self.attempt)
    }
}

impl From<AssignmentId> for String {
    fn from(id: AssignmentId) -> String {
        id.to_string()
    }
}

impl TryFrom<String> for AssignmentId {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let parse = || {
            let (call, attempt) = text.split_once('.')?;
            Some(AssignmentId { call: CallId(call.parse().ok()?), attempt: attempt.parse().ok()? })
        };
        parse().ok_or_else(|| format!("assignment '{text}' is not of the form CALL.ATTEMPT, such as 17.1"))
    }
}

/// What a unit says to an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Takes it.
    Accept,
    /// Refuses it.
    Decline,
    /// Reached the place.
    Arrived,
    /// Finished.
    Closed,
}

/// A unit answered an assignment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Ack {
    /// When.
    pub time_ms: u64,
    /// Which unit.
    pub unit: UnitId,
    /// Which assignment.
    pub assignment: AssignmentId,
    /// What it says.
    pub answer: Answer,
}

/// What a head shows at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lamp {
    /// Stop (`r`).
    Red,
    /// About to stop (`y`).
    Yellow,
    /// Go, protected (`G`).
    Protected,
    /// Go, giving way (`g`).
    Permissive,
    /// Flashing yellow or dark (`o`): priority rules hold.
    Off,
}

impl Lamp {
    /// The character of SUMO's state strings.
    pub fn to_char(self) -> char {
        match self {
            Lamp::Red => 'r',
            Lamp::Yellow => 'y',
            Lamp::Protected => 'G',
            Lamp::Permissive => 'g',
            Lamp::Off => 'o',
        }
    }
    /// Reads a character of SUMO's state strings; red-yellow (`u`) counts as red, `O` as off.
    pub fn from_char(c: char) -> Option<Lamp> {
        Some(match c {
            'r' | 'u' => Lamp::Red,
            'y' | 'Y' => Lamp::Yellow,
            'G' => Lamp::Protected,
            'g' | 's' => Lamp::Permissive,
            'o' | 'O' => Lamp::Off,
            _ => return None,
        })
    }
    /// Whether it lets traffic go.
    pub fn is_green(self) -> bool {
        matches!(self, Lamp::Protected | Lamp::Permissive)
    }
}

/// Who decides at a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ControlMode {
    /// It follows the engine's commands.
    Centre,
    /// It runs its own plan.
    Local,
    /// It is off, flashing or broken.
    Fault,
}

/// A controller reported its lamps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SignalFeedback {
    /// When.
    pub time_ms: u64,
    /// Which junction.
    pub junction: JunctionId,
    /// Who decides there.
    pub mode: ControlMode,
    /// What each head shows; as long as its heads.
    pub lamps: Vec<Lamp>,
}

/// A bus reported its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BusFix {
    /// When.
    pub time_ms: u64,
    /// Which bus.
    pub bus: BusId,
    /// Its line.
    pub line: BusLineId,
    /// The link that it is on, matched at the door.
    pub link: LinkId,
    /// Distance from the link's start, mm.
    pub position_mm: u32,
    /// Speed, mm/s.
    pub speed_mm_s: u32,
}

/// Kind of a violation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ViolationKind {
    /// Ran a red light.
    RedLight,
    /// Too fast.
    Speeding,
    /// Forbidden lane or direction.
    WrongLane,
    /// Parked where it must not.
    Parking,
    /// Anything else.
    Other,
}

/// A violation reported by a camera: evidence for a person, never a penalty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Violation {
    /// When.
    pub time_ms: u64,
    /// Which camera.
    pub camera: CameraId,
    /// Keyed hash of the plate.
    pub vehicle: VehicleId,
    /// Kind.
    pub kind: ViolationKind,
}

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

/// The events of one tick, stream by stream.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Vehicle passages.
    pub passages: Vec<Passage>,
    /// Detector readings.
    pub flows: Vec<FlowReading>,
    /// People counts.
    pub crowds: Vec<CrowdCount>,
    /// Calls opened, updated, cancelled.
    pub calls: Vec<CallEvent>,
    /// Unit reports.
    pub units: Vec<UnitReport>,
    /// Answers of units.
    pub acks: Vec<Ack>,
    /// Controller feedback.
    pub signals: Vec<SignalFeedback>,
    /// Bus fixes.
    pub buses: Vec<BusFix>,
    /// Violations.
    pub violations: Vec<Violation>,
    /// Case steps.
    pub cases: Vec<CaseStep>,
    /// Site reports.
    pub sites: Vec<SiteReport>,
}

impl Batch {
    /// Adds an event to its stream.
    pub fn push(&mut self, event: Event) {
        match event {
            Event::Passage(e) => self.passages.push(e),
            Event::Flow(e) => self.flows.push(e),
            Event::Crowd(e) => self.crowds.push(e),
            Event::Call(e) => self.calls.push(e),
            Event::Unit(e) => self.units.push(e),
            Event::Ack(e) => self.acks.push(e),
            Event::Signal(e) => self.signals.push(e),
            Event::Bus(e) => self.buses.push(e),
            Event::Violation(e) => self.violations.push(e),
            Event::Case(e) => self.cases.push(e),
            Event::Site(e) => self.sites.push(e),
        }
    }

    /// Number of events per stream, by the stream's name.
    pub fn counts(&self) -> [(&'static str, usize); 11] {
        [
            ("passages", self.passages.len()),
            ("flows", self.flows.len()),
            ("crowds", self.crowds.len()),
            ("calls", self.calls.len()),
            ("units", self.units.len()),
            ("acks", self.acks.len()),
            ("signals", self.signals.len()),
            ("buses", self.buses.len()),
            ("violations", self.violations.len()),
            ("cases", self.cases.len()),
            ("sites", self.sites.len()),
        ]
    }

    /// Number of events in all.
    pub fn len(&self) -> usize {
        self.counts().iter().map(|(_, n)| n).sum()
    }

    /// Whether it holds no event.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it holds what a person waits for: a call, an answer, a unit's report.
    pub fn is_urgent(&self) -> bool {
        !(self.calls.is_empty() && self.acks.is_empty())
    }
}

impl Extend<Event> for Batch {
    fn extend<I: IntoIterator<Item = Event>>(&mut self, events: I) {
        events.into_iter().for_each(|e| self.push(e));
    }
}
