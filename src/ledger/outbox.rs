//! Assignments for those who are told of them later: read from the book, in the order in which they were decided.

use nanming_dataflows::Time;
use nanming_dataflows::decision::Assignment;
use nanming_dataflows::event::CallFacts;

use super::restart::{assignment, facts};
use super::text::int;
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

impl Book {
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
