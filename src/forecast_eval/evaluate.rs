//! The loop: a row is given to the forecaster, and once its forecasts are made they are held against the rows ahead.

use std::time::{Duration, Instant};

use nanming_dataflows::decide::forecast::panel::{Ahead, Panel, Settings, ZeroRule};
use nanming_dataflows::decide::forecast::score::{Errors, Score, bound};

use super::Plan;
use super::table::Table;
use super::time_of_day::TimeOfDay;

/// The percentile of a sensor's values in the warm-up that stands for free.
const FREE: f64 = 0.85;
/// So many sensors are followed for pictures.
const FOLLOWED: usize = 2;

/// What came of it.
pub(super) struct Found {
    /// Rows that were for learning only.
    pub(super) warm_up: usize,
    /// Rows that were forecast from and scored.
    pub(super) scored: usize,
    pub(super) forecaster: Score,
    /// By steps ahead, from one.
    pub(super) last_value: Vec<Errors>,
    pub(super) time_of_day: Vec<Errors>,
    pub(super) took: Duration,
    pub(super) followed: Vec<Followed>,
}

/// Forecasts for a sensor at the farthest horizon.
pub(super) struct Followed {
    pub(super) sensor: usize,
    /// By the row that is forecast.
    pub(super) forecasts: Vec<(usize, Ahead)>,
}

/// Runs the table through the forecaster, or tells why there is too little of it.
pub(super) fn evaluate(plan: &Plan, table: &Table, near: &[Vec<usize>]) -> Result<Found, String> {
    let farthest = plan.horizons.last().copied().unwrap_or(1);
    let (origins, warm_up) = origins(plan, table, farthest)?;
    let time_of_day = TimeOfDay::learn(&plan.calendar, table, warm_up);
    let bounds: Vec<Option<f32>> =
        (0..table.sensors()).map(|sensor| percentile(warm_up_of(table, warm_up, sensor)).map(bound)).collect();
    let mut panel = Panel::new(settings(plan, farthest), near);
    let mut last: Vec<Option<f32>> = vec![None; table.sensors()];
    let mut found = Found {
        warm_up,
        scored: origins.len(),
        forecaster: Score::new(farthest),
        last_value: vec![Errors::default(); farthest],
        time_of_day: vec![Errors::default(); farthest],
        took: Duration::ZERO,
        followed: followed(table, warm_up),
    };
    let mut origins = origins.into_iter().peekable();
    for row in 0..table.rows() {
        let values = table.row(row);
        let began = Instant::now();
        let ahead = panel.step(plan.calendar.time_ms(row), &values);
        found.took += began.elapsed();
        last.iter_mut().zip(&values).for_each(|(last, value)| *last = value.or(*last));
        if origins.next_if_eq(&row).is_none() {
            continue;
        }
        for followed in &mut found.followed {
            followed.forecasts.push((row + farthest, ahead[followed.sensor * farthest + farthest - 1]));
        }
        for (sensor, forecasts) in ahead.chunks(farthest).enumerate() {
            let free_above = values[sensor].zip(bounds[sensor]).filter(|(now, bound)| now >= bound).map(|(_, b)| b);
            for (step, forecast) in forecasts.iter().enumerate() {
                let then = row + step + 1;
                let usual = time_of_day.at(&plan.calendar, then, sensor);
                // The same cells for all: those where each of them has something to say.
                let (Some(truth), Some(last), Some(usual)) = (table.value(then, sensor), last[sensor], usual) else {
                    continue;
                };
                found.forecaster.add(step + 1, forecast, truth, free_above);
                found.last_value[step].add(last, truth);
                found.time_of_day[step].add(usual, truth);
            }
        }
    }
    if found.forecaster.steps().iter().any(|step| step.errors.count == 0.0) {
        return Err("no sensor has values both in the warm-up and behind it; change --split".into());
    }
    Ok(found)
}

/// The rows to forecast from, and how many rows are for learning only. The hour before such a row and what is forecast lie in
/// one piece of time.
fn origins(plan: &Plan, table: &Table, farthest: usize) -> Result<(Vec<usize>, usize), String> {
    let rows = table.rows();
    let warm_up = (plan.split * rows as f64).floor() as usize;
    let least = plan.origin_lag + farthest + 1;
    if warm_up == 0 || rows - warm_up < least {
        return Err(format!(
            "{rows} rows are too few: --split {} leaves {warm_up} to learn and {} to score, and it takes 1 and {least}",
            plan.split,
            rows - warm_up
        ));
    }
    let first = warm_up + plan.origin_lag - 1;
    let unbroken = |row: &usize| plan.calendar.is_unbroken(row + 1 - plan.origin_lag, row + farthest);
    let origins: Vec<usize> = (first..rows - farthest - 1).filter(unbroken).collect();
    if origins.is_empty() {
        let what = "between two gaps there is no room for it; lower --horizons or --origin-lag";
        return Err(format!("a forecast takes {} rows without a gap in time: {what}", plan.origin_lag + farthest));
    }
    Ok((origins, warm_up))
}

fn settings(plan: &Plan, horizons: usize) -> Settings {
    Settings {
        step_ms: plan.calendar.step_ms(),
        horizons,
        utc_offset_min: 0,
        zero: if plan.zero_is_missing { ZeroRule::Missing } else { ZeroRule::Value },
        holidays: plan.calendar.holidays(),
        working_days: plan.calendar.working_days(),
        first_slot_min: plan.calendar.day_start_min(),
        slots_per_day: plan.calendar.rows_per_day(),
        reference: None,
        sticks: true,
        without: plan.without.clone(),
    }
}

fn warm_up_of(table: &Table, warm_up: usize, sensor: usize) -> Vec<f32> {
    (0..warm_up).filter_map(|row| table.value(row, sensor)).collect()
}

/// Between two values where the share falls between them.
fn percentile(mut values: Vec<f32>) -> Option<f32> {
    values.sort_by(f32::total_cmp);
    let place = FREE * values.len().saturating_sub(1) as f64;
    let low = values.get(place.floor() as usize)?;
    let high = values.get(place.ceil() as usize)?;
    Some(low + (high - low) * place.fract() as f32)
}

/// Some that vary much for their size. The first tenth is left out: what varies most is mostly broken.
fn followed(table: &Table, warm_up: usize) -> Vec<Followed> {
    let mut sensors: Vec<(f64, usize)> =
        (0..table.sensors()).map(|sensor| (variation(&warm_up_of(table, warm_up, sensor)), sensor)).collect();
    sensors.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let from = sensors.len() / 10;
    let some = sensors.into_iter().skip(from).take(FOLLOWED);
    some.map(|(_, sensor)| Followed { sensor, forecasts: Vec::new() }).collect()
}

/// Standard deviation as a share of the mean; 0 where there is none.
fn variation(values: &[f32]) -> f64 {
    let count = values.len().max(1) as f64;
    let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / count;
    let squares = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / count;
    if mean == 0.0 { 0.0 } else { squares.sqrt() / mean.abs() }
}

#[cfg(test)]
mod tests {
    use super::super::Calendar;
    use super::*;

    fn plan() -> Plan {
        let start = "2015-01-01".parse().unwrap();
        Plan {
            table: "t.csv".into(),
            header: false,
            calendar: Calendar::new(start, 60, 0, None, false, &[], &[]).unwrap(),
            split: 0.5,
            horizons: vec![1, 3],
            origin_lag: 2,
            adjacency: None,
            zero_is_missing: false,
            without: Vec::new(),
            plots: None,
        }
    }

    fn table(text: &str) -> Table {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("t.csv");
        std::fs::write(&path, text).unwrap();
        Table::read(&path, false, false).unwrap()
    }

    #[test]
    fn rows_are_scored_from_behind_the_warm_up_until_the_last_row_but_one_is_forecast() {
        let rows = |n: u32| table(&(0..n).map(|v| format!("{v}\n")).collect::<String>());
        assert_eq!(origins(&plan(), &rows(20), 3).unwrap(), ((11..=15).collect(), 10));
        assert_eq!(origins(&plan(), &rows(12), 3).unwrap(), (vec![7], 6));
        assert!(
            origins(&plan(), &rows(10), 3)
                .unwrap_err()
                .contains("leaves 5 to learn and 5 to score, and it takes 1 and 6")
        );
        let day = Calendar::new("2015-01-01".parse().unwrap(), 60, 0, Some(5), false, &[], &[]).unwrap();
        let service = Plan { calendar: day, ..plan() };
        assert_eq!(
            origins(&service, &rows(20), 3).unwrap(),
            (vec![11], 10),
            "rows 10 to 14 are a day; so are 15 to 19"
        );
        let far = Plan { horizons: vec![5], ..service };
        assert!(origins(&far, &rows(40), 5).unwrap_err().contains("7 rows without a gap"));
    }

    #[test]
    fn missing_values_are_not_scored_and_the_last_value_is_the_last_that_was_seen() {
        let text = "1,5\n1,5\n1,5\n1,5\n1,5\n2,5\n3,5\n4,5\n,5\n6,5\n7,\n8,5\n9,5\n9,5\n";
        let found = evaluate(&Plan { horizons: vec![1], ..plan() }, &table(text), &[vec![1], vec![0]]).unwrap();
        // From rows 8 to 11: the truths of 9, 10, 11 and 12, but for the gap of the second sensor.
        assert_eq!((found.scored, found.last_value[0].count), (4, 7.0));
        assert_eq!(found.last_value[0].mae(), (2.0 + 1.0 + 1.0 + 1.0) / 7.0);
        assert_eq!(found.forecaster.steps()[0].errors.count, 7.0);
    }

    #[test]
    fn the_percentile_lies_between_two_values() {
        assert_eq!(percentile((0..=100).map(|v| v as f32).collect()), Some(85.0));
        assert_eq!(percentile(vec![10.0, 0.0]), Some(8.5));
        assert_eq!(percentile(Vec::new()), None);
    }
}
