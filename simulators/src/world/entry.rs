//! Onto the road and from link to link: who waits to enter, who is put into a lane, who leaves one, who swerves.

use nanming_dataflows::event::Event;

use super::car::{Car, NOWHERE, Vehicle, Way};
use super::roads::NONE;
use super::traffic::{SPACING_MM, Traffic};

impl Traffic {
    /// Adds a vehicle that waits to enter its link, and returns its row.
    pub(super) fn load(&mut self, vehicle: Vehicle) -> u32 {
        self.truth.loaded += 1;
        let link = vehicle.link;
        let row = self.seat(vehicle);
        self.wait(row, link);
        row
    }

    /// Gives a vehicle a row in the table.
    pub(super) fn seat(&mut self, vehicle: Vehicle) -> u32 {
        match self.free.pop() {
            Some(row) => {
                self.vehicles[row as usize] = vehicle;
                row
            }
            None => {
                self.vehicles.push(vehicle);
                self.vehicles.len() as u32 - 1
            }
        }
    }

    /// Sends a vehicle to the end of those that wait to enter a link.
    pub(super) fn wait(&mut self, row: u32, link: u32) {
        let queue = &mut self.waiting[link as usize];
        queue.push_back(row);
        if queue.len() == 1 {
            self.waiting_links.push(link);
        }
    }

    /// Lets those that wait enter where there is room for two: those on the road go first.
    pub(super) fn enter_roads(&mut self, now_ms: u64, out: &mut Vec<Event>) {
        for lane in std::mem::take(&mut self.jumpers) {
            self.jump(lane, now_ms);
        }
        let links = std::mem::take(&mut self.waiting_links);
        for &link in &links {
            self.enter_link(link, now_ms, out);
        }
        self.waiting_links.extend(links.into_iter().filter(|l| !self.waiting[*l as usize].is_empty()));
    }

    fn enter_link(&mut self, link: u32, now_ms: u64, out: &mut Vec<Event>) {
        for _ in 0..self.roads.links[link as usize].full.len() {
            let Some(&row) = self.waiting[link as usize].front() else { return };
            let vehicle = self.vehicles[row as usize];
            let Some(lane) = self.choose_lane(&vehicle, link, NONE) else { return };
            if self.lanes[lane as usize].tail_mm() < 2 * SPACING_MM {
                return;
            }
            let rim = self.roads.links[link as usize].enters_city;
            let v_mm_s = if rim { self.roads.lanes[lane as usize].speed_mm_s / 2 } else { 0 };
            self.waiting[link as usize].pop_front();
            self.place(lane, row, 0, v_mm_s, now_ms, out);
        }
    }

    /// Puts a vehicle behind the last of a lane.
    pub(super) fn place(&mut self, lane: u32, row: u32, x_mm: i32, v_mm_s: i32, now_ms: u64, out: &mut Vec<Event>) {
        let road = &self.roads.lanes[lane as usize];
        let (link, x_mm) = (road.link, x_mm.min(road.length_mm));
        let (turn_lane, turn_mm) = self.turn_lane(&self.vehicles[row as usize], link, lane);
        let goal_mm = self.goal_mm(&self.vehicles[row as usize], link, road.length_mm);
        let goal_mm = if goal_mm == NOWHERE { goal_mm } else { goal_mm.min(turn_mm) };
        let vehicle = &mut self.vehicles[row as usize];
        (vehicle.turn_lane, vehicle.turn_mm, vehicle.held_ms) = (turn_lane, turn_mm, 0);
        (vehicle.link, vehicle.lane, vehicle.goal_mm, vehicle.entered_ms) = (link, lane, goal_mm, now_ms);
        let mark_mm = goal_mm.min(turn_mm).min(self.eyes.first_mm(lane));
        let free_mm_s = vehicle.liked_mm_s(road.speed_mm_s);
        let car = Car { x_mm, v_mm_s: v_mm_s.min(free_mm_s), free_mm_s, mark_mm, vehicle: row, eye: 0, stands: false };
        let queue = &mut self.lanes[lane as usize];
        queue.cars.push_back(car);
        if x_mm >= mark_mm {
            let last = queue.cars.len() - 1;
            self.pass_marks(lane, last, 0, now_ms, out);
        }
    }

    /// Where on `link` a vehicle stops first or ends its trip, mm; [`NOWHERE`].
    fn goal_mm(&self, vehicle: &Vehicle, link: u32, length_mm: i32) -> i32 {
        match vehicle.way {
            Way::Tree(tree) if self.routes.to_go(tree, link) == 0 => {
                let rim = self.roads.links[link as usize].leaves_city;
                let share = 30 + (vehicle.plate.0 >> 8) % 61;
                if rim { length_mm } else { (i64::from(length_mm) * share as i64 / 100) as i32 }
            }
            Way::Tree(_) => NOWHERE,
            Way::Bus { run, leg } => self.buses.goal_mm(run, leg, length_mm),
            Way::Unit { unit, leg } => self.trips.goal_mm(unit, leg, length_mm),
        }
    }

    /// Books the link that a vehicle is about to leave.
    pub(super) fn leave_link(&mut self, lane: u32, row: u32, now_ms: u64) {
        let vehicle = self.vehicles[row as usize];
        let link = vehicle.link as usize;
        let took_ms = now_ms.saturating_sub(vehicle.entered_ms).min(1_800_000) as u32;
        self.travel_ms[link] = (self.travel_ms[link] / 5 * 4 + took_ms / 5).max(500);
        self.truth.left[link] += 1;
        let alone_ms = self.alone_ms(&vehicle, lane, self.roads.lanes[lane as usize].length_mm);
        let vehicle = &mut self.vehicles[row as usize];
        vehicle.free_ms += alone_ms;
        if let Way::Bus { leg, .. } | Way::Unit { leg, .. } = &mut vehicle.way {
            *leg += 1;
        }
    }

    /// Behind a wall: the first vehicle that stands there swerves into a gap of another lane, one in two seconds.
    pub(super) fn sidestep(&mut self, lane: u32, now_ms: u64) {
        let wall_mm = self.lanes[lane as usize].wall_mm;
        if !now_ms.is_multiple_of(2_000) {
            return;
        }
        let stuck = |c: &Car| c.x_mm <= wall_mm && c.x_mm > wall_mm - 30_000 && c.stands && c.free_mm_s > 0;
        let Some(row) = self.lanes[lane as usize].cars.iter().position(stuck) else { return };
        let car = self.lanes[lane as usize].cars[row];
        if matches!(self.vehicles[car.vehicle as usize].way, Way::Bus { .. }) && !now_ms.is_multiple_of(10_000) {
            return;
        }
        let siblings = &self.roads.links[self.roads.lanes[lane as usize].link as usize].full;
        let gaps = siblings.iter().filter(|s| **s != lane && self.lanes[**s as usize].wall_mm == NOWHERE);
        let Some((to, at)) = gaps.filter_map(|s| Some((*s, self.gap_at(*s, car.x_mm)?))).next() else { return };
        self.change_lane(lane, row, to, at, 0);
    }

    /// The row in a lane where a vehicle at `x_mm` fits in, if any.
    pub(super) fn gap_at(&self, lane: u32, x_mm: i32) -> Option<usize> {
        let cars = &self.lanes[lane as usize].cars;
        let row = cars.iter().position(|c| c.x_mm <= x_mm).unwrap_or(cars.len());
        let ahead_free = row == 0 || cars[row - 1].x_mm >= x_mm + SPACING_MM;
        let behind_free = cars.get(row).is_none_or(|c| c.x_mm <= x_mm - SPACING_MM);
        (ahead_free && behind_free).then_some(row)
    }
}
