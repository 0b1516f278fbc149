//! Who is on a link, as far as cameras tell.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::ids::{LaneId, VehicleId};
use crate::network::Link;

/// How far back from the stop line a vehicle counts as near, mm. Long enough for a queue of 25: on the reference city 200 m
/// gave less delay than 60, 100, 150 and 400 m (`benches/morning_peak.rs`).
pub const NEAR_MM: u32 = 200_000;
/// A vehicle not seen for so long has left unseen, ms.
const EXPIRY_MS: u64 = 300_000;
/// A vehicle not seen for so long beyond its free travel time is taken to stand, ms.
const STANDING_MS: u64 = 20_000;
/// However few leave by a lane that leads somewhere, someone may wait in it, 1/1000.
const LEAST_SHARE_MILLI: i32 = 60;
/// So many later comers that left by the same lane prove that a vehicle has left unseen.
const OVERTAKEN: u8 = 3;

/// A vehicle on the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Present {
    /// When it was last seen, ms.
    pub(super) seen_ms: u64,
    /// How far before the lane's end, mm.
    to_line_mm: u32,
    /// Its lane, if a camera of this link has seen it.
    lane: Option<u8>,
    /// How surely it is here, 1/1000; below 1000 while it may be on another link as well.
    weight_milli: u16,
    /// The lane upstream that it came from.
    from: Option<LaneId>,
    /// Standing time since it was last seen that windows have counted already, ms.
    pub(super) counted_ms: u32,
    /// Lanes by which later comers have left, a bit each.
    passed_lanes: u32,
    /// Later comers that have left by its own lane.
    passed: u8,
}

impl Present {
    /// Seen on a lane; none where the driver can still choose another before the line.
    pub(super) fn seen(seen_ms: u64, lane: Option<u8>, to_line_mm: u32) -> Self {
        Present { seen_ms, to_line_mm, lane, weight_milli: 1000, from: None, counted_ms: 0, passed_lanes: 0, passed: 0 }
    }

    /// How far before the line it has come by now at free speed, mm.
    fn at_mm(&self, link: &Link, now: Time) -> u64 {
        let driven_mm = now.saturating_sub(self.seen_ms) * u64::from(link.free_speed_mm_s) / 1000;
        u64::from(self.to_line_mm).saturating_sub(driven_mm)
    }
}

/// A departure over the stop line: the lane, and when the vehicle had been seen before.
#[derive(Clone, Copy)]
pub(super) struct Passed {
    pub(super) lane: u8,
    pub(super) seen_ms: u64,
}

/// The vehicles on a link.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Presents {
    vehicles: BTreeMap<VehicleId, Present>,
    /// Share of those expected from a lane upstream that did come, 1/1000, learned.
    came_milli: BTreeMap<LaneId, u16>,
    /// Share of departures by lane, 1/1000, learned.
    lane_milli: Vec<u16>,
}

impl Presents {
    /// Nobody yet; `leads` tells of each lane whether it leads anywhere.
    pub(super) fn new(leads: &[bool]) -> Self {
        let share = (1000 / leads.len().max(1)) as u16;
        let lane_milli = leads.iter().map(|leads| if *leads { share } else { 0 }).collect();
        Presents { vehicles: BTreeMap::new(), came_milli: BTreeMap::new(), lane_milli }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.vehicles.is_empty()
    }

    /// A vehicle may be coming.
    pub(super) fn expect(&mut self, vehicle: VehicleId, from: LaneId, of: u8, time_ms: u64, length_mm: u32) {
        let equal = 1000 / u16::from(of.max(1));
        let weight_milli = if of > 1 { *self.came_milli.entry(from).or_insert(equal) } else { 1000 };
        let fresh = Present::seen(time_ms, None, length_mm);
        self.vehicles.insert(vehicle, Present { weight_milli, from: (of > 1).then_some(from), ..fresh });
    }

    /// A vehicle is here; returns what was known of it before.
    pub(super) fn see(&mut self, vehicle: VehicleId, now: Present) -> Option<Present> {
        let before = self.vehicles.insert(vehicle, now);
        self.learn_came(before, 1000);
        before
    }

    /// A vehicle is elsewhere.
    pub(super) fn remove(&mut self, vehicle: VehicleId) {
        let before = self.vehicles.remove(&vehicle);
        self.learn_came(before.filter(|b| b.lane.is_none()), 0);
    }

    fn learn_came(&mut self, before: Option<Present>, came_milli: i32) {
        if let Some(share) = before.and_then(|b| b.from).and_then(|from| self.came_milli.get_mut(&from)) {
            *share = (i32::from(*share) + (came_milli - i32::from(*share)) / 16).clamp(20, 1000) as u16;
        }
    }

    /// A vehicle left over the line: who was before it in its lane and is still here has left unseen.
    pub(super) fn pass(&mut self, passed: Passed) {
        for (lane, share) in self.lane_milli.iter_mut().enumerate().filter(|(_, share)| **share > 0) {
            let target = if lane == usize::from(passed.lane) { 1000 } else { 0 };
            *share = (i32::from(*share) + (target - i32::from(*share)) / 32).max(LEAST_SHARE_MILLI) as u16;
        }
        let used =
            (0..self.lane_milli.len()).filter(|lane| self.lane_milli[*lane] > 0).fold(0, |mask, lane| mask | bit(lane));
        self.vehicles.retain(|_, v| {
            if v.seen_ms >= passed.seen_ms {
                return true;
            }
            v.passed_lanes |= bit(usize::from(passed.lane));
            v.passed += u8::from(v.lane.is_none_or(|lane| lane == passed.lane));
            let everywhere = v.passed_lanes & used == used;
            v.passed < OVERTAKEN || (v.lane.is_none() && !everywhere)
        });
    }

    /// Forgets who has not been seen for long.
    pub(super) fn expire(&mut self, now: Time) {
        self.vehicles.retain(|_, v| now.saturating_sub(v.seen_ms) < EXPIRY_MS);
    }

    /// Vehicles on the link, 1/1000.
    pub(super) fn weight_milli(&self) -> u64 {
        self.vehicles.values().map(|v| u64::from(v.weight_milli)).sum()
    }

    /// Vehicles near the line by lane, 1/1000, grown by those whose plates are not read (`known_milli` of 1000 are).
    pub(super) fn near_milli(&self, link: &Link, now: Time, known_milli: u32) -> Vec<u32> {
        let mut near = vec![0u32; link.lanes.len()];
        for v in self.vehicles.values().filter(|v| v.at_mm(link, now) <= u64::from(NEAR_MM)) {
            let weight = u32::from(v.weight_milli);
            match v.lane {
                Some(lane) => near[usize::from(lane)] += weight,
                None => self.spread(v, &mut near),
            }
        }
        near.iter_mut().for_each(|n| *n = (u64::from(*n) * 1000 / u64::from(known_milli.clamp(200, 1000))) as u32);
        near
    }

    /// A vehicle whose lane is not known: over the lanes by which no later comer has left, in proportion to departures. One
    /// that others pass on their way out must be waiting in a lane that does not move.
    fn spread(&self, v: &Present, near: &mut [u32]) {
        let share = |lane: usize, all: bool| {
            let open = all || v.passed_lanes & bit(lane) == 0;
            if open { u32::from(self.lane_milli[lane]) } else { 0 }
        };
        let lanes = near.len();
        let sum = |all| (0..lanes).map(|lane| share(lane, all)).sum::<u32>();
        let (all, total) = match sum(false) {
            0 => (true, sum(true).max(1)),
            some => (false, some),
        };
        let weight = u32::from(v.weight_milli);
        (0..lanes).for_each(|lane| near[lane] += weight * share(lane, all) / total);
    }

    /// Time that standing vehicles have spent since it was last counted, ms, at most `window_ms` each.
    pub(super) fn count_standing(&mut self, link: &Link, now: Time, window_ms: u64) -> u64 {
        let mut standing_ms = 0;
        for v in self.vehicles.values_mut() {
            let free_ms = u64::from(v.to_line_mm) * 1000 / u64::from(link.free_speed_mm_s.max(1));
            let unseen_ms = now.saturating_sub(v.seen_ms);
            if unseen_ms > free_ms + STANDING_MS {
                let more_ms = unseen_ms.saturating_sub(u64::from(v.counted_ms)).min(window_ms);
                v.counted_ms += more_ms as u32;
                standing_ms += more_ms * u64::from(v.weight_milli) / 1000;
            }
        }
        standing_ms
    }
}

/// The bit of a lane; beyond 32 lanes two share one.
fn bit(lane: usize) -> u32 {
    1 << (lane & 31)
}
