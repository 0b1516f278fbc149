//! What snapshots cost: the reference city under a flood of a passage a second from every camera, two engines side by side on
//! the same ticks, one of which saves what changed every few seconds. How much longer a tick takes that saves, what it costs
//! all in all, how large snapshots are, and how long an engine takes that starts with one. Fails when a goal is missed.
//!
//! `cargo bench --bench snapshots [-- SECONDS [PASSAGES_PER_S]]`: so many seconds (60) of city time. Stretches of both engines
//! take turns, so that neither has the better minutes of the machine.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use measure::passages::{CITY_PER_S, START_MS};
use measure::{Goals, numbers};
use nanming::engine::Engine;
use nanming::metrics::Metrics;
use nanming::offsets::Offsets;
use nanming::snapshots::{Opened, Restored, Snapshots};
use nanming_dataflows::Time;
use nanming_dataflows::event::{Batch, Event, UnitReport, UnitStatus};
use nanming_dataflows::ids::UnitId;
use nanming_dataflows::keyed::{Kind, Saved, Tick};
use nanming_dataflows::network::City;
use nanming_simulators::flood::Flood;
use nanming_simulators::guiyang;
use nanming_simulators::sumo_net::with_units;

mod measure;

/// Units in service.
const UNITS: usize = 2_000;
/// A tick, and the time between two saves, ms of city time: as in a live city.
const TICK_MS: u64 = 20;
const SAVE_MS: u64 = 5_000;
/// Stretches of the engines take turns after so long, ms of city time.
const TURN_MS: u64 = SAVE_MS;
/// Until streets are full, s of city time: not measured.
const WARM_UP_S: u64 = 20;
/// The goals.
const PAUSE_MS: f64 = 50.0;
const COST: f64 = 0.05;
const RESTART_S: f64 = 2.0;

fn main() -> ExitCode {
    let mut numbers = numbers();
    let (seconds, per_s) = (numbers.next().unwrap_or(60), numbers.next().unwrap_or(CITY_PER_S));
    let city = Arc::new(city());
    let dir = tempfile::tempdir().expect("a temporary directory");
    let opened = Opened::in_dir(dir.path(), &city).expect("a directory");
    let (mut snapshots, keeping) =
        opened.keep(&Restored::default(), Kind::Seen, Arc::new(Metrics::new(&city))).expect("a thread");
    let mut flood = Flood::new(&city, per_s, START_MS, 1);
    let (mut plain, mut saving) = (Side::start(&city), Side::start(&city));
    let mut now_ms = START_MS;
    while now_ms < START_MS + (WARM_UP_S + seconds) * 1_000 {
        let ticks = stretch(&city, &mut flood, &mut now_ms);
        let is_measured = now_ms > START_MS + WARM_UP_S * 1_000;
        plain.play(&ticks, is_measured, None);
        saving.play(&ticks, is_measured, Some(&mut snapshots));
    }
    drop(snapshots);
    keeping.join().expect("snapshots are kept");

    let mut goals = Goals::default();
    let usual_ms = median(&mut saving.ticks_ms);
    saving.pauses_ms.sort_by(f64::total_cmp);
    println!(
        "       {} vehicles' states among {} saved in {} snapshots of {:.1} MB",
        saving.vehicles,
        saving.states,
        saving.pauses_ms.len(),
        saving.bytes as f64 / 1e6 / saving.pauses_ms.len().max(1) as f64
    );
    println!("       a tick takes {usual_ms:.1} ms; one that saves, {:?} ms", rounded(&saving.pauses_ms));
    goals.most("longest pause of a snapshot, ms", saving.pauses_ms.last().map_or(0.0, |ms| ms - usual_ms), PAUSE_MS);
    goals.most("steady cost, share of throughput", saving.took.as_secs_f64() / plain.took.as_secs_f64() - 1.0, COST);
    drop((plain, saving));
    goals.most("restart until it decides again, s", restart_s(dir.path(), &city, now_ms), RESTART_S);
    goals.verdict()
}

/// Reads the newest snapshot, starts an engine with it and waits for its first tick.
fn restart_s(dir: &std::path::Path, city: &Arc<City>, now_ms: Time) -> f64 {
    let began = Instant::now();
    let found = Opened::in_dir(dir, city).expect("snapshots").found.for_start(now_ms);
    let read_s = began.elapsed().as_secs_f64();
    println!("       {} states are read in {read_s:.2} s", found.states.len());
    let mut engine = Engine::start_with(city, 1, found.states);
    engine.step(now_ms + 1, Batch::default()).expect("a tick");
    began.elapsed().as_secs_f64()
}

/// One of the two engines, and what was measured of it.
struct Side {
    engine: Engine,
    took: Duration,
    /// Ticks that save nothing, and those that save, ms.
    ticks_ms: Vec<f64>,
    pauses_ms: Vec<f64>,
    states: usize,
    vehicles: usize,
    bytes: usize,
}

impl Side {
    fn start(city: &Arc<City>) -> Side {
        let (engine, took) = (Engine::start(city, 1), Duration::ZERO);
        Side { engine, took, ticks_ms: Vec::new(), pauses_ms: Vec::new(), states: 0, vehicles: 0, bytes: 0 }
    }

    fn play(&mut self, ticks: &[(Time, Batch)], is_measured: bool, mut snapshots: Option<&mut Snapshots>) {
        let mut stretch = Duration::ZERO;
        for (tick, batch) in ticks {
            let saves = snapshots.is_some() && tick.is_multiple_of(SAVE_MS);
            let batch = batch.clone();
            let began = Instant::now();
            self.engine
                .submit(*tick, batch, Tick { save: saves.then_some(Kind::Seen), is_whole: false })
                .expect("an engine");
            let finished = self.engine.finished().expect("an engine");
            let took = began.elapsed();
            if is_measured {
                if saves { &mut self.pauses_ms } else { &mut self.ticks_ms }.push(took.as_secs_f64() * 1e3);
                self.states += finished.saved.iter().map(|saved| saved.records().count()).sum::<usize>();
                let sightings = finished.saved.iter().filter(|saved| saved.machine == "sightings");
                self.vehicles += sightings.map(|saved| saved.records().count()).sum::<usize>();
                self.bytes += finished.saved.iter().map(Saved::bytes).sum::<usize>();
            }
            if let Some(snapshots) = &mut snapshots {
                snapshots.take(*tick, finished.saved, &Offsets::default());
            }
            stretch += began.elapsed();
        }
        self.took += if is_measured { stretch } else { Duration::ZERO };
    }
}

/// The next ticks of the flood; units report every ten seconds.
fn stretch(city: &City, flood: &mut Flood, now_ms: &mut Time) -> Vec<(Time, Batch)> {
    let tick = |_| {
        let mut batch = Batch::default();
        flood.step(TICK_MS, &mut batch.passages);
        *now_ms += TICK_MS;
        let due = |unit: &usize| (*unit as u64 * TICK_MS) % 10_000 == *now_ms % 10_000 / TICK_MS * TICK_MS;
        for unit in (0..city.units.len()).filter(due) {
            let (at, status) = (city.units[unit].post, UnitStatus::Ready);
            batch.push(Event::Unit(UnitReport { time_ms: *now_ms, unit: UnitId::from_index(unit), at, status }));
        }
        (*now_ms, batch)
    };
    (0..TURN_MS / TICK_MS).map(tick).collect()
}

fn city() -> City {
    let mut city = guiyang::generate(1);
    let more = UNITS.saturating_sub(city.units.len());
    with_units(&mut city, more, 1);
    city
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}

fn rounded(values: &[f64]) -> Vec<f64> {
    values.iter().map(|ms| (ms * 10.0).round() / 10.0).collect()
}
