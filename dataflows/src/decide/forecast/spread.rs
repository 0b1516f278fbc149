//! How far truths lie from forecasts: the distribution of a region's scaled errors, and each series' own quantiles of them.

use serde::{Deserialize, Serialize};

/// Scaled errors are counted from -[`REACH`] to +[`REACH`].
const REACH: f32 = 12.0;
pub(super) const BINS: usize = 240;
const BIN: f32 = 2.0 * REACH / BINS as f32;
/// Error counts a distribution starts with, as if it were normal.
const PRIOR: f32 = 50.0;

/// Probabilities of the four quantiles that intervals end at: 95 % low, 80 % low, 80 % high, 95 % high.
const ENDS: [f32; 4] = [0.025, 0.1, 0.9, 0.975];
/// How far a quantile moves at a miss, in standard scales, while few errors were seen and once many were.
const FIRST_STEP: f32 = 0.5;
const LAST_STEP: f32 = 0.03;
/// Errors after which misses below are averaged no further back.
const MEMORY: f32 = 300.0;

/// A faded histogram of scaled errors.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Distribution {
    counts: Vec<f32>,
    total: f32,
}

impl Default for Distribution {
    fn default() -> Self {
        // Errors are scaled by their expected size, so a normal one has deviation sqrt(pi / 2).
        let density = |bin: usize| {
            let z = (BIN * (bin as f32 + 0.5) - REACH) / 1.2533;
            (-0.5 * z * z).exp()
        };
        let mut counts: Vec<f32> = (0..BINS).map(density).collect();
        let sum: f32 = counts.iter().sum();
        counts.iter_mut().for_each(|n| *n *= PRIOR / sum);
        Distribution { counts, total: PRIOR }
    }
}

impl Distribution {
    pub(super) fn learn(&mut self, error: f32) {
        let bin = ((error + REACH) / BIN).clamp(0.0, BINS as f32 - 1.0) as usize;
        self.counts[bin] += 1.0;
        self.total += 1.0;
    }

    pub(super) fn fade(&mut self, keep: f32) {
        self.counts.iter_mut().for_each(|n| *n *= keep);
        self.total *= keep;
    }

    /// Its quantiles at the ends of the intervals.
    pub(super) fn ends(&self) -> [f32; 4] {
        ENDS.map(|p| self.quantile(p))
    }

    fn quantile(&self, p: f32) -> f32 {
        let mut left = p * self.total;
        for (bin, n) in self.counts.iter().enumerate() {
            if left <= *n && *n > 0.0 {
                return BIN * (bin as f32 + left / n) - REACH;
            }
            left -= n;
        }
        REACH
    }

    /// The running sums, to ask for many probabilities.
    pub(super) fn cumulative(&self) -> Cumulative {
        let mut below = 0.0;
        let sums = self.counts.iter().map(|n| {
            below += n;
            below / self.total.max(f32::EPSILON)
        });
        Cumulative(sums.collect())
    }
}

/// Probabilities that an error lies below the upper end of each bin.
pub(super) struct Cumulative(Vec<f32>);

impl Cumulative {
    /// Probability that an error lies below a bound.
    pub(super) fn below(&self, bound: f32) -> f32 {
        let place = (bound + REACH) / BIN;
        if place.is_nan() || place <= 0.0 {
            return 0.0;
        }
        let bin = place as usize;
        if bin >= BINS {
            return 1.0;
        }
        let first = if bin == 0 { 0.0 } else { self.0[bin - 1] };
        (first + (place - bin as f32) * (self.0[bin] - first)).clamp(0.0, 1.0)
    }
}

/// The ends of a series' intervals, as scaled errors, tracked so that each is missed as often as it may be (Gibbs and
/// Candes, Adaptive conformal inference under distribution shift, 2021, on the quantile itself). Where values cannot fall
/// below an interval, as at zero, all misses are to be above it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Ends {
    ends: [f32; 4],
    /// Share of truths below the interval's lower end as it was told, 95 % and 80 %.
    missed_below: [f32; 2],
    seen: f32,
}

impl Ends {
    /// Learns a scaled error; `below`: whether the truth lay below the told 95 % and 80 % intervals.
    pub(super) fn learn(&mut self, error: f32, below: [bool; 2], of_all: &[f32; 4]) {
        if self.seen == 0.0 {
            self.ends = *of_all;
            self.missed_below = [ENDS[0], ENDS[1]];
        }
        self.seen += 1.0;
        let step = (FIRST_STEP / self.seen.sqrt()).max(LAST_STEP);
        let memory = (self.seen + 30.0).min(MEMORY);
        for (rate, below) in self.missed_below.iter_mut().zip(below) {
            *rate += (f32::from(u8::from(below)) - *rate) / memory;
        }
        let [below95, below80] = self.missed_below;
        let wanted = [ENDS[0], ENDS[1], 1.0 - (0.2 - below80).max(0.0), 1.0 - (0.05 - below95).max(0.0)];
        for (end, p) in self.ends.iter_mut().zip(wanted) {
            *end = (*end + step * if error < *end { p - 1.0 } else { p }).clamp(-REACH, REACH);
        }
        self.ends[1] = self.ends[1].max(self.ends[0]);
        self.ends[2] = self.ends[2].max(self.ends[1]);
        self.ends[3] = self.ends[3].max(self.ends[2]);
    }

    /// The ends; those of all series before anything was learned.
    pub(super) fn ends(&self, of_all: &[f32; 4]) -> [f32; 4] {
        if self.seen == 0.0 { *of_all } else { self.ends }
    }
}

/// How wide a region's intervals are to be beside what its series' quantiles say: quantiles are slow to narrow, and all series
/// err together on an odd day.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Widths {
    log: [f32; 2],
    missed: [f32; 2],
    count: f32,
}

/// How much a width moves when all forecasts of a row miss as often again as they may.
const WIDTH_STEP: f32 = 0.02;
const WIDEST: f32 = 1.5;

impl Widths {
    /// The factors of the 95 % and the 80 % interval.
    pub(super) fn factors(&self) -> [f32; 2] {
        self.log.map(f32::exp)
    }

    /// Counts a truth outside the told 95 % and 80 % intervals, or within them.
    pub(super) fn count(&mut self, missed: [bool; 2]) {
        self.count += 1.0;
        for (sum, missed) in self.missed.iter_mut().zip(missed) {
            *sum += f32::from(u8::from(missed));
        }
    }

    /// Learns from what was counted in a row.
    pub(super) fn learn(&mut self) {
        if self.count > 0.0 {
            for ((log, missed), may) in self.log.iter_mut().zip(self.missed).zip([0.05, 0.2]) {
                *log = (*log + WIDTH_STEP * (missed / self.count / may - 1.0)).clamp(-WIDEST, WIDEST);
            }
        }
        *self = Widths { log: self.log, ..Widths::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors() -> impl Iterator<Item = f32> {
        (0..20_000u64).map(|i| (i * 7_919 % 1_000) as f32 / 250.0 - 1.2)
    }

    #[test]
    fn ends_are_missed_as_often_as_they_may_be() {
        let (mut ends, first) = (Ends::default(), Distribution::default().ends());
        let (mut within80, mut within95, mut n) = (0, 0, 0);
        for (row, e) in errors().enumerate() {
            let [a, b, c, d] = ends.ends(&first);
            if row > 1_000 {
                n += 1;
                within80 += i32::from((b..=c).contains(&e));
                within95 += i32::from((a..=d).contains(&e));
            }
            ends.learn(e, [e < a, e < b], &first);
        }
        let share = |within: i32| f64::from(within) / f64::from(n);
        assert!((share(within80) - 0.8).abs() < 0.01 && (share(within95) - 0.95).abs() < 0.01);
    }

    #[test]
    fn what_cannot_be_missed_below_is_missed_above() {
        let (mut ends, first) = (Ends::default(), Distribution::default().ends());
        let mut within = 0;
        for e in errors().map(|e| e.max(-0.5)) {
            let [_, low, high, _] = ends.ends(&first);
            let low = low.max(-0.5); // as a value that cannot be below 0
            within += i32::from((low..=high).contains(&e));
            ends.learn(e, [false, e < low], &first);
        }
        assert!((f64::from(within) / 20_000.0 - 0.8).abs() < 0.01, "{within}");
    }

    #[test]
    fn a_distribution_tells_probabilities_and_quantiles() {
        let mut all = Distribution::default();
        errors().for_each(|e| all.learn(e));
        let cumulative = all.cumulative();
        assert!((cumulative.below(0.8) - 0.5).abs() < 0.01 && (all.quantile(0.5) - 0.8).abs() < 0.05);
        assert_eq!((cumulative.below(-50.0), cumulative.below(50.0), cumulative.below(f32::NAN)), (0.0, 1.0, 0.0));
        for _ in 0..100_000 {
            all.fade(0.99);
        }
        assert!(all.ends().iter().all(|end| end.is_finite()));
    }
}
