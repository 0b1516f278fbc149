//! Whether a ledger is whole: the file, what must hold between its tables, the audit log.

use std::path::Path;

use rusqlite::Connection;

use super::LedgerError;
use super::audit::{roots, verify};
use super::restart::OPEN;
use super::schema::foreign;

/// Complaints of one kind at most.
const MOST: usize = 10;

/// What must never be found: in words, and the query that finds it by ID.
const RELATIONS: [(&str, &str); 12] = [
    (
        "an assignment of a call that is not there: call",
        "SELECT call FROM assignments WHERE call NOT IN (SELECT id FROM calls)",
    ),
    (
        "history of a call that is not there: call",
        "SELECT call FROM call_history WHERE call NOT IN (SELECT id FROM calls)",
    ),
    (
        "an escalation of a call that is not there: call",
        "SELECT call FROM escalations WHERE call NOT IN (SELECT id FROM calls)",
    ),
    (
        "an answer that was taken to an assignment that is not there: call",
        "SELECT call FROM acks a WHERE refused = '' AND NOT EXISTS
            (SELECT 1 FROM assignments s WHERE s.call = a.call AND s.attempt = a.attempt)",
    ),
    (
        "a call whose attempt is not there: call",
        "SELECT id FROM calls c WHERE attempt IS NOT NULL AND NOT EXISTS
            (SELECT 1 FROM assignments s WHERE s.call = c.id AND s.attempt = c.attempt)",
    ),
    (
        "a call that a unit serves, without a unit: call",
        "SELECT id FROM calls WHERE phase IN ('assigned', 'accepted', 'arrived') AND (attempt IS NULL OR unit IS NULL)",
    ),
    (
        "a call whose unit is not that of its assignment: call",
        "SELECT id FROM calls c JOIN assignments s ON s.call = c.id AND s.attempt = c.attempt WHERE s.unit IS NOT c.unit",
    ),
    (
        "a call whose history does not end where it is: call",
        "SELECT id FROM calls c WHERE phase IS NOT
            (SELECT phase FROM call_history h WHERE h.call = c.id ORDER BY rowid DESC LIMIT 1)",
    ),
    (
        "a merged call without the call that it was merged into: call",
        "SELECT id FROM calls WHERE phase = 'merged' AND joined IS NULL",
    ),
    (
        "a call merged into one that is not there: call",
        "SELECT id FROM calls WHERE joined IS NOT NULL AND joined NOT IN (SELECT id FROM calls)",
    ),
    (
        "a call that is over, with a unit still on it: call",
        "SELECT c.id FROM calls c JOIN assignments s ON s.call = c.id
         WHERE c.phase IN ('closed', 'cancelled') AND s.phase <> 'ended'",
    ),
    (
        "history of a task that is not there: task",
        "SELECT task FROM roster_history WHERE task NOT IN (SELECT id FROM roster_tasks)",
    ),
];

/// What is wrong, in words that name the row; empty: all is well.
pub fn check(db: &Connection, path: &Path) -> Result<Vec<String>, LedgerError> {
    let mut wrong = integrity(db)?;
    for (what, sql) in RELATIONS {
        let mut statement = db.prepare(&format!("SELECT DISTINCT * FROM ({sql}) ORDER BY 1 LIMIT {MOST}"))?;
        let ids: Vec<i64> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        wrong.extend(ids.iter().map(|id| format!("{what} {id}")));
    }
    wrong.extend(unanswered(db)?);
    wrong.extend(foreign(db)?.iter().map(|(kind, name)| format!("a {kind} that nanming does not make: {name}")));
    if let Err(finding) = verify::verify(db, &roots::read(&roots::beside(path))?)? {
        wrong.push(format!("the audit log does not agree: {finding}"));
    }
    Ok(wrong)
}

fn integrity(db: &Connection) -> Result<Vec<String>, LedgerError> {
    let mut statement = db.prepare("PRAGMA integrity_check")?;
    let told: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(told.into_iter().filter(|line| line != "ok").map(|line| format!("SQLite: {line}")).collect())
}

/// An open call that a unit serves has an assignment in force.
fn unanswered(db: &Connection) -> Result<Vec<String>, LedgerError> {
    let sql = format!(
        "SELECT id FROM calls c WHERE phase IN {OPEN} AND phase <> 'waiting' AND NOT EXISTS
            (SELECT 1 FROM assignments s WHERE s.call = c.id AND s.phase <> 'ended') ORDER BY id LIMIT {MOST}"
    );
    let mut statement = db.prepare(&sql)?;
    let ids: Vec<i64> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(ids.iter().map(|id| format!("a call that a unit serves, with no assignment in force: call {id}")).collect())
}

#[cfg(test)]
mod tests;
