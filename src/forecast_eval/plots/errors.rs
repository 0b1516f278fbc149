//! Mean absolute error by time ahead, beside the baselines.

use std::path::Path;

use nanming_dataflows::decide::forecast::score::Errors;
use plotters::prelude::*;

use super::{CAPTION, Drawn, FORECAST, Found, LAST_VALUE, LEGEND_PX, LETTERS, Plan, TIME_OF_DAY};

const SIZE: (u32, u32) = (900, 520);
/// Above the curves there is room for the legend.
const HEADROOM: f64 = 1.35;

/// Draws it.
pub(super) fn draw(path: &Path, of: &str, plan: &Plan, found: &Found) -> Drawn {
    let forecaster: Vec<Errors> = found.forecaster.steps().iter().map(|step| step.errors).collect();
    let curves = [
        ("last value", LAST_VALUE, &found.last_value),
        ("usual at the time of day", TIME_OF_DAY, &found.time_of_day),
        ("forecast", FORECAST, &forecaster),
    ];
    let step_min = f64::from(plan.calendar.step_min());
    let most = curves.iter().flat_map(|(_, _, steps)| steps.iter().map(Errors::mae)).fold(1e-9, f64::max) * HEADROOM;
    let farthest_min = step_min * forecaster.len() as f64;
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(format!("Errors of forecasts, {of}"), CAPTION)
        .margin(16)
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..farthest_min * 1.04, 0.0..most)?;
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT).bold_line_style(BLACK.mix(0.12)).label_style(LETTERS);
    mesh.x_label_formatter(&|x| format!("{x}")).y_label_formatter(&|y| format!("{y}"));
    mesh.x_desc("ahead, min").y_desc("mean absolute error").axis_desc_style(LETTERS).draw()?;
    for (label, colour, steps) in curves {
        let points = || steps.iter().enumerate().map(|(n, errors)| (step_min * (n + 1) as f64, errors.mae()));
        chart
            .draw_series(LineSeries::new(points(), colour.stroke_width(2)))?
            .label(label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + LEGEND_PX, y)], colour.stroke_width(3)));
        chart.draw_series(points().map(|at| Circle::new(at, 3, colour.filled())))?;
    }
    let mut labels = chart.configure_series_labels();
    labels.position(SeriesLabelPosition::UpperLeft).background_style(WHITE.mix(0.85)).border_style(BLACK.mix(0.3));
    labels.label_font(LETTERS).margin(10).draw()?;
    root.present()?;
    Ok(())
}
