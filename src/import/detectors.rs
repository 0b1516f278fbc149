//! Output of SUMO's induction loops: `<interval begin end id nVehContrib occupancy speed>`.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{Event, FlowReading};
use nanming_dataflows::ids::CameraId;
use nanming_dataflows::network::{CameraKind, City};

use super::xml::{Element, Elements, Tag};
use super::{ImportError, Row, Rows, Unfit, times};
use crate::ingest::Names;
use crate::ingest::validate::MAX_SPEED_MM_S;

/// Longest interval, s, and most vehicles a second: as at the door.
const MAX_INTERVAL_S: f64 = 3_600.0;
const MAX_VEH_S: f64 = 5.0;

/// Which camera stands for a loop, by the loop's name.
pub(super) type Loops = Arc<HashMap<String, CameraId>>;

/// Reads where loops are: each stands for the camera of its lane that is nearest.
pub(super) fn loops(paths: &[PathBuf], city: &City) -> Result<Loops, ImportError> {
    let mut loops = HashMap::new();
    for path in paths {
        let mut elements = Elements::open(path, "additional", "give SUMO's additional file with the loops")?;
        while let Some(tag) = elements.next()? {
            let Tag::Begin(element) = tag else { continue };
            if !matches!(element.name(), "inductionLoop" | "e1Detector") {
                continue;
            }
            match place(&element, city) {
                Ok((id, camera)) => drop(loops.insert(id, camera)),
                Err((_, what)) => tracing::warn!("{}: a loop is left out: {what}", path.display()),
            }
        }
    }
    Ok(Arc::new(loops))
}

fn place(element: &Element, city: &City) -> Result<(String, CameraId), Unfit> {
    let (id, lane, mut at_mm) = (element.text("id")?, element.text("lane")?, element.number("pos")? * 1000.0);
    let none = || (Reason::UnknownName, format!("{id}: lane '{lane}' is not in the city, or has no camera"));
    let lane_row = city.lanes.iter().find(|l| l.name == lane).ok_or_else(none)?;
    let length_mm = f64::from(lane_row.length_mm);
    if at_mm < 0.0 {
        at_mm += length_mm;
    }
    let distance = |before_mm: u32| (length_mm - f64::from(before_mm) - at_mm).abs();
    let here = city.cameras.iter().filter(|c| matches!(c.kind, CameraKind::StopLine | CameraKind::MidLink));
    let here = here.filter_map(|c| c.lane.filter(|(on, _)| *on == lane_row.id).map(|(_, mm)| (distance(mm), c.id)));
    let nearest = here.min_by(|a, b| a.0.total_cmp(&b.0)).ok_or_else(none)?;
    Ok((id, nearest.1))
}

struct Detectors {
    elements: Elements,
    zero_ms: i64,
    names: Names,
    loops: Loops,
}

/// Readings, interval by interval. SUMO's time begins at `zero_ms`.
pub(super) fn rows(path: &Path, city: &Arc<City>, loops: &Loops, zero_ms: i64) -> Result<Rows, ImportError> {
    let elements = Elements::open(path, "detector", "give what SUMO's inductionLoop detectors wrote")?;
    Ok(Box::new(Detectors { elements, zero_ms, names: Names::new(city), loops: Arc::clone(loops) }))
}

impl Iterator for Detectors {
    type Item = Result<Row, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let element = match self.elements.next() {
                Ok(Some(Tag::Begin(element))) if element.name() == "interval" => element,
                Ok(Some(_)) => continue,
                Ok(None) => return None,
                Err(error) => return Some(Err(error)),
            };
            let line = self.elements.line();
            let camera = |id: &str| match self.loops.get(id) {
                Some(camera) => Ok(*camera),
                None => self.names.camera(id).map_err(|unfit| (unfit.reason, unfit.detail)),
            };
            let what = reading(&element, self.zero_ms, camera);
            let time_ms = what.as_ref().map_or(0, |reading| reading.time_ms);
            return Some(Ok(Row { line, time_ms, what: what.map(Event::Flow) }));
        }
    }
}

fn reading(
    element: &Element,
    zero_ms: i64,
    camera: impl Fn(&str) -> Result<CameraId, Unfit>,
) -> Result<FlowReading, Unfit> {
    let (begin_s, end) = (element.number("begin")?, element.text("end")?);
    let interval_s = times::number(&end)? - begin_s;
    let in_range = |what: &str, x: f64, most: f64| {
        if (0.0..=most).contains(&x) { Ok(x) } else { Err((Reason::OutOfRange, format!("{what} {x}"))) }
    };
    in_range("interval", interval_s - 0.1, MAX_INTERVAL_S)?;
    let vehicles = element.number("nVehContrib")?;
    in_range("vehicles a second", vehicles / interval_s, MAX_VEH_S)?;
    let occupancy = in_range("occupancy", element.number("occupancy")?, 100.0)?;
    // -1 where nobody passed.
    let speed_mm_s = element.number("speed")?.max(0.0) * 1000.0;
    if speed_mm_s > MAX_SPEED_MM_S {
        return Err((Reason::ImpossibleSpeed, format!("{} m/s", speed_mm_s / 1000.0)));
    }
    Ok(FlowReading {
        time_ms: times::seconds(&end, zero_ms)?,
        camera: camera(&element.text("id")?)?,
        interval_ms: (interval_s * 1000.0).round() as u32,
        vehicles: vehicles.round() as u32,
        speed_mm_s: speed_mm_s.round() as u32,
        occupancy_milli: (occupancy * 10.0).round() as u16,
    })
}
