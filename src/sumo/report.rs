//! What came of it, for people and programs.

use std::fmt;

use serde::Serialize;

use super::detectors::Detectors;
use super::play::Decided;
use super::scenario::Scenario;
use super::sensing::Sensing;
use super::trips::Trips;
use super::{Controller, Mode, SumoArgs};

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    /// SUMO's seed.
    pub seed: u64,
    /// What became of the vehicles.
    #[serde(flatten)]
    pub trips: Trips,
    /// Commands to lights.
    pub commands: u64,
    /// Changes that the safety envelope refused.
    pub refusals: u64,
    /// Time that the engine took for a second of the city, ms.
    pub decide_ms_per_city_s: f64,
}

/// All runs.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// Who timed the lights.
    pub controller: Controller,
    /// How the engine timed them.
    pub mode: Mode,
    /// How vehicles were seen.
    pub sensing: Sensing,
    /// Where detectors stood and how they failed, if vehicles were seen by detectors.
    #[serde(flatten)]
    pub detectors: Option<Detectors>,
    /// Least all-red that was asked for, s.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub all_red_s: Option<f64>,
    /// Whether people on foot had their time.
    pub pedestrians: bool,
    /// Approaches that nobody could be given time to cross.
    pub without_walk: usize,
    /// s.
    pub begin_s: f64,
    /// s.
    pub end_s: f64,
    /// By seed.
    pub seeds: Vec<Run>,
    /// Median of the seeds' delays, s a vehicle.
    pub median_delay_s: f64,
    /// The greatest of the seeds' delays, s a vehicle.
    pub worst_delay_s: f64,
    /// Vehicles that arrived, in all.
    pub arrived: u64,
    /// Vehicles loaded, in all.
    pub loaded: u64,
    /// Mean over the seeds, ms.
    pub decide_ms_per_city_s: f64,
}

impl Report {
    pub(super) fn new(args: &SumoArgs, scenario: &Scenario, without_walk: usize) -> Report {
        Report {
            scenario: scenario.name(),
            controller: args.controller,
            mode: args.mode,
            sensing: args.sensing,
            detectors: (args.sensing == Sensing::Detectors).then_some(args.detectors),
            all_red_s: args.all_red_s,
            pedestrians: args.pedestrians,
            without_walk,
            begin_s: scenario.begin_s,
            end_s: scenario.end_s,
            seeds: Vec::new(),
            median_delay_s: 0.0,
            worst_delay_s: 0.0,
            arrived: 0,
            loaded: 0,
            decide_ms_per_city_s: 0.0,
        }
    }

    /// Adds a run.
    pub(super) fn add(&mut self, seed: u64, trips: Trips, decided: &Decided) {
        let decide_ms_per_city_s = decided.took.as_secs_f64() * 1000.0 / decided.steps.max(1) as f64;
        let Decided { commands, refusals, .. } = *decided;
        self.arrived += trips.arrived;
        self.loaded += trips.loaded;
        self.seeds.push(Run { seed, trips, commands, refusals, decide_ms_per_city_s });
        let mut delays_s: Vec<f64> = self.seeds.iter().map(|run| run.trips.delay_s).collect();
        delays_s.sort_by(f64::total_cmp);
        self.median_delay_s = median(&delays_s);
        self.worst_delay_s = delays_s.last().copied().unwrap_or(0.0);
        let all_ms: f64 = self.seeds.iter().map(|run| run.decide_ms_per_city_s).sum();
        self.decide_ms_per_city_s = all_ms / self.seeds.len() as f64;
    }
}

impl Report {
    /// Under which conditions the engine timed the lights, where they are not the plain ones.
    fn conditions(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.controller == Controller::Fixed {
            return Ok(());
        }
        if let Some(Detectors { upstream_m, delay_s, misses, dead, noise_ms, speed_noise }) = self.detectors {
            let (misses, dead, speed_noise) = (misses * 100.0, dead * 100.0, speed_noise * 100.0);
            writeln!(
                f,
                "seen by detectors at the line and {upstream_m} m before: {delay_s} s late, {misses} % missed, {dead} % dead, \
                 times +-{noise_ms} ms, speeds +-{speed_noise} %"
            )?;
        }
        if let Some(all_red_s) = self.all_red_s {
            writeln!(f, "all-red of at least {all_red_s} s")?;
        }
        match (self.pedestrians, self.without_walk) {
            (false, _) => Ok(()),
            (true, 0) => writeln!(f, "with time for people on foot on every crossing"),
            (true, n) => {
                writeln!(f, "with time for people on foot; {n} approaches are held by no stage and not crossed")
            }
        }
    }
}

/// Of sorted numbers.
fn median(sorted: &[f64]) -> f64 {
    let (low, high) = (sorted.len().saturating_sub(1) / 2, sorted.len() / 2);
    (sorted[low] + sorted[high]) / 2.0
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let controller = match (self.controller, self.mode) {
            (Controller::Engine, Mode::Stage) => "the engine",
            (Controller::Engine, Mode::Plan) => "the engine's plans",
            (Controller::Fixed, _) => "its own programs",
        };
        writeln!(f, "{} from {} s to {} s under {controller}", self.scenario, self.begin_s, self.end_s)?;
        self.conditions(f)?;
        for Run { seed, trips, decide_ms_per_city_s, refusals, .. } in &self.seeds {
            let Trips { delay_s, trip_s, wait_s, stops, queue, arrived, loaded, .. } = trips;
            write!(
                f,
                "seed {seed:>3}: delay {delay_s:>6.1} s/vehicle, trip {trip_s:.1} s, wait {wait_s:.1} s, stops {stops:.2}, \
                 {queue:.1} standing, arrived {arrived} of {loaded}"
            )?;
            match (self.controller, refusals) {
                (Controller::Fixed, _) => writeln!(f)?,
                (Controller::Engine, 0) => writeln!(f, ", {decide_ms_per_city_s:.2} ms a second")?,
                (Controller::Engine, n) => writeln!(f, ", {decide_ms_per_city_s:.2} ms a second, {n} refused")?,
            }
        }
        let Report { median_delay_s, worst_delay_s, arrived, loaded, .. } = self;
        writeln!(
            f,
            "in all: median delay {median_delay_s:.1} s/vehicle, worst {worst_delay_s:.1}, arrived {arrived} of {loaded}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_of_an_even_number_lies_between_two() {
        assert_eq!([median(&[3.0]), median(&[1.0, 4.0]), median(&[1.0, 2.0, 9.0])], [3.0, 2.5, 2.0]);
    }
}
