//! State of every link: flow, space-mean speed, density, queue at the stop line, travel time, level of service.
//!
//! One machine a link. Each second it tells how many vehicles are near the stop line of each lane; each 10 s it closes a
//! window and tells the link's state. A link on which nothing happens costs nothing.

use std::hint::black_box;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::decision::LinkState;
use crate::ids::{CameraId, LaneId, LinkId, VehicleId};
use crate::keyed::{Machine, Outbox};
use crate::network::{City, Link};

mod present;
mod row;
mod sensors;
mod service;
mod turning;
mod window;
use present::Presents;
pub use present::{NEAR_MM, SPACING_MM};
use sensors::{Eye, Sensors};
pub use service::{level_of_service, space_mean_speed_mm_s};
pub use window::LATENESS_MS;
use window::{Closed, Window};

/// How often lane counts are told, ms.
const COUNT_MS: u64 = 1_000;
/// How often the state is told, ms.
const WINDOW_MS: u64 = 10_000;

/// Something observed on a link. Ordered by event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LinkEvent {
    /// When, ms.
    pub time_ms: u64,
    /// What.
    pub what: Observation,
}

/// What was observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Observation {
    /// A vehicle left a lane upstream that leads to `of` links, this one among them.
    Expected {
        /// Who.
        vehicle: VehicleId,
        /// The lane that it left.
        from: LaneId,
        /// How many links that lane leads to.
        of: u8,
    },
    /// A known vehicle passed a camera of this link.
    Seen {
        /// Who.
        vehicle: VehicleId,
        /// By which camera.
        camera: CameraId,
        /// The way on this link since it was last seen, mm.
        moved_mm: u32,
        /// The time that it took, ms; 0: unknown.
        took_ms: u32,
    },
    /// A vehicle is elsewhere.
    Gone {
        /// Who.
        vehicle: VehicleId,
    },
    /// Vehicles were counted at a camera.
    Counted {
        /// At the stop line (true) or along the link.
        at_line: bool,
        /// How many.
        vehicles: u32,
        /// How many of them by plate.
        known: u32,
        /// Mean spot speed, mm/s.
        speed_mm_s: u32,
    },
    /// A loop counted vehicles that cameras count too where there are some: says nothing about plates.
    Detected {
        /// At the stop line (true) or along the link.
        at_line: bool,
        /// How many.
        vehicles: u32,
        /// Over how long, ms.
        interval_ms: u32,
        /// Mean spot speed, mm/s.
        speed_mm_s: u32,
    },
    /// A bus reported its speed, mm/s.
    Bus(u32),
}

/// Who is on a link, and when each would reach the line.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LaneCounts {
    /// When, ms.
    pub time_ms: u64,
    /// Which link.
    pub link: LinkId,
    /// Vehicles on the link, in the order of lanes and times.
    pub arrivals: Vec<Arrival>,
    /// By lane, in the link's order: vehicles that have left since this was told before, 1/1000.
    pub left_milli: Vec<u32>,
    /// By lane, in the link's order: those among them that nobody knew before they left, 1/1000.
    pub strangers_milli: Vec<u32>,
    /// By lane upstream: the share of those who leave it that come here, 1/1000, learned; only where it has changed.
    pub came_milli: Vec<(LaneId, u16)>,
    /// Vehicles that have left a line for this link and are still in the junction before it, 1/1000; 0 where no camera
    /// stands near the beginning.
    pub inside_milli: u32,
    /// Lanes on which no camera that can be relied on would see somebody before the line, a bit each.
    pub blind: u32,
}

/// Vehicles that reach the end of a lane in the same second, if nobody holds them up; those of moments past wait there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Arrival {
    /// Row of the lane in the link's order.
    pub lane: u8,
    /// Unix time, s.
    pub due_s: u32,
    /// How many, 1/1000.
    pub milli: u32,
}

impl LaneCounts {
    /// Vehicles that wait at the end of a lane, a row in the link's order, or reach it within a time, 1/1000.
    pub fn near_milli(&self, row: usize, within_s: u32) -> u32 {
        let by_s = (self.time_ms / 1000) as u32 + within_s;
        // In the order of lanes and times.
        let first = self.arrivals.partition_point(|arrival| usize::from(arrival.lane) < row);
        let near = |arrival: &&Arrival| usize::from(arrival.lane) == row && arrival.due_s <= by_s;
        self.arrivals[first..].iter().take_while(near).map(|arrival| arrival.milli).sum()
    }

    /// Whether somebody may wait unseen on a lane, a row in the link's order.
    pub fn is_blind(&self, row: usize) -> bool {
        self.blind & sensors::bit(row) != 0
    }
}

/// What a link's machine says.
#[derive(Clone, Debug)]
pub enum LinkSaid {
    /// Each second, when it changed.
    Counts(Arc<LaneCounts>),
    /// Each 10 s, when something happened.
    State(LinkState),
    /// What was told last before a restart, for whoever remembers nothing: all that was learned of who comes here, and nobody
    /// has left.
    CountsAgain(Arc<LaneCounts>),
    /// What was said last before a restart.
    StateAgain(LinkState),
}

/// The machine of link states.
pub struct Links {
    city: Arc<City>,
    sensors: Vec<Sensors>,
    /// By camera.
    eyes: Vec<Eye>,
}

/// What is remembered of a link.
#[derive(Default, Serialize, Deserialize)]
pub struct LinkMemory {
    presents: Presents,
    window: Window,
    /// What was told last of who is here; none at the beginning.
    counts: Option<Arc<LaneCounts>>,
    said: Option<(u32, u32, u32)>,
    next_count: Time,
    next_window: Time,
}

impl Links {
    /// For a city's links.
    pub fn new(city: Arc<City>) -> Self {
        let sensors = Sensors::of_links(&city);
        let eyes = Sensors::eyes(&city, &sensors);
        Links { city, sensors, eyes }
    }
}

impl Machine for Links {
    type Key = LinkId;
    type Event = LinkEvent;
    type State = LinkMemory;
    type Out = LinkSaid;

    fn name(&self) -> &'static str {
        "links"
    }

    /// Every link says at once what its cameras could see.
    fn keys(&self) -> Vec<LinkId> {
        self.city.links.iter().map(|l| l.id).collect()
    }

    fn restored(&self, id: LinkId, memory: &LinkMemory, tick: Time, out: &mut Outbox<LinkSaid>) {
        // Before whatever is said in this tick.
        let said_ms = tick.saturating_sub(1);
        let counts = memory.counts.as_deref().map(|told| LaneCounts {
            time_ms: said_ms,
            left_milli: Vec::new(),
            strangers_milli: Vec::new(),
            came_milli: memory.presents.all_came_milli(),
            ..told.clone()
        });
        counts.into_iter().for_each(|counts| out.emit(LinkSaid::CountsAgain(Arc::new(counts))));
        let Some(link) = self.city.links.get(id.index()) else { return };
        let state = memory.said.map(|(flow_veh_h, speed_mm_s, queue_milli_veh)| {
            // As exact as it is remembered.
            let reading = Closed { flow_veh_h, speed_mm_s: speed_mm_s * 100, observed: false };
            self.state(link, memory, said_ms, (reading, queue_milli_veh * 100))
        });
        state.into_iter().for_each(|state| out.emit(LinkSaid::StateAgain(state)));
    }

    const LOOKS: usize = 3;

    fn look_ahead(&self, look: usize, memory: &LinkMemory, events: &[(LinkId, LinkEvent)]) {
        for (id, event) in events {
            match event.what {
                Observation::Seen { vehicle, camera, .. } => {
                    memory.presents.look_ahead(look, &self.sensors[id.index()], vehicle, &self.eyes[camera.index()])
                }
                Observation::Gone { vehicle } if look == 1 => {
                    black_box(memory.presents.is_known(vehicle));
                }
                _ => {}
            }
        }
    }

    fn step(
        &self,
        id: LinkId,
        memory: &mut LinkMemory,
        tick: Time,
        events: &[(LinkId, LinkEvent)],
        out: &mut Outbox<LinkSaid>,
    ) {
        let link = &self.city.links[id.index()];
        let sensors = &self.sensors[id.index()];
        if memory.next_window == 0 {
            memory.presents = Presents::new(sensors);
            memory.window = Window::new(link.free_speed_mm_s);
            memory.next_count = next_turn(id, tick, COUNT_MS);
            memory.next_window = next_turn(id, tick, WINDOW_MS);
            say_counts(link, sensors, memory, tick, out);
        }
        for (_, event) in events {
            self.take(link, memory, event);
        }
        if tick >= memory.next_count {
            memory.next_count = next_turn(id, tick, COUNT_MS);
            memory.presents.expire(tick);
            memory.presents.doubt(sensors, link, tick, memory.window.known_milli());
            say_counts(link, sensors, memory, tick, out);
        }
        if tick >= memory.next_window {
            memory.next_window = next_turn(id, tick, WINDOW_MS);
            self.say_state(link, memory, tick, out);
        }
        let busy = !memory.presents.is_empty() || memory.counts.as_ref().is_some_and(|told| !told.arrivals.is_empty());
        if busy {
            out.wake_at(memory.next_count.min(memory.next_window));
        } else if !memory.window.is_at_rest(link.free_speed_mm_s) {
            out.wake_at(memory.next_window);
        }
    }
}

/// The next multiple of `every` after `tick`, shifted by the link so that not all links speak at once.
fn next_turn(id: LinkId, tick: Time, every: u64) -> Time {
    let shift = u64::from(id.0) * 97 % every;
    (tick.saturating_sub(shift) / every + 1) * every + shift
}

fn say_counts(link: &Link, sensors: &Sensors, memory: &mut LinkMemory, tick: Time, out: &mut Outbox<LinkSaid>) {
    let arrivals = memory.presents.arrivals(link, tick, memory.window.known_milli());
    let blind = memory.presents.blind(sensors);
    let left_milli = memory.presents.left_milli();
    let strangers_milli = memory.presents.strangers_milli();
    let inside_milli = memory.presents.inside_milli(sensors, tick);
    let told = memory.counts.as_ref();
    let same = told.is_some_and(|t| t.arrivals == arrivals && (t.inside_milli, t.blind) == (inside_milli, blind));
    if same && left_milli.is_empty() {
        return;
    }
    let counts = Arc::new(LaneCounts {
        time_ms: tick,
        link: link.id,
        arrivals,
        left_milli,
        strangers_milli,
        came_milli: memory.presents.came_milli(),
        inside_milli,
        blind,
    });
    memory.counts = Some(Arc::clone(&counts));
    out.emit(LinkSaid::Counts(counts));
}

impl Links {
    fn take(&self, link: &Link, memory: &mut LinkMemory, event: &LinkEvent) {
        let LinkMemory { presents, window, next_window, .. } = memory;
        let sensors = &self.sensors[link.id.index()];
        let begun_ms = next_window.saturating_sub(WINDOW_MS);
        let count = |window: &mut Window, at_line, vehicles, known, speed_mm_s| {
            match begun_ms.saturating_sub(event.time_ms).div_ceil(WINDOW_MS) {
                0 => window.count(at_line, vehicles, known, speed_mm_s),
                // Later than that it counts nowhere; the door says how many do.
                ago => drop(window.correct(ago, at_line, vehicles, &sensors.place())),
            }
        };
        match event.what {
            Observation::Expected { vehicle, from, of } => {
                presents.expect(sensors, vehicle, (from, of), event.time_ms, link.length_mm)
            }
            Observation::Seen { vehicle, camera, moved_mm, took_ms } => {
                let eye = &self.eyes[camera.index()];
                let before = presents.see(sensors, vehicle, event.time_ms, eye);
                if took_ms == 0 {
                    presents.wonder(eye);
                }
                count(window, eye.at_line, 1, 1, 0);
                window.hop(moved_mm, took_ms.saturating_sub(before.map_or(0, |b| b.counted_ms)));
            }
            Observation::Gone { vehicle } => presents.remove(vehicle),
            Observation::Counted { at_line, vehicles, known, speed_mm_s } => {
                count(window, at_line, vehicles, known, speed_mm_s)
            }
            Observation::Detected { at_line, vehicles, interval_ms, speed_mm_s } => {
                window.detect(at_line, vehicles, interval_ms, speed_mm_s)
            }
            Observation::Bus(speed_mm_s) => window.spot(speed_mm_s, 1),
        }
    }

    fn say_state(&self, link: &Link, memory: &mut LinkMemory, tick: Time, out: &mut Outbox<LinkSaid>) {
        let standing_ms = memory.presents.count_standing(link, tick, WINDOW_MS);
        let place = self.sensors[link.id.index()].place();
        let reading = memory.window.close(standing_ms, &place, memory.presents.is_empty(), link.free_speed_mm_s);
        let near_s = (tick + near_ms(link)) / 1000;
        let arrivals = memory.counts.iter().flat_map(|told| &told.arrivals);
        let near = arrivals.filter(|arrival| u64::from(arrival.due_s) <= near_s);
        let queue_milli_veh: u32 = near.map(|arrival| arrival.milli).sum();
        let now = (reading.flow_veh_h, reading.speed_mm_s / 100, queue_milli_veh / 100);
        if !reading.observed && memory.said == Some(now) {
            return;
        }
        memory.said = Some(now);
        out.emit(LinkSaid::State(self.state(link, memory, tick, (reading, queue_milli_veh))));
    }

    fn state(
        &self,
        link: &Link,
        memory: &LinkMemory,
        tick: Time,
        (reading, queue_milli_veh): (Closed, u32),
    ) -> LinkState {
        let vehicles_milli = memory.presents.weight_milli();
        LinkState {
            link: link.id,
            time_ms: tick,
            flow_veh_h: reading.flow_veh_h,
            speed_mm_s: reading.speed_mm_s,
            density_milli_veh_km: (vehicles_milli * 1_000_000 / u64::from(link.length_mm)) as u32,
            queue_milli_veh,
            travel_ms: travel_ms(link.length_mm, reading.speed_mm_s),
            level: level_of_service(reading.speed_mm_s, link.free_speed_mm_s),
            observed: reading.observed,
        }
    }
}

/// The time that a vehicle takes from where it begins to be near the line, ms.
fn near_ms(link: &Link) -> u64 {
    u64::from(NEAR_MM) * 1000 / u64::from(link.free_speed_mm_s.max(1))
}

/// Travel time over a length at a speed, ms; a standing link counts as walked, 0.5 m/s.
fn travel_ms(length_mm: u32, speed_mm_s: u32) -> u32 {
    (u64::from(length_mm) * 1000 / u64::from(speed_mm_s.max(500))) as u32
}
