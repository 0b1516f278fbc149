//! Decisions as JSON Lines files, by the names of the city's own things: for replays, comparisons and scoring. The same
//! decisions always give the same bytes.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nanming_dataflows::decision::{
    Assignment, CrowdState, Decisions, Lead, LinkForecast, Rejected, SignalCommand, SignalPlan, VenueForecast,
};
use nanming_dataflows::ids::JunctionId;
use nanming_dataflows::network::City;
use serde::Serialize;
use serde_json::{Value, json};

use super::kmh;
use crate::bounded_file::BoundedFile;

/// The open files of a directory.
pub struct JsonlSinks {
    city: Arc<City>,
    signals: BoundedFile,
    plans: BoundedFile,
    forecasts: BoundedFile,
    crowds: BoundedFile,
    venue_forecasts: BoundedFile,
    assignments: BoundedFile,
    /// Of a replay alone: in a live city the dead-letter office keeps what was refused.
    dead_letters: Option<BoundedFile>,
}

impl JsonlSinks {
    /// Makes the directory and its files for a replay; what stood there before is replaced. Errors are those of the file
    /// system.
    pub fn create(dir: &Path, city: &Arc<City>) -> std::io::Result<Self> {
        Self::open(dir, city, BoundedFile::create, true)
    }

    /// Makes the directory and its files for a live city; what stands there already is gone on with. Each is put aside when
    /// it has grown beyond so many bytes, or is of this age, and one older is kept.
    pub fn append(dir: &Path, city: &Arc<City>, bound: u64, age: Option<Duration>) -> std::io::Result<Self> {
        Self::open(dir, city, |path| Ok(BoundedFile::append(path, bound)?.aged(age)), false)
    }

    fn open(
        dir: &Path,
        city: &Arc<City>,
        open: impl Fn(PathBuf) -> std::io::Result<BoundedFile>,
        dead_letters: bool,
    ) -> std::io::Result<Self> {
        std::fs::create_dir_all(dir)?;
        let file = |name: &str| open(dir.join(name));
        Ok(JsonlSinks {
            city: Arc::clone(city),
            signals: file("signals.jsonl")?,
            plans: file("plans.jsonl")?,
            forecasts: file("forecasts.jsonl")?,
            crowds: file("crowds.jsonl")?,
            venue_forecasts: file("venue_forecasts.jsonl")?,
            assignments: file("assignments.jsonl")?,
            dead_letters: dead_letters.then(|| file("dead_letters.jsonl")).transpose()?,
        })
    }

    /// Writes what a tick brought out.
    pub fn write(&mut self, decisions: &Decisions) -> std::io::Result<()> {
        for command in &decisions.commands {
            line(&mut self.signals, &signal(&self.city, command))?;
        }
        for made in &decisions.plans {
            line(&mut self.plans, &plan(&self.city, made))?;
        }
        for made in &decisions.forecasts {
            line(&mut self.forecasts, &forecast(&self.city, made))?;
        }
        for state in &decisions.crowds {
            line(&mut self.crowds, &crowd(&self.city, state))?;
        }
        for made in &decisions.venue_forecasts {
            line(&mut self.venue_forecasts, &venue_forecast(&self.city, made))?;
        }
        for made in &decisions.assignments {
            line(&mut self.assignments, &assignment(&self.city, made))?;
        }
        decisions.rejected.iter().try_for_each(|refused| self.dead_letter(&rejected(refused)))
    }

    /// Writes an event that did not pass validation.
    pub fn dead_letter(&mut self, letter: &impl Serialize) -> std::io::Result<()> {
        self.dead_letters.as_mut().map_or(Ok(()), |file| line(file, letter))
    }

    /// Hands what is buffered to the system.
    pub fn flush(&mut self) -> std::io::Result<()> {
        let Self { signals, plans, forecasts, crowds, venue_forecasts, assignments, .. } = self;
        let files = [signals, plans, forecasts, crowds, venue_forecasts, assignments];
        files.into_iter().chain(&mut self.dead_letters).try_for_each(BoundedFile::flush)
    }
}

fn line(file: &mut BoundedFile, record: &impl Serialize) -> std::io::Result<()> {
    file.line(serde_json::to_vec(record)?)
}

pub(crate) fn signal(city: &City, c: &SignalCommand) -> Value {
    let state: String = c.lamps.iter().map(|lamp| lamp.to_char()).collect();
    let junction = &city.junctions[c.junction.index()].name;
    json!({"t_ms": c.at_ms, "junction": junction, "stage": c.stage, "interval": c.interval, "state": state, "reason": c.reason})
}

fn plan(city: &City, p: &SignalPlan) -> Value {
    let name = |id: JunctionId| &city.junctions[id.index()].name;
    let steps: Vec<Value> = p.steps.iter().map(|s| json!([s.stage, s.green_ms, s.intergreen_ms])).collect();
    json!({"t_ms": p.time_ms, "junction": name(p.junction), "group": name(p.group), "cycle_ms": p.cycle_ms,
           "offset_ms": p.offset_ms, "saturation": f64::from(p.saturation_milli) / 1000.0, "steps": steps})
}

pub(crate) fn forecast(city: &City, f: &LinkForecast) -> Value {
    let lead = |l: &Lead| {
        json!({"min": l.lead_min, "kmh": kmh(l.speed_mm_s), "low_kmh": kmh(l.low_mm_s), "high_kmh": kmh(l.high_mm_s),
               "veh_h": l.flow_veh_h, "p_congested": f64::from(l.congested_milli) / 1000.0, "onset": l.onset})
    };
    let leads: Vec<Value> = f.leads.iter().map(lead).collect();
    json!({"t_ms": f.time_ms, "link": city.links[f.link.index()].name, "leads": leads})
}

fn crowd(city: &City, c: &CrowdState) -> Value {
    json!({"t_ms": c.time_ms, "venue": city.venues[c.venue.index()].name, "people": c.people, "usual": c.usual,
           "share": f64::from(c.capacity_share_milli) / 1000.0, "surge": c.surge, "outflow": c.outflow,
           "observed": c.observed})
}

fn venue_forecast(city: &City, f: &VenueForecast) -> Value {
    let leads = f.leads.iter().map(|l| json!({"min": l.lead_min, "people": l.people, "low": l.low, "high": l.high}));
    json!({"t_ms": f.time_ms, "venue": city.venues[f.venue.index()].name, "leads": leads.collect::<Vec<_>>()})
}

pub(crate) fn assignment(city: &City, a: &Assignment) -> Value {
    let unit = |id: nanming_dataflows::ids::UnitId| &city.units[id.index()].name;
    let candidates: Vec<Value> =
        a.candidates.iter().map(|c| json!({"unit": unit(c.unit), "eta_s": c.eta_ms / 1000})).collect();
    json!({"t_ms": a.time_ms, "assignment": a.id, "call": a.call, "unit": unit(a.unit), "priority": a.priority,
           "eta_s": a.eta_ms / 1000, "reason": a.reason, "candidates": candidates})
}

fn rejected(r: &Rejected) -> Value {
    json!({"t_ms": r.time_ms, "reason": r.reason, "event": r.event})
}
