//! What is usual at a time of day: means by quarter of an hour and day class, pulled towards the long-run mean while few
//! days have been seen.

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::network::City;

/// Slots of 15 min in a day, for working days and for week-ends.
const SLOTS: usize = 96;
const SLOT_MS: i64 = 900_000;
const DAY_MS: i64 = 96 * SLOT_MS;
/// Minutes of observation after which a slot speaks for itself.
const TRUST_MIN: f64 = 15.0;
/// Minutes that a slot's mean reaches back: about 4 weeks of days.
const MEMORY_MIN: f64 = 300.0;
/// Minutes that the long-run mean reaches back.
const LONG_MIN: f64 = 120.0;

/// Mean speed share and flow by slot.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Profile {
    slots: Vec<Slot>,
    speed: f64,
    flow_veh_h: f64,
    minutes: f64,
}

#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Slot {
    minutes: f32,
    speed: f32,
    flow_veh_h: f32,
}

impl Profile {
    pub(super) fn update(&mut self, city: &City, tick: Time, speed: f64, flow_veh_h: f64) {
        self.slots.resize(2 * SLOTS, Slot::default());
        self.minutes = (self.minutes + 1.0).min(LONG_MIN);
        self.speed += (speed - self.speed) / self.minutes;
        self.flow_veh_h += (flow_veh_h - self.flow_veh_h) / self.minutes;
        let slot = &mut self.slots[slot_at(city, tick).0];
        slot.minutes = (slot.minutes + 1.0).min(MEMORY_MIN as f32);
        slot.speed += (speed as f32 - slot.speed) / slot.minutes;
        slot.flow_veh_h += (flow_veh_h as f32 - slot.flow_veh_h) / slot.minutes;
    }

    pub(super) fn speed_at(&self, city: &City, time: Time) -> f64 {
        self.at(city, time, |s| f64::from(s.speed), self.speed)
    }

    pub(super) fn flow_at(&self, city: &City, time: Time) -> f64 {
        self.at(city, time, |s| f64::from(s.flow_veh_h), self.flow_veh_h)
    }

    /// Between the middles of two slots, each pulled towards the long-run mean by how little it has seen.
    fn at(&self, city: &City, time: Time, value: impl Fn(&Slot) -> f64, usual: f64) -> f64 {
        let (row, next, share) = slot_at(city, time);
        let of = |row: usize| {
            let slot = self.slots.get(row).copied().unwrap_or_default();
            let trust = f64::from(slot.minutes) / (f64::from(slot.minutes) + TRUST_MIN);
            trust * value(&slot) + (1.0 - trust) * usual
        };
        of(row) * (1.0 - share) + of(next) * share
    }
}

/// The slot of a time, the neighbour slot nearer to it, and that neighbour's share.
fn slot_at(city: &City, time: Time) -> (usize, usize, f64) {
    let local_ms = time as i64 + i64::from(city.utc_offset_min) * 60_000;
    let day = local_ms.div_euclid(DAY_MS);
    let weekend = matches!(day.rem_euclid(7), 2 | 3); // 1970-01-01 was a Thursday
    let base = if weekend { SLOTS } else { 0 };
    let in_day_ms = local_ms.rem_euclid(DAY_MS);
    let row = (in_day_ms / SLOT_MS) as usize;
    let from_middle = (in_day_ms % SLOT_MS) as f64 / SLOT_MS as f64 - 0.5;
    let next = if from_middle < 0.0 { (row + SLOTS - 1) % SLOTS } else { (row + 1) % SLOTS };
    (base + row, base + next, from_middle.abs())
}
