//! Traffic lights: SUMO's state strings and the engine's lamps.

use std::collections::HashMap;

use nanming_dataflows::decision::SignalCommand;
use nanming_dataflows::event::{ControlMode, Event, Lamp, SignalFeedback};
use nanming_dataflows::ids::JunctionId;
use nanming_dataflows::network::City;

use super::SumoError;
use super::scenario::Scenario;
use crate::gzip;

/// A controller says what it shows at least so often, ms.
const FEEDBACK_MS: u64 = 30_000;

/// The controllers of a scenario.
#[derive(Clone)]
pub(super) struct Lights {
    names: HashMap<String, JunctionId>,
    junctions: Vec<Controller>,
}

#[derive(Clone, Default)]
struct Controller {
    name: String,
    /// By head: whether its permissive green is one before which everybody stops (`s`), as the programs have it.
    stops: Vec<bool>,
    shown: Vec<Lamp>,
    /// When it last said what it shows, ms.
    told_ms: Option<u64>,
}

impl Lights {
    /// Those of a city that was read from a scenario's network and additional files.
    pub(super) fn read(city: &City, scenario: &Scenario) -> Result<Lights, SumoError> {
        let mut states: HashMap<String, Vec<String>> = HashMap::new();
        for path in scenario.additional.iter().chain([&scenario.net]) {
            let text = gzip::read_to_string(path)?;
            // Some additional files are large, and few have programs.
            if text.contains("<tlLogic") {
                let wrong = |error: roxmltree::Error| SumoError::Scenario(path.clone(), error.to_string());
                let document = roxmltree::Document::parse(text.trim_start_matches('\u{feff}')).map_err(wrong)?;
                for logic in document.root_element().children().filter(|e| e.has_tag_name("tlLogic")) {
                    let phases = logic.children().filter_map(|phase| phase.attribute("state")).map(str::to_string);
                    states.entry(logic.attribute("id").unwrap_or_default().to_string()).or_default().extend(phases);
                }
            }
        }
        let controller = |name: &str, heads: usize| Controller {
            name: name.to_string(),
            stops: stops(states.get(name).map_or(&[], Vec::as_slice), heads),
            shown: vec![Lamp::Off; heads],
            told_ms: None,
        };
        Ok(Lights {
            names: city.junctions.iter().map(|j| (j.name.clone(), j.id)).collect(),
            junctions: city.junctions.iter().map(|j| controller(&j.name, j.heads.len())).collect(),
        })
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.junctions.iter().map(|junction| junction.name.as_str())
    }

    /// A light shows a state: what its controller reports of that, if it is time to.
    pub(super) fn show(&mut self, name: &str, state: &str, time_ms: u64) -> Option<Event> {
        let junction = *self.names.get(name)?;
        let controller = &mut self.junctions[junction.index()];
        let lamps: Vec<Lamp> = state.chars().filter_map(Lamp::from_char).collect();
        let is_due = controller.told_ms.is_none_or(|told_ms| time_ms >= told_ms + FEEDBACK_MS);
        if lamps.len() != controller.shown.len() || (lamps == controller.shown && !is_due) {
            return None;
        }
        controller.told_ms = Some(time_ms);
        controller.shown.clone_from(&lamps);
        Some(Event::Signal(SignalFeedback { time_ms, junction, mode: ControlMode::Centre, lamps }))
    }

    /// A command as SUMO takes it: the light, and its state.
    pub(super) fn order(&self, command: &SignalCommand) -> (&str, String) {
        let controller = &self.junctions[command.junction.index()];
        let letter = |(lamp, stops): (&Lamp, &bool)| match lamp {
            Lamp::Permissive if *stops => 's',
            lamp => lamp.to_char(),
        };
        (&controller.name, command.lamps.iter().zip(&controller.stops).map(letter).collect())
    }
}

/// Heads that show `s` in some state and `g` in none.
fn stops(states: &[String], heads: usize) -> Vec<bool> {
    let shows = |head: usize, letter: u8| states.iter().any(|state| state.as_bytes().get(head) == Some(&letter));
    (0..heads).map(|head| shows(head, b's') && !shows(head, b'g')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_turns_right_on_red_stops_first() {
        assert_eq!(stops(&["Gsgr".into(), "sGsr".into()], 4), [true, true, false, false]);
    }
}
