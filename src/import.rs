//! `nanming import`: makes a recording from what others write: SUMO's vehicle positions (FCD) and detectors (E1), and tables.
//!
//! All is read as a stream, several files side by side by their times, and cut into ticks of half a second. What does not fit
//! becomes a dead letter with its line and reason. Clear plates end here, as at the door.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::NaiveDate;
use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::Event;
use nanming_dataflows::network::City;
use nanming_simulators::sumo_net::with_units;
use serde::Serialize;

use crate::bounded_file::BoundedFile;
use crate::recording::{Bounds, RecordingError, Writer};
use crate::{city_file, cli};

pub(crate) mod crossings;
mod detectors;
mod fcd;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod input;
mod mapping;
mod table;
mod ticks;
mod times;
mod xml;
use ticks::Ticks;

/// What to import.
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  nanming import --city town.net.xml --fcd fcd.xml.gz --out recording\n  nanming import \
                        --city town.json --csv gate.csv --mapping gate.toml --out recording\n  nanming replay --city \
                        town.json --recording recording --out out"
)]
pub struct ImportArgs {
    /// City: a SUMO .net.xml (or .gz), or a .json from `nanming city --out`; default: the reference city
    #[arg(long, visible_alias = "net", value_name = "FILE")]
    pub city: Option<PathBuf>,
    /// Seed of the reference city
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Patrol units to place, when the city has none
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = cli::units())]
    pub units: usize,
    /// SUMO's vehicle positions (--fcd-output), .xml or .xml.gz: a passage where a vehicle goes by a camera
    #[arg(long, value_name = "FILE")]
    pub fcd: Vec<PathBuf>,
    /// Output of SUMO's induction loops (E1), .xml or .xml.gz: readings of flow
    #[arg(long, value_name = "FILE")]
    pub detectors: Vec<PathBuf>,
    /// SUMO's additional files that say where the loops are; without one a loop bears the name of its camera
    #[arg(long, value_name = "FILE", requires = "detectors")]
    pub loops: Vec<PathBuf>,
    /// A table, .csv or .csv.gz, in the order of its times
    #[arg(long, value_name = "FILE", requires = "mapping")]
    pub csv: Vec<PathBuf>,
    /// What its columns mean: docs/recordings.md
    #[arg(long, value_name = "FILE", requires = "csv")]
    pub mapping: Option<PathBuf>,
    /// The local day at whose midnight SUMO's time begins
    #[arg(long, value_name = "YYYY-MM-DD", default_value = "2026-01-05")]
    pub day: NaiveDate,
    /// Directory of the recording, and of dead_letters.jsonl
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// Print what was imported as one JSON object instead of text
    #[arg(long)]
    pub json: bool,
}

/// Why an import fails.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
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
    /// A file is not what it should be.
    #[error("{path}, line {line}: {what}")]
    Content {
        /// Which file.
        path: PathBuf,
        /// Which line.
        line: u64,
        /// What is wrong, and what to do.
        what: String,
    },
    /// There is nothing to import.
    #[error("nothing to import: give --fcd, --detectors or --csv")]
    NoInput,
    /// Nothing in it is valid.
    #[error("nothing was imported: no row is valid; the reasons are in {0}")]
    Empty(PathBuf),
    /// The recording cannot be written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// It was to end early.
    #[error("interrupted; what was imported until then is in {0}")]
    Interrupted(PathBuf),
}

/// What was read: an event or why not, with its line.
struct Row {
    line: u64,
    time_ms: u64,
    what: Result<Event, Unfit>,
}

/// Why a row is not taken.
type Unfit = (Reason, String);

/// Rows of a file, about in the order of their times.
type Rows = Box<dyn Iterator<Item = Result<Row, ImportError>>>;

#[derive(Serialize)]
struct DeadLetter<'a> {
    file: &'a Path,
    line: u64,
    reason: Reason,
    detail: String,
}

/// What an import brought.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Imported {
    /// Ticks written.
    pub ticks: u64,
    /// Events, by stream.
    pub events: BTreeMap<&'static str, u64>,
    /// Rows that were not taken, by reason.
    pub dead_letters: BTreeMap<&'static str, u64>,
    /// First and last tick, ms since the Unix epoch.
    pub span_ms: (u64, u64),
}

/// Imports, and tells what it brought; ends early when `interrupted` turns true. `plate_key` is that of the configuration.
pub fn import(args: &ImportArgs, plate_key: &str, interrupted: &AtomicBool) -> Result<Imported, ImportError> {
    let mut city = city_file::load(args.city.as_deref(), args.seed)?;
    if city.units.is_empty() {
        with_units(&mut city, args.units, 1);
    }
    let city = Arc::new(city);
    let mut sources = sources(args, &city, plate_key)?;
    let failed = |source| ImportError::File { path: args.out.clone(), source };
    let bounds = Bounds { segment_bytes: 256 << 20, keep_ms: None };
    let writer = Writer::open(&args.out, &city, concat!("nanming import ", env!("CARGO_PKG_VERSION")), bounds)?;
    let dead_letters = args.out.join("dead_letters.jsonl");
    let mut letters = BoundedFile::append(dead_letters.clone(), DEAD_LETTER_BYTES).map_err(failed)?;
    let mut ticks = Ticks::new(writer);
    while let Some((path, row)) = next(&mut sources)? {
        if interrupted.load(Ordering::Relaxed) {
            ticks.finish()?;
            return Err(ImportError::Interrupted(args.out.clone()));
        }
        let Row { line, time_ms, what } = row;
        if let Err((reason, detail)) = what.and_then(|event| ticks.take(time_ms, event)) {
            ticks.refuse(reason);
            let letter = DeadLetter { file: path, line, reason, detail };
            letters.line(serde_json::to_vec(&letter).map_err(|e| failed(e.into()))?).map_err(failed)?;
        }
        ticks.write()?;
    }
    letters.flush().map_err(failed)?;
    let imported = ticks.finish()?;
    if imported.ticks == 0 { Err(ImportError::Empty(dead_letters)) } else { Ok(imported) }
}

/// Size at which dead letters are put aside (one older file is kept), bytes.
const DEAD_LETTER_BYTES: u64 = 64 << 20;

/// A file, and what comes next of it.
type Source = (PathBuf, std::iter::Peekable<Rows>);

fn sources(args: &ImportArgs, city: &Arc<City>, plate_key: &str) -> Result<Vec<Source>, ImportError> {
    let midnight_ms = times::midnight_ms(args.day, city.utc_offset_min);
    let mut sources: Vec<Source> = Vec::new();
    for path in &args.fcd {
        sources.push((path.clone(), fcd::rows(path, city, midnight_ms)?.peekable()));
    }
    let loops = detectors::loops(&args.loops, city)?;
    for path in &args.detectors {
        sources.push((path.clone(), detectors::rows(path, city, &loops, midnight_ms)?.peekable()));
    }
    let mapping = args.mapping.as_deref().map(mapping::read).transpose()?;
    for (path, mapping) in args.csv.iter().zip(mapping.iter().cycle()) {
        sources.push((path.clone(), table::rows(path, city, mapping, plate_key)?.peekable()));
    }
    if sources.is_empty() { Err(ImportError::NoInput) } else { Ok(sources) }
}

/// The earliest of the next rows; an error before all.
fn next(sources: &mut [Source]) -> Result<Option<(&Path, Row)>, ImportError> {
    let earliest = |(_, rows): &mut Source| match rows.peek() {
        None => None,
        Some(Ok(row)) => Some(row.time_ms),
        Some(Err(_)) => Some(0),
    };
    let due: Vec<Option<u64>> = sources.iter_mut().map(earliest).collect();
    let first = due.iter().enumerate().filter_map(|(n, at)| Some((at.as_ref()?, n))).min();
    let Some((path, rows)) = first.and_then(|(_, n)| sources.get_mut(n)) else { return Ok(None) };
    Ok(rows.next().transpose()?.map(|row| (path.as_path(), row)))
}

impl std::fmt::Display for Imported {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let list = |counts: &BTreeMap<&'static str, u64>| {
            let each: Vec<String> = counts.iter().map(|(name, n)| format!("{n} {name}")).collect();
            if each.is_empty() { "none".to_owned() } else { each.join(", ") }
        };
        writeln!(f, "{} ticks from {} to {}: {}", self.ticks, self.span_ms.0, self.span_ms.1, list(&self.events))?;
        writeln!(f, "dead letters: {}", list(&self.dead_letters))
    }
}

#[cfg(test)]
mod tests;
