//! A roster at one tick: hears what is told, sees to what is due, gives out points and tasks.

use std::collections::BTreeSet;

use super::book::{Book, OpenTask, PASSED_OVER_MS};
use super::{Heard, RosterNews, RosterSaid};
use crate::Time;
use crate::decision::{PersonCandidate, Reason, Rejected, RosterAbsence, RosterTask, RosterWord, TaskReason};
use crate::event::{Event, RosterChange, RosterEvent, TaskPhase};
use crate::ids::{PersonId, PointId, TaskId};
use crate::keyed::Outbox;
use crate::network::Roster;

/// A roster at a tick.
pub(super) struct Clerk<'a> {
    pub(super) roster: &'a Roster,
    pub(super) book: &'a mut Book,
    pub(super) tick: Time,
    /// Minute of the local day.
    pub(super) minute: u16,
    out: &'a mut Outbox<RosterSaid>,
    /// Points of which is to be said whose they are.
    pub(super) untold: BTreeSet<(u8, PointId)>,
}

impl<'a> Clerk<'a> {
    pub(super) fn new(
        roster: &'a Roster,
        book: &'a mut Book,
        tick: Time,
        minute: u16,
        out: &'a mut Outbox<RosterSaid>,
    ) -> Self {
        Clerk { roster, book, tick, minute, out, untold: BTreeSet::new() }
    }

    pub(super) fn hear(&mut self, news: &RosterNews) {
        let change = match &news.what {
            Heard::Change(change) => change,
            Heard::Referred(task, _, facts) => return self.refer(*task, *facts, news.time_ms),
        };
        let taken = match change {
            RosterChange::RestoredDuty(duty) => self.restore_duty(duty),
            RosterChange::RestoredTask(task, facts, standing) => {
                self.restore_task(*task, facts, standing, news.time_ms)
            }
            RosterChange::Absent(person, from_ms, until_ms) => self.absent(*person, *from_ms, *until_ms),
            RosterChange::Here(person, at) => self.known(*person).map(|_| {
                self.book.places.insert(*person, *at);
            }),
            RosterChange::Raised(task, facts) => self.raise(*task, facts, news.time_ms),
            RosterChange::Answered(task, attempt, person, answer) => self.answer(*task, *attempt, *person, *answer),
            RosterChange::Cancelled(task) => self.cancel(*task),
            RosterChange::HandedOver(from, to) => self.hand_over(*from, *to),
        };
        if let Err(reason) = taken {
            let event = RosterEvent { time_ms: news.time_ms, roster: self.roster.id, change: change.clone() };
            let rejected = Rejected { time_ms: self.tick, reason, event: Event::Roster(event) };
            self.out.emit(RosterSaid::Rejected(rejected));
        }
    }

    /// What follows from what was heard and from the time.
    pub(super) fn run(&mut self) {
        let tick = self.tick;
        self.book.absences.retain(|_, (_, until)| *until > tick);
        self.take_from_absent();
        self.escalate_overdue();
        self.give_out_points();
        self.give_out_tasks();
        self.tell_duties();
    }

    pub(super) fn known(&self, person: PersonId) -> Result<(), Reason> {
        self.roster.person(person).map(|_| ()).ok_or(Reason::UnknownDuty)
    }

    pub(super) fn absent(&mut self, person: PersonId, from_ms: u64, until_ms: u64) -> Result<(), Reason> {
        self.known(person)?;
        if until_ms > from_ms {
            self.book.absences.insert(person, (from_ms, until_ms));
        } else {
            self.book.absences.remove(&person);
        }
        let (roster, time_ms) = (self.roster.id, self.tick);
        self.say(RosterWord::Absence(RosterAbsence { roster, person, time_ms, from_ms, until_ms }));
        Ok(())
    }

    /// When something happens without being told: a deadline, the beginning or end of an absence or, while tasks wait, of a
    /// shift.
    pub(super) fn next_due(&self) -> Option<Time> {
        let deadlines = self.book.open.values().filter_map(OpenTask::due_ms);
        let absences = self.book.absences.values().flat_map(|(from, until)| [*from, *until]);
        let waiting = || self.book.open.values().filter(|task| task.standing.phase == TaskPhase::Waiting);
        let again = waiting().flat_map(|task| task.standing.passed_over.iter().map(|(_, at)| at + PASSED_OVER_MS));
        let later = deadlines.chain(absences).chain(again).filter(|at| *at > self.tick).min();
        let shift = if waiting().next().is_some() { self.next_shift() } else { None };
        [later, shift].into_iter().flatten().min()
    }

    /// When the next shift of anybody begins.
    fn next_shift(&self) -> Option<Time> {
        let minutes = self.roster.persons.iter().filter_map(|person| person.shift_in_min(self.minute)).min()?;
        Some(self.minute_begin() + minutes * 60_000)
    }

    /// When the minute of this tick began.
    pub(super) fn minute_begin(&self) -> Time {
        self.tick - self.tick % 60_000
    }

    pub(super) fn say(&mut self, word: RosterWord) {
        self.out.emit(RosterSaid::Word(word));
    }

    /// Says where a task stands.
    pub(super) fn tell(&mut self, id: TaskId, reason: TaskReason, candidates: Vec<PersonCandidate>) {
        let Some(task) = self.book.open.get_mut(&id) else { return };
        (task.said, task.is_untold) = (task.said + 1, false);
        let OpenTask { facts, raised_ms, standing, said: seq, .. } = task.clone();
        let (roster, time_ms) = (self.roster.id, self.tick);
        let word = RosterTask { roster, task: id, seq, time_ms, raised_ms, facts, standing, reason, candidates };
        self.say(RosterWord::Task(word));
    }
}
