//! Rows of recordings, turned into events or dead letters.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{ControlMode, Event, Lamp, Passage, SignalFeedback, VehicleClass};
use nanming_dataflows::network::City;
use serde::Serialize;

use super::ReplayError;
use crate::ingest::validate::MAX_SPEED_MM_S;
use crate::ingest::{NameOrId, Names, Plates, vehicle_class};

/// A row that was not taken.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(super) struct DeadLetter {
    pub(super) stream: &'static str,
    pub(super) line: usize,
    pub(super) reason: Reason,
    pub(super) detail: String,
}

/// What a line of a file holds.
pub(super) struct Row<E> {
    pub(super) line: usize,
    pub(super) what: E,
}

/// Reads a table row by row: its columns by name, in any order. Each row becomes what `row` makes of it, or a dead letter.
pub(super) fn table<E>(
    path: &Path,
    stream: &'static str,
    columns: &[&str],
    dead: &mut Vec<DeadLetter>,
    mut row: impl FnMut(&[&str]) -> Result<E, (Reason, String)>,
) -> Result<Vec<Row<E>>, ReplayError> {
    let failed = |source| ReplayError::File { path: path.into(), source };
    let file = File::open(path).map_err(failed)?;
    let raw: Box<dyn Read> =
        if path.extension().is_some_and(|e| e == "gz") { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut lines = BufReader::new(raw).split(b'\n').enumerate();
    let header = lines.next().map_or(Ok(Vec::new()), |(_, line)| line).map_err(failed)?;
    let names: Vec<String> = text(&header).split(',').map(|c| c.trim().to_owned()).collect();
    let places: Vec<usize> = columns.iter().filter_map(|c| names.iter().position(|n| n == c)).collect();
    if places.len() < columns.len() {
        let message =
            format!("its first line must name the columns {}, but is: {}", columns.join(","), names.join(","));
        return Err(failed(std::io::Error::new(std::io::ErrorKind::InvalidData, message)));
    }
    let mut taken = Vec::new();
    for (number, line) in lines {
        let line = line.map_err(failed)?;
        let line = text(&line);
        if line.is_empty() {
            continue;
        }
        let cells: Vec<&str> = line.split(',').collect();
        let picked: Option<Vec<&str>> = places.iter().map(|p| cells.get(*p).map(|c| c.trim())).collect();
        let short = || (Reason::Malformed, format!("{} columns where {} are needed", cells.len(), names.len()));
        match picked.ok_or_else(short).and_then(|cells| row(&cells)) {
            Ok(what) => taken.push(Row { line: number + 1, what }),
            Err((reason, detail)) => dead.push(DeadLetter { stream, line: number + 1, reason, detail }),
        }
    }
    Ok(taken)
}

fn text(line: &[u8]) -> String {
    String::from_utf8_lossy(line).trim_end_matches('\r').to_owned()
}

/// Reads passages by lane: a camera at the end of every lane bears its name.
pub(super) fn passages(
    city: &Arc<City>,
    path: &Path,
    dead: &mut Vec<DeadLetter>,
) -> Result<Vec<Row<Event>>, ReplayError> {
    let names = Names::new(city);
    let plates = Plates::fixed();
    let columns = ["time_s", "lane", "vehicle", "class", "speed_mps"];
    table(path, "passages", &columns, dead, |cells| {
        let camera = names.camera(cells[1]).map_err(|unfit| (unfit.reason, unfit.detail))?;
        let speed_mm_s = number(cells[4])? * 1000.0;
        if !(0.0..=MAX_SPEED_MM_S).contains(&speed_mm_s) {
            return Err((Reason::ImpossibleSpeed, format!("{} m/s", cells[4])));
        }
        Ok(Event::Passage(Passage {
            time_ms: seconds(cells[0])?,
            camera,
            vehicle: plates.vehicle(cells[2]),
            speed_mm_s: speed_mm_s.round() as u32,
            class: class(cells[3])?,
        }))
    })
}

/// Reads what the recorded controllers showed.
pub(super) fn signals(
    city: &Arc<City>,
    path: &Path,
    dead: &mut Vec<DeadLetter>,
) -> Result<Vec<Row<Event>>, ReplayError> {
    let names = Names::new(city);
    table(path, "signals", &["time_s", "junction", "state"], dead, |cells| {
        let which = NameOrId::Name(cells[1].to_owned());
        let id = names.junction(&which).map_err(|unfit| (unfit.reason, unfit.detail))?;
        let junction = &city.junctions[id.index()];
        let lamps: Option<Vec<Lamp>> = cells[2].chars().map(Lamp::from_char).collect();
        let lamps = lamps.ok_or_else(|| (Reason::Malformed, format!("a lamp in {} is none of rygGsuoO", cells[2])))?;
        if lamps.len() != junction.heads.len() {
            return Err((Reason::OutOfRange, format!("{} lamps for {} heads", lamps.len(), junction.heads.len())));
        }
        // What was recorded does not follow the replay's orders: it is what the engine begins from, and no more.
        Ok(Event::Signal(SignalFeedback {
            time_ms: seconds(cells[0])?,
            junction: id,
            mode: ControlMode::Centre,
            lamps,
        }))
    })
}

pub(super) fn number(cell: &str) -> Result<f64, (Reason, String)> {
    cell.parse::<f64>()
        .ok()
        .filter(|x| x.is_finite())
        .ok_or_else(|| (Reason::Malformed, format!("'{cell}' is not a number")))
}

fn seconds(cell: &str) -> Result<u64, (Reason, String)> {
    match number(cell)? {
        s if (0.0..=1e11).contains(&s) => Ok((s * 1000.0).round() as u64),
        s => Err((Reason::OutOfRange, format!("time {s} s"))),
    }
}

fn class(name: &str) -> Result<VehicleClass, (Reason, String)> {
    vehicle_class(name).ok_or_else(|| (Reason::Malformed, format!("'{name}' is no class of vehicles")))
}
