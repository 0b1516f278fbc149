//! Rosters in the book: their tasks with all that was said of them, who looks after what, who is absent. By name, so that a
//! roster may get other persons, points and kinds between two starts.

use std::collections::BTreeSet;

use nanming_dataflows::decision::{RosterAbsence, RosterDuty, RosterTask, RosterWord, TaskReason};
use nanming_dataflows::event::{PointDuty, RosterChange, RosterEvent, TaskFacts, TaskStanding};
use nanming_dataflows::ids::{PersonId, PointId, TaskId};
use nanming_dataflows::network::{Point, Roster};
use rusqlite::{Row, Transaction, params};
use serde::Serialize;

use super::restart::note;
use super::text::{int, unsigned, variant, word};
use super::{Book, Ledger, LedgerError};
use crate::door::{CallNote, TickRecord};

/// What rosters know of the time before, as the events that restore it.
#[derive(Debug, Default)]
pub struct RestoredRosters {
    /// The events.
    pub events: Vec<RosterEvent>,
    /// What was said of tasks.
    pub notes: Vec<(TaskId, CallNote)>,
    /// Tasks, points and absences that name what the city does not have any more.
    pub strange: usize,
}

/// A word about a task.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskWord {
    /// When, ms.
    pub time_ms: u64,
    /// How far it was.
    pub phase: String,
    /// Whose it was; empty where it was nobody's.
    pub person: String,
    /// Attempts at giving it to somebody so far.
    pub attempt: u16,
    /// Why.
    pub reason: String,
    /// Who could have been given it: name, travel time in ms, tasks.
    pub candidates: Vec<(String, u64, u16)>,
}

impl Book {
    /// Every word about a task of a roster, first ones first; none where it has no such task.
    pub fn task_history(&self, roster: &str, task: TaskId) -> Result<Vec<TaskWord>, LedgerError> {
        let db = self.lock();
        let mut statement = db.prepare_cached(
            "SELECT h.time_ms, h.phase, h.person, h.attempt, h.reason, h.candidates
             FROM roster_history h JOIN roster_tasks t ON t.id = h.task WHERE h.task = ? AND t.roster = ? ORDER BY h.rowid",
        )?;
        let mut rows = statement.query(params![int(task.0), roster])?;
        let mut words = Vec::new();
        while let Some(row) = rows.next()? {
            words.push(TaskWord {
                time_ms: unsigned(row.get(0)?),
                phase: row.get(1)?,
                person: row.get(2)?,
                attempt: row.get(3)?,
                reason: row.get(4)?,
                candidates: serde_json::from_str(&row.get::<_, String>(5)?)
                    .map_err(|error| LedgerError::Corrupt(error.to_string()))?,
            });
        }
        Ok(words)
    }
}

/// Writes what rosters said at a tick.
pub(super) fn write(to: &Transaction<'_>, rosters: &[Roster], record: &TickRecord) -> Result<(), LedgerError> {
    for said in &record.decisions.rosters {
        match said {
            RosterWord::Task(task) => {
                let roster = of(rosters, task.roster.index())?;
                self::task(to, roster, task, record)?;
                history(to, roster, task)?;
            }
            RosterWord::Duty(duty) => self::duty(to, of(rosters, duty.roster.index())?, duty)?,
            RosterWord::Absence(absence) => self::absence(to, of(rosters, absence.roster.index())?, absence)?,
        }
    }
    Ok(())
}

/// Rows of rosters that a tick may have written, by the names that are their keys.
#[derive(Default)]
pub(super) struct Named<'a> {
    pub(super) tasks: BTreeSet<u64>,
    /// Roster, role, point.
    pub(super) duties: BTreeSet<(&'a str, &'a str, &'a str)>,
    /// Roster, person.
    pub(super) absences: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Named<'a> {
    pub(super) fn of(rosters: &'a [Roster], record: &TickRecord) -> Result<Named<'a>, LedgerError> {
        let mut named = Named::default();
        for said in &record.decisions.rosters {
            match said {
                RosterWord::Task(said) => {
                    named.tasks.insert(said.task.0);
                }
                RosterWord::Duty(said) => {
                    let roster = of(rosters, said.roster.index())?;
                    named.duties.insert((
                        &roster.name,
                        role(roster, said.duty.role),
                        point(roster, Some(said.duty.point)),
                    ));
                }
                RosterWord::Absence(said) => {
                    let roster = of(rosters, said.roster.index())?;
                    named.absences.insert((&roster.name, person(roster, Some(said.person))));
                }
            }
        }
        Ok(named)
    }
}

fn role(roster: &Roster, row: u8) -> &str {
    roster.roles.get(usize::from(row)).map_or("", |role| &role.name)
}

fn of(rosters: &[Roster], row: usize) -> Result<&Roster, LedgerError> {
    rosters.get(row).ok_or_else(|| LedgerError::Corrupt(format!("there is no roster {row}")))
}

fn person(roster: &Roster, id: Option<PersonId>) -> &str {
    id.and_then(|id| roster.person(id)).map_or("", |person| &person.name)
}

fn point(roster: &Roster, id: Option<PointId>) -> &str {
    id.and_then(|id| roster.point(id)).map_or("", |point| &point.name)
}

fn task(to: &Transaction<'_>, roster: &Roster, said: &RosterTask, record: &TickRecord) -> Result<(), LedgerError> {
    let RosterTask { task, raised_ms, facts, standing, .. } = said;
    let note = record.note_of_task(*task).cloned().unwrap_or_default();
    let passed: Vec<(&str, u64)> =
        standing.passed_over.iter().map(|(who, at_ms)| (person(roster, Some(*who)), *at_ms)).collect();
    to.prepare_cached(
        "INSERT INTO roster_tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (id) DO UPDATE SET point = excluded.point, x_mm = excluded.x_mm, y_mm = excluded.y_mm, phase = excluded.phase, person = excluded.person, attempt = excluded.attempt,
            rung = excluded.rung, rung_since_ms = excluded.rung_since_ms, accept_by_ms = excluded.accept_by_ms,
            done_by_ms = excluded.done_by_ms, overdue = excluded.overdue, reports = excluded.reports,
            passed_over = excluded.passed_over",
    )?
    .execute(params![
        int(task.0),
        roster.name,
        roster.kinds.get(usize::from(facts.kind)).map_or("", |kind| &kind.name),
        point(roster, facts.point),
        facts.at.x_mm,
        facts.at.y_mm,
        int(*raised_ms),
        word(&standing.phase)?,
        person(roster, standing.person),
        standing.attempt,
        standing.rung,
        int(standing.rung_since_ms),
        int(standing.accept_by_ms),
        int(standing.done_by_ms),
        standing.is_overdue,
        standing.reports,
        json(&passed)?,
        note.words,
        note.channel,
        note.caller,
        json(&note.pictures)?,
        note.key,
    ])?;
    Ok(())
}

/// That the engine was started again is no history of a task.
fn history(to: &Transaction<'_>, roster: &Roster, said: &RosterTask) -> Result<(), LedgerError> {
    if said.reason == TaskReason::Restored {
        return Ok(());
    }
    let candidates: Vec<(&str, u64, u16)> =
        said.candidates.iter().map(|c| (person(roster, Some(c.person)), c.travel_ms, c.tasks)).collect();
    to.prepare_cached("INSERT INTO roster_history VALUES (?, ?, ?, ?, ?, ?, ?)")?.execute(params![
        int(said.task.0),
        int(said.time_ms),
        word(&said.standing.phase)?,
        person(roster, said.standing.person),
        said.standing.attempt,
        said.reason.word(),
        json(&candidates)?,
    ])?;
    Ok(())
}

fn duty(to: &Transaction<'_>, roster: &Roster, said: &RosterDuty) -> Result<(), LedgerError> {
    let PointDuty { role: row, point: at, person: who, is_handed } = said.duty;
    to.prepare_cached("INSERT OR REPLACE INTO roster_duties VALUES (?, ?, ?, ?, ?)")?.execute(params![
        roster.name,
        role(roster, row),
        point(roster, Some(at)),
        person(roster, who),
        is_handed
    ])?;
    Ok(())
}

fn absence(to: &Transaction<'_>, roster: &Roster, said: &RosterAbsence) -> Result<(), LedgerError> {
    to.prepare_cached("INSERT OR REPLACE INTO roster_absences VALUES (?, ?, ?, ?)")?.execute(params![
        roster.name,
        person(roster, Some(said.person)),
        int(said.from_ms),
        int(said.until_ms)
    ])?;
    Ok(())
}

fn json<T: Serialize>(value: &T) -> Result<String, LedgerError> {
    serde_json::to_string(value).map_err(|error| LedgerError::Corrupt(error.to_string()))
}

impl Ledger {
    /// Open tasks, points and absences of the rosters that there are.
    pub fn rosters(&self, now_ms: u64) -> Result<RestoredRosters, LedgerError> {
        let mut restored = RestoredRosters::default();
        for roster in &self.rosters {
            self.restore_duties(roster, now_ms, &mut restored)?;
            self.restore_absences(roster, now_ms, &mut restored)?;
            self.restore_tasks(roster, &mut restored)?;
        }
        Ok(restored)
    }

    /// The first number after all tasks in the book that have one of `range`: its start if there are none.
    pub fn next_task_id(&self, range: std::ops::Range<u64>) -> Result<u64, LedgerError> {
        let sql = "SELECT max(id) FROM roster_tasks WHERE id >= ? AND id < ?";
        let last: Option<i64> = self.db.query_row(sql, [int(range.start), int(range.end)], |row| row.get(0))?;
        Ok(last.map_or(range.start, |id| unsigned(id) + 1))
    }

    fn restore_duties(&self, roster: &Roster, time_ms: u64, restored: &mut RestoredRosters) -> Result<(), LedgerError> {
        let sql = "SELECT role, point, person, handed FROM roster_duties WHERE roster = ? ORDER BY role, point";
        let mut statement = self.db.prepare(sql)?;
        let mut rows = statement.query([&roster.name])?;
        let names = Names::of(roster);
        while let Some(row) = rows.next()? {
            let (role, point, person): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let (role, point) = (roster.roles.iter().position(|r| r.name == role), names.point(&point));
            let duty = role.zip(point).zip(names.person(&person)).map(|((role, point), person)| PointDuty {
                role: role as u8,
                point,
                person,
                is_handed: row.get(3).unwrap_or_default(),
            });
            restored.add(roster, time_ms, duty.map(RosterChange::RestoredDuty));
        }
        Ok(())
    }

    fn restore_absences(
        &self,
        roster: &Roster,
        time_ms: u64,
        restored: &mut RestoredRosters,
    ) -> Result<(), LedgerError> {
        let sql =
            "SELECT person, from_ms, until_ms FROM roster_absences WHERE roster = ? AND until_ms > ? ORDER BY person";
        let mut statement = self.db.prepare(sql)?;
        let mut rows = statement.query(params![roster.name, int(time_ms)])?;
        let names = Names::of(roster);
        while let Some(row) = rows.next()? {
            let person = names.person(&row.get::<_, String>(0)?).flatten();
            let (from_ms, until_ms) = (unsigned(row.get(1)?), unsigned(row.get(2)?));
            let absent = person.map(|person| RosterChange::Absent(person, from_ms, until_ms));
            restored.add(roster, time_ms, absent.filter(|_| until_ms > from_ms));
        }
        Ok(())
    }

    fn restore_tasks(&self, roster: &Roster, restored: &mut RestoredRosters) -> Result<(), LedgerError> {
        let mut statement = self.db.prepare(
            "SELECT id, raised_ms, kind, point, x_mm, y_mm, phase, person, attempt, rung, rung_since_ms, accept_by_ms,
                    done_by_ms, overdue, reports, passed_over, words, channel, caller, pictures, key, '' AS rule
             FROM roster_tasks WHERE roster = ? AND phase NOT IN ('done', 'cancelled') ORDER BY id",
        )?;
        let mut rows = statement.query([&roster.name])?;
        let names = Names::of(roster);
        while let Some(row) = rows.next()? {
            let (task, raised_ms) = (TaskId(unsigned(row.get(0)?)), unsigned(row.get(1)?));
            let facts = facts(roster, &names, row)?;
            let standing = standing(&names, row)?;
            let fits = facts.zip(standing).map(|(facts, standing)| RosterChange::RestoredTask(task, facts, standing));
            if fits.is_some() {
                restored.notes.push((task, note(row, 16, 18)?));
            }
            restored.add(roster, raised_ms, fits);
        }
        Ok(())
    }
}

impl RestoredRosters {
    fn add(&mut self, roster: &Roster, time_ms: u64, change: Option<RosterChange>) {
        match change {
            Some(change) => self.events.push(RosterEvent { time_ms, roster: roster.id, change }),
            None => self.strange += 1,
        }
    }
}

/// What a task is about, from the columns kind, point, x_mm, y_mm; none where the roster does not have that any more.
fn facts(roster: &Roster, names: &Names<'_>, row: &Row<'_>) -> Result<Option<TaskFacts>, LedgerError> {
    let (kind, point): (String, String) = (row.get(2)?, row.get(3)?);
    let at = Point { x_mm: row.get(4)?, y_mm: row.get(5)? };
    let kind = roster.kinds.iter().position(|known| known.name == kind);
    let known = if point.is_empty() { Some(None) } else { names.point(&point).map(Some) };
    Ok(kind.zip(known).map(|(kind, point)| TaskFacts { kind: kind as u8, at, point }))
}

/// Where a task stands, from the columns from phase on. One whose person is not there any more waits.
fn standing(names: &Names<'_>, row: &Row<'_>) -> Result<Option<TaskStanding>, LedgerError> {
    let person = names.person(&row.get::<_, String>(7)?);
    let passed: Vec<(String, u64)> =
        serde_json::from_str(&row.get::<_, String>(15)?).map_err(|error| LedgerError::Corrupt(error.to_string()))?;
    let passed = passed.into_iter().filter_map(|(name, at_ms)| Some((names.person(&name).flatten()?, at_ms)));
    Ok(Some(TaskStanding {
        phase: if person.is_some() { variant(&row.get::<_, String>(6)?)? } else { Default::default() },
        person: person.flatten(),
        attempt: row.get(8)?,
        rung: row.get(9)?,
        rung_since_ms: unsigned(row.get(10)?),
        accept_by_ms: unsigned(row.get(11)?),
        done_by_ms: unsigned(row.get(12)?),
        is_overdue: row.get(13)?,
        reports: row.get(14)?,
        passed_over: passed.collect(),
    }))
}

/// Rows of persons and points by name.
struct Names<'a> {
    persons: std::collections::HashMap<&'a str, PersonId>,
    points: std::collections::HashMap<&'a str, PointId>,
}

impl<'a> Names<'a> {
    fn of(roster: &'a Roster) -> Names<'a> {
        Names {
            persons: roster.persons.iter().map(|person| (person.name.as_str(), person.id)).collect(),
            points: roster.points.iter().map(|point| (point.name.as_str(), point.id)).collect(),
        }
    }

    fn point(&self, name: &str) -> Option<PointId> {
        self.points.get(name).copied()
    }

    /// Nobody where the name is empty; none where there is nobody of the name.
    fn person(&self, name: &str) -> Option<Option<PersonId>> {
        if name.is_empty() { Some(None) } else { self.persons.get(name).map(|person| Some(*person)) }
    }
}
