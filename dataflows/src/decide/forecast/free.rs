//! The value of a series when all is free: its 85th percentile, read from a histogram that widens as larger values come.

use serde::{Deserialize, Serialize};

const BINS: usize = 96;
const PERCENTILE: f32 = 0.85;
/// When so many values have been counted all weigh half: the percentile follows a series that changes over months.
const FULL: f32 = 60_000.0;

/// A histogram from 0 on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Free {
    counts: Vec<f32>,
    bin: f32,
    count: f32,
}

impl Free {
    pub(super) fn learn(&mut self, value: f32) {
        let value = value.max(0.0);
        if self.counts.is_empty() {
            self.counts = vec![0.0; BINS];
            self.bin = (2.0 * value / BINS as f32).max(f32::EPSILON);
        }
        while value >= self.bin * BINS as f32 {
            self.widen();
        }
        let last = BINS - 1;
        self.counts[((value / self.bin) as usize).min(last)] += 1.0;
        self.count += 1.0;
        if self.count > FULL {
            self.counts.iter_mut().for_each(|n| *n *= 0.5);
            self.count *= 0.5;
        }
    }

    /// The 85th percentile; 0 before anything was seen.
    pub(super) fn percentile(&self) -> f32 {
        let mut left = PERCENTILE * self.count;
        for (row, n) in self.counts.iter().enumerate() {
            if *n > 0.0 && left <= *n {
                return (row as f32 + left / n) * self.bin;
            }
            left -= n;
        }
        self.bin * self.counts.len() as f32
    }

    fn widen(&mut self) {
        for row in 0..BINS {
            let pair = |n: usize| self.counts.get(n).copied().unwrap_or(0.0);
            self.counts[row] = pair(2 * row) + pair(2 * row + 1);
        }
        self.bin *= 2.0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentile_is_found_whatever_the_scale() {
        for scale in [0.01f32, 1.0, 5_000.0] {
            let mut free = Free::default();
            (0..5_000u32).for_each(|n| free.learn(scale * (n * 7_919 % 1_000) as f32));
            let found = free.percentile() / scale;
            assert!((found - 850.0).abs() < 15.0, "{found}");
        }
        assert_eq!(Free::default().percentile(), 0.0);
        let mut zeros = Free::default();
        (0..9).for_each(|_| zeros.learn(0.0));
        assert!(zeros.percentile() < 1e-3);
        zeros.learn(1e6);
        assert!(zeros.percentile().is_finite());
    }
}
