//! What comes through the door, after decoding and validation. Times are event times, ms since the Unix epoch.
//!
//! The order of fields is the order of sorting: `keyed` sorts a key's events within a tick, event time first, so that
//! the order of arrival never matters.

use serde::{Deserialize, Serialize};

mod calls;
mod reports;
mod rosters;
mod signals;
mod skills;
mod traffic;
mod units;
mod weather;
pub use calls::{CallChange, CallEvent, CallFacts, CallPhase, Category, Needs, Priority, Serving, Standing};
pub use reports::{CaseStage, CaseStep, Finding, SiteReport};
pub use rosters::{
    DeclineReason, PointDuty, RosterChange, RosterEvent, TASKS_FOUND, TASKS_FROM, TASKS_OF_CALLS, TaskAnswer,
    TaskFacts, TaskPhase, TaskStanding,
};
pub use signals::{ControlMode, Lamp, SignalFeedback, StageHold};
pub use skills::{SKILLS, Skill, Skills};
pub use traffic::{BusFix, CrowdCount, FlowReading, GateCount, Passage, VehicleClass, Violation, ViolationKind};
pub use units::{Ack, Answer, AssignmentId, UnitReport, UnitStatus};
pub use weather::WeatherReport;

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
    /// Somebody held a stage at a junction, or let it go.
    Hold(StageHold),
    /// The gates of a venue counted people.
    Gate(GateCount),
    /// A station reported the weather.
    Weather(WeatherReport),
    /// A roster was told something.
    Roster(RosterEvent),
}

/// Streams in the order of the variants of [`Event`]: the word for one event, and the name of the stream in metrics, dead
/// letters and files.
pub const STREAMS: [(&str, &str); 15] = [
    ("passage", "passages"),
    ("flow", "flows"),
    ("crowd", "crowds"),
    ("call", "calls"),
    ("unit", "units"),
    ("ack", "acks"),
    ("signal", "signals"),
    ("bus", "buses"),
    ("violation", "violations"),
    ("case", "cases"),
    ("site", "sites"),
    ("hold", "holds"),
    ("gate", "gates"),
    ("weather", "weather"),
    ("roster", "rosters"),
];

impl Event {
    /// When it happened, ms since the Unix epoch.
    pub fn time_ms(&self) -> u64 {
        self.place_and_time().1
    }

    /// The name of its stream.
    pub fn stream(&self) -> &'static str {
        STREAMS[self.place_and_time().0].1
    }

    /// The row of its stream in [`STREAMS`], and its time, ms.
    fn place_and_time(&self) -> (usize, u64) {
        match self {
            Event::Passage(e) => (0, e.time_ms),
            Event::Flow(e) => (1, e.time_ms),
            Event::Crowd(e) => (2, e.time_ms),
            Event::Call(e) => (3, e.time_ms),
            Event::Unit(e) => (4, e.time_ms),
            Event::Ack(e) => (5, e.time_ms),
            Event::Signal(e) => (6, e.time_ms),
            Event::Bus(e) => (7, e.time_ms),
            Event::Violation(e) => (8, e.time_ms),
            Event::Case(e) => (9, e.time_ms),
            Event::Site(e) => (10, e.time_ms),
            Event::Hold(e) => (11, e.time_ms),
            Event::Gate(e) => (12, e.time_ms),
            Event::Weather(e) => (13, e.time_ms),
            Event::Roster(e) => (14, e.time_ms),
        }
    }
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
    /// Stages held and let go.
    pub holds: Vec<StageHold>,
    /// People through gates.
    #[serde(default)]
    pub gates: Vec<GateCount>,
    /// Weather reports.
    #[serde(default)]
    pub weather: Vec<WeatherReport>,
    /// What rosters are told.
    #[serde(default)]
    pub rosters: Vec<RosterEvent>,
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
            Event::Hold(e) => self.holds.push(e),
            Event::Gate(e) => self.gates.push(e),
            Event::Weather(e) => self.weather.push(e),
            Event::Roster(e) => self.rosters.push(e),
        }
    }

    /// Adds the events of another batch behind its own.
    pub fn append(&mut self, mut other: Batch) {
        self.passages.append(&mut other.passages);
        self.flows.append(&mut other.flows);
        self.crowds.append(&mut other.crowds);
        self.calls.append(&mut other.calls);
        self.units.append(&mut other.units);
        self.acks.append(&mut other.acks);
        self.signals.append(&mut other.signals);
        self.buses.append(&mut other.buses);
        self.violations.append(&mut other.violations);
        self.cases.append(&mut other.cases);
        self.sites.append(&mut other.sites);
        self.holds.append(&mut other.holds);
        self.gates.append(&mut other.gates);
        self.weather.append(&mut other.weather);
        self.rosters.append(&mut other.rosters);
    }

    /// Number of events per stream, by the stream's name.
    pub fn counts(&self) -> [(&'static str, usize); STREAMS.len()] {
        let counts = [
            self.passages.len(),
            self.flows.len(),
            self.crowds.len(),
            self.calls.len(),
            self.units.len(),
            self.acks.len(),
            self.signals.len(),
            self.buses.len(),
            self.violations.len(),
            self.cases.len(),
            self.sites.len(),
            self.holds.len(),
            self.gates.len(),
            self.weather.len(),
            self.rosters.len(),
        ];
        std::array::from_fn(|row| (STREAMS[row].1, counts[row]))
    }

    /// Number of events in all.
    pub fn len(&self) -> usize {
        self.counts().iter().map(|(_, n)| n).sum()
    }

    /// Whether it holds no event.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether it has what a person waits for: a call, an answer, a stage that is held, a task. Units report all the time, and nobody
    /// waits for that.
    pub fn is_urgent(&self) -> bool {
        !(self.calls.is_empty() && self.acks.is_empty() && self.holds.is_empty() && self.rosters.is_empty())
    }
}

impl Extend<Event> for Batch {
    fn extend<I: IntoIterator<Item = Event>>(&mut self, events: I) {
        events.into_iter().for_each(|e| self.push(e));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{CallId, SiteId};

    #[test]
    fn every_event_is_counted_in_its_own_stream() {
        let call = CallEvent { time_ms: 7, call: CallId(1), change: CallChange::Cancelled };
        let site = SiteReport { time_ms: 8, site: SiteId(1), finding: Finding::Clean };
        for (event, time_ms, stream) in [(Event::Call(call), 7, "calls"), (Event::Site(site), 8, "sites")] {
            assert_eq!((event.time_ms(), event.stream()), (time_ms, stream));
            let mut batch = Batch::default();
            batch.push(event);
            assert!(batch.counts().iter().all(|(name, n)| (*name == stream) == (*n == 1)));
        }
    }
}
