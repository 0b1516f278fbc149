//! What is told of tasks: raised, answered, withdrawn, handed over, restored.

use super::book::OpenTask;
use super::clerk::Clerk;
use crate::decision::{Reason, TaskReason};
use crate::event::{TASKS_FOUND, TaskAnswer, TaskFacts, TaskPhase, TaskStanding};
use crate::ids::{PersonId, TaskId};

impl Clerk<'_> {
    pub(super) fn raise(&mut self, id: TaskId, facts: &TaskFacts, raised_ms: u64) -> Result<(), Reason> {
        self.check(facts)?;
        if self.book.open.contains_key(&id) || self.book.was_over(id) {
            return Err(Reason::DuplicateTask);
        }
        if let Some(same) = self.same_finding(id, facts) {
            self.change(same, |task| task.standing.reports += 1);
            self.tell(same, TaskReason::Repeated, Vec::new());
            return Ok(());
        }
        let standing = TaskStanding { reports: 1, ..TaskStanding::default() };
        self.book.open.insert(id, OpenTask { facts: *facts, raised_ms, standing, said: 0, is_untold: true });
        // What came in late is not late already.
        self.climb_to(id, 0);
        Ok(())
    }

    /// A call is no patrol's matter, perhaps elsewhere than was said before; or there is nothing to do about it any more. What
    /// was done stays done.
    pub(super) fn refer(&mut self, id: TaskId, facts: Option<TaskFacts>, raised_ms: u64) {
        let before = self.book.open.get(&id).map(|task| task.facts);
        match (facts, before) {
            (Some(facts), Some(before)) if facts != before => {
                self.change(id, |task| task.facts = facts);
                self.take_back(id, TaskReason::Moved);
            }
            (Some(facts), None) if !self.book.was_over(id) || self.book.was_withdrawn(id) => {
                let said = self.book.reopen(id);
                let standing = TaskStanding { reports: 1, ..TaskStanding::default() };
                self.book.open.insert(id, OpenTask { facts, raised_ms, standing, said, is_untold: true });
                self.climb_to(id, 0);
            }
            (None, Some(_)) => {
                self.change(id, |task| task.standing.phase = TaskPhase::Cancelled);
                self.tell(id, TaskReason::Withdrawn, Vec::new());
                self.book.withdraw(id, self.tick);
            }
            _ => {}
        }
    }

    /// Cameras find the same again and again: the open task that such a finding belongs to.
    fn same_finding(&self, id: TaskId, facts: &TaskFacts) -> Option<TaskId> {
        let is_same = |task: &OpenTask| task.facts.point == facts.point && task.facts.kind == facts.kind;
        let mut found = self.book.open.range(TaskId(TASKS_FOUND)..).filter(|(_, task)| is_same(task));
        (id.0 >= TASKS_FOUND).then(|| found.next().map(|(same, _)| *same)).flatten()
    }

    fn check(&self, facts: &TaskFacts) -> Result<(), Reason> {
        let knows_point = facts.point.is_none_or(|point| self.roster.point(point).is_some());
        if knows_point && !self.roster.ladder(facts.kind).is_empty() { Ok(()) } else { Err(Reason::UnknownDuty) }
    }

    pub(super) fn restore_task(
        &mut self,
        id: TaskId,
        facts: &TaskFacts,
        standing: &TaskStanding,
        raised_ms: u64,
    ) -> Result<(), Reason> {
        self.check(facts)?;
        standing.person.map_or(Ok(()), |person| self.known(person))?;
        if usize::from(standing.rung) >= self.roster.ladder(facts.kind).len() {
            return Err(Reason::UnknownDuty);
        }
        if self.book.open.contains_key(&id) || self.book.was_over(id) {
            return Err(Reason::DuplicateTask);
        }
        self.book
            .open
            .insert(id, OpenTask { facts: *facts, raised_ms, standing: standing.clone(), said: 0, is_untold: true });
        self.tell(id, TaskReason::Restored, Vec::new());
        Ok(())
    }

    pub(super) fn answer(
        &mut self,
        id: TaskId,
        attempt: u16,
        person: PersonId,
        answer: TaskAnswer,
    ) -> Result<(), Reason> {
        let standing = &self.known_open(id)?.standing;
        if standing.person != Some(person) || standing.attempt != attempt {
            return Err(Reason::NotYourTask);
        }
        match answer {
            TaskAnswer::Told => self.advance(id, TaskPhase::Told),
            TaskAnswer::Accept => self.advance(id, TaskPhase::Accepted),
            TaskAnswer::Done => self.close(id, TaskPhase::Done, TaskReason::Answered),
            TaskAnswer::Decline(why) => {
                let tick = self.tick;
                self.change(id, |task| task.pass_over(person, tick));
                self.take_back(id, TaskReason::Declined(why));
            }
        }
        Ok(())
    }

    pub(super) fn cancel(&mut self, id: TaskId) -> Result<(), Reason> {
        self.known_open(id)?;
        self.close(id, TaskPhase::Cancelled, TaskReason::Withdrawn);
        Ok(())
    }

    fn known_open(&self, id: TaskId) -> Result<&OpenTask, Reason> {
        let unknown = if self.book.was_over(id) { Reason::TaskOver } else { Reason::UnknownTask };
        self.book.open.get(&id).ok_or(unknown)
    }

    /// A word that was said already says nothing.
    fn advance(&mut self, id: TaskId, phase: TaskPhase) {
        if self.book.open.get(&id).is_some_and(|task| task.standing.phase < phase) {
            self.change(id, |task| task.standing.phase = phase);
            self.tell(id, TaskReason::Answered, Vec::new());
        }
    }

    fn close(&mut self, id: TaskId, phase: TaskPhase, reason: TaskReason) {
        self.change(id, |task| task.standing.phase = phase);
        self.tell(id, reason, Vec::new());
        self.book.close(id, self.tick);
    }

    pub(super) fn change(&mut self, id: TaskId, change: impl FnOnce(&mut OpenTask)) {
        if let Some(task) = self.book.open.get_mut(&id) {
            change(task);
        }
    }

    /// All that is one person's goes to another as far as there is room; tasks for which there is none go to whoever is next.
    pub(super) fn hand_over(&mut self, from: PersonId, to: Option<PersonId>) -> Result<(), Reason> {
        self.known(from)?;
        if let Some(to) = to {
            self.hand_points(from, to)?;
        } else {
            // Whoever gives all away is away, until told otherwise.
            self.leave(from)?;
        }
        for id in self.book.tasks_of(from) {
            match to.filter(|to| self.may_have(*to, id)) {
                Some(to) => self.give(id, to, TaskReason::HandedOver, Vec::new()),
                None => self.take_back(id, TaskReason::HandedOver),
            }
        }
        Ok(())
    }
}
