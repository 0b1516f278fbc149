//! Least squares by normal equations, faded and held: the sums stay positive semi-definite whatever comes, the prior never
//! fades, and each solution is made anew, so that no rounding error lives longer than the memory. (Recursive least squares
//! updates the inverse instead, which winds up when nothing new comes and drifts with every rounding.)

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

/// A pivot below this share of its diagonal is taken to be 0: the feature says nothing that those before it do not.
const LEAST_PIVOT: f64 = 1e-9;

/// A number that sums are kept in. Single precision rounds a faded sum by some 1e-5 of itself at most (a thousandth of a row
/// in a thousand), which is less than a prior of some hundred rows hides; sums with a weaker prior are to be double.
pub(super) trait Real: Copy + std::ops::AddAssign + std::ops::MulAssign + Into<f64> {
    /// Nought.
    const ZERO: Self;
    /// The nearest.
    fn near(value: f64) -> Self;
}

impl Real for f64 {
    const ZERO: f64 = 0.0;
    fn near(value: f64) -> f64 {
        value
    }
}

impl Real for f32 {
    const ZERO: f32 = 0.0;
    fn near(value: f64) -> f32 {
        value as f32
    }
}

/// Sums of the products of features: the left side. The lower triangle, row by row.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Products<T = f64> {
    features: usize,
    sums: Vec<T>,
}

/// Sums of the products of features and targets: the right side.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Targets<T = f64>(Vec<T>);

/// A factor of the left side and its prior, ready to solve.
pub(super) struct Factor {
    lower: Array2<f64>,
    prior: Array1<f64>,
}

impl<T: Real> Products<T> {
    /// Of so many features.
    pub(super) fn new(features: usize) -> Self {
        Products { features, sums: vec![T::ZERO; features * (features + 1) / 2] }
    }

    /// Adds a row of features with a weight.
    pub(super) fn add(&mut self, x: &[f32], weight: f32) {
        let mut rest = &mut self.sums[..];
        for (i, &xi) in x.iter().enumerate().take(self.features) {
            let (row, after) = rest.split_at_mut(i + 1);
            rest = after;
            let xi = f64::from(weight * xi);
            for (sum, &xj) in row.iter_mut().zip(x) {
                *sum += T::near(xi * f64::from(xj));
            }
        }
    }

    pub(super) fn fade(&mut self, keep: f64) {
        let keep = T::near(keep);
        self.sums.iter_mut().for_each(|sum| *sum *= keep);
    }

    /// The factor with a prior of so many rows on every feature, each in units of its own mean square (the first feature is
    /// the constant), and by row at least so much.
    pub(super) fn factor(&self, prior_rows: f64, least: impl Fn(usize) -> f64) -> Factor {
        let mut lower = Array2::zeros((self.features, self.features));
        let mut sums = self.sums.iter().map(|sum| (*sum).into());
        for row in 0..self.features {
            for (place, sum) in lower.row_mut(row).iter_mut().take(row + 1).zip(&mut sums) {
                *place = sum;
            }
        }
        let rows = lower.diag().first().map_or(1.0, |rows: &f64| rows.max(1.0));
        let prior: Array1<f64> =
            (0..self.features).map(|row| (prior_rows * lower[[row, row]] / rows).max(least(row))).collect();
        for row in 0..self.features {
            lower[[row, row]] += prior[row];
        }
        cholesky(&mut lower);
        Factor { lower, prior }
    }
}

impl<T: Real> Targets<T> {
    /// Of so many features.
    pub(super) fn new(features: usize) -> Self {
        Targets(vec![T::ZERO; features])
    }

    /// The value of a fit by its gain.
    pub(super) fn dot(&self, gain: &[f64]) -> f64 {
        self.0.iter().zip(gain).map(|(target, gain)| (*target).into() * gain).sum()
    }

    /// Adds a row of features and its target.
    pub(super) fn add(&mut self, x: &[f32], target: f32) {
        for (sum, &x) in self.0.iter_mut().zip(x) {
            *sum += T::near(f64::from(x) * f64::from(target));
        }
    }

    pub(super) fn fade(&mut self, keep: f64) {
        let keep = T::near(keep);
        self.0.iter_mut().for_each(|sum| *sum *= keep);
    }
}

impl Factor {
    /// Coefficients that fit the targets, held by the prior to `expected`.
    pub(super) fn solve<T: Real>(&self, targets: &Targets<T>, expected: impl Fn(usize) -> f64) -> Vec<f32> {
        let sides = targets.0.iter().zip(&self.prior).enumerate();
        let solved = self.divide(sides.map(|(i, (target, prior))| (*target).into() + prior * expected(i)).collect());
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

#[cfg(test)]
mod tests {
    use super::*;

    fn learned<T: Real>(rows: u64, keep: f64) -> Vec<f32> {
        let (mut products, mut targets) = (Products::<T>::new(3), Targets::<T>::new(3));
        for row in 0..rows {
            let (a, b) = ((row % 7) as f32 - 3.0, (row % 11) as f32 - 5.0);
            products.fade(keep);
            targets.fade(keep);
            products.add(&[1.0, a, b], 1.0);
            targets.add(&[1.0, a, b], 2.0 + 0.5 * a - 0.25 * b);
        }
        products.factor(1.0, |_| 1e-3).solve(&targets, |_| 0.0)
    }

    #[test]
    fn a_line_is_found_in_either_precision_however_long_it_is_learned() {
        for rows in [5_000, 200_000] {
            for found in [learned::<f64>(rows, 0.999), learned::<f32>(rows, 0.999)] {
                for (found, true_one) in found.iter().zip([2.0, 0.5, -0.25]) {
                    assert!((found - true_one).abs() < 0.005, "{found}");
                }
            }
        }
    }

    #[test]
    fn a_feature_that_repeats_another_does_no_harm() {
        let (mut products, mut targets) = (Products::<f64>::new(2), Targets::<f64>::new(2));
        (0..100).for_each(|_| products.add(&[1.0, 1.0], 1.0));
        (0..100).for_each(|_| targets.add(&[1.0, 1.0], 3.0));
        let found = products.factor(0.0, |_| 0.0).solve(&targets, |_| 0.0);
        assert!((found[0] + found[1] - 3.0).abs() < 1e-3, "{found:?}");
    }
}
