//! The embedded city: traffic, people and patrols in a closed loop with the engine, with ground truth.
//!
//! A [`World`] is the default source of events and the judge of the signals. It knows nothing about ticks, files or
//! clocks: the same city, settings and decisions give the same events.

use std::sync::Arc;

use nanming_dataflows::decision::{Decisions, SignalCommand};
use nanming_dataflows::event::{CallChange, CallEvent, Category, ControlMode, Event, Lamp, Serving, Standing};
use nanming_dataflows::ids::{JunctionId, LinkId, UnitId};
use nanming_dataflows::network::{City, Point};

mod assign;
mod buses;
mod calls;
mod car;
mod chance;
mod crossing;
mod crowds;
mod demand;
mod entry;
mod eyes;
mod incidents;
mod lanes;
mod paperwork;
mod patrols;
mod persons;
mod plans;
mod roads;
mod routes;
mod settings;
mod signals;
mod streets;
mod summary;
#[cfg(test)]
mod tests;
mod traffic;
mod truth;
mod units;
mod weather;

pub use incidents::Incident;
pub use settings::{Control, WorldSettings};
pub use truth::{LinkTruth, Summary, Truth, UnitDrive};

use traffic::{STEP_MS, Traffic};

/// A simulated city at a moment.
#[derive(Clone, Debug)]
pub struct World {
    city: Arc<City>,
    control: Control,
    now_ms: u64,
    traffic: Traffic,
    signals: signals::Signals,
    demand: demand::Demand,
    incidents: incidents::Incidents,
    crowds: crowds::Crowds,
    calls: calls::Calls,
    patrols: patrols::Patrols,
    paperwork: paperwork::Paperwork,
    persons: persons::Persons,
    weather: weather::Weather,
    /// Events of steps already taken whose time has not come, by time.
    outbox: Vec<Event>,
}

impl World {
    /// An empty city at the start of time. A city that fails [`City::check`] may panic here or later.
    pub fn new(city: Arc<City>, settings: WorldSettings) -> World {
        let (seed, now_ms) = (settings.seed, settings.start_ms / STEP_MS * STEP_MS);
        let roads = roads::Roads::new(&city);
        let (demand, routes) = demand::Demand::new(&city, &roads, seed, settings.demand_scale, now_ms);
        let eyes = eyes::Eyes::new(&city, seed, settings.miss_share);
        let buses = buses::Buses::new(&city, &roads, seed, now_ms);
        World {
            control: settings.control,
            now_ms,
            signals: signals::Signals::new(&city, &roads.first_head, now_ms),
            demand,
            incidents: incidents::Incidents::new(seed, settings.incidents, now_ms),
            crowds: crowds::Crowds::new(&city, seed),
            calls: calls::Calls::new(&city, seed, settings.calls_scale, settings.first_call_id, now_ms),
            patrols: patrols::Patrols::new(&city, &roads, seed, now_ms),
            paperwork: paperwork::Paperwork::new(seed, now_ms),
            persons: persons::Persons::new(seed),
            weather: weather::Weather::new(seed, now_ms),
            traffic: Traffic::new(roads, routes, buses, eyes),
            outbox: Vec::new(),
            city,
        }
    }

    /// Goes on to `until_ms` and returns the events up to it, by time. Works in steps of half a second; of a step begun
    /// before `until_ms` and ended after it, the later events are returned by later calls.
    pub fn step(&mut self, until_ms: u64) -> Vec<Event> {
        while self.now_ms < until_ms {
            self.now_ms += STEP_MS;
            let from = self.outbox.len();
            self.advance();
            self.outbox[from..].sort_by_key(Event::time_ms);
        }
        let due = self.outbox.iter().take_while(|e| e.time_ms() <= until_ms).count();
        let later = self.outbox.split_off(due);
        std::mem::replace(&mut self.outbox, later)
    }

    fn advance(&mut self) {
        let (now_ms, out) = (self.now_ms, &mut self.outbox);
        let traffic = &mut self.traffic;
        self.signals.advance(&self.city, now_ms, out);
        if let Some(incident) = self.incidents.advance(traffic, now_ms) {
            let at = streets::place_of(self.city.link_of(incident.lane), incident.at_mm);
            self.calls.collision(&self.city, at, now_ms);
        }
        for link in self.crowds.advance(&self.city, now_ms, out) {
            let vehicle = self.demand.trip_home(&traffic.roads, &traffic.routes, link);
            vehicle.into_iter().for_each(|v| {
                traffic.load(v);
            });
        }
        traffic.load_all(&mut self.demand, &self.city, now_ms);
        traffic.step(&self.signals.lamps, now_ms, out);
        traffic.buses.fix(&traffic.lanes, &traffic.vehicles, &traffic.roads, now_ms, out);
        self.calls.advance(&self.city, now_ms, out);
        let closed = self.patrols.advance(&self.city, traffic, now_ms, out);
        for (unit, _, _) in closed.into_iter().filter(|c| c.2 == Category::Crime) {
            self.paperwork.open_case(unit, now_ms);
        }
        self.paperwork.advance(&self.city, now_ms, out);
        self.persons.advance(now_ms, out);
        self.weather.advance(now_ms, out);
    }

    /// Does what the engine decided: signals from the next step on, units after a moment.
    pub fn obey(&mut self, decisions: &Decisions) {
        decisions.commands.iter().for_each(|command| self.switch(command));
        self.dispatch(decisions);
    }

    /// Gives a controller an order of the engine: it follows from the next step on.
    pub fn switch(&mut self, command: &SignalCommand) {
        if self.control == Control::Engine {
            self.signals.command(command);
        }
    }

    /// Tells units, callers and persons of rosters what the engine decided about calls and tasks.
    pub fn dispatch(&mut self, decisions: &Decisions) {
        for status in &decisions.assignment_statuses {
            self.patrols.hear(&self.city, &self.traffic.roads, status, self.now_ms);
        }
        decisions.calls.iter().filter(|s| s.phase.is_over()).for_each(|s| self.calls.close(s.call));
        for a in &decisions.assignments {
            let facts = self.calls.open.get(&a.call).map(|(_, f)| f);
            self.patrols.assign(a, facts, self.now_ms);
        }
        decisions.rosters.iter().for_each(|word| self.persons.hear(word, self.now_ms));
        for route in &decisions.routes {
            let links: Vec<u32> = route.links.iter().map(|link| link.0).collect();
            self.patrols.guide(route.unit, &links);
        }
    }

    /// Tells the world of a call that it did not raise, so that units find its place. Without this a unit that is sent
    /// there stays where it is and arrives when the assignment expects it to. The unit of a call that was restored takes
    /// its task up again.
    pub fn note_call(&mut self, event: &CallEvent) {
        self.calls.note(event.call, event.change, event.time_ms);
        let serving = match event.change {
            CallChange::Restored(_, Standing { phase, attempts, unit: Some(unit) }) => {
                Serving { unit, attempt: attempts, phase, is_ordered: false }
            }
            CallChange::Serving(serving) => serving,
            _ => return,
        };
        let Some((_, facts)) = self.calls.open.get(&event.call) else { return };
        self.patrols.take_up(&self.city, &self.traffic.roads, (event.call, serving), facts, self.now_ms);
    }

    /// A person at a real terminal takes a unit over (or hands it back): its answers are theirs from now on. The unit
    /// still reports its place, and goes where the state of its call says.
    pub fn man(&mut self, unit: UnitId, manned: bool) {
        self.patrols.man(unit, manned);
    }

    /// Simulated time, ms since the Unix epoch: the end of the last step taken.
    pub fn now_ms(&self) -> u64 {
        self.now_ms
    }

    /// The city.
    pub fn city(&self) -> &Arc<City> {
        &self.city
    }

    /// What the heads of a junction really show.
    pub fn lamps(&self, junction: JunctionId) -> &[Lamp] {
        self.signals.lamps_of(junction)
    }

    /// Who decides at a junction.
    pub fn mode(&self, junction: JunctionId) -> ControlMode {
        self.signals.mode(junction)
    }

    /// Collisions that block a lane now.
    pub fn incidents(&self) -> &[Incident] {
        &self.incidents.now
    }

    /// Trips an hour at the peak of a working day.
    pub fn peak_veh_h(&self) -> f64 {
        self.demand.peak_veh_h
    }

    /// Counters since the start.
    pub fn truth(&self) -> &Truth {
        &self.traffic.truth
    }

    /// The figures so far, vehicles under way included.
    pub fn summary(&self) -> Summary {
        self.traffic.summary(self.now_ms, self.signals.unsafe_commands)
    }

    /// The true state of a link now.
    pub fn link(&self, link: LinkId) -> LinkTruth {
        self.traffic.link_truth(link.0)
    }

    /// Where a place on a link is.
    pub fn place(&self, link: LinkId, at_mm: u32) -> Point {
        streets::place_of(&self.city.links[link.index()], at_mm)
    }
}
