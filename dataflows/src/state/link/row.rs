//! The vehicles last seen on one lane, those nearest to the line first.

use serde::{Deserialize, Serialize};

use super::present::Present;
use crate::ids::VehicleId;

/// A few dozen vehicles in the order of their places. Names lie side by side, so that one is found by looking at all.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Row {
    names: Vec<VehicleId>,
    vehicles: Vec<Present>,
}

impl Row {
    /// Adds one behind those that were at its place before it.
    pub(super) fn insert(&mut self, name: VehicleId, vehicle: Present) {
        // Who comes is behind all others, most often.
        let at = self.vehicles.iter().rposition(|v| !vehicle.is_before(v)).map_or(0, |last| last + 1);
        self.names.insert(at, name);
        self.vehicles.insert(at, vehicle);
    }

    pub(super) fn remove(&mut self, name: VehicleId) -> Option<Present> {
        let at = self.names.iter().position(|n| *n == name)?;
        self.names.remove(at);
        Some(self.vehicles.remove(at))
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// Reads each cache line of the names.
    pub(super) fn look(&self) -> usize {
        self.names.iter().step_by(8).fold(0, |sum, name| sum.wrapping_add(name.0 as usize))
    }

    /// Reads one, if it is here. Looks at all names without a branch, which would have to wait for them.
    pub(super) fn look_at(&self, name: VehicleId) -> u64 {
        let at = self.names.iter().enumerate().fold(0, |found, (at, n)| if *n == name { at } else { found });
        self.vehicles.get(at).map_or(0, |vehicle| vehicle.seen_ms)
    }

    /// Where one is in this row, and as what.
    pub(super) fn find(&self, name: VehicleId) -> Option<(usize, Present)> {
        self.names.iter().position(|n| *n == name).map(|at| (at, self.vehicles[at]))
    }

    /// Puts one that was found at `at`, before others left, at the place where it is now: most often it is still between the
    /// same others, and nobody has to move.
    pub(super) fn advance(&mut self, at: usize, name: VehicleId, vehicle: Present) {
        let known = &self.names[..self.names.len().min(at + 1)];
        let Some(at) = known.iter().rposition(|n| *n == name) else { return };
        let follows = at == 0 || !vehicle.is_before(&self.vehicles[at - 1]);
        let leads = self.vehicles.get(at + 1).is_none_or(|next| vehicle.is_before(next));
        if !(follows && leads) {
            self.names.remove(at);
            self.vehicles.remove(at);
            return self.insert(name, vehicle);
        }
        self.vehicles[at] = vehicle;
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Present> {
        self.vehicles.iter()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Present> {
        self.vehicles.iter_mut()
    }

    pub(super) fn retain(&mut self, mut keeps: impl FnMut(&mut Present) -> bool) {
        self.retain_range(0..self.vehicles.len(), &mut keeps);
    }

    /// Goes over those last seen in a time; all have the same place, so that they stand in the order of time.
    pub(super) fn retain_seen(&mut self, seen_ms: std::ops::Range<u64>, mut keeps: impl FnMut(&mut Present) -> bool) {
        let start = self.vehicles.partition_point(|v| v.seen_ms < seen_ms.start);
        let end = self.vehicles.partition_point(|v| v.seen_ms < seen_ms.end);
        self.retain_range(start..end.max(start), &mut keeps);
    }

    /// Goes over those before another one that have not passed a place, mm before the line. `at` is where the other one is in
    /// this row, if it is.
    pub(super) fn retain_between(
        &mut self,
        at_mm: u32,
        other: &Present,
        at: Option<usize>,
        mut keeps: impl FnMut(&mut Present) -> bool,
    ) {
        let before = |end: usize, holds: &dyn Fn(&Present) -> bool| {
            self.vehicles[..end].iter().rposition(|v| !holds(v)).map_or(0, |last| last + 1)
        };
        let end = match at {
            // From where it is: nobody or one is between, most often.
            Some(at) => before(at, &|v| !v.is_before(other)),
            None => self.vehicles.partition_point(|v| v.is_before(other)),
        };
        let start = before(end, &|v| v.is_behind(at_mm));
        self.retain_range(start..end, &mut keeps);
    }

    fn retain_range(&mut self, range: std::ops::Range<usize>, keeps: &mut impl FnMut(&mut Present) -> bool) {
        let mut gone: Vec<usize> = Vec::new();
        for at in range {
            if !keeps(&mut self.vehicles[at]) {
                gone.push(at);
            }
        }
        for at in gone.into_iter().rev() {
            self.names.remove(at);
            self.vehicles.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::draws;

    #[test]
    fn those_between_are_the_same_from_a_known_place_and_from_the_front() {
        let mut random = draws();
        let mut found = 0;
        for _ in 0..2_000 {
            let mut row = Row::default();
            for name in 0..1 + random(12) {
                row.insert(VehicleId(name), Present::new(random(4), random(5) as u32 * 1_000, Some(0), 1));
            }
            let sorted = row.vehicles.is_sorted_by_key(|v| v.order());
            assert!(sorted);
            let (at, at_mm) = (random(row.len() as u64) as usize, random(5) as u32 * 1_000);
            let other = row.vehicles[at];
            let [known, unknown] = [Some(at), None].map(|at| {
                let mut between = Vec::new();
                row.retain_between(at_mm, &other, at, |v| {
                    between.push(*v);
                    true
                });
                between
            });
            assert_eq!(known, unknown);
            found += known.len();
        }
        assert!(found > 1_000, "{found}");
    }
}
