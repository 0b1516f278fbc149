//! The cities that are played, and how fast their people and things are.

use std::time::Duration;

use nanming_dataflows::network::City;
use nanming_simulators::sumo_net::with_units;
use nanming_simulators::{guiyang, town};

use super::street::Equipment;
use super::terminals::Pace;

/// A city around the engine.
pub(crate) struct Place {
    pub(crate) name: &'static str,
    generate: fn() -> City,
    /// Options of `run`.
    pub(crate) options: &'static [&'static str],
    pub(crate) equipment: Equipment,
    pub(crate) pace: Pace,
    /// Whether its cameras, detectors, lamps and buses report.
    pub(crate) has_sensors: bool,
    /// The engine lives for so long at most, ms; one of several times longer: in that lights change.
    pub(crate) life_ms: usize,
    pub(crate) long_life_ms: usize,
}

/// Four junctions at twenty times the wall's clock, a controller at each.
pub(crate) const TOWN: Place = Place {
    name: "small town",
    generate: small_town,
    options: &["--city", "town.json", "--no-sim", "--speed", "20"],
    equipment: Equipment { controllers: 4, speed: 20.0, centre_lost_ms: 80_000 },
    pace: Pace { look: Duration::from_millis(60), report: 10, retry: Duration::from_millis(20) },
    has_sensors: false,
    life_ms: 800,
    long_life_ms: 6_000,
};

/// The reference city at its own pace, as an engine has it that is given none: some junctions have controllers that speak frames,
/// the others report their lamps.
#[allow(dead_code)] // it is for the bench: tests have the town
pub(crate) const REFERENCE: Place = Place {
    name: "reference city at 1x",
    generate: || guiyang::generate(1),
    options: &["--no-sim"],
    equipment: Equipment { controllers: 48, speed: 1.0, centre_lost_ms: 30_000 },
    pace: Pace { look: Duration::from_millis(500), report: 30, retry: Duration::from_millis(200) },
    has_sensors: true,
    life_ms: 4_000,
    long_life_ms: 15_000,
};

const UNITS: usize = 60;

fn small_town() -> City {
    let mut city = town::small(2, 2, 1);
    let more = UNITS - city.units.len();
    with_units(&mut city, more, 1);
    city.units.iter_mut().for_each(|unit| unit.shift_min = (0, 0));
    city
}

impl Place {
    pub(crate) fn city(&self) -> City {
        (self.generate)()
    }
}
