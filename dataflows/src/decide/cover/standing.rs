//! The value of where units stand: MEXCLP (Daskin 1983). A unit at hand will be busy with probability q when the next call comes, so
//! the kth unit that reaches a grid in time adds demand * (1 - q) * q^(k-1).
//!
//! Reaching in time is judged at several times up to the target, and the value is their mean: a unit that could be there in
//! four minutes is worth more than one that would just make it, for a call has waited before a unit is sent.

use super::Rules;

/// Shares are counted in such parts.
pub(super) const PPM: u64 = 1_000_000;

/// Drive times between grids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    grids: usize,
    drive_ms: Vec<u32>,
}

impl Reach {
    /// From each grid (row) to each, ms, row by row.
    pub fn new(grids: usize, drive_ms: Vec<u32>) -> Self {
        debug_assert_eq!(drive_ms.len(), grids * grids);
        Reach { grids, drive_ms }
    }

    /// How many grids there are.
    pub fn grids(&self) -> usize {
        self.grids
    }

    /// From one to another, ms.
    pub fn drive_ms(&self, from: usize, to: usize) -> u32 {
        self.drive_ms[from * self.grids + to]
    }
}

/// Where units stand, and what that is worth.
pub(super) struct Standing<'a> {
    rules: &'a Rules,
    reach: &'a Reach,
    demand: &'a [u64],
    total: u64,
    /// For each time (ring) and grid, units that reach it.
    units: Vec<usize>,
    /// What one more unit adds where so many reach already, 1/1,000,000.
    adds: Vec<u64>,
}

/// What a move gains: demand times 1/1,000,000.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Gain {
    /// By the mean of all rings.
    pub(super) value: i64,
    /// Of what is reached within the target.
    pub(super) in_time: i64,
}

impl<'a> Standing<'a> {
    /// Units at these grids.
    pub(super) fn new(rules: &'a Rules, reach: &'a Reach, demand: &'a [u64], busy_ppm: u64, at: &[usize]) -> Self {
        let busy_ppm = busy_ppm.min(PPM);
        let next = |q_k: &u64| Some(q_k * busy_ppm / PPM);
        let powers = std::iter::successors(Some(PPM), next).take(at.len() + 1);
        let adds = powers.map(|q_k| q_k * (PPM - busy_ppm) / PPM).collect();
        let units = vec![0; rules.rings_ms.len() * reach.grids()];
        let mut standing = Standing { rules, reach, demand, total: demand.iter().sum(), units, adds };
        let mut of_grid = vec![0; reach.grids()];
        at.iter().for_each(|grid| of_grid[*grid] += 1);
        let manned = of_grid.into_iter().enumerate().filter(|(_, units)| *units > 0);
        manned.for_each(|(grid, units)| standing.put(grid, units));
        standing
    }

    fn put(&mut self, at: usize, units: usize) {
        let grids = self.reach.grids();
        for (ring, within_ms) in self.rules.rings_ms.iter().enumerate() {
            for to in 0..grids {
                self.units[ring * grids + to] += units * usize::from(self.reach.drive_ms(at, to) <= *within_ms);
            }
        }
    }

    fn take(&mut self, at: usize) {
        let grids = self.reach.grids();
        for (ring, within_ms) in self.rules.rings_ms.iter().enumerate() {
            for to in 0..grids {
                self.units[ring * grids + to] -= usize::from(self.reach.drive_ms(at, to) <= *within_ms);
            }
        }
    }

    /// A unit goes from one grid to another.
    pub(super) fn shift(&mut self, from: usize, to: usize) {
        self.take(from);
        self.put(to, 1);
    }

    /// Share of the demand that is reached within the target, 1/1,000,000.
    pub(super) fn covered_ppm(&self) -> u64 {
        let add = |sum: &mut u64, adds: &u64| Some(std::mem::replace(sum, *sum + adds));
        let add_up_to: Vec<u64> = self.adds.iter().chain([&0]).scan(0, add).collect();
        let reached = |(units, demand): (&usize, &u64)| demand * add_up_to[*units];
        self.in_time().iter().zip(self.demand).map(reached).sum::<u64>() / self.total.max(1)
    }

    /// For each grid, units that reach it within the target.
    fn in_time(&self) -> &[usize] {
        &self.units[(self.rules.rings_ms.len() - 1) * self.reach.grids()..]
    }

    /// What one more unit at a grid would gain within the target, as a share of all demand, 1/1,000,000: no unit that comes from
    /// elsewhere gains more, for it leaves something.
    pub(super) fn most_gain_ppm(&self, at: usize) -> u64 {
        let within_ms = self.rules.rings_ms.last().copied().unwrap_or_default();
        let of_grid = |(grid, (units, demand)): (usize, (&usize, &u64))| {
            if self.reach.drive_ms(at, grid) <= within_ms { demand * self.adds[*units] } else { 0 }
        };
        self.in_time().iter().zip(self.demand).enumerate().map(of_grid).sum::<u64>() / self.total.max(1)
    }

    /// What it gains if a unit at `from` stood at `to`.
    pub(super) fn gain(&self, from: usize, to: usize) -> Gain {
        let rings = &self.rules.rings_ms;
        let of_ring = |(ring, within_ms): (usize, &u32)| self.gain_of_ring(ring, *within_ms, from, to);
        let gains: Vec<i64> = rings.iter().enumerate().map(of_ring).collect();
        let value = gains.iter().sum::<i64>() / rings.len().max(1) as i64;
        Gain { value, in_time: gains.last().copied().unwrap_or_default() }
    }

    fn gain_of_ring(&self, ring: usize, within_ms: u32, from: usize, to: usize) -> i64 {
        let grids = self.reach.grids();
        let of_grid = |grid: usize| {
            let units = self.units[ring * grids + grid];
            let reaches = [from, to].map(|at| self.reach.drive_ms(at, grid) <= within_ms);
            match reaches {
                [true, false] => -((self.demand[grid] * self.adds[units - 1]) as i64),
                [false, true] => (self.demand[grid] * self.adds[units]) as i64,
                _ => 0,
            }
        };
        (0..grids).map(of_grid).sum()
    }

    /// A gain as a share of all demand, 1/1,000,000.
    pub(super) fn share_ppm(&self, gain: i64) -> i64 {
        gain / self.total.max(1) as i64
    }
}
