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

#[cfg(test)]
mod tests;
