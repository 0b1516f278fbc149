//! A flood of passages at a given rate, for load tests: vehicles that wander over the whole network past every camera, with
//! plausible gaps and turns, and nothing else of a [`World`](crate::world::World). On a lane they pass each camera one after
//! the other: nobody drives through another one. Cheap: an event costs some 20 ns.

use nanming_dataflows::event::{Passage, VehicleClass};
use nanming_dataflows::ids::{CameraId, LaneId, VehicleId};
use nanming_dataflows::network::City;

/// Speed of the vehicles, mm/s, and by how much it differs from hop to hop, 1/1000.
const SPEED_MM_S: u64 = 12_000;
const SPREAD_MILLI: u64 = 400;
/// Time to cross a junction, ms.
const CROSSING_MS: u64 = 2_000;
/// Least time between two vehicles at a camera, ms. Shorter than any driver's, so that lanes carry what is asked of them.
const HEADWAY_MS: u64 = 300;
/// Width of a bucket of the calendar, ms.
const BUCKET_MS: u64 = 10;
/// The calendar reaches so far, ms: longer hops wait in its last bucket.
const BUCKETS: usize = 4096;

/// A lane as the flood sees it: cameras in the order in which they are passed, mm from the lane's start, and where it leads.
struct Course {
    length_mm: u32,
    cameras: Vec<(u32, CameraId)>,
    next: Vec<u32>,
}

#[derive(Clone, Copy)]
struct Wanderer {
    plate: u64,
    due_ms: u64,
    lane: u32,
    camera: u32,
}

/// The flood.
pub struct Flood {
    courses: Vec<Course>,
    calendar: Vec<Vec<Wanderer>>,
    /// When the last vehicle that is on its way to each camera gets there, ms.
    last_ms: Vec<u64>,
    now_ms: u64,
    draw: u64,
}

impl Flood {
    /// About `per_s` passages a second from `start_ms` on. Needs lanes with cameras that lead to such lanes.
    pub fn new(city: &City, per_s: u64, start_ms: u64, seed: u64) -> Flood {
        let courses = courses(city);
        let seen: Vec<u32> = (0..courses.len() as u32).filter(|l| !courses[*l as usize].cameras.is_empty()).collect();
        let now_ms = start_ms / BUCKET_MS * BUCKET_MS;
        let (calendar, last_ms) = (vec![Vec::new(); BUCKETS], vec![0; city.cameras.len()]);
        let mut flood = Flood { courses, calendar, last_ms, now_ms, draw: seed | 1 };
        let hop_ms = flood.mean_hop_ms();
        for n in 0..per_s * hop_ms / 1000 {
            let lane = seen[(flood.random() % seen.len().max(1) as u64) as usize];
            let camera = (flood.random() % flood.courses[lane as usize].cameras.len() as u64) as u32;
            let due_ms = now_ms + flood.random() % (2 * hop_ms);
            flood.send(Wanderer { plate: plate(seed, n), due_ms, lane, camera });
        }
        flood
    }

    /// The passages of the next `for_ms`, in the order of buckets of 10 ms.
    pub fn step(&mut self, for_ms: u64, out: &mut Vec<Passage>) {
        for _ in 0..for_ms / BUCKET_MS {
            let row = (self.now_ms / BUCKET_MS) as usize % BUCKETS;
            let mut due = std::mem::take(&mut self.calendar[row]);
            self.now_ms += BUCKET_MS;
            for wanderer in due.drain(..) {
                self.pass(wanderer, out);
            }
            self.calendar[row] = due;
        }
    }

    fn pass(&mut self, wanderer: Wanderer, out: &mut Vec<Passage>) {
        let course = &self.courses[wanderer.lane as usize];
        let (at_mm, camera) = course.cameras[wanderer.camera as usize];
        let speed_mm_s = SPEED_MM_S * (1000 - SPREAD_MILLI / 2 + wanderer.plate % SPREAD_MILLI) / 1000;
        let class = VehicleClass::Car;
        let vehicle = VehicleId(wanderer.plate);
        out.push(Passage { time_ms: wanderer.due_ms, camera, vehicle, speed_mm_s: speed_mm_s as u32, class });
        let next = wanderer.camera + 1;
        let (lane, camera, way_mm, pause_ms) = match course.cameras.get(next as usize) {
            Some((mm, _)) => (wanderer.lane, next, mm - at_mm, 0),
            None => {
                let left_mm = course.length_mm - at_mm;
                let turn = self.random();
                let next = &self.courses[wanderer.lane as usize].next;
                let lane = next[(turn % next.len() as u64) as usize];
                (lane, 0, left_mm + self.courses[lane as usize].cameras[0].0, CROSSING_MS)
            }
        };
        let jitter_milli = 800 + self.random() % 400;
        let took_ms = u64::from(way_mm) * jitter_milli / speed_mm_s + pause_ms;
        self.send(Wanderer { due_ms: wanderer.due_ms + took_ms, lane, camera, ..wanderer });
    }

    /// Sends one to a camera, behind all that are on their way to it.
    fn send(&mut self, wanderer: Wanderer) {
        let (_, seen_by) = self.courses[wanderer.lane as usize].cameras[wanderer.camera as usize];
        let last_ms = &mut self.last_ms[seen_by.index()];
        *last_ms = wanderer.due_ms.max(*last_ms + HEADWAY_MS);
        let due_ms = *last_ms;
        self.schedule(Wanderer { due_ms, ..wanderer });
    }

    fn schedule(&mut self, wanderer: Wanderer) {
        let last_ms = self.now_ms + (BUCKETS as u64 - 1) * BUCKET_MS;
        let due_ms = wanderer.due_ms.clamp(self.now_ms, last_ms);
        self.calendar[(due_ms / BUCKET_MS) as usize % BUCKETS].push(Wanderer { due_ms, ..wanderer });
    }

    fn mean_hop_ms(&self) -> u64 {
        let seen = || self.courses.iter().filter(|c| !c.cameras.is_empty());
        let drive_ms: u64 = seen().map(|c| u64::from(c.length_mm) * 1000 / SPEED_MM_S + CROSSING_MS).sum();
        let cameras: u64 = seen().map(|c| c.cameras.len() as u64).sum();
        (drive_ms / cameras.max(1)).max(1)
    }

    /// xorshift64*
    fn random(&mut self) -> u64 {
        self.draw ^= self.draw >> 12;
        self.draw ^= self.draw << 25;
        self.draw ^= self.draw >> 27;
        self.draw.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11
    }
}

fn plate(seed: u64, n: u64) -> u64 {
    let x = (seed ^ n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (x ^ (x >> 31)).max(1)
}

/// Lanes with cameras, each leading to lanes with cameras; one that leads nowhere leads back to itself.
fn courses(city: &City) -> Vec<Course> {
    let mut courses: Vec<Course> =
        city.lanes.iter().map(|l| Course { length_mm: l.length_mm, cameras: Vec::new(), next: Vec::new() }).collect();
    for camera in &city.cameras {
        if let Some((lane, before_mm)) = camera.lane {
            let course = &mut courses[lane.index()];
            course.cameras.push((course.length_mm - before_mm.min(course.length_mm), camera.id));
        }
    }
    courses.iter_mut().for_each(|c| c.cameras.sort_unstable());
    for lane in &city.lanes {
        let onto = |m: &nanming_dataflows::ids::MovementId| city.movements[m.index()].to;
        let seen = |to: &LaneId| !courses[to.index()].cameras.is_empty();
        let mut next: Vec<u32> = lane.movements.iter().map(onto).filter(seen).map(|to| to.0).collect();
        if next.is_empty() {
            next.push(lane.id.0);
        }
        courses[lane.id.index()].next = next;
    }
    courses
}
