//! What cameras see of SUMO's vehicles: passages, and what becomes of them on their way to the engine.

use std::collections::HashMap;

use nanming_dataflows::event::Passage;
use nanming_dataflows::network::City;
use nanming_simulators::traci::VehicleAt;

use super::detectors::Faults;
use crate::import::crossings::{Crossing, Crossings, Look, Tracked};
use crate::ingest::{Plates, vehicle_class};

/// Where places are known almost exactly, a vehicle that departs is seen by the camera that stands at most so far behind it, mm.
const BEHIND_MM: f64 = 20_000.0;

/// How vehicles are seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Sensing {
    /// A camera each 20 m within 300 m of a signal, none of which fails: almost as if places were known
    #[default]
    Exact,
    /// A camera at the stop line and one upstream on each lane: with misses, noise, dead ones, and a delay
    Detectors,
}

/// All cameras, and the vehicles that they look at.
pub(super) struct Eyes {
    crossings: Crossings,
    plates: Plates,
    vehicles: HashMap<String, Tracked>,
    now_ms: f64,
    /// None: places are known almost exactly.
    faults: Option<Faults>,
    /// Seen in this step.
    seen: Vec<Passage>,
    /// Seen, and not yet told.
    late: Vec<Passage>,
}

impl Eyes {
    /// Those of a city.
    pub(super) fn new(city: &City, faults: Option<Faults>) -> Eyes {
        Eyes {
            crossings: Crossings::new(city),
            plates: Plates::fixed(),
            vehicles: HashMap::new(),
            now_ms: 0.0,
            faults,
            seen: Vec::new(),
            late: Vec::new(),
        }
    }

    /// What follows is of this moment.
    pub(super) fn at(&mut self, now_ms: u64) {
        self.now_ms = now_ms as f64;
    }

    /// Looks at a vehicle.
    pub(super) fn look(&mut self, name: &str, at: &VehicleAt<'_>) {
        let speed_mm_s = at.speed_m_s.max(0.0) * 1000.0;
        let lane = self.crossings.lane(at.lane);
        let now = Look { time_ms: self.now_ms, lane, at_mm: at.at_m * 1000.0, speed_mm_s };
        if let Some(known) = self.vehicles.get_mut(name) {
            self.seen.extend(known.moves(now, &self.crossings));
            return;
        }
        let (vehicle, class) = (self.plates.vehicle(name), vehicle_class(at.class).unwrap_or_default());
        let new = Tracked { look: now, vehicle, class };
        if self.faults.is_none() {
            let before = Look { time_ms: self.now_ms - 1_000.0, at_mm: now.at_mm - BEHIND_MM, ..now };
            let behind = self.crossings.between(&before, &now).pop();
            self.seen.extend(behind.map(|crossing| new.passage(Crossing { time_ms: self.now_ms, ..crossing })));
        }
        self.vehicles.insert(name.to_string(), new);
    }

    /// A vehicle has arrived.
    pub(super) fn arrive(&mut self, name: &str) {
        let gone = self.vehicles.remove(name);
        self.seen.extend(gone.into_iter().flat_map(|mut gone| gone.drives_on(self.now_ms, &self.crossings)));
    }

    /// The passages that the engine hears of now.
    pub(super) fn passages(&mut self) -> Vec<Passage> {
        let Some(faults) = self.faults else { return std::mem::take(&mut self.seen) };
        let seen = std::mem::take(&mut self.seen).into_iter().filter(|passage| faults.sees(passage));
        self.late.extend(seen);
        let is_due = |passage: &mut Passage| passage.time_ms as f64 + faults.detectors.delay_s * 1000.0 <= self.now_ms;
        let due = self.late.extract_if(.., is_due);
        due.map(|passage| faults.blurred(passage, self.now_ms as u64)).collect()
    }
}

#[cfg(test)]
mod tests {
    use nanming_simulators::{sumo_net, town};

    use super::super::detectors::tests::with;
    use super::*;

    /// Drives a vehicle along a lane with a signal at its end and on, 10 m a second; what is heard, by second.
    fn drive(sensing: Sensing, faults: Option<Faults>) -> Vec<Vec<Passage>> {
        let mut city = town::small(2, 2, 1);
        match sensing {
            Sensing::Exact => sumo_net::with_dense_cameras(&mut city),
            Sensing::Detectors => sumo_net::with_detectors(&mut city, 60_000),
        }
        let movement = city.movements.iter().find(|m| m.signal.is_some()).unwrap();
        let (lane, next) = (&city.lanes[movement.from.index()], &city.lanes[movement.to.index()]);
        let length_m = f64::from(lane.length_mm) / 1000.0;
        let mut eyes = Eyes::new(&city, faults);
        let heard = |second: u64| {
            eyes.at(1_000_000 + second * 1_000);
            let driven_m = 5.0 + 10.0 * second as f64;
            let on = if driven_m < length_m { (lane, driven_m) } else { (next, driven_m - length_m) };
            eyes.look("a", &VehicleAt { lane: &on.0.name, at_m: on.1, speed_m_s: 10.0, class: "bus" });
            eyes.passages()
        };
        (0..(length_m / 10.0) as u64 + 3).map(heard).collect()
    }

    #[test]
    fn almost_exact_places_are_told_at_once_from_the_first_second_on() {
        let heard = drive(Sensing::Exact, None);
        assert_eq!(heard[0].len(), 1, "who departs is seen by the camera behind");
        assert!(heard.windows(3).all(|three| three.iter().any(|h| !h.is_empty())), "never unseen for 30 m: {heard:?}");
        let all: Vec<&Passage> = heard.iter().flatten().collect();
        assert!(all.is_sorted_by_key(|passage| passage.time_ms));
        assert!(all.iter().all(|p| p.class == nanming_dataflows::event::VehicleClass::Bus));
    }

    #[test]
    fn detectors_tell_as_late_as_they_are_told_to() {
        let at_once = drive(Sensing::Detectors, Some(with(|d| d.delay_s = 0.0)));
        assert!(at_once.concat().len() >= 2, "{at_once:?}");
        for delay_s in [0.4, 1.0, 2.5] {
            let heard = drive(Sensing::Detectors, Some(with(|d| d.delay_s = delay_s)));
            for (second, told) in heard.iter().enumerate() {
                let now_ms = 1_000_000 + second as u64 * 1_000;
                let age_ms = |p: &Passage| (now_ms - p.time_ms) as f64 - delay_s * 1_000.0;
                assert!(told.iter().all(|p| (0.0..1_000.0).contains(&age_ms(p))), "{delay_s}: {heard:?}");
            }
            let (told, all) = (heard.concat(), at_once.concat());
            assert!(told == all[..told.len()] && told.len() + 1 >= all.len(), "{delay_s}: {heard:?}");
        }
    }
}
