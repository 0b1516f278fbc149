//! What cameras, detectors and buses report.

use serde::{Deserialize, Serialize};

use crate::ids::{BusId, BusLineId, CameraId, LinkId, VehicleId, VenueId};

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
    /// Speed, mm/s; 0 when none was measured.
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
    /// Mean speed, mm/s; 0 when no vehicle passed, or none was measured.
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

/// People counted at the gates of a venue over an interval: at all of them, or at one of several that report alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct GateCount {
    /// End of the interval.
    pub time_ms: u64,
    /// Which venue.
    pub venue: VenueId,
    /// Length of the interval, ms.
    pub interval_ms: u32,
    /// People who came in.
    pub entered: u32,
    /// People who went out.
    pub left: u32,
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
