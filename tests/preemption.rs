//! Units with lights and late buses at the signals: nothing outside the envelope whatever they do, and units get through.

use std::collections::BTreeMap;
use std::sync::Arc;

use nanming::engine::Engine;
use nanming_dataflows::decision::{Decisions, Interval, StageReason};
use nanming_dataflows::event::{
    Ack, Answer, Batch, BusFix, CallChange, CallEvent, CallFacts, Category, ControlMode, Event, Lamp, Needs, Passage,
    Priority, SignalFeedback, StageHold, UnitReport, UnitStatus, VehicleClass,
};
use nanming_dataflows::ids::{BusId, BusLineId, CallId, CameraId, GridId, JunctionId, LinkId, UnitId, VehicleId};
use nanming_dataflows::network::City;
use nanming_simulators::town;
use nanming_simulators::world::{UnitDrive, World, WorldSettings};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::envelope::Checker;

const DAY_MS: u64 = 24 * 3_600_000;
const HOUR_MS: u64 = 3_600_000;

/// A day at random: vehicles of no street, hours without detectors, controllers that say anything, calls everywhere, units
/// that follow their way or jump off it, fall silent or never arrive, and buses that are anywhere on their line.
struct MadDay<'a> {
    city: &'a City,
    random: ChaCha8Rng,
    tick: u64,
    calls: u64,
    /// By unit on its way: its links, how far it is, and its assignment.
    drives: BTreeMap<UnitId, (Vec<LinkId>, usize, Option<Ack>)>,
}

impl MadDay<'_> {
    fn below(&mut self, n: usize) -> usize {
        (self.random.next_u64() % n.max(1) as u64) as usize
    }

    fn events(&mut self) -> Vec<Event> {
        let mut events = Vec::new();
        if !(self.tick / HOUR_MS).is_multiple_of(5) {
            self.passages(&mut events);
        }
        if self.below(300) == 0 {
            let grid = GridId::from_index(self.below(self.city.grids.len()));
            let link = self.below(self.city.links.len());
            let (at, category) = (self.city.links[link].shape[0], Category::Help);
            let priority = [Priority::A, Priority::A, Priority::B][self.below(3)];
            let change = CallChange::Opened(CallFacts { priority, category, at, grid, needs: Needs::ONE });
            self.calls += 1;
            events.push(Event::Call(CallEvent { time_ms: self.tick, call: CallId(self.calls), change }));
        }
        for unit in 0..self.city.units.len() {
            self.unit(UnitId::from_index(unit), &mut events);
        }
        if self.below(30) == 0 {
            self.bus(&mut events);
        }
        if self.below(40) == 0 {
            let junction = JunctionId::from_index(self.below(self.city.junctions.len()));
            let heads = self.city.junctions[junction.index()].heads.len();
            // Faults that a controller can show.
            let lamps = (0..heads).map(|_| [Lamp::Red, Lamp::Off, Lamp::Yellow][self.below(3)]).collect();
            let mode =
                [ControlMode::Centre, ControlMode::Local, ControlMode::Manual, ControlMode::Fault][self.below(4)];
            events.push(Event::Signal(SignalFeedback { time_ms: self.tick, junction, mode, lamps }));
        }
        if self.below(100) == 0 {
            let junction = JunctionId::from_index(self.below(self.city.junctions.len()));
            let stages = self.city.junctions[junction.index()].stages.len();
            let stage = Some(self.below(stages + 1)).filter(|row| *row < stages).map(|row| row as u16);
            let (time_ms, until_ms) = (self.tick, self.tick + self.below(600_000) as u64);
            events.push(Event::Hold(StageHold { time_ms, junction, stage, until_ms, by: "desk".into() }));
        }
        events
    }

    fn passages(&mut self, events: &mut Vec<Event>) {
        for _ in 0..[0, 0, 1, 3, 20][self.below(5)] {
            events.push(Event::Passage(Passage {
                time_ms: self.tick - self.random.next_u64() % 2_000,
                camera: CameraId::from_index(self.below(self.city.cameras.len())),
                vehicle: VehicleId(self.random.next_u64() % 400),
                speed_mm_s: (self.random.next_u64() % 40_000) as u32,
                class: VehicleClass::Car,
            }));
        }
    }

    fn unit(&mut self, unit: UnitId, events: &mut Vec<Event>) {
        let time_ms = self.tick;
        let (jumps, goes_on, reports) = (self.below(60) == 0, self.below(8) == 0, self.below(4) == 0);
        let anywhere = LinkId::from_index(self.below(self.city.links.len()));
        let Some((links, leg, ack)) = self.drives.get_mut(&unit) else {
            let at = self.city.units[unit.index()].post;
            events.extend(reports.then_some(Event::Unit(UnitReport { time_ms, unit, at, status: UnitStatus::Ready })));
            return;
        };
        *leg += usize::from(goes_on);
        let link = if jumps { anywhere } else { links.get(*leg).copied().unwrap_or(anywhere) };
        let shape = &self.city.links[link.index()].shape;
        let at = shape[time_ms as usize / 3_000 % shape.len()];
        if reports {
            events.push(Event::Unit(UnitReport { time_ms, unit, at, status: UnitStatus::OnTheWay }));
        }
        let is_there = *leg > links.len() + 3;
        if let Some(ack) = ack.filter(|_| is_there) {
            events.push(Event::Ack(Ack { time_ms, answer: Answer::Closed, ..ack }));
            self.drives.remove(&unit);
        }
    }

    fn bus(&mut self, events: &mut Vec<Event>) {
        let line = BusLineId::from_index(self.below(self.city.bus_lines.len()));
        let route = &self.city.bus_lines[line.index()].route;
        let link = route[(self.random.next_u64() % route.len() as u64) as usize];
        let length_mm = self.city.links[link.index()].length_mm as usize;
        let (bus, position_mm) = (BusId(self.below(9) as u32), self.below(length_mm) as u32);
        let speed_mm_s = self.below(15_000) as u32;
        events.push(Event::Bus(BusFix { time_ms: self.tick, bus, line, link, position_mm, speed_mm_s }));
    }

    /// Units take what they are given, most of them, and see their ways.
    fn hear(&mut self, decisions: &Decisions, answers: &mut Vec<Event>) {
        for a in &decisions.assignments {
            let (time_ms, unit, assignment) = (self.tick, a.unit, a.id);
            let answer = if self.below(10) == 0 { Answer::Decline } else { Answer::Accept };
            let ack = Ack { time_ms, unit, assignment, answer };
            answers.push(Event::Ack(ack));
            if answer == Answer::Accept {
                self.drives.insert(unit, (Vec::new(), 0, Some(ack)));
            }
        }
        for route in &decisions.routes {
            if let Some((links, leg, _)) = self.drives.get_mut(&route.unit) {
                (*links, *leg) = (route.links.clone(), 0);
            }
        }
    }
}

/// So many hours of it; `NANMING_HOURS` plays more.
const HOURS: u64 = 8;

#[test]
fn hours_of_mad_units_and_buses_never_get_a_command_outside_its_envelope() {
    let hours = std::env::var("NANMING_HOURS").map_or(HOURS, |hours| hours.parse().unwrap());
    let mut city = town::small(2, 3, 3);
    city.signal_priority.bus_ms = 20_000;
    let mut checkers: Vec<_> = city.junctions.iter().map(Checker::new).collect();
    let tick = 10 * DAY_MS;
    let (random, drives) = (ChaCha8Rng::seed_from_u64(3), BTreeMap::new());
    let mut day = MadDay { city: &city, random, tick, calls: 0, drives };
    let mut engine = Engine::start(&Arc::new(city.clone()), 1);
    let mut taken_over = vec![false; city.junctions.len()];
    let mut led = vec![0; city.junctions.len()];
    let (mut reasons, mut answers): (BTreeMap<StageReason, usize>, _) = (BTreeMap::new(), Vec::new());
    while day.tick < tick + hours * 3_600_000 {
        day.tick += 100 + day.random.next_u64() % 2_000;
        let mut batch = Batch::default();
        batch.extend(answers.drain(..));
        batch.extend(day.events());
        // Such a one may be listened to again.
        let left = batch.signals.iter().filter(|shown| shown.mode != ControlMode::Centre);
        left.for_each(|shown| taken_over[shown.junction.index()] = false);
        let decisions = engine.step(day.tick, batch).unwrap();
        // A junction that is taken over while it shows red tries its first green until all-red has passed.
        let later: Vec<_> = decisions.refusals.iter().filter(|r| taken_over[r.junction.index()]).collect();
        assert!(later.is_empty(), "the controller asks for nothing that its envelope must refuse: {later:?}");
        for command in &decisions.commands {
            let row = command.junction.index();
            if command.reason == StageReason::Start {
                // What its controller is said to show is made up: what follows is checked from here.
                (taken_over[row], checkers[row]) = (false, Checker::new(&city.junctions[row]));
            }
            taken_over[row] |= command.interval == Interval::Green;
            led[row] += usize::from(command.interval == Interval::Green);
            checkers[row].see(command.at_ms, &command.lamps);
        }
        for choice in &decisions.choices {
            *reasons.entry(choice.reason).or_default() += 1;
        }
        day.hear(&decisions, &mut answers);
    }
    assert!(led.iter().all(|greens| *greens as u64 > 8 * hours), "nobody is locked out: {led:?}");
    for reason in
        [StageReason::Hold, StageReason::Preemption, StageReason::Bus, StageReason::MaxRed, StageReason::LocalPlan]
    {
        assert!(reasons.get(&reason).is_some_and(|n| *n as u64 > hours / 3), "{reason:?} must happen: {reasons:?}");
    }
}

/// By how much units are later at their calls than alone over some hours of a town, on average, s; and how many drives there
/// are.
fn mean_delay_s(corridor: Option<Priority>) -> (f64, usize) {
    let mut city = town::small(5, 5, 1);
    city.signal_priority.corridor = corridor;
    let city = Arc::new(city);
    let settings = WorldSettings { calls_scale: 5.0, demand_scale: 1.0, incidents: false, ..WorldSettings::default() };
    let (mut tick, mut engine) = (settings.start_ms, Engine::start(&city, 1));
    let mut world = World::new(city, settings);
    for _ in 0..3 * 3_600 {
        tick += 1_000;
        let mut batch = Batch::default();
        batch.extend(world.step(tick));
        let decisions = engine.step(tick, batch).unwrap();
        assert_eq!(decisions.refusals, []);
        world.obey(&decisions);
    }
    assert_eq!(world.summary().unsafe_commands, 0);
    let late_ms = |d: &UnitDrive| d.took_ms.saturating_sub(d.alone_ms);
    let times_ms: Vec<u64> = world.truth().drives.iter().map(late_ms).collect();
    (times_ms.iter().sum::<u64>() as f64 / 1_000.0 / times_ms.len() as f64, times_ms.len())
}

#[test]
fn units_with_lights_are_at_their_calls_sooner() {
    let ((off_s, off), (on_s, on)) = (mean_delay_s(None), mean_delay_s(Some(Priority::C)));
    assert!(off > 20 && on > 20, "{off} and {on} drives");
    assert!(on_s < off_s * 0.8, "{on_s:.1} s late with green on their way, {off_s:.1} s without");
}
