//! A vehicle: the few numbers that move it each step, kept in its lane, and all else, kept in a table.

use nanming_dataflows::event::VehicleClass;
use nanming_dataflows::ids::VehicleId;

use super::roads::NONE;

/// No place on a lane: further than any.
pub(super) const NOWHERE: i32 = 1 << 30;

/// What moves a vehicle, in the queue of its lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Car {
    /// Its front, mm from the lane's start.
    pub(super) x_mm: i32,
    /// Speed, mm/s.
    pub(super) v_mm_s: i32,
    /// The speed that its driver likes on this lane, mm/s; 0: standing at a stop.
    pub(super) free_mm_s: i32,
    /// The next place where something happens: a camera, a stop, the end of the trip.
    pub(super) mark_mm: i32,
    /// Row in the table.
    pub(super) vehicle: u32,
    /// The next camera of its lane.
    pub(super) eye: u16,
    /// Whether it stands.
    pub(super) stands: bool,
}

/// How a vehicle finds its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Down a tree of routes.
    Tree(u32),
    /// Along the route of a bus run.
    Bus {
        /// Row among the runs.
        run: u32,
        /// Row in the line's route.
        leg: u32,
    },
    /// Along the way of a patrol unit.
    Unit {
        /// Which unit.
        unit: u32,
        /// Row in its way.
        leg: u32,
    },
}

/// All else about a vehicle.
#[derive(Clone, Copy, Debug)]
pub(super) struct Vehicle {
    /// Its pseudonymised plate.
    pub(super) plate: VehicleId,
    /// Whether its plate can be read.
    pub(super) readable: bool,
    /// Class.
    pub(super) class: VehicleClass,
    /// Its way.
    pub(super) way: Way,
    /// Speed that its driver likes, relative to the free speed, 1/1000.
    pub(super) haste_milli: i32,
    /// When it wanted to set off, ms.
    pub(super) depart_ms: u64,
    /// When it came onto its link, ms.
    pub(super) entered_ms: u64,
    /// Time that its way up to this link would have taken alone, ms.
    pub(super) free_ms: u64,
    /// Its link.
    pub(super) link: u32,
    /// Its lane; [`NONE`]: waits to enter the road.
    pub(super) lane: u32,
    /// Where on this lane it stops or leaves, mm; [`NOWHERE`].
    pub(super) goal_mm: i32,
    /// The lane that it must change to for its way; [`NONE`].
    pub(super) turn_lane: u32,
    /// Where on this lane it may begin to, mm; [`NOWHERE`].
    pub(super) turn_mm: i32,
    /// Since when it has stood waiting for room in that lane, ms; 0: it has not.
    pub(super) held_ms: u64,
}

impl Vehicle {
    /// A vehicle that waits to enter `link`.
    pub(super) fn waiting(plate: VehicleId, class: VehicleClass, way: Way, link: u32, depart_ms: u64) -> Self {
        Vehicle {
            plate,
            readable: !plate.0.is_multiple_of(20),
            class,
            way,
            haste_milli: haste_milli(plate, class),
            depart_ms,
            entered_ms: depart_ms,
            free_ms: 0,
            link,
            lane: NONE,
            goal_mm: NOWHERE,
            turn_lane: NONE,
            turn_mm: NOWHERE,
            held_ms: 0,
        }
    }

    /// Whether it is a patrol unit: those are no trips of the city's traffic.
    pub(super) fn is_unit(&self) -> bool {
        matches!(self.way, Way::Unit { .. })
    }

    /// Its liked speed where the free speed is `speed_mm_s`.
    pub(super) fn liked_mm_s(&self, speed_mm_s: i32) -> i32 {
        (i64::from(speed_mm_s) * i64::from(self.haste_milli) / 1000) as i32
    }
}

/// Time for a length at a speed, ms.
pub(super) fn time_ms(length_mm: i32, speed_mm_s: i32) -> u64 {
    (i64::from(length_mm.max(0)) * 1000 / i64::from(speed_mm_s.max(1))) as u64
}

/// One driver in 400 drives far too fast.
fn haste_milli(plate: VehicleId, class: VehicleClass) -> i32 {
    let draw = (plate.0 >> 20) % 200;
    match class {
        VehicleClass::Bus => 800,
        VehicleClass::Emergency => 1_100,
        VehicleClass::Truck => 800 + draw as i32 / 2,
        _ if (plate.0 >> 40).is_multiple_of(400) => 1_350,
        _ => 880 + draw as i32,
    }
}
