//! From a line of outside JSON to an event, or to the reason why not. Pure: the city, the key and the time are given.

use std::sync::Arc;

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::*;
use nanming_dataflows::ids::{BusId, CallId, CameraId, CaseId, JunctionId, VehicleId};
use nanming_dataflows::network::{CameraKind, City};

use super::alarm::{self, Alarm, AlarmJson};
use super::line::*;
use super::place::on_route;
use super::{Callers, Names, Plates, Unfit, scan};
use crate::classify::Classifier;
use crate::door::CallNote;

/// Faster than this no vehicle drives in a city, mm/s.
pub const MAX_SPEED_MM_S: f64 = 70_000.0;
/// Longest interval of a detector, s.
const MAX_INTERVAL_S: f64 = 3_600.0;
/// Units report from at most so far outside the outermost nodes, mm.
const UNIT_MARGIN_MM: i32 = 20_000_000;
/// Most people that one camera counts.
const MAX_PEOPLE: u32 = 1_000_000;

/// A valid event; for a call that is opened, also its words.
pub type Valid = (Event, Option<(CallId, CallNote)>);

/// What lines are checked against.
#[derive(Clone)]
pub struct Validator {
    city: Arc<City>,
    names: Names,
    /// By camera.
    kinds: Vec<CameraKind>,
    plates: Plates,
    callers: Callers,
    rules: Arc<Classifier>,
    future_ms: u64,
    late_ms: u64,
}

impl Validator {
    /// Checks against a city; events more than `future_ms` ahead of the city's clock are refused, and what sensors and
    /// units say more than `late_ms` behind it.
    pub fn new(city: Arc<City>, plates: Plates, callers: Callers, future_ms: u64, late_ms: u64) -> Validator {
        let kinds = city.cameras.iter().map(|camera| camera.kind).collect();
        let rules = Arc::default();
        Validator { names: Names::new(&city), kinds, city, plates, callers, rules, future_ms, late_ms }
    }

    /// Understands the words of alarms by these rules; without any it takes all of them with caution.
    pub fn with_rules(self, rules: Arc<Classifier>) -> Validator {
        Validator { rules, ..self }
    }

    /// An alarm that makes sense.
    pub fn alarm(&self, alarm: AlarmJson) -> Result<Alarm, Unfit> {
        alarm.alarm(&self.city, &self.callers, &self.rules)
    }

    /// Pseudonyms of callers.
    pub fn callers(&self) -> &Callers {
        &self.callers
    }

    /// The city's local time is so far ahead of UTC.
    pub fn utc_offset_min(&self) -> i32 {
        self.city.utc_offset_min
    }

    /// The pseudonyms that it gives.
    pub(super) fn plates(&self) -> &Plates {
        &self.plates
    }

    /// The names that it knows.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Checks one line. `now_ms`: the city's clock, also the time of a line without one.
    pub fn event(&self, raw: &[u8], now_ms: u64) -> Result<Valid, Unfit> {
        // By far the most lines are such.
        if let Some(line) = scan::passage(raw) {
            return Ok((Event::Passage(self.passage(&line, now_ms)?), None));
        }
        object(raw)?;
        let line: Line<'_> = serde_json::from_slice(raw).map_err(|e| Unfit::new(Reason::Malformed, e.to_string()))?;
        let event = match line {
            Line::Call(line) => return self.call(line, now_ms),
            Line::Passage(line) => Event::Passage(self.passage(&line, now_ms)?),
            Line::Flow(line) => Event::Flow(self.flow(&line, now_ms)?),
            Line::Crowd(line) => Event::Crowd(self.crowd(&line, now_ms)?),
            Line::Unit(line) => Event::Unit(self.unit(&line, now_ms)?),
            Line::Ack(line) => Event::Ack(self.ack(&line, now_ms)?),
            Line::Signal(line) => Event::Signal(self.signal(&line, now_ms)?),
            Line::Bus(line) => Event::Bus(self.bus(&line, now_ms)?),
            Line::Violation(line) => Event::Violation(self.violation(&line, now_ms)?),
            Line::Case(line) => Event::Case(self.case(&line, now_ms)?),
            Line::Site(line) => Event::Site(self.site(&line, now_ms)?),
            Line::Hold(line) => Event::Hold(hold::hold(self, line, now_ms)?),
            Line::Gate(line) => Event::Gate(self.gate(&line, now_ms)?),
            Line::Weather(line) => Event::Weather(self.weather(&line, now_ms)?),
        };
        Ok((event, None))
    }

    pub(super) fn time(&self, time_ms: Option<u64>, now_ms: u64) -> Result<u64, Unfit> {
        let time_ms = time_ms.unwrap_or(now_ms);
        match time_ms.checked_sub(now_ms) {
            Some(ahead_ms) if ahead_ms > self.future_ms => {
                Err(Unfit::new(Reason::FromTheFuture, format!("time_ms is {ahead_ms} ms ahead of the city's clock")))
            }
            _ => Ok(time_ms),
        }
    }

    /// A camera at which vehicles pass.
    pub(super) fn passage_camera(&self, name: &str) -> Result<CameraId, Unfit> {
        self.camera(name, &[CameraKind::StopLine, CameraKind::MidLink])
    }

    /// The time of what is only of use while it is fresh.
    pub(super) fn fresh(&self, time_ms: Option<u64>, now_ms: u64) -> Result<u64, Unfit> {
        let time_ms = self.time(time_ms, now_ms)?;
        match now_ms.checked_sub(time_ms) {
            Some(behind_ms) if behind_ms > self.late_ms => {
                Err(Unfit::new(Reason::TooLate, format!("time_ms is {behind_ms} ms behind the city's clock")))
            }
            _ => Ok(time_ms),
        }
    }

    fn camera(&self, name: &str, kinds: &[CameraKind]) -> Result<CameraId, Unfit> {
        let camera = self.names.camera(name)?;
        let kind = self.kinds[camera.index()];
        if kinds.contains(&kind) {
            return Ok(camera);
        }
        Err(Unfit::new(
            Reason::WrongCameraKind,
            format!("camera '{name}' is of kind {kind:?}, which does not report this"),
        ))
    }

    /// A passage, from what a camera told.
    pub(super) fn passage(&self, line: &PassageLine<'_>, now_ms: u64) -> Result<Passage, Unfit> {
        let time_ms = self.fresh(line.time_ms, now_ms)?;
        Ok(Passage {
            time_ms,
            camera: self.passage_camera(&line.camera)?,
            vehicle: self.plates.vehicle_at(&line.plate, time_ms),
            speed_mm_s: speed_mm_s(line.speed_kmh)?,
            class: line.class,
        })
    }

    pub(super) fn flow(&self, line: &FlowLine, now_ms: u64) -> Result<FlowReading, Unfit> {
        in_range("interval_s", line.interval_s, 0.1, MAX_INTERVAL_S)?;
        in_range("occupancy", line.occupancy, 0.0, 1.0)?;
        in_range("vehicles in the interval", f64::from(line.vehicles) / line.interval_s, 0.0, 5.0)?;
        Ok(FlowReading {
            time_ms: self.fresh(line.time_ms, now_ms)?,
            camera: self.passage_camera(&line.camera)?,
            interval_ms: (line.interval_s * 1000.0).round() as u32,
            vehicles: line.vehicles,
            speed_mm_s: speed_mm_s(line.speed_kmh)?,
            occupancy_milli: (line.occupancy * 1000.0).round() as u16,
        })
    }

    pub(super) fn crowd(&self, line: &CrowdLine, now_ms: u64) -> Result<CrowdCount, Unfit> {
        in_range("people", f64::from(line.people), 0.0, f64::from(MAX_PEOPLE))?;
        Ok(CrowdCount {
            time_ms: self.fresh(line.time_ms, now_ms)?,
            camera: self.camera(&line.camera, &[CameraKind::Crowd])?,
            people: line.people,
        })
    }

    pub(super) fn call(&self, line: CallLine, now_ms: u64) -> Result<Valid, Unfit> {
        let (time_ms, call) = (self.time(line.time_ms, now_ms)?, alarm::call_id(line.call)?);
        let step = line.change;
        if let CallStep::Cancelled = step {
            return Ok((Event::Call(CallEvent { time_ms, call, change: CallChange::Cancelled }), None));
        }
        let CallLine { priority, category, lon, lat, grid, needs, channel, caller, words, pictures, .. } = line;
        let alarm = AlarmJson {
            priority,
            category,
            lon,
            lat,
            grid,
            needs,
            channel,
            caller,
            words,
            pictures,
            ..AlarmJson::default()
        };
        if let (CallStep::Updated, None) = (step, priority) {
            return Err(Unfit::new(Reason::Malformed, "'priority' is missing"));
        }
        let alarm = self.alarm(alarm)?;
        Ok(match step {
            CallStep::Updated => {
                (Event::Call(CallEvent { time_ms, call, change: CallChange::Updated(alarm.facts) }), None)
            }
            _ => {
                let opened = CallEvent { time_ms, call, change: CallChange::Opened(alarm.facts) };
                (Event::Call(opened), Some((call, alarm.note)))
            }
        })
    }

    pub(super) fn unit(&self, line: &UnitLine, now_ms: u64) -> Result<UnitReport, Unfit> {
        let unit = self.names.unit(&line.unit)?;
        self.report(unit, line.lon, line.lat, line.status, self.fresh(line.time_ms, now_ms)?)
    }

    /// A report of a known unit, from degrees.
    pub fn report(
        &self,
        unit: nanming_dataflows::ids::UnitId,
        lon: f64,
        lat: f64,
        status: UnitStatus,
        time_ms: u64,
    ) -> Result<UnitReport, Unfit> {
        let at = alarm::place(&self.city, lon, lat)?;
        let near = |a: i32, b: i32| a.abs_diff(b) <= UNIT_MARGIN_MM as u32;
        let is_near = self.city.grids.is_empty()
            || self.city.grids.iter().any(|g| near(at.x_mm, g.min.x_mm) && near(at.y_mm, g.min.y_mm));
        if !is_near {
            return Err(Unfit::new(
                Reason::OutsideCity,
                format!("lon {lon}, lat {lat} is far outside {}", self.city.name),
            ));
        }
        Ok(UnitReport { time_ms, unit, at, status })
    }

    pub(super) fn ack(&self, line: &AckLine, now_ms: u64) -> Result<Ack, Unfit> {
        Ok(Ack {
            time_ms: self.time(line.time_ms, now_ms)?,
            unit: self.names.unit(&line.unit)?,
            assignment: line.assignment,
            answer: line.answer,
        })
    }

    fn signal(&self, line: &SignalLine, now_ms: u64) -> Result<SignalFeedback, Unfit> {
        let junction = self.names.junction(&line.junction)?;
        let heads = self.city.junctions[junction.index()].heads.len();
        let lamps: Option<Vec<Lamp>> = line.lamps.chars().map(Lamp::from_char).collect();
        match lamps.filter(|l| l.len() == heads) {
            Some(lamps) => {
                Ok(SignalFeedback { time_ms: self.fresh(line.time_ms, now_ms)?, junction, mode: line.mode, lamps })
            }
            None => Err(Unfit::new(Reason::Malformed, format!("lamps must be {heads} of the characters r y g G o"))),
        }
    }

    fn bus(&self, line: &BusLine, now_ms: u64) -> Result<BusFix, Unfit> {
        let bus_line = self.names.bus_line(&line.line)?;
        let at = alarm::place(&self.city, line.lon, line.lat)?;
        let route = &self.city.bus_lines[bus_line.index()].route;
        let off = || Unfit::new(Reason::OutsideCity, format!("the place is far off the route of line {}", line.line));
        let (link, position_mm) = on_route(&self.city, route, at).ok_or_else(off)?;
        Ok(BusFix {
            time_ms: self.fresh(line.time_ms, now_ms)?,
            bus: BusId(line.bus),
            line: bus_line,
            link,
            position_mm,
            speed_mm_s: speed_mm_s(line.speed_kmh)?,
        })
    }

    fn violation(&self, line: &ViolationLine, now_ms: u64) -> Result<Violation, Unfit> {
        let camera = self.passage_camera(&line.camera)?;
        let time_ms = self.fresh(line.time_ms, now_ms)?;
        let vehicle = self.plates.vehicle_at(&line.plate, time_ms);
        if vehicle == VehicleId(0) {
            return Err(Unfit::new(Reason::Malformed, "a violation needs a plate"));
        }
        Ok(Violation { time_ms, camera, vehicle, kind: line.kind })
    }

    fn case(&self, line: &CaseLine, now_ms: u64) -> Result<CaseStep, Unfit> {
        let (time_ms, by) = (self.time(line.time_ms, now_ms)?, self.names.unit(&line.by)?);
        Ok(CaseStep { time_ms, case: CaseId(line.case), stage: line.stage, by })
    }

    fn site(&self, line: &SiteLine, now_ms: u64) -> Result<SiteReport, Unfit> {
        let (time_ms, site) = (self.time(line.time_ms, now_ms)?, self.names.site(&line.site)?);
        Ok(SiteReport { time_ms, site, finding: line.finding })
    }
}

fn speed_mm_s(kmh: f64) -> Result<u32, Unfit> {
    let mm_s = kmh / 3.6 * 1000.0;
    if (0.0..=MAX_SPEED_MM_S).contains(&mm_s) {
        return Ok(mm_s.round() as u32);
    }
    Err(Unfit::new(Reason::ImpossibleSpeed, format!("no vehicle drives {kmh} km/h here")))
}

fn in_range(what: &str, value: f64, min: f64, max: f64) -> Result<(), Unfit> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(Unfit::new(Reason::OutOfRange, format!("{what} {value} is not from {min} to {max}")))
}

mod gate;
mod hold;
#[cfg(test)]
mod tests;
mod weather;
