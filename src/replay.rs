//! `nanming replay`: plays a recorded hour through the engine and writes what it decides.
//!
//! A recording of a live city ([`recorded`]) is played as it was. Tables of passages are cut into ticks here:
//! ticks are event time, one each half second, in lockstep, so the same recording gives the same bytes on any number of
//! workers. Signals run beside the recorded ones: the recording's vehicles obeyed its own lamps, not these.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nanming_dataflows::event::Batch;
use nanming_dataflows::keyed::States;
use nanming_dataflows::network::City;
use nanming_simulators::sumo_net::with_units;

use crate::cluster::{Cluster, ClusterArgs, ClusterError};
use crate::config::Config;
use crate::engine::Engine;
use crate::publish::jsonl::JsonlSinks;
use crate::run::{RunError, set_rules};
use crate::{city_file, cli};

mod assist;
mod calls;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod patrol;
pub mod recorded;
mod recording;
mod rows;
mod span;
mod stretch;
mod tally;
use patrol::Patrol;
use recording::Recording;
pub use span::Moment;
pub use tally::Summary;

/// Length of a tick, ms.
const TICK_MS: u64 = 500;
/// Ticks that a process which follows may have in flight; the leader has one.
const IN_FLIGHT: usize = 2;
/// While it waits: between two looks at whether the end is asked for.
const GLANCE: Duration = Duration::from_millis(100);

/// What to replay, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct ReplayArgs {
    /// City: a SUMO .net.xml (or .gz), or a .json from `nanming city --out`; of a recording default: the reference city
    #[arg(long, visible_alias = "net", value_name = "FILE", required_unless_present = "recording")]
    pub city: Option<PathBuf>,
    /// Seed of the reference city
    #[arg(long, value_name = "N", default_value_t = 1, requires = "recording")]
    pub seed: u64,
    /// Recording of a live city, from `nanming record` or `nanming import`: its ticks are played as they were
    #[arg(long, value_name = "DIR", conflicts_with_all = ["passages", "signals", "calls"])]
    pub recording: Option<PathBuf>,
    /// A roster's file, such as the recorded city had, in the order of its rosters.files; of the reference city default: its four
    #[arg(long = "roster", value_name = "FILE", requires = "recording")]
    pub rosters: Vec<PathBuf>,
    /// From this time on: a local time of day, such as 07:30, or ms since the Unix epoch (with --recording)
    #[arg(long, value_name = "TIME", requires = "recording")]
    pub from: Option<Moment>,
    /// To this time, likewise
    #[arg(long, value_name = "TIME", requires = "recording")]
    pub to: Option<Moment>,
    /// Play it so many times, each after the other (with --recording)
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=1_000_000), requires = "recording")]
    pub loops: u64,
    /// Passages: time_s,lane,vehicle,class,speed_mps (.csv or .csv.gz); rows more than 6 h from the rest are left out
    #[arg(long, value_name = "FILE", required_unless_present = "recording")]
    pub passages: Option<PathBuf>,
    /// Recorded signals: time_s,junction,state (.csv or .csv.gz)
    #[arg(long, value_name = "FILE")]
    pub signals: Option<PathBuf>,
    /// Calls for service, mapped into the network's box and hour (.csv or .csv.gz)
    #[arg(long, value_name = "FILE")]
    pub calls: Option<PathBuf>,
    /// Patrol units to place, when the city has none
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = cli::units())]
    pub units: usize,
    /// Times as fast as it was recorded, or max
    #[arg(long, value_name = "X|max", default_value = "max", value_parser = speed)]
    pub speed: Speed,
    /// Worker threads of the engine: the result is the same; more than one helps only where one core cannot keep up
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = cli::workers())]
    pub workers: usize,
    /// Directory for signals, forecasts, assignments, dead_letters (.jsonl) and summary.json
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Print the summary as one JSON object instead of text
    #[arg(long)]
    pub json: bool,
    /// One of several processes, all with the same files
    #[command(flatten)]
    pub cluster: ClusterArgs,
}

/// How fast to play.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// As fast as the engine goes.
    Max,
    /// So many times as fast as it was recorded.
    Times(f64),
}

fn speed(text: &str) -> Result<Speed, String> {
    match text.parse::<f64>() {
        _ if text == "max" => Ok(Speed::Max),
        Ok(times) if times > 0.0 && times.is_finite() => Ok(Speed::Times(times)),
        _ => Err("write a number above 0, such as 10, or max".into()),
    }
}

/// Why a replay fails.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The city cannot be had.
    #[error(transparent)]
    City(#[from] city_file::CityFileError),
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// No row of the passages is valid.
    #[error("{passages}: no valid passage in it; the reasons are in {dead_letters}")]
    Empty {
        /// The passages.
        passages: PathBuf,
        /// Where the reasons are.
        dead_letters: PathBuf,
    },
    /// The recording cannot be played.
    #[error(transparent)]
    Recording(#[from] crate::recording::RecordingError),
    /// The times leave nothing of it.
    #[error(
        "no tick of the recording lies from --from to --to: it has those from {first} to {last} (ms since the Unix epoch)"
    )]
    Nothing {
        /// Its first tick.
        first: u64,
        /// Its last tick.
        last: u64,
    },
    /// It was to end before the recording did.
    #[error("interrupted; what was decided until then is in {0}, without a summary")]
    Interrupted(PathBuf),
    /// The leader plays another recording.
    #[error(
        "the leader has come to tick {theirs}, the recording here to {}: give all processes the same recording, --from, \
         --to and --loops",
        ours.map_or("its end".to_owned(), |tick| format!("tick {tick}"))
    )]
    Differs {
        /// The leader's tick.
        theirs: u64,
        /// The tick that was to come, if one was.
        ours: Option<u64>,
    },
    /// The leader has ended before the recording.
    #[error("the leader has ended before tick {ours}: it was interrupted or has failed, and says why")]
    LeaderEnded {
        /// The tick that was to come.
        ours: u64,
    },
    /// The rules of the configuration do not fit the city.
    #[error(transparent)]
    Rules(#[from] Box<RunError>),
    /// A roster makes no sense.
    #[error(transparent)]
    Roster(#[from] crate::rosters::RosterError),
    /// The processes cannot come together.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The engine died.
    #[error(transparent)]
    Stopped(#[from] crate::engine::Stopped),
}

/// Replays, a recording of a live city by the rules of the configuration, writes the files, and returns the summary that summary.json holds; ends early when `interrupted` turns true. A
/// process that follows another writes nothing and has no summary.
pub fn replay(args: &ReplayArgs, config: &Config, interrupted: &AtomicBool) -> Result<Option<Summary>, ReplayError> {
    let mut city = city_file::load(args.city.as_deref(), args.seed)?;
    if city.units.is_empty() {
        with_units(&mut city, args.units, 1);
    }
    match (args.rosters.as_slice(), &args.city) {
        ([], None) => crate::rosters::reference(&mut city, args.seed)?,
        (files, _) => crate::rosters::load(&mut city, files)?,
    }
    if args.recording.is_some() {
        set_rules(config, &mut city).map_err(Box::new)?;
    }
    let city = Arc::new(city);
    let cluster = args.cluster.cluster()?;
    cluster.iter().for_each(Cluster::end_with_the_others);
    let led = cluster.as_ref().filter(|cluster| !cluster.leads());
    match (&args.recording, led) {
        (Some(dir), Some(led)) => return assist::recorded(args, dir, led, &city, interrupted).map(|()| None),
        (Some(dir), None) => return recorded::replay(args, dir, &city, cluster.as_ref(), interrupted).map(Some),
        (None, Some(led)) => return assist::assist(args, led, &city, interrupted).map(|()| None),
        (None, None) => {}
    }
    let failed = |source| ReplayError::File { path: args.out.clone(), source };
    let mut sinks = JsonlSinks::create(&args.out, &city).map_err(failed)?;
    let mut dead = Vec::new();
    let read = Recording::read(args, &city, &mut dead);
    dead.iter().try_for_each(|letter| sinks.dead_letter(letter)).and_then(|()| sinks.flush()).map_err(failed)?;
    let recording = read?;
    let summary = Summary::new(&city, dead.len(), recording.calls_left_out.clone());
    Play { args, cluster, city, sinks, summary, interrupted }.run(recording).map(Some)
}

struct Play<'a> {
    args: &'a ReplayArgs,
    cluster: Option<Cluster>,
    city: Arc<City>,
    sinks: JsonlSinks,
    summary: Summary,
    interrupted: &'a AtomicBool,
}

impl Play<'_> {
    fn run(mut self, recording: Recording) -> Result<Summary, ReplayError> {
        let failed = |source| ReplayError::File { path: self.args.out.clone(), source };
        let pace = Pace::start(self.args.speed, self.interrupted);
        let mut engine = Engine::start_in(self.cluster.as_ref(), &self.city, self.args.workers, States::default())?;
        let mut patrol = Patrol::new(&self.city);
        let Recording { events, span: (first, last), .. } = recording;
        let mut events = events.into_iter().peekable();
        let progress = progress(last - first);
        let mut tick = first / TICK_MS * TICK_MS;
        while tick <= last + TICK_MS {
            if self.interrupted.load(Ordering::Relaxed) {
                progress.finish_and_clear();
                self.sinks.flush().map_err(failed)?;
                return Err(ReplayError::Interrupted(self.args.out.clone()));
            }
            tick += TICK_MS;
            let mut batch = Batch::default();
            while let Some(event) = events.next_if(|e| e.time_ms() <= tick) {
                batch.push(event);
            }
            batch.extend(patrol.reports(tick));
            batch.calls.iter().for_each(|call| patrol.hear(call));
            self.summary.take(&batch);
            self.cluster.iter().for_each(|cluster| cluster.keep_own(&mut batch));
            let decisions = engine.step(tick, batch)?;
            self.summary.note(&self.city, &decisions);
            patrol.obey(&decisions);
            self.sinks.write(&decisions).map_err(failed)?;
            progress.set_position(tick.saturating_sub(first));
            pace.wait_for(tick.saturating_sub(first));
        }
        progress.finish_and_clear();
        self.sinks.flush().map_err(failed)?;
        write_summary(&self.summary, &self.args.out)?;
        Ok(self.summary)
    }
}

/// Writes summary.json.
fn write_summary(summary: &Summary, out: &Path) -> Result<(), ReplayError> {
    let path = out.join("summary.json");
    let text = serde_json::to_string_pretty(summary).map_err(std::io::Error::from);
    let written = text.and_then(|text| std::fs::write(&path, text + "\n"));
    written.map_err(|source| ReplayError::File { path, source })
}

/// How the wall clock goes with the recording's.
struct Pace<'a> {
    speed: Speed,
    began: Instant,
    interrupted: &'a AtomicBool,
}

impl Pace<'_> {
    fn start(speed: Speed, interrupted: &AtomicBool) -> Pace<'_> {
        Pace { speed, began: Instant::now(), interrupted }
    }

    /// When so much of the recording is due, after the beginning; at once at the highest speed.
    fn due(&self, played_ms: u64) -> Duration {
        match self.speed {
            Speed::Max => Duration::ZERO,
            Speed::Times(times) => Duration::from_secs_f64(played_ms as f64 / 1000.0 / times),
        }
    }

    /// Waits until the wall clock has come as far as the recording should have, or the end is asked for.
    fn wait_for(&self, played_ms: u64) {
        let due = self.due(played_ms);
        while !self.interrupted.load(Ordering::Relaxed) {
            match due.checked_sub(self.began.elapsed()) {
                Some(rest) if !rest.is_zero() => std::thread::sleep(rest.min(GLANCE)),
                _ => return,
            }
        }
    }
}

fn progress(length_ms: u64) -> indicatif::ProgressBar {
    let style = indicatif::ProgressStyle::with_template("{bar:40} {percent:>3} %  {elapsed} of about {duration}")
        .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar());
    indicatif::ProgressBar::new(length_ms).with_style(style)
}

/// Prints a summary as one JSON object, or for people.
pub fn print(summary: &Summary, json: bool) -> Result<(), Box<dyn std::error::Error>> {
    if json {
        crate::cli::out(format_args!("{}\n", serde_json::to_string(summary)?))?;
    } else {
        crate::cli::out(format_args!("{summary}"))?;
    }
    Ok(())
}
