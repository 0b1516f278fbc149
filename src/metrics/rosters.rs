//! Measures of rosters: tasks that are open, wait and are overdue, and what became of tasks, by roster.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use nanming_dataflows::decision::{Decisions, RosterTask, RosterWord, TaskReason};
use nanming_dataflows::event::TaskPhase;
use nanming_dataflows::ids::TaskId;
use nanming_dataflows::network::City;
use prometheus::{IntCounterVec, IntGauge};

use super::make::Make;
use super::{last, named};

/// Measures of rosters, each by its row.
pub struct RosterMeasures {
    names: Vec<String>,
    open: Vec<IntGauge>,
    waiting: Vec<IntGauge>,
    overdue: Vec<IntGauge>,
    words: IntCounterVec,
    moved: IntCounterVec,
    /// By roster, how each open task stands: whether it waits, whether it is overdue.
    tasks: Mutex<Vec<BTreeMap<TaskId, (bool, bool)>>>,
}

impl RosterMeasures {
    pub(super) fn new(make: &Make, city: &City) -> RosterMeasures {
        let names: Vec<String> = city.rosters.iter().map(|roster| roster.name.clone()).collect();
        let labels: Vec<&str> = names.iter().map(String::as_str).collect();
        let of_each = |name: &str, help: &str| last(make.int_gauges(name, help, "roster", named(&labels)));
        RosterMeasures {
            open: of_each("roster_open_tasks", "Tasks of a roster that are open."),
            waiting: of_each("roster_waiting_tasks", "Tasks of a roster that nobody can take."),
            overdue: of_each("roster_overdue_tasks", "Tasks of a roster that are late at the end of their ladder."),
            words: make.counter_vec("roster_words_total", "What was said of tasks, by reason.", &["roster", "reason"]),
            moved: make.counter_vec("roster_points_moved_total", "Points given to somebody or taken.", &["roster"]),
            tasks: Mutex::new(vec![BTreeMap::new(); names.len()]),
            names,
        }
    }

    pub(super) fn decided(&self, decisions: &Decisions) {
        if decisions.rosters.is_empty() {
            return;
        }
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        for word in &decisions.rosters {
            match word {
                RosterWord::Task(said) => self.task(&mut tasks, said),
                RosterWord::Duty(said) => {
                    self.moved.with_label_values(&[self.name(said.roster.index())]).inc();
                }
                RosterWord::Absence(_) => {}
            }
        }
        for (row, tasks) in tasks.iter().enumerate() {
            self.open[row].set(tasks.len() as i64);
            self.waiting[row].set(tasks.values().filter(|(waits, _)| *waits).count() as i64);
            self.overdue[row].set(tasks.values().filter(|(_, is_overdue)| *is_overdue).count() as i64);
        }
    }

    fn task(&self, tasks: &mut [BTreeMap<TaskId, (bool, bool)>], said: &RosterTask) {
        let row = said.roster.index();
        let Some(open) = tasks.get_mut(row) else { return };
        let standing = &said.standing;
        if standing.phase.is_over() {
            open.remove(&said.task);
        } else {
            open.insert(said.task, (standing.phase == TaskPhase::Waiting, standing.is_overdue));
        }
        if said.reason != TaskReason::Restored {
            self.words.with_label_values(&[self.name(row), said.reason.word()]).inc();
        }
    }

    fn name(&self, row: usize) -> &str {
        self.names.get(row).map_or("", String::as_str)
    }
}
