//! A sensor's day as it was forecast, and as it came.

use std::path::Path;

use nanming_dataflows::decide::forecast::panel::Ahead;
use plotters::prelude::*;

use super::super::evaluate::Followed;
use super::{CAPTION, Drawn, FORECAST, LEGEND_PX, LETTERS, Plan, Table};
use crate::times_axis::Times;

const SIZE: (u32, u32) = (1_100, 520);
const HEADROOM: f32 = 1.2;

/// The day, counted from the first, of which most is forecast; of equal ones the first.
pub(super) fn best(plan: &Plan, followed: &Followed) -> Option<usize> {
    let days = followed.forecasts.chunk_by(|a, b| day(plan, a.0) == day(plan, b.0));
    let days = days.enumerate().max_by_key(|(n, day)| (day.len(), std::cmp::Reverse(*n)));
    days.map(|(_, forecasts)| day(plan, forecasts[0].0))
}

fn day(plan: &Plan, row: usize) -> usize {
    row / plan.calendar.rows_per_day()
}

/// Draws it.
pub(super) fn draw(path: &Path, of: &str, plan: &Plan, table: &Table, followed: &Followed, of_day: usize) -> Drawn {
    let calendar = &plan.calendar;
    let time_s =
        |row: usize| f64::from(calendar.day_start_min() + calendar.slot(row) as u32 * calendar.step_min()) * 60.0;
    let rows = of_day * calendar.rows_per_day()..((of_day + 1) * calendar.rows_per_day()).min(table.rows());
    let truth: Vec<(f64, f32)> =
        rows.clone().filter_map(|row| table.value(row, followed.sensor).map(|v| (time_s(row), v))).collect();
    let forecasts: Vec<(f64, Ahead)> = followed
        .forecasts
        .iter()
        .filter(|(row, _)| rows.contains(row))
        .map(|(row, ahead)| (time_s(*row), *ahead))
        .collect();
    let ends = |(_, ahead): &(f64, Ahead)| [ahead.low95, ahead.high95];
    let values = || truth.iter().map(|(_, value)| *value).chain(forecasts.iter().flat_map(ends));
    let least = values().fold(0.0, f32::min);
    let most = values().fold(least + 1e-3, f32::max) * HEADROOM;
    let length_s = f64::from(calendar.step_min()) * 60.0;
    let (from_s, to_s) = (time_s(rows.start), time_s(rows.end - 1) + length_s);
    let ahead_min = plan.horizons.last().copied().unwrap_or(1) * calendar.step_min() as usize;
    let date = calendar.day(rows.start);
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(format!("{of}, sensor {}, {date}: {ahead_min} min ahead", followed.sensor + 1), CAPTION)
        .margin(16)
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(Times(from_s..to_s), least..most)?;
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT).bold_line_style(BLACK.mix(0.12)).label_style(LETTERS);
    mesh.y_label_formatter(&|y| format!("{y}")).x_desc("time of day").y_desc("value");
    mesh.axis_desc_style(LETTERS).draw()?;
    let intervals: [(&str, f64, fn(&Ahead) -> [f32; 2]); 2] = [
        ("95 % interval", 0.12, |ahead| [ahead.low95, ahead.high95]),
        ("80 % interval", 0.25, |ahead| [ahead.low80, ahead.high80]),
    ];
    for (label, strength, of) in intervals {
        let low = forecasts.iter().rev().map(|(at, ahead)| (*at, of(ahead)[0]));
        let band: Vec<(f64, f32)> = forecasts.iter().map(|(at, ahead)| (*at, of(ahead)[1])).chain(low).collect();
        let colour = FORECAST.mix(strength);
        chart
            .draw_series([Polygon::new(band, colour)])?
            .label(label)
            .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + LEGEND_PX, y + 5)], colour.filled()));
    }
    let expected = forecasts.iter().map(|(at, ahead)| (*at, ahead.expected)).collect();
    for (label, points, colour) in [("forecast", expected, FORECAST), ("what came", truth, BLACK)] {
        chart
            .draw_series(LineSeries::new(points, colour.stroke_width(2)))?
            .label(label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + LEGEND_PX, y)], colour.stroke_width(3)));
    }
    let mut labels = chart.configure_series_labels();
    labels.position(SeriesLabelPosition::UpperLeft).background_style(WHITE.mix(0.85)).border_style(BLACK.mix(0.3));
    labels.label_font(LETTERS).margin(10).draw()?;
    root.present()?;
    Ok(())
}
