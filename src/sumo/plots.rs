//! Pictures of runs, as SVG: delay over time by controller, and time and space along an arterial.

use std::path::Path;

use nanming_dataflows::network::City;

use super::runs::Played;
use super::scenario::Scenario;
use super::{Controller, SumoError};

mod arterial;
mod delay;
mod time_space;
mod watch;
pub(super) use watch::Watch;

/// What watches a run for its pictures; none where no signal stands on the way straight on.
pub(super) fn watch(city: &City, scenario: &Scenario) -> Option<Watch> {
    arterial::longest(city).map(|arterial| Watch::new(city, arterial, window_s(scenario)))
}

/// The part of a scenario that a diagram of time and space shows: ten minutes in its middle, s.
fn window_s(scenario: &Scenario) -> (f64, f64) {
    const LENGTH_S: f64 = 600.0;
    let spare_s = (scenario.lasts_s() - LENGTH_S).max(0.0);
    let from_s = scenario.begin_s + (spare_s / 2.0 / 60.0).floor() * 60.0;
    (from_s, (from_s + LENGTH_S).min(scenario.end_s))
}

/// Draws the runs of each controller into a directory.
pub(super) fn draw(dir: &Path, scenario: &Scenario, runs: &[(Controller, Vec<Played>)]) -> Result<(), SumoError> {
    let failed = |what: String| SumoError::Plot(dir.to_path_buf(), what);
    let curves = runs.iter().map(|(controller, played)| {
        let seeds = played.iter().map(|run| delay::by_minute(&run.outputs.summary)).collect::<Result<_, _>>()?;
        Ok((*controller, seeds))
    });
    let curves = curves.collect::<Result<Vec<_>, String>>().map_err(failed)?;
    delay::draw(&dir.join("delay.svg"), &scenario.name(), &curves).map_err(|error| failed(error.to_string()))?;
    for (controller, played) in runs {
        let Some(first) = played.first() else { continue };
        let Some(watched) = &first.watched else { continue };
        let title = format!("{} under {}, seed {}", scenario.name(), words(*controller), first.seed);
        let path = dir.join(format!("time-space-{}.svg", file_word(*controller)));
        time_space::draw(&path, &title, watched).map_err(|error| failed(error.to_string()))?;
    }
    Ok(())
}

fn words(controller: Controller) -> &'static str {
    match controller {
        Controller::Engine => "the engine",
        Controller::Fixed => "its own programs",
    }
}

fn file_word(controller: Controller) -> &'static str {
    match controller {
        Controller::Engine => "engine",
        Controller::Fixed => "fixed",
    }
}

/// Round times for an axis, at most ten of them, s.
fn round_times(from_s: f64, to_s: f64) -> Vec<f64> {
    const STEPS_S: [f64; 9] = [15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1_800.0, 3_600.0];
    let fits = |step_s: &f64| (to_s - from_s) / step_s <= 10.0;
    let step_s = STEPS_S.into_iter().find(fits).unwrap_or(((to_s - from_s) / 10.0 / 3_600.0).ceil() * 3_600.0);
    let first = (from_s / step_s).ceil();
    (0..=10).map(|n| (first + f64::from(n)) * step_s).filter(|at_s| *at_s <= to_s).collect()
}

/// A time of SUMO's day as people write it, with seconds where the axis is short.
fn clock(time_s: f64, with_seconds: bool) -> String {
    let s = time_s.round() as i64;
    let (h, min, s) = (s / 3600, s / 60 % 60, s % 60);
    if with_seconds { format!("{h:02}:{min:02}:{s:02}") } else { format!("{h:02}:{min:02}") }
}

#[cfg(test)]
mod tests;
