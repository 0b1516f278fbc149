//! Assignments for those who are told of them later: read from the book, in the order in which they were decided.

use nanming_dataflows::Time;
use nanming_dataflows::decision::Assignment;
use nanming_dataflows::event::CallFacts;
use nanming_dataflows::ids::{CallId, UnitId};
use rusqlite::Row;

use super::restart::{assignment, facts};
use super::text::{int, unsigned};
use super::{Book, LedgerError};

/// Assignments read at once, a tick more or less.
const PAGE: i64 = 500;

/// An assignment with what its unit must know.
#[derive(Clone, Debug, PartialEq)]
pub struct Assigned {
    /// The assignment.
    pub assignment: Assignment,
    /// What is known of its call now.
    pub facts: CallFacts,
    /// What the caller said.
    pub words: String,
}

/// A step in the life of a call, with what is known of the call now.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Steps are numbered in the order in which they were written.
    pub number: i64,
    /// Which call.
    pub call: CallId,
    /// When, ms.
    pub time_ms: u64,
    /// The phase that it reached or was in.
    pub phase: String,
    /// Whether only something about it changed.
    pub changed: bool,
    /// The attempt in force.
    pub attempt: Option<u16>,
    /// The unit in charge.
    pub unit: Option<UnitId>,
    /// The unit that was in charge before, and the attempt of that.
    pub before: Option<(UnitId, u16)>,
    /// Why it was closed, where its unit did not say so.
    pub reason: String,
    /// Expected travel time of the attempt, ms.
    pub eta_ms: Option<u64>,
    /// What is known of the call.
    pub facts: CallFacts,
    /// What the caller said.
    pub words: String,
}

impl Book {
    /// The number of the last step.
    pub fn last_step(&self) -> Result<i64, LedgerError> {
        let sql = "SELECT coalesce(max(rowid), 0) FROM call_history";
        Ok(self.lock().query_row(sql, [], |row| row.get(0))?)
    }

    /// The next steps after one.
    pub fn steps_after(&self, number: i64) -> Result<Vec<Step>, LedgerError> {
        let db = self.lock();
        let mut statement = db.prepare_cached(
            "SELECT h.rowid, h.call, h.time_ms, h.phase, h.changed <> '', h.attempt, h.unit, h.reason, b.unit, b.attempt,
                    a.eta_ms, c.priority, c.category, c.x_mm, c.y_mm, c.grid, c.needs_units, c.needs_skills, c.words
             FROM call_history h JOIN calls c ON c.id = h.call
                 LEFT JOIN call_history b ON b.rowid =
                     (SELECT max(rowid) FROM call_history WHERE call = h.call AND rowid < h.rowid)
                 LEFT JOIN assignments a ON a.call = h.call AND a.attempt = h.attempt
             WHERE h.rowid > ? ORDER BY h.rowid LIMIT ?",
        )?;
        let mut rows = statement.query([number, PAGE])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(step(row)?);
        }
        Ok(found)
    }

    /// The next assignments after a tick, whole ticks only.
    pub fn assigned_after(&self, tick: Time) -> Result<Vec<Assigned>, LedgerError> {
        let db = self.lock();
        let mut statement = db.prepare_cached(
            "SELECT a.call, a.attempt, a.unit, a.time_ms, a.priority, a.eta_ms, a.candidates, a.reason,
                    c.priority, c.category, c.x_mm, c.y_mm, c.grid, c.needs_units, c.needs_skills, c.words
             FROM assignments a JOIN calls c ON c.id = a.call
             WHERE a.time_ms > ?1 AND a.time_ms <= (SELECT max(time_ms) FROM
                 (SELECT time_ms FROM assignments WHERE time_ms > ?1 ORDER BY time_ms LIMIT ?2))
             ORDER BY a.time_ms, a.call, a.attempt",
        )?;
        let mut rows = statement.query([int(tick), PAGE])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(Assigned { assignment: assignment(row)?, facts: facts(row, 8)?, words: row.get(15)? });
        }
        Ok(found)
    }
}

fn step(row: &Row<'_>) -> Result<Step, LedgerError> {
    let before: (Option<u32>, Option<u16>) = (row.get(8)?, row.get(9)?);
    Ok(Step {
        number: row.get(0)?,
        call: CallId(unsigned(row.get(1)?)),
        time_ms: unsigned(row.get(2)?),
        phase: row.get(3)?,
        changed: row.get(4)?,
        attempt: row.get(5)?,
        unit: row.get::<_, Option<u32>>(6)?.map(UnitId),
        reason: row.get(7)?,
        before: before.0.map(UnitId).zip(before.1),
        eta_ms: row.get::<_, Option<i64>>(10)?.map(unsigned),
        facts: facts(row, 11)?,
        words: row.get(18)?,
    })
}
