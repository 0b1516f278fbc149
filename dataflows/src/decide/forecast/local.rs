//! What is particular to a series: a regression of its own on what the region's does not explain.

use serde::{Deserialize, Serialize};

use super::features::OWN;
use super::normal::{Products, Targets};

/// Rows' worth of doubt that a series differs from its region.
const PRIOR_ROWS: f64 = 600.0;
/// The least prior on a feature, in squared spreads: one that was never other than 0 is not to be believed at once.
const LEAST_PRIOR: f64 = 3.0;

/// The regression of a series: one left side, a right side a horizon.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Local {
    products: Products<f32>,
    targets: Vec<Targets<f32>>,
}

impl Local {
    pub(super) fn new(horizons: usize) -> Self {
        Local { products: Products::new(OWN), targets: vec![Targets::new(OWN); horizons] }
    }

    /// Learns the features of a row; what it knew fades.
    pub(super) fn note(&mut self, x: &[f32], keep: f64) {
        self.products.fade(keep);
        self.targets.iter_mut().for_each(|targets| targets.fade(keep));
        self.products.add(x, 1.0);
    }

    /// Learns what the region left unexplained at a horizon, and the features that it was forecast from.
    pub(super) fn learn(&mut self, horizon: usize, x: &[f32], unexplained: f32) {
        self.targets[horizon].add(x, unexplained);
    }

    /// What it adds to the region's forecast, by horizon.
    pub(super) fn forecast(&self, x: &[f32]) -> Vec<f32> {
        let factor = self.products.factor(PRIOR_ROWS, |_| LEAST_PRIOR);
        let gain = factor.gain(x);
        self.targets.iter().map(|targets| targets.dot(&gain) as f32).collect()
    }
}
