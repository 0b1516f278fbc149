//! Buses: lines with headways, runs along their routes, dwells at stops, and position fixes every 15 s.

use nanming_dataflows::event::{BusFix, Event, VehicleClass};
use nanming_dataflows::ids::{BusId, BusLineId, LinkId, VehicleId};
use nanming_dataflows::network::City;

use super::car::{NOWHERE, Vehicle, Way};
use super::chance::mix;
use super::roads::{NONE, Roads};
use super::traffic::LaneQueue;

const FIX_MS: u64 = 15_000;
/// Longest stretch of a link's end that a stop keeps free, mm.
const CLEAR_OF_LINE_MM: i32 = 12_000;

#[derive(Clone, Debug)]
struct Line {
    id: BusLineId,
    route: Vec<u32>,
    /// Stops of each leg, mm from its start.
    stops: Vec<Vec<i32>>,
    headway_ms: u64,
    next_ms: u64,
}

#[derive(Clone, Debug)]
struct Run {
    line: usize,
    vehicle: u32,
    next_fix_ms: u64,
    /// The next stop on the leg.
    stop: (u32, usize),
    cut_short: bool,
    running: bool,
}

/// All lines and their runs; a bus is the row of a run, used again after its end.
#[derive(Clone, Debug, Default)]
pub(super) struct Buses {
    lines: Vec<Line>,
    runs: Vec<Run>,
    parked: Vec<Vec<u32>>,
    dwells: Vec<(u64, u32)>,
    seed: u64,
    started: u64,
}

impl Buses {
    /// The lines of a city whose routes hang together.
    pub(super) fn new(city: &City, roads: &Roads, seed: u64, now_ms: u64) -> Self {
        let joined = |r: &[LinkId]| {
            let leads = |w: &[LinkId]| roads.links[w[0].index()].exits.iter().any(|e| e.link == w[1].0);
            !r.is_empty() && r.iter().all(|l| !roads.links[l.index()].lanes.is_empty()) && r.windows(2).all(leads)
        };
        let lines: Vec<Line> = city
            .bus_lines
            .iter()
            .filter(|b| joined(&b.route))
            .map(|b| {
                let headway_ms = u64::from(b.headway_ms).max(30_000);
                let route: Vec<u32> = b.route.iter().map(|l| l.0).collect();
                let first_ms = now_ms + mix(seed ^ u64::from(b.id.0)) % headway_ms;
                Line { id: b.id, stops: stops_of_legs(&route, &b.stops), route, headway_ms, next_ms: first_ms }
            })
            .collect();
        Buses { parked: vec![Vec::new(); lines.len()], lines, seed: seed ^ 0xB05, ..Default::default() }
    }

    /// Buses that set off now: vehicles to load. `minute` is that of the local day.
    pub(super) fn depart(&mut self, minute: u16, now_ms: u64) -> Vec<Vehicle> {
        let mut out = Vec::new();
        for l in 0..self.lines.len() {
            if now_ms < self.lines[l].next_ms {
                continue;
            }
            let line = &mut self.lines[l];
            line.next_ms += line.headway_ms * headway_percent(minute) / 100;
            if (60 * 6..60 * 23).contains(&minute) {
                let link = line.route[0];
                let run = self.start(l);
                let plate = VehicleId(mix(self.seed ^ u64::from(run)) | 1);
                out.push(Vehicle::waiting(plate, VehicleClass::Bus, Way::Bus { run, leg: 0 }, link, now_ms));
            }
        }
        out
    }

    fn start(&mut self, line: usize) -> u32 {
        self.started += 1;
        let run = Run { line, vehicle: NONE, next_fix_ms: 0, stop: (0, 0), cut_short: false, running: true };
        match self.parked[line].pop() {
            Some(row) => {
                self.runs[row as usize] = run;
                row
            }
            None => {
                self.runs.push(run);
                self.runs.len() as u32 - 1
            }
        }
    }

    /// Tells a run which vehicle it is.
    pub(super) fn board(&mut self, run: u32, vehicle: u32) {
        self.runs[run as usize].vehicle = vehicle;
    }

    /// The run is over; its bus is free.
    pub(super) fn end(&mut self, run: u32) {
        let r = &mut self.runs[run as usize];
        r.running = false;
        let vehicle = r.vehicle;
        self.parked[r.line].push(run);
        self.dwells.retain(|d| d.1 != vehicle);
    }

    /// The run ends where it is: no way leads on.
    pub(super) fn cut_short(&mut self, run: u32) {
        self.runs[run as usize].cut_short = true;
    }

    /// The link of a leg; none beyond the last.
    pub(super) fn link_at(&self, run: u32, leg: u32) -> Option<u32> {
        self.lines[self.runs[run as usize].line].route.get(leg as usize).copied()
    }

    /// Whether a leg is the run's last.
    pub(super) fn is_last(&self, run: u32, leg: u32) -> bool {
        let r = &self.runs[run as usize];
        r.cut_short || leg as usize + 1 >= self.lines[r.line].route.len()
    }

    /// Where on the link of a leg the bus stops first, or ends its run, mm; [`NOWHERE`].
    pub(super) fn goal_mm(&self, run: u32, leg: u32, length_mm: i32) -> i32 {
        let r = &self.runs[run as usize];
        let stops = &self.lines[r.line].stops[leg as usize];
        let next = if r.stop.0 == leg { r.stop.1 } else { 0 };
        let end_mm = if self.is_last(run, leg) { length_mm } else { NOWHERE };
        stops.get(next).map_or(end_mm, |&s| s.min(length_mm - CLEAR_OF_LINE_MM).max(1))
    }

    /// The bus has reached its goal on a leg: it stands at the stop, and this is its next goal there; none at the end of
    /// the run.
    pub(super) fn stop_at(&mut self, run: u32, vehicle: u32, leg: u32, length_mm: i32, now_ms: u64) -> Option<i32> {
        let r = &mut self.runs[run as usize];
        let served = if r.stop.0 == leg { r.stop.1 } else { 0 };
        if r.cut_short || served >= self.lines[r.line].stops[leg as usize].len() {
            return None;
        }
        r.stop = (leg, served + 1);
        let dwell_ms = 8_000 + mix(self.seed ^ now_ms ^ u64::from(run)) % 15_000;
        self.dwells.push((now_ms + dwell_ms, vehicle));
        Some(self.goal_mm(run, leg, length_mm))
    }

    /// Lets buses go whose doors have closed.
    pub(super) fn leave_stops(&mut self, lanes: &mut [LaneQueue], vehicles: &[Vehicle], roads: &Roads, now_ms: u64) {
        self.dwells.retain(|&(until_ms, row)| {
            let vehicle = &vehicles[row as usize];
            if now_ms < until_ms || vehicle.lane == NONE {
                return now_ms < until_ms;
            }
            let free_mm_s = vehicle.liked_mm_s(roads.lanes[vehicle.lane as usize].speed_mm_s);
            let mut cars = lanes[vehicle.lane as usize].cars.iter_mut();
            cars.find(|c| c.vehicle == row).into_iter().for_each(|c| c.free_mm_s = free_mm_s);
            false
        });
    }

    /// Reports where the buses are whose turn it is.
    pub(super) fn fix(
        &mut self,
        lanes: &[LaneQueue],
        vehicles: &[Vehicle],
        roads: &Roads,
        now_ms: u64,
        out: &mut Vec<Event>,
    ) {
        for (row, run) in self.runs.iter_mut().enumerate().filter(|(_, r)| r.running && r.vehicle != NONE) {
            let vehicle = &vehicles[run.vehicle as usize];
            if now_ms < run.next_fix_ms || vehicle.lane == NONE {
                continue;
            }
            let mut cars = lanes[vehicle.lane as usize].cars.iter();
            let Some(car) = cars.find(|c| c.vehicle == run.vehicle) else { continue };
            let late_ms = if run.next_fix_ms == 0 { mix(row as u64) % FIX_MS } else { 0 };
            run.next_fix_ms = now_ms + FIX_MS - late_ms;
            out.push(Event::Bus(BusFix {
                time_ms: now_ms,
                bus: BusId(row as u32),
                line: self.lines[run.line].id,
                link: LinkId(vehicle.link),
                position_mm: (car.x_mm + roads.starts_at_mm(vehicle.lane)).max(0) as u32,
                speed_mm_s: car.v_mm_s.max(0) as u32,
            }));
        }
    }
}

/// Headway by time of day, relative to the planned one.
fn headway_percent(minute: u16) -> u64 {
    match minute {
        420..=569 | 1_020..=1_169 => 80,
        0..=359 | 1_320.. => 200,
        _ => 100,
    }
}

/// Assigns stops, in order, to the legs of a route.
fn stops_of_legs(route: &[u32], stops: &[(LinkId, u32)]) -> Vec<Vec<i32>> {
    let mut legs = vec![Vec::new(); route.len()];
    let mut leg = 0;
    for &(link, at_mm) in stops {
        if let Some(further) = route[leg..].iter().position(|l| *l == link.0) {
            leg += further;
            legs[leg].push(at_mm as i32);
        }
    }
    legs.iter_mut().for_each(|l| l.sort_unstable());
    legs
}
