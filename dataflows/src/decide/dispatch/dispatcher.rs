//! Dispatch at one tick: hears what is told, climbs the ladder for what is due, sends free units to waiting calls.

use std::collections::BTreeSet;

use super::open_call::{Heard, OpenCall, Task};
use super::state::{Calls, Station};
use super::{Dispatch, DispatchEvent, DispatchNews, DispatchSaid};
use crate::Time;
use crate::decision::{AssignmentPhase, CallPhase, EndReason, PickReason, Reason, Rejected};
use crate::event::{Ack, Answer, CallChange, CallEvent, CallFacts, Event, Serving, Standing};
use crate::ids::{CallId, RegionId, UnitId};
use crate::keyed::Outbox;
use crate::network::DispatchRules;
use crate::state::unit::UnitPlace;

mod merge;

/// Dispatch at a tick.
pub(super) struct Dispatcher<'a> {
    pub(super) dispatch: &'a Dispatch,
    pub(super) calls: &'a mut Calls,
    pub(super) tick: Time,
    pub(super) out: &'a mut Outbox<DispatchSaid>,
    /// Regions in which a unit became free or a call waits.
    pub(super) unmatched: BTreeSet<RegionId>,
    /// Units of whose calls something was said.
    pub(super) errands: BTreeSet<UnitId>,
}

impl<'a> Dispatcher<'a> {
    pub(super) fn new(
        dispatch: &'a Dispatch,
        calls: &'a mut Calls,
        tick: Time,
        out: &'a mut Outbox<DispatchSaid>,
    ) -> Self {
        Dispatcher { dispatch, calls, tick, out, unmatched: BTreeSet::new(), errands: BTreeSet::new() }
    }

    pub(super) fn rules(&self) -> &'a DispatchRules {
        &self.dispatch.rules
    }

    pub(super) fn hear(&mut self, event: &DispatchEvent) {
        match event.what {
            DispatchNews::UnitGone(unit) => self.unit_gone(unit),
            DispatchNews::UnitHere(unit, place) => self.unit_here(unit, place, event.time_ms),
            DispatchNews::OnTask(unit, on_task) => self.unit_reported(unit, on_task, event.time_ms),
            DispatchNews::Call(call, change) => {
                let taken = self.call(call, change, event.time_ms);
                self.reject(taken, || Event::Call(CallEvent { time_ms: event.time_ms, call, change }));
            }
            DispatchNews::Answered(ack) => {
                let taken = self.answer(&ack);
                self.reject(taken, || Event::Ack(ack));
            }
            DispatchNews::Travel(link, travel_ms) => {
                if let Some(known) = self.calls.travel_ms.get_mut(link.index()) {
                    *known = travel_ms;
                }
            }
        }
    }

    fn unit_gone(&mut self, unit: UnitId) {
        self.calls.units.remove(&unit);
        self.set_lost(unit, Some(self.tick));
    }

    fn unit_here(&mut self, unit: UnitId, place: UnitPlace, reported_ms: u64) {
        let Some(region) = self.dispatch.region_of_unit(unit) else { return };
        let (stop, available) = (self.dispatch.roads.stop(place.at), place.available);
        self.calls.units.insert(unit, Station { region, stop, available, reported_ms });
        self.set_lost(unit, None);
        // One that is on its way may be wanted elsewhere.
        if available || self.calls.engaged.contains_key(&unit) {
            self.unmatched.insert(region);
        }
    }

    fn set_lost(&mut self, unit: UnitId, lost_ms: Option<u64>) {
        self.change_task(unit, |task| {
            task.lost_ms = lost_ms;
            // One that is on its way and comes back goes on with it, if nobody has gone in its place.
            task.is_overdue &= lost_ms.is_some() || task.phase == CallPhase::Assigned;
        });
    }

    /// One that is engaged and reports that it is on no task may do so before its answer comes, or has forgotten a button.
    /// When it goes on, the word that it is done was lost, and it would be engaged for ever.
    fn unit_reported(&mut self, unit: UnitId, on_task: bool, time_ms: u64) {
        if let Some(station) = self.calls.units.get_mut(&unit) {
            station.reported_ms = station.reported_ms.max(time_ms);
        }
        let idle_ms = self.rules().idle_ms;
        let is_idle = self.change_task(unit, |task| {
            if time_ms < task.answered_ms {
                return None;
            }
            task.free_ms = if on_task { None } else { task.free_ms.or(Some(time_ms)) };
            task.free_ms.filter(|since_ms| time_ms >= since_ms + idle_ms).map(|_| task.phase)
        });
        match is_idle.flatten() {
            Some(CallPhase::Accepted) => self.give_back(unit, EndReason::Lost),
            Some(CallPhase::Arrived) => self.done(unit, EndReason::UnitFree),
            _ => {}
        }
    }

    /// Changes the task of a unit, if it has one.
    pub(super) fn change_task<R>(&mut self, unit: UnitId, change: impl FnOnce(&mut Task) -> R) -> Option<R> {
        let id = *self.calls.engaged.get(&unit)?;
        let rules = self.rules();
        let changed = self.calls.change(id, rules, |call| call.task_mut(unit).map(change))??;
        Some(changed)
    }

    fn call(&mut self, id: CallId, change: CallChange, time_ms: u64) -> Result<(), Reason> {
        if let Some(taken) = self.merge_or_refer(id, change, time_ms) {
            return taken;
        }
        match change {
            CallChange::Opened(facts) => {
                self.open(id, facts, time_ms, Standing { phase: CallPhase::Waiting, attempts: 0, unit: None })
            }
            CallChange::Restored(facts, standing) => self.open(id, facts, time_ms, standing),
            CallChange::Serving(serving) => self.serving(id, serving),
            CallChange::Declined(unit) => self.has_declined(id, unit),
            CallChange::Done(unit) => self.has_done(id, unit),
            CallChange::Attempts(attempts) => self.has_attempts(id, attempts),
            CallChange::Ordered(unit) => self.order(id, unit),
            CallChange::Updated(facts) => self.update(id, facts),
            CallChange::Cancelled => {
                self.known_open(id)?;
                self.close(id, CallPhase::Cancelled, None);
                Ok(())
            }
            CallChange::Joined(..) | CallChange::Split(_) | CallChange::Withdrawn => Ok(()),
        }
    }

    pub(super) fn known_open(&self, id: CallId) -> Result<&OpenCall, Reason> {
        let unknown = if self.calls.over.holds(id) { Reason::CallClosed } else { Reason::UnknownCall };
        self.calls.open.get(&id).ok_or(unknown)
    }

    fn open(&mut self, id: CallId, facts: CallFacts, opened_ms: u64, standing: Standing) -> Result<(), Reason> {
        if self.calls.open.contains_key(&id) || self.calls.over.holds(id) {
            return Err(Reason::DuplicateCall);
        }
        let region = self.dispatch.region_of_grid(facts.grid).ok_or(Reason::OutsideCity)?;
        let Standing { phase, attempts, unit } = standing;
        let serving = unit.map(|unit| Serving { unit, attempt: attempts, phase, is_ordered: false });
        let call = OpenCall {
            facts,
            region,
            opened_ms,
            unheard_ms: self.tick,
            attempts,
            crew: serving.and_then(|serving| self.task(serving)).into_iter().collect(),
            done: Vec::new(),
            declined: Vec::new(),
            silent: Vec::new(),
            why: None,
            is_escalated: false,
            said: self.calls.duplicates.said(id),
        };
        self.calls.open(id, call, self.rules());
        self.calls.duplicates.open(id, facts.at, opened_ms, &self.dispatch.merging);
        self.unmatched.insert(region);
        self.tell(id, None);
        Ok(())
    }

    /// What a unit that the ledger has on a call is to do; none when it cannot be on it. Nobody has heard of it yet.
    fn task(&self, serving: Serving) -> Option<Task> {
        let unit = serving.unit;
        let can_serve = self.dispatch.region_of_unit(unit).is_some() && !self.calls.engaged.contains_key(&unit);
        let lost_ms = (!self.calls.units.contains_key(&unit)).then_some(self.tick);
        can_serve.then(|| Task { lost_ms, ..Task::new(serving, self.tick) })
    }

    fn serving(&mut self, id: CallId, serving: Serving) -> Result<(), Reason> {
        self.known_open(id)?;
        if self.calls.engaged.get(&serving.unit) == Some(&id) {
            self.change_task(serving.unit, |task| task.is_ordered = serving.is_ordered);
            return Ok(());
        }
        let task = self.task(serving);
        self.calls.engaged.extend(task.map(|task| (task.unit, id)));
        self.calls.change(id, self.rules(), |call| {
            call.attempts = call.attempts.max(serving.attempt);
            call.crew.extend(task);
            call.crew.sort_by_key(|task| task.attempt);
        });
        self.tell(id, None);
        Ok(())
    }

    fn has_declined(&mut self, id: CallId, unit: UnitId) -> Result<(), Reason> {
        self.known_open(id)?;
        self.calls.change(id, self.rules(), |call| call.declined.push((unit, 0)));
        Ok(())
    }

    fn has_done(&mut self, id: CallId, unit: UnitId) -> Result<(), Reason> {
        self.known_open(id)?;
        self.calls.change(id, self.rules(), |call| call.done.push((unit, 0)));
        Ok(())
    }

    fn has_attempts(&mut self, id: CallId, attempts: u16) -> Result<(), Reason> {
        self.known_open(id)?;
        self.calls.change(id, self.rules(), |call| call.attempts = call.attempts.max(attempts));
        Ok(())
    }

    /// A call whose place moves to another region keeps its units and its attempts, if it has any.
    fn update(&mut self, id: CallId, facts: CallFacts) -> Result<(), Reason> {
        let known = self.known_open(id)?;
        let told = |facts: &CallFacts| (facts.priority, facts.grid, facts.needs);
        let is_told = told(&known.facts) != told(&facts);
        let region = self.dispatch.region_of_grid(facts.grid).ok_or(Reason::OutsideCity)?;
        self.calls.change(id, self.rules(), |call| (call.facts, call.region) = (facts, region));
        self.calls.duplicates.moved(id, facts.at, &self.dispatch.merging);
        self.unmatched.insert(region);
        if is_told {
            self.tell(id, None);
        } else {
            let crew = self.calls.open.get(&id).into_iter().flat_map(|call| &call.crew);
            self.errands.extend(crew.map(|task| task.unit));
        }
        Ok(())
    }

    fn answer(&mut self, ack: &Ack) -> Result<(), Reason> {
        let (id, unit) = (ack.assignment.call, ack.unit);
        let Some(call) = self.calls.open.get(&id) else { return self.answer_when_over(ack) };
        if call.heard(ack)? == Heard::Again {
            return Ok(());
        }
        let tick = self.tick;
        self.change_task(unit, |task| {
            (task.answered_ms, task.free_ms) = (task.answered_ms.max(ack.time_ms), None);
            // Who answers lives, wherever it is.
            task.lost_ms = task.lost_ms.map(|_| tick);
            task.is_overdue = false;
        });
        match ack.answer {
            Answer::Accept => self.advance(unit, CallPhase::Accepted),
            Answer::Arrived => self.advance(unit, CallPhase::Arrived),
            Answer::Closed => self.done(unit, EndReason::Done),
            Answer::Decline => self.give_back(unit, EndReason::Declined),
        }
        Ok(())
    }

    /// Who has closed a call may say so again: the word that it was heard may have been lost.
    fn answer_when_over(&self, ack: &Ack) -> Result<(), Reason> {
        let id = ack.assignment.call;
        if !self.calls.over.holds(id) {
            return Err(Reason::UnknownAssignment);
        }
        let is_again = self.calls.over.was_closed_by(id, ack.unit, ack.assignment.attempt);
        if is_again && ack.answer == Answer::Closed { Ok(()) } else { Err(Reason::StaleAssignment) }
    }

    fn advance(&mut self, unit: UnitId, phase: CallPhase) {
        let Some(id) = self.calls.engaged.get(&unit).copied() else { return };
        let has_advanced = self.change_task(unit, |task| {
            let is_further = task.phase < phase;
            task.phase = task.phase.max(phase);
            is_further
        });
        if has_advanced == Some(true) {
            let phase = if phase == CallPhase::Arrived { AssignmentPhase::Arrived } else { AssignmentPhase::Accepted };
            self.tell_assignment(id, unit, phase);
            self.tell(id, None);
        }
    }

    fn reject(&mut self, taken: Result<(), Reason>, event: impl FnOnce() -> Event) {
        if let Err(reason) = taken {
            self.out.emit(DispatchSaid::Rejected(Rejected { time_ms: self.tick, reason, event: event() }));
        }
    }
}

/// Why another goes when a unit's assignment ended so.
pub(super) fn why_again(end: EndReason) -> PickReason {
    match end {
        EndReason::Declined => PickReason::AfterDecline,
        EndReason::Silent => PickReason::AfterSilence,
        EndReason::Preempted => PickReason::AfterPreemption,
        EndReason::Relieved => PickReason::Sooner,
        EndReason::Lost | EndReason::Done | EndReason::UnitFree | EndReason::CallOver => PickReason::AfterLoss,
    }
}
