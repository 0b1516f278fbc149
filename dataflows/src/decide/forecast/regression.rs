//! Recursive least squares with forgetting (Ljung, System Identification, 11.2), kept symmetric and bounded.

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::FEATURES;

/// Weight of a minute an hour later is this to the 60th power.
const FORGETTING: f64 = 0.9998;
/// Variance of a coefficient before anything was seen.
const FIRST_VARIANCE: f64 = 0.1;
/// Forgetting stops while the covariance is larger than this: a silent feature must not wind it up.
const LARGEST_TRACE: f64 = 5.0;

/// A linear model of the residual at one lead time.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Regression {
    coefficients: Array1<f64>,
    covariance: Array2<f64>,
}

impl Regression {
    /// Before anything is learned a residual fades with the lead.
    pub(super) fn new(lead_min: u16) -> Self {
        let mut coefficients = Array1::zeros(FEATURES);
        coefficients[1] = 0.9f64.powf(f64::from(lead_min) / 5.0);
        Regression { coefficients, covariance: Array2::eye(FEATURES) * FIRST_VARIANCE }
    }

    pub(super) fn predict(&self, features: &Array1<f64>) -> f64 {
        self.coefficients.dot(features)
    }

    /// Learns from what came true; returns the error of the prediction before.
    pub(super) fn update(&mut self, features: &Array1<f64>, truth: f64) -> f64 {
        let error = truth - self.predict(features);
        let spread = self.covariance.dot(features);
        let forgetting = if self.covariance.diag().sum() < LARGEST_TRACE { FORGETTING } else { 1.0 };
        let scale = forgetting + features.dot(&spread);
        self.coefficients.scaled_add(error / scale, &spread);
        for row in 0..FEATURES {
            for column in row..FEATURES {
                let value = (self.covariance[[row, column]] - spread[row] * spread[column] / scale) / forgetting;
                self.covariance[[row, column]] = value;
                self.covariance[[column, row]] = value;
            }
        }
        error
    }
}
