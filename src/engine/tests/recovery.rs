//! An engine that starts with what another one saved decides as that one would have.

use std::collections::BTreeMap;

use nanming_dataflows::decision::Decisions;
use nanming_dataflows::event::{
    Batch, CallChange, CallEvent, CallFacts, Category, Event, Needs, Priority, UnitReport, UnitStatus,
};
use nanming_dataflows::ids::{CallId, UnitId};
use nanming_dataflows::keyed::{Kind, Saved};
use nanming_simulators::town;
use nanming_simulators::world::{World, WorldSettings};

use super::*;

/// A Thursday, 07:30 in Guiyang.
const START_MS: u64 = 1_767_828_600_000;
const SECONDS: u64 = 900;
/// The saves that the restarts begin with: one after the other, each of what changed.
const SAVE_S: u64 = 41;

/// A call so often.
const CALL_S: u64 = 19;

/// One in a corner of the town, of any kind and urgency.
fn alarm(city: &City, n: u64, time_ms: u64) -> Event {
    let pick = |from: usize| n as usize * 7 % from;
    let (grid, link) = (&city.grids[pick(city.grids.len())], &city.links[pick(city.links.len())]);
    let facts = CallFacts {
        priority: [Priority::A, Priority::B, Priority::C][pick(3)],
        category: [Category::Collision, Category::Help, Category::Crime, Category::Community][pick(4)],
        at: link.shape[0],
        grid: grid.id,
        needs: Needs::ONE,
    };
    Event::Call(CallEvent { time_ms, call: CallId(1_000 + n), change: CallChange::Opened(facts) })
}

fn all() -> Tick {
    Tick { save: Some(Kind::Told), is_whole: false }
}

/// What passed the door in a town that the engine leads, and what it decided.
fn played(city: &Arc<City>) -> Vec<(Time, Batch)> {
    let settings = WorldSettings { seed: 7, start_ms: START_MS, demand_scale: 1.5, ..WorldSettings::default() };
    let (mut world, mut engine) = (World::new(Arc::clone(city), settings), Engine::start(city, 1));
    let mut ticks = Vec::new();
    for second in 1..=SECONDS {
        // Ticks of a live engine are not full seconds.
        let tick = START_MS + second * 1_000 + second * 37 % 400;
        let mut batch = Batch::default();
        batch.extend(world.step(tick));
        if second.is_multiple_of(CALL_S) {
            batch.push(alarm(city, second / CALL_S, tick));
        }
        let decisions = engine.step(tick, batch.clone()).unwrap();
        batch.calls.iter().for_each(|call| world.note_call(call));
        world.obey(&decisions);
        world.dispatch(&decisions);
        ticks.push((tick, batch));
    }
    ticks
}

/// Relations as they stand, and all else that was decided in a tick.
type Stood = (BTreeMap<String, isize>, Decisions);

#[derive(Default)]
struct Standing(BTreeMap<String, isize>);

impl Standing {
    fn after(&mut self, mut decisions: Decisions) -> Stood {
        let onsets = std::mem::take(&mut decisions.onsets).into_iter().map(|(o, n)| (format!("{o:?}"), n));
        let surges = std::mem::take(&mut decisions.surges).into_iter().map(|(s, n)| (format!("{s:?}"), n));
        let grids = std::mem::take(&mut decisions.grids).into_iter().map(|(g, n)| (format!("{g:?}"), n));
        for (record, n) in onsets.chain(surges).chain(grids) {
            *self.0.entry(record).or_default() += n;
        }
        self.0.retain(|_, n| *n != 0);
        (self.0.clone(), decisions)
    }
}

/// What an engine decides in ticks, and what it saves in the marked ones.
fn decided(engine: &mut Engine, ticks: &[(Time, Batch)], mark: impl Fn(usize) -> Tick) -> (Vec<Stood>, Vec<Saved>) {
    let (mut standing, mut stood, mut saved) = (Standing::default(), Vec::new(), Vec::new());
    for (row, (tick, batch)) in ticks.iter().enumerate() {
        engine.submit(*tick, batch.clone(), mark(row)).unwrap();
        let finished = engine.finished().unwrap();
        stood.push(standing.after(finished.decisions));
        saved.extend(finished.saved);
    }
    (stood, saved)
}

#[test]
fn after_a_restart_it_decides_as_if_nothing_had_happened() {
    let city = Arc::new(town::small(3, 3, 1));
    let ticks = played(&city);
    let (whole, _) = decided(&mut Engine::start(&city, 1), &ticks, |_| Tick::default());
    let said: usize = whole.iter().map(|(_, d)| d.commands.len() + d.links.len() + d.assignments.len()).sum();
    let assigned: usize = whole.iter().map(|(_, d)| d.assignments.len()).sum();
    assert!(said > 3_000 && assigned > 0, "{said} words, {assigned} assignments");
    for (at, workers) in [(SAVE_S, (1, 1)), (5 * SAVE_S, (2, 1)), (13 * SAVE_S, (1, 2))] {
        let (before, after) = ticks.split_at(at as usize);
        let mark = |row: usize| if (row as u64 + 1).is_multiple_of(SAVE_S) { all() } else { Tick::default() };
        let (_, saved) = decided(&mut Engine::start(&city, workers.0), before, mark);
        let (again, _) =
            decided(&mut Engine::start_with(&city, workers.1, saved.iter().collect()), after, |_| Tick::default());
        for ((row, now), then) in again.iter().enumerate().zip(&whole[at as usize..]) {
            assert_eq!(now.0, then.0, "relations after {row} ticks from {at}");
            assert_eq!(now.1, then.1, "{row} ticks after {at}");
        }
    }
}

#[test]
fn who_fell_silent_while_no_engine_ran_is_not_sent_and_who_did_not_is() {
    let city = Arc::new(town::small(2, 2, 1));
    let report = |unit: usize, time_ms| {
        let (at, status) = (city.units[unit].post, UnitStatus::Ready);
        Event::Unit(UnitReport { time_ms, unit: UnitId::from_index(unit), at, status })
    };
    let tick = |time_ms, events: Vec<Event>| {
        let mut batch = Batch::default();
        batch.extend(events);
        (time_ms, batch)
    };
    let reports = (0..city.units.len()).map(|unit| report(unit, START_MS)).collect();
    let seen = |_| Tick { save: Some(Kind::Seen), is_whole: false };
    let (_, saved) = decided(&mut Engine::start(&city, 1), &[tick(START_MS, reports)], seen);
    assert!(saved.iter().all(|saved| saved.kind < Kind::Told) && !saved.is_empty());
    let sent_after = |pause_ms| {
        let now_ms = START_MS + pause_ms;
        let ticks = [tick(now_ms, vec![]), tick(now_ms + 1_000, vec![alarm(&city, 4, now_ms + 1_000)])];
        let (stood, _) =
            decided(&mut Engine::start_with(&city, 1, saved.iter().collect()), &ticks, |_| Tick::default());
        stood.iter().map(|(_, decisions)| decisions.assignments.len()).sum::<usize>()
    };
    assert_eq!(sent_after(30_000), 1, "they are there at once");
    assert_eq!(sent_after(180_000), 0);
}
