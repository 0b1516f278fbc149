//! Whether what is told comes as often as it is told: intervals by time ahead, and probabilities of congestion.

use std::path::Path;

use nanming_dataflows::decide::forecast::score::{Onsets, Step};
use plotters::coord::Shift;
use plotters::prelude::*;

use super::{CAPTION, Drawn, FORECAST, Found, LEGEND_PX, LETTERS, Plan, TIME_OF_DAY};

const SIZE: (u32, u32) = (1_100, 520);
const RANGES: usize = 10;
/// Fewer than this tell nothing of a range.
const FEW: f64 = 20.0;

type Area<'p> = DrawingArea<SVGBackend<'p>, Shift>;

/// Draws both, side by side.
pub(super) fn draw(path: &Path, of: &str, plan: &Plan, found: &Found) -> Drawn {
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let root = root.titled(&format!("Calibration, {of}"), CAPTION)?;
    let (left, right) = root.split_horizontally(SIZE.0 / 2);
    coverage(&left, f64::from(plan.calendar.step_min()), found.forecaster.steps())?;
    reliability(&right, found.forecaster.steps())?;
    root.present()?;
    Ok(())
}

fn coverage(area: &Area<'_>, step_min: f64, steps: &[Step]) -> Drawn {
    let farthest_min = step_min * steps.len() as f64 * 1.04;
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..farthest_min, 50.0..100.0)?;
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT).bold_line_style(BLACK.mix(0.12)).label_style(LETTERS);
    mesh.x_label_formatter(&|x| format!("{x}")).y_label_formatter(&|y| format!("{y}"));
    mesh.x_desc("ahead, min").y_desc("true values within the interval, %").axis_desc_style(LETTERS).draw()?;
    let curves: [(&str, f64, RGBColor, fn(&Step) -> f64); 2] =
        [("80 % interval", 80.0, FORECAST, Step::coverage80), ("95 % interval", 95.0, TIME_OF_DAY, Step::coverage95)];
    for (label, goal, colour, of) in curves {
        let at = |n: usize, step: &Step| (step_min * (n + 1) as f64, (100.0 * of(step)).max(50.0));
        let points = || steps.iter().enumerate().map(|(n, step)| at(n, step));
        chart.draw_series([PathElement::new([(0.0, goal), (farthest_min, goal)], colour.mix(0.4).stroke_width(1))])?;
        chart
            .draw_series(LineSeries::new(points(), colour.stroke_width(2)))?
            .label(label)
            .legend(move |(x, y)| PathElement::new([(x, y), (x + LEGEND_PX, y)], colour.stroke_width(3)));
        chart.draw_series(points().map(|at| Circle::new(at, 3, colour.filled())))?;
    }
    let mut labels = chart.configure_series_labels();
    labels.position(SeriesLabelPosition::LowerLeft).background_style(WHITE.mix(0.85)).border_style(BLACK.mix(0.3));
    labels.label_font(LETTERS).margin(10).draw()?;
    Ok(())
}

fn reliability(area: &Area<'_>, steps: &[Step]) -> Drawn {
    let mut chart = ChartBuilder::on(area)
        .margin(16)
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(0.0..100.0, 0.0..100.0)?;
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT).bold_line_style(BLACK.mix(0.12)).label_style(LETTERS);
    mesh.x_label_formatter(&|x| format!("{x}")).y_label_formatter(&|y| format!("{y}"));
    mesh.x_desc("told probability of congestion, of who is free now, %").y_desc("congested, %");
    mesh.axis_desc_style(LETTERS).draw()?;
    chart.draw_series([PathElement::new([(0.0, 0.0), (100.0, 100.0)], BLACK.mix(0.3).stroke_width(1))])?;
    let all = steps.iter().fold(Onsets::default(), |all, step| all.and(&step.onsets));
    let ranges = all.reliability(RANGES).into_iter().filter(|(_, _, count)| *count >= FEW);
    let points: Vec<(f64, f64)> = ranges.map(|(told, came, _)| (100.0 * told, 100.0 * came)).collect();
    chart.draw_series(LineSeries::new(points.iter().copied(), FORECAST.stroke_width(2)))?;
    chart.draw_series(points.iter().map(|at| Circle::new(*at, 4, FORECAST.filled())))?;
    Ok(())
}
