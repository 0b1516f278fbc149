//! At the stop line: who may cross, into which lane, and what becomes of those that find no room.

use nanming_dataflows::event::{Event, Lamp};

use super::car::{Car, NOWHERE, Vehicle, Way};
use super::roads::{LaneExit, NONE};
use super::traffic::{SPACING_MM, Traffic};

/// A conflicting vehicle that came up within this time is still in the way, ms.
const CRITICAL_GAP_MS: u64 = 2_500;
/// Comfortable braking, mm/s2: who would need more at the start of yellow goes on.
const BRAKING_MM_S2: i64 = 3_000;
/// At a line without signals, a vehicle that has waited this long goes first, ms.
const PATIENCE_MS: u64 = 15_000;
/// Blocked for this long, one takes another way, ms.
const DETOUR_MS: u64 = 150_000;
/// Blocked for this long, one waits off the road at the next link, ms.
const JUMP_MS: u64 = 600_000;

impl Traffic {
    /// How far ahead the first vehicle of a lane is free, mm from the lane's start; decides whether it may cross.
    pub(super) fn look_ahead(&mut self, lane: u32, lamps: &[Lamp], now_ms: u64) -> i32 {
        let row = lane as usize;
        let car = self.lanes[row].cars[0];
        let length_mm = self.roads.lanes[row].length_mm;
        let left_mm = length_mm - car.x_mm;
        if left_mm > 30_000 + 2 * car.v_mm_s {
            return NOWHERE;
        }
        let vehicle = self.vehicles[car.vehicle as usize];
        if self.ends_here(&vehicle) {
            return NOWHERE;
        }
        if self.lanes[row].target == NONE && !self.find_exit(lane, &vehicle) {
            self.give_up_at(lane, length_mm);
            return NOWHERE;
        }
        let go = self.may_cross(lane, &car, left_mm, lamps, now_ms);
        self.lanes[row].go = go;
        if !go {
            return length_mm;
        }
        let mut tail_mm = self.lanes[self.lanes[row].target as usize].tail_mm();
        if tail_mm < SPACING_MM {
            tail_mm = self.find_room(lane, &vehicle, now_ms);
        }
        if self.lanes[row].go && length_mm + tail_mm - SPACING_MM > car.x_mm + car.v_mm_s / 2 {
            self.claim(lane, &car, left_mm, now_ms);
        }
        if tail_mm == NOWHERE { NOWHERE } else { length_mm + tail_mm - SPACING_MM }
    }

    /// Whether a vehicle's trip ends on the link that it is on.
    fn ends_here(&self, vehicle: &Vehicle) -> bool {
        match vehicle.way {
            Way::Tree(_) => vehicle.goal_mm != NOWHERE,
            Way::Bus { run, leg } => self.buses.is_last(run, leg),
            Way::Unit { unit, leg } => self.trips.is_last(unit, leg),
        }
    }

    /// The first vehicle of a lane finds no way on: its trip ends at the line.
    fn give_up_at(&mut self, lane: u32, length_mm: i32) {
        let car = &mut self.lanes[lane as usize].cars[0];
        car.mark_mm = car.mark_mm.min(length_mm);
        let vehicle = &mut self.vehicles[car.vehicle as usize];
        vehicle.goal_mm = length_mm;
        if let Way::Bus { run, .. } = vehicle.way {
            self.buses.cut_short(run);
        }
    }

    /// Chooses exit and lane for the first vehicle of a lane; a unit that is in a wrong lane takes another way. False where
    /// none leads on.
    fn find_exit(&mut self, lane: u32, vehicle: &Vehicle) -> bool {
        if self.choose_exit(lane, vehicle) {
            return true;
        }
        let Way::Unit { unit, .. } = vehicle.way else { return false };
        self.go_astray(lane, unit) && {
            let turned = self.vehicles[self.lanes[lane as usize].cars[0].vehicle as usize];
            self.choose_exit(lane, &turned)
        }
    }

    /// Chooses exit and lane for the first vehicle of a lane; false where none leads on.
    fn choose_exit(&mut self, lane: u32, vehicle: &Vehicle) -> bool {
        let exits = &self.roads.lanes[lane as usize].exits;
        let exit = match vehicle.way {
            Way::Tree(tree) => {
                let best = self.routes.best_exit(&self.roads, tree, vehicle.link, exits.iter().map(|e| e.exit));
                exits.iter().position(|e| Some(e.exit) == best)
            }
            Way::Bus { run, leg } => {
                let next = self.buses.link_at(run, leg + 1);
                exits.iter().position(|e| Some(e.link) == next)
            }
            Way::Unit { unit, leg } => {
                let next = self.trips.link_at(unit, leg + 1);
                exits.iter().position(|e| Some(e.link) == next)
            }
        };
        let Some(exit) = exit else { return false };
        let LaneExit { link, to, .. } = exits[exit];
        let Some(target) = self.choose_lane(&ahead(vehicle), link, to) else { return false };
        let queue = &mut self.lanes[lane as usize];
        (queue.exit, queue.target) = (exit as u32, target);
        true
    }

    /// There is no room in the lane that the first vehicle wants to enter: the place of the last vehicle, mm, of the best
    /// lane that it finds instead.
    fn find_room(&mut self, lane: u32, vehicle: &Vehicle, now_ms: u64) -> i32 {
        let row = lane as usize;
        let since_ms = if self.lanes[row].blocked_ms == 0 { now_ms } else { self.lanes[row].blocked_ms };
        self.lanes[row].blocked_ms = since_ms;
        let waited_ms = now_ms - since_ms;
        let exit = self.roads.lanes[row].exits[self.lanes[row].exit as usize];
        if let Some(target) = self.choose_lane(&ahead(vehicle), exit.link, exit.to) {
            self.lanes[row].target = target;
        }
        let tail_mm = self.lanes[self.lanes[row].target as usize].tail_mm();
        if tail_mm >= SPACING_MM || waited_ms < DETOUR_MS {
            return tail_mm;
        }
        if waited_ms >= JUMP_MS {
            self.jumpers.push(lane);
        } else if let Way::Tree(tree) = vehicle.way {
            self.detour(lane, tree, vehicle);
        }
        self.lanes[row].go = false;
        tail_mm
    }

    /// Another exit of the same lane, to a link with room; tried from the next step on.
    fn detour(&mut self, lane: u32, tree: u32, vehicle: &Vehicle) {
        let row = lane as usize;
        let queue = &self.lanes[row];
        let exits = &self.roads.lanes[row].exits;
        let roomy = |link: u32| {
            let free = |l: &u32| self.lanes[*l as usize].tail_mm() >= SPACING_MM;
            self.roads.links[link as usize].lanes.iter().any(free)
        };
        let others = exits.iter().enumerate().filter(|(e, x)| *e as u32 != queue.exit && roomy(x.link));
        let best = self.routes.best_exit(&self.roads, tree, vehicle.link, others.map(|(_, x)| x.exit));
        let Some(exit) = exits.iter().position(|e| Some(e.exit) == best) else { return };
        let Some(target) = self.choose_lane(vehicle, exits[exit].link, exits[exit].to) else { return };
        self.truth.detours += 1;
        let queue = &mut self.lanes[row];
        (queue.exit, queue.target) = (exit as u32, target);
    }

    /// Takes the first vehicle of a lane off the road, to wait for room on the link ahead, if it is still blocked.
    pub(super) fn jump(&mut self, lane: u32, now_ms: u64) {
        let queue = &self.lanes[lane as usize];
        let blocked = queue.blocked_ms > 0 && now_ms - queue.blocked_ms >= JUMP_MS && queue.exit != NONE;
        let Some(car) = queue.cars.front().copied().filter(|_| blocked) else { return };
        let link = self.roads.lanes[lane as usize].exits[queue.exit as usize].link;
        self.truth.jumps += 1;
        self.leave_link(lane, car.vehicle, now_ms);
        self.lanes[lane as usize].cars.pop_front();
        self.lanes[lane as usize].forget_first();
        (self.vehicles[car.vehicle as usize].link, self.vehicles[car.vehicle as usize].lane) = (link, NONE);
        self.wait(car.vehicle, link);
    }

    fn may_cross(&mut self, lane: u32, car: &Car, left_mm: i32, lamps: &[Lamp], now_ms: u64) -> bool {
        let row = lane as usize;
        let exit = self.roads.lanes[row].exits[self.lanes[row].exit as usize];
        if exit.head == NONE {
            return self.may_merge(lane, left_mm, now_ms);
        }
        match lamps[exit.head as usize] {
            Lamp::Protected => true,
            Lamp::Permissive => {
                let clear = self.is_clear(exit.head, lamps, now_ms);
                self.lanes[row].gave_way |= !clear && left_mm < 3_000;
                clear
            }
            Lamp::Yellow => {
                let v = i64::from(car.v_mm_s);
                let too_late = i64::from(left_mm) * 2 * BRAKING_MM_S2 < v * v;
                let left_over = self.lanes[row].gave_way && left_mm < 3_000;
                too_late || (left_over && self.is_clear(exit.head, lamps, now_ms))
            }
            Lamp::Red => false,
            Lamp::Off => self.may_merge(lane, left_mm, now_ms),
        }
    }

    /// Whether nobody comes up to whom a head must give way.
    fn is_clear(&self, head: u32, lamps: &[Lamp], now_ms: u64) -> bool {
        let in_the_way =
            |o: &u32| lamps[*o as usize] != Lamp::Red && self.claimed_ms[*o as usize] + CRITICAL_GAP_MS > now_ms;
        !self.roads.yields_to[head as usize].iter().any(in_the_way)
    }

    /// Whether a vehicle may cross at a node without signals: the first rank goes, others wait for a gap.
    fn may_merge(&mut self, lane: u32, left_mm: i32, now_ms: u64) -> bool {
        let row = lane as usize;
        let link = self.roads.lanes[row].link;
        let road = &self.roads.links[link as usize];
        let top = self.roads.top_rank[road.to as usize];
        if top == 0 {
            return true;
        }
        let claim = &self.nodes[road.to as usize];
        if claim.link != link && claim.crossed_ms + 1_000 > now_ms {
            return false;
        }
        let queue = &mut self.lanes[row];
        if queue.minor_ms == 0 && left_mm < 5_000 {
            queue.minor_ms = now_ms;
        }
        let tired = queue.minor_ms > 0 && now_ms - queue.minor_ms > PATIENCE_MS;
        road.rank == top || tired || claim.major_ms + CRITICAL_GAP_MS < now_ms
    }

    /// Tells the others that the first vehicle of a lane comes up.
    fn claim(&mut self, lane: u32, car: &Car, left_mm: i32, now_ms: u64) {
        if left_mm > 3 * car.v_mm_s + 5_000 {
            return;
        }
        let row = lane as usize;
        let head = self.roads.lanes[row].exits[self.lanes[row].exit as usize].head;
        if head != NONE {
            self.claimed_ms[head as usize] = now_ms;
        }
        let road = &self.roads.links[self.roads.lanes[row].link as usize];
        if road.rank == self.roads.top_rank[road.to as usize] {
            self.nodes[road.to as usize].major_ms = now_ms;
        }
    }

    /// The first vehicle of a lane has reached the line: it crosses if it may and there is room, or stands.
    pub(super) fn cross(&mut self, lane: u32, lamps: &[Lamp], now_ms: u64, out: &mut Vec<Event>) {
        let row = lane as usize;
        let length_mm = self.roads.lanes[row].length_mm;
        let queue = &mut self.lanes[row];
        let Some(car) = queue.cars.front().copied().filter(|c| c.x_mm >= length_mm) else { return };
        let (go, target) = (queue.go && queue.exit != NONE, queue.target);
        let tail_mm = if go { self.lanes[target as usize].tail_mm() } else { 0 };
        if tail_mm < SPACING_MM {
            let first = &mut self.lanes[row].cars[0];
            (first.x_mm, first.v_mm_s) = (length_mm, 0);
            return;
        }
        let over_mm = (car.x_mm - length_mm).min(tail_mm - SPACING_MM);
        let exit = self.roads.lanes[row].exits[self.lanes[row].exit as usize];
        let vehicle = self.vehicles[car.vehicle as usize];
        self.eyes.see_at_line(lane, &car, &vehicle, over_mm, now_ms, out);
        if exit.head != NONE {
            self.claimed_ms[exit.head as usize] = now_ms;
            if lamps[exit.head as usize] == Lamp::Yellow {
                self.eyes.accuse(lane, &vehicle, now_ms, out);
            }
        }
        let link = self.roads.lanes[row].link;
        let node = &mut self.nodes[self.roads.links[link as usize].to as usize];
        (node.crossed_ms, node.link) = (now_ms, link);
        self.leave_link(lane, car.vehicle, now_ms);
        self.lanes[row].cars.pop_front();
        self.lanes[row].forget_first();
        self.place(target, car.vehicle, over_mm, car.v_mm_s, now_ms, out);
    }
}

/// A vehicle as it will be on the next link of its route.
fn ahead(vehicle: &Vehicle) -> Vehicle {
    let way = match vehicle.way {
        Way::Bus { run, leg } => Way::Bus { run, leg: leg + 1 },
        Way::Unit { unit, leg } => Way::Unit { unit, leg: leg + 1 },
        tree => tree,
    };
    Vehicle { way, ..*vehicle }
}
