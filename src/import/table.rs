//! Tables of passages or flows, by a mapping of their columns.

use std::collections::HashMap;
use std::io::{BufRead, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};
use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{Event, FlowReading, Passage, VehicleClass};
use nanming_dataflows::ids::CameraId;
use nanming_dataflows::network::City;

use super::input::Input;
use super::mapping::{Mapping, Stream};
use super::{ImportError, Row, Rows, Unfit, times};
use crate::ingest::validate::MAX_SPEED_MM_S;
use crate::ingest::{Names, Plates, vehicle_class};

/// A row is never longer, bytes, and never has more cells.
const LONGEST: usize = 64 << 10;
const CELLS: usize = 1024;

struct Table {
    path: PathBuf,
    input: Input,
    cells: Cells,
    columns: HashMap<String, usize>,
    mapping: Mapping,
    names: Names,
    plates: Plates,
    utc_offset_min: i32,
}

/// The rows of a table. Vehicles are hashed by the key of the configuration: they may be plates.
pub(super) fn rows(path: &Path, city: &Arc<City>, mapping: &Mapping, plate_key: &str) -> Result<Rows, ImportError> {
    let failed = |source| ImportError::File { path: path.into(), source };
    let mut table = Table {
        path: path.into(),
        input: Input::open(path).map_err(failed)?,
        cells: Cells::new(mapping.delimiter as u8),
        columns: HashMap::new(),
        mapping: mapping.clone(),
        names: Names::new(city),
        plates: Plates::new(plate_key),
        utc_offset_min: if mapping.time.utc { 0 } else { city.utc_offset_min },
    };
    let header = table.line().map_err(failed)?.unwrap_or_default();
    let cells = table.cells.split(header.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(&header));
    let names: Vec<String> = cells.map(|cells| cells.iter().map(|c| (*c).to_owned()).collect()).unwrap_or_default();
    table.columns = names.iter().enumerate().map(|(n, name)| (name.trim().to_owned(), n)).collect();
    let c = &mapping.columns;
    let more = [&c.vehicle, &c.class, &c.speed, &c.interval_s, &c.vehicles, &c.occupancy];
    match [&c.time, &c.camera].into_iter().chain(more.into_iter().flatten()).find(|c| !table.columns.contains_key(*c)) {
        None => Ok(Box::new(table)),
        Some(missing) => {
            let what = format!("it has no column '{missing}', which the mapping names; it has: {}", names.join(", "));
            Err(ImportError::Content { path: path.into(), line: 1, what })
        }
    }
}

impl Iterator for Table {
    type Item = Result<Row, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let number = self.input.line;
            let line = match self.line() {
                Ok(line) => line?,
                Err(source) => return Some(Err(ImportError::File { path: self.path.clone(), source })),
            };
            if line.trim_ascii().is_empty() {
                continue;
            }
            let what = if line.len() >= LONGEST {
                Err((Reason::OutOfRange, "a row is too long".into()))
            } else {
                self.event(&line)
            };
            let time_ms = what.as_ref().map_or(0, Event::time_ms);
            return Some(Ok(Row { line: number, time_ms, what }));
        }
    }
}

impl Table {
    /// The next line, with its end; of one that is too long the beginning. None at the end of the file.
    fn line(&mut self) -> std::io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        self.input.allow(LONGEST + 1);
        self.input.by_ref().take(LONGEST as u64).read_until(b'\n', &mut line)?;
        while line.len() >= LONGEST && !line.ends_with(b"\n") {
            let mut rest = Vec::new();
            self.input.allow(LONGEST + 1);
            if self.input.by_ref().take(LONGEST as u64).read_until(b'\n', &mut rest)? == 0 || rest.ends_with(b"\n") {
                break;
            }
        }
        if !line.is_empty() && !line.ends_with(b"\n") {
            line.push(b'\n');
        }
        Ok((!line.is_empty()).then_some(line))
    }

    fn event(&mut self, line: &[u8]) -> Result<Event, Unfit> {
        let Table { cells, columns, mapping, .. } = self;
        let cells = cells.split(line)?;
        let cell = |column: &String| {
            let place = columns.get(column).copied().unwrap_or(usize::MAX);
            cells
                .get(place)
                .map(|c| c.trim())
                .ok_or_else(|| (Reason::Malformed, format!("it has no cell for '{column}'")))
        };
        let maybe = |column: &Option<String>| column.as_ref().map(cell).transpose();
        let time_ms = time(cell(&mapping.columns.time)?, mapping, self.utc_offset_min)?;
        let camera = camera(cell(&mapping.columns.camera)?, mapping, &self.names)?;
        let speed_mm_s = maybe(&mapping.columns.speed)?.map_or(Ok(0), |text| speed_mm_s(text, mapping))?;
        match mapping.stream {
            Stream::Passages => {
                let vehicle = self.plates.vehicle(maybe(&mapping.columns.vehicle)?.unwrap_or_default());
                let class =
                    maybe(&mapping.columns.class)?.map_or(Ok(VehicleClass::Car), |name| class_of(name, mapping))?;
                Ok(Event::Passage(Passage { time_ms, camera, vehicle, speed_mm_s, class }))
            }
            Stream::Flows => {
                let interval_s = maybe(&mapping.columns.interval_s)?.map(times::number).transpose()?;
                let interval_s = interval_s.or(mapping.interval_s).unwrap_or_default();
                let vehicles = times::number(maybe(&mapping.columns.vehicles)?.unwrap_or_default())?;
                let share = maybe(&mapping.columns.occupancy)?.map_or(Ok(0.0), times::number)?;
                let occupancy = share * mapping.occupancy.milli();
                let fits = (0.1..=3_600.0).contains(&interval_s)
                    && (0.0..=5.0).contains(&(vehicles / interval_s))
                    && (0.0..=1000.0).contains(&occupancy);
                if !fits {
                    let what = format!("interval {interval_s} s, {vehicles} vehicles, occupancy {share}");
                    return Err((Reason::OutOfRange, what));
                }
                let (interval_ms, vehicles) = ((interval_s * 1000.0).round() as u32, vehicles.round() as u32);
                let occupancy_milli = occupancy.round() as u16;
                Ok(Event::Flow(FlowReading { time_ms, camera, interval_ms, vehicles, speed_mm_s, occupancy_milli }))
            }
        }
    }
}

fn time(text: &str, mapping: &Mapping, utc_offset_min: i32) -> Result<u64, Unfit> {
    match mapping.time.format.as_str() {
        "s" => times::seconds(text, 0),
        "ms" => times::number(text).and_then(|ms| times::seconds(&(ms / 1000.0).to_string(), 0)),
        format => times::formatted(text, format, utc_offset_min),
    }
}

fn camera(name: &str, mapping: &Mapping, names: &Names) -> Result<CameraId, Unfit> {
    let name = mapping.cameras.get(name).map_or(name, String::as_str);
    names.camera(name).map_err(|unfit| (unfit.reason, unfit.detail))
}

fn speed_mm_s(text: &str, mapping: &Mapping) -> Result<u32, Unfit> {
    let speed = times::number(text)? * mapping.speed.mm_s();
    if (0.0..=MAX_SPEED_MM_S).contains(&speed) {
        Ok(speed.round() as u32)
    } else {
        Err((Reason::ImpossibleSpeed, text.into()))
    }
}

fn class_of(name: &str, mapping: &Mapping) -> Result<VehicleClass, Unfit> {
    let known = mapping.classes.get(name).copied().or_else(|| vehicle_class(name));
    known.ok_or_else(|| (Reason::Malformed, format!("'{name}' is no class of vehicles: name it under [classes]")))
}

/// Splits a line into its cells.
struct Cells {
    reader: Reader,
    text: Vec<u8>,
    ends: Vec<usize>,
}

impl Cells {
    fn new(delimiter: u8) -> Cells {
        let reader = ReaderBuilder::new().delimiter(delimiter).build();
        Cells { reader, text: vec![0; LONGEST], ends: vec![0; CELLS] }
    }

    fn split(&mut self, line: &[u8]) -> Result<Vec<&str>, Unfit> {
        let malformed = |what: &str| (Reason::Malformed, what.to_owned());
        self.reader.reset();
        let (result, _, bytes, cells) = self.reader.read_record(line, &mut self.text, &mut self.ends);
        match result {
            ReadRecordResult::Record => {}
            ReadRecordResult::OutputEndsFull => return Err(malformed("it has more than 1024 cells")),
            _ => return Err(malformed("a quote does not end in its line")),
        }
        let text = std::str::from_utf8(&self.text[..bytes]);
        let text =
            text.map_err(|_| malformed("it is not UTF-8: convert the file first, as by iconv -f GBK -t UTF-8"))?;
        let begins = std::iter::once(0).chain(self.ends[..cells].iter().copied());
        Ok(begins.zip(&self.ends[..cells]).filter_map(|(begin, end)| text.get(begin..*end)).collect())
    }
}
