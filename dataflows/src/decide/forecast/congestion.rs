//! How likely a free series is to be congested at a time: a logistic regression over a region's series, of what the
//! distribution of errors says, how often the series is congested at that time of day, and how the region stands today.
//! Its coefficients are those of iterated least squares, each observation weighed as it was first seen (a Kalman filter of
//! the logistic model: Fahrmeir and Tutz, Multivariate Statistical Modelling, 2001, 8.3), so that it is learned by the same
//! faded sums as all else.

use serde::{Deserialize, Serialize};

use super::features::cut;
use super::normal::{Products, Targets};

/// Features of the regression; the second is the logit of the distribution's probability.
const FEATURES: usize = 13;
const LOGIT: usize = 1;
/// Rows' worth of doubt in a coefficient, and the least of it.
const PRIOR_ROWS: f64 = 30.0;
const LEAST_PRIOR: f64 = 1.0;
/// The least an observation weighs: one that was taken for certain also teaches.
const LEAST_WEIGHT: f32 = 1e-4;
/// Probabilities are not told nearer to 0 and 1.
const CERTAIN: f32 = 1e-4;

/// What is known of a free series and its region.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Signs {
    /// Probability by the distribution of errors.
    pub likely: f32,
    /// From the bound up to the value that is expected, in expected errors.
    pub margin: f32,
    /// How often the series is congested at the time that is forecast.
    pub usual: f32,
    /// Its residual, that of the nearest few, of all that are near, and of the region.
    pub residuals: [f32; 4],
    /// The region's.
    pub region: Region,
    /// How often the region's series are congested at the time that is forecast.
    pub region_usual: f32,
}

/// A region at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Region {
    /// Share of series that are congested.
    pub congested: f32,
    /// Share that usually is.
    pub usual: f32,
}

/// The regression at one horizon.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Congestion {
    products: Products,
    targets: Targets,
    coefficients: Vec<f32>,
}

impl Signs {
    fn features(&self) -> [f32; FEATURES] {
        let more = self.region.congested - self.region.usual;
        let [a, b, c, d] = self.residuals.map(|residual| cut(residual) * self.usual);
        [
            1.0,
            logit(self.likely),
            cut(self.margin),
            logit(self.usual),
            self.usual,
            more,
            more * self.usual,
            self.region.congested,
            self.region_usual,
            a,
            b,
            c,
            d,
        ]
    }
}

impl Congestion {
    pub(super) fn new() -> Self {
        let mut new =
            Congestion { products: Products::new(FEATURES), targets: Targets::new(FEATURES), coefficients: Vec::new() };
        new.solve();
        new
    }

    /// Learns whether a series that was free came to be congested.
    pub(super) fn learn(&mut self, signs: &Signs, came: bool) {
        let x = signs.features();
        let score = self.score(&x);
        let probability = logistic(score);
        let weight = (probability * (1.0 - probability)).max(LEAST_WEIGHT);
        self.products.add(&x, weight);
        self.targets.add(&x, weight * score + f32::from(u8::from(came)) - probability);
    }

    pub(super) fn fade(&mut self, keep: f64) {
        self.products.fade(keep);
        self.targets.fade(keep);
    }

    /// Draws the coefficients from what was learned; the distribution is believed before.
    pub(super) fn solve(&mut self) {
        let factor = self.products.factor(PRIOR_ROWS, |_| LEAST_PRIOR);
        self.coefficients = factor.solve(&self.targets, |row| if row == LOGIT { 1.0 } else { 0.0 });
    }

    /// Probability that a free series will be congested.
    pub(super) fn probability(&self, signs: &Signs) -> f32 {
        logistic(self.score(&signs.features())).clamp(CERTAIN, 1.0 - CERTAIN)
    }

    fn score(&self, x: &[f32; FEATURES]) -> f32 {
        self.coefficients.iter().zip(x).map(|(c, x)| c * x).sum::<f32>().clamp(-20.0, 20.0)
    }
}

fn logit(probability: f32) -> f32 {
    let p = probability.clamp(CERTAIN, 1.0 - CERTAIN);
    (p / (1.0 - p)).ln()
}

fn logistic(score: f32) -> f32 {
    1.0 / (1.0 + (-score).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A series that is congested as usual, but seldom while the region is free.
    fn day(row: u64) -> (Signs, bool) {
        let usual = if row.is_multiple_of(2) { 0.5 } else { 0.05 };
        let congested = if (row / 2).is_multiple_of(2) { 0.4 } else { 0.1 };
        let region = Region { congested, usual: 0.25 };
        let chance = usual * if congested > 0.2 { 1.4 } else { 0.6 };
        let came = (row * 7_919 % 1_000) as f32 / 1_000.0 < chance;
        (Signs { likely: 0.1, usual, region, region_usual: 0.25, ..Signs::default() }, came)
    }

    #[test]
    fn the_distribution_is_believed_before_anything_was_learned() {
        let congestion = Congestion::new();
        for likely in [0.01, 0.3, 0.9] {
            let told = congestion.probability(&Signs { likely, ..Signs::default() });
            assert!((told - likely).abs() < 1e-3, "{told}");
        }
    }

    #[test]
    fn probabilities_come_true() {
        let mut congestion = Congestion::new();
        let (mut told, mut came, mut count) = ([0.0; 4], [0.0; 4], [0.0; 4]);
        for row in 0..40_000 {
            let (signs, comes) = day(row);
            if row > 20_000 {
                let kind = row as usize % 4;
                told[kind] += congestion.probability(&signs);
                came[kind] += f32::from(u8::from(comes));
                count[kind] += 1.0;
            }
            congestion.learn(&signs, comes);
            if row % 50 == 0 {
                congestion.fade(0.999);
                congestion.solve();
            }
        }
        for kind in 0..4 {
            let (told, came) = (told[kind] / count[kind], came[kind] / count[kind]);
            assert!((told - came).abs() < 0.03, "{kind}: told {told}, came {came}");
        }
    }

    #[test]
    fn what_never_comes_is_told_as_such_for_months() {
        let mut congestion = Congestion::new();
        for row in 0..200_000 {
            congestion.learn(&Signs { likely: 1e-6, ..Signs::default() }, false);
            if row % 100 == 0 {
                congestion.fade(0.99);
                congestion.solve();
            }
        }
        let told = congestion.probability(&Signs { likely: 1e-6, ..Signs::default() });
        assert!((0.0..0.001).contains(&told), "{told}");
    }
}
