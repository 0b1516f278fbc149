//! Patrol units on the road: vehicles like all others, on a way of their own. They queue behind others and stop at reds: lights
//! and a horn do not clear a full street, and what drivers would do to let one pass is not modelled.

use nanming_dataflows::event::VehicleClass;
use nanming_dataflows::ids::VehicleId;

use super::car::{Car, NOWHERE, Vehicle, Way};
use super::chance::mix;
use super::roads::NONE;
use super::streets::{Spot, quickest};
use super::traffic::Traffic;

/// The trip of a unit.
#[derive(Clone, Debug)]
pub(super) struct Trip {
    /// Its row in the table of vehicles.
    vehicle: u32,
    /// Links in order of travel.
    way: Vec<u32>,
    /// Where on the last of them it ends, mm.
    end_mm: u32,
    /// Time that the part of its first link before it would have taken alone, ms.
    before_ms: u64,
    /// Where it ended, once it has, and the time that it would have taken alone, ms.
    ended: Option<(Spot, u64)>,
}

/// The trips of all units that are under way, by unit.
#[derive(Clone, Debug, Default)]
pub(super) struct Trips(Vec<Option<Trip>>);

/// How far a unit is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whereabouts {
    /// On its way.
    Here(Spot),
    /// At the end of its trip; it would have taken so long alone, ms.
    Ended(Spot, u64),
}

impl Trips {
    fn get(&self, unit: u32) -> Option<&Trip> {
        self.0.get(unit as usize)?.as_ref()
    }

    /// The link of a leg; none beyond the last.
    pub(super) fn link_at(&self, unit: u32, leg: u32) -> Option<u32> {
        self.get(unit)?.way.get(leg as usize).copied()
    }

    /// Whether a leg is the trip's last.
    pub(super) fn is_last(&self, unit: u32, leg: u32) -> bool {
        self.get(unit).is_none_or(|trip| leg as usize + 1 >= trip.way.len())
    }

    /// Where on the link of a leg the trip ends, mm; [`NOWHERE`].
    pub(super) fn goal_mm(&self, unit: u32, leg: u32, length_mm: i32) -> i32 {
        let end_mm = self.get(unit).map_or(length_mm, |trip| (trip.end_mm as i32).clamp(1, length_mm));
        if self.is_last(unit, leg) { end_mm } else { NOWHERE }
    }

    /// A unit's vehicle is off the road.
    pub(super) fn end(&mut self, unit: u32, spot: Spot, alone_ms: u64) {
        if let Some(trip) = self.0.get_mut(unit as usize).and_then(Option::as_mut) {
            trip.ended = Some((spot, alone_ms.saturating_sub(trip.before_ms)));
        }
    }
}

impl Traffic {
    /// Puts a unit on the road where it stands, if there is a gap: whether there was.
    pub(super) fn set_off(&mut self, unit: u32, from: Spot, way: &[u32], end_mm: u32, now_ms: u64) -> bool {
        let plate = VehicleId(mix(0x110 ^ u64::from(unit)) | 1);
        let kind = Way::Unit { unit, leg: 0 };
        let vehicle = Vehicle::waiting(plate, VehicleClass::Emergency, kind, from.link, now_ms);
        if self.trips.0.len() <= unit as usize {
            self.trips.0.resize(unit as usize + 1, None);
        }
        let trip = Trip { vehicle: NONE, way: way.to_vec(), end_mm, before_ms: 0, ended: None };
        self.trips.0[unit as usize] = Some(trip);
        let joined = self.join(vehicle, from, now_ms);
        let trip = &mut self.trips.0[unit as usize];
        match (joined, trip.as_mut()) {
            (Some((row, before_ms)), Some(trip)) => (trip.vehicle, trip.before_ms) = (row, before_ms),
            _ => *trip = None,
        }
        joined.is_some()
    }

    /// Puts a vehicle into a gap at a place on a link: its row, and the time that the link before it would have taken, ms.
    fn join(&mut self, vehicle: Vehicle, at: Spot, now_ms: u64) -> Option<(u32, u64)> {
        let best = self.choose_lane(&vehicle, at.link, NONE)?;
        let full = &self.roads.links[at.link as usize].full;
        let x_mm = (at.at_mm as i32).min(self.roads.lanes[best as usize].length_mm);
        let mut lanes = std::iter::once(best).chain(full.iter().copied().filter(|lane| *lane != best));
        let (lane, place) = lanes.find_map(|lane| Some((lane, self.gap_at(lane, x_mm)?)))?;
        let row = self.seat(vehicle);
        self.vehicles[row as usize].lane = lane;
        self.vehicles[row as usize].entered_ms = now_ms;
        if place == 0 {
            self.lanes[lane as usize].forget_first();
        }
        let car = Car { x_mm, v_mm_s: 0, free_mm_s: 0, mark_mm: NOWHERE, vehicle: row, eye: 0, stands: true };
        self.lanes[lane as usize].cars.insert(place, car);
        self.head_for(lane, place);
        Some((row, self.alone_ms(&vehicle, lane, x_mm)))
    }

    /// Sends a unit that is on the road another way from its link on.
    pub(super) fn turn_to(&mut self, unit: u32, way: &[u32], end_mm: u32) {
        let Some(trip) = self.trips.0.get_mut(unit as usize).and_then(Option::as_mut) else { return };
        let vehicle = &mut self.vehicles[trip.vehicle as usize];
        if trip.ended.is_some() || way.first() != Some(&vehicle.link) {
            return;
        }
        (trip.way, trip.end_mm) = (way.to_vec(), end_mm);
        vehicle.way = Way::Unit { unit, leg: 0 };
        let (row, lane) = (trip.vehicle, vehicle.lane);
        if lane == NONE {
            return;
        }
        let Some(place) = self.lanes[lane as usize].cars.iter().position(|c| c.vehicle == row) else { return };
        if place == 0 {
            self.lanes[lane as usize].forget_first();
        }
        self.head_for(lane, place);
    }

    /// Tells a vehicle on a lane anew where it ends, which lane it must change to, and what comes next.
    fn head_for(&mut self, lane: u32, place: usize) {
        let car = self.lanes[lane as usize].cars[place];
        let mut vehicle = self.vehicles[car.vehicle as usize];
        let road = &self.roads.lanes[lane as usize];
        let Way::Unit { unit, leg } = vehicle.way else { return };
        let start_mm = self.roads.starts_at_mm(lane);
        let goal_mm = self.trips.goal_mm(unit, leg, start_mm + road.length_mm);
        vehicle.goal_mm = if goal_mm == NOWHERE { goal_mm } else { (goal_mm - start_mm).max(car.x_mm + 1) };
        let in_pocket = road.feeder != NONE;
        let none = (NONE, NOWHERE);
        let onward = if in_pocket { none } else { self.turn_lane(&vehicle, vehicle.link, lane) };
        (vehicle.turn_lane, vehicle.turn_mm) = onward;
        vehicle.held_ms = 0;
        let (eye, next_mm) = self.eyes.next_after(lane, car.x_mm);
        let free_mm_s = vehicle.liked_mm_s(road.speed_mm_s);
        let mark_mm = vehicle.goal_mm.min(vehicle.turn_mm).min(next_mm);
        self.vehicles[car.vehicle as usize] = vehicle;
        self.lanes[lane as usize].cars[place] = Car { free_mm_s, eye, mark_mm, ..car };
    }

    /// A unit came to the line in a lane that does not lead on: another way, by an exit of this lane; whether there is one.
    pub(super) fn go_astray(&mut self, lane: u32, unit: u32) -> bool {
        let Some(Trip { way, end_mm, .. }) = self.trips.get(unit) else { return false };
        let (Some(to), end_mm) = (way.last().copied(), *end_mm) else { return false };
        let link = self.roads.lanes[lane as usize].link;
        let ways = self.roads.lanes[lane as usize].exits.iter().map(|exit| {
            let way = quickest(&self.roads, &self.travel_ms, exit.link, to);
            let cost_ms: u64 = way.iter().map(|l| u64::from(self.travel_ms[*l as usize])).sum();
            (way.first() != Some(&exit.link), cost_ms, way)
        });
        let Some((false, _, way)) = ways.min() else { return false };
        let way: Vec<u32> = std::iter::once(link).chain(way).collect();
        self.turn_to(unit, &way, end_mm);
        true
    }

    /// Where a unit is that set off.
    pub(super) fn whereabouts(&self, unit: u32) -> Option<Whereabouts> {
        let trip = self.trips.get(unit)?;
        if let Some((spot, alone_ms)) = trip.ended {
            return Some(Whereabouts::Ended(spot, alone_ms));
        }
        let vehicle = &self.vehicles[trip.vehicle as usize];
        let (link, mut at_mm) = (vehicle.link, 0);
        if vehicle.lane != NONE {
            let mut cars = self.lanes[vehicle.lane as usize].cars.iter();
            let x_mm = cars.find(|c| c.vehicle == trip.vehicle).map_or(0, |c| c.x_mm);
            at_mm = (x_mm + self.roads.starts_at_mm(vehicle.lane)).max(0) as u32;
        }
        Some(Whereabouts::Here(Spot { link, at_mm }))
    }
}
