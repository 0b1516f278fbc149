//! The morning peak under the city's own fixed plans, for a few seeds: how busy it gets, and what a second costs.
//!
//! `cargo run --release -p nanming-simulators --example morning_peak [guiyang|ROWSxCOLS] [scale] [seeds] [minutes]`

use std::sync::Arc;
use std::time::{Duration, Instant};

use nanming_dataflows::event::Event;
use nanming_simulators::world::{Control, World, WorldSettings};
use nanming_simulators::{guiyang, town};

const START_MS: u64 = 1_767_652_200_000; // Tuesday 2026-01-06, 06:30 in Guiyang

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let what = args.get(1).map_or("guiyang", String::as_str);
    let scale = args.get(2).and_then(|s| s.parse().ok()).unwrap_or(1.0);
    let seeds = args.get(3).and_then(|s| s.parse().ok()).unwrap_or(3);
    let minutes = args.get(4).and_then(|s| s.parse().ok()).unwrap_or(150);
    for seed in 1..=seeds {
        let city = match what.split_once('x') {
            Some((r, c)) => town::small(r.parse().unwrap_or(2), c.parse().unwrap_or(2), seed),
            None => guiyang::generate(seed),
        };
        run(Arc::new(city), seed, scale, minutes);
    }
}

fn run(city: Arc<nanming_dataflows::network::City>, seed: u64, demand_scale: f64, minutes: u64) {
    let began = Instant::now();
    let settings =
        WorldSettings { seed, start_ms: START_MS, demand_scale, control: Control::FixedPlans, ..Default::default() };
    let mut world = World::new(city, settings);
    println!("seed {seed}: ready in {:.0} ms, peak {:.0} trips/h", ms(began.elapsed()), world.peak_veh_h());
    for minute in (10..=minutes).step_by(10) {
        let began = Instant::now();
        let mut passages = 0;
        let mut events = 0;
        for second in 1..=600 {
            let batch = world.step(START_MS + (minute - 10) * 60_000 + second * 1_000);
            events += batch.len();
            passages += batch.iter().filter(|e| matches!(e, Event::Passage(_))).count();
        }
        let s = world.summary();
        println!(
            "  06:30+{minute:3} min: loaded {:6} arrived {:6} on road {:5} waiting {:4} delay {:5.1} s trip {:6.1} s \
             stops {:4.1} | {:5} passages/s {:5} events/s {:.2} ms/s | detours {} jumps {} collisions {}",
            s.loaded,
            s.arrived,
            s.on_road,
            s.waiting,
            s.mean_delay_s,
            s.mean_trip_s,
            s.mean_stops,
            passages / 600,
            events / 600,
            ms(began.elapsed()) / 600.0,
            world.truth().detours,
            world.truth().jumps,
            world.truth().collisions,
        );
    }
}

fn ms(d: Duration) -> f64 {
    d.as_secs_f64() * 1_000.0
}
