//! Dispatch in the whole engine, tick by tick: over a restart, over regions, and within one tick.

use std::collections::BTreeMap;
use std::sync::Arc;

use nanming::door::TickRecord;
use nanming::engine::Engine;
use nanming::ledger::Ledger;
use nanming_dataflows::decision::{CallPhase, Decisions, GridLoad};
use nanming_dataflows::event::{
    Ack, Answer, AssignmentId, Batch, CallChange, CallEvent, CallFacts, Category, Event, Needs, Priority, UnitReport,
    UnitStatus,
};
use nanming_dataflows::ids::{CallId, GridId, RegionId, UnitId};
use nanming_dataflows::network::City;
use nanming_simulators::town;
use nanming_simulators::world::{World, WorldSettings};

const EIGHT_MS: u64 = 1_767_657_600_000; // Tuesday 2026-01-06, 08:00 in Guiyang
const MINUTE_MS: u64 = 60_000;

/// An engine and what it is told, tick by tick.
struct Steps {
    engine: Engine,
    tick: u64,
}

impl Steps {
    fn new(city: &City, workers: usize) -> Steps {
        Steps { engine: Engine::start(&Arc::new(city.clone()), workers), tick: EIGHT_MS }
    }

    fn step(&mut self, events: impl IntoIterator<Item = Event>) -> Decisions {
        self.tick += 100;
        let mut batch = Batch::default();
        batch.extend(events);
        self.engine.step(self.tick, batch).unwrap()
    }

    fn call(&self, call: u64, change: CallChange) -> Event {
        Event::Call(CallEvent { time_ms: self.tick, call: CallId(call), change })
    }

    fn ack(&self, unit: u32, attempt: u16, answer: Answer) -> Event {
        let assignment = AssignmentId { call: CallId(9), attempt };
        Event::Ack(Ack { time_ms: self.tick, unit: UnitId(unit), assignment, answer })
    }
}

fn ready(city: &City, unit: u32) -> Event {
    let at = city.units[unit as usize].post;
    Event::Unit(UnitReport { time_ms: EIGHT_MS, unit: UnitId(unit), at, status: UnitStatus::Ready })
}

/// A call at the post of a unit.
fn facts(city: &City, unit: u32) -> CallFacts {
    let unit = &city.units[unit as usize];
    CallFacts { priority: Priority::B, category: Category::Help, at: unit.post, grid: unit.grid, needs: Needs::ONE }
}

fn phases(decisions: &Decisions) -> Vec<(CallPhase, Option<u32>)> {
    decisions.calls.iter().map(|s| (s.phase, s.unit.map(|u| u.0))).collect()
}

fn sent(decisions: &Decisions) -> Vec<(String, u32)> {
    decisions.assignments.iter().map(|a| (a.id.to_string(), a.unit.0)).collect()
}

#[test]
fn a_call_that_moves_to_another_region_is_served_there_under_its_own_numbers() {
    let mut city = town::small(2, 2, 1);
    let there = city.units.iter().find(|u| u.grid != city.units[0].grid).unwrap().id.0;
    let grid = city.units[there as usize].grid;
    city.grids[grid.index()].region = RegionId(1);
    city.units.iter_mut().filter(|u| u.grid == grid).for_each(|u| u.region = RegionId(1));
    city.check().unwrap();
    for workers in [1, 2] {
        let mut steps = Steps::new(&city, workers);
        let opened = steps.call(9, CallChange::Opened(facts(&city, 0)));
        let said = steps.step([ready(&city, 0), ready(&city, there), opened]);
        assert_eq!(sent(&said), [("9.1".to_owned(), 0)]);
        let moved = steps.call(9, CallChange::Updated(facts(&city, there)));
        let said = steps.step([moved]);
        assert_eq!((phases(&said), sent(&said)), (vec![(CallPhase::Assigned, Some(0))], vec![]));
        let declined = steps.ack(0, 1, Answer::Decline);
        let said = steps.step([declined]);
        assert_eq!(sent(&said), [("9.2".to_owned(), there)]);
        assert_eq!(phases(&said), [(CallPhase::Waiting, None), (CallPhase::Assigned, Some(there))]);
    }
}

#[test]
fn what_is_said_last_in_a_tick_comes_last_whatever_its_phase() {
    let city = town::small(2, 2, 1);
    let other = city.units.iter().find(|u| u.id.0 != 0 && u.grid == city.units[0].grid).unwrap().id.0;
    let mut steps = Steps::new(&city, 2);
    let opened = steps.call(9, CallChange::Opened(facts(&city, 0)));
    let said = steps.step([ready(&city, 0), opened]);
    assert_eq!(sent(&said), [("9.1".to_owned(), 0)]);
    let answers = [steps.ack(0, 1, Answer::Accept), steps.ack(0, 1, Answer::Decline)];
    let said = steps.step(answers.into_iter().chain([ready(&city, other)]));
    let waits = (CallPhase::Waiting, None);
    assert_eq!(phases(&said), [(CallPhase::Accepted, Some(0)), waits, (CallPhase::Assigned, Some(other))]);
}

#[test]
fn a_call_opened_and_withdrawn_in_one_tick_leaves_no_load() {
    let city = town::small(2, 2, 1);
    let mut steps = Steps::new(&city, 2);
    let facts = facts(&city, 0);
    let both = [steps.call(9, CallChange::Opened(facts)), steps.call(9, CallChange::Cancelled)];
    let mut loads: BTreeMap<GridLoad, isize> = BTreeMap::new();
    let said = steps.step(both);
    assert_eq!(phases(&said), [(CallPhase::Waiting, None), (CallPhase::Cancelled, None)]);
    for decisions in [said, steps.step([]), steps.step([])] {
        decisions.grids.iter().for_each(|(load, diff)| *loads.entry(*load).or_default() += diff);
    }
    let open: Vec<_> = loads.iter().filter(|(load, n)| **n != 0 && load.open_calls > 0).collect();
    assert!(open.is_empty(), "{open:?}");
}

#[test]
fn a_late_word_on_a_call_that_is_over_is_refused() {
    let city = town::small(2, 2, 1);
    let mut steps = Steps::new(&city, 1);
    let opened = steps.call(9, CallChange::Opened(facts(&city, 0)));
    steps.step([ready(&city, 0), opened]);
    let closed = steps.ack(0, 1, Answer::Closed);
    let said = steps.step([closed.clone(), closed]);
    assert_eq!(phases(&said), [(CallPhase::Closed, Some(0))]);
    assert_eq!(said.rejected, [], "who says it again may not have heard that it was heard");
    let stranger = steps.ack(1, 1, Answer::Closed);
    assert_eq!(steps.step([stranger]).rejected.len(), 1);
    let moved = CallFacts { grid: GridId(1), ..facts(&city, 0) };
    let late = [steps.call(9, CallChange::Updated(moved)), steps.call(9, CallChange::Cancelled)];
    let said = steps.step(late);
    let reasons: Vec<&str> = said.rejected.iter().map(|r| r.reason.as_str()).collect();
    assert_eq!((reasons, phases(&said)), (vec!["call_closed", "call_closed"], vec![]));
}

/// A simulated city with its engine and ledger.
struct Run {
    world: World,
    steps: Steps,
    ledger: Ledger,
}

impl Run {
    /// From where the ledger is, at a minute after eight, with so many calls a day. Do units remember their tasks?
    fn start(ledger: Ledger, minute: u64, calls_scale: f64, remember: bool) -> Run {
        let city = town::small(2, 2, 1);
        let start_ms = EIGHT_MS + minute * MINUTE_MS;
        let settings =
            WorldSettings { start_ms, demand_scale: 0.0, calls_scale, incidents: false, ..WorldSettings::default() };
        let steps = Steps { tick: start_ms, ..Steps::new(&city, 1) };
        let mut run = Run { world: World::new(Arc::new(city), settings), steps, ledger };
        let calls = run.ledger.open_calls().unwrap().into_iter().map(|(call, _)| call);
        let restored: Vec<Event> = calls.chain(run.ledger.crews().unwrap()).map(Event::Call).collect();
        if remember {
            run.play(restored)
        } else {
            drop(run.steps.step(restored))
        }
        run
    }

    fn play(&mut self, events: Vec<Event>) {
        let mut batch = Batch::default();
        batch.extend(events.clone());
        batch.calls.iter().for_each(|call| self.world.note_call(call));
        let decisions = self.steps.step(events);
        assert_eq!(decisions.rejected, [], "units and engine are of one mind");
        self.world.obey(&decisions);
        let record = TickRecord { decisions, ..TickRecord::closing(self.steps.tick, &batch) };
        self.ledger.commit(&[record]).unwrap();
    }

    fn go_on(&mut self, minutes: u64) {
        let until_ms = self.steps.tick + minutes * MINUTE_MS;
        while self.steps.tick < until_ms {
            self.steps.tick += 1_900;
            let events = self.world.step(self.steps.tick);
            self.play(events);
        }
    }
}

#[test]
fn after_a_restart_every_call_comes_to_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let open = |name| Ledger::open(&path(name), 24, &town::small(2, 2, 1)).unwrap();
    let mut first = Run::start(open("ledger.sqlite"), 0, 60.0, true);
    first.go_on(20);
    drop(first);
    // A ledger leaves its log beside it, with what is in no other file yet.
    for end in ["", "-wal"] {
        std::fs::copy(path(&format!("ledger.sqlite{end}")), path(&format!("copy.sqlite{end}"))).unwrap();
    }
    for (name, remember) in [("ledger.sqlite", true), ("copy.sqlite", false)] {
        let ledger = open(name);
        let phases: Vec<CallPhase> = ledger.assignments_in_force().unwrap().iter().map(|a| a.phase).collect();
        let has = |phase| phases.contains(&phase);
        assert!(has(CallPhase::Accepted) && has(CallPhase::Arrived), "{phases:?}");
        assert!(ledger.open_calls().unwrap().len() > phases.len(), "some wait");
        let mut next = Run::start(ledger, 20, 0.0, remember);
        next.go_on(120);
        assert_eq!(next.ledger.open_calls().unwrap(), [], "units remember: {remember}");
    }
}
