//! The closed loop with SUMO: its vehicles are seen by cameras, the engine hears of them and times the lights, SUMO's vehicles
//! obey. SUMO is the judge: delays are those that it writes.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nanming_dataflows::network::{City, SignalMode};
use nanming_simulators::sumo_net::{
    with_all_red, with_dense_cameras, with_detectors, with_pedestrians, without_ways_back,
};
use nanming_simulators::traci::TraciError;

use crate::city_file;

mod detectors;
mod find;
mod lights;
mod play;
mod plots;
mod process;
mod report;
mod runs;
mod scenario;
mod seeds;
mod sensing;
mod trips;
pub use detectors::Detectors;
pub use find::find;
pub use report::{Report, Run};
pub use seeds::Seeds;
pub use sensing::Sensing;
pub use trips::Trips;

use detectors::Faults;
use lights::Lights;
use runs::{Played, Runs};
use scenario::Scenario;

/// What to play.
#[derive(Clone, Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct SumoArgs {
    /// SUMO's configuration of the scenario
    #[arg(value_name = "X.sumocfg")]
    pub scenario: PathBuf,
    /// From this second on, instead of the scenario's own begin
    #[arg(long, value_name = "S", value_parser = second)]
    pub begin: Option<f64>,
    /// To this second, instead of the scenario's own end
    #[arg(long, value_name = "S", value_parser = second)]
    pub end: Option<f64>,
    /// Seeds of SUMO's chance, one run each, such as 1-8 or 1,3,5
    #[arg(long, value_name = "N-M", default_value = "1-8")]
    pub seeds: Seeds,
    /// Who times the lights
    #[arg(long, value_enum, default_value_t)]
    pub controller: Controller,
    /// How the engine times them: each junction by itself, or by common plans
    #[arg(long, value_enum, default_value_t)]
    pub mode: Mode,
    /// What is seen of the vehicles
    #[arg(long, value_enum, default_value_t)]
    pub sensing: Sensing,
    /// Where detectors stand, and how they fail
    #[command(flatten)]
    pub detectors: Detectors,
    /// All-red of at least so long between conflicting greens at every junction
    #[arg(long = "all-red", value_name = "S", value_parser = all_red)]
    pub all_red_s: Option<f64>,
    /// Every crossing is walked within the longest red: stages last as long as that takes
    #[arg(long)]
    pub pedestrians: bool,
    /// So many seeds at a time [default: as many as there are cores]
    #[arg(long, value_name = "N")]
    pub jobs: Option<NonZeroUsize>,
    /// Draw delay over time, and time and space along an arterial, into this directory; the scenario's own programs are played
    /// beside the engine for it
    #[arg(long, value_name = "DIR")]
    pub plots: Option<PathBuf>,
    /// The program sumo, or where it is installed; default: SUMO_HOME, then the path
    #[arg(long, value_name = "PATH")]
    pub sumo: Option<PathBuf>,
    /// Print the figures as one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

const EXAMPLES: &str = "\
Examples:
  nanming sumo cologne1.sumocfg                          the engine over seeds 1-8
  nanming sumo cologne1.sumocfg --controller fixed       the same under the scenario's own programs
  nanming sumo cologne1.sumocfg --sensing detectors --dead 0.2 --seeds 1-3 --json
  nanming sumo cologne3.sumocfg --all-red 2 --pedestrians
  nanming sumo cologne3.sumocfg --plots plots            plots/delay.svg and more";

/// Who times the lights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Controller {
    /// The engine
    #[default]
    Engine,
    /// The programs of the scenario
    Fixed,
}

/// How the engine times lights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Each junction chooses its stages, second by second
    #[default]
    Stage,
    /// Neighbours follow plans of one cycle, made every few minutes
    Plan,
}

fn second(text: &str) -> Result<f64, String> {
    let second = text.parse().ok().filter(|second: &f64| (0.0..1e9).contains(second));
    second.ok_or_else(|| "write a time in seconds, such as 25200".into())
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "write a share from 0 to 1, such as 0.05".into())
}

fn all_red(text: &str) -> Result<f64, String> {
    let all_red_s = text.parse().ok().filter(|s| (0.0..=20.0).contains(s));
    all_red_s.ok_or_else(|| "write a time from 0 to 20 s, such as 2".into())
}

/// Why the loop cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum SumoError {
    /// There is no SUMO.
    #[error(
        "no SUMO found: pip install eclipse-sumo==1.28.0, then put its bin on PATH, set SUMO_HOME, or give --sumo PATH"
    )]
    NoSumo,
    /// What was given is not SUMO.
    #[error("{0}: no program sumo there; give --sumo the program, or the directory in which it or bin/sumo lies")]
    NotSumo(PathBuf),
    /// The program does not start.
    #[error("{0} does not start: {1}")]
    Start(PathBuf, std::io::Error),
    /// The scenario cannot be played.
    #[error("{0}: {1}")]
    Scenario(PathBuf, String),
    /// The scenario's own programs keep their times.
    #[error("--all-red and --pedestrians change what the engine may show: leave out --controller fixed")]
    Programs,
    /// Pictures cannot be drawn.
    #[error("{0}: {1}")]
    Plot(PathBuf, String),
    /// The network cannot be read.
    #[error(transparent)]
    City(#[from] city_file::CityFileError),
    /// The conversation with SUMO fails.
    #[error("{0}{1}")]
    Talk(TraciError, String),
    /// SUMO's output does not read.
    #[error("SUMO's trips cannot be read: {0}")]
    Trips(String),
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// The engine died.
    #[error(transparent)]
    Stopped(#[from] crate::engine::Stopped),
    /// It was to end before it was through.
    #[error("interrupted")]
    Interrupted,
}

/// Plays all seeds, some at a time; ends early when `interrupted` turns true.
pub fn sumo(args: &SumoArgs, interrupted: &AtomicBool) -> Result<Report, SumoError> {
    if args.controller == Controller::Fixed && (args.all_red_s.is_some() || args.pedestrians) {
        return Err(SumoError::Programs);
    }
    let program = find(args.sumo.as_deref())?;
    let scenario = Scenario::read(&args.scenario, args.begin, args.end)?;
    let (city, without_walk) = city(args, &scenario)?;
    let city = Arc::new(city);
    let lights = Lights::read(&city, &scenario)?;
    if let Some(dir) = &args.plots {
        std::fs::create_dir_all(dir).map_err(|error| SumoError::Plot(dir.clone(), error.to_string()))?;
    }
    let controllers = controllers(args);
    let all_s = scenario.lasts_s() as u64 * (args.seeds.0.len() * controllers.len()) as u64;
    let progress = runs::progress(all_s);
    let play = |controller: Controller| -> Result<(Controller, Vec<Played>), SumoError> {
        let runs = Runs {
            program: &program,
            scenario: &scenario,
            city: &city,
            lights: &lights,
            controller,
            faults: (args.sensing == Sensing::Detectors).then_some(Faults { seed: 0, detectors: args.detectors }),
            watch: args.plots.as_ref().and_then(|_| plots::watch(&city, &scenario)),
            progress: &progress,
        };
        Ok((controller, runs.play(&args.seeds.0, jobs(args), interrupted)?))
    };
    let played = controllers.into_iter().map(play).collect::<Result<Vec<_>, _>>()?;
    progress.finish_and_clear();
    let mut report = Report::new(args, &scenario, without_walk);
    played[0].1.iter().for_each(|run| report.add(run.seed, run.trips.clone(), &run.decided));
    if let Some(dir) = &args.plots {
        plots::draw(dir, &scenario, &played)?;
    }
    Ok(report)
}

/// The one that was asked for, and what pictures show beside it.
fn controllers(args: &SumoArgs) -> Vec<Controller> {
    match (args.controller, &args.plots) {
        (Controller::Engine, Some(_)) => vec![Controller::Engine, Controller::Fixed],
        (controller, _) => vec![controller],
    }
}

fn jobs(args: &SumoArgs) -> NonZeroUsize {
    args.jobs.or_else(|| std::thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN)
}

/// The scenario's city with the cameras that see it, and on how many approaches nobody can be given time to cross.
fn city(args: &SumoArgs, scenario: &Scenario) -> Result<(City, usize), SumoError> {
    let mut city = city_file::load_net(&scenario.net, &scenario.additional)?;
    without_ways_back(&mut city);
    if args.mode == Mode::Plan {
        city.junctions.iter_mut().for_each(|junction| junction.mode = SignalMode::Plan);
    }
    match args.sensing {
        Sensing::Exact => with_dense_cameras(&mut city),
        Sensing::Detectors => with_detectors(&mut city, (args.detectors.upstream_m * 1000.0).round() as u32),
    }
    if let Some(all_red_s) = args.all_red_s {
        with_all_red(&mut city, (all_red_s * 1000.0).round() as u32);
    }
    let without_walk = if args.pedestrians { with_pedestrians(&mut city) } else { Vec::new() };
    for link in &without_walk {
        let name = &city.links[link.index()].name;
        tracing::warn!("no stage holds the traffic over {name}: nobody is given time to cross it on foot");
    }
    if city.junctions.is_empty() && args.controller == Controller::Engine {
        return Err(SumoError::Scenario(scenario.net.clone(), "it has no traffic light to time".into()));
    }
    Ok((city, without_walk.len()))
}
