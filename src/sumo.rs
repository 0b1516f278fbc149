//! The closed loop with SUMO: its vehicles are seen by cameras, the engine hears of them and times the lights, SUMO's vehicles
//! obey. SUMO is the judge: delays are those that it writes.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use indicatif::{ProgressBar, ProgressStyle};
use nanming_dataflows::network::{City, SignalMode};
use nanming_simulators::sumo_net::{with_dense_cameras, with_detectors, without_ways_back};
use nanming_simulators::traci::TraciError;

use crate::city_file;

mod find;
mod lights;
mod play;
mod process;
mod report;
mod scenario;
mod seeds;
mod sensing;
mod trips;
pub use find::find;
pub use report::{Report, Run};
pub use seeds::Seeds;
pub use sensing::Sensing;
pub use trips::Trips;

use lights::Lights;
use play::{Play, PlayError};
use process::Sumo;
use scenario::Scenario;
use sensing::Faults;

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
    /// Share of vehicles that a detector misses (with --sensing detectors)
    #[arg(long, value_name = "SHARE", default_value_t = 0.05, value_parser = share)]
    pub misses: f64,
    /// Share of detectors that are dead (with --sensing detectors)
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub dead: f64,
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
  nanming sumo cologne1.sumocfg --sensing detectors --dead 0.2 --seeds 1-3 --json";

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

/// Plays all seeds, one after the other; ends early when `interrupted` turns true.
pub fn sumo(args: &SumoArgs, interrupted: &AtomicBool) -> Result<Report, SumoError> {
    let program = find(args.sumo.as_deref())?;
    let scenario = Scenario::read(&args.scenario, args.begin, args.end)?;
    let city = Arc::new(city(args, &scenario)?);
    let progress = progress(scenario.lasts_s() as u64 * args.seeds.0.len() as u64);
    let mut report = Report::new(args, &scenario);
    for seed in &args.seeds.0 {
        progress.set_message(format!("seed {seed}"));
        let faults = Faults { seed: *seed, misses: args.misses, dead: args.dead };
        let play = Play {
            city: &city,
            lights: Lights::read(&city, &scenario.net)?,
            faults: (args.sensing == Sensing::Detectors).then_some(faults),
            end_s: scenario.end_s,
            progress: &progress,
            interrupted,
        };
        let (mut sumo, mut client) = Sumo::start(&program, &scenario, *seed, interrupted)?;
        let played = play.play(&mut client, args.controller);
        let ended = played.and_then(|decided| client.close().map(|()| decided).map_err(PlayError::Talk));
        let decided = ended.map_err(|error| match error {
            PlayError::Talk(error) => sumo.failed(error),
            PlayError::Other(error) => error,
        })?;
        report.add(*seed, trips::read(&sumo.end()?, scenario.lasts_s())?, &decided);
    }
    progress.finish_and_clear();
    Ok(report)
}

/// The scenario's city with the cameras that see it.
fn city(args: &SumoArgs, scenario: &Scenario) -> Result<City, SumoError> {
    let mut city = city_file::load(Some(&scenario.net), 0)?;
    without_ways_back(&mut city);
    if args.mode == Mode::Plan {
        city.junctions.iter_mut().for_each(|junction| junction.mode = SignalMode::Plan);
    }
    match args.sensing {
        Sensing::Exact => with_dense_cameras(&mut city),
        Sensing::Detectors => with_detectors(&mut city),
    }
    if city.junctions.is_empty() && args.controller == Controller::Engine {
        return Err(SumoError::Scenario(scenario.net.clone(), "it has no traffic light to time".into()));
    }
    Ok(city)
}

fn progress(length_s: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3} %  {msg}  {elapsed} of about {duration}")
        .unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(length_s).with_style(style)
}
