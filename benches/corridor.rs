//! The same hour of the reference city with pre-emption corridors and without: how long units that drive with lights take to
//! their calls, and what it costs everybody else.
//!
//! `cargo bench --bench corridor [-- SEEDS [MINUTES]]`; by default seeds 1-2, 60 min from 07:30, after 30 min in which the
//! streets fill. Calls come eight times as often as on a usual day, so that there are drives enough to tell. Units are
//! vehicles among the others: they queue and stop at reds, in both runs. Exit code 1 when a goal is missed.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;

use nanming::engine::Engine;
use nanming_dataflows::decision::StageReason;
use nanming_dataflows::event::{Batch, Priority};
use nanming_dataflows::network::City;
use nanming_simulators::guiyang;
use nanming_simulators::world::{Summary, UnitDrive, World, WorldSettings};

mod measure;
use measure::Goals;

/// Tuesday 2026-01-06, 07:00 in Guiyang, ms.
const START_MS: u64 = 1_767_654_000_000;
/// The streets fill for so long before drives count, min.
const FILL_MIN: u64 = 30;
/// Calls, relative to a usual day.
const CALLS_SCALE: f64 = 8.0;
/// Cut of the mean travel time of units with lights, %.
const CUT_PERCENT: f64 = 25.0;
/// Rise of everybody else's mean delay, %.
const RISE_PERCENT: f64 = 5.0;

fn main() -> ExitCode {
    let numbers: Vec<u64> = measure::numbers().collect();
    let (seeds, minutes) = (numbers.first().copied().unwrap_or(2), numbers.get(1).copied().unwrap_or(60));
    let on = guiyang::generate(1);
    let mut off = on.clone();
    off.signal_priority.corridor = None;
    let (on, off) = (Arc::new(on), Arc::new(off));
    println!("{} junctions, {minutes} min from 07:30, {} units", on.junctions.len(), on.units.len());
    let mut all = [Vec::new(), Vec::new()];
    let mut delays_s = [0.0, 0.0];
    for seed in 1..=seeds {
        for (row, city) in [&off, &on].into_iter().enumerate() {
            let run = play(city, seed, minutes);
            run.tell(seed, ["off", "on"][row]);
            delays_s[row] += run.summary.mean_delay_s;
            all[row].extend(run.drives.iter().map(|d| (seed, *d)));
        }
    }
    let [off_s, on_s] = all.each_ref().map(|drives| mean_s(drives.iter().map(|(_, d)| d.took_ms)));
    let (same_off_s, same_on_s, same) = paired(&all[0], &all[1]);
    println!("same unit to the same call: {same} drives, {same_off_s:.1} s without and {same_on_s:.1} s with");
    let mut goals = Goals::default();
    goals.least("units with lights: travel time cut, %", (1.0 - on_s / off_s) * 100.0, CUT_PERCENT);
    goals.least("same unit, same call: travel time cut, %", (1.0 - same_on_s / same_off_s) * 100.0, CUT_PERCENT);
    goals.most("others: delay rises, %", (delays_s[1] / delays_s[0] - 1.0) * 100.0, RISE_PERCENT);
    goals.verdict()
}

/// What a run brought.
struct Run {
    summary: Summary,
    /// Drives with lights that set out after the streets were full.
    drives: Vec<UnitDrive>,
    preempted: usize,
    long_reds: usize,
    refused: usize,
}

fn play(city: &Arc<City>, seed: u64, minutes: u64) -> Run {
    let settings = WorldSettings { seed, start_ms: START_MS, calls_scale: CALLS_SCALE, ..WorldSettings::default() };
    let mut world = World::new(Arc::clone(city), settings);
    let mut engine = Engine::start(city, 1);
    let (mut preempted, mut long_reds, mut refused) = (0, 0, 0);
    for second in 1..=(FILL_MIN + minutes) * 60 {
        let tick = START_MS + second * 1000;
        let mut batch = Batch::default();
        batch.extend(world.step(tick));
        let Ok(decisions) = engine.step(tick, batch) else { panic!("the engine stopped") };
        preempted += decisions.commands.iter().filter(|c| c.reason == StageReason::Preemption).count();
        long_reds += decisions.long_reds.len();
        refused += decisions.refusals.len();
        world.obey(&decisions);
    }
    let full_ms = START_MS + FILL_MIN * 60_000;
    let counts = |d: &&UnitDrive| d.priority == Priority::A && d.set_out_ms >= full_ms;
    let drives = world.truth().drives.iter().filter(counts).copied().collect();
    Run { summary: world.summary(), drives, preempted, long_reds, refused }
}

impl Run {
    fn tell(&self, seed: u64, corridor: &str) {
        let Run { summary, drives, preempted, long_reds, refused } = self;
        let (took_s, alone_s) = (mean_s(drives.iter().map(|d| d.took_ms)), mean_s(drives.iter().map(|d| d.alone_ms)));
        println!(
            "seed {seed} {corridor:3}: {} drives with lights of {took_s:.1} s on average, alone {alone_s:.1} s; others: loaded \
             {}, arrived {}, mean delay {:.1} s; {preempted} commands for units, {long_reds} reds too long, {refused} refused, \
             {} unsafe",
            drives.len(),
            summary.loaded,
            summary.arrived,
            summary.mean_delay_s,
            summary.unsafe_commands
        );
    }
}

fn mean_s(times_ms: impl Iterator<Item = u64>) -> f64 {
    let all: Vec<u64> = times_ms.collect();
    all.iter().sum::<u64>() as f64 / 1_000.0 / all.len().max(1) as f64
}

/// Mean times of drives that both runs have, of the same unit to the same call, and how many there are.
fn paired(off: &[(u64, UnitDrive)], on: &[(u64, UnitDrive)]) -> (f64, f64, usize) {
    let key = |(seed, d): &(u64, UnitDrive)| (*seed, d.call, d.unit);
    let known: BTreeMap<_, _> = off.iter().map(|d| (key(d), d.1.took_ms)).collect();
    let pairs: Vec<(u64, u64)> = on.iter().filter_map(|d| Some((*known.get(&key(d))?, d.1.took_ms))).collect();
    (mean_s(pairs.iter().map(|p| p.0)), mean_s(pairs.iter().map(|p| p.1)), pairs.len())
}
