//! Units come to a call and leave it.

use super::dispatcher::{Dispatcher, why_again};
use super::open_call::Task;
use super::{DispatchSaid, Errand, pick};
use crate::decision::{
    Assignment, AssignmentPhase, AssignmentStatus, CallPhase, CallStatus, CloseReason, EndReason, PickReason, Reason,
};
use crate::event::{AssignmentId, Serving};
use crate::ids::{CallId, UnitId};

impl Dispatcher<'_> {
    /// Sends a unit; one that is overdue there gives its place to it.
    pub(super) fn send(&mut self, pick: pick::Pick) {
        let (id, unit, tick, eta_ms) = (pick.call, pick.unit, self.tick, pick.eta_ms);
        self.relieve(id);
        let sent = self.calls.change(id, self.rules(), |call| {
            call.attempts = call.attempts.saturating_add(1);
            let (attempt, is_ordered) = (call.attempts, pick.reason == PickReason::Ordered);
            call.crew.push(Task::new(Serving { unit, attempt, phase: CallPhase::Assigned, is_ordered }, tick));
            let again = call.why.take().filter(|_| pick.reason <= PickReason::LeastTotal);
            (call.attempts, call.facts.priority, again.unwrap_or(pick.reason))
        });
        let Some((attempt, priority, reason)) = sent else { return };
        self.calls.engaged.insert(unit, id);
        self.out.emit(DispatchSaid::Assignment(Assignment {
            id: AssignmentId { call: id, attempt },
            call: id,
            unit,
            time_ms: tick,
            priority,
            eta_ms,
            candidates: pick.candidates,
            reason,
        }));
        self.tell_assignment(id, unit, AssignmentPhase::Assigned);
        self.tell(id, None);
    }

    /// One of the units of a call that are overdue leaves it, since another goes.
    fn relieve(&mut self, id: CallId) {
        let overdue = |task: &&Task| task.is_overdue;
        let task = self.calls.open.get(&id).and_then(|call| call.crew.iter().find(overdue).copied());
        let Some(task) = task else { return };
        let end = if task.lost_ms.is_some() { EndReason::Lost } else { EndReason::Silent };
        self.leave(task.unit, end);
    }

    /// Where nobody is lacking, the unit that was sent last and is not there yet leaves.
    fn make_room(&mut self, id: CallId) {
        let Some(call) = self.calls.open.get(&id).filter(|call| call.lacking() == 0) else { return };
        let youngest = call.crew.iter().rfind(|task| task.phase < CallPhase::Arrived && !task.is_ordered);
        if let Some(unit) = youngest.map(|task| task.unit) {
            self.leave(unit, EndReason::Relieved);
        }
    }

    /// A desk sends a unit: it leaves whatever else it was to do, and goes in the place of whoever was to go.
    pub(super) fn order(&mut self, id: CallId, unit: UnitId) -> Result<(), Reason> {
        let to = self.known_open(id)?.facts.at;
        let Some(station) = self.calls.units.get(&unit).copied() else { return Err(Reason::UnknownUnit) };
        if self.calls.engaged.get(&unit) == Some(&id) {
            self.change_task(unit, |task| (task.is_ordered, task.is_overdue) = (true, false));
            return Ok(());
        }
        self.give_back(unit, EndReason::Preempted);
        self.make_room(id);
        let eta_ms = self.dispatch.roads.times_to(&self.calls.travel_ms, to, &[station.stop])[0];
        let candidates = Vec::new();
        self.send(pick::Pick { call: id, unit, eta_ms, candidates, reason: PickReason::Ordered });
        Ok(())
    }

    /// A unit's task is not its own any more, and its call waits for another.
    pub(super) fn give_back(&mut self, unit: UnitId, end: EndReason) {
        let Some(id) = self.calls.engaged.get(&unit).copied() else { return };
        self.leave(unit, end);
        self.unmatched.extend(self.calls.open.get(&id).map(|call| call.region));
        self.tell(id, None);
    }

    /// A unit has nothing more to do with its call, which goes on.
    pub(super) fn leave(&mut self, unit: UnitId, end: EndReason) {
        let Some(id) = self.calls.engaged.get(&unit).copied() else { return };
        let tick = self.tick;
        self.tell_assignment(id, unit, AssignmentPhase::Ended(end));
        self.calls.change(id, self.rules(), |call| {
            let Some(row) = call.crew.iter().position(|task| task.unit == unit) else { return };
            let task = call.crew.remove(row);
            if task.phase > CallPhase::Assigned {
                call.is_unheard(tick);
            }
            match end {
                EndReason::Declined => call.declined.push((unit, task.attempt)),
                EndReason::Done | EndReason::UnitFree => call.done.push((unit, task.attempt)),
                EndReason::Preempted | EndReason::Relieved | EndReason::CallOver => {}
                EndReason::Silent | EndReason::Lost => {
                    call.silent.retain(|known| *known != unit);
                    call.silent.push(unit);
                }
            }
            call.why = Some(why_again(end));
        });
        self.release(unit);
    }

    /// A unit has done its part: the call is over when nobody else is on it.
    pub(super) fn done(&mut self, unit: UnitId, end: EndReason) {
        let Some(id) = self.calls.engaged.get(&unit).copied() else { return };
        let is_last =
            self.calls.open.get(&id).is_some_and(|call| call.crew.iter().all(|t| t.unit == unit || t.is_overdue));
        if !is_last {
            self.leave(unit, end);
            return self.tell(id, None);
        }
        self.tell_assignment(id, unit, AssignmentPhase::Ended(end));
        self.calls.change(id, self.rules(), |call| {
            let attempt = call.task(unit).map_or(0, |task| task.attempt);
            call.done.push((unit, attempt));
        });
        let reason = (end == EndReason::UnitFree).then_some(CloseReason::UnitFree);
        self.close(id, CallPhase::Closed, Some((unit, reason)));
    }

    /// A call is over: withdrawn, or closed by a unit. The words said about it.
    pub(super) fn close(&mut self, id: CallId, phase: CallPhase, by: Option<(UnitId, Option<CloseReason>)>) -> u32 {
        let crew: Vec<UnitId> = self.calls.open.get(&id).into_iter().flat_map(|c| &c.crew).map(|t| t.unit).collect();
        let others = crew.iter().filter(|unit| by.is_none_or(|(by, _)| by != **unit));
        others.for_each(|unit| self.tell_assignment(id, *unit, AssignmentPhase::Ended(EndReason::CallOver)));
        self.tell_phase(id, phase, by.and_then(|(_, reason)| reason));
        let said = self.calls.remove(id, self.tick, self.rules()).map_or(0, |call| call.said);
        crew.into_iter().for_each(|unit| self.release(unit));
        self.close_joined(id);
        said
    }

    fn release(&mut self, unit: UnitId) {
        self.calls.engaged.remove(&unit);
        self.errands.insert(unit);
        self.unmatched.extend(self.dispatch.region_of_unit(unit));
    }

    /// Says how far a call is.
    pub(super) fn tell(&mut self, id: CallId, reason: Option<CloseReason>) {
        let phase = self.calls.open.get(&id).map_or(CallPhase::Waiting, |call| call.phase());
        self.tell_phase(id, phase, reason);
    }

    fn tell_phase(&mut self, id: CallId, phase: CallPhase, reason: Option<CloseReason>) {
        let Some(call) = self.calls.open.get_mut(&id) else { return };
        call.said += 1;
        let lead = call.lead().copied();
        self.out.emit(DispatchSaid::Status(CallStatus {
            call: id,
            time_ms: self.tick,
            seq: call.said,
            phase,
            reason,
            priority: call.facts.priority,
            grid: call.facts.grid,
            assignment: lead.map(|task| AssignmentId { call: id, attempt: task.attempt }),
            unit: lead.map(|task| task.unit),
            lacking: if phase.is_over() { 0 } else { call.lacking() },
        }));
        self.errands.extend(call.crew.iter().map(|task| task.unit));
    }

    pub(super) fn tell_assignment(&mut self, id: CallId, unit: UnitId, phase: AssignmentPhase) {
        let Some(call) = self.calls.open.get_mut(&id) else { return };
        let Some(attempt) = call.task(unit).map(|task| task.attempt) else { return };
        call.said += 1;
        let (seq, time_ms, id) = (call.said, self.tick, AssignmentId { call: id, attempt });
        self.out.emit(DispatchSaid::AssignmentStatus(AssignmentStatus { id, seq, unit, time_ms, phase }));
    }

    /// Says where units have to go of whose calls something was said: nowhere before they accept and once they have arrived.
    pub(super) fn tell_errands(&mut self) {
        for unit in std::mem::take(&mut self.errands) {
            let call = self.calls.engaged.get(&unit).and_then(|call| self.calls.open.get(call));
            let is_under_way = |task: &Task| task.phase == CallPhase::Accepted;
            let under_way = call.filter(|call| call.task(unit).is_some_and(is_under_way));
            let to = under_way.map(|call| (call.facts.priority, call.facts.at));
            self.out.emit(DispatchSaid::Errand(Errand { unit, time_ms: self.tick, to }));
        }
    }
}
