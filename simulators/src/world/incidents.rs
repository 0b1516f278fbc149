//! Collisions: now and then, where there is traffic, a lane is blocked for 10-30 minutes.

use nanming_dataflows::ids::LaneId;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::car::NOWHERE;
use super::chance::{exponential_ms, stream};
use super::roads::NONE;
use super::traffic::Traffic;

/// Collisions a day for each vehicle on the road.
const PER_VEHICLE_DAY: f64 = 0.012;

/// A lane that a collision blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incident {
    /// The lane.
    pub lane: LaneId,
    /// Where on it, mm from its start.
    pub at_mm: u32,
    /// Since when, ms.
    pub from_ms: u64,
    /// Until when, ms.
    pub until_ms: u64,
}

/// The collisions of now.
#[derive(Clone, Debug)]
pub(super) struct Incidents {
    rng: ChaCha8Rng,
    /// Those that block a lane now.
    pub(super) now: Vec<Incident>,
    next_ms: u64,
}

impl Incidents {
    /// None yet; none ever if not `wanted`.
    pub(super) fn new(seed: u64, wanted: bool, now_ms: u64) -> Self {
        let next_ms = if wanted { now_ms + 60_000 } else { u64::MAX };
        Incidents { rng: stream(seed, 5), now: Vec::new(), next_ms }
    }

    /// Clears what is over; returns a new collision, if there is one.
    pub(super) fn advance(&mut self, traffic: &mut Traffic, now_ms: u64) -> Option<Incident> {
        self.now.retain(|i| {
            if now_ms >= i.until_ms {
                set_wall(traffic, i.lane.0, NOWHERE);
            }
            now_ms < i.until_ms
        });
        if now_ms < self.next_ms {
            return None;
        }
        let vehicles = (traffic.vehicles.len() - traffic.free.len()) as f64;
        let mean_ms = 86_400_000.0 / (PER_VEHICLE_DAY * vehicles).max(0.5);
        self.next_ms = now_ms + exponential_ms(&mut self.rng, mean_ms).min(3_600_000);
        let minutes = self.rng.random_range(10..=30);
        self.collide(traffic, now_ms, now_ms + minutes * 60_000)
    }

    /// A vehicle drawn from those on the road has a collision, if it is well on its lane.
    fn collide(&mut self, traffic: &mut Traffic, now_ms: u64, until_ms: u64) -> Option<Incident> {
        let row = self.rng.random_range(0..traffic.vehicles.len().max(1));
        let lane = traffic
            .vehicles
            .get(row)
            .map(|v| v.lane)
            .filter(|l| *l != NONE && !traffic.free.contains(&(row as u32)))?;
        let car = traffic.lanes[lane as usize].cars.iter().find(|c| c.vehicle == row as u32)?;
        let at_mm = car.x_mm;
        let pocket = traffic.roads.lanes[lane as usize].feeder != NONE;
        if pocket || at_mm < 20_000 || traffic.lanes[lane as usize].wall_mm != NOWHERE {
            return None;
        }
        let incident = Incident { lane: LaneId(lane), at_mm: at_mm as u32, from_ms: now_ms, until_ms };
        self.block(traffic, incident);
        Some(incident)
    }

    /// Blocks a lane.
    pub(super) fn block(&mut self, traffic: &mut Traffic, incident: Incident) {
        set_wall(traffic, incident.lane.0, incident.at_mm as i32);
        traffic.truth.collisions += 1;
        self.now.push(incident);
    }
}

/// Puts a wall on a lane, past which the lanes beside it go slowly; or, with [`NOWHERE`], takes it away.
fn set_wall(traffic: &mut Traffic, lane: u32, at_mm: i32) {
    traffic.lanes[lane as usize].wall_mm = at_mm;
    let link = traffic.roads.lanes[lane as usize].link;
    for beside in &traffic.roads.links[link as usize].full {
        traffic.lanes[*beside as usize].slow_mm = at_mm;
    }
}
