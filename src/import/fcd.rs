//! SUMO's vehicle positions: `<fcd-export>` with `<timestep time>` and `<vehicle id lane pos speed type>` in it.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::Arc;

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{Event, Passage};
use nanming_dataflows::network::City;

use super::crossings::{Crossings, Look, Tracked};
use super::xml::{Element, Elements, Tag};
use super::{ImportError, Row, Rows, Unfit, times};
use crate::ingest::validate::MAX_SPEED_MM_S;
use crate::ingest::{Plates, vehicle_class};

/// Vehicles on the way at once, at most.
const VEHICLES: usize = 2_000_000;

struct Fcd {
    elements: Elements,
    zero_ms: i64,
    crossings: Crossings,
    plates: Plates,
    vehicles: HashMap<String, Tracked>,
    time_ms: u64,
    rows: VecDeque<Row>,
}

/// Passages of cameras, step by step. SUMO's time begins at `zero_ms`.
pub(super) fn rows(path: &Path, city: &Arc<City>, zero_ms: i64) -> Result<Rows, ImportError> {
    let hint = "give what sumo --fcd-output wrote";
    let fcd = Fcd {
        elements: Elements::open(path, "fcd-export", hint)?,
        zero_ms,
        crossings: Crossings::new(city),
        plates: Plates::fixed(),
        vehicles: HashMap::new(),
        time_ms: 0,
        rows: VecDeque::new(),
    };
    Ok(Box::new(fcd))
}

impl Iterator for Fcd {
    type Item = Result<Row, ImportError>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.rows.is_empty() {
            match self.read() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => return Some(Err(error)),
            }
        }
        self.rows.pop_front().map(Ok)
    }
}

impl Fcd {
    /// Reads a tag; false at the end.
    fn read(&mut self) -> Result<bool, ImportError> {
        let tag = self.elements.next()?;
        let line = self.elements.line();
        let result = match tag {
            None => return Ok(false),
            Some(Tag::Begin(element)) if element.name() == "timestep" => element
                .text("time")
                .and_then(|text| times::seconds(&text, self.zero_ms))
                .map(|time_ms| self.time_ms = time_ms),
            Some(Tag::Begin(element)) if element.name() == "vehicle" => self.vehicle(&element, line),
            Some(Tag::End(name)) if name == "timestep" => {
                self.arrive(line);
                Ok(())
            }
            Some(_) => Ok(()),
        };
        if let Err(unfit) = result {
            self.rows.push_back(Row { line, time_ms: self.time_ms, what: Err(unfit) });
        }
        Ok(true)
    }

    fn vehicle(&mut self, element: &Element, line: u64) -> Result<(), Unfit> {
        let (id, lane) = (element.text("id")?, element.text("lane")?);
        let on = self.crossings.lane(&lane);
        if on.is_none() && !lane.starts_with(':') {
            return Err((Reason::UnknownName, format!("the city has no lane '{lane}'")));
        }
        let (at_mm, speed_mm_s) = (element.number("pos")? * 1000.0, element.number("speed")? * 1000.0);
        if !(0.0..=MAX_SPEED_MM_S).contains(&speed_mm_s) {
            return Err((Reason::ImpossibleSpeed, format!("{} m/s", speed_mm_s / 1000.0)));
        }
        if self.vehicles.len() >= VEHICLES && !self.vehicles.contains_key(&id) {
            return Err((Reason::OutOfRange, format!("more than {VEHICLES} vehicles at once")));
        }
        let now = Look { time_ms: self.time_ms as f64, lane: on, at_mm, speed_mm_s };
        let Some(known) = self.vehicles.get_mut(&id) else {
            let class = element.text("type").ok().and_then(|name| vehicle_class(&name)).unwrap_or_default();
            let vehicle = self.plates.vehicle(&id);
            self.vehicles.insert(id, Tracked { look: now, vehicle, class });
            return Ok(());
        };
        let passages = known.moves(now, &self.crossings);
        passages.into_iter().for_each(|passage| self.pass(passage, line));
        Ok(())
    }

    /// Who was not seen in this step has arrived.
    fn arrive(&mut self, line: u64) {
        let now_ms = self.time_ms as f64;
        let mut last = Vec::new();
        for (_, mut gone) in self.vehicles.extract_if(|_, tracked| tracked.look.time_ms != now_ms) {
            last.extend(gone.drives_on(now_ms, &self.crossings));
        }
        last.sort_unstable_by_key(|p| (p.time_ms, p.camera, p.vehicle));
        last.into_iter().for_each(|passage| self.pass(passage, line));
    }

    fn pass(&mut self, passage: Passage, line: u64) {
        self.rows.push_back(Row { line, time_ms: passage.time_ms, what: Ok(Event::Passage(passage)) });
    }
}
