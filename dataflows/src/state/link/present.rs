//! Who is on a link, as far as cameras tell.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::num::NonZero;

use serde::{Deserialize, Serialize};
use smallvec::SmallVec;

use super::Arrival;
use super::row::Row;
use super::sensors::{Eye, Sensors, Trust, bit};
use super::turning::Turning;
use crate::Time;
use crate::ids::{LaneId, VehicleId};
use crate::network::Link;

/// How far back from the stop line a vehicle counts as near, mm. Long enough for a queue of 25: on the reference city 200 m
/// gave less delay than 150 and 250 m (`benches/morning_peak.rs`).
pub const NEAR_MM: u32 = 200_000;
/// A vehicle not seen for so long has left unseen, ms.
const EXPIRY_MS: u64 = 300_000;
/// A vehicle not seen for so long beyond its free travel time is taken to stand, ms, ...
const STANDING_MS: u64 = 20_000;
/// ... unless that is longer than any queue stands: then it has parked, or left unseen.
const PARKED_MS: u64 = 180_000;
/// So many later comers that left a lane before it prove that a vehicle whose lane is not known has left unseen.
const OVERTAKEN: u8 = 3;
/// Who has left a line loses so much until it drives at free speed, ms.
const SET_OFF_MS: u64 = 3_000;
/// Who has left a line and is not seen behind the junction for so long waits in it, ms.
const CROSSING_MS: u64 = 2_000;
/// For so long who has left a line may be overtaken there by those from other lanes, ms.
const CROSSED_MS: u64 = 10_000;
/// However few plates are read, a vehicle stands for at most five, 1/1000.
const LEAST_KNOWN_MILLI: u32 = 200;
/// Room that a vehicle takes in a queue, mm.
pub const SPACING_MM: u64 = 7_500;
/// A vehicle that has had its way to the next camera free for so long is in a lane beside it, where there is one, ms.
const ASIDE_MS: u64 = 2_000;
/// Where there is none it is perhaps gone after so long, ms, ...
const DOUBT_MS: u64 = 15_000;
/// ... counts for so much, 1/1000, ...
const DOUBT_MILLI: u32 = 500;
/// ... and after so long it is forgotten, ms.
const LOST_MS: u64 = 75_000;
/// Who was expected on this link should have been seen by its first camera since so long: it has gone elsewhere, ms, ...
const ELSEWHERE_MS: u64 = 4_000;
/// ... or cameras miss so many, 1/1000, ...
const MISSED_MILLI: u64 = 50;
/// ... for even of those who can only come here so many end their trips before, 1/1000. After so long nobody is left, ms.
const ENDED_MILLI: u64 = 50;
const VANISHED_MS: u64 = 20_000;

/// A vehicle on the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Present {
    /// When it was last seen, ms.
    pub(super) seen_ms: u64,
    /// How far before the lane's end, mm.
    to_line_mm: u32,
    /// Its lane, if a camera of this link has seen it.
    lane: Option<u8>,
    /// Lanes by which it may leave, a bit each.
    ways: u32,
    /// How surely it is here, 1/1000; below 1000 while it may be on another link as well.
    weight_milli: u16,
    /// The lane upstream that it came from.
    from: Option<LaneId>,
    /// Standing time since it was last seen that windows have counted already, ms.
    pub(super) counted_ms: u32,
    /// Since when its way to the next camera has been free, ms.
    free_since_ms: Option<NonZero<u64>>,
    /// Later comers that have left before it.
    passed: u8,
}

impl Present {
    pub(super) fn new(seen_ms: u64, to_line_mm: u32, lane: Option<u8>, ways: u32) -> Self {
        let (weight_milli, from, counted_ms, free_since_ms, passed) = (1000, None, 0, None, 0);
        Present { seen_ms, to_line_mm, lane, ways, weight_milli, from, counted_ms, free_since_ms, passed }
    }

    /// Where it is at the furthest by now, mm before the line.
    fn at_mm(&self, link: &Link, now: Time) -> u32 {
        let driven_mm = now.saturating_sub(self.seen_ms) * u64::from(link.free_speed_mm_s) / 1000;
        u64::from(self.to_line_mm).saturating_sub(driven_mm) as u32
    }

    /// When it reaches the line at the soonest, ms.
    fn due_ms(&self, link: &Link) -> u64 {
        let lost_ms = if self.lane.is_none() { SET_OFF_MS } else { 0 };
        self.seen_ms + lost_ms + u64::from(self.to_line_mm) * 1000 / u64::from(link.free_speed_mm_s.max(1))
    }

    /// Whether it passed its place on its lane before another passed its own.
    pub(super) fn is_before(&self, other: &Present) -> bool {
        self.order() < other.order()
    }

    /// By what vehicles of a row are sorted.
    pub(super) fn order(&self) -> (u32, u64) {
        (self.to_line_mm, self.seen_ms)
    }

    /// Whether it has not passed a place yet, mm before the line.
    pub(super) fn is_behind(&self, at_mm: u32) -> bool {
        self.to_line_mm > at_mm
    }

    /// How long its way to the next camera has been free, ms.
    fn free_ms(&self, now: Time) -> u64 {
        self.free_since_ms.map_or(0, |since_ms| now.saturating_sub(since_ms.get()))
    }

    /// What it counts for near the line, 1/1000.
    fn counts_milli(&self, now: Time) -> u32 {
        if self.lane.is_none() && self.free_ms(now) >= ELSEWHERE_MS {
            let came = u64::from(self.weight_milli) * (1000 - ENDED_MILLI) / 1000;
            return (1000 * came * MISSED_MILLI / (came * MISSED_MILLI + (1000 - came) * 1000)) as u32;
        }
        let sure_milli = if self.free_ms(now) >= DOUBT_MS { DOUBT_MILLI } else { 1000 };
        u32::from(self.weight_milli) * sure_milli / 1000
    }
}

/// The share of those expected from a lane upstream that come.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Came {
    /// Learned, 1/1000.
    milli: u16,
    /// As it was told last; 0: not yet.
    told_milli: u16,
}

/// The vehicles on a link.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Presents {
    /// Expected, and not seen on this link yet.
    coming: Row,
    /// By the lane where they were last seen.
    rows: Vec<Row>,
    /// By lane upstream.
    came: BTreeMap<LaneId, Came>,
    /// By lane: all who are expected since before then have been overtaken on it, ms.
    overtaken_ms: Vec<u64>,
    turning: Turning,
    trust: Trust,
    /// By lane: vehicles that have left, 1/1000; empty while none has.
    left_milli: Vec<u32>,
    /// By lane: those among them that nobody knew before, 1/1000; empty while there are none.
    strangers_milli: Vec<u32>,
}

impl Presents {
    /// Nobody yet.
    pub(super) fn new(sensors: &Sensors) -> Self {
        let (turning, trust) = (Turning::new(sensors), Trust::new(sensors));
        let rows = (0..sensors.lanes()).map(|_| Row::default()).collect();
        let (coming, overtaken_ms) = (Row::default(), vec![0; sensors.lanes()]);
        Presents {
            coming,
            rows,
            came: BTreeMap::new(),
            overtaken_ms,
            turning,
            trust,
            left_milli: Vec::new(),
            strangers_milli: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all().next().is_none()
    }

    fn all(&self) -> impl Iterator<Item = &Present> {
        self.coming.iter().chain(self.rows.iter().flat_map(Row::iter))
    }

    fn all_rows(&mut self) -> impl Iterator<Item = &mut Row> {
        std::iter::once(&mut self.coming).chain(&mut self.rows)
    }

    /// Takes a vehicle out of its row.
    fn take(&mut self, vehicle: VehicleId) -> Option<Present> {
        self.all_rows().find_map(|row| row.remove(vehicle))
    }

    /// Reads what [`see`](Self::see) will read: first rows, then names in them, then the vehicle and who is before it.
    pub(super) fn look_ahead(&self, look: usize, sensors: &Sensors, vehicle: VehicleId, eye: &Eye) {
        // Before its first step a link has no rows.
        let Some(row) = self.rows.get(usize::from(eye.row)) else { return };
        match look {
            0 => black_box(row.len() + usize::from(eye.row)),
            1 => black_box(row.look() + self.trust.look(sensors, eye)),
            _ => black_box(row.look_at(vehicle) as usize),
        };
    }

    /// Whether a vehicle is or may be here.
    pub(super) fn is_known(&self, vehicle: VehicleId) -> bool {
        std::iter::once(&self.coming).chain(&self.rows).any(|row| row.find(vehicle).is_some())
    }

    /// A vehicle may be coming.
    pub(super) fn expect(
        &mut self,
        sensors: &Sensors,
        vehicle: VehicleId,
        (from, of): (LaneId, u8),
        time_ms: u64,
        length_mm: u32,
    ) {
        let equal = Came { milli: 1000 / u16::from(of.max(1)), told_milli: 0 };
        let weight_milli = self.came.entry(from).or_insert(equal).milli;
        let fresh = Present::new(time_ms, length_mm, None, sensors.leading());
        self.overtaken_ms.iter_mut().for_each(|since_ms| *since_ms = time_ms.min(*since_ms));
        self.coming.insert(vehicle, Present { weight_milli, from: Some(from), ..fresh });
    }

    /// A vehicle is seen by a camera; returns what was known of it before. Who was before it and is still further back is
    /// not on this lane any more.
    pub(super) fn see(&mut self, sensors: &Sensors, vehicle: VehicleId, time_ms: u64, eye: &Eye) -> Option<Present> {
        let row = usize::from(eye.row);
        let now = Present::new(time_ms, eye.to_line_mm, Some(eye.row), eye.ways);
        let here = self.rows[row].find(vehicle);
        let before = here.map(|(_, before)| before).or_else(|| self.take(vehicle));
        if let Some(before) = before {
            learn_came(&mut self.came, &before, 1000);
            if here.is_some() {
                self.trust.learn(sensors, before.to_line_mm, eye);
            }
            self.overtake(sensors, eye, &before, here.map(|(at, _)| at));
            if eye.at_line {
                self.turning.learn(before.lane, row);
            }
        }
        if eye.at_line {
            self.leave(row);
            if here.is_some() {
                self.rows[row].remove(vehicle);
            }
            return before;
        }
        match here {
            Some((at, _)) => self.rows[row].advance(at, vehicle, now),
            None => self.rows[row].insert(vehicle, now),
        }
        before
    }

    /// Takes note of one that nothing had told of before a camera saw it.
    pub(super) fn wonder(&mut self, eye: &Eye) {
        if eye.at_line {
            self.strangers_milli.resize(self.rows.len(), 0);
            self.strangers_milli[usize::from(eye.row)] += 1000;
        }
    }

    /// A vehicle that was at `before`, in the row of its lane at `at`, passes a camera.
    fn overtake(&mut self, sensors: &Sensors, eye: &Eye, before: &Present, at: Option<usize>) {
        let (lane, at_mm, trust) = (usize::from(eye.row), eye.to_line_mm, &self.trust);
        let (done_ms, came) = (&mut self.overtaken_ms[lane], &mut self.came);
        // Seen from its beginning, a lane tells who crossed the junction before whom: those from other lanes perhaps still wait
        // in it.
        let begins = sensors.sees_beginning(lane);
        let crossed_ms = before.seen_ms.saturating_sub(CROSSED_MS);
        let overtaken = |v: &Present| !begins || v.from == before.from || v.seen_ms < crossed_ms;
        let from_ms = if begins { 0 } else { *done_ms };
        if from_ms < before.seen_ms && self.coming.iter().next().is_none_or(|v| v.is_behind(at_mm)) {
            self.coming.retain_seen(from_ms..before.seen_ms, |v| {
                if v.ways & bit(lane) != 0 && overtaken(v) {
                    v.ways &= !bit(lane);
                    v.passed += 1;
                }
                let stays = v.passed < OVERTAKEN || v.ways != 0;
                stays || never_came(came, v)
            });
            *done_ms = before.seen_ms;
        }
        let Some(own) = before.lane.map(usize::from) else { return };
        self.rows[own].retain_between(at_mm, before, at, |v| {
            if v.ways & bit(lane) != 0 {
                v.ways &= !bit(lane);
                if lane == own {
                    v.ways = sensors.aside(v.ways, lane, sensors.next_mm(trust, lane, v.to_line_mm));
                }
            }
            v.ways != 0
        });
    }

    /// A vehicle has left by a lane.
    fn leave(&mut self, row: usize) {
        self.left_milli.resize(self.rows.len(), 0);
        self.left_milli[row] += 1000;
    }

    /// A vehicle is elsewhere.
    pub(super) fn remove(&mut self, vehicle: VehicleId) {
        let before = self.take(vehicle);
        if let Some(Present { lane: Some(lane), ways, .. }) = before {
            self.left_milli.resize(self.rows.len(), 0);
            let left_milli = &mut self.left_milli;
            self.turning.spread(Some(lane), ways, 1000, |lane, milli| left_milli[lane] += milli);
        }
        if let Some(before) = before.filter(|b| b.lane.is_none()) {
            learn_came(&mut self.came, &before, 0);
        }
    }

    /// Forgets who has not been seen for long.
    pub(super) fn expire(&mut self, now: Time) {
        let Presents { coming, rows, came, .. } = self;
        let is_here = |v: &Present| now.saturating_sub(v.seen_ms) < EXPIRY_MS && v.free_ms(now) < LOST_MS;
        coming.retain(|v| is_here(v) || never_came(came, v));
        rows.iter_mut().for_each(|row| row.retain(|v| is_here(v)));
    }

    /// Asks of each vehicle whether the next camera of its lane should have seen it by now, behind those that queue before
    /// it: if so, it has turned aside or is gone.
    pub(super) fn doubt(&mut self, sensors: &Sensors, link: &Link, now: Time, known_milli: u32) {
        let known_milli = u64::from(known_milli.clamp(LEAST_KNOWN_MILLI, 1000));
        // Lanes on which one may come unseen as far as this, mm before the line.
        let mut hidden_mm: SmallVec<[(u64, u64); 6]> = SmallVec::new();
        for (lane, row) in self.rows.iter_mut().enumerate() {
            let mut queued_milli = 0u64;
            for v in row.iter_mut().filter(|v| v.ways & bit(lane) != 0) {
                let next_mm = sensors.next_mm(&self.trust, lane, v.to_line_mm);
                let tail_mm = queued_milli * SPACING_MM / known_milli;
                let free = u64::from(v.at_mm(link, now)).max(tail_mm) + SPACING_MM < u64::from(next_mm);
                v.free_since_ms = if free { v.free_since_ms.or(NonZero::new(now)) } else { None };
                let aside = sensors.aside(v.ways, lane, next_mm);
                if aside != 0 && v.free_ms(now) >= ASIDE_MS {
                    (v.ways, v.free_since_ms) = (aside, None);
                } else {
                    queued_milli += u64::from(v.counts_milli(now));
                }
            }
            let first_mm = sensors.next_mm(&self.trust, lane, u32::MAX);
            hidden_mm.push((queued_milli * SPACING_MM / known_milli + SPACING_MM, u64::from(first_mm)));
        }
        for v in self.coming.iter_mut() {
            let at_mm = u64::from(v.at_mm(link, now)) + SPACING_MM;
            let ways = v.ways;
            let lanes = hidden_mm.iter().enumerate().filter(|(lane, _)| ways & bit(*lane) != 0);
            let hides = |(_, (tail_mm, first_mm)): (usize, &(u64, u64))| at_mm.max(*tail_mm) >= *first_mm;
            v.free_since_ms =
                if lanes.map(hides).all(|hides| !hides) { v.free_since_ms.or(NonZero::new(now)) } else { None };
        }
        self.forget_vanished(now);
    }

    /// Forgets those who were expected, whose way to the first cameras was free, and whom none has seen: their trips have
    /// ended, or they have turned where nothing sees them.
    fn forget_vanished(&mut self, now: Time) {
        let came = &mut self.came;
        self.coming.retain(|v| v.free_ms(now) < VANISHED_MS || never_came(came, v));
    }

    /// Lanes on which nothing would see somebody before the line, a bit each.
    pub(super) fn blind(&self, sensors: &Sensors) -> u32 {
        let rows = (0..sensors.lanes()).filter(|lane| !sensors.watches(&self.trust, *lane));
        rows.fold(0, |blind, lane| blind | bit(lane))
    }

    /// Vehicles on the link, 1/1000.
    pub(super) fn weight_milli(&self) -> u64 {
        self.all().map(|v| u64::from(v.weight_milli)).sum()
    }

    /// Vehicles by lane and by the second in which they reach the line, grown by those whose plates are not read
    /// (`known_milli` of 1000 are).
    pub(super) fn arrivals(&self, link: &Link, now: Time, known_milli: u32) -> Vec<Arrival> {
        // Numbers are sorted faster than what they stand for: lane, second and how many, from the highest bits to the lowest.
        let mut packed: Vec<u64> = Vec::with_capacity(self.all_rows_len());
        let known_milli = known_milli.clamp(LEAST_KNOWN_MILLI, 1000);
        for v in self.all() {
            let (due_s, milli) = (v.due_ms(link).div_ceil(1000), v.counts_milli(now) * 1000 / known_milli);
            let tell = |lane: usize, milli: u32| {
                packed.push((lane as u64) << 56 | (due_s & 0xFFFF_FFFF) << 24 | u64::from(milli & 0xFF_FFFF));
            };
            self.turning.spread(v.lane, v.ways, milli, tell);
        }
        packed.sort_unstable();
        let mut arrivals: Vec<Arrival> = Vec::with_capacity(packed.len());
        for one in packed {
            let (lane, due_s, milli) = ((one >> 56) as u8, (one >> 24) as u32, one as u32 & 0xFF_FFFF);
            match arrivals.last_mut() {
                Some(last) if (last.lane, last.due_s) == (lane, due_s) => last.milli += milli,
                _ => arrivals.push(Arrival { lane, due_s, milli }),
            }
        }
        arrivals
    }

    /// By lane upstream: the share of those who leave it that come here, 1/1000, where it is not what was told before.
    pub(super) fn came_milli(&mut self) -> Vec<(LaneId, u16)> {
        let changed = self.came.iter_mut().filter(|(_, came)| came.milli != came.told_milli);
        changed
            .map(|(lane, came)| {
                came.told_milli = came.milli;
                (*lane, came.milli)
            })
            .collect()
    }

    /// The same by every lane upstream of which anything was learned.
    pub(super) fn all_came_milli(&self) -> Vec<(LaneId, u16)> {
        self.came.iter().map(|(lane, came)| (*lane, came.milli)).collect()
    }

    /// Vehicles that have left a line upstream for some seconds and have not come to the first cameras, 1/1000.
    pub(super) fn inside_milli(&self, sensors: &Sensors, now: Time) -> u32 {
        let inside = |v: &&Present| now.saturating_sub(v.seen_ms) >= CROSSING_MS;
        let inside = self.coming.iter().filter(inside).filter(|v| sensors.begins_watched(&self.trust, v.ways));
        inside.map(|v| v.counts_milli(now)).sum()
    }

    fn all_rows_len(&self) -> usize {
        self.coming.len() + self.rows.iter().map(Row::len).sum::<usize>()
    }

    /// By lane, vehicles that have left by it since this was asked before, 1/1000; empty if none has.
    pub(super) fn left_milli(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.left_milli)
    }

    /// By lane, those among them that nobody knew before, since this was asked before, 1/1000; empty if there are none.
    pub(super) fn strangers_milli(&mut self) -> Vec<u32> {
        std::mem::take(&mut self.strangers_milli)
    }

    /// Time that standing vehicles have spent since it was last counted, ms, at most `window_ms` each. One whose way is free
    /// does not stand in a queue.
    pub(super) fn count_standing(&mut self, link: &Link, now: Time, window_ms: u64) -> u64 {
        let mut standing_ms = 0;
        for v in self.all_rows().flat_map(Row::iter_mut) {
            let free_ms = u64::from(v.to_line_mm) * 1000 / u64::from(link.free_speed_mm_s.max(1));
            let unseen_ms = now.saturating_sub(v.seen_ms);
            let queues = v.free_since_ms.is_none() && unseen_ms < free_ms + PARKED_MS;
            if queues && unseen_ms > free_ms + STANDING_MS {
                let more_ms = unseen_ms.saturating_sub(u64::from(v.counted_ms)).min(window_ms);
                v.counted_ms += more_ms as u32;
                standing_ms += more_ms * u64::from(v.weight_milli) / 1000;
            }
        }
        standing_ms
    }
}

/// Takes note that one who was expected has not come, and says that it does not stay.
fn never_came(shares: &mut BTreeMap<LaneId, Came>, vehicle: &Present) -> bool {
    learn_came(shares, vehicle, 0);
    false
}

/// Takes note that one more of those expected from its lane upstream came, 1000, or did not, 0.
fn learn_came(shares: &mut BTreeMap<LaneId, Came>, vehicle: &Present, came_milli: i32) {
    if let Some(share) = vehicle.from.and_then(|from| shares.get_mut(&from)) {
        let known = i32::from(share.milli);
        share.milli = (known + (came_milli - known) / 16).clamp(20, 1000) as u16;
    }
}

#[cfg(test)]
mod tests;
