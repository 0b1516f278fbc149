//! The reference city's morning peak under three kinds of control, with the same seed and the same trips: the city's own
//! fixed plans, fixed plans made anew for the traffic that was counted under them, and the engine.
//!
//! `cargo bench --bench morning_peak [-- SEEDS [MINUTES]]` prints mean delay per seed and the cuts; by default seeds 1-3,
//! 90 min from 07:00. Engine and world run in lockstep, one tick a second of city time. Exit code 1 when the engine cuts
//! less than the goal from the city's own plans.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Instant;

use nanming::engine::Engine;
use nanming_dataflows::event::{Batch, Passage};
use nanming_dataflows::ids::{LaneId, MovementId, VehicleId};
use nanming_dataflows::network::{CameraKind, City};
use nanming_simulators::guiyang;
use nanming_simulators::world::{Control, Summary, World, WorldSettings};

/// Tuesday 2026-01-06, 07:00 in Guiyang, ms.
const START_MS: u64 = 1_767_654_000_000;
/// Cut of mean delay against the city's own plans, %.
const GOAL_PERCENT: f64 = 25.0;
/// Share of vehicles that two cameras in a row recognise.
const RECOGNISED: f64 = 0.92;

fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let (seeds, minutes) = (numbers.first().copied().unwrap_or(3), numbers.get(1).copied().unwrap_or(90));
    let city = Arc::new(guiyang::generate(1));
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    println!("{} junctions, {} links, {minutes} min from 07:00, {cores} cores", city.junctions.len(), city.links.len());
    let mut least = f64::INFINITY;
    for seed in 1..=seeds {
        let run = |city: &Arc<City>, control, demand_scale| Run { minutes, seed, control, demand_scale }.play(city);
        let (own, counts) = run(&city, Control::FixedPlans, 1.0);
        let retimed = Arc::new(counts.retimed(&city, minutes));
        // The world fits its demand to what the plans bear: the same number of trips as before.
        let same_trips = peak_veh_h(&city, seed) / peak_veh_h(&retimed, seed);
        let (anew, _) = run(&retimed, Control::FixedPlans, same_trips);
        let (engine, _) = run(&city, Control::Engine, 1.0);
        let cut = |from: &Summary| (1.0 - engine.mean_delay_s / from.mean_delay_s) * 100.0;
        println!(
            "seed {seed}: the engine cuts {:.1} % of the own plans' delay, {:.1} % of the retimed plans'",
            cut(&own),
            cut(&anew)
        );
        least = least.min(cut(&own));
    }
    let met = least >= GOAL_PERCENT;
    println!(
        "{}: at least {least:.1} % against the own plans, goal {GOAL_PERCENT} %",
        if met { "met" } else { "MISSED" }
    );
    if met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn peak_veh_h(city: &Arc<City>, seed: u64) -> f64 {
    World::new(Arc::clone(city), WorldSettings { seed, start_ms: START_MS, ..WorldSettings::default() }).peak_veh_h()
}

struct Run {
    minutes: u64,
    seed: u64,
    control: Control,
    demand_scale: f64,
}

impl Run {
    fn play(&self, city: &Arc<City>) -> (Summary, TurningCounts) {
        let Run { minutes, seed, control, demand_scale } = *self;
        let settings = WorldSettings { seed, start_ms: START_MS, control, demand_scale, ..WorldSettings::default() };
        let mut world = World::new(Arc::clone(city), settings);
        let mut engine = (control == Control::Engine).then(|| Engine::start(city, 1));
        let mut counts = TurningCounts { moved: vec![0; city.movements.len()], last: BTreeMap::new() };
        let (mut events, mut engine_s, mut refusals, mut commands) = (0, 0.0, 0, 0);
        for second in 1..=minutes * 60 {
            let tick = START_MS + second * 1000;
            let mut batch = Batch::default();
            batch.extend(world.step(tick));
            events += batch.len();
            let Some(engine) = &mut engine else {
                batch.passages.iter().for_each(|passage| counts.take(city, passage));
                continue;
            };
            let began = Instant::now();
            let Ok(decisions) = engine.step(tick, batch) else { panic!("the engine stopped") };
            engine_s += began.elapsed().as_secs_f64();
            refusals += decisions.refusals.len();
            commands += decisions.commands.len();
            world.obey(&decisions);
        }
        let summary = world.summary();
        println!(
            "seed {seed} {control:?}: loaded {}, arrived {}, mean delay {:.1} s; {events} events, {commands} commands, \
             {refusals} refused, {} unsafe, {:.2} ms engine a second",
            summary.loaded,
            summary.arrived,
            summary.mean_delay_s,
            summary.unsafe_commands,
            engine_s * 1000.0 / (minutes * 60) as f64
        );
        (summary, counts)
    }
}

/// Turning counts as engineers take them: at a stop line, and on the next link.
struct TurningCounts {
    moved: Vec<u32>,
    last: BTreeMap<VehicleId, LaneId>,
}

impl TurningCounts {
    fn take(&mut self, city: &City, passage: &Passage) {
        let camera = &city.cameras[passage.camera.index()];
        let Some((lane, _)) = camera.lane.filter(|_| passage.vehicle != VehicleId(0)) else { return };
        let link = city.link_of(lane).id;
        if let Some(from) = self.last.get(&passage.vehicle).filter(|from| city.link_of(**from).id != link) {
            let leads_here = |m: &&MovementId| city.link_of(city.movements[m.index()].to).id == link;
            if let Some(movement) = city.lanes[from.index()].movements.iter().find(leads_here) {
                self.moved[movement.index()] += 1;
            }
            self.last.remove(&passage.vehicle);
        }
        if camera.kind == CameraKind::StopLine {
            self.last.insert(passage.vehicle, lane);
        }
    }

    /// The city with plans for these counts.
    fn retimed(&self, city: &City, minutes: u64) -> City {
        let mut city = city.clone();
        let veh_h = |n: u32| (f64::from(n) * 60.0 / minutes as f64 / RECOGNISED) as u32;
        guiyang::retime(&mut city, &|_, movement| veh_h(self.moved[movement.index()]));
        city
    }
}
