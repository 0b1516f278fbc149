//! The spread of forecast errors: two quantiles tracked online by stochastic gradient on the pinball loss.

use serde::{Deserialize, Serialize};

/// The 80 % interval lies between these quantiles.
const LOW: f64 = 0.1;
const HIGH: f64 = 0.9;
/// Distance of the 90 % quantile of a normal distribution from its mean, in standard deviations.
const NORMAL_90: f64 = 1.2816;
/// Step of a quantile at each error, as a share of the interval's width.
const STEP: f64 = 0.05;
const NARROWEST: f64 = 0.01;

/// Errors of a lead time, as shares of the free-flow speed.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Interval {
    low: f64,
    high: f64,
}

impl Interval {
    pub(super) fn new(lead_min: u16) -> Self {
        let width = 0.04 * (f64::from(lead_min) / 5.0).sqrt();
        Interval { low: -width, high: width }
    }

    pub(super) fn update(&mut self, error: f64) {
        let step = STEP * (self.high - self.low).max(NARROWEST);
        self.low += step * if error < self.low { LOW - 1.0 } else { LOW };
        self.high += step * if error < self.high { HIGH - 1.0 } else { HIGH };
        self.low = self.low.min(self.high - NARROWEST);
    }

    pub(super) fn low(&self) -> f64 {
        self.low
    }

    pub(super) fn high(&self) -> f64 {
        self.high
    }

    /// Probability that an error lies below `bound`, as if errors were normal with this interval.
    pub(super) fn below(&self, bound: f64) -> f64 {
        let middle = (self.low + self.high) / 2.0;
        let deviation = (self.high - self.low) / (2.0 * NORMAL_90);
        normal_below((bound - middle) / deviation)
    }
}

/// Distribution function of the standard normal by the logistic approximation of Bowling et al. (2009), within 0.0002.
fn normal_below(z: f64) -> f64 {
    1.0 / (1.0 + (-(0.07056 * z.powi(3) + 1.5976 * z)).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_find_their_share_of_errors() {
        let mut interval = Interval::new(5);
        let errors: Vec<f64> = (0..20_000u64).map(|i| (i * 7_919 % 1_000) as f64 / 1_000.0 - 0.3).collect();
        errors.iter().for_each(|e| interval.update(*e));
        let inside = errors.iter().filter(|e| (interval.low()..interval.high()).contains(*e)).count();
        assert!(
            (0.75..0.85).contains(&(inside as f64 / errors.len() as f64)),
            "{} {} {inside}",
            interval.low(),
            interval.high()
        );
    }

    #[test]
    fn normal_below_is_the_normal_distribution() {
        for (z, p) in [(0.0, 0.5), (1.2816, 0.9), (-1.6449, 0.05), (2.3263, 0.99)] {
            assert!((normal_below(z) - p).abs() < 5e-4, "{z}");
        }
    }
}
