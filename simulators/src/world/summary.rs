//! Sums over all vehicles: the figures of a run, and the true state of a link.

use nanming_dataflows::network::City;

use super::car::{Vehicle, Way};
use super::demand::Demand;
use super::traffic::Traffic;
use super::truth::{LinkTruth, Summary};

impl Traffic {
    /// Loads the vehicles and buses that set off now.
    pub(super) fn load_all(&mut self, demand: &mut Demand, city: &City, now_ms: u64) {
        for vehicle in demand.depart(city, &self.roads, &self.routes, now_ms) {
            self.load(vehicle);
        }
        for vehicle in self.buses.depart(city.minute_of_day(now_ms), now_ms) {
            let row = self.load(vehicle);
            if let Way::Bus { run, .. } = vehicle.way {
                self.buses.board(run, row);
            }
        }
    }

    /// The figures at a time.
    pub(super) fn summary(&self, now_ms: u64, unsafe_commands: u64) -> Summary {
        let truth = &self.truth;
        let (mut trip_ms, mut delay_ms, mut on_road, mut waiting) = (truth.trip_ms, truth.delay_ms, 0, 0);
        let mut add = |vehicle: &Vehicle, here_ms: u64| {
            let under_way_ms = now_ms.saturating_sub(vehicle.depart_ms);
            trip_ms += under_way_ms;
            delay_ms += under_way_ms.saturating_sub(vehicle.free_ms + here_ms);
        };
        for (lane, queue) in self.lanes.iter().enumerate() {
            for car in &queue.cars {
                let vehicle = &self.vehicles[car.vehicle as usize];
                if vehicle.is_unit() {
                    continue;
                }
                add(vehicle, self.alone_ms(vehicle, lane as u32, car.x_mm));
                on_road += 1;
            }
        }
        for row in self.waiting.iter().flatten().filter(|row| !self.vehicles[**row as usize].is_unit()) {
            add(&self.vehicles[*row as usize], 0);
            waiting += 1;
        }
        let each_s = |sum_ms: u64| sum_ms as f64 / 1_000.0 / truth.loaded.max(1) as f64;
        Summary {
            loaded: truth.loaded,
            arrived: truth.arrived,
            on_road,
            waiting,
            mean_delay_s: each_s(delay_ms),
            mean_trip_s: each_s(trip_ms),
            mean_stops: truth.stops as f64 / truth.loaded.max(1) as f64,
            unsafe_commands,
        }
    }

    /// The true state of a link.
    pub(super) fn link_truth(&self, link: u32) -> LinkTruth {
        let road = &self.roads.links[link as usize];
        let cars = || road.lanes.iter().flat_map(|l| &self.lanes[*l as usize].cars);
        let vehicles = cars().count() as u32;
        let speeds: u64 = cars().map(|c| c.v_mm_s.max(0) as u64).sum();
        let free_mm_s = road.lanes.first().map_or(0, |l| self.roads.lanes[*l as usize].speed_mm_s);
        LinkTruth {
            vehicles,
            standing: cars().filter(|c| c.stands).count() as u32,
            speed_mm_s: speeds.checked_div(u64::from(vehicles)).unwrap_or(free_mm_s as u64) as u32,
            travel_ms: self.travel_ms[link as usize],
            left: self.truth.left[link as usize],
        }
    }
}
