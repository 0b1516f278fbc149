//! `nanming run`: the live city. Sources feed the door, the door the engine, the ledger keeps every tick, and what it has
//! kept goes to the sinks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded, unbounded};
use nanming_dataflows::network::City;
use nanming_simulators::world::{World, WorldSettings};

use crate::clock::{Clock, next_local_minute, wall_ms};
use crate::config::Config;
use crate::door::{self, Arrival, Inbox, TickRecord};
use crate::engine::Engine;
use crate::health::Health;
use crate::ledger::{Keeper, Ledger, keep};
use crate::metrics::Metrics;
use crate::publish::jsonl::JsonlSinks;

/// Simulated time that the embedded world advances at once, ms.
const WORLD_STEP_MS: u64 = 500;
/// Finished ticks that may wait for the ledger before the engine is held back.
const RECORDS: usize = 256;

/// Runs the city until it is interrupted.
pub fn run(config: &Config) -> Result<(), Box<dyn std::error::Error>> {
    let city = Arc::new(crate::city_file::load(config.city.file.as_deref(), config.city.seed)?);
    let ledger = Ledger::open(&config.ledger.path, config.ledger.signal_hours)?;
    let last_tick = ledger.last_tick()?.unwrap_or(0);
    let clock = Clock::starting_at(start_ms(config, &city, last_tick)?, config.clock.speed);
    let (metrics, health, stop) =
        (Arc::new(Metrics::new(&city)), Arc::new(Health::default()), Arc::new(AtomicBool::new(false)));
    let (inbox, arrivals) = door::open(clock, config.engine.inbox);
    restore(&ledger, &inbox)?;
    let (records, finished) = bounded(RECORDS);
    let (committed, kept) = unbounded();
    let keeper = Keeper {
        ledger,
        records: finished,
        committed,
        health: Arc::clone(&health),
        metrics: Arc::clone(&metrics),
        stop: Arc::clone(&stop),
    };
    let keeping = std::thread::Builder::new().name("ledger".into()).spawn(move || keep(keeper))?;
    let engine = Engine::start(&city, config.engine.workers, &[]);
    let driving = std::thread::Builder::new()
        .name("door".into())
        .spawn(move || door::live(engine, clock, last_tick.max(clock.start_ms()), &arrivals, &records))?;
    let (to_world, from_engine) = unbounded();
    let simulating = config
        .simulator
        .enabled
        .then(|| simulate(config, &city, clock, inbox.clone(), from_engine, Arc::clone(&stop)))
        .transpose()?;
    drop(inbox);
    let sinks = config.output.jsonl.as_deref().map(|dir| JsonlSinks::create(dir, &city)).transpose()?;
    stop_on_interrupt(Arc::clone(&stop))?;
    tracing::info!(
        city = city.name,
        junctions = city.junctions.len(),
        cameras = city.cameras.len(),
        "the city runs; Ctrl-C ends it"
    );
    let ticks = publish(&kept, sinks, to_world, &metrics)?;
    if let Some(simulating) = simulating {
        simulating.join().map_err(|_| "the simulator panicked")?;
    }
    driving.join().map_err(|_| "the door panicked")??;
    keeping.join().map_err(|_| "the ledger panicked")?;
    println!(
        "{ticks} ticks, {} events, tick p99 {:.1} ms; the ledger is {}",
        metrics.events_total(),
        metrics.tick_p99_ms(),
        config.ledger.path.display()
    );
    Ok(())
}

/// City time at the start, ms: never before what the ledger has seen.
fn start_ms(config: &Config, city: &City, last_tick: u64) -> Result<u64, String> {
    if config.clock.start == "now" {
        return Ok(wall_ms().max(last_tick));
    }
    let wrong = || format!("--start {}: write a local time such as 07:30, or now", config.clock.start);
    let (hour, minute) = config.clock.start.split_once(':').ok_or_else(wrong)?;
    let (hour, minute): (u16, u16) = (hour.parse().map_err(|_| wrong())?, minute.parse().map_err(|_| wrong())?);
    if hour > 23 || minute > 59 {
        return Err(wrong());
    }
    Ok(next_local_minute(wall_ms().max(last_tick), hour * 60 + minute, city.utc_offset_min))
}

/// Calls that were open when the ledger was last written go back through the door as facts.
fn restore(ledger: &Ledger, inbox: &Inbox) -> Result<(), Box<dyn std::error::Error>> {
    let open = ledger.open_calls()?;
    if !open.is_empty() {
        tracing::info!(calls = open.len(), "calls that were open are taken up again");
        let events = open.into_iter().map(|(call, _)| nanming_dataflows::event::Event::Call(call)).collect();
        inbox.send(Arrival { events, notes: Vec::new() })?;
    }
    Ok(())
}

fn simulate(
    config: &Config,
    city: &Arc<City>,
    clock: Clock,
    inbox: Inbox,
    from_engine: Receiver<Arc<TickRecord>>,
    stop: Arc<AtomicBool>,
) -> std::io::Result<JoinHandle<()>> {
    let settings = WorldSettings {
        seed: config.simulator.seed,
        start_ms: clock.start_ms(),
        demand_scale: config.simulator.demand,
        first_call_id: clock.start_ms(),
        ..WorldSettings::default()
    };
    let city = Arc::clone(city);
    std::thread::Builder::new().name("simulator".into()).spawn(move || {
        let mut world = World::new(city, settings);
        while !stop.load(Ordering::Relaxed) {
            from_engine.try_iter().for_each(|record| world.obey(&record.decisions));
            let next = world.now_ms() + WORLD_STEP_MS;
            std::thread::sleep(clock.wall(next.saturating_sub(clock.now_ms())).min(Duration::from_secs(1)));
            if clock.now_ms() < next {
                continue;
            }
            let events = world.step(next);
            if inbox.send(Arrival { events, notes: Vec::new() }).is_err() {
                return;
            }
        }
    })
}

/// Hands kept ticks to every sink until the engine has ended; the number of ticks.
fn publish(
    kept: &Receiver<Arc<TickRecord>>,
    mut sinks: Option<JsonlSinks>,
    to_world: crossbeam_channel::Sender<Arc<TickRecord>>,
    metrics: &Metrics,
) -> std::io::Result<u64> {
    let mut ticks = 0;
    for record in kept {
        ticks += 1;
        metrics.decided(&record.decisions);
        if let Some(sinks) = &mut sinks {
            sinks.write(&record.decisions)?;
        }
        // Without a simulator nobody listens.
        let _ = to_world.send(record);
    }
    if let Some(sinks) = sinks {
        sinks.finish()?;
    }
    Ok(ticks)
}

fn stop_on_interrupt(stop: Arc<AtomicBool>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        runtime.block_on(async {
            if tokio::signal::ctrl_c().await.is_ok() {
                stop.store(true, Ordering::Relaxed);
            }
        });
    })?;
    Ok(())
}
