//! The traffic: vehicles in the queues of lanes, moved in steps of half a second.
//!
//! A follower keeps a standing spacing and a time gap to its leader (Newell's simplified car-following with bounded
//! acceleration), so that queues discharge at about 2 s a vehicle and lane, and spill back when a link is full.
//! Nothing here is drawn by chance.

use std::collections::VecDeque;

use nanming_dataflows::event::{Event, Lamp};

use super::buses::Buses;
use super::car::{Car, NOWHERE, Vehicle, Way, time_ms};
use super::eyes::Eyes;
use super::roads::{NONE, Roads};
use super::routes::Routes;
use super::streets::Spot;
use super::truth::Truth;
use super::units::Trips;

/// Length of a step, ms.
pub(super) const STEP_MS: u64 = 500;
/// Room that a standing vehicle takes, mm.
pub(super) const SPACING_MM: i32 = 7_500;
/// Gain of speed in a step, mm/s.
const GAIN_MM_S: i32 = 1_000;
/// Time gap to the leader, in tenths of a second.
const GAP_DS: i32 = 14;

/// Speed at which one passes a collision on another lane, mm/s, and from how far on.
const SLOW_MM_S: i32 = 4_000;
const SLOW_REACH_MM: i32 = 25_000;

/// A lane and who is on it, the first vehicle first.
#[derive(Clone, Debug)]
pub(super) struct LaneQueue {
    /// Vehicles.
    pub(super) cars: VecDeque<Car>,
    /// A place that no vehicle passes, mm; [`NOWHERE`].
    pub(super) wall_mm: i32,
    /// A place that vehicles pass slowly, mm: a wall on another lane; [`NOWHERE`].
    pub(super) slow_mm: i32,
    /// The exit that the first vehicle takes, row in the lane's exits; [`NONE`]: not chosen.
    pub(super) exit: u32,
    /// The lane that it enters; [`NONE`]: not chosen.
    pub(super) target: u32,
    /// Whether it may cross the line now.
    pub(super) go: bool,
    /// Whether it has given way at the line under a permissive green.
    pub(super) gave_way: bool,
    /// Since when it has had no room ahead, ms; 0: it has.
    pub(super) blocked_ms: u64,
    /// Since when it has waited at a line without signals, ms; 0: it does not.
    pub(super) minor_ms: u64,
}

impl LaneQueue {
    fn new() -> Self {
        LaneQueue {
            cars: VecDeque::new(),
            wall_mm: NOWHERE,
            slow_mm: NOWHERE,
            exit: NONE,
            target: NONE,
            go: false,
            gave_way: false,
            blocked_ms: 0,
            minor_ms: 0,
        }
    }

    /// Place of the last vehicle, mm; [`NOWHERE`] where there is none.
    pub(super) fn tail_mm(&self) -> i32 {
        self.cars.back().map_or(NOWHERE, |c| c.x_mm)
    }

    /// Forgets what the first vehicle had in mind.
    pub(super) fn forget_first(&mut self) {
        (self.exit, self.target, self.go, self.gave_way, self.blocked_ms, self.minor_ms) =
            (NONE, NONE, false, false, 0, 0);
    }
}

/// Who claims a node without signals.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct NodeClaim {
    /// When a vehicle of the first rank last came up, ms.
    pub(super) major_ms: u64,
    /// When a vehicle last crossed, ms.
    pub(super) crossed_ms: u64,
    /// The link that it came from.
    pub(super) link: u32,
}

/// All vehicles and the queues that they stand in.
#[derive(Clone, Debug)]
pub(super) struct Traffic {
    /// The streets.
    pub(super) roads: Roads,
    /// Ways to everywhere.
    pub(super) routes: Routes,
    /// By lane.
    pub(super) lanes: Vec<LaneQueue>,
    /// All vehicles; rows in `free` are empty.
    pub(super) vehicles: Vec<Vehicle>,
    /// Empty rows.
    pub(super) free: Vec<u32>,
    /// By link: who waits to enter the road there.
    pub(super) waiting: Vec<VecDeque<u32>>,
    /// Links where someone waits.
    pub(super) waiting_links: Vec<u32>,
    /// When each head was last claimed by moving traffic, ms.
    pub(super) claimed_ms: Vec<u64>,
    /// By node.
    pub(super) nodes: Vec<NodeClaim>,
    /// Travel time over each link of those that left it lately, ms.
    pub(super) travel_ms: Vec<u32>,
    /// The buses.
    pub(super) buses: Buses,
    /// Patrol units on the road.
    pub(super) trips: Trips,
    /// The cameras.
    pub(super) eyes: Eyes,
    /// What really happened.
    pub(super) truth: Truth,
    /// Lanes whose first vehicle is taken off the road at the end of the step, to wait ahead.
    pub(super) jumpers: Vec<u32>,
    marked: Vec<(usize, i32)>,
    at_line: Vec<u32>,
}

impl Traffic {
    /// Empty streets.
    pub(super) fn new(roads: Roads, routes: Routes, buses: Buses, eyes: Eyes) -> Self {
        let free_ms = |l: &super::roads::RoadLink| match l.lanes.first() {
            Some(&lane) => time_ms(roads.lanes[lane as usize].length_mm, roads.lanes[lane as usize].speed_mm_s) as u32,
            None => 1_000,
        };
        Traffic {
            lanes: roads.lanes.iter().map(|_| LaneQueue::new()).collect(),
            vehicles: Vec::new(),
            free: Vec::new(),
            waiting: vec![VecDeque::new(); roads.links.len()],
            waiting_links: Vec::new(),
            claimed_ms: vec![0; roads.first_head.last().copied().unwrap_or(0) as usize],
            nodes: vec![NodeClaim::default(); roads.top_rank.len()],
            travel_ms: roads.links.iter().map(free_ms).collect(),
            truth: Truth::new(roads.links.len()),
            jumpers: Vec::new(),
            marked: Vec::new(),
            at_line: Vec::new(),
            roads,
            routes,
            buses,
            trips: Trips::default(),
            eyes,
        }
    }

    /// Moves everything from `now_ms` - a step to `now_ms`.
    pub(super) fn step(&mut self, lamps: &[Lamp], now_ms: u64, out: &mut Vec<Event>) {
        self.buses.leave_stops(&mut self.lanes, &self.vehicles, &self.roads, now_ms);
        for lane in 0..self.lanes.len() {
            if !self.lanes[lane].cars.is_empty() {
                self.move_lane(lane as u32, lamps, now_ms, out);
            }
        }
        self.cross_lines(lamps, now_ms, out);
        self.enter_roads(now_ms, out);
        self.eyes.flush_loops(now_ms, out);
    }

    fn move_lane(&mut self, lane: u32, lamps: &[Lamp], now_ms: u64, out: &mut Vec<Event>) {
        let ahead_mm = self.look_ahead(lane, lamps, now_ms);
        let length_mm = self.roads.lanes[lane as usize].length_mm;
        let queue = &mut self.lanes[lane as usize];
        let mut marked = std::mem::take(&mut self.marked);
        let stops = follow(&mut queue.cars, ahead_mm, (queue.wall_mm, queue.slow_mm), &mut marked);
        let walled = queue.wall_mm != NOWHERE;
        if queue.cars[0].x_mm >= length_mm {
            self.at_line.push(lane);
        }
        self.truth.stops += stops;
        for (row, from_mm) in marked.drain(..).rev() {
            self.pass_marks(lane, row, from_mm, now_ms, out);
        }
        self.marked = marked;
        if walled {
            self.sidestep(lane, now_ms);
        }
    }

    /// Lets those that reached the line cross it, in an order that changes from step to step.
    fn cross_lines(&mut self, lamps: &[Lamp], now_ms: u64, out: &mut Vec<Event>) {
        let mut at_line = std::mem::take(&mut self.at_line);
        if (now_ms / STEP_MS) % 2 == 1 {
            at_line.reverse();
        }
        for lane in at_line.drain(..) {
            self.cross(lane, lamps, now_ms, out);
        }
        self.at_line = at_line;
    }

    /// Something happens to a vehicle on its lane: a camera sees it, a bus stops, a trip ends.
    pub(super) fn pass_marks(&mut self, lane: u32, row: usize, from_mm: i32, now_ms: u64, out: &mut Vec<Event>) {
        let car = self.lanes[lane as usize].cars[row];
        let vehicle = self.vehicles[car.vehicle as usize];
        let (eye, next_eye_mm) = self.eyes.see(lane, &car, &vehicle, from_mm, now_ms, out);
        let mut goal_mm = vehicle.goal_mm;
        if car.x_mm >= goal_mm {
            let Way::Bus { run, leg } = vehicle.way else { return self.finish(lane, row, now_ms) };
            let length_mm = self.roads.lanes[lane as usize].length_mm;
            let Some(next_mm) = self.buses.stop_at(run, car.vehicle, leg, length_mm, now_ms) else {
                return self.finish(lane, row, now_ms);
            };
            goal_mm = if next_mm == NOWHERE { next_mm } else { next_mm.min(vehicle.turn_mm).max(car.x_mm + 1) };
            let car = &mut self.lanes[lane as usize].cars[row];
            (car.free_mm_s, car.v_mm_s) = (0, 0);
        }
        self.vehicles[car.vehicle as usize].goal_mm = goal_mm;
        let car = &mut self.lanes[lane as usize].cars[row];
        car.eye = eye;
        car.mark_mm = goal_mm.min(next_eye_mm).min(vehicle.turn_mm);
        if car.x_mm >= vehicle.turn_mm && car.x_mm < goal_mm {
            self.turn_in(lane, row, now_ms, out);
        }
    }

    /// Takes a vehicle off the road: its trip is over.
    pub(super) fn finish(&mut self, lane: u32, row: usize, now_ms: u64) {
        let Some(car) = self.take_out(lane, row) else { return };
        let vehicle = &self.vehicles[car.vehicle as usize];
        let alone_ms = vehicle.free_ms + self.alone_ms(vehicle, lane, car.x_mm);
        self.truth.left[vehicle.link as usize] += 1;
        match vehicle.way {
            Way::Unit { unit, .. } => {
                let at_mm = (car.x_mm + self.roads.starts_at_mm(lane)).max(0) as u32;
                self.trips.end(unit, Spot { link: vehicle.link, at_mm }, alone_ms);
            }
            way => {
                self.truth.arrive(now_ms.saturating_sub(vehicle.depart_ms), alone_ms);
                if let Way::Bus { run, .. } = way {
                    self.buses.end(run);
                }
            }
        }
        self.free.push(car.vehicle);
    }

    /// Time that a vehicle would take alone for the first `length_mm` of a lane, ms.
    pub(super) fn alone_ms(&self, vehicle: &Vehicle, lane: u32, length_mm: i32) -> u64 {
        time_ms(length_mm, vehicle.liked_mm_s(self.roads.lanes[lane as usize].speed_mm_s))
    }
}

/// Moves the vehicles of a lane by a step behind what is `ahead_mm` of the first; none passes the wall, and all pass the
/// slow place slowly. Lists in `marked` the rows that reached their mark, with the place that they came from; returns how
/// many came to a stand.
fn follow(
    cars: &mut VecDeque<Car>,
    ahead_mm: i32,
    (wall_mm, slow_mm): (i32, i32),
    marked: &mut Vec<(usize, i32)>,
) -> u64 {
    let mut limit_mm = ahead_mm;
    let mut stops = 0;
    for (row, car) in cars.iter_mut().enumerate() {
        let from_mm = car.x_mm;
        let until_mm = if from_mm < wall_mm { limit_mm.min(wall_mm) } else { limit_mm };
        let room_mm = (until_mm - from_mm).max(0);
        let near = (slow_mm - from_mm).abs() < SLOW_REACH_MM;
        let liked_mm_s = if near { car.free_mm_s.min(SLOW_MM_S) } else { car.free_mm_s };
        let v_mm_s = (room_mm.min(200_000) * 10 / GAP_DS).min(car.v_mm_s + GAIN_MM_S).min(liked_mm_s);
        limit_mm = from_mm - SPACING_MM;
        car.v_mm_s = v_mm_s;
        car.x_mm = from_mm + v_mm_s / 2;
        stops += u64::from(v_mm_s < 500 && !car.stands);
        car.stands = v_mm_s < 500 || (car.stands && v_mm_s < 3_000);
        if car.x_mm >= car.mark_mm {
            marked.push((row, from_mm));
        }
    }
    stops
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_queue_discharges_at_about_two_seconds_a_vehicle() {
        let standing = |row: i32| Car {
            x_mm: -row * SPACING_MM,
            v_mm_s: 0,
            free_mm_s: 13_900,
            mark_mm: NOWHERE,
            vehicle: 0,
            eye: 0,
            stands: true,
        };
        let mut cars: VecDeque<Car> = (0..24).map(standing).collect();
        let mut crossed_ms = vec![0_u64; cars.len()];
        for step in 1..=160 {
            follow(&mut cars, NOWHERE, (NOWHERE, NOWHERE), &mut Vec::new());
            for (row, _) in cars.iter().enumerate().filter(|(_, c)| c.x_mm > 0) {
                if crossed_ms[row] == 0 {
                    crossed_ms[row] = step * STEP_MS;
                }
            }
        }
        let headway_ms = (crossed_ms[20] - crossed_ms[4]) / 16;
        assert!((1_850..=2_150).contains(&headway_ms), "{headway_ms} ms");
        let lost_ms = crossed_ms[10] as i64 - 10 * headway_ms as i64;
        assert!((0..=4_000).contains(&lost_ms), "start-up lost time {lost_ms} ms");
    }
}
