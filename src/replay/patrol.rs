//! Units that take part in a replay: each accepts its assignment after a few seconds, arrives when its expected travel time
//! is over, and closes the call after a time on scene.

use std::collections::BTreeMap;

use nanming_dataflows::decision::{AssignmentPhase, Decisions};
use nanming_dataflows::event::{Ack, Answer, AssignmentId, CallChange, CallEvent, Event, UnitReport, UnitStatus};
use nanming_dataflows::ids::{CallId, UnitId};
use nanming_dataflows::network::{City, Point};

const REPORT_MS: u64 = 15_000;
const ACCEPT_MS: u64 = 4_000;
/// Shortest time on scene, and how much longer it may take, ms.
const SCENE_MS: (u64, u64) = (300_000, 900_000);

pub(super) struct Patrol {
    at: Vec<Point>,
    tasks: BTreeMap<UnitId, Vec<(u64, AssignmentId, Answer)>>,
    places: BTreeMap<CallId, Point>,
    reported_ms: Vec<u64>,
}

impl Patrol {
    pub(super) fn new(city: &City) -> Self {
        Patrol {
            at: city.units.iter().map(|u| u.post).collect(),
            tasks: BTreeMap::new(),
            places: BTreeMap::new(),
            reported_ms: vec![0; city.units.len()],
        }
    }

    /// What the units say at a tick.
    pub(super) fn reports(&mut self, tick: u64) -> Vec<Event> {
        let mut events = Vec::new();
        for unit in (0..self.at.len()).map(UnitId::from_index) {
            let said = events.len();
            self.answers(unit, tick, &mut events);
            let due = self.reported_ms[unit.index()] + REPORT_MS <= tick || events.len() > said;
            if due {
                self.reported_ms[unit.index()] = tick;
                events.push(Event::Unit(UnitReport {
                    time_ms: tick,
                    unit,
                    at: self.at[unit.index()],
                    status: self.status(unit),
                }));
            }
        }
        events
    }

    fn answers(&mut self, unit: UnitId, tick: u64, events: &mut Vec<Event>) {
        let Some(steps) = self.tasks.get_mut(&unit) else { return };
        while let Some((_, assignment, answer)) = steps.first().copied().filter(|(at, _, _)| *at <= tick) {
            steps.remove(0);
            events.push(Event::Ack(Ack { time_ms: tick, unit, assignment, answer }));
            if answer == Answer::Arrived {
                self.at[unit.index()] = self.places.get(&assignment.call).copied().unwrap_or(self.at[unit.index()]);
            }
        }
        if steps.is_empty() {
            self.tasks.remove(&unit);
        }
    }

    fn status(&self, unit: UnitId) -> UnitStatus {
        match self.tasks.get(&unit).and_then(|steps| steps.first()) {
            None => UnitStatus::Ready,
            Some((_, _, Answer::Closed)) => UnitStatus::OnScene,
            Some((_, _, Answer::Arrived)) => UnitStatus::OnTheWay,
            Some(_) => UnitStatus::TurnedOut,
        }
    }

    /// Notes where a call is.
    pub(super) fn hear(&mut self, event: &CallEvent) {
        if let CallChange::Opened(facts) | CallChange::Updated(facts) = event.change {
            self.places.insert(event.call, facts.at);
        }
    }

    /// Takes up new assignments.
    pub(super) fn obey(&mut self, decisions: &Decisions) {
        for ended in decisions.assignment_statuses.iter().filter(|s| matches!(s.phase, AssignmentPhase::Ended(_))) {
            let is_of = |steps: &Vec<(u64, AssignmentId, Answer)>| steps.iter().any(|(_, id, _)| *id == ended.id);
            if self.tasks.get(&ended.unit).is_some_and(is_of) {
                self.tasks.remove(&ended.unit);
            }
        }
        for a in &decisions.assignments {
            let accept = a.time_ms + ACCEPT_MS;
            let arrive = accept + a.eta_ms;
            let close = arrive + SCENE_MS.0 + a.call.0.wrapping_mul(2_654_435_761) % SCENE_MS.1;
            let steps =
                vec![(accept, a.id, Answer::Accept), (arrive, a.id, Answer::Arrived), (close, a.id, Answer::Closed)];
            self.tasks.insert(a.unit, steps);
        }
    }
}
