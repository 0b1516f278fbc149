//! Delay over time, from SUMO's summary of each step.
//!
//! In a second each vehicle in the net loses the share of it by which it is slower than allowed, and each that waits to enter
//! loses all of it. Vehicle-hours an hour are therefore also the number of vehicles that stood instead, at a time.

use std::path::Path;

use plotters::prelude::*;

use super::super::Controller;
use super::words;
use crate::times_axis::Times;

const SIZE: (u32, u32) = (1_100, 520);
/// Above the curves there is room for the legend.
const HEADROOM: f64 = 1.3;
const LEGEND_PX: i32 = 18;
/// A mean over so many seconds is a point of the curve.
const POINT_S: f64 = 60.0;

/// Points of a curve: time, s, and delay, vehicle-hours an hour.
pub(super) type Curve = Vec<(f64, f64)>;
/// The curves of a controller's seeds.
pub(super) type Curves = (Controller, Vec<Curve>);

/// Reads a summary.
pub(super) fn by_minute(summary: &str) -> Result<Curve, String> {
    let document = roxmltree::Document::parse(summary).map_err(|error| format!("SUMO's summary: {error}"))?;
    let mut steps = Vec::new();
    for step in document.root_element().children().filter(|e| e.has_tag_name("step")) {
        let number = |name: &str| {
            let value = step.attribute(name).and_then(|text| text.parse::<f64>().ok());
            value.ok_or_else(|| format!("SUMO's summary has a step without {name}"))
        };
        // With nobody in the net its speed is written as -1.
        let slower = if number("running")? > 0.0 { 1.0 - number("meanSpeedRelative")? } else { 0.0 };
        steps.push((number("time")?, number("running")? * slower.max(0.0) + number("waiting")?));
    }
    let minute = |time_s: f64| (time_s / POINT_S).floor();
    let minutes = steps.chunk_by(|a, b| minute(a.0) == minute(b.0));
    let mean = |all: &[(f64, f64)]| all.iter().map(|(_, delayed)| delayed).sum::<f64>() / all.len() as f64;
    Ok(minutes.map(|all| ((minute(all[0].0) + 0.5) * POINT_S, mean(all))).collect())
}

/// By time of the shortest of the curves: lowest, mean, highest.
fn spread(seeds: &[Curve]) -> Vec<(f64, [f64; 3])> {
    let points = seeds.iter().map(Vec::len).min().unwrap_or(0);
    let at = |row: usize| {
        let all = || seeds.iter().map(|curve| curve[row].1);
        let mean = all().sum::<f64>() / seeds.len() as f64;
        (seeds[0][row].0, [all().fold(f64::INFINITY, f64::min), mean, all().fold(0.0, f64::max)])
    };
    (0..points).map(at).collect()
}

/// Draws a curve for each controller: the mean of its seeds, and from the least to the greatest of them.
pub(super) fn draw(path: &Path, name: &str, curves: &[Curves]) -> Result<(), Box<dyn std::error::Error>> {
    let spreads: Vec<(Controller, usize, Vec<(f64, [f64; 3])>)> =
        curves.iter().map(|(controller, seeds)| (*controller, seeds.len(), spread(seeds))).collect();
    let all = || spreads.iter().flat_map(|(_, _, points)| points);
    let (from_s, to_s) = all().fold((f64::INFINITY, 0.0_f64), |(from, to), (at, _)| (from.min(*at), to.max(*at)));
    let most = all().map(|(_, [_, _, most])| *most).fold(1.0, f64::max) * HEADROOM;
    if from_s >= to_s {
        return Err("a run is to last two minutes for a curve of its delay".into());
    }
    let (from_s, to_s) = (from_s - POINT_S / 2.0, to_s + POINT_S / 2.0);
    let root = SVGBackend::new(path, SIZE).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(format!("Delay in {name}"), ("sans-serif", 22))
        .margin(16)
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(Times(from_s..to_s), 0.0..most)?;
    let style = ("sans-serif", 14).into_font();
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT).bold_line_style(BLACK.mix(0.12)).label_style(style.clone());
    mesh.y_label_formatter(&|y| format!("{y}")).x_desc("time of day");
    mesh.y_desc("vehicle-hours lost an hour, also by those who wait to enter").axis_desc_style(style.clone()).draw()?;
    for (controller, seeds, points) in &spreads {
        let colour = match controller {
            Controller::Engine => RGBColor(0, 92, 175),
            Controller::Fixed => RGBColor(201, 88, 20),
        };
        let low = points.iter().map(|(at, [low, _, _])| (*at, *low));
        let band: Vec<(f64, f64)> = points.iter().map(|(at, [_, _, high])| (*at, *high)).chain(low.rev()).collect();
        chart.draw_series([Polygon::new(band, colour.mix(0.15))])?;
        let mean = points.iter().map(|(at, [_, mean, _])| (*at, *mean));
        let seeds = if *seeds > 1 { format!(", mean and spread of {seeds} seeds") } else { String::new() };
        chart
            .draw_series(LineSeries::new(mean, colour.stroke_width(2)))?
            .label(format!("{}{seeds}", words(*controller)))
            .legend(move |(x, y)| PathElement::new([(x, y), (x + LEGEND_PX, y)], colour.stroke_width(3)));
    }
    let mut labels = chart.configure_series_labels();
    labels.position(SeriesLabelPosition::UpperLeft).background_style(WHITE.mix(0.85)).border_style(BLACK.mix(0.3));
    labels.label_font(style).margin(10).draw()?;
    root.present()?;
    Ok(())
}
