//! Calls expected by patrol grid and hour of the week, learned from the calls as they come.
//!
//! A grid's calls in one hour of the week are few: they are drawn to the grid's mean over all hours, and that to the mean of
//! all grids, the more the less was seen. So it is sensible from the first call on, and before it all grids are alike. What
//! was counted in an hour fades by an eighth each week.

use serde::{Deserialize, Serialize};

use crate::event::Priority;

/// Hours of a week.
const HOURS: usize = 168;
/// What a call counts, by priority, 1/1000: those that 8 min matter to count most, and the others still tell where people are.
const WEIGHT_MILLI: [u32; 3] = [4_000, 2_000, 1_000];
/// Each week that part of what an hour has counted is forgotten.
const FADES: u32 = 8;
/// An hour of the week counts as if the grid's mean had been seen for so long besides, 1/1000 h.
const HOUR_PRIOR: u64 = 8_000;
/// A grid counts as if the mean of all grids had been seen for so long besides, 1/1000 h.
const GRID_PRIOR: u64 = 12_000;
/// All grids together count as if such a call had been seen in an hour besides, 1/1000.
const PRIOR: u64 = 1_000;
const MICRO: u64 = 1_000_000;

/// What was learned of a number of grids.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallRates {
    /// Weighted calls by grid, and for each by hour of the week, 1/1000.
    counts: Vec<u32>,
    /// For how long each hour of the week was watched, 1/1000 h.
    watched: Vec<u32>,
    /// The hour that was begun last, since the epoch in local time.
    hour: Option<i64>,
}

impl CallRates {
    /// Makes room for so many grids. Those of another number are learned anew.
    pub fn fit(&mut self, grids: usize) {
        if self.counts.len() != grids * HOURS {
            *self = CallRates { counts: vec![0; grids * HOURS], watched: vec![0; HOURS], hour: None };
        }
    }

    /// An hour is watched; said again within it, it changes nothing.
    pub fn watch(&mut self, local_hour: i64) {
        if self.hour == Some(local_hour) {
            return;
        }
        self.hour = Some(local_hour);
        let hour = hour_of_week(local_hour);
        self.counts.iter_mut().skip(hour).step_by(HOURS).for_each(|count| *count -= *count / FADES);
        if let Some(watched) = self.watched.get_mut(hour) {
            *watched += 1_000 - *watched / FADES;
        }
    }

    /// A call was raised in a grid, in the hour that is watched.
    pub fn count(&mut self, grid: usize, priority: Priority) {
        let hour = hour_of_week(self.hour.unwrap_or_default());
        if let Some(count) = self.counts.get_mut(grid * HOURS + hour) {
            *count = count.saturating_add(WEIGHT_MILLI[priority as usize]);
        }
    }

    /// What is expected in each grid in an hour, weighted calls, 1/1,000,000. None is without.
    pub fn expected(&self, local_hour: i64) -> Vec<u64> {
        let hour = hour_of_week(local_hour);
        let grids = (self.counts.len() / HOURS).max(1) as u64;
        let watched: u64 = self.watched.iter().copied().map(u64::from).sum();
        let of_grid = |counts: &[u32]| counts.iter().copied().map(u64::from).sum::<u64>();
        let mean = (of_grid(&self.counts) + PRIOR) * MICRO / ((watched + 1_000) * grids);
        let hour_watched = self.watched.get(hour).copied().map_or(0, u64::from);
        let expected = |counts: &[u32]| {
            let of_grid = (of_grid(counts) * MICRO + GRID_PRIOR * mean) / (watched + GRID_PRIOR);
            let of_hour = u64::from(counts[hour]) * MICRO + HOUR_PRIOR * of_grid;
            (of_hour / (hour_watched + HOUR_PRIOR)).max(1)
        };
        self.counts.chunks_exact(HOURS).map(expected).collect()
    }
}

fn hour_of_week(local_hour: i64) -> usize {
    local_hour.rem_euclid(HOURS as i64) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched(calls: &[(i64, usize, Priority)]) -> CallRates {
        let mut rates = CallRates::default();
        rates.fit(3);
        calls.iter().for_each(|(hour, grid, priority)| {
            rates.watch(*hour);
            rates.count(*grid, *priority);
        });
        rates
    }

    #[test]
    fn before_the_first_call_all_grids_are_alike() {
        let expected = watched(&[]).expected(7);
        assert!(expected[0] > 0 && expected.iter().all(|of| *of == expected[0]), "{expected:?}");
    }

    #[test]
    fn urgent_calls_count_most_and_no_grid_is_forgotten() {
        let expected = watched(&[(0, 0, Priority::A), (0, 1, Priority::C)]).expected(0);
        assert!(expected[0] > expected[1] && expected[1] > expected[2] && expected[2] > 0, "{expected:?}");
    }

    #[test]
    fn an_hour_of_the_week_is_told_apart_once_it_was_seen_for_weeks() {
        let calls: Vec<_> = (0..10).flat_map(|week| [(week * 168 + 3, 0), (week * 168 + 9, 1)]).collect();
        let rates = watched(&calls.iter().map(|(hour, grid)| (*hour, *grid, Priority::B)).collect::<Vec<_>>());
        let (at_3, at_9) = (rates.expected(10 * 168 + 3), rates.expected(10 * 168 + 9));
        assert!(at_3[0] > at_3[1] && at_9[1] > at_9[0], "{at_3:?} {at_9:?}");
    }

    #[test]
    fn what_is_long_ago_fades() {
        let mut rates = watched(&[(0, 0, Priority::A)]);
        let before = rates.expected(0);
        (1..20).for_each(|week| rates.watch(week * 168));
        let after = rates.expected(0);
        assert!(after[0] * 5 < before[0], "{before:?} {after:?}");
    }
}
