//! Where rosters stand, from committed ticks: open tasks, those done lately, who looks after what, who is absent. And those
//! who wait to hear that what they said is in the ledger.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nanming_dataflows::decision::{Reason, RosterTask, RosterWord};
use nanming_dataflows::event::RosterEvent;
use nanming_dataflows::ids::{PersonId, PointId, RosterId, TaskId};
use nanming_dataflows::network::City;
use tokio::sync::oneshot;

use super::acceptances::Outcome;
use super::bus::Sink;
use crate::door::{CallNote, TickRecord};
use crate::ledger::refusals;

/// Tasks that are over are shown so long as there are not more of them.
const OVER: usize = 200;

/// Where all rosters stand.
pub struct RosterBoard {
    rosters: Mutex<Vec<RosterState>>,
    /// Words of tasks that the ledger had at the start: the engine tells of these tasks again, but not their words.
    notes: BTreeMap<TaskId, CallNote>,
    waiting: Mutex<Vec<(RosterEvent, oneshot::Sender<Outcome>)>>,
}

/// Where a roster stands.
#[derive(Clone, Debug, Default)]
pub struct RosterState {
    /// Tasks that are open.
    pub open: BTreeMap<TaskId, TaskPage>,
    /// Tasks that were over lately, oldest first.
    pub over: VecDeque<TaskPage>,
    /// Whose each point is, by row of the role.
    pub duties: BTreeMap<(u8, PointId), PersonId>,
    /// Who is absent from, until, ms.
    pub absences: BTreeMap<PersonId, (u64, u64)>,
}

/// What is known of a task.
#[derive(Clone, Debug)]
pub struct TaskPage {
    /// The last word.
    pub said: RosterTask,
    /// The word with which it was given to its person: why, and who else could have had it.
    pub given: Option<RosterTask>,
    /// What was said of it.
    pub note: CallNote,
}

impl RosterBoard {
    /// Of a city; with the notes of tasks that are restored.
    pub fn new(city: &City, notes: Vec<(TaskId, CallNote)>) -> RosterBoard {
        let rosters = Mutex::new(vec![RosterState::default(); city.rosters.len()]);
        RosterBoard { rosters, notes: notes.into_iter().collect(), waiting: Mutex::default() }
    }

    /// What a roster's state says.
    pub fn read<T>(&self, roster: RosterId, read: impl FnOnce(&RosterState) -> T) -> Option<T> {
        self.lock().get(roster.index()).map(read)
    }

    /// Announces what will be sent.
    pub fn expect(&self, event: &RosterEvent) -> oneshot::Receiver<Outcome> {
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        // Who went away meanwhile waits no more.
        waiting.retain(|(_, caller)| !caller.is_closed());
        waiting.push((event.clone(), sender));
        receiver
    }

    fn answer(&self, event: &RosterEvent, tick: u64, refused: Option<Reason>) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(row) = waiting.iter().position(|(expected, _)| expected == event) {
            // A caller who has gone needs no answer.
            let _ = waiting.swap_remove(row).1.send(Outcome { tick, refused });
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<RosterState>> {
        self.rosters.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RosterState {
    fn take(&mut self, word: &RosterWord, record: &TickRecord, old: &BTreeMap<TaskId, CallNote>) {
        match word {
            RosterWord::Task(said) => self.task(said, record, old),
            RosterWord::Duty(said) => {
                let key = (said.duty.role, said.duty.point);
                match said.duty.person {
                    Some(person) => self.duties.insert(key, person),
                    None => self.duties.remove(&key),
                };
            }
            RosterWord::Absence(said) if said.until_ms > said.from_ms => {
                self.absences.insert(said.person, (said.from_ms, said.until_ms));
            }
            RosterWord::Absence(said) => {
                self.absences.remove(&said.person);
            }
        }
    }

    fn task(&mut self, said: &RosterTask, record: &TickRecord, old: &BTreeMap<TaskId, CallNote>) {
        let page = self.open.entry(said.task).or_insert_with(|| {
            let note = record.note_of_task(said.task).or_else(|| old.get(&said.task)).cloned().unwrap_or_default();
            TaskPage { said: said.clone(), given: None, note }
        });
        page.said = said.clone();
        if !said.candidates.is_empty() {
            page.given = Some(said.clone());
        }
        if said.standing.phase.is_over() {
            self.over.extend(self.open.remove(&said.task));
            self.over.drain(..self.over.len().saturating_sub(OVER));
        }
    }
}

impl Sink for Arc<RosterBoard> {
    fn take(&mut self, record: &Arc<TickRecord>) {
        if !record.decisions.rosters.is_empty() {
            let mut rosters = self.lock();
            for word in &record.decisions.rosters {
                if let Some(state) = rosters.get_mut(roster_of(word).index()) {
                    state.take(word, record, &self.notes);
                }
            }
        }
        for (event, refused) in refusals::rosters(record) {
            self.answer(event, record.tick, refused);
        }
    }
}

fn roster_of(word: &RosterWord) -> RosterId {
    match word {
        RosterWord::Task(said) => said.roster,
        RosterWord::Duty(said) => said.roster,
        RosterWord::Absence(said) => said.roster,
    }
}
