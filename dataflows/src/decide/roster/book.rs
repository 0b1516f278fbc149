//! What a roster remembers: who looks after what, who is absent, where persons are, and the tasks that are open.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::event::{PointDuty, TaskFacts, TaskPhase, TaskStanding};
use crate::ids::{PersonId, PointId, TaskId};
use crate::network::{Person, Point, Roster};

/// Who declined a task or was silent is not asked again for so long, ms: not for ever, for there may be no other.
pub(super) const PASSED_OVER_MS: u64 = 600_000;
/// Tasks that are over are remembered for so long, ms.
const RETENTION_MS: u64 = 24 * 3_600_000;

/// What is remembered of a roster.
#[derive(Default, Serialize, Deserialize)]
pub struct Book {
    /// Whether every point was given out once.
    pub(super) has_begun: bool,
    pub(super) duties: BTreeMap<(u8, PointId), PointDuty>,
    /// From, until, ms.
    pub(super) absences: BTreeMap<PersonId, (u64, u64)>,
    /// Who was away for long when points were last given out.
    pub(super) away: BTreeSet<PersonId>,
    pub(super) places: BTreeMap<PersonId, Point>,
    pub(super) open: BTreeMap<TaskId, OpenTask>,
    over: BTreeMap<TaskId, Time>,
    /// Of those that are over, the calls that are the police's again, and the words said about each.
    withdrawn: BTreeMap<TaskId, u32>,
}

/// A task that is not over.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct OpenTask {
    pub(super) facts: TaskFacts,
    pub(super) raised_ms: u64,
    pub(super) standing: TaskStanding,
    /// Words said about it so far.
    pub(super) said: u32,
    /// Whether it came up, or came back, and nothing was said of it since.
    pub(super) is_untold: bool,
}

impl Book {
    /// Where a person is, as far as was told.
    pub(super) fn place(&self, person: &Person) -> Point {
        self.places.get(&person.id).copied().unwrap_or(person.at)
    }

    /// Whether a person is absent at a tick.
    pub(super) fn is_absent(&self, person: PersonId, tick: Time) -> bool {
        self.absences.get(&person).is_some_and(|(from, until)| (*from..*until).contains(&tick))
    }

    /// Who is away for so long at a tick that others look after their points.
    pub(super) fn away(&self, roster: &Roster, tick: Time) -> BTreeSet<PersonId> {
        let is_long = |(from, until): &(u64, u64)| until - from >= roster.long_absence_ms;
        let away = self.absences.iter().filter(|(person, span)| is_long(span) && self.is_absent(**person, tick));
        away.map(|(person, _)| *person).collect()
    }

    /// Open tasks of each person.
    pub(super) fn loads(&self) -> BTreeMap<PersonId, u16> {
        let mut loads = BTreeMap::new();
        for person in self.open.values().filter_map(|task| task.standing.person) {
            *loads.entry(person).or_default() += 1;
        }
        loads
    }

    /// Open tasks of a person.
    pub(super) fn tasks_of(&self, person: PersonId) -> Vec<TaskId> {
        self.open.iter().filter(|(_, task)| task.standing.person == Some(person)).map(|(id, _)| *id).collect()
    }

    /// Points of a person.
    pub(super) fn points_of(&self, person: PersonId) -> Vec<(u8, PointId)> {
        self.duties.values().filter(|duty| duty.person == Some(person)).map(|duty| (duty.role, duty.point)).collect()
    }

    /// Whether a task was over not long ago.
    pub(super) fn was_over(&self, task: TaskId) -> bool {
        self.over.contains_key(&task)
    }

    /// A task is over; those that were long ago are forgotten.
    pub(super) fn close(&mut self, task: TaskId, tick: Time) {
        self.open.remove(&task);
        self.over.insert(task, tick);
        self.over.retain(|_, since| *since + RETENTION_MS > tick);
        self.withdrawn.retain(|task, _| self.over.contains_key(task));
    }

    /// A call that was a task is the police's again, or withdrawn: it may come back.
    pub(super) fn withdraw(&mut self, task: TaskId, tick: Time) {
        let said = self.open.get(&task).map_or(0, |task| task.said);
        self.close(task, tick);
        self.withdrawn.insert(task, said);
    }

    /// Whether a task can come back.
    pub(super) fn was_withdrawn(&self, task: TaskId) -> bool {
        self.withdrawn.contains_key(&task)
    }

    /// A task comes back: the words said about it before.
    pub(super) fn reopen(&mut self, task: TaskId) -> u32 {
        self.over.remove(&task);
        self.withdrawn.remove(&task).unwrap_or(0)
    }
}

impl OpenTask {
    /// Whether a person is not to be asked yet.
    pub(super) fn passes_over(&self, person: PersonId, tick: Time) -> bool {
        self.standing.passed_over.iter().any(|(who, at_ms)| *who == person && tick < at_ms + PASSED_OVER_MS)
    }

    /// Notes that a person declined or was silent.
    pub(super) fn pass_over(&mut self, person: PersonId, tick: Time) {
        self.standing.passed_over.retain(|(who, _)| *who != person);
        self.standing.passed_over.push((person, tick));
    }

    /// When something must have happened at the latest; none while nothing is due that has not been told.
    pub(super) fn due_ms(&self) -> Option<u64> {
        let standing = &self.standing;
        let accept = matches!(standing.phase, TaskPhase::Assigned | TaskPhase::Told).then_some(standing.accept_by_ms);
        let due = [accept, Some(standing.done_by_ms)].into_iter().flatten().min();
        due.filter(|_| !standing.is_overdue)
    }
}
