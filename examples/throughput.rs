use nanming::engine::Engine;
use nanming_dataflows::event::Batch;
use nanming_dataflows::keyed::Tick;
use nanming_simulators::{flood::Flood, guiyang};
use std::sync::Arc;
use std::time::Instant;
const START_MS: u64 = 1_767_654_000_000;
fn main() {
    let n: Vec<u64> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let (workers, per_s, tick_ms, seconds) = (n[0] as usize, n[1], n[2], n[3]);
    let city = Arc::new(guiyang::generate(1));
    let mut flood = Flood::new(&city, per_s, START_MS, 1);
    let mut engine = Engine::start(&city, workers, &[]);
    // warm up 30 s of city, then measure
    let mut tick = START_MS;
    let mut batches = Vec::new();
    let began = Instant::now();
    for _ in 0..(seconds * 1000 / tick_ms) {
        tick += tick_ms;
        let mut b = Batch::default();
        flood.step(tick_ms, &mut b.passages);
        batches.push((tick, b));
    }
    let total: usize = batches.iter().map(|(_, b)| b.passages.len()).sum();
    eprintln!("generated {total} events in {:.2} s", began.elapsed().as_secs_f64());
    let half = batches.len() / 2;
    let (mut t0, mut ev) = (Instant::now(), 0usize);
    let mut lat = Vec::new();
    let mut sent = std::collections::VecDeque::new();
    let mut commands = 0;
    for (i, (tick, b)) in batches.into_iter().enumerate() {
        if i == half {
            t0 = Instant::now();
            ev = 0;
            lat.clear();
        }
        ev += b.passages.len();
        sent.push_back(Instant::now());
        engine.submit(tick, b, Tick::default()).unwrap();
        while engine.in_flight() >= 4 {
            let f = engine.finished().unwrap();
            commands += f.decisions.commands.len();
            lat.push(sent.pop_front().unwrap().elapsed().as_secs_f64() * 1e3);
        }
    }
    while engine.in_flight() > 0 {
        engine.finished().unwrap();
    }
    let s = t0.elapsed().as_secs_f64();
    lat.sort_by(f64::total_cmp);
    println!(
        "workers {workers} tick {tick_ms} ms rate {per_s}: {:.3} M events/s, {commands} commands, tick p50 {:.2} p99 {:.2} ms",
        ev as f64 / s / 1e6,
        lat[lat.len() / 2],
        lat[lat.len() * 99 / 100]
    );
}
