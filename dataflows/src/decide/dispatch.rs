//! Dispatch: which unit goes to which call. One machine for the city, which knows every call that is open.
//!
//! Waiting calls and free units of a dispatch region are matched for least total travel time, most urgent calls first, as
//! soon as either changes. An assignment stands until its unit declines, stays silent, leaves service or goes on reporting
//! that it is on no task; then the call is matched anew, or, where the unit had arrived, it is closed. So no unit stays
//! engaged for ever, and every call comes to an end. `docs/dispatch.md` has the bounds, and why this is one machine.

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::decision::{Assignment, AssignmentStatus, CallStatus, Escalation, Merge, Rejected};
use crate::event::{Ack, CallChange, CallFacts, Priority};
use crate::ids::{CallId, GridId, LinkId, RegionId, UnitId};
use crate::keyed::{Key, Kind, Machine, Outbox};
use crate::network::{City, DispatchRules, Merging, Point, Unit};
use crate::roads::CityRoads;
use crate::state::unit::UnitPlace;

mod crew;
mod dispatcher;
mod duplicates;
mod ladder;
pub mod load;
mod open_call;
mod over;
mod pick;
pub mod plan;
mod replan;
mod state;
#[cfg(test)]
pub(crate) mod tests;
use dispatcher::Dispatcher;
use pick::Ready;
use plan::Task;
pub use state::Calls;
use state::Station;

/// The key of the one machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Centre;

impl Key for Centre {
    fn route(&self) -> u64 {
        0
    }
}

/// Something that dispatch is told. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct DispatchEvent {
    /// When, ms.
    pub time_ms: u64,
    /// What.
    pub what: DispatchNews,
}

/// What dispatch is told. What is withdrawn sorts before what takes its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum DispatchNews {
    /// A unit is no longer in service as it was.
    UnitGone(UnitId),
    /// A unit is in service.
    UnitHere(UnitId, UnitPlace),
    /// A unit reported whether it is on a task.
    OnTask(UnitId, bool),
    /// What became of a call, as its caller or the 110 desk says.
    Call(CallId, CallChange),
    /// A unit answered.
    Answered(Ack),
    /// A link's travel time, ms.
    Travel(LinkId, u32),
}

/// Where a unit has to go, or that it is not on its way any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Errand {
    /// Which unit.
    pub unit: UnitId,
    /// When it was so, ms.
    pub time_ms: u64,
    /// How urgent the call is, and its place; none: the unit is on its way to no call.
    pub to: Option<(Priority, Point)>,
}

/// A call is no patrol's matter, or is one again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Referral {
    /// Which call.
    pub call: CallId,
    /// When, ms.
    pub time_ms: u64,
    /// Of a call's referrals in a tick the last has the greatest.
    pub seq: u32,
    /// What is known of it; none: whoever took it need do nothing any more.
    pub facts: Option<CallFacts>,
}

/// What dispatch says.
#[derive(Clone, Debug)]
pub enum DispatchSaid {
    /// A unit is sent.
    Assignment(Assignment),
    /// A call reached a phase.
    Status(CallStatus),
    /// An assignment reached a phase.
    AssignmentStatus(AssignmentStatus),
    /// Somebody has to be told.
    Escalation(Escalation),
    /// A unit set out, has another place to go to, or is no longer on its way.
    Errand(Errand),
    /// A call is about the same incident as another.
    Merged(Merge),
    /// A call is no patrol's matter, or is one again.
    Referral(Referral),
    /// What was told made no sense.
    Rejected(Rejected),
}

/// The machine.
pub struct Dispatch {
    roads: CityRoads,
    region_of_grid: Vec<RegionId>,
    units: Vec<Unit>,
    utc_offset_min: i32,
    rules: DispatchRules,
    merging: Merging,
}

impl Dispatch {
    /// For a city's roads, grids and units.
    pub fn new(city: &City) -> Self {
        Dispatch {
            roads: CityRoads::new(city),
            region_of_grid: city.grids.iter().map(|g| g.region).collect(),
            units: city.units.clone(),
            utc_offset_min: city.utc_offset_min,
            rules: city.dispatch.clone(),
            merging: city.merging.clone(),
        }
    }

    fn region_of_grid(&self, grid: GridId) -> Option<RegionId> {
        self.region_of_grid.get(grid.index()).copied()
    }

    fn region_of_unit(&self, unit: UnitId) -> Option<RegionId> {
        self.units.get(unit.index()).map(|unit| unit.region)
    }

    /// A unit that could go, as the plan sees it.
    fn ready(&self, unit: UnitId, station: &Station, task: Option<Task>, tick: Time) -> Option<Ready> {
        let known = self.units.get(unit.index())?;
        Some(Ready {
            unit,
            task,
            stop: station.stop,
            grid: known.grid,
            skills: known.skills,
            is_stale: station.reported_ms + self.rules.stale_place_ms < tick,
            ends_soon: known.shift_left_ms(tick, self.utc_offset_min).is_some_and(|ms| ms < self.rules.shift_end_ms),
        })
    }
}

impl Machine for Dispatch {
    type Key = Centre;
    type Event = DispatchEvent;
    type State = Calls;
    type Out = DispatchSaid;

    fn name(&self) -> &'static str {
        "dispatch"
    }

    fn kind(&self) -> Kind {
        Kind::Told
    }

    fn step(
        &self,
        _: Centre,
        calls: &mut Calls,
        tick: Time,
        events: &[(Centre, DispatchEvent)],
        out: &mut Outbox<DispatchSaid>,
    ) {
        if calls.travel_ms.is_empty() {
            calls.travel_ms = self.roads.free_travel_ms();
        }
        let mut dispatcher = Dispatcher::new(self, calls, tick, out);
        events.iter().for_each(|(_, event)| dispatcher.hear(event));
        dispatcher.escalate();
        dispatcher.plan();
        dispatcher.tell_errands();
        if let Some(at) = calls.next_due() {
            out.wake_at(at);
        }
    }
}
