//! Calls that are no call of their own: they join one about the same incident, or go to the community grid; and the way back.

use super::super::Referral;
use super::super::duplicates::Aside;
use super::{CallChange, CallId, CallPhase, DispatchSaid, Dispatcher, Reason, Standing};
use crate::decision::{CallStatus, CloseReason, Merge};
use crate::event::{CallFacts, Category, Needs, Skills};

type Taken = Result<(), Reason>;

impl Dispatcher<'_> {
    /// What becomes of news about a call that is set aside, or is to be. None: it is a call like any other.
    pub(super) fn merge_or_refer(&mut self, id: CallId, change: CallChange, time_ms: u64) -> Option<Taken> {
        let aside = self.calls.duplicates.aside(id);
        match (change, aside) {
            (CallChange::Opened(_), Some(_)) => Some(Err(Reason::DuplicateCall)),
            (CallChange::Opened(facts), None) => self.opened(id, facts, time_ms),
            (CallChange::Restored(facts, standing), _) => {
                (standing.phase == CallPhase::Referred).then(|| self.remember(id, facts, time_ms, None))
            }
            (CallChange::Joined(facts, into), _) => Some(self.remember(id, facts, time_ms, Some(into))),
            (CallChange::Updated(facts), Some(aside)) => Some(self.update_aside(id, facts, aside)),
            (CallChange::Updated(facts), None) => (facts.category == Category::Community
                && self.calls.open.contains_key(&id))
            .then(|| self.refer_open(id, facts)),
            (CallChange::Cancelled, Some(aside)) => Some(self.cancel_aside(id, aside)),
            (CallChange::Cancelled, None) => {
                (!self.calls.duplicates.joined(id).is_empty()).then(|| self.withdraw_one_of_many(id))
            }
            (CallChange::Split(_), aside) => Some(self.split(id, aside)),
            (
                CallChange::Serving(_)
                | CallChange::Declined(_)
                | CallChange::Done(_)
                | CallChange::Attempts(_)
                | CallChange::Ordered(_),
                _,
            ) => None,
            (CallChange::Withdrawn, _) => {
                self.calls.duplicates.withdraw(id);
                Some(Ok(()))
            }
        }
    }

    /// The calls that joined one that is over are over with it.
    pub(in super::super) fn close_joined(&mut self, id: CallId) {
        for joined in self.calls.duplicates.joined(id) {
            self.tell_aside(joined, CallPhase::Closed, Some(CloseReason::WithJoined));
            self.calls.duplicates.take_back(joined);
            self.calls.over.add(joined, Vec::new(), self.tick);
        }
        self.calls.duplicates.over(id, &self.dispatch.merging);
    }

    fn opened(&mut self, id: CallId, facts: CallFacts, time_ms: u64) -> Option<Taken> {
        if self.calls.open.contains_key(&id) || self.calls.over.holds(id) {
            return None;
        }
        self.dispatch.region_of_grid(facts.grid)?;
        if facts.category == Category::Community {
            self.refer(id, facts, time_ms);
            return Some(Ok(()));
        }
        let into = self.same_incident(&facts, time_ms)?;
        self.merge(id, facts, time_ms, into);
        Some(Ok(()))
    }

    /// The open call that one joins.
    fn same_incident(&self, facts: &CallFacts, time_ms: u64) -> Option<CallId> {
        let merging = &self.dispatch.merging;
        let is_alike = |id: &CallId| self.calls.open.get(id).is_some_and(|open| merging.are_alike(&open.facts, facts));
        self.calls.duplicates.about(facts.at, time_ms, merging).into_iter().find(is_alike)
    }

    /// As the ledger has it: nothing is said.
    fn remember(&mut self, id: CallId, facts: CallFacts, opened_ms: u64, into: Option<CallId>) -> Taken {
        self.calls.duplicates.set_aside(id, Aside { facts, opened_ms, into, said: 0, since: self.tick });
        Ok(())
    }

    fn refer(&mut self, id: CallId, facts: CallFacts, opened_ms: u64) {
        let said = self.calls.duplicates.said(id);
        self.calls.duplicates.set_aside(id, Aside { facts, opened_ms, into: None, said, since: self.tick });
        self.tell_aside(id, CallPhase::Referred, None);
        self.tell_referral(id, Some(facts));
    }

    fn merge(&mut self, id: CallId, facts: CallFacts, opened_ms: u64, into: CallId) {
        let aside = Aside { facts, opened_ms, into: Some(into), said: 0, since: self.tick };
        self.calls.duplicates.set_aside(id, aside);
        self.raise(id, &facts, into);
    }

    /// Makes the call that another joined as urgent as that one, and lets it need as much.
    fn raise(&mut self, id: CallId, facts: &CallFacts, into: CallId) {
        let Some(known) = self.calls.open.get(&into).map(|call| call.facts) else { return };
        let skills = self.skills_of_both(known.needs, facts.needs);
        let needs = known.needs.joined(facts.needs, skills);
        let raised = CallFacts { priority: known.priority.min(facts.priority), needs, ..known };
        if raised != known {
            // Its place stays, so it cannot be refused.
            let _ = self.update(into, raised);
        }
        self.out.emit(DispatchSaid::Merged(Merge { call: id, time_ms: self.tick, into: Some(into), facts: raised }));
        self.tell_aside(id, CallPhase::Merged, None);
    }

    /// The skills of both, where some unit has them all: nobody would come if each had to bring what no one has. Else those of
    /// the later call, which knows more.
    fn skills_of_both(&self, known: Needs, new: Needs) -> Skills {
        let both = known.skills.union(new.skills);
        if both == known.skills || self.dispatch.units.iter().any(|unit| unit.skills.cover(both)) {
            both
        } else if new.skills == Skills::NONE {
            known.skills
        } else {
            new.skills
        }
    }

    fn update_aside(&mut self, id: CallId, facts: CallFacts, aside: Aside) -> Taken {
        self.dispatch.region_of_grid(facts.grid).ok_or(Reason::OutsideCity)?;
        let is_community = facts.category == Category::Community;
        match aside.into {
            Some(into) if !is_community => {
                self.calls.duplicates.set_aside(id, Aside { facts, ..aside });
                self.raise(id, &facts, into);
            }
            Some(into) => {
                self.refer(id, facts, aside.opened_ms);
                self.close_if_left(into);
            }
            None if is_community => self.refer(id, facts, aside.opened_ms),
            None => return self.own(id, facts, aside.opened_ms),
        }
        Ok(())
    }

    /// An open call turns out to be no patrol's matter. Those that joined it may be about something else.
    fn refer_open(&mut self, id: CallId, facts: CallFacts) -> Taken {
        self.dispatch.region_of_grid(facts.grid).ok_or(Reason::OutsideCity)?;
        for joined in self.calls.duplicates.joined(id) {
            self.split(joined, self.calls.duplicates.aside(joined))?;
        }
        let Some(call) = self.calls.open.get(&id) else { return Ok(()) };
        let opened_ms = call.opened_ms;
        self.calls.change(id, self.rules(), |call| call.facts = facts);
        let said = self.close(id, CallPhase::Referred, None);
        self.calls.over.forget(id);
        self.calls.duplicates.set_aside(id, Aside { facts, opened_ms, into: None, said, since: self.tick });
        self.tell_referral(id, Some(facts));
        Ok(())
    }

    /// A call becomes one of its own, from the beginning.
    fn own(&mut self, id: CallId, facts: CallFacts, opened_ms: u64) -> Taken {
        self.open(id, facts, opened_ms, Standing { phase: CallPhase::Waiting, attempts: 0, unit: None })?;
        self.out.emit(DispatchSaid::Merged(Merge { call: id, time_ms: self.tick, into: None, facts }));
        self.take_back(id);
        Ok(())
    }

    /// A call is set aside no more; the community need not see to it.
    fn take_back(&mut self, id: CallId) {
        if self.calls.duplicates.aside(id).is_some_and(|aside| aside.into.is_none()) {
            self.tell_referral(id, None);
        }
        self.calls.duplicates.take_back(id);
    }

    fn split(&mut self, id: CallId, aside: Option<Aside>) -> Taken {
        let Some(Aside { facts, opened_ms, into: Some(into), .. }) = aside else { return Err(Reason::UnknownCall) };
        self.own(id, facts, opened_ms)?;
        self.close_if_left(into);
        Ok(())
    }

    fn cancel_aside(&mut self, id: CallId, aside: Aside) -> Taken {
        self.tell_aside(id, CallPhase::Cancelled, None);
        self.take_back(id);
        self.calls.over.add(id, Vec::new(), self.tick);
        aside.into.into_iter().for_each(|into| self.close_if_left(into));
        Ok(())
    }

    /// The call goes on as long as one is left who called about it.
    fn withdraw_one_of_many(&mut self, id: CallId) -> Taken {
        if self.calls.duplicates.withdraw(id) { Ok(()) } else { Err(Reason::CallClosed) }
    }

    fn close_if_left(&mut self, into: CallId) {
        if self.calls.duplicates.is_left(into) {
            self.close(into, CallPhase::Cancelled, None);
        }
    }

    fn tell_referral(&mut self, call: CallId, facts: Option<CallFacts>) {
        // One that is taken back comes after the word that referred it.
        let seq = self.calls.duplicates.said(call) + u32::from(facts.is_none());
        self.out.emit(DispatchSaid::Referral(Referral { call, time_ms: self.tick, seq, facts }));
    }

    fn tell_aside(&mut self, id: CallId, phase: CallPhase, reason: Option<CloseReason>) {
        let Some(Aside { facts, said, .. }) = self.calls.duplicates.say(id) else { return };
        self.out.emit(DispatchSaid::Status(CallStatus {
            call: id,
            time_ms: self.tick,
            seq: said,
            phase,
            reason,
            priority: facts.priority,
            grid: facts.grid,
            assignment: None,
            unit: None,
            lacking: 0,
        }));
    }
}

#[cfg(test)]
mod tests;
