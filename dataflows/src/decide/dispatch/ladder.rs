//! What happens when nobody answers: the unit is reminded, another is looked for, the supervisor is told.

use super::dispatcher::Dispatcher;
use super::open_call::OpenCall;
use super::pick::Ready;
use super::replan::wanted;
use super::{DispatchSaid, pick};
use crate::Time;
use crate::decision::{CallPhase, Escalation, EscalationStep, PickReason, Shortfall};
use crate::event::AssignmentId;
use crate::ids::{CallId, UnitId};
use crate::network::DispatchRules;

/// A step that is due: which, about which unit, why.
type Due = (EscalationStep, Option<UnitId>, Shortfall);

impl Dispatcher<'_> {
    /// Climbs the ladder for each call about which something is due.
    pub(super) fn escalate(&mut self) {
        for id in self.calls.due(self.tick) {
            let (tick, rules) = (self.tick, self.rules());
            let steps = self.calls.change(id, rules, |call| climb(call, rules, tick)).unwrap_or_default();
            let region = self.calls.open.get(&id).map(|call| call.region);
            for (step, unit, why) in steps {
                if step == EscalationStep::SecondUnit {
                    self.unmatched.extend(region);
                    self.tell(id, None);
                }
                let why = if unit.is_none() { self.shortfall(id) } else { why };
                self.tell_escalation(id, step, unit, why);
            }
        }
    }

    /// Why a call that nobody was told of has no unit.
    fn shortfall(&self, id: CallId) -> Shortfall {
        let Some(call) = self.calls.open.get(&id) else { return Shortfall::NoUnit };
        let free = self.free(call.region);
        let wanted = wanted(call, &self.skills_in(call.region));
        let may_go = |unit: &Ready| pick::extra_ms(self.rules(), wanted, call, unit).is_some();
        if free.is_empty() {
            Shortfall::NoUnit
        } else if free.iter().any(may_go) {
            Shortfall::TooFar
        } else if free.iter().all(|free| call.is_declined_by(free.unit)) {
            Shortfall::AllDeclined
        } else {
            Shortfall::NoSkill
        }
    }

    fn tell_escalation(&mut self, call: CallId, step: EscalationStep, unit: Option<UnitId>, why: Shortfall) {
        let Some(open) = self.calls.open.get_mut(&call) else { return };
        open.said += 1;
        let task = unit.and_then(|unit| open.task(unit));
        let assignment = task.map(|task| AssignmentId { call, attempt: task.attempt });
        let (seq, time_ms) = (open.said, self.tick);
        self.out.emit(DispatchSaid::Escalation(Escalation { call, seq, time_ms, step, why, assignment, unit }));
    }
}

/// The steps of a call that are due; they are not due again.
fn climb(call: &mut OpenCall, rules: &DispatchRules, tick: Time) -> Vec<Due> {
    let is_due = |at: Option<Time>| at.is_some_and(|at| at <= tick);
    let mut steps = Vec::new();
    let (mut why, mut is_lost) = (None, false);
    for task in &mut call.crew {
        let shortfall = if task.lost_ms.is_some() { Shortfall::Loss } else { Shortfall::Silence };
        if is_due(task.overdue_at(rules)) {
            task.is_overdue = true;
            is_lost |= task.phase > CallPhase::Assigned;
            let is_silent = task.phase == CallPhase::Assigned && task.lost_ms.is_none();
            why = Some(if is_silent { PickReason::AfterSilence } else { PickReason::AfterLoss });
            steps.push((EscalationStep::SecondUnit, Some(task.unit), shortfall));
        } else if is_due(task.remind_at(rules)) {
            task.is_reminded = true;
            steps.push((EscalationStep::Reminded, Some(task.unit), shortfall));
        }
    }
    call.why = why.or(call.why);
    if is_lost {
        call.is_unheard(tick);
    }
    if is_due(call.supervisor_at(rules)) {
        call.is_escalated = true;
        // Who has accepted is not what is wrong.
        let unheard = call.lead().filter(|task| task.phase == CallPhase::Assigned || task.is_overdue);
        let why = if unheard.is_some_and(|task| task.lost_ms.is_some()) { Shortfall::Loss } else { Shortfall::Silence };
        steps.push((EscalationStep::Supervisor, unheard.map(|task| task.unit), why));
    }
    steps
}
