//! The reference city's morning peak under the engine's signals and under its own fixed plans: same seed, same demand.
//!
//! `cargo bench --bench morning_peak [-- SEEDS [MINUTES]]` prints mean delay per seed and the cut; by default seeds 1-3, 90 min
//! from 07:00. Engine and world run in lockstep, one tick a second of city time.

use std::sync::Arc;
use std::time::Instant;

use nanming::engine::Engine;
use nanming_dataflows::event::Batch;
use nanming_simulators::guiyang;
use nanming_simulators::world::{Control, World, WorldSettings};

/// Tuesday 2026-01-06, 07:00 in Guiyang, ms.
const START_MS: u64 = 1_767_654_000_000;

fn main() {
    let numbers: Vec<u64> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let (seeds, minutes) = (numbers.first().copied().unwrap_or(3), numbers.get(1).copied().unwrap_or(90));
    let city = Arc::new(guiyang::generate(1));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{} junctions, {} links, {minutes} min from 07:00, {cores} cores", city.junctions.len(), city.links.len());
    for seed in 1..=seeds {
        let mut delays = Vec::new();
        for control in [Control::FixedPlans, Control::Engine] {
            let settings = WorldSettings { seed, start_ms: START_MS, control, ..WorldSettings::default() };
            let mut world = World::new(Arc::clone(&city), settings);
            let mut engine = (control == Control::Engine).then(|| Engine::start(&city, 1, &[]));
            let (mut events, mut engine_s, mut refusals, mut commands) = (0, 0.0, 0, 0);
            for second in 1..=minutes * 60 {
                let tick = START_MS + second * 1000;
                let mut batch = Batch::default();
                batch.extend(world.step(tick));
                events += batch.len();
                if let Some(engine) = &mut engine {
                    let began = Instant::now();
                    let Ok(decisions) = engine.step(tick, batch) else { panic!("the engine stopped") };
                    engine_s += began.elapsed().as_secs_f64();
                    refusals += decisions.refusals.len();
                    commands += decisions.commands.len();
                    world.obey(&decisions);
                }
            }
            let summary = world.summary();
            println!(
                "seed {seed} {control:?}: loaded {}, arrived {}, mean delay {:.1} s; {} events, {commands} commands, {refusals} refused, \
                 {:.2} ms engine a second",
                summary.loaded,
                summary.arrived,
                summary.mean_delay_s,
                events,
                engine_s * 1000.0 / (minutes * 60) as f64
            );
            delays.push(summary.mean_delay_s);
        }
        println!("seed {seed}: delay cut {:.1} %", (1.0 - delays[1] / delays[0]) * 100.0);
    }
}
