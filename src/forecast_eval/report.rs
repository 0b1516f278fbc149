//! What was measured, for people and programs.

use std::fmt;

use nanming_dataflows::decide::forecast::score::{Errors, Onsets, Step};
use serde::Serialize;

use super::evaluate::Found;
use super::table::Table;
use super::{Plan, name};

/// Alarms are to be right so often.
const PRECISION: f64 = 0.7;

/// Errors at a step, and over all steps to it.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Figures {
    /// Mean absolute error.
    pub mae: f64,
    /// Root of the mean squared error.
    pub rmse: f64,
    /// Sum of absolute errors as a share of the sum of true values, %.
    pub wmape: f64,
    /// Over all steps to this one.
    pub cumulative_mae: f64,
    /// Over all steps to this one.
    pub cumulative_rmse: f64,
}

/// How onsets were told of sensors that were free.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct OnsetFigures {
    /// Forecasts of sensors that were free.
    pub free: u64,
    /// Onsets among them.
    pub events: u64,
    /// Share of told onsets that came, by the forecaster's own decision.
    pub precision: Option<f64>,
    /// Share of onsets that were told, by the forecaster's own decision.
    pub recall: Option<f64>,
    /// The best recall whose precision is at least 0.70.
    pub recall_at_precision_70: Option<f64>,
    /// The probability of congestion from which on an alarm is given for it.
    pub threshold: Option<f64>,
}

/// A horizon.
#[derive(Clone, Debug, Serialize)]
pub struct Horizon {
    /// Rows ahead.
    pub step: usize,
    /// The same as time.
    pub minutes: u64,
    /// Forecasts that were scored.
    pub cells: u64,
    /// Of the forecaster.
    #[serde(flatten)]
    pub forecaster: Figures,
    /// Share of true values within the 80 % interval.
    pub coverage80: f64,
    /// Share of true values within the 95 % interval.
    pub coverage95: f64,
    /// Onsets of congestion.
    pub onset: OnsetFigures,
    /// The baseline: all stays as it is.
    pub last_value: Figures,
    /// The baseline: all is as usual at this time of day.
    pub time_of_day: Figures,
}

/// Means over the horizons.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Means {
    /// Of the cumulative figures.
    pub cumulative_mae_mean: f64,
    /// Of the cumulative figures.
    pub cumulative_rmse_mean: f64,
}

/// All that was measured.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The table.
    pub table: String,
    /// Its rows.
    pub rows: usize,
    /// Its columns.
    pub sensors: usize,
    /// Length of a row, min.
    pub step_min: u32,
    /// Rows that were for learning only.
    pub warm_up: usize,
    /// Rows that were forecast from and scored.
    pub scored: usize,
    /// By horizon.
    pub horizons: Vec<Horizon>,
    /// Of the forecaster.
    #[serde(flatten)]
    pub forecaster: Means,
    /// Of the baseline.
    pub last_value: Means,
    /// Of the baseline.
    pub time_of_day: Means,
    /// Time that the forecaster takes for a sensor and row, us.
    pub us_per_update: f64,
}

impl Report {
    pub(super) fn new(plan: &Plan, table: &Table, found: &Found) -> Report {
        let errors: Vec<Errors> = found.forecaster.steps().iter().map(|step| step.errors).collect();
        let horizon = |&step: &usize| {
            let Step { onsets, .. } = &found.forecaster.steps()[step - 1];
            Horizon {
                step,
                minutes: step as u64 * u64::from(plan.calendar.step_min()),
                cells: errors[step - 1].count as u64,
                forecaster: figures(&errors, step),
                coverage80: found.forecaster.steps()[step - 1].coverage80(),
                coverage95: found.forecaster.steps()[step - 1].coverage95(),
                onset: onset_figures(onsets),
                last_value: figures(&found.last_value, step),
                time_of_day: figures(&found.time_of_day, step),
            }
        };
        let horizons: Vec<Horizon> = plan.horizons.iter().map(horizon).collect();
        Report {
            table: name(&plan.table),
            rows: table.rows(),
            sensors: table.sensors(),
            step_min: plan.calendar.step_min(),
            warm_up: found.warm_up,
            scored: found.scored,
            forecaster: means(&horizons, |h| h.forecaster),
            last_value: means(&horizons, |h| h.last_value),
            time_of_day: means(&horizons, |h| h.time_of_day),
            horizons,
            us_per_update: found.took.as_secs_f64() * 1e6 / (table.rows() * table.sensors()) as f64,
        }
    }
}

fn figures(by_step: &[Errors], step: usize) -> Figures {
    let (at, to) = (by_step[step - 1], by_step[..step].iter().fold(Errors::default(), |sum, errors| sum.and(*errors)));
    Figures {
        mae: at.mae(),
        rmse: at.rmse(),
        wmape: at.wmape_percent(),
        cumulative_mae: to.mae(),
        cumulative_rmse: to.rmse(),
    }
}

fn onset_figures(onsets: &Onsets) -> OnsetFigures {
    let best = onsets.best(PRECISION);
    OnsetFigures {
        free: onsets.count() as u64,
        events: onsets.events() as u64,
        precision: onsets.precision(),
        recall: onsets.recall(),
        recall_at_precision_70: best.map(|best| best.recall),
        threshold: best.map(|best| best.probability),
    }
}

fn means(horizons: &[Horizon], of: fn(&Horizon) -> Figures) -> Means {
    let mean = |what: fn(Figures) -> f64| horizons.iter().map(|h| what(of(h))).sum::<f64>() / horizons.len() as f64;
    Means { cumulative_mae_mean: mean(|f| f.cumulative_mae), cumulative_rmse_mean: mean(|f| f.cumulative_rmse) }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report { table, rows, sensors, step_min, warm_up, scored, .. } = self;
        writeln!(
            f,
            "{table}: {sensors} sensors, {rows} rows of {step_min} min; learned on {warm_up}, scored from {scored}"
        )?;
        let heads = ["forecast", "last value", "time of day"].map(|who| format!("  {who:<26}")).concat();
        writeln!(f, "\n{:>8}{}", "", heads.trim_end())?;
        writeln!(f, "{:>8}{}", "ahead", "       MAE     RMSE  WMAPE %".repeat(3))?;
        for h in &self.horizons {
            write!(f, "{:>4} min", h.minutes)?;
            for Figures { mae, rmse, wmape, .. } in [h.forecaster, h.last_value, h.time_of_day] {
                write!(f, "  {mae:>8.3} {rmse:>8.3} {wmape:>8.2}")?;
            }
            writeln!(f)?;
        }
        write!(f, "{:>8}", "mean")?;
        for Means { cumulative_mae_mean, cumulative_rmse_mean } in [self.forecaster, self.last_value, self.time_of_day]
        {
            write!(f, "  {cumulative_mae_mean:>8.3} {cumulative_rmse_mean:>8.3} {:>8}", "")?;
        }
        writeln!(f, "\n\nThe last line is the mean, over the horizons, of errors of all steps to each.\n")?;
        writeln!(
            f,
            "{:>8}  within 80 %    95 %    onsets of free    told: right   found    found at 70 % right",
            "ahead"
        )?;
        for h in &self.horizons {
            let OnsetFigures { free, events, precision, recall, recall_at_precision_70, .. } = h.onset;
            let [precision, recall, best] = [precision, recall, recall_at_precision_70].map(percent);
            writeln!(
                f,
                "{:>4} min  {:>11} {:>7}  {events:>8} {free:>8}  {precision:>13} {recall:>7}  {best:>21}",
                h.minutes,
                percent(Some(h.coverage80)),
                percent(Some(h.coverage95)),
            )?;
        }
        writeln!(f, "\n{:.2} us for a sensor and row", self.us_per_update)
    }
}

fn percent(share: Option<f64>) -> String {
    share.map_or_else(|| "-".into(), |share| format!("{:.1} %", share * 100.0))
}
