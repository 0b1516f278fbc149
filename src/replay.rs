//! `nanming replay`: plays a recorded hour through the engine and writes what it decides.
//!
//! Ticks are event time, one each half second, in lockstep, so the same recording gives the same bytes on any number of
//! workers. Signals run beside the recorded ones: the recording's vehicles obeyed its own lamps, not these.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nanming_dataflows::event::{Batch, Event};
use nanming_dataflows::network::City;
use nanming_simulators::sumo_net::with_units;

use crate::city_file;
use crate::engine::Engine;
use crate::publish::jsonl::JsonlSinks;

mod calls;
mod patrol;
mod rows;
mod tally;
use patrol::Patrol;
use rows::DeadLetter;
pub use tally::Summary;

/// Length of a tick, ms.
const TICK_MS: u64 = 500;

/// What to replay, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct ReplayArgs {
    /// City: a SUMO .net.xml, or a .json from `nanming city --out`
    #[arg(long, value_name = "FILE")]
    pub city: PathBuf,
    /// Passages: time_s,lane,vehicle,class,speed_mps (.csv or .csv.gz)
    #[arg(long, value_name = "FILE")]
    pub passages: PathBuf,
    /// Recorded signals: time_s,junction,state (.csv or .csv.gz)
    #[arg(long, value_name = "FILE")]
    pub signals: Option<PathBuf>,
    /// Calls for service, mapped into the network's box and hour (.csv or .csv.gz)
    #[arg(long, value_name = "FILE")]
    pub calls: Option<PathBuf>,
    /// Patrol units to place, when the city has none
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub units: usize,
    /// Times as fast as it was recorded, or max
    #[arg(long, value_name = "X|max", default_value = "max", value_parser = speed)]
    pub speed: Speed,
    /// Worker threads of the engine
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub workers: usize,
    /// Directory for signals, forecasts, assignments, dead_letters (.jsonl) and summary.json
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Print the summary as one JSON object instead of text
    #[arg(long)]
    pub json: bool,
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
    #[error("{0}: no valid passage in it; see dead_letters.jsonl for the reasons")]
    Empty(PathBuf),
    /// The engine died.
    #[error(transparent)]
    Stopped(#[from] crate::engine::Stopped),
}

/// Replays, writes the files, and returns the summary that summary.json holds.
pub fn replay(args: &ReplayArgs) -> Result<Summary, ReplayError> {
    let mut city = city_file::load(Some(&args.city), 0)?;
    if city.units.is_empty() {
        with_units(&mut city, args.units, 1);
    }
    let city = Arc::new(city);
    let (mut events, mut dead) = (Vec::new(), Vec::new());
    rows::passages(&city, &args.passages, &mut events, &mut dead)?;
    let (Some(first), Some(last)) = (events.iter().map(Event::time_ms).min(), events.iter().map(Event::time_ms).max())
    else {
        return Err(ReplayError::Empty(args.passages.clone()));
    };
    if let Some(path) = &args.signals {
        rows::signals(&city, path, &mut events, &mut dead)?;
    }
    if let Some(path) = &args.calls {
        calls::calls(&city, path, (first, last), &mut events, &mut dead)?;
    }
    events.sort_by_key(Event::time_ms);
    Play { args, city, first, last }.run(events, &dead)
}

struct Play<'a> {
    args: &'a ReplayArgs,
    city: Arc<City>,
    first: u64,
    last: u64,
}

impl Play<'_> {
    fn run(&self, events: Vec<Event>, dead: &[DeadLetter]) -> Result<Summary, ReplayError> {
        let failed = |source| ReplayError::File { path: self.args.out.clone(), source };
        let mut sinks = JsonlSinks::create(&self.args.out, &self.city).map_err(failed)?;
        dead.iter().try_for_each(|letter| sinks.dead_letter(letter)).map_err(failed)?;
        let mut engine = Engine::start(&self.city, self.args.workers, &[]);
        let mut patrol = Patrol::new(&self.city);
        let mut summary = Summary::new(&self.city, dead.len());
        let mut events = events.into_iter().peekable();
        let began = Instant::now();
        let progress = progress(self.last - self.first);
        let mut tick = self.first / TICK_MS * TICK_MS;
        while tick <= self.last + TICK_MS {
            tick += TICK_MS;
            let mut batch = Batch::default();
            while let Some(event) = events.next_if(|e| e.time_ms() <= tick) {
                batch.push(event);
            }
            batch.extend(patrol.reports(tick));
            batch.calls.iter().for_each(|call| patrol.hear(call));
            summary.take(&batch);
            let decisions = engine.step(tick, batch)?;
            summary.note(&self.city, &decisions);
            patrol.obey(&decisions);
            sinks.write(&decisions).map_err(failed)?;
            progress.set_position(tick.saturating_sub(self.first));
            self.pace(began, tick);
        }
        progress.finish_and_clear();
        sinks.flush().map_err(failed)?;
        let path = self.args.out.join("summary.json");
        let text = serde_json::to_string_pretty(&summary).map_err(|e| failed(e.into()))?;
        std::fs::write(&path, text + "\n").map_err(|source| ReplayError::File { path, source })?;
        Ok(summary)
    }

    /// Waits until the wall clock has come as far as the recording should have.
    fn pace(&self, began: Instant, tick: u64) {
        if let Speed::Times(times) = self.args.speed {
            let due = Duration::from_secs_f64((tick - self.first.min(tick)) as f64 / 1000.0 / times);
            std::thread::sleep(due.saturating_sub(began.elapsed()));
        }
    }
}

fn progress(length_ms: u64) -> indicatif::ProgressBar {
    let style = indicatif::ProgressStyle::with_template("{bar:40} {percent:>3} %  {elapsed} of about {duration}")
        .unwrap_or_else(|_| indicatif::ProgressStyle::default_bar());
    indicatif::ProgressBar::new(length_ms).with_style(style)
}

/// Prints a summary as one JSON object, or for people.
pub fn print(summary: &Summary, json: bool) -> Result<(), serde_json::Error> {
    if json {
        println!("{}", serde_json::to_string(summary)?);
    } else {
        print!("{summary}");
    }
    Ok(())
}
