//! Dispatch at one tick: hears what is told, replaces units that are overdue, sends free units to waiting calls.

use std::collections::BTreeSet;

use super::state::{Calls, FREE_MS, OpenCall, Station};
use super::{Dispatch, DispatchEvent, DispatchNews, DispatchSaid, Errand, UnitPlace, pick};
use crate::Time;
use crate::decision::{Assignment, CallPhase, CallStatus, CloseReason, PickReason, Reason, Rejected};
use crate::event::{Ack, Answer, AssignmentId, CallChange, CallEvent, CallFacts, Event, Standing};
use crate::ids::{CallId, RegionId, UnitId};
use crate::keyed::Outbox;

mod merge;

/// Dispatch at a tick.
pub(super) struct Dispatcher<'a> {
    dispatch: &'a Dispatch,
    calls: &'a mut Calls,
    tick: Time,
    out: &'a mut Outbox<DispatchSaid>,
    /// Regions in which a unit became free or a call waits.
    unmatched: BTreeSet<RegionId>,
    /// Units of whose calls something was said.
    errands: BTreeSet<UnitId>,
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

    pub(super) fn hear(&mut self, event: &DispatchEvent) {
        match event.what {
            DispatchNews::UnitGone(unit) => self.unit_gone(unit),
            DispatchNews::UnitHere(unit, place) => self.unit_here(unit, place),
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

    /// Calls whose unit has not answered in time or has left service wait again.
    pub(super) fn replace_overdue(&mut self) {
        for (call, why) in self.calls.overdue(self.tick) {
            self.wait_again(call, why);
        }
    }

    /// Sends free units to waiting calls where either is new.
    pub(super) fn match_waiting(&mut self) {
        for region in std::mem::take(&mut self.unmatched) {
            if self.calls.waiting(region).next().is_none() {
                continue;
            }
            let free = self.calls.free(region);
            let (roads, travel_ms) = (&self.dispatch.roads, &self.calls.travel_ms);
            let times_to = |to, stops: &[_]| roads.times_to(travel_ms, to, stops);
            let picks = pick::picks(&free, self.tick, self.calls.waiting(region), times_to);
            picks.into_iter().for_each(|pick| self.send(pick));
        }
    }

    fn unit_gone(&mut self, unit: UnitId) {
        self.calls.units.remove(&unit);
        self.set_lost(unit, Some(self.tick));
    }

    fn unit_here(&mut self, unit: UnitId, place: UnitPlace) {
        let Some(region) = self.dispatch.region_of_unit(unit) else { return };
        let (stop, available) = (self.dispatch.roads.stop(place.at), place.available);
        self.calls.units.insert(unit, Station { region, stop, available });
        self.set_lost(unit, None);
        if available {
            self.unmatched.insert(region);
        }
    }

    fn set_lost(&mut self, unit: UnitId, lost_ms: Option<u64>) {
        if let Some(call) = self.calls.engaged.get(&unit) {
            self.calls.change(*call, |call| call.lost_ms = lost_ms);
        }
    }

    /// One that is engaged and reports that it is on no task may do so before its answer comes, or has forgotten a button.
    /// When it goes on, the word that it is done was lost, and it would be engaged for ever.
    fn unit_reported(&mut self, unit: UnitId, on_task: bool, time_ms: u64) {
        let Some(id) = self.calls.engaged.get(&unit).copied() else {
            // It may be asked again for a call that it declined.
            self.unmatched.extend(self.dispatch.region_of_unit(unit).filter(|_| !on_task));
            return;
        };
        let Some(call) = self.calls.open.get_mut(&id).filter(|call| time_ms >= call.answered_ms) else { return };
        call.free_ms = if on_task { None } else { call.free_ms.or(Some(time_ms)) };
        if call.free_ms.is_none_or(|since_ms| time_ms < since_ms + FREE_MS) {
            return;
        }
        match call.phase {
            CallPhase::Accepted => self.wait_again(id, PickReason::AfterLoss),
            CallPhase::Arrived => self.close(id, CallPhase::Closed, Some(CloseReason::UnitFree)),
            _ => {}
        }
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
            CallChange::Updated(facts) => self.update(id, facts),
            CallChange::Cancelled => {
                self.known_open(id)?;
                self.close(id, CallPhase::Cancelled, None);
                Ok(())
            }
            CallChange::Joined(..) | CallChange::Split(_) | CallChange::Withdrawn => Ok(()),
        }
    }

    fn known_open(&self, id: CallId) -> Result<&OpenCall, Reason> {
        let unknown = if self.calls.over.holds(id) { Reason::CallClosed } else { Reason::UnknownCall };
        self.calls.open.get(&id).ok_or(unknown)
    }

    fn open(&mut self, id: CallId, facts: CallFacts, opened_ms: u64, standing: Standing) -> Result<(), Reason> {
        if self.calls.open.contains_key(&id) || self.calls.over.holds(id) {
            return Err(Reason::DuplicateCall);
        }
        let region = self.dispatch.region_of_grid(facts.grid).ok_or(Reason::OutsideCity)?;
        let can_serve = |u: &UnitId| self.dispatch.region_of_unit(*u).is_some() && !self.calls.engaged.contains_key(u);
        let unit = standing.unit.filter(can_serve);
        let call = OpenCall {
            facts,
            region,
            phase: if unit.is_some() { standing.phase } else { CallPhase::Waiting },
            opened_ms,
            attempts: standing.attempts,
            unit,
            assigned_ms: self.tick,
            answered_ms: self.tick,
            // Nobody has heard of the unit of a restored call yet.
            lost_ms: unit.filter(|u| !self.calls.units.contains_key(u)).map(|_| self.tick),
            free_ms: None,
            declined: Vec::new(),
            silent: Vec::new(),
            why: None,
            said: self.calls.duplicates.said(id),
        };
        self.calls.engaged.extend(unit.map(|unit| (unit, id)));
        self.calls.open.insert(id, call);
        self.calls.duplicates.open(id, facts.at, opened_ms, &self.dispatch.merging);
        self.calls.change(id, |_| {});
        self.unmatched.insert(region);
        self.tell(id, None);
        Ok(())
    }

    /// A call whose place moves to another region keeps its unit and its attempts, if it has any.
    fn update(&mut self, id: CallId, facts: CallFacts) -> Result<(), Reason> {
        let is_elsewhere = self.known_open(id)?.facts.grid != facts.grid;
        let region = self.dispatch.region_of_grid(facts.grid).ok_or(Reason::OutsideCity)?;
        self.calls.change(id, |call| (call.facts, call.region) = (facts, region));
        self.calls.duplicates.moved(id, facts.at, &self.dispatch.merging);
        self.unmatched.insert(region);
        if is_elsewhere {
            self.tell(id, None);
        } else {
            self.errands.extend(self.calls.open.get(&id).and_then(|call| call.unit));
        }
        Ok(())
    }

    fn answer(&mut self, ack: &Ack) -> Result<(), Reason> {
        let id = ack.assignment.call;
        let unknown = if self.calls.over.holds(id) { Reason::StaleAssignment } else { Reason::UnknownAssignment };
        self.calls.open.get(&id).ok_or(unknown)?.may_answer(ack)?;
        let tick = self.tick;
        self.calls.change(id, |call| {
            (call.answered_ms, call.free_ms) = (call.answered_ms.max(ack.time_ms), None);
            // Who answers lives, wherever it is.
            call.lost_ms = call.lost_ms.map(|_| tick);
        });
        match ack.answer {
            Answer::Accept => self.advance(id, CallPhase::Accepted),
            Answer::Arrived => self.advance(id, CallPhase::Arrived),
            Answer::Closed => self.close(id, CallPhase::Closed, None),
            Answer::Decline => self.wait_again(id, PickReason::AfterDecline),
        }
        Ok(())
    }

    fn advance(&mut self, id: CallId, phase: CallPhase) {
        if self.calls.open.get(&id).is_some_and(|call| call.phase < phase) {
            self.calls.change(id, |call| call.phase = phase);
            self.tell(id, None);
        }
    }

    fn close(&mut self, id: CallId, phase: CallPhase, reason: Option<CloseReason>) {
        self.calls.change(id, |call| call.phase = phase);
        self.tell(id, reason);
        let unit = self.calls.open.remove(&id).and_then(|call| call.unit);
        unit.into_iter().for_each(|unit| self.release(unit));
        self.calls.over.add(id, self.tick);
        self.close_joined(id);
    }

    /// Takes a call from its unit; it waits again.
    fn wait_again(&mut self, id: CallId, why: PickReason) {
        let Some(unit) = self.calls.open.get(&id).and_then(|call| call.unit) else { return };
        let tick = self.tick;
        self.calls.change(id, |call| {
            match why {
                PickReason::AfterDecline => {
                    call.declined.retain(|(who, _)| *who != unit);
                    call.declined.push((unit, tick));
                }
                _ if call.silent.contains(&unit) => {}
                _ => call.silent.push(unit),
            }
            (call.phase, call.unit, call.lost_ms, call.why) = (CallPhase::Waiting, None, None, Some(why));
        });
        self.unmatched.extend(self.calls.open.get(&id).map(|call| call.region));
        self.release(unit);
        self.tell(id, None);
    }

    fn release(&mut self, unit: UnitId) {
        self.calls.engaged.remove(&unit);
        self.errands.insert(unit);
        self.unmatched.extend(self.dispatch.region_of_unit(unit));
    }

    fn send(&mut self, pick: pick::Pick) {
        let (id, unit, tick) = (pick.call, pick.unit, self.tick);
        self.calls.change(id, |call| {
            call.attempts = call.attempts.saturating_add(1);
            (call.phase, call.unit, call.lost_ms, call.free_ms) = (CallPhase::Assigned, Some(unit), None, None);
            (call.assigned_ms, call.answered_ms) = (tick, tick);
        });
        self.calls.engaged.insert(unit, id);
        let Some(call) = self.calls.open.get(&id) else { return };
        self.out.emit(DispatchSaid::Assignment(Assignment {
            id: AssignmentId { call: id, attempt: call.attempts },
            call: id,
            unit,
            time_ms: tick,
            priority: call.facts.priority,
            eta_ms: pick.eta_ms,
            candidates: pick.candidates,
            reason: call.why.unwrap_or(pick.reason),
        }));
        self.tell(id, None);
    }

    fn tell(&mut self, id: CallId, reason: Option<CloseReason>) {
        let Some(call) = self.calls.open.get_mut(&id) else { return };
        call.said += 1;
        self.out.emit(DispatchSaid::Status(CallStatus {
            call: id,
            time_ms: self.tick,
            seq: call.said,
            phase: call.phase,
            reason,
            priority: call.facts.priority,
            grid: call.facts.grid,
            assignment: call.unit.map(|_| AssignmentId { call: id, attempt: call.attempts }),
            unit: call.unit,
        }));
        self.errands.extend(call.unit);
    }

    /// Says where units have to go of whose calls something was said: nowhere before they accept and once they have arrived.
    pub(super) fn tell_errands(&mut self) {
        for unit in std::mem::take(&mut self.errands) {
            let call = self.calls.engaged.get(&unit).and_then(|call| self.calls.open.get(call));
            let under_way = call.filter(|call| call.phase == CallPhase::Accepted);
            let to = under_way.map(|call| (call.facts.priority, call.facts.at));
            self.out.emit(DispatchSaid::Errand(Errand { unit, time_ms: self.tick, to }));
        }
    }

    fn reject(&mut self, taken: Result<(), Reason>, event: impl FnOnce() -> Event) {
        if let Err(reason) = taken {
            self.out.emit(DispatchSaid::Rejected(Rejected { time_ms: self.tick, reason, event: event() }));
        }
    }
}
