//! The embedded world on its own thread: it feeds the door like any source, and hears what was decided.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use nanming_dataflows::decision::SignalCommand;
use nanming_dataflows::event::{CallChange, Category, Event};
use nanming_dataflows::ids::{CallId, UnitId};
use nanming_simulators::world::{World, WorldSettings};

use super::{RunError, Shared};
use crate::clock::Clock;
use crate::config::Config;
use crate::door::{Arrival, CallNote, Inbox, TickRecord};
use crate::publish::Sink;
use crate::publish::terminals::Manning;

/// City time between two hand-overs, ms, and the wall time between them at least and at most.
const BEAT_MS: u64 = 100;
const PAUSE: (Duration, Duration) = (Duration::from_millis(5), Duration::from_millis(500));
/// City time of one hand-over at most, ms. After the machine slept the world catches up piece by piece, as fast as it can.
const LONGEST_BEAT_MS: u64 = 10_000;
/// So far the world may be behind the clock before somebody is told, once.
const BEHIND: Duration = Duration::from_secs(5);
/// Ticks that may wait for the world. One that cannot keep up misses some of their assignments: the engine does not wait
/// for it. Signal commands come on a way of their own, and it is told every one.
const TICKS: usize = 16_384;

/// The sinks' end: what the world is told of committed ticks.
pub(super) struct Ears {
    ticks: Option<Sender<Arc<TickRecord>>>,
    /// Units whose terminals come and go.
    pub(super) manning: Option<Manning>,
    /// Signal commands, from the door.
    pub(super) controllers: Option<Sender<SignalCommand>>,
}

/// The world's end.
pub(super) struct Heard {
    ticks: Receiver<Arc<TickRecord>>,
    manning: Receiver<(UnitId, bool)>,
    commands: Receiver<SignalCommand>,
}

/// Both ends; without a simulator nobody hears.
pub(super) fn ears(enabled: bool) -> (Ears, Option<Heard>) {
    if !enabled {
        return (Ears { ticks: None, manning: None, controllers: None }, None);
    }
    let ((to_world, ticks), (manned, manning), (controllers, commands)) = (bounded(TICKS), unbounded(), unbounded());
    let ears = Ears { ticks: Some(to_world), manning: Some(manned), controllers: Some(controllers) };
    (ears, Some(Heard { ticks, manning, commands }))
}

impl Sink for Ears {
    fn take(&mut self, record: &Arc<TickRecord>) {
        let Some(ticks) = &self.ticks else { return };
        let d = &record.decisions;
        let is_quiet = d.assignments.is_empty() && d.calls.is_empty() && d.rosters.is_empty();
        let concerns = !(is_quiet && record.calls.is_empty());
        if concerns && ticks.try_send(Arc::clone(record)).is_err() && !ticks.is_empty() {
            tracing::warn!(
                tick = record.tick,
                "the simulator is too slow for this speed: it misses a tick's assignments"
            );
        }
    }
}

/// Starts the world's thread.
pub(super) fn start(config: &Config, shared: &Shared, inbox: Inbox, heard: Heard) -> Result<JoinHandle<()>, RunError> {
    let settings = WorldSettings {
        seed: config.simulator.seed,
        start_ms: shared.clock.start_ms(),
        demand_scale: config.simulator.demand,
        // The time makes IDs that no earlier run on the same ledger gave.
        first_call_id: shared.clock.start_ms(),
        ..WorldSettings::default()
    };
    let (city, clock, stop) = (Arc::clone(&shared.city), shared.clock.clone(), Arc::clone(&shared.end.flag));
    shared.start("simulator", move || play(World::new(city, settings), &clock, &inbox, &heard, &stop))
}

fn play(mut world: World, clock: &Clock, inbox: &Inbox, heard: &Heard, stop: &AtomicBool) {
    let pause = clock.wall(BEAT_MS).clamp(PAUSE.0, PAUSE.1);
    let mut told = false;
    while !stop.load(Ordering::Relaxed) {
        heard.manning.try_iter().for_each(|(unit, manned)| world.man(unit, manned));
        heard.commands.try_iter().for_each(|command| world.switch(&command));
        for record in heard.ticks.try_iter() {
            record.calls.iter().for_each(|call| world.note_call(call));
            world.dispatch(&record.decisions);
        }
        let (now_ms, reach_ms) = (clock.now_ms(), world.now_ms() + LONGEST_BEAT_MS);
        let events = world.step(now_ms.min(reach_ms));
        let notes = events.iter().filter_map(note).collect();
        if !events.is_empty() && inbox.send(Arrival { events, notes, ..Arrival::default() }).is_err() {
            return;
        }
        let behind_ms = now_ms.saturating_sub(reach_ms);
        if !told && clock.wall(behind_ms) > BEHIND {
            tracing::warn!(
                behind_s = behind_ms / 1000,
                "the simulated city is behind its clock and catches up as fast as it can: after a sleep that is fine; \
                 otherwise this machine is too slow for it, choose a lower --speed"
            );
        }
        told = behind_ms > 0 && (told || clock.wall(behind_ms) > BEHIND);
        if behind_ms == 0 {
            std::thread::sleep(pause);
        }
    }
}

/// What a simulated caller says.
fn note(event: &Event) -> Option<(CallId, CallNote)> {
    let Event::Call(event) = event else { return None };
    let CallChange::Opened(facts) = event.change else { return None };
    let words = match facts.category {
        Category::Crime => "有人偷东西，正在跑",
        Category::Disturbance => "楼下有人打架",
        Category::Collision => "两车相撞，堵住了路",
        Category::Help => "老人摔倒了，需要帮助",
        Category::Other => "请派人来看一下",
        Category::Community => "路灯不亮",
    };
    Some((event.call, CallNote { words: words.into(), channel: "phone".into(), ..CallNote::default() }))
}
