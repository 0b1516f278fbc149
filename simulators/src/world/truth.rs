//! What really happened: the measure of every estimate and every signal plan.

use nanming_dataflows::event::Priority;
use nanming_dataflows::ids::{CallId, UnitId};

/// Counters since the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truth {
    /// Vehicles that wanted to set off.
    pub loaded: u64,
    /// Vehicles whose trip is over.
    pub arrived: u64,
    /// Time of all trips that are over, the wait to enter included, ms.
    pub trip_ms: u64,
    /// Delay of all trips that are over, the wait to enter included, ms.
    pub delay_ms: u64,
    /// Times that a vehicle came to a stand.
    pub stops: u64,
    /// Times that a vehicle, long blocked, took another way.
    pub detours: u64,
    /// Times that a vehicle, blocked for ten minutes, was taken off the road to wait at the next link.
    pub jumps: u64,
    /// Collisions that blocked a lane.
    pub collisions: u64,
    /// Vehicles that left each link, by row.
    pub left: Vec<u64>,
    /// Drives of patrol units to their calls.
    pub drives: Vec<UnitDrive>,
}

/// A patrol unit drove to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitDrive {
    /// Which unit.
    pub unit: UnitId,
    /// To which call.
    pub call: CallId,
    /// How urgent it was when the unit was sent.
    pub priority: Priority,
    /// When it set out, ms.
    pub set_out_ms: u64,
    /// How long it took, ms.
    pub took_ms: u64,
    /// How long it would have taken alone and without signals, ms.
    pub alone_ms: u64,
}

/// The figures of a run; vehicles still under way count with what they have been through so far.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// Vehicles that wanted to set off.
    pub loaded: u64,
    /// Vehicles whose trip is over.
    pub arrived: u64,
    /// Vehicles on the road.
    pub on_road: u64,
    /// Vehicles that wait to enter it.
    pub waiting: u64,
    /// Mean delay of all loaded vehicles, s: time under way less the time that they would have taken alone.
    pub mean_delay_s: f64,
    /// Mean time under way of all loaded vehicles, s.
    pub mean_trip_s: f64,
    /// Mean number of stops of all loaded vehicles.
    pub mean_stops: f64,
    /// Commands that would have let conflicting heads go, or taken a green away without a yellow.
    pub unsafe_commands: u64,
}

/// The true state of a link at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkTruth {
    /// Vehicles on it.
    pub vehicles: u32,
    /// Vehicles that stand on it.
    pub standing: u32,
    /// Their mean speed, mm/s; the free speed where there are none.
    pub speed_mm_s: u32,
    /// Travel time of those that left it lately, ms.
    pub travel_ms: u32,
    /// Vehicles that have left it since the start.
    pub left: u64,
}

impl Truth {
    /// Nothing yet, for so many links.
    pub(super) fn new(links: usize) -> Self {
        Truth { left: vec![0; links], ..Default::default() }
    }

    /// Books the end of a trip.
    pub(super) fn arrive(&mut self, trip_ms: u64, alone_ms: u64) {
        self.arrived += 1;
        self.trip_ms += trip_ms;
        self.delay_ms += trip_ms.saturating_sub(alone_ms);
    }
}
