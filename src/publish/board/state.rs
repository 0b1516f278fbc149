//! What the board knows, kept up to date by ticks.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use nanming_dataflows::UNIT_SILENT_MS;
use nanming_dataflows::decide::forecast::Regions;
use nanming_dataflows::decision::{
    Assignment, AssignmentPhase, AssignmentStatus, CallPhase, CallStatus, CoverState, CrowdState, Decisions, GridLoad,
    Interval, LinkForecast, LinkState, Onset, SignalChoice, SignalCommand, VenueForecast,
};
use nanming_dataflows::event::{AssignmentId, CallChange, CallEvent, CallFacts, UnitReport, UnitStatus};
use nanming_dataflows::ids::{CallId, GridId, RegionId, UnitId};
use nanming_dataflows::network::{City, Point};

use crate::door::TickRecord;
use crate::ledger::refusals;
use crate::track_record::TrackRecord;

/// Answers over which the median is taken.
const ANSWERS: usize = 500;
/// Span of city time over which rates are taken, ms.
pub(super) const RATE_MS: u64 = 60_000;

/// The stage in force at a junction.
#[derive(Clone, Debug, PartialEq)]
pub struct StageNow {
    /// The last command.
    pub command: SignalCommand,
    /// Since when the lamps show this, ms: an order that is only repeated changes nothing.
    pub since_ms: u64,
    /// Since when the stage's green stands, ms.
    pub green_since_ms: u64,
}

/// A unit as it last reported.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnitNow {
    /// Where.
    pub at: Point,
    /// Status.
    pub status: UnitStatus,
    /// What it is on.
    pub assignment: Option<AssignmentId>,
    /// The tick of its last report, ms.
    pub heard_ms: u64,
    /// The time of that report, ms: one of an earlier time changes nothing.
    pub said_ms: u64,
    /// Whether it has been silent for so long that dispatch no longer counts on it.
    pub silent: bool,
}

impl UnitNow {
    /// Whether it may be given a task.
    pub(super) fn is_available(&self) -> bool {
        self.status.is_available() && self.assignment.is_none() && !self.silent
    }
}

/// An open call.
#[derive(Clone, Debug, PartialEq)]
pub struct CallNow {
    /// What is known of it.
    pub facts: CallFacts,
    /// When it was opened, ms.
    pub opened_ms: u64,
    /// How far it is.
    pub phase: CallPhase,
    /// The assignment in force.
    pub assignment: Option<AssignmentId>,
    /// The unit in charge.
    pub unit: Option<UnitId>,
    /// Its expected travel time when it was sent, s.
    pub eta_s: Option<u64>,
    /// When the assignment was made and not answered yet, ms.
    unanswered_ms: Option<u64>,
}

/// What changed since the last delta.
#[derive(Default)]
pub(super) struct Changed {
    pub(super) links: BTreeSet<usize>,
    pub(super) junctions: BTreeSet<usize>,
    pub(super) units: BTreeSet<usize>,
    pub(super) calls: BTreeSet<CallId>,
    pub(super) closed: BTreeSet<CallId>,
    pub(super) grids: BTreeSet<usize>,
    pub(super) onsets: bool,
    pub(super) venues: BTreeSet<usize>,
}

/// The state.
pub struct State {
    pub(super) city: Arc<City>,
    pub(super) time_ms: u64,
    pub(super) links: Vec<Option<LinkState>>,
    pub(super) stages: Vec<Option<StageNow>>,
    pub(super) choices: Vec<Option<SignalChoice>>,
    pub(super) forecasts: Vec<Option<LinkForecast>>,
    /// Which links are forecast, and scored, together.
    pub(super) regions: Regions,
    /// How good forecasts were of late.
    pub(super) track: TrackRecord,
    pub(super) units: Vec<Option<UnitNow>>,
    /// Whether a terminal of the unit is connected; none: it never had one.
    pub(super) manned: Vec<Option<bool>>,
    pub(super) calls: BTreeMap<CallId, CallNow>,
    pub(super) onsets: BTreeMap<Onset, isize>,
    pub(super) grids: Vec<GridLoad>,
    pub(super) crowds: Vec<Option<CrowdState>>,
    pub(super) venue_forecasts: Vec<Option<VenueForecast>>,
    pub(super) cover: BTreeMap<RegionId, CoverState>,
    pub(super) changed: Changed,
    /// Answers' delays, ms, latest last.
    pub(super) answers: VecDeque<u64>,
    /// Vehicles passed and greens begun, by tick, over the last [`RATE_MS`].
    pub(super) recent: VecDeque<(u64, usize, usize)>,
}

impl State {
    pub(super) fn new(city: Arc<City>) -> State {
        State {
            time_ms: 0,
            links: vec![None; city.links.len()],
            stages: vec![None; city.junctions.len()],
            choices: vec![None; city.junctions.len()],
            forecasts: vec![None; city.links.len()],
            regions: Regions::new(&city),
            track: TrackRecord::default(),
            units: vec![None; city.units.len()],
            manned: vec![None; city.units.len()],
            calls: BTreeMap::new(),
            onsets: BTreeMap::new(),
            crowds: vec![None; city.venues.len()],
            venue_forecasts: vec![None; city.venues.len()],
            grids: city.grids.iter().map(|grid| idle(grid.id)).collect(),
            cover: BTreeMap::new(),
            changed: Changed::default(),
            answers: VecDeque::new(),
            recent: VecDeque::new(),
            city,
        }
    }

    /// Takes a tick. The delays of first answers in it, ms.
    pub(super) fn take(&mut self, record: &TickRecord) -> Vec<u64> {
        self.time_ms = record.tick;
        let d = &record.decisions;
        for link in &d.links {
            self.changed.links.insert(link.link.index());
            self.links[link.link.index()] = Some(link.clone());
        }
        for forecast in &d.forecasts {
            self.forecasts[forecast.link.index()] = Some(forecast.clone());
        }
        self.cover.extend(d.cover.iter().map(|cover| (cover.region, cover.clone())));
        self.track.take(&d.forecast_records);
        let greens = self.signals(d);
        self.count(record, greens);
        self.onsets(d);
        self.grids(d);
        for crowd in &d.crowds {
            self.changed.venues.insert(crowd.venue.index());
            self.crowds[crowd.venue.index()] = Some(crowd.clone());
        }
        for made in &d.venue_forecasts {
            self.changed.venues.insert(made.venue.index());
            self.venue_forecasts[made.venue.index()] = Some(made.clone());
        }
        for report in &record.units {
            self.unit(report);
        }
        for (event, _) in refusals::calls(record).filter(|(_, refused)| refused.is_none()) {
            self.call(event);
        }
        let ended = |s: &&AssignmentStatus| matches!(s.phase, AssignmentPhase::Ended(_));
        let ended: Vec<&AssignmentStatus> = d.assignment_statuses.iter().filter(ended).collect();
        ended.iter().for_each(|s| self.left(s));
        d.assignments.iter().filter(|a| ended.iter().all(|s| s.id != a.id)).for_each(|a| self.assignment(a));
        for merge in &d.merges {
            if merge.into.is_none() {
                self.open(merge.call, merge.time_ms, merge.facts, CallPhase::Waiting, None);
            }
            self.learn(merge.into.unwrap_or(merge.call), merge.facts);
        }
        d.assignments.iter().for_each(|a| self.assignment(a));
        let answers = self.answers(record);
        last_of_each(&d.calls).for_each(|s| self.status(s));
        answers
    }

    fn count(&mut self, record: &TickRecord, greens: usize) {
        let passed = record.counts.iter().find(|(stream, _)| *stream == "passages").map_or(0, |(_, n)| *n);
        if passed + greens > 0 {
            self.recent.push_back((record.tick, passed, greens));
        }
        let oldest = record.tick.saturating_sub(RATE_MS);
        while self.recent.front().is_some_and(|(tick, ..)| *tick < oldest) {
            self.recent.pop_front();
        }
    }

    /// Takes what the signals were told. How many greens began.
    fn signals(&mut self, d: &Decisions) -> usize {
        let mut greens = 0;
        for command in &d.commands {
            let row = command.junction.index();
            let (before, at_ms) = (self.stages[row].as_ref(), command.at_ms);
            let same_lamps = before.filter(|now| now.command.lamps == command.lamps);
            let same_green = before.filter(|now| now.command.interval == Interval::Green);
            let same_green = same_green.filter(|now| now.command.stage == command.stage);
            let (since_ms, green_since_ms) =
                (same_lamps.map_or(at_ms, |now| now.since_ms), same_green.map_or(at_ms, |now| now.green_since_ms));
            greens += usize::from(before.is_some() && same_lamps.is_none() && command.interval == Interval::Green);
            if same_lamps.is_none_or(|now| now.command.reason != command.reason) {
                self.changed.junctions.insert(row);
            }
            self.stages[row] = Some(StageNow { command: command.clone(), since_ms, green_since_ms });
        }
        for choice in &d.choices {
            self.choices[choice.junction.index()] = Some(choice.clone());
        }
        greens
    }

    fn onsets(&mut self, d: &Decisions) {
        for (onset, diff) in &d.onsets {
            *self.onsets.entry(*onset).or_default() += diff;
            self.changed.onsets = true;
        }
        if !d.onsets.is_empty() {
            self.onsets.retain(|_, n| *n != 0);
        }
    }

    /// A load that is withdrawn leaves nothing, unless another takes its place.
    fn grids(&mut self, d: &Decisions) {
        let mut net: BTreeMap<GridLoad, isize> = BTreeMap::new();
        d.grids.iter().for_each(|(load, diff)| *net.entry(*load).or_default() += diff);
        for (load, diff) in net.into_iter().filter(|(_, diff)| *diff != 0) {
            let now = &mut self.grids[load.grid.index()];
            if diff > 0 {
                *now = load;
            } else if *now == load {
                *now = idle(load.grid);
            }
            self.changed.grids.insert(load.grid.index());
        }
    }

    /// Notes who has fallen silent since this was last asked: dispatch drops them at the same time.
    pub(super) fn note_silence(&mut self) {
        for (row, unit) in self.units.iter_mut().enumerate().filter_map(|(row, unit)| Some((row, unit.as_mut()?))) {
            if !unit.silent && self.time_ms >= unit.heard_ms + UNIT_SILENT_MS {
                unit.silent = true;
                self.changed.units.insert(row);
            }
        }
    }

    /// Notes whether a unit has a terminal connected.
    pub(super) fn man(&mut self, unit: UnitId, manned: bool) {
        if let Some(now) = self.manned.get_mut(unit.index()) {
            *now = Some(manned);
            self.changed.units.insert(unit.index());
        }
    }

    fn unit(&mut self, report: &UnitReport) {
        let Some(unit) = self.units.get_mut(report.unit.index()) else { return };
        if unit.is_some_and(|now| report.time_ms < now.said_ms) {
            return;
        }
        let assignment = unit.and_then(|u| u.assignment);
        let (at, status, said_ms) = (report.at, report.status, report.time_ms);
        *unit = Some(UnitNow { at, status, assignment, heard_ms: self.time_ms, said_ms, silent: false });
        self.changed.units.insert(report.unit.index());
    }

    fn call(&mut self, event: &CallEvent) {
        match event.change {
            CallChange::Opened(facts) => self.open(event.call, event.time_ms, facts, CallPhase::Waiting, None),
            CallChange::Restored(_, standing) if standing.phase.is_over() => {}
            CallChange::Restored(facts, standing) => {
                let attempt = AssignmentId { call: event.call, attempt: standing.attempts };
                let held = standing.unit.map(|unit| (attempt, unit));
                self.open(event.call, event.time_ms, facts, standing.phase, held);
            }
            // One that was set aside may be a call of its own now; if not, its status says so in the same tick.
            CallChange::Updated(facts) | CallChange::Split(facts) => {
                self.open(event.call, event.time_ms, facts, CallPhase::Waiting, None);
                self.learn(event.call, facts);
            }
            CallChange::Serving(s) => {
                self.put_on(s.unit, Some(AssignmentId { call: event.call, attempt: s.attempt }));
            }
            CallChange::Cancelled
            | CallChange::Declined(_)
            | CallChange::Done(_)
            | CallChange::Attempts(_)
            | CallChange::Ordered(_)
            | CallChange::Joined(..)
            | CallChange::Withdrawn => {}
        }
    }

    fn learn(&mut self, call: CallId, facts: CallFacts) {
        if let Some(known) = self.calls.get_mut(&call) {
            known.facts = facts;
            self.changed.calls.insert(call);
        }
    }

    fn open(
        &mut self,
        call: CallId,
        opened_ms: u64,
        facts: CallFacts,
        phase: CallPhase,
        held: Option<(AssignmentId, UnitId)>,
    ) {
        let (assignment, unit) = (held.map(|h| h.0), held.map(|h| h.1));
        let new = || CallNow { facts, opened_ms, phase, assignment, unit, eta_s: None, unanswered_ms: None };
        self.calls.entry(call).or_insert_with(new);
        self.changed.calls.insert(call);
        self.changed.closed.remove(&call);
        if let Some(unit) = unit {
            self.put_on(unit, assignment);
        }
    }

    fn assignment(&mut self, a: &Assignment) {
        let Some(call) = self.calls.get_mut(&a.call) else { return };
        if call.unit.is_none() {
            (call.unit, call.assignment, call.eta_s) = (Some(a.unit), Some(a.id), Some(a.eta_ms / 1000));
            call.unanswered_ms = Some(a.time_ms);
        }
        self.changed.calls.insert(a.call);
        self.put_on(a.unit, Some(a.id));
    }

    fn answers(&mut self, record: &TickRecord) -> Vec<u64> {
        let mut delays = Vec::new();
        for ack in &record.acks {
            let Some(call) = self.calls.get_mut(&ack.assignment.call) else { continue };
            if call.assignment == Some(ack.assignment) && call.unit == Some(ack.unit) {
                delays.extend(call.unanswered_ms.take().map(|made_ms| ack.time_ms.saturating_sub(made_ms)));
            }
        }
        self.answers.extend(&delays);
        self.answers.drain(..self.answers.len().saturating_sub(ANSWERS));
        delays
    }

    fn status(&mut self, status: &CallStatus) {
        let Some(call) = self.calls.get_mut(&status.call) else { return };
        let is_same = call.assignment == status.assignment;
        (call.phase, call.assignment, call.unit) = (status.phase, status.assignment, status.unit);
        call.eta_s = call.eta_s.filter(|_| is_same && status.assignment.is_some());
        if status.phase.is_over() {
            self.calls.remove(&status.call);
            self.changed.calls.remove(&status.call);
            self.changed.closed.insert(status.call);
        } else {
            self.changed.calls.insert(status.call);
        }
    }

    /// A unit has left its call.
    fn left(&mut self, status: &AssignmentStatus) {
        self.take_off(status.unit, status.id);
        let call = self.calls.get_mut(&status.id.call).filter(|call| call.assignment == Some(status.id));
        if let Some(call) = call {
            (call.unit, call.assignment, call.eta_s, call.unanswered_ms) = (None, None, None, None);
        }
    }

    fn put_on(&mut self, unit: UnitId, assignment: Option<AssignmentId>) {
        if let Some(unit) = self.units.get_mut(unit.index()).and_then(Option::as_mut) {
            unit.assignment = assignment;
        }
        self.changed.units.insert(unit.index());
    }

    fn take_off(&mut self, unit: UnitId, assignment: AssignmentId) {
        let now = self.units.get_mut(unit.index()).and_then(Option::as_mut);
        if let Some(now) = now.filter(|now| now.assignment == Some(assignment)) {
            now.assignment = None;
            self.changed.units.insert(unit.index());
        }
    }
}

/// A grid in which nothing is to be counted.
fn idle(grid: GridId) -> GridLoad {
    GridLoad { grid, open_calls: 0, available_units: 0, closed_last_hour: 0 }
}

/// The last status of each call: a tick may bring several, in order.
fn last_of_each(statuses: &[CallStatus]) -> impl Iterator<Item = &CallStatus> {
    let next = |row: usize| statuses.get(row + 1).map(|s| s.call);
    statuses.iter().enumerate().filter(move |(row, s)| next(*row) != Some(s.call)).map(|(_, s)| s)
}
