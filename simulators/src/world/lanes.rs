//! Which lane to take: on coming onto a link, and where a pocket for turning begins.

use nanming_dataflows::event::Event;

use super::car::{Car, NOWHERE, Vehicle, Way};
use super::roads::NONE;
use super::traffic::{SPACING_MM, Traffic};

/// Vehicles by which another lane must be emptier than the one straight ahead.
const KEEP_LANE: usize = 3;
/// Vehicles by which a lane that does not lead on must be emptier than one that does.
const LEAD_ON: usize = 6;
/// One who has waited this long for room in the lane of his turn drives on, ms.
const PATIENCE_MS: u64 = 45_000;
/// Where one stands at the latest who still has to change lanes, mm before the line or the pocket.
const LAST_CHANCE_MM: i32 = 22_500;

impl Traffic {
    /// The exit that a vehicle takes at the end of `link`, row in the link's exits; none where its trip ends there.
    fn onward(&self, vehicle: &Vehicle, link: u32) -> Option<usize> {
        let road = &self.roads.links[link as usize];
        match vehicle.way {
            Way::Tree(tree) if self.routes.to_go(tree, link) > 0 => {
                let exits = 0..road.exits.len() as u32;
                self.routes.best_exit(&self.roads, tree, link, exits).map(|e| e as usize)
            }
            Way::Tree(_) => None,
            Way::Bus { run, leg } => {
                self.buses.link_at(run, leg + 1).and_then(|next| road.exits.iter().position(|e| e.link == next))
            }
            Way::Unit { unit, leg } => {
                self.trips.link_at(unit, leg + 1).and_then(|next| road.exits.iter().position(|e| e.link == next))
            }
        }
    }

    /// The lane by which a vehicle comes onto `link`: the emptiest, but rather one that leads on, rather `straight` ahead,
    /// and rather not a blocked one.
    pub(super) fn choose_lane(&self, vehicle: &Vehicle, link: u32, straight: u32) -> Option<u32> {
        let road = &self.roads.links[link as usize];
        let leads = self.onward(vehicle, link).map(|exit| &road.exits[exit].entries);
        let load = |lane: &u32| {
            let queue = &self.lanes[*lane as usize];
            let full = usize::from(queue.tail_mm() < SPACING_MM) * 1_000;
            let walled = usize::from(queue.wall_mm != NOWHERE) * 40;
            let change = usize::from(*lane != straight) * KEEP_LANE;
            let astray = usize::from(leads.is_some_and(|l| !l.contains(lane))) * LEAD_ON;
            (queue.cars.len() + full + walled + change + astray, *lane)
        };
        road.full.iter().copied().min_by_key(load)
    }

    /// The lane that a vehicle on `lane` of `link` must change to next for its way, and from where on, mm.
    pub(super) fn turn_lane(&self, vehicle: &Vehicle, link: u32, lane: u32) -> (u32, i32) {
        let none = (NONE, NOWHERE);
        let Some(exit) = self.onward(vehicle, link) else { return none };
        let exit = &self.roads.links[link as usize].exits[exit];
        if exit.lanes.contains(&lane) {
            return none;
        }
        let fed = |l: &&u32| self.roads.lanes[**l as usize].feeder == lane;
        let emptiest = |l: &&u32| self.lanes[**l as usize].cars.len();
        match exit.lanes.iter().filter(fed).min_by_key(emptiest) {
            Some(&pocket) => (pocket, self.roads.starts_at_mm(pocket).max(1)),
            None => {
                let beside = exit.entries.iter().min_by_key(|e| e.abs_diff(lane)).copied();
                beside.filter(|b| *b != lane).map_or(none, |b| (b, self.roads.lanes[lane as usize].length_mm / 4))
            }
        }
    }

    /// A vehicle may change to the lane of its turn from here on: it does, or goes on, or stands at the last chance.
    pub(super) fn turn_in(&mut self, lane: u32, row: usize, now_ms: u64, out: &mut Vec<Event>) {
        let car = self.lanes[lane as usize].cars[row];
        let vehicle = self.vehicles[car.vehicle as usize];
        let to = vehicle.turn_lane;
        let is_pocket = self.roads.lanes[to as usize].feeder == lane;
        if is_pocket && self.lanes[to as usize].tail_mm() >= SPACING_MM {
            return self.enter_pocket(lane, row, now_ms, out);
        }
        if let Some(at) = self.gap_at(to, car.x_mm).filter(|_| !is_pocket) {
            return self.change_lane(lane, row, to, at, car.v_mm_s);
        }
        let last_mm = if is_pocket { vehicle.turn_mm } else { self.last_chance_mm(&vehicle, lane) };
        if car.x_mm < last_mm {
            return;
        }
        let since_ms = if vehicle.held_ms == 0 { now_ms } else { vehicle.held_ms };
        let patient = now_ms - since_ms < PATIENCE_MS;
        let v = &mut self.vehicles[car.vehicle as usize];
        v.held_ms = since_ms;
        if !patient {
            (v.turn_lane, v.turn_mm) = (NONE, NOWHERE);
        }
        let free_mm_s = v.liked_mm_s(self.roads.lanes[lane as usize].speed_mm_s);
        let (_, next_mm) = self.eyes.next_after(lane, car.x_mm);
        let held = &mut self.lanes[lane as usize].cars[row];
        if patient {
            (held.v_mm_s, held.free_mm_s) = (0, 0);
        } else {
            (held.free_mm_s, held.mark_mm) = (free_mm_s, next_mm.min(vehicle.goal_mm));
        }
    }

    /// Where a vehicle that must change lanes stands at the latest, mm.
    fn last_chance_mm(&self, vehicle: &Vehicle, lane: u32) -> i32 {
        let road = &self.roads.links[vehicle.link as usize];
        let exit = self.onward(vehicle, vehicle.link).map(|e| &road.exits[e].lanes);
        let pockets = exit.into_iter().flatten().map(|l| self.roads.starts_at_mm(*l)).filter(|s| *s > 0);
        pockets.min().unwrap_or(self.roads.lanes[lane as usize].length_mm) - LAST_CHANCE_MM
    }

    /// Moves a vehicle into the pocket beside it, which has room.
    fn enter_pocket(&mut self, lane: u32, row: usize, now_ms: u64, out: &mut Vec<Event>) {
        let Some(car) = self.take_out(lane, row) else { return };
        let vehicle = self.vehicles[car.vehicle as usize];
        let to = vehicle.turn_lane;
        let start_mm = self.roads.starts_at_mm(to);
        let alone_ms = self.alone_ms(&vehicle, lane, start_mm);
        let v = &mut self.vehicles[car.vehicle as usize];
        (v.lane, v.goal_mm, v.free_ms) = (to, NOWHERE, v.free_ms + alone_ms);
        (v.turn_lane, v.turn_mm, v.held_ms) = (NONE, NOWHERE, 0);
        let free_mm_s = v.liked_mm_s(self.roads.lanes[to as usize].speed_mm_s);
        let pocket = &mut self.lanes[to as usize];
        let x_mm = (car.x_mm - start_mm).min(pocket.tail_mm() - SPACING_MM).max(0);
        let mark_mm = self.eyes.first_mm(to);
        pocket.cars.push_back(Car { x_mm, free_mm_s, mark_mm, eye: 0, ..car });
        if x_mm >= mark_mm {
            let last = pocket.cars.len() - 1;
            self.pass_marks(to, last, 0, now_ms, out);
        }
    }

    /// Moves a vehicle to row `at` of another lane that runs all along its link.
    pub(super) fn change_lane(&mut self, lane: u32, row: usize, to: u32, at: usize, v_mm_s: i32) {
        let Some(car) = self.take_out(lane, row) else { return };
        let (turn_lane, turn_mm) =
            self.turn_lane(&self.vehicles[car.vehicle as usize], self.roads.lanes[to as usize].link, to);
        let v = &mut self.vehicles[car.vehicle as usize];
        (v.lane, v.turn_lane, v.turn_mm, v.held_ms) = (to, turn_lane, turn_mm, 0);
        let free_mm_s = v.liked_mm_s(self.roads.lanes[to as usize].speed_mm_s);
        let (eye, next_mm) = self.eyes.next_after(to, car.x_mm);
        let x_mm = car.x_mm.min(self.roads.lanes[to as usize].length_mm);
        let mark_mm = next_mm.min(v.goal_mm).min(turn_mm);
        if at == 0 {
            self.lanes[to as usize].forget_first();
        }
        self.lanes[to as usize].cars.insert(at, Car { x_mm, v_mm_s, free_mm_s, eye, mark_mm, ..car });
    }

    /// Takes a vehicle out of a lane.
    pub(super) fn take_out(&mut self, lane: u32, row: usize) -> Option<Car> {
        let queue = &mut self.lanes[lane as usize];
        if row == 0 {
            queue.forget_first();
        }
        queue.cars.remove(row)
    }
}
