//! How good forecasts were: errors, coverage of intervals, and onsets that were told, by steps ahead. Counters only: they run
//! over a table that ends, and fade over a city that does not.

use serde::{Deserialize, Serialize};

use super::panel::Ahead;

pub use super::onsets::{Onsets, Threshold};

/// A series is congested below this share of its 85th percentile.
const CONGESTED_SHARE: f32 = 0.5;

/// The bound below which a series is congested, by its 85th percentile.
pub fn bound(p85: f32) -> f32 {
    CONGESTED_SHARE * p85
}

/// Sums of errors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// Forecasts with their truth.
    pub count: f64,
    absolute: f64,
    squared: f64,
    truth: f64,
}

impl Errors {
    /// Adds a forecast and what came.
    pub fn add(&mut self, expected: f32, truth: f32) {
        let error = f64::from(expected) - f64::from(truth);
        self.count += 1.0;
        self.absolute += error.abs();
        self.squared += error * error;
        self.truth += f64::from(truth).abs();
    }

    /// Both together.
    pub fn and(self, other: Errors) -> Errors {
        Errors {
            count: self.count + other.count,
            absolute: self.absolute + other.absolute,
            squared: self.squared + other.squared,
            truth: self.truth + other.truth,
        }
    }

    /// Mean absolute error. Without a forecast it is no number, as the others are.
    pub fn mae(&self) -> f64 {
        self.absolute / self.count
    }

    /// Root of the mean squared error.
    pub fn rmse(&self) -> f64 {
        (self.squared / self.count).sqrt()
    }

    /// Sum of absolute errors as a share of the sum of true values, %.
    pub fn wmape_percent(&self) -> f64 {
        100.0 * self.absolute / self.truth
    }

    fn fade(&mut self, keep: f64) {
        [&mut self.count, &mut self.absolute, &mut self.squared, &mut self.truth]
            .into_iter()
            .for_each(|sum| *sum *= keep);
    }
}

/// The score of forecasts at one distance.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Of what was expected.
    pub errors: Errors,
    /// Of what was told of series that were free.
    pub onsets: Onsets,
    within80: f64,
    within95: f64,
}

impl Step {
    /// Share of true values within the 80 % interval.
    pub fn coverage80(&self) -> f64 {
        self.within80 / self.errors.count
    }

    /// Share of true values within the 95 % interval.
    pub fn coverage95(&self) -> f64 {
        self.within95 / self.errors.count
    }
}

/// The score of forecasts by steps ahead.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Score {
    steps: Vec<Step>,
}

impl Score {
    /// For forecasts of 1 to so many steps ahead.
    pub fn new(steps: usize) -> Score {
        Score { steps: vec![Step::default(); steps] }
    }

    /// Adds a forecast, made so many steps ahead, and what came. `free_above`: the bound of congestion of a series that was
    /// not below it when the forecast was made; none of another, whose onset nobody can tell any more.
    pub fn add(&mut self, ahead: usize, forecast: &Ahead, truth: f32, free_above: Option<f32>) {
        let Some(step) = ahead.checked_sub(1).and_then(|row| self.steps.get_mut(row)) else { return };
        step.errors.add(forecast.expected, truth);
        step.within80 += f64::from(u8::from((forecast.low80..=forecast.high80).contains(&truth)));
        step.within95 += f64::from(u8::from((forecast.low95..=forecast.high95).contains(&truth)));
        if let Some(bound) = free_above {
            step.onsets.add(forecast, truth < bound);
        }
    }

    /// By steps ahead, from one.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What was counted so far weighs only so much of what it did.
    pub fn fade(&mut self, keep: f64) {
        for step in &mut self.steps {
            step.errors.fade(keep);
            step.onsets.fade(keep);
            step.within80 *= keep;
            step.within95 *= keep;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ahead(expected: f32, congested: f32, onset: bool) -> Ahead {
        let (low80, high80, low95, high95) = (expected - 1.0, expected + 1.0, expected - 2.0, expected + 2.0);
        Ahead { expected, low80, high80, low95, high95, congested, onset }
    }

    #[test]
    fn errors_are_those_of_the_handbook() {
        let mut errors = Errors::default();
        [(10.0, 7.0), (4.0, 8.0)].into_iter().for_each(|(expected, truth)| errors.add(expected, truth));
        assert_eq!((errors.mae(), errors.rmse()), (3.5, 12.5f64.sqrt()));
        assert!((errors.wmape_percent() - 700.0 / 15.0).abs() < 1e-9);
        let twice = errors.and(errors);
        assert_eq!((twice.count, twice.mae()), (4.0, 3.5));
        assert!(Errors::default().mae().is_nan());
    }

    #[test]
    fn a_value_on_the_end_of_an_interval_is_within_it() {
        let mut score = Score::new(2);
        [5.0, 6.0, 7.0, 7.5].into_iter().for_each(|truth| score.add(2, &ahead(5.0, 0.0, false), truth, None));
        let step = &score.steps()[1];
        assert_eq!((step.coverage80(), step.coverage95()), (0.5, 0.75));
        assert_eq!((score.steps()[0].errors.count, step.onsets.count()), (0.0, 0.0));
        for ahead_of in [0, 3] {
            score.add(ahead_of, &ahead(5.0, 0.0, false), 5.0, None);
        }
        assert_eq!(score.steps()[1].errors.count, 4.0, "steps that are not forecast are not scored");
    }

    /// Of ten that congest, eight are told of with 0.9 or 0.6; of ten that do not, one with 0.9 and four with 0.6.
    fn onsets() -> Score {
        let mut score = Score::new(1);
        for (congested, came, times) in
            [(0.9, true, 5), (0.9, false, 1), (0.6, true, 3), (0.6, false, 4), (0.1, true, 2), (0.1, false, 5)]
        {
            let truth = if came { 19.9 } else { 20.0 };
            (0..times).for_each(|_| score.add(1, &ahead(30.0, congested, congested > 0.5), truth, Some(20.0)));
        }
        score
    }

    #[test]
    fn onsets_are_told_with_a_precision_and_a_recall() {
        let score = onsets();
        let onsets = &score.steps()[0].onsets;
        assert_eq!((onsets.count(), onsets.events()), (20.0, 10.0));
        assert_eq!((onsets.precision(), onsets.recall()), (Some(8.0 / 13.0), Some(0.8)));
        let best = onsets.best(0.7).unwrap();
        assert_eq!((best.recall, best.precision), (0.5, 5.0 / 6.0));
        assert!(best.probability > 0.6 && best.probability <= 0.9);
        assert_eq!(onsets.best(0.6).unwrap().recall, 0.8);
        assert_eq!(onsets.best(0.9), None);
        let none = Onsets::default();
        assert_eq!((none.precision(), none.recall(), none.best(0.0)), (None, None, None));
    }

    #[test]
    fn probabilities_are_held_against_what_came() {
        let reliability = onsets().steps()[0].onsets.reliability(2);
        let [(low, below, few), (high, above, many)] = reliability[..] else { panic!("{reliability:?}") };
        assert!((low - 0.1).abs() < 0.01 && (few, below) == (7.0, 2.0 / 7.0), "{reliability:?}");
        assert!(high > 0.6 && high < 0.9 && (many, above) == (13.0, 8.0 / 13.0), "{reliability:?}");
        let both = Onsets::default().and(&onsets().steps()[0].onsets);
        assert_eq!(both, onsets().steps()[0].onsets);
    }

    #[test]
    fn what_fades_keeps_its_shares_until_news_outweighs_it() {
        let mut score = onsets();
        score.fade(0.5);
        let step = &score.steps()[0];
        assert_eq!((step.onsets.events(), step.onsets.recall(), step.errors.count), (5.0, Some(0.8), 10.0));
        for _ in 0..200 {
            score.fade(0.9);
            score.add(1, &ahead(1.0, 0.0, false), 3.0, None);
        }
        let step = &score.steps()[0];
        assert!((step.errors.mae() - 2.0).abs() < 1e-6 && (step.errors.count - 10.0).abs() < 1e-6);
        assert!(step.coverage80() < 1e-6 && (step.coverage95() - 1.0).abs() < 1e-6);
    }
}
