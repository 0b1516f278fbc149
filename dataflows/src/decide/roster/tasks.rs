//! Whose each task is: the person of its point, else the next by travel and load; and how what is late climbs its ladder.

use std::collections::BTreeMap;

use super::assign::{FORBIDDEN, least_cost};
use super::book::OpenTask;
use super::clerk::Clerk;
use crate::decision::{PersonCandidate, TaskReason};
use crate::event::{TaskPhase, TaskStanding};
use crate::ids::{PersonId, TaskId};
use crate::network::{Person, Rung};

/// Candidates that are told.
const CANDIDATES: usize = 5;

/// Order in which tasks are given out: by kind, then by deadline.
type Rank = (u8, u64, TaskId);

impl Clerk<'_> {
    /// Tasks of who is absent wait.
    pub(super) fn take_from_absent(&mut self) {
        let is_lost = |task: &OpenTask| task.standing.person.is_some_and(|who| self.book.is_absent(who, self.tick));
        let lost: Vec<TaskId> = self.book.open.iter().filter(|(_, task)| is_lost(task)).map(|(id, _)| *id).collect();
        lost.into_iter().for_each(|id| self.take_back(id, TaskReason::Absent));
    }

    /// Tasks that are late climb a rung. On the last one they stay with who has them, or go to another of the same role.
    pub(super) fn escalate_overdue(&mut self) {
        let late = |task: &OpenTask| task.due_ms().is_some_and(|at| at <= self.tick);
        let late: Vec<TaskId> = self.book.open.iter().filter(|(_, task)| late(task)).map(|(id, _)| *id).collect();
        late.into_iter().for_each(|id| self.escalate(id));
    }

    fn escalate(&mut self, id: TaskId) {
        let Some(task) = self.book.open.get_mut(&id) else { return };
        let is_undone = task.standing.done_by_ms <= self.tick;
        let reason = if is_undone { TaskReason::NotDone } else { TaskReason::NotAccepted };
        let next = task.standing.rung + 1;
        let has_next = usize::from(next) < self.roster.ladder(task.facts.kind).len();
        if let Some(person) = task.standing.person.filter(|_| !is_undone || has_next) {
            task.pass_over(person, self.tick);
        }
        if has_next {
            self.climb_to(id, next);
            self.take_back(id, reason);
        } else if is_undone || !self.another_is_there(id) {
            self.change(id, |task| task.standing.is_overdue = true);
            self.tell(id, reason, Vec::new());
        } else {
            self.take_back(id, reason);
        }
    }

    /// A task comes to a rung; its deadline there runs from now.
    pub(super) fn climb_to(&mut self, id: TaskId, rung: u8) {
        let tick = self.tick;
        let Some(done_ms) = self.rung_of(id, rung).map(|rung| rung.done_ms) else { return };
        self.change(id, |task| {
            let standing = &mut task.standing;
            (standing.rung, standing.rung_since_ms, standing.done_by_ms) = (rung, tick, tick + done_ms);
        });
    }

    fn rung_of(&self, id: TaskId, rung: u8) -> Option<Rung> {
        let task = self.book.open.get(&id)?;
        self.roster.ladder(task.facts.kind).get(usize::from(rung)).copied()
    }

    /// A task is nobody's, and is given out again at this tick.
    pub(super) fn take_back(&mut self, id: TaskId, reason: TaskReason) {
        self.change(id, |task| (task.standing.phase, task.standing.person) = (TaskPhase::Waiting, None));
        self.tell(id, reason, Vec::new());
    }

    /// Gives tasks that wait to those who can take them: first to who looks after the point, the others for least cost; those
    /// that are left, to the rungs above.
    pub(super) fn give_out_tasks(&mut self) {
        let rank = |(id, task): (&TaskId, &OpenTask)| (task.facts.kind, task.standing.done_by_ms, *id);
        let waits = |(_, task): &(&TaskId, &OpenTask)| task.standing.phase == TaskPhase::Waiting;
        let mut waiting: Vec<Rank> = self.book.open.iter().filter(waits).map(rank).collect();
        waiting.sort_unstable();
        let mut waiting: Vec<TaskId> = waiting.into_iter().map(|(_, _, id)| id).collect();
        let mut above = 0;
        while !waiting.is_empty() && above < self.longest_ladder() {
            waiting.retain(|id| !self.give_to_standing(*id, above));
            waiting = self.give_for_least_cost(&waiting, above);
            above += 1;
        }
        waiting.into_iter().for_each(|id| self.tell_nobody(id));
    }

    fn longest_ladder(&self) -> u8 {
        self.roster.kinds.iter().map(|kind| kind.ladder.len()).max().unwrap_or(0) as u8
    }

    /// That nobody can take it is said once.
    fn tell_nobody(&mut self, id: TaskId) {
        if self.book.open.get(&id).is_some_and(|task| task.is_untold) {
            self.tell(id, TaskReason::NobodyThere, Vec::new());
        }
    }

    fn give_to_standing(&mut self, id: TaskId, above: u8) -> bool {
        let Some((role, _)) = self.role_for(id, above) else { return false };
        let point = self.book.open.get(&id).and_then(|task| task.facts.point);
        let standing = point.and_then(|point| self.book.duties.get(&(role, point))?.person);
        let Some(person) = standing.filter(|person| self.may_have(*person, id)) else { return false };
        let candidates = self.candidates(id, role, &self.book.loads());
        self.climb_above(id, above);
        self.give(id, person, if above == 0 { TaskReason::Standing } else { TaskReason::NobodyBefore }, candidates);
        true
    }

    /// The tasks that are left.
    fn give_for_least_cost(&mut self, waiting: &[TaskId], above: u8) -> Vec<TaskId> {
        let mut by_role: BTreeMap<u8, Vec<TaskId>> = BTreeMap::new();
        let mut left = Vec::new();
        for id in waiting {
            match self.role_for(*id, above) {
                Some((role, _)) => by_role.entry(role).or_default().push(*id),
                None => left.push(*id),
            }
        }
        for (role, ids) in by_role {
            left.extend(self.give_role(role, &ids, above));
        }
        waiting.iter().copied().filter(|id| left.contains(id)).collect()
    }

    fn give_role(&mut self, role: u8, ids: &[TaskId], above: u8) -> Vec<TaskId> {
        let loads = self.book.loads();
        let load = |person: &Person| loads.get(&person.id).copied().unwrap_or(0);
        let persons: Vec<&Person> =
            self.roster.persons.iter().filter(|p| p.role == role && self.is_there(p) && load(p) < p.tasks).collect();
        let room: Vec<u16> = persons.iter().map(|person| person.tasks - load(person)).collect();
        let cost = |id: &TaskId, person: &Person| match self.book.open.get(id) {
            Some(task) if !task.passes_over(person.id, self.tick) => {
                self.candidate(task, person, load(person)).cost_ms as i64
            }
            _ => FORBIDDEN,
        };
        let costs: Vec<Vec<i64>> =
            ids.iter().map(|id| persons.iter().map(|person| cost(id, person)).collect()).collect();
        let columns = least_cost(&costs, &room);
        let mut left = Vec::new();
        for (id, column) in ids.iter().zip(columns) {
            let Some(column) = column else {
                left.push(*id);
                continue;
            };
            let candidates = self.candidates(*id, role, &loads);
            self.climb_above(*id, above);
            let reason = if above == 0 { TaskReason::LeastCost } else { TaskReason::NobodyBefore };
            self.give(*id, persons[column].id, reason, candidates);
        }
        left
    }

    fn climb_above(&mut self, id: TaskId, above: u8) {
        let rung = self.book.open.get(&id).map_or(0, |task| task.standing.rung);
        if above > 0 {
            self.climb_to(id, rung + above);
        }
    }

    /// The role whose task it is so many rungs above its own.
    fn role_for(&self, id: TaskId, above: u8) -> Option<(u8, u8)> {
        let rung = self.book.open.get(&id)?.standing.rung.checked_add(above)?;
        self.rung_of(id, rung).map(|of| (of.role, rung))
    }

    fn is_there(&self, person: &Person) -> bool {
        person.on_shift(self.minute) && !self.book.is_absent(person.id, self.tick)
    }

    /// Whether a person can take a task now.
    pub(super) fn may_have(&self, person: PersonId, id: TaskId) -> bool {
        let Some((person, task)) = self.roster.person(person).zip(self.book.open.get(&id)) else { return false };
        let load = self.book.tasks_of(person.id).len();
        self.is_there(person) && load < usize::from(person.tasks) && !task.passes_over(person.id, self.tick)
    }

    /// Whether another of the same role can take a task that somebody has.
    fn another_is_there(&self, id: TaskId) -> bool {
        let Some((role, _)) = self.role_for(id, 0) else { return false };
        self.roster.persons.iter().any(|person| person.role == role && self.may_have(person.id, id))
    }

    fn candidate(&self, task: &OpenTask, person: &Person, tasks: u16) -> PersonCandidate {
        let travel_ms = self.roster.travel_ms(self.book.place(person), task.facts.at);
        let cost_ms = travel_ms + u64::from(tasks) * self.roster.load_ms;
        PersonCandidate { cost_ms, person: person.id, travel_ms, tasks }
    }

    /// Who of a role can take a task, least cost first.
    fn candidates(&self, id: TaskId, role: u8, loads: &BTreeMap<PersonId, u16>) -> Vec<PersonCandidate> {
        let Some(task) = self.book.open.get(&id) else { return Vec::new() };
        let load = |person: &Person| loads.get(&person.id).copied().unwrap_or(0);
        let can =
            |p: &&Person| p.role == role && self.is_there(p) && load(p) < p.tasks && !task.passes_over(p.id, self.tick);
        let persons = self.roster.persons.iter().filter(can);
        let mut candidates: Vec<_> = persons.map(|person| self.candidate(task, person, load(person))).collect();
        candidates.sort_unstable();
        candidates.truncate(CANDIDATES);
        candidates
    }

    /// A task is a person's.
    pub(super) fn give(&mut self, id: TaskId, to: PersonId, reason: TaskReason, candidates: Vec<PersonCandidate>) {
        let rung = self.book.open.get(&id).map_or(0, |task| task.standing.rung);
        let Some((rung, person)) = self.rung_of(id, rung).zip(self.roster.person(to)) else { return };
        let tick = self.tick;
        let shift_end = person.shift_left_min(self.minute).map(|minutes| self.minute_begin() + minutes * 60_000);
        let by_shift_end = shift_end.filter(|_| rung.by_shift_end).unwrap_or(u64::MAX);
        self.change(id, |task| {
            let standing = &mut task.standing;
            // One that was late already is not late again at once.
            let done_by_ms = Some(standing.done_by_ms).filter(|at| *at > tick).unwrap_or(tick + rung.done_ms);
            *standing = TaskStanding {
                phase: TaskPhase::Assigned,
                person: Some(to),
                attempt: standing.attempt.saturating_add(1),
                accept_by_ms: tick + rung.accept_ms,
                done_by_ms: done_by_ms.min(by_shift_end),
                is_overdue: false,
                ..std::mem::take(standing)
            };
        });
        self.tell(id, reason, candidates);
    }
}
