//! Least squares by normal equations, faded and held: the sums stay positive semi-definite whatever comes, the prior never
//! fades, and each solution is made anew, so that no rounding error lives longer than the memory. (Recursive least squares
//! updates the inverse instead, which winds up when nothing new comes and drifts with every rounding.)

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// A pivot below this share of its diagonal is taken to be 0: the feature says nothing that those before it do not.
const LEAST_PIVOT: f64 = 1e-9;

/// Sums of the products of features: the left side.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Products(Array2<f64>);

/// Sums of the products of features and targets: the right side.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Targets(Array1<f64>);

/// A factor of the left side and its prior, ready to solve.
pub(super) struct Factor {
    lower: Array2<f64>,
    prior: Array1<f64>,
}

impl Products {
    /// Of so many features.
    pub(super) fn new(features: usize) -> Self {
        Products(Array2::zeros((features, features)))
    }

    /// Adds a row of features with a weight. Only the lower triangle is kept.
    pub(super) fn add(&mut self, x: &[f32], weight: f32) {
        for (mut row, &xi) in self.0.rows_mut().into_iter().zip(x) {
            let xi = f64::from(weight * xi);
            if let Some(row) = row.as_slice_mut() {
                for (sum, &xj) in row.iter_mut().zip(x) {
                    *sum += xi * f64::from(xj);
                }
            }
        }
    }

    pub(super) fn fade(&mut self, keep: f64) {
        self.0 *= keep;
    }

    /// The factor with a prior of so many rows on every feature, each in units of its own mean square (the first feature is
    /// the constant).
    pub(super) fn factor(&self, prior_rows: f64, least: f64) -> Factor {
        let rows = self.0[[0, 0]].max(1.0);
        let diagonal = self.0.diag();
        let prior = diagonal.mapv(|square| (prior_rows * square / rows).max(least));
        let mut lower = self.0.clone();
        for row in 0..lower.nrows() {
            lower[[row, row]] += prior[row];
        }
        cholesky(&mut lower);
        Factor { lower, prior }
    }
}

impl Targets {
    /// Of so many features.
    pub(super) fn new(features: usize) -> Self {
        Targets(Array1::zeros(features))
    }

    /// The value of a fit by its gain.
    pub(super) fn dot(&self, gain: &[f64]) -> f64 {
        self.0.iter().zip(gain).map(|(target, gain)| target * gain).sum()
    }

    /// Adds a row of features and its target.
    pub(super) fn add(&mut self, x: &[f32], target: f32) {
        for (sum, &x) in self.0.iter_mut().zip(x) {
            *sum += f64::from(x) * f64::from(target);
        }
    }

    pub(super) fn fade(&mut self, keep: f64) {
        self.0 *= keep;
    }
}

impl Factor {
    /// Coefficients that fit the targets, held by the prior to `expected`.
    pub(super) fn solve(&self, targets: &Targets, expected: impl Fn(usize) -> f64) -> Vec<f32> {
        let sides = targets.0.iter().zip(&self.prior).enumerate();
        let solved = self.divide(sides.map(|(i, (target, prior))| target + prior * expected(i)).collect());
        solved.into_iter().map(|c| c as f32).collect()
    }

    /// What, multiplied by any targets, is the value of their fit at `x`: for many targets, one solution.
    pub(super) fn gain(&self, x: &[f32]) -> Vec<f64> {
        self.divide(x.iter().map(|x| f64::from(*x)).collect())
    }

    fn divide(&self, mut c: Vec<f64>) -> Vec<f64> {
        let n = self.lower.nrows();
        for i in 0..n {
            let known: f64 = (0..i).map(|j| self.lower[[i, j]] * c[j]).sum();
            c[i] = divided(c[i] - known, self.lower[[i, i]]);
        }
        for i in (0..n).rev() {
            let known: f64 = (i + 1..n).map(|j| self.lower[[j, i]] * c[j]).sum();
            c[i] = divided(c[i] - known, self.lower[[i, i]]);
        }
        c
    }
}

fn divided(value: f64, pivot: f64) -> f64 {
    if pivot > 0.0 { value / pivot } else { 0.0 }
}

/// Factors the lower triangle in place (Golub and Van Loan, Matrix Computations, 4.2). Pivots that vanish stay 0.
fn cholesky(a: &mut Array2<f64>) {
    for i in 0..a.nrows() {
        let whole = a[[i, i]];
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| a[[i, k]] * a[[j, k]]).sum();
            let left = a[[i, j]] - known;
            a[[i, j]] = match j == i {
                true if left > LEAST_PIVOT * whole => left.sqrt(),
                true => 0.0,
                false => divided(left, a[[j, j]]),
            };
        }
    }
}
