//! The streets of a city at its own pace: what a simulated world's sensors tell, as lines of `POST /api/ingest`, under the lights that
//! the engine orders. What is told while nobody answers is lost, as it is of cameras.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::thread::JoinHandle;
use std::time::Duration;

use nanming::clock::wall_ms;
use nanming_dataflows::decision::SignalCommand;
use nanming_dataflows::event::Event;
use nanming_dataflows::ids::JunctionId;
use nanming_dataflows::network::City;
use nanming_simulators::world::{World, WorldSettings};
use serde_json::{Value, json};

use super::told::Told;
use super::victim::Where;

/// Between two requests.
const BEAT: Duration = Duration::from_millis(250);
/// So much of the morning is played before anything is told, ms: the streets fill.
const WARM_UP_MS: u64 = 600_000;
/// Older than this an order is passed over, ms.
const STALE_MS: u64 = 2_000;
/// So long a request may take.
const ANSWER: Duration = Duration::from_secs(5);

/// What became of events.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Fed {
    pub(crate) taken: usize,
    pub(crate) lost: usize,
}

pub(crate) struct Sensors {
    end: Arc<AtomicBool>,
    thread: JoinHandle<Fed>,
}

/// Streets that have filled.
pub(crate) fn streets(city: &City, seed: u64) -> World {
    let mut world = World::new(Arc::new(city.clone()), WorldSettings { seed, ..WorldSettings::default() });
    world.step(world.now_ms() + WARM_UP_MS);
    world
}

impl Sensors {
    /// From now on; without the lamps of junctions that have controllers to speak for them.
    pub(crate) fn start(
        at: &Where,
        told: &Told,
        (world, orders): (World, Option<Receiver<SignalCommand>>),
        silent: BTreeSet<JunctionId>,
    ) -> Sensors {
        let end = Arc::<AtomicBool>::default();
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(ANSWER)).build();
        let (at, told) = (at.clone(), told.clone());
        let feed = Feed { at, told, world, orders, behind_ms: 0, silent, agent: config.into() };
        let ends = Arc::clone(&end);
        Sensors { end, thread: std::thread::spawn(move || feed.run(&ends)) }
    }

    /// What became of all.
    pub(crate) fn end(self) -> Fed {
        self.end.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

struct Feed {
    at: Where,
    told: Told,
    world: World,
    orders: Option<Receiver<SignalCommand>>,
    /// What its time is behind the wall's, ms.
    behind_ms: u64,
    silent: BTreeSet<JunctionId>,
    agent: ureq::Agent,
}

impl Feed {
    fn run(mut self, end: &AtomicBool) -> Fed {
        let mut fed = Fed::default();
        self.behind_ms = wall_ms() - self.world.now_ms();
        while !end.load(Ordering::Relaxed) {
            self.obey();
            let events = self.world.step(wall_ms().saturating_sub(self.behind_ms));
            let mut lines = String::new();
            let told = events.iter().filter_map(|event| self.line(event));
            let count = told.map(|line| writeln!(lines, "{line}").unwrap()).count();
            *if self.tell(&lines) { &mut fed.taken } else { &mut fed.lost } += count;
            std::thread::park_timeout(BEAT);
        }
        fed
    }

    /// The lights are switched where no controller of our own speaks for them. An order that was long on its way is not for now.
    fn obey(&mut self) {
        let now_ms = wall_ms();
        for mut order in self.orders.iter().flat_map(Receiver::try_iter) {
            let is_new = order.at_ms + STALE_MS > now_ms;
            order.at_ms = order.at_ms.saturating_sub(self.behind_ms);
            if is_new && !self.silent.contains(&order.junction) {
                self.world.switch(&order);
            }
        }
    }

    /// Whether somebody took them.
    fn tell(&self, lines: &str) -> bool {
        let Some(address) = self.at.now() else { return false };
        let Ok(mut answer) = self.agent.post(format!("http://{address}/api/ingest")).send(lines) else { return false };
        let (status, text) = (answer.status(), answer.body_mut().read_to_string().unwrap_or_default());
        let said: Value = serde_json::from_str(&text).unwrap_or_default();
        if status == 200 && said["rejected_total"].as_u64().is_some_and(|rejected| rejected > 0) {
            self.told.complain(format!("sensors are refused: {}", said["rejected"][0]));
        }
        status == 200
    }

    /// As docs/events.md has it. People and papers are for others to tell of.
    fn line(&self, event: &Event) -> Option<Value> {
        let city = self.world.city();
        let kmh = |mm_s: u32| f64::from(mm_s) * 3.6 / 1000.0;
        let mut line = match event {
            Event::Passage(e) => {
                let plate = if e.vehicle.0 == 0 { String::new() } else { format!("贵A{:X}", e.vehicle.0) };
                json!({"type": "passage", "camera": city.cameras[e.camera.index()].name, "plate": plate,
                       "speed_kmh": kmh(e.speed_mm_s), "class": e.class})
            }
            Event::Flow(e) => {
                json!({"type": "flow", "camera": city.cameras[e.camera.index()].name,
                       "interval_s": f64::from(e.interval_ms) / 1000.0, "vehicles": e.vehicles,
                       "speed_kmh": kmh(e.speed_mm_s), "occupancy": f64::from(e.occupancy_milli) / 1000.0})
            }
            Event::Crowd(e) => {
                json!({"type": "crowd", "camera": city.cameras[e.camera.index()].name, "people": e.people})
            }
            Event::Gate(e) => {
                json!({"type": "gate", "venue": e.venue.0, "interval_s": e.interval_ms / 1000,
                       "entered": e.entered, "left": e.left})
            }
            Event::Signal(e) if !self.silent.contains(&e.junction) => {
                let lamps: String = e.lamps.iter().map(|lamp| lamp.to_char()).collect();
                json!({"type": "signal", "junction": city.junctions[e.junction.index()].name, "mode": e.mode,
                       "lamps": lamps})
            }
            Event::Bus(e) => {
                let (lon, lat) = self.world.place(e.link, e.position_mm).to_lon_lat(city.origin).degrees();
                json!({"type": "bus", "bus": e.bus.0, "line": city.bus_lines[e.line.index()].name,
                       "lon": lon, "lat": lat, "speed_kmh": kmh(e.speed_mm_s)})
            }
            _ => return None,
        };
        line["time_ms"] = (event.time_ms() + self.behind_ms).into();
        Some(line)
    }
}
