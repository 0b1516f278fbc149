//! How many people are usual at a time of day: mean and spread over days, by quarter of an hour and class of day.

use serde::{Deserialize, Serialize};

use crate::network::City;

/// Quarters of an hour of a day, for working days and for days off.
const SLOTS: usize = 96;
const SLOT_MS: i64 = 900_000;
/// A quarter counts when it was looked at so often.
const LOOKS: u64 = 5;
/// Days that a mean reaches back.
const MEMORY_DAYS: u8 = 8;
/// What lies further off than so many spreads is taken to be no further, ...
const OUTLIER: i64 = 3;
/// ... and in a surge, no further than this: a fair does not become usual, what lasts does in the end.
const OUTLIER_IN_SURGE: i64 = 1;

/// What is usual.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Usual {
    cells: Vec<Cell>,
    /// The quarter that goes on: since when in local time, ms, and what was seen in it so far.
    quarter: Option<Quarter>,
}

#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Cell {
    days: u8,
    mean: u32,
    /// Mean absolute deviation of days from the mean.
    deviation: u32,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct Quarter {
    local_ms: i64,
    sum: u64,
    looks: u64,
}

/// What is usual at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Level {
    /// People.
    pub(super) mean: u32,
    /// Standard deviation of days, wider while few were seen.
    spread: u32,
}

impl Level {
    /// The spread, but no less than counting errors make it: an eighth of the mean, a hundredth of the capacity, 10 people.
    pub(super) fn spread_at_least(&self, capacity: u32) -> u32 {
        self.spread.max(self.mean / 8).max(capacity / 100).max(10)
    }
}

impl Usual {
    /// What is usual at a local time, between the middles of quarters; none where no such quarter has been seen on a day
    /// before. A class of days that has not been seen is taken to be as the other one, with less trust.
    pub(super) fn at(&self, city: &City, local_ms: i64) -> Option<Level> {
        let class = class(city, local_ms);
        let (class, trusted) =
            if self.cell(class, slot(local_ms)).is_some() { (class, true) } else { (1 - class, false) };
        let level = |slot: usize| Some(self.cell(class, slot)?.level(trusted));
        let own = level(slot(local_ms))?;
        let into_ms = local_ms.rem_euclid(SLOT_MS);
        let aside = if into_ms < SLOT_MS / 2 { slot(local_ms - SLOT_MS) } else { slot(local_ms + SLOT_MS) };
        let aside = level(aside).unwrap_or(own);
        let from_middle_ms = (into_ms - SLOT_MS / 2).abs();
        let between = |own: u32, aside: u32| {
            let (own, aside) = (i64::from(own), i64::from(aside));
            (own + (aside - own) * from_middle_ms / SLOT_MS) as u32
        };
        Some(Level { mean: between(own.mean, aside.mean), spread: between(own.spread, aside.spread) })
    }

    /// Learns how many people there are now; `level` is what was usual, with its spread.
    pub(super) fn learn(&mut self, city: &City, local_ms: i64, people: u32, level: Option<(u32, u32)>, surge: bool) {
        let begin = local_ms.div_euclid(SLOT_MS) * SLOT_MS;
        if let Some(over) = self.quarter.take_if(|quarter| quarter.local_ms != begin) {
            self.close(city, over);
        }
        let people = i64::from(people);
        let people = level.map_or(people, |(mean, spread)| {
            let (mean, far) = (i64::from(mean), i64::from(spread) * if surge { OUTLIER_IN_SURGE } else { OUTLIER });
            people.clamp((mean - far).max(0), mean + far)
        });
        let quarter = self.quarter.get_or_insert(Quarter { local_ms: begin, sum: 0, looks: 0 });
        quarter.sum += people as u64;
        quarter.looks += 1;
    }

    fn close(&mut self, city: &City, quarter: Quarter) {
        if quarter.looks < LOOKS {
            return;
        }
        self.cells.resize(2 * SLOTS, Cell::default());
        let row = class(city, quarter.local_ms) * SLOTS + slot(quarter.local_ms);
        self.cells[row].learn((quarter.sum / quarter.looks) as u32);
    }

    fn cell(&self, class: usize, slot: usize) -> Option<&Cell> {
        self.cells.get(class * SLOTS + slot).filter(|cell| cell.days > 0)
    }
}

impl Cell {
    /// What it tells; of another class of days it is trusted as if it were of one day.
    fn level(&self, trusted: bool) -> Level {
        let days = if trusted { u64::from(self.days) } else { 1 };
        // 1.25 mean absolute deviations are one standard deviation of a normal distribution.
        let spread = u64::from(self.deviation) * 5 / 4 + u64::from(self.mean) / (2 * days);
        Level { mean: self.mean, spread: spread as u32 }
    }

    fn learn(&mut self, people: u32) {
        let off = people.abs_diff(self.mean);
        let days = (self.days + 1).min(MEMORY_DAYS);
        (self.mean, self.deviation) = match self.days {
            0 => (people, 0),
            1 => (towards(self.mean, people, 2), off),
            _ => (towards(self.mean, people, days), towards(self.deviation, off, days)),
        };
        self.days = days;
    }
}

/// A part of the way from a value to another, rounded.
fn towards(from: u32, to: u32, parts: u8) -> u32 {
    let (way, parts) = (i64::from(to) - i64::from(from), i64::from(parts));
    (i64::from(from) + (way + way.signum() * parts / 2) / parts) as u32
}

/// 0 for working days, 1 for days off.
fn class(city: &City, local_ms: i64) -> usize {
    usize::from(city.is_off_at(local_ms))
}

fn slot(local_ms: i64) -> usize {
    local_ms.div_euclid(SLOT_MS).rem_euclid(SLOTS as i64) as usize
}
