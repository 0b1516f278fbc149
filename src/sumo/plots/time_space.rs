//! Time and space along an arterial: the ways of vehicles, and what its signals show.

use std::path::Path;

use nanming_dataflows::event::Lamp;
use plotters::prelude::*;

use super::watch::Watch;
use crate::times_axis::Times;

const WIDTH: u32 = 1_200;
/// Room for a signal, and least and most height, px.
const SIGNAL_PX: u32 = 90;
const HEIGHT_PX: (u32, u32) = (480, 1_500);
/// Height of a signal's bar, px.
const BAR_PX: f64 = 5.0;
/// Captions, axes and margins take so much of the height, px.
const AROUND_PX: f64 = 110.0;

/// Draws what was watched.
pub(super) fn draw(path: &Path, title: &str, watched: &Watch) -> Result<(), Box<dyn std::error::Error>> {
    let signals = &watched.arterial.signals;
    let height = (SIGNAL_PX * signals.len() as u32).clamp(HEIGHT_PX.0, HEIGHT_PX.1);
    let length_m = watched.arterial.length_mm / 1000.0;
    let (from_s, to_s) = watched.window_s;
    let root = SVGBackend::new(path, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 22))
        .margin(16)
        .margin_right(150)
        .x_label_area_size(46)
        .y_label_area_size(64)
        .build_cartesian_2d(Times(from_s..to_s), 0.0..length_m)?;
    let style = ("sans-serif", 14).into_font();
    let mut mesh = chart.configure_mesh();
    mesh.light_line_style(TRANSPARENT).bold_line_style(BLACK.mix(0.06)).label_style(style.clone());
    mesh.y_label_formatter(&|m| format!("{m}")).x_desc("time of day");
    mesh.y_desc("way straight on, m").axis_desc_style(style).draw()?;
    let tracks = watched.tracks().map(|track| {
        let points: Vec<(f64, f64)> = track.iter().map(|(at_s, mm)| (*at_s, mm / 1000.0)).collect();
        PathElement::new(points, RGBColor(30, 60, 110).mix(0.7).stroke_width(1))
    });
    chart.draw_series(tracks)?;
    let half_m = length_m / (f64::from(height) - AROUND_PX) * BAR_PX / 2.0;
    for (row, signal) in signals.iter().enumerate() {
        let at_m = signal.at_mm / 1000.0;
        let bars = watched.bars(row).map(|(from_s, to_s, lamp)| {
            Rectangle::new([(from_s, at_m - half_m), (to_s, at_m + half_m)], colour(lamp).filled())
        });
        chart.draw_series(bars)?;
        let (x, y) = chart.backend_coord(&(to_s, at_m));
        root.draw(&Text::new(short(&watched.names[row]), (x + 8, y - 6), ("sans-serif", 13)))?;
    }
    root.present()?;
    Ok(())
}

fn colour(lamp: Lamp) -> RGBColor {
    match lamp {
        Lamp::Protected => RGBColor(38, 150, 70),
        Lamp::Permissive => RGBColor(120, 195, 120),
        Lamp::Yellow => RGBColor(245, 185, 10),
        Lamp::Red => RGBColor(210, 45, 45),
        Lamp::Off => RGBColor(150, 150, 150),
    }
}

/// Names of joined nodes are long.
fn short(name: &str) -> String {
    const MOST: usize = 18;
    if name.chars().count() <= MOST { name.into() } else { name.chars().take(MOST - 1).chain(['…']).collect() }
}
