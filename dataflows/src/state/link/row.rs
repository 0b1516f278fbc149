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
        let at = self.vehicles.partition_point(|v| !vehicle.is_before(v));
        self.names.insert(at, name);
        self.vehicles.insert(at, vehicle);
    }

    pub(super) fn remove(&mut self, name: VehicleId) -> Option<Present> {
        let at = self.names.iter().position(|n| *n == name)?;
        self.names.remove(at);
        Some(self.vehicles.remove(at))
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

    /// Goes from the front as far as a condition holds.
    pub(super) fn retain_while(
        &mut self,
        goes_on: impl Fn(&Present) -> bool,
        mut keeps: impl FnMut(&mut Present) -> bool,
    ) {
        let end = self.vehicles.iter().position(|v| !goes_on(v)).unwrap_or(self.vehicles.len());
        self.retain_range(0..end, &mut keeps);
    }

    /// Goes over those before another one that have not passed a place, mm before the line.
    pub(super) fn retain_between(&mut self, at_mm: u32, other: &Present, mut keeps: impl FnMut(&mut Present) -> bool) {
        let start = self.vehicles.partition_point(|v| !v.is_behind(at_mm));
        let end = self.vehicles.partition_point(|v| v.is_before(other));
        self.retain_range(start..end.max(start), &mut keeps);
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
