//! Calls about the same incident: which open call a new one joins, and the calls that are set aside because they joined one
//! or are no patrol's matter.
//!
//! Open calls are found by cells of the size within which they merge, so a new call is compared with those about it that
//! are young enough, however many are open. A call joins only when it is raised: one that was split off is never merged
//! again. The nearest is joined; of those the oldest, then that with the lowest ID.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::event::CallFacts;
use crate::ids::CallId;
use crate::network::{Merging, Point};

/// A call that was referred can be taken back for so long, ms: as long as others that are over are remembered.
const REFERRED_MS: u64 = 24 * 3_600_000;

type Cell = (i32, i32);

/// A call that waits for no unit of its own.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Aside {
    pub(super) facts: CallFacts,
    pub(super) opened_ms: u64,
    /// The call that it joined; none: it was referred.
    pub(super) into: Option<CallId>,
    /// Words said about it so far.
    pub(super) said: u32,
    /// The tick at which it was set aside.
    pub(super) since: Time,
}

/// What is remembered for merging.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Duplicates {
    by_cell: BTreeSet<(Cell, u64, CallId)>,
    places: BTreeMap<CallId, (Point, u64)>,
    aside: BTreeMap<CallId, Aside>,
    referred: BTreeSet<(Time, CallId)>,
    joined: BTreeSet<(CallId, CallId)>,
    withdrawn: BTreeSet<CallId>,
}

impl Duplicates {
    /// A call is open since this time.
    pub(super) fn open(&mut self, call: CallId, at: Point, opened_ms: u64, merging: &Merging) {
        self.forget_place(call, merging);
        if !merging.alike.is_empty() {
            self.by_cell.insert((cell(at, merging), opened_ms, call));
            self.places.insert(call, (at, opened_ms));
        }
    }

    /// An open call has this place now.
    pub(super) fn moved(&mut self, call: CallId, at: Point, merging: &Merging) {
        if let Some((_, opened_ms)) = self.places.get(&call).copied() {
            self.open(call, at, opened_ms, merging);
        }
    }

    /// A call is open no more.
    pub(super) fn forget_place(&mut self, call: CallId, merging: &Merging) {
        if let Some((at, opened_ms)) = self.places.remove(&call) {
            self.by_cell.remove(&(cell(at, merging), opened_ms, call));
        }
    }

    /// Open calls that one at this place and time could join, in the order in which it would: nearest, oldest, lowest ID.
    pub(super) fn about(&self, at: Point, time_ms: u64, merging: &Merging) -> Vec<CallId> {
        let distance = |call: &CallId| self.places.get(call).map(|(place, _)| place.distance_mm(at));
        let near = self
            .young(at, time_ms, merging)
            .filter_map(|(_, opened_ms, call)| Some((distance(call)?, *opened_ms, *call)));
        let mut near: Vec<_> = near.filter(|(mm, ..)| *mm <= merging.distance_mm.into()).collect();
        near.sort_unstable();
        near.into_iter().map(|(.., call)| call).collect()
    }

    /// Open calls in the cells about a place that were raised at about this time.
    fn young(&self, at: Point, time_ms: u64, merging: &Merging) -> impl Iterator<Item = &(Cell, u64, CallId)> {
        let (x, y) = cell(at, merging);
        let (from, to) = (time_ms.saturating_sub(merging.within_ms), time_ms.saturating_add(merging.within_ms));
        let cells = (x - 1..=x + 1).flat_map(move |x| (y - 1..=y + 1).map(move |y| (x, y)));
        cells.flat_map(move |cell| self.by_cell.range((cell, from, CallId(0))..=(cell, to, CallId(u64::MAX))))
    }

    /// A call that is set aside.
    pub(super) fn aside(&self, call: CallId) -> Option<Aside> {
        self.aside.get(&call).copied()
    }

    /// Words said about a call that was set aside; 0 where none was.
    pub(super) fn said(&self, call: CallId) -> u32 {
        self.aside.get(&call).map_or(0, |aside| aside.said)
    }

    /// Sets a call aside; those that were referred long ago are forgotten.
    pub(super) fn set_aside(&mut self, call: CallId, aside: Aside) {
        self.take_back(call);
        self.aside.insert(call, aside);
        match aside.into {
            Some(into) => _ = self.joined.insert((into, call)),
            None => _ = self.referred.insert((aside.since, call)),
        }
        while let Some((_, old)) = self.referred.first().filter(|(at, _)| *at + REFERRED_MS <= aside.since) {
            self.take_back(*old);
        }
    }

    /// Counts one more word about a call that is set aside.
    pub(super) fn say(&mut self, call: CallId) -> Option<Aside> {
        let aside = self.aside.get_mut(&call)?;
        aside.said += 1;
        Some(*aside)
    }

    /// A call is set aside no more.
    pub(super) fn take_back(&mut self, call: CallId) -> Option<Aside> {
        let aside = self.aside.remove(&call)?;
        match aside.into {
            Some(into) => _ = self.joined.remove(&(into, call)),
            None => _ = self.referred.remove(&(aside.since, call)),
        }
        Some(aside)
    }

    /// The calls that joined one.
    pub(super) fn joined(&self, into: CallId) -> Vec<CallId> {
        let of_it = self.joined.range((into, CallId(0))..=(into, CallId(u64::MAX)));
        of_it.map(|(_, call)| *call).collect()
    }

    /// Its own caller withdrew a call. False: that was known.
    pub(super) fn withdraw(&mut self, call: CallId) -> bool {
        self.withdrawn.insert(call)
    }

    /// Whether nobody is left who called about it.
    pub(super) fn is_left(&self, call: CallId) -> bool {
        self.withdrawn.contains(&call) && self.joined(call).is_empty()
    }

    /// A call is over: whether it was withdrawn matters no more.
    pub(super) fn over(&mut self, call: CallId, merging: &Merging) {
        self.forget_place(call, merging);
        self.withdrawn.remove(&call);
    }
}

fn cell(at: Point, merging: &Merging) -> Cell {
    let side_mm = i32::try_from(merging.distance_mm.max(1)).unwrap_or(i32::MAX);
    (at.x_mm.div_euclid(side_mm), at.y_mm.div_euclid(side_mm))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Category, Priority};
    use crate::network::Alike;

    fn merging() -> Merging {
        let alike = vec![Alike { categories: vec![Category::Collision], at_least: Priority::C }];
        Merging { distance_mm: 150_000, within_ms: 600_000, alike }
    }

    fn at_m(x: i32, y: i32) -> Point {
        Point { x_mm: x * 1000, y_mm: y * 1000 }
    }

    #[test]
    fn the_nearest_is_joined_then_the_oldest_then_the_lowest_id() {
        let (mut all, merging) = (Duplicates::default(), merging());
        let calls = [(5, 100, 0, 9), (4, 0, 100, 9), (3, -100, 0, 8), (2, 50, 0, 9), (1, 151, 0, 9), (6, -1, 151, 9)];
        calls.into_iter().for_each(|(id, x, y, opened_ms)| all.open(CallId(id), at_m(x, y), opened_ms, &merging));
        assert_eq!(all.about(at_m(0, 0), 10, &merging), [2, 3, 4, 5].map(CallId));
        all.moved(CallId(1), at_m(1, 1), &merging);
        all.over(CallId(2), &merging);
        assert_eq!(all.about(at_m(0, 0), 10, &merging), [1, 3, 4, 5].map(CallId));
        assert_eq!(all.about(at_m(0, 0), 600_009, &merging), [1, 4, 5].map(CallId), "3 is too old");
    }

    #[test]
    fn the_old_and_the_far_are_never_looked_at() {
        let (mut all, merging) = (Duplicates::default(), merging());
        for id in 0..1_000 {
            all.open(CallId(id), at_m(id as i32 * 200 + 400, 0), 600_000, &merging);
            all.open(CallId(1_000 + id), at_m(0, 0), 0, &merging);
        }
        let looked_at = all.young(at_m(0, 0), 600_001, &merging).count();
        assert_eq!((looked_at, all.about(at_m(0, 0), 600_001, &merging)), (0, vec![]));
    }
}
