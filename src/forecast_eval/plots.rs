//! Pictures of what was measured, as SVG.

use std::path::Path;

use plotters::prelude::*;

use super::evaluate::Found;
use super::table::Table;
use super::{Plan, name};

mod calibration;
mod day;
mod errors;

type Drawn = Result<(), Box<dyn std::error::Error>>;

const FORECAST: RGBColor = RGBColor(0, 92, 175);
const LAST_VALUE: RGBColor = RGBColor(201, 88, 20);
const TIME_OF_DAY: RGBColor = RGBColor(60, 140, 90);
const CAPTION: (&str, u32) = ("sans-serif", 22);
const LETTERS: (&str, u32) = ("sans-serif", 14);
const LEGEND_PX: i32 = 18;

/// Draws all of them into a directory.
pub(super) fn draw(dir: &Path, plan: &Plan, table: &Table, found: &Found) -> Drawn {
    std::fs::create_dir_all(dir)?;
    let of = name(&plan.table);
    errors::draw(&dir.join("errors.svg"), &of, plan, found)?;
    calibration::draw(&dir.join("calibration.svg"), &of, plan, found)?;
    for followed in &found.followed {
        if let Some(day) = day::best(plan, followed) {
            day::draw(&dir.join(format!("day-sensor-{}.svg", followed.sensor + 1)), &of, plan, table, followed, day)?;
        }
    }
    Ok(())
}
