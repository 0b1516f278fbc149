//! Watches vehicles and lights along an arterial for some minutes.

use std::collections::{BTreeMap, HashMap};

use nanming_dataflows::event::Lamp;
use nanming_dataflows::network::City;
use nanming_simulators::traci::Heard;

use super::arterial::Arterial;

/// A vehicle that was not seen for so long left the arterial and came back, s.
const AWAY_S: f64 = 20.0;

/// What was seen.
#[derive(Clone, Debug)]
pub(in crate::sumo) struct Watch {
    pub(super) arterial: Arterial,
    /// From and to, s.
    pub(super) window_s: (f64, f64),
    /// By signal of the arterial: what its head shows from when on, s.
    pub(super) shown: Vec<Vec<(f64, Lamp)>>,
    /// By signal: its name.
    pub(super) names: Vec<String>,
    /// By lane: where its link begins, mm.
    lanes: HashMap<String, f64>,
    /// By vehicle: when it was where, s and mm.
    fixes: BTreeMap<String, Vec<(f64, f64)>>,
}

impl Watch {
    pub(super) fn new(city: &City, arterial: Arterial, window_s: (f64, f64)) -> Watch {
        let lanes = arterial.links.iter().flat_map(|(link, begin_mm)| {
            let lanes = &city.links[link.index()].lanes;
            lanes.iter().map(|lane| (city.lanes[lane.index()].name.clone(), *begin_mm))
        });
        let names = arterial.signals.iter().map(|signal| city.junctions[signal.junction.index()].name.clone());
        Watch {
            lanes: lanes.collect(),
            names: names.collect(),
            shown: vec![Vec::new(); arterial.signals.len()],
            fixes: BTreeMap::new(),
            arterial,
            window_s,
        }
    }

    /// Something was told at a moment, s.
    pub(in crate::sumo) fn hear(&mut self, heard: Heard<'_>, now_s: f64) {
        match heard {
            Heard::Vehicle(vehicle, at) if (self.window_s.0..=self.window_s.1).contains(&now_s) => {
                let Some(begin_mm) = self.lanes.get(at.lane) else { return };
                let fix = (now_s, begin_mm + at.at_m * 1000.0);
                match self.fixes.get_mut(vehicle) {
                    Some(fixes) => fixes.push(fix),
                    None => drop(self.fixes.insert(vehicle.to_string(), vec![fix])),
                }
            }
            Heard::Light(light, state) => {
                let own = self.names.iter().zip(&self.arterial.signals).zip(&mut self.shown);
                for ((_, signal), shown) in own.filter(|((name, _), _)| *name == light) {
                    let Some(lamp) = state.chars().nth(signal.head).and_then(Lamp::from_char) else { continue };
                    if shown.last().is_none_or(|(_, last)| *last != lamp) {
                        shown.push((now_s, lamp));
                    }
                }
            }
            _ => {}
        }
    }

    /// The ways of vehicles along the arterial, each in one piece.
    pub(super) fn tracks(&self) -> impl Iterator<Item = &[(f64, f64)]> {
        let goes_on = |a: &(f64, f64), b: &(f64, f64)| b.0 - a.0 < AWAY_S && b.1 >= a.1;
        self.fixes.values().flat_map(move |fixes| fixes.chunk_by(goes_on)).filter(|track| track.len() > 1)
    }

    /// What the head of a signal shows within the window: from, to, s, and the lamp.
    pub(super) fn bars(&self, signal: usize) -> impl Iterator<Item = (f64, f64, Lamp)> {
        let shown = &self.shown[signal];
        let (first_s, last_s) = self.window_s;
        let end_s = shown.iter().skip(1).map(|(from_s, _)| *from_s).chain([f64::INFINITY]);
        let bars =
            shown.iter().zip(end_s).map(move |((from_s, lamp), to_s)| (from_s.max(first_s), to_s.min(last_s), *lamp));
        bars.filter(|(from_s, to_s, _)| from_s < to_s)
    }
}
