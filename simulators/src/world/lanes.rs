//! Which lane to take: on coming onto a link, and where a pocket for turning begins.

use nanming_dataflows::event::Event;

use super::car::{Car, NOWHERE, Vehicle, Way};
use super::roads::NONE;
use super::traffic::{SPACING_MM, Traffic};

/// Vehicles by which another lane must be emptier than the one straight ahead.
const KEEP_LANE: usize = 3;
/// One who has waited this long for room in a pocket drives on, ms.
const POCKET_PATIENCE_MS: u64 = 45_000;

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
        }
    }

    /// The lane by which a vehicle comes onto `link`: one that leads on, or any if `loose`; with the least vehicles,
    /// rather `straight` ahead, and rather not a blocked one.
    pub(super) fn choose_lane(&self, vehicle: &Vehicle, link: u32, straight: u32, loose: bool) -> Option<u32> {
        let road = &self.roads.links[link as usize];
        let lanes = match self.onward(vehicle, link) {
            Some(exit) if !loose => &road.exits[exit].entries,
            _ => &road.full,
        };
        let load = |lane: &u32| {
            let queue = &self.lanes[*lane as usize];
            let full = usize::from(queue.tail_mm() < SPACING_MM) * 1_000;
            let walled = usize::from(queue.wall_mm != NOWHERE) * 40;
            let change = usize::from(*lane != straight) * KEEP_LANE;
            (queue.cars.len() + full + walled + change, *lane)
        };
        lanes.iter().copied().min_by_key(load)
    }

    /// The pocket that a vehicle on `lane` of `link` must turn into for its way, and where it begins, mm.
    pub(super) fn pocket_of(&self, vehicle: &Vehicle, link: u32, lane: u32) -> (u32, i32) {
        let Some(exit) = self.onward(vehicle, link) else { return (NONE, NOWHERE) };
        let leads = &self.roads.links[link as usize].exits[exit].lanes;
        let fed = |l: &&u32| self.roads.lanes[**l as usize].feeder == lane;
        let emptiest = |l: &&u32| self.lanes[**l as usize].cars.len();
        match leads.iter().filter(fed).min_by_key(emptiest) {
            Some(&pocket) if !leads.contains(&lane) => {
                let length_mm = |l: u32| self.roads.lanes[l as usize].length_mm;
                (pocket, (length_mm(lane) - length_mm(pocket)).max(1))
            }
            _ => (NONE, NOWHERE),
        }
    }

    /// A vehicle has come to where its pocket begins: it turns in, or stands there until it has room or enough of it.
    pub(super) fn turn_in(&mut self, lane: u32, row: usize, now_ms: u64, out: &mut Vec<Event>) {
        let car = self.lanes[lane as usize].cars[row];
        let vehicle = self.vehicles[car.vehicle as usize];
        let free_mm_s = vehicle.liked_mm_s(self.roads.lanes[lane as usize].speed_mm_s);
        let room_mm = self.lanes[vehicle.pocket as usize].tail_mm() - SPACING_MM;
        let since_ms = if vehicle.held_ms == 0 { now_ms } else { vehicle.held_ms };
        if room_mm < 0 && now_ms - since_ms < POCKET_PATIENCE_MS {
            self.vehicles[car.vehicle as usize].held_ms = since_ms;
            let held = &mut self.lanes[lane as usize].cars[row];
            (held.v_mm_s, held.free_mm_s) = (0, 0);
            return;
        }
        let alone_ms = self.alone_ms(&vehicle, lane, vehicle.pocket_mm);
        let v = &mut self.vehicles[car.vehicle as usize];
        (v.pocket, v.pocket_mm, v.held_ms) = (NONE, NOWHERE, 0);
        if room_mm < 0 {
            let (_, next_mm) = self.eyes.next_after(lane, car.x_mm);
            let held = &mut self.lanes[lane as usize].cars[row];
            (held.free_mm_s, held.mark_mm) = (free_mm_s, next_mm.min(v.goal_mm));
            return;
        }
        (v.lane, v.goal_mm, v.free_ms) = (vehicle.pocket, NOWHERE, v.free_ms + alone_ms);
        self.take_out(lane, row);
        let x_mm = (car.x_mm - vehicle.pocket_mm).min(room_mm).max(0);
        let mark_mm = self.eyes.first_mm(vehicle.pocket);
        let pocket = &mut self.lanes[vehicle.pocket as usize].cars;
        pocket.push_back(Car { x_mm, free_mm_s, mark_mm, eye: 0, ..car });
        if x_mm >= mark_mm {
            let last = pocket.len() - 1;
            self.pass_marks(vehicle.pocket, last, 0, now_ms, out);
        }
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
