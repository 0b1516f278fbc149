//! What is common to a region's series: for each horizon two regressions over all of them, one that weighs errors in spreads
//! and one that weighs them in units of the value, mixed by how well each does; the size of error to expect; and the
//! distribution of errors of that size.

use serde::{Deserialize, Serialize};

use super::congestion::Congestion;
use super::features::{ALL, RARE, RESIDUAL};
use super::normal::{Products, Targets};
use super::spread::{Cumulative, Distribution, Widths};

/// Regressions that are mixed.
pub(super) const EXPERTS: usize = 2;
/// Rows' worth of doubt in a coefficient.
const PRIOR_ROWS: f64 = 100.0;
const LEAST_PRIOR: f64 = 1e-3;
/// Of features that are seldom other than zero: the first incident is not to tell of all to come.
const LEAST_OF_RARE: f64 = 30.0;
/// A residual is expected to fade by this a row before anything was learned.
const FADE: f64 = 0.9;
/// Expected size of an error before anything was learned, spreads.
const FIRST_SIZE: f64 = 0.7;
/// Bounds of the expected size of an error, spreads.
const SIZES: (f32, f32) = (0.1, 6.0);
/// An expert that errs by 1 % more counts for less by this power of e.
const SHARPNESS: f64 = 3.0;

/// A region's model at one horizon.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Pooled {
    products: [Products; EXPERTS],
    targets: [Targets; EXPERTS],
    sizes: Targets,
    coefficients: [Vec<f32>; EXPERTS],
    size: Vec<f32>,
    /// Faded sums of the experts' absolute errors, in units of the value.
    errors: [f64; EXPERTS],
    mix: [f32; EXPERTS],
    /// How series' own regressions go with what the experts leave: sums of product and square.
    trust: [f64; 2],
    /// Distribution of scaled errors.
    pub distribution: Distribution,
    /// Factors of intervals.
    pub widths: Widths,
    /// How likely a free series is to be congested.
    pub congestion: Congestion,
}

/// What the experts said, in spreads, and what was made of it.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Said {
    /// The experts' forecasts.
    pub experts: [f32; EXPERTS],
    /// Their mix.
    pub mixed: f32,
    /// The series' own part, before it is trusted.
    pub own: f32,
    /// The forecast: the mix, and so much of the series' own part as is trusted.
    pub expected: f32,
    /// What is told: the forecast, or nothing unusual where that has been better of late.
    pub told: f32,
    /// Size of error to expect.
    pub size: f32,
}

impl Pooled {
    /// `ahead`: rows.
    pub(super) fn new(ahead: usize) -> Self {
        let mut pooled = Pooled {
            products: std::array::from_fn(|_| Products::new(ALL)),
            targets: std::array::from_fn(|_| Targets::new(ALL)),
            sizes: Targets::new(ALL),
            coefficients: Default::default(),
            size: Vec::new(),
            errors: [0.0; EXPERTS],
            mix: [1.0 / EXPERTS as f32; EXPERTS],
            trust: [0.0; 2],
            distribution: Distribution::default(),
            widths: Widths::default(),
            congestion: Congestion::new(),
        };
        pooled.solve(ahead);
        pooled
    }

    /// Learns a truth of a series: its features then, what was said, the truth in spreads, and the spread in units of the
    /// value and of the series' long-run spread.
    pub(super) fn learn(&mut self, x: &[f32; ALL], said: &Said, truth: f32, spread: f32, relative: f32) {
        let heavy = relative.powi(4).clamp(0.02, 20.0);
        for (expert, weight) in [1.0, heavy].into_iter().enumerate() {
            self.products[expert].add(x, weight);
            self.targets[expert].add(x, weight * truth);
            self.errors[expert] += f64::from(spread * (truth - said.experts[expert]).abs());
        }
        let left = spread * (truth - said.mixed);
        self.trust[0] += f64::from(spread * said.own * left);
        self.trust[1] += f64::from(spread * said.own).powi(2);
        self.sizes.add(x, (truth - said.told).abs());
        self.distribution.learn((truth - said.told) / said.size.max(SIZES.0));
    }

    /// Fades what was learned: coefficients by `slow`, what follows the weather of days by `fast`.
    pub(super) fn fade(&mut self, slow: f64, fast: f64) {
        for expert in 0..EXPERTS {
            self.products[expert].fade(slow);
            self.targets[expert].fade(slow);
            self.errors[expert] *= fast;
        }
        self.sizes.fade(slow);
        self.congestion.fade(slow);
        self.trust.iter_mut().for_each(|sum| *sum *= slow);
        self.distribution.fade(fast.sqrt() as f32);
    }

    /// Draws the coefficients from what was learned.
    pub(super) fn solve(&mut self, ahead: usize) {
        self.widths.learn();
        self.congestion.solve();
        let faded = FADE.powi(ahead as i32);
        for expert in 0..EXPERTS {
            let factor = self.products[expert]
                .factor(PRIOR_ROWS, |row| if RARE.contains(&row) { LEAST_OF_RARE } else { LEAST_PRIOR });
            let expected = |row| if row == RESIDUAL { faded } else { 0.0 };
            self.coefficients[expert] = factor.solve(&self.targets[expert], expected);
            if expert == 0 {
                self.size = factor.solve(&self.sizes, |row| if row == 0 { FIRST_SIZE } else { 0.0 });
            }
        }
        let best = self.errors.iter().copied().fold(f64::INFINITY, f64::min);
        let weight = |error: f64| if best > 0.0 { (-100.0 * SHARPNESS * (error / best - 1.0)).exp() } else { 1.0 };
        let sum: f64 = self.errors.iter().map(|e| weight(*e)).sum();
        self.mix = self.errors.map(|e| (weight(e) / sum) as f32);
    }

    /// A forecast, in spreads; `own`: the series' own part; `mixed`: whether the experts are mixed, or the first speaks alone.
    pub(super) fn forecast(&self, x: &[f32; ALL], own: f32, mixed: bool) -> Said {
        let dot = |c: &[f32]| c.iter().zip(x).map(|(c, x)| c * x).sum::<f32>();
        let experts = std::array::from_fn(|expert| dot(&self.coefficients[expert]));
        let mix = if mixed { self.mix } else { std::array::from_fn(|expert| f32::from(u8::from(expert == 0))) };
        let mixed = experts.iter().zip(mix).map(|(said, weight): (&f32, f32)| said * weight).sum();
        let [with, square] = self.trust;
        let trusted = if square > 0.0 { (with / (1.02 * square)).clamp(0.0, 1.0) as f32 } else { 0.0 };
        let size = dot(&self.size).clamp(SIZES.0, SIZES.1);
        let expected = mixed + trusted * own;
        Said { experts, mixed, own, expected, told: expected, size }
    }

    /// The distribution of scaled errors, to ask for many probabilities.
    pub(super) fn cumulative(&self) -> Cumulative {
        self.distribution.cumulative()
    }
}
