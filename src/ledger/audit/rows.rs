//! The rows that the chain vouches for, and their digests.

use std::collections::BTreeSet;

use blake3::Hasher;
use nanming_dataflows::Time;
use nanming_dataflows::network::Roster;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Params, Row, Transaction, params};
use serde::Serialize;

use super::{Digest, Head, Kind, LedgerError, text};
use crate::door::TickRecord;
use crate::ledger::tasks;
use crate::ledger::text::int;

/// Rows that one record adopts at most.
const ADOPTED_AT_ONCE: usize = 500;

/// A table that the chain vouches for.
#[derive(Debug)]
pub(in crate::ledger) struct Table {
    /// Its word in records.
    pub(super) word: &'static str,
    /// Its name.
    pub(in crate::ledger) name: &'static str,
    /// The columns that are vouched for, its key first.
    columns: &'static str,
    /// How many of them are its key. Keys of texts are hashed.
    key: usize,
    /// Whether rows are only added, of which those of one key follow each other; else a row of a key is written anew.
    pub(super) grows: bool,
}

pub(in crate::ledger) static CALLS: Table = Table {
    word: "call",
    name: "calls",
    columns: "id, opened_ms, priority, category, x_mm, y_mm, grid, words, channel, content, phase, attempt, unit, tick, key, \
              caller, pictures, needs_units, needs_skills, rule, joined, withdrawn",
    key: 1,
    grows: false,
};
pub(in crate::ledger) static HISTORY: Table = Table {
    word: "history",
    name: "call_history",
    columns: "call, time_ms, phase, attempt, unit, reason, changed, note",
    key: 1,
    grows: true,
};
pub(in crate::ledger) static ASSIGNMENTS: Table = Table {
    word: "assignment",
    name: "assignments",
    columns: "call, attempt, unit, time_ms, priority, eta_ms, candidates, reason, phase, ended, ended_ms",
    key: 2,
    grows: false,
};
pub(in crate::ledger) static ESCALATIONS: Table = Table {
    word: "escalation",
    name: "escalations",
    columns: "call, time_ms, step, why, attempt, unit",
    key: 1,
    grows: true,
};
pub(in crate::ledger) static ACKS: Table =
    Table { word: "ack", name: "acks", columns: "call, time_ms, attempt, unit, answer, refused", key: 1, grows: true };
pub(in crate::ledger) static SIGNALS: Table =
    Table { word: "signals", name: "signal_commands", columns: "from_ms, commands", key: 1, grows: true };
pub(in crate::ledger) static HOLDS: Table =
    Table { word: "hold", name: "holds", columns: "junction, time_ms, stage, until_ms, by", key: 2, grows: false };
pub(in crate::ledger) static TASKS: Table = Table {
    word: "task",
    name: "roster_tasks",
    columns: "id, roster, kind, point, x_mm, y_mm, raised_ms, phase, person, attempt, rung, rung_since_ms, accept_by_ms, \
              done_by_ms, overdue, reports, passed_over, words, channel, caller, pictures, key",
    key: 1,
    grows: false,
};
pub(in crate::ledger) static TASK_HISTORY: Table = Table {
    word: "task_history",
    name: "roster_history",
    columns: "task, time_ms, phase, person, attempt, reason, candidates",
    key: 1,
    grows: true,
};
static DUTIES: Table =
    Table { word: "duty", name: "roster_duties", columns: "roster, role, point, person, handed", key: 3, grows: false };
static ABSENCES: Table = Table {
    word: "absence",
    name: "roster_absences",
    columns: "roster, person, from_ms, until_ms",
    key: 2,
    grows: false,
};

/// All of them.
pub(super) static TABLES: [&Table; 11] =
    [&CALLS, &HISTORY, &ASSIGNMENTS, &ESCALATIONS, &ACKS, &SIGNALS, &HOLDS, &TASKS, &TASK_HISTORY, &DUTIES, &ABSENCES];

impl Table {
    /// Its row in [`TABLES`], by its word.
    pub(super) fn row_of(word: &str) -> Option<usize> {
        TABLES.iter().position(|table| table.word == word)
    }

    /// Gives `each` the seal of every row that a condition selects, in the order in which they were written.
    pub(super) fn seals(
        &'static self,
        db: &Connection,
        condition: &str,
        params: impl Params,
        mut each: impl FnMut(Seal) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        let order = if self.grows { " ORDER BY rowid" } else { "" };
        let sql = format!("SELECT {} FROM {} {condition}{order}", self.columns, self.name);
        let mut statement = db.prepare_cached(&sql)?;
        let columns = statement.column_count();
        let mut rows = statement.query(params)?;
        while let Some(row) = rows.next()? {
            each(Seal { table: self.word, key: self.key_of(row)?, digest: self.digest(row, columns)? })?;
        }
        Ok(())
    }

    fn key_of(&self, row: &Row<'_>) -> Result<(i64, i64), LedgerError> {
        let number = |column| row.get_ref(column).map(|value| value.as_i64().ok());
        match (number(0)?, if self.key > 1 { number(1)? } else { Some(0) }) {
            (Some(first), Some(second)) => Ok((first, second)),
            _ => {
                let digest = self.digest(row, self.key)?;
                let part = |at: usize| digest[at..at + 8].iter().fold(0_i64, |n, byte| n << 8 | i64::from(*byte));
                Ok((part(0), part(8)))
            }
        }
    }

    fn digest(&self, row: &Row<'_>, columns: usize) -> Result<Digest, LedgerError> {
        let mut hasher = Hasher::new();
        hasher.update(self.word.as_bytes());
        for column in 0..columns {
            value(&mut hasher, row.get_ref(column)?);
        }
        Ok(hasher.finalize().into())
    }
}

/// A value by its type, length and bytes, so that no two rows give the same bytes.
fn value(to: &mut Hasher, value: ValueRef<'_>) {
    let mut bytes = |tag: u8, bytes: &[u8]| {
        to.update(&[tag]).update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
    };
    match value {
        ValueRef::Null => bytes(0, &[]),
        ValueRef::Integer(number) => bytes(1, &number.to_le_bytes()),
        ValueRef::Real(number) => bytes(2, &number.to_bits().to_le_bytes()),
        ValueRef::Text(text) => bytes(3, text),
        ValueRef::Blob(blob) => bytes(4, blob),
    }
}

/// A row of a table as the chain holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::ledger) struct Seal {
    /// The word of its table.
    pub(super) table: &'static str,
    /// Its key.
    pub(super) key: (i64, i64),
    /// Its digest.
    pub(super) digest: Digest,
}

impl Serialize for Seal {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (self.table, self.key.0, self.key.1, text(&self.digest)).serialize(to)
    }
}

/// Where the tables that only grow ended before a tick.
#[derive(Clone, Copy, Debug)]
pub(in crate::ledger) struct Ends([i64; GROWING.len()]);

static GROWING: [&Table; 4] = [&HISTORY, &ESCALATIONS, &ACKS, &TASK_HISTORY];

impl Ends {
    pub(in crate::ledger) fn of(db: &Connection) -> Result<Ends, LedgerError> {
        let mut ends = [0; GROWING.len()];
        for (end, table) in ends.iter_mut().zip(GROWING) {
            let sql = format!("SELECT coalesce(max(rowid), 0) FROM {}", table.name);
            *end = db.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
        }
        Ok(Ends(ends))
    }
}

/// The rows that a tick wrote, as they are now.
pub(super) fn written(
    db: &Transaction<'_>,
    ends: Ends,
    rosters: &[Roster],
    record: &TickRecord,
) -> Result<Vec<Seal>, LedgerError> {
    let mut seals = Vec::new();
    let mut add = |seal| {
        seals.push(seal);
        Ok(())
    };
    for (table, end) in GROWING.iter().zip(ends.0) {
        table.seals(db, "WHERE rowid > ?", [end], &mut add)?;
    }
    for call in calls(record) {
        CALLS.seals(db, "WHERE id = ?", [call], &mut add)?;
    }
    for (call, attempt) in assignments(record) {
        ASSIGNMENTS.seals(db, "WHERE call = ? AND attempt = ?", [call, attempt], &mut add)?;
    }
    for hold in &record.holds {
        let key = [i64::from(hold.junction.0), int(hold.time_ms)];
        HOLDS.seals(db, "WHERE junction = ? AND time_ms = ?", key, &mut add)?;
    }
    let named = tasks::Named::of(rosters, record)?;
    for task in named.tasks {
        TASKS.seals(db, "WHERE id = ?", [int(task)], &mut add)?;
    }
    for (roster, role, point) in named.duties {
        DUTIES.seals(db, "WHERE roster = ? AND role = ? AND point = ?", params![roster, role, point], &mut add)?;
    }
    for (roster, person) in named.absences {
        ABSENCES.seals(db, "WHERE roster = ? AND person = ?", params![roster, person], &mut add)?;
    }
    Ok(seals)
}

/// Calls whose rows a tick may have written.
fn calls(record: &TickRecord) -> BTreeSet<i64> {
    let decisions = &record.decisions;
    let merged = decisions.merges.iter().flat_map(|merge| [Some(merge.call), merge.into]).flatten();
    let told = record.calls.iter().map(|event| event.call).chain(decisions.calls.iter().map(|status| status.call));
    told.chain(merged).map(|call| int(call.0)).collect()
}

fn assignments(record: &TickRecord) -> BTreeSet<(i64, i64)> {
    let decisions = &record.decisions;
    let made = decisions.assignments.iter().map(|assignment| assignment.id);
    let moved = decisions.assignment_statuses.iter().map(|status| status.id);
    made.chain(moved).map(|id| (int(id.call.0), i64::from(id.attempt))).collect()
}

/// Rows that the chain did not know.
#[derive(Serialize)]
struct Adopted<'a> {
    rows: &'a [Seal],
}

/// Takes into the chain what the tables hold from before there was one.
pub(super) fn adopt(to: &Transaction<'_>, head: &mut Head, tick: Time) -> Result<(), LedgerError> {
    let mut waiting = Vec::new();
    for table in TABLES {
        table.seals(to, "", [], |seal| {
            waiting.push(seal);
            if waiting.len() < ADOPTED_AT_ONCE {
                return Ok(());
            }
            head.append(to, tick, Kind::Adopted, &Adopted { rows: &std::mem::take(&mut waiting) })
        })?;
    }
    if waiting.is_empty() { Ok(()) } else { head.append(to, tick, Kind::Adopted, &Adopted { rows: &waiting }) }
}
