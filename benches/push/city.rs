//! The city under test: a process of its own.

use nanming_dataflows::network;
use nanming_simulators::guiyang;
use nanming_simulators::sumo_net::with_units;

use crate::measure::process::{Process, value};

/// Where time goes, by the names of the city's metrics.
const STAGES: [&str; 4] = [
    "nanming_tick_latency_seconds",
    "nanming_ledger_commit_seconds",
    "nanming_assignment_push_seconds",
    "nanming_call_accept_seconds",
];

pub(crate) struct City {
    pub(crate) process: Process,
    /// Posts of its units, degrees.
    pub(crate) posts: Vec<(f64, f64)>,
}

/// How often something was done, and how long it took in all.
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) count: f64,
    pub(crate) sum_s: f64,
}

impl City {
    /// The reference city with so many units, without a simulator.
    pub(crate) fn start(units: usize) -> City {
        let (dir, city) = (tempfile::tempdir().expect("a temporary directory"), with(units));
        nanming::city_file::write(&city, &dir.path().join("city.json")).expect("room on the disk");
        let posts = city.units.iter().take(units).map(|u| u.post.to_lon_lat(city.origin).degrees()).collect();
        City { process: Process::start(dir, &["--no-sim", "--city", "city.json"], &[]), posts }
    }

    /// Waits until so many units, or all but a few, can be sent.
    pub(crate) fn wait_until_free(&self, units: usize) {
        let free = || self.process.measure("nanming_units_available").is_some_and(|n| n >= units as f64 * 0.99);
        self.process.wait_for("units", free);
    }

    pub(crate) fn stages(&self) -> Vec<Stage> {
        let text = self.process.get("/metrics").expect("metrics");
        let of = |name: &str| value(&text, name).unwrap_or_default();
        let stage = |name| Stage { name, count: of(&format!("{name}_count")), sum_s: of(&format!("{name}_sum")) };
        STAGES.map(stage).into_iter().collect()
    }
}

fn with(units: usize) -> network::City {
    let mut city = guiyang::generate(1);
    let more = units.saturating_sub(city.units.len());
    with_units(&mut city, more, 1);
    city.units.iter_mut().for_each(|unit| unit.shift_min = (0, 0));
    city.check().expect("a city that makes sense");
    city
}
