//! What a call's story is told from: every assignment of it, what was answered, and who had to be told.

use nanming_dataflows::decision::{Assignment, AssignmentPhase, EscalationStep, Shortfall};
use nanming_dataflows::event::Answer;
use nanming_dataflows::ids::{CallId, UnitId};
use nanming_dataflows::network::City;
use rusqlite::{Connection, OptionalExtension, Row};

use super::restart::assignment;
use super::roster::Roster;
use super::text::{int, unsigned, variant};
use super::{Book, LedgerError};

/// An assignment, and what was said to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Attempt {
    /// The assignment as it was decided.
    pub assignment: Assignment,
    /// How far it came; none: it ended in the days before the book said why.
    pub phase: Option<AssignmentPhase>,
    /// When it ended, ms.
    pub ended_ms: Option<u64>,
    /// Answers to it, in the order in which they came.
    pub answers: Vec<Heard>,
}

/// Somebody was told that a call was not served as it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Escalated {
    /// When, ms.
    pub time_ms: u64,
    /// How far up.
    pub step: EscalationStep,
    /// Why.
    pub why: Shortfall,
    /// The unit that it is about, if any.
    pub unit: Option<UnitId>,
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
            let (phase, ended_ms) = (phase(row)?, row.get::<_, Option<i64>>("ended_ms")?.map(unsigned));
            let answers = answers(&db, call, assignment.id.attempt)?;
            attempts.push(Attempt { assignment, phase, ended_ms, answers });
        }
        Ok(attempts)
    }

    /// Who had to be told of a call, in the order in which they were.
    pub fn escalations(&self, call: CallId) -> Result<Vec<Escalated>, LedgerError> {
        let db = self.lock();
        let mut statement =
            db.prepare_cached("SELECT time_ms, step, why, unit FROM escalations WHERE call = ? ORDER BY rowid")?;
        let mut rows = statement.query([int(call.0)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(Escalated {
                time_ms: unsigned(row.get(0)?),
                step: variant(&row.get::<_, String>(1)?)?,
                why: variant(&row.get::<_, String>(2)?)?,
                unit: row.get::<_, Option<u32>>(3)?.map(UnitId),
            });
        }
        Ok(found)
    }

    /// Whether the numbers of units and grids in this ledger are those of a city.
    pub fn is_of(&self, city: &City) -> Result<bool, LedgerError> {
        let db = self.lock();
        let known: Option<i64> =
            db.query_row("SELECT value FROM meta WHERE key = 'city'", [], |row| row.get(0)).optional()?;
        Ok(known == Some(Roster::of(city)?.fingerprint))
    }
}

fn phase(row: &Row<'_>) -> Result<Option<AssignmentPhase>, LedgerError> {
    let (phase, ended): (String, String) = (row.get("phase")?, row.get("ended")?);
    match (phase.as_str(), ended.as_str()) {
        ("ended", "") => Ok(None),
        ("ended", why) => Ok(Some(AssignmentPhase::Ended(variant(why)?))),
        (phase, _) => variant(phase).map(Some),
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
