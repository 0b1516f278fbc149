//! What cameras and loops see of the traffic. A camera misses some vehicles and cannot read some plates; a loop counts
//! for ten seconds. Chance comes from a hash of camera, vehicle and time, so that the order of looking never matters.

use nanming_dataflows::event::{Event, FlowReading, Passage, Violation, ViolationKind};
use nanming_dataflows::ids::{CameraId, VehicleId};
use nanming_dataflows::network::{CameraKind, City};

use super::car::{Car, NOWHERE, Vehicle};
use super::chance::mix;
use super::roads::NONE;
use super::traffic::STEP_MS;

const LOOP_MS: u64 = 10_000;
/// One in so many mid-link devices is a loop instead of a camera.
const LOOP_EVERY: u64 = 50;
/// Length that covers a loop: a vehicle and the loop, mm.
const COVER_MM: u64 = 6_500;

/// A camera's view of a lane.
#[derive(Clone, Copy, Debug)]
struct Eye {
    x_mm: i32,
    camera: CameraId,
    counter: u32,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counter {
    camera: CameraId,
    vehicles: u32,
    speeds_mm_s: u64,
    covered_ms: u64,
}

/// All fixed sensors on lanes.
#[derive(Clone, Debug)]
pub(super) struct Eyes {
    first: Vec<u32>,
    eyes: Vec<Eye>,
    first_at_line: Vec<u32>,
    at_line: Vec<CameraId>,
    counters: Vec<Counter>,
    seed: u64,
    missed_of_65536: u64,
}

impl Eyes {
    /// The sensors of a city.
    pub(super) fn new(city: &City, seed: u64, miss_share: f64) -> Self {
        let mut on_lane: Vec<Vec<Eye>> = vec![Vec::new(); city.lanes.len()];
        let mut lines: Vec<Vec<CameraId>> = vec![Vec::new(); city.lanes.len()];
        let mut counters = Vec::new();
        for c in &city.cameras {
            let Some((lane, before_end_mm)) = c.lane else { continue };
            let x_mm = city.lanes[lane.index()].length_mm as i32 - before_end_mm as i32;
            match c.kind {
                CameraKind::StopLine => lines[lane.index()].push(c.id),
                CameraKind::MidLink if before_end_mm == 0 => lines[lane.index()].push(c.id),
                CameraKind::MidLink => {
                    let is_loop = mix(seed ^ 0x100F ^ u64::from(c.id.0)).is_multiple_of(LOOP_EVERY);
                    let counter = if is_loop { counters.len() as u32 } else { NONE };
                    counters.extend(is_loop.then_some(Counter { camera: c.id, ..Default::default() }));
                    on_lane[lane.index()].push(Eye { x_mm: x_mm.max(1), camera: c.id, counter });
                }
                CameraKind::Crowd | CameraKind::Site => {}
            }
        }
        on_lane.iter_mut().for_each(|l| l.sort_by_key(|e| (e.x_mm, e.camera)));
        Eyes {
            first: starts(on_lane.iter().map(Vec::len)),
            eyes: on_lane.concat(),
            first_at_line: starts(lines.iter().map(Vec::len)),
            at_line: lines.concat(),
            counters,
            seed,
            missed_of_65536: (miss_share.clamp(0.0, 1.0) * 65_536.0) as u64,
        }
    }

    fn of_lane(&self, lane: u32) -> &[Eye] {
        &self.eyes[self.first[lane as usize] as usize..self.first[lane as usize + 1] as usize]
    }

    /// Place of the first sensor of a lane, mm; [`NOWHERE`].
    pub(super) fn first_mm(&self, lane: u32) -> i32 {
        self.of_lane(lane).first().map_or(NOWHERE, |e| e.x_mm)
    }

    /// The first sensor of a lane beyond `x_mm`, and its place.
    pub(super) fn next_after(&self, lane: u32, x_mm: i32) -> (u16, i32) {
        let eyes = self.of_lane(lane);
        let next = eyes.partition_point(|e| e.x_mm <= x_mm);
        (next as u16, eyes.get(next).map_or(NOWHERE, |e| e.x_mm))
    }

    /// Reports a vehicle to the sensors that it passed on its way from `from_mm`; the next one, and its place.
    pub(super) fn see(
        &mut self,
        lane: u32,
        car: &Car,
        vehicle: &Vehicle,
        from_mm: i32,
        now_ms: u64,
        out: &mut Vec<Event>,
    ) -> (u16, i32) {
        let (start, end) = (self.first[lane as usize] as usize, self.first[lane as usize + 1] as usize);
        let mut row = start + usize::from(car.eye);
        while row < end && self.eyes[row].x_mm <= car.x_mm {
            let eye = self.eyes[row];
            let moved_mm = (car.x_mm - from_mm).max(1) as u64;
            let time_ms = now_ms - STEP_MS * (car.x_mm - eye.x_mm) as u64 / moved_mm;
            if eye.counter == NONE {
                self.photograph(eye.camera, car, vehicle, time_ms.min(now_ms), out);
            } else {
                self.counters[eye.counter as usize].count(car);
            }
            row += 1;
        }
        ((row - start) as u16, if row < end { self.eyes[row].x_mm } else { NOWHERE })
    }

    /// Reports a vehicle that crossed the stop line and is `over_mm` beyond it.
    pub(super) fn see_at_line(
        &self,
        lane: u32,
        car: &Car,
        vehicle: &Vehicle,
        over_mm: i32,
        now_ms: u64,
        out: &mut Vec<Event>,
    ) {
        let (start, end) = (self.first_at_line[lane as usize], self.first_at_line[lane as usize + 1]);
        let back_ms = over_mm.max(0) as u64 * 1_000 / car.v_mm_s.max(1) as u64;
        for &camera in &self.at_line[start as usize..end as usize] {
            self.photograph(camera, car, vehicle, now_ms - back_ms.min(STEP_MS - 1), out);
        }
    }

    fn photograph(&self, camera: CameraId, car: &Car, vehicle: &Vehicle, time_ms: u64, out: &mut Vec<Event>) {
        let draw = mix(self.seed ^ vehicle.plate.0 ^ (u64::from(camera.0) << 32) ^ time_ms);
        if draw % 65_536 < self.missed_of_65536 {
            return;
        }
        let noise_milli = 970 + (draw >> 20) % 61;
        let speed_mm_s = (car.v_mm_s.max(300) as u64 * noise_milli / 1_000) as u32;
        let plate = if vehicle.readable { vehicle.plate } else { VehicleId(0) };
        out.push(Event::Passage(Passage { time_ms, camera, vehicle: plate, speed_mm_s, class: vehicle.class }));
        let speeds = vehicle.haste_milli > 1_300 && car.v_mm_s * 10 > car.free_mm_s * 9;
        if speeds && vehicle.readable && (draw >> 32).is_multiple_of(8) {
            out.push(Event::Violation(Violation { time_ms, camera, vehicle: plate, kind: ViolationKind::Speeding }));
        }
    }

    /// A vehicle crossed in the last of the yellow: once in a while a camera takes it for a red-light runner.
    pub(super) fn accuse(&self, lane: u32, vehicle: &Vehicle, time_ms: u64, out: &mut Vec<Event>) {
        let camera = self.at_line.get(self.first_at_line[lane as usize] as usize);
        let has_one = self.first_at_line[lane as usize] < self.first_at_line[lane as usize + 1];
        let Some(&camera) = camera.filter(|_| has_one && vehicle.readable) else { return };
        if mix(self.seed ^ vehicle.plate.0 ^ time_ms).is_multiple_of(200) {
            let kind = ViolationKind::RedLight;
            out.push(Event::Violation(Violation { time_ms, camera, vehicle: vehicle.plate, kind }));
        }
    }

    /// Reports the loops whose ten seconds are over: a twentieth of them each step.
    pub(super) fn flush_loops(&mut self, now_ms: u64, out: &mut Vec<Event>) {
        let phases = (LOOP_MS / STEP_MS) as usize;
        let phase = (now_ms / STEP_MS) as usize % phases;
        for counter in self.counters.iter_mut().skip(phase).step_by(phases) {
            out.push(Event::Flow(counter.flush(now_ms)));
        }
    }
}

impl Counter {
    fn count(&mut self, car: &Car) {
        let v_mm_s = car.v_mm_s.max(300) as u64;
        self.vehicles += 1;
        self.speeds_mm_s += v_mm_s;
        self.covered_ms += COVER_MM * 1_000 / v_mm_s;
    }

    fn flush(&mut self, now_ms: u64) -> FlowReading {
        let reading = FlowReading {
            time_ms: now_ms,
            camera: self.camera,
            interval_ms: LOOP_MS as u32,
            vehicles: self.vehicles,
            speed_mm_s: self.speeds_mm_s.checked_div(u64::from(self.vehicles)).unwrap_or(0) as u32,
            occupancy_milli: (self.covered_ms * 1_000 / LOOP_MS).min(1_000) as u16,
        };
        *self = Counter { camera: self.camera, ..Default::default() };
        reading
    }
}

fn starts(lengths: impl Iterator<Item = usize>) -> Vec<u32> {
    let mut sum = 0;
    let mut all = vec![0];
    all.extend(lengths.map(|n| {
        sum += n as u32;
        sum
    }));
    all
}
