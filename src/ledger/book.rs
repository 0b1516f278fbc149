//! Reading the book while it is written: a second, read-only connection for questions about single calls.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use nanming_dataflows::decision::{Assignment, CallPhase, CloseReason};
use nanming_dataflows::event::{CallFacts, Category, Needs, Priority};
use nanming_dataflows::ids::{CallId, UnitId};
use nanming_dataflows::network::Point;
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use super::restart::{FACTS, assignment, facts, note};
use super::text::{int, json, unsigned, variant};
use super::{LedgerError, open_read_only};
use crate::door::CallNote;

/// The reading end.
pub struct Book {
    db: Mutex<Connection>,
}

/// All that is known of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct CallPage {
    /// Which call.
    pub call: CallId,
    /// When it was opened, ms.
    pub opened_ms: u64,
    /// What is known of it now.
    pub facts: CallFacts,
    /// What was said, and how it came in.
    pub note: CallNote,
    /// Hash of what its sender sent first.
    pub content: Vec<u8>,
    /// The tick that took it.
    pub tick: u64,
    /// How far it is.
    pub phase: CallPhase,
    /// The assignment in force or, when it is over, the last one.
    pub assignment: Option<Assignment>,
    /// Its phases, oldest first.
    pub history: Vec<HistoryLine>,
    /// The call that it was merged into, if it was.
    pub into: Option<CallId>,
    /// Whether its own caller withdrew it, though it goes on for others.
    pub withdrawn: bool,
    /// The calls that were merged into it.
    pub joined: Vec<Joined>,
}

/// A call that was merged into another.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// Which.
    pub call: CallId,
    /// When it was opened, ms.
    pub opened_ms: u64,
    /// How far it is: merged, or withdrawn by its caller, or closed with the one that it joined.
    pub phase: CallPhase,
    /// Pseudonym of its caller.
    pub caller: String,
    /// What the caller said.
    pub words: String,
}

/// A call reached a phase, or something about it changed.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryLine {
    /// When, ms.
    pub time_ms: u64,
    /// Which phase.
    pub phase: CallPhase,
    /// The attempt at assigning it, if any was in force.
    pub attempt: Option<u16>,
    /// The unit in charge, if any.
    pub unit: Option<UnitId>,
    /// Why it was closed, where its unit did not say so.
    pub reason: Option<CloseReason>,
    /// What changed, where no phase was reached.
    pub changed: Option<Changed>,
    /// Why, as somebody said; empty where nobody did.
    pub note: String,
}

/// What a call's sender changed about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// Another urgency.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// Another kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    /// Another place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Point>,
    /// Others have to come.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub needs: Option<Needs>,
    /// The call whose joining changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<CallId>,
    /// Its own caller withdrew it; it goes on for others.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
}

impl Changed {
    /// None when nothing did.
    pub(super) fn between(before: &CallFacts, after: &CallFacts) -> Option<Changed> {
        let changed = Changed {
            priority: (before.priority != after.priority).then_some(after.priority),
            category: (before.category != after.category).then_some(after.category),
            at: (before.at != after.at).then_some(after.at),
            needs: (before.needs != after.needs).then_some(after.needs),
            ..Changed::default()
        };
        (changed != Changed::default()).then_some(changed)
    }
}

impl Book {
    /// Opens the ledger at `path` for reading; it must exist.
    pub fn open(path: &Path) -> Result<Book, LedgerError> {
        Ok(Book { db: Mutex::new(open_read_only(path)?) })
    }

    /// The page of a call, if the book has one.
    pub fn page(&self, call: CallId) -> Result<Option<CallPage>, LedgerError> {
        let db = self.lock();
        let mut statement = db.prepare_cached(&format!(
            "SELECT opened_ms, {FACTS}, words, channel, content, tick, phase, attempt, caller, pictures, key, rule, joined,
                    withdrawn
             FROM calls WHERE id = ?",
        ))?;
        let mut rows = statement.query([int(call.0)])?;
        let Some(row) = rows.next()? else { return Ok(None) };
        let phase: CallPhase = variant(&row.get::<_, String>(12)?)?;
        Ok(Some(CallPage {
            call,
            opened_ms: unsigned(row.get(0)?),
            facts: facts(row, 1)?,
            note: note(row, 8, 14)?,
            content: row.get(10)?,
            tick: unsigned(row.get(11)?),
            phase,
            assignment: find_assignment(&db, call, row.get(13)?, phase.is_over())?,
            into: row.get::<_, Option<i64>>(18)?.map(|id| CallId(unsigned(id))),
            withdrawn: row.get(19)?,
            joined: joined(&db, call)?,
            history: history(&db, call)?,
        }))
    }

    /// The call that a sender's key stands for.
    pub fn call_of_key(&self, key: &str) -> Result<Option<CallId>, LedgerError> {
        let db = self.lock();
        let mut statement = db.prepare_cached("SELECT id FROM calls WHERE key = ? AND key <> '' LIMIT 1")?;
        let found: Option<i64> = statement.query_row([key], |row| row.get(0)).optional()?;
        Ok(found.map(|id| CallId(unsigned(id))))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.db.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The assignment of an attempt; without one that of the last attempt, if `or_last`.
fn find_assignment(
    db: &Connection,
    call: CallId,
    attempt: Option<u16>,
    or_last: bool,
) -> Result<Option<Assignment>, LedgerError> {
    let mut statement = db.prepare_cached(
        "SELECT * FROM assignments WHERE call = ?1 AND (attempt = ?2 OR (?2 IS NULL AND ?3))
         ORDER BY attempt DESC LIMIT 1",
    )?;
    let found = statement.query_row((int(call.0), attempt, or_last), |row| Ok(assignment(row))).optional()?;
    found.transpose()
}

/// The calls merged into one, oldest first.
fn joined(db: &Connection, into: CallId) -> Result<Vec<Joined>, LedgerError> {
    let mut statement = db.prepare_cached(
        "SELECT id, opened_ms, phase, caller, words FROM calls WHERE joined = ? ORDER BY opened_ms, id",
    )?;
    let mut rows = statement.query([int(into.0)])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(Joined {
            call: CallId(unsigned(row.get(0)?)),
            opened_ms: unsigned(row.get(1)?),
            phase: variant(&row.get::<_, String>(2)?)?,
            caller: row.get(3)?,
            words: row.get(4)?,
        });
    }
    Ok(found)
}

fn history(db: &Connection, call: CallId) -> Result<Vec<HistoryLine>, LedgerError> {
    let mut statement = db.prepare_cached(
        "SELECT time_ms, phase, attempt, unit, reason, changed, note FROM call_history WHERE call = ? ORDER BY rowid",
    )?;
    let mut rows = statement.query([int(call.0)])?;
    let mut lines = Vec::new();
    while let Some(row) = rows.next()? {
        lines.push(line(row)?);
    }
    Ok(lines)
}

fn line(row: &Row<'_>) -> Result<HistoryLine, LedgerError> {
    Ok(HistoryLine {
        time_ms: unsigned(row.get(0)?),
        phase: variant(&row.get::<_, String>(1)?)?,
        attempt: row.get(2)?,
        unit: row.get::<_, Option<u32>>(3)?.map(UnitId),
        reason: Some(row.get::<_, String>(4)?)
            .filter(|word| !word.is_empty())
            .map(|word| variant(&word))
            .transpose()?,
        changed: Some(row.get::<_, String>(5)?).filter(|json| !json.is_empty()).map(|text| json(&text)).transpose()?,
        note: row.get(6)?,
    })
}
