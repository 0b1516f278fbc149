//! What a call's story is told from: every assignment of it, and what was answered.

use nanming_dataflows::decision::Assignment;
use nanming_dataflows::event::Answer;
use nanming_dataflows::ids::{CallId, UnitId};
use nanming_dataflows::network::City;
use rusqlite::{Connection, OptionalExtension};

use super::restart::assignment;
use super::roster::Roster;
use super::text::{int, unsigned, variant};
use super::{Book, LedgerError};

/// An assignment, and what was said to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The assignment as it was decided.
    pub assignment: Assignment,
    /// Answers to it, in the order in which they came.
    pub answers: Vec<Heard>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// When, ms.
    pub time_ms: u64,
    /// Whose.
    pub unit: UnitId,
    /// What it says.
    pub answer: Answer,
    /// Why it was refused; empty where it was taken.
    pub refused: String,
}

impl Book {
    /// Every assignment of a call, first ones first.
    pub fn attempts(&self, call: CallId) -> Result<Vec<Attempt>, LedgerError> {
        let db = self.lock();
        let mut statement = db.prepare_cached("SELECT * FROM assignments WHERE call = ? ORDER BY attempt")?;
        let mut rows = statement.query([int(call.0)])?;
        let mut attempts = Vec::new();
        while let Some(row) = rows.next()? {
            let assignment = assignment(row)?;
            attempts.push(Attempt { answers: answers(&db, call, assignment.id.attempt)?, assignment });
        }
        Ok(attempts)
    }

    /// Whether the numbers of units and grids in this ledger are those of a city.
    pub fn is_of(&self, city: &City) -> Result<bool, LedgerError> {
        let db = self.lock();
        let known: Option<i64> =
            db.query_row("SELECT value FROM meta WHERE key = 'city'", [], |row| row.get(0)).optional()?;
        Ok(known == Some(Roster::of(city)?.fingerprint))
    }
}

fn answers(db: &Connection, call: CallId, attempt: u16) -> Result<Vec<Heard>, LedgerError> {
    let mut statement = db.prepare_cached(
        "SELECT time_ms, unit, answer, refused FROM acks WHERE call = ? AND attempt = ? ORDER BY rowid",
    )?;
    let mut rows = statement.query((int(call.0), attempt))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Heard {
            time_ms: unsigned(row.get(0)?),
            unit: UnitId(row.get(1)?),
            answer: variant(&row.get::<_, String>(2)?)?,
            refused: row.get(3)?,
        });
    }
    Ok(found)
}
