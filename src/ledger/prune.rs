//! Removes what is old: closed calls and all about them, tasks that are done, stages that were held, signal commands. Never
//! what is open. The audit log keeps its records, and one more that says what was removed, and by whom.

use std::path::Path;

use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};
use serde::{Deserialize, Serialize};

use super::audit::{Head, Kind};
use super::restart::OPEN;
use super::{LedgerError, audit, lock, open_alone, open_beside};
use crate::rosters::OWN_TASKS;
use crate::run::OWN_CALLS;

/// Calls or tasks that one record names at most.
const NAMED_AT_ONCE: usize = 5_000;

/// Of each kind, what one transaction beside a running engine removes at most.
const PART: i64 = 200;

/// What was removed, as the audit log says it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pruned {
    /// Who had it done.
    pub by: String,
    /// What was over before this time, ms.
    pub before_ms: i64,
    /// Calls, with their history, assignments, answers, escalations.
    pub calls: Vec<i64>,
    /// Tasks of rosters, with their history.
    pub tasks: Vec<i64>,
    /// Words on stages held: junction, time.
    pub holds: Vec<(i64, i64)>,
    /// Signal commands before this time were removed, ms.
    pub signals_before_ms: i64,
}

/// The body of its record.
#[derive(Serialize)]
struct Body<'a> {
    pruned: &'a Pruned,
}

/// Removes from the ledger at `path` what was over before a time, ms, in one transaction, and gives its space back. The
/// ledger must not be in use.
pub fn prune(path: &Path, before_ms: i64, by: &str) -> Result<Pruned, LedgerError> {
    let _lock = lock(path)?;
    // Nobody else has it: an older one may be brought up to date.
    let mut pruning = Pruning::of(open_alone(path)?)?;
    let old = old(&pruning.db, before_ms, by, i64::MAX)?;
    let pruned = pruning.remove(old)?;
    pruning.db.execute_batch("VACUUM; PRAGMA wal_checkpoint(TRUNCATE);")?;
    Ok(pruned)
}

/// Removes what is old beside an engine that writes the ledger, part by part.
pub struct Pruning {
    db: Connection,
}

impl Pruning {
    /// For the ledger at `path`.
    pub fn beside(path: &Path) -> Result<Pruning, LedgerError> {
        Pruning::of(open_beside(path)?)
    }

    fn of(db: Connection) -> Result<Pruning, LedgerError> {
        // What is removed is overwritten too.
        db.pragma_update(None, "secure_delete", true)?;
        Ok(Pruning { db })
    }

    /// Removes some of what was over before a time, ms: how many calls, tasks and words on stages; 0 where there is no more.
    pub fn part(&mut self, before_ms: i64, by: &str) -> Result<usize, LedgerError> {
        let some = old(&self.db, before_ms, by, PART)?;
        if some.is_empty() {
            return Ok(0);
        }
        let removed = self.remove(some)?;
        Ok(removed.calls.len() + removed.tasks.len() + removed.holds.len())
    }

    /// Removes what is still over when nobody else writes; what that was.
    fn remove(&mut self, mut pruned: Pruned) -> Result<Pruned, LedgerError> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut head = Head::of(&transaction)?;
        pruned.calls = still_over(&transaction, &pruned)?;
        remove(&transaction, &pruned)?;
        let last_tick = audit::last_tick(&transaction)?;
        for part in parts(&pruned) {
            head.append(&transaction, last_tick, Kind::Prune, &Body { pruned: &part })?;
        }
        head.note(&transaction)?;
        transaction.commit()?;
        Ok(pruned)
    }
}

/// Calls that nobody has taken up again since they were looked for.
fn still_over(to: &Transaction<'_>, pruned: &Pruned) -> Result<Vec<i64>, LedgerError> {
    let sql = format!(
        "SELECT 1 FROM calls c WHERE id = ?1 AND phase NOT IN {OPEN}
         AND NOT EXISTS (SELECT 1 FROM call_history h WHERE h.call = c.id AND h.time_ms >= ?2)"
    );
    let mut statement = to.prepare(&sql)?;
    let mut over = Vec::with_capacity(pruned.calls.len());
    for call in &pruned.calls {
        if statement.exists(params![call, pruned.before_ms])? {
            over.push(*call);
        }
    }
    Ok(over)
}

/// What is over since before a time, so many of each at most.
fn old(db: &Connection, before_ms: i64, by: &str, most: i64) -> Result<Pruned, LedgerError> {
    // Steps are numbered by the rows of the history, and receivers count on the numbers: the last row stays, and so do the
    // last call and the last task, so that no number is given twice. A call that others are merged into goes after them.
    let (calls_from, calls_until) = (OWN_CALLS.start, OWN_CALLS.end);
    let (tasks_from, tasks_until) = (OWN_TASKS.start, OWN_TASKS.end);
    let calls = format!(
        "WITH ended AS MATERIALIZED (
            SELECT c.id, c.joined FROM calls c WHERE c.phase NOT IN {OPEN} AND c.opened_ms < ?1
            AND NOT EXISTS (SELECT 1 FROM call_history h WHERE h.call = c.id AND h.time_ms >= ?1)
            AND c.id IS NOT (SELECT call FROM call_history ORDER BY rowid DESC LIMIT 1)
            AND c.id IS NOT (SELECT max(id) FROM calls WHERE id >= {calls_from} AND id < {calls_until}))
         SELECT id FROM ended
         WHERE (joined IS NULL OR joined IN (SELECT id FROM ended) OR joined NOT IN (SELECT id FROM calls))
         AND NOT EXISTS (SELECT 1 FROM calls j WHERE j.joined = ended.id AND j.id NOT IN (SELECT id FROM ended))
         ORDER BY joined IS NULL, id LIMIT ?2"
    );
    let tasks = format!(
        "SELECT id FROM roster_tasks t WHERE phase IN ('done', 'cancelled') AND raised_ms < ?1
         AND NOT EXISTS (SELECT 1 FROM roster_history h WHERE h.task = t.id AND h.time_ms >= ?1)
         AND id IS NOT (SELECT max(id) FROM roster_tasks WHERE id >= {tasks_from} AND id < {tasks_until})
         ORDER BY id LIMIT ?2"
    );
    let holds =
        "SELECT junction, time_ms FROM holds WHERE time_ms < ?1 AND until_ms < ?1 ORDER BY junction, time_ms LIMIT ?2";
    let ids = |sql: &str| -> Result<Vec<i64>, LedgerError> {
        Ok(db.prepare(sql)?.query_map([before_ms, most], |row| row.get(0))?.collect::<Result<_, _>>()?)
    };
    let pair = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let holds = db.prepare(holds)?.query_map([before_ms, most], pair)?.collect::<Result<_, _>>()?;
    let (calls, tasks) = (ids(&calls)?, ids(&tasks)?);
    Ok(Pruned { by: by.into(), before_ms, calls, tasks, holds, signals_before_ms: before_ms })
}

fn remove(to: &Transaction<'_>, pruned: &Pruned) -> Result<(), LedgerError> {
    for call in &pruned.calls {
        for table in ["call_history", "assignments", "acks", "escalations"] {
            to.prepare_cached(&format!("DELETE FROM {table} WHERE call = ?"))?.execute([call])?;
        }
        to.prepare_cached("DELETE FROM calls WHERE id = ?")?.execute([call])?;
    }
    for task in &pruned.tasks {
        to.prepare_cached("DELETE FROM roster_history WHERE task = ?")?.execute([task])?;
        to.prepare_cached("DELETE FROM roster_tasks WHERE id = ?")?.execute([task])?;
    }
    for (junction, time_ms) in &pruned.holds {
        to.prepare_cached("DELETE FROM holds WHERE junction = ? AND time_ms = ?")?
            .execute(params![junction, time_ms])?;
    }
    to.execute("DELETE FROM signal_commands WHERE from_ms < ?", [pruned.signals_before_ms])?;
    Ok(())
}

impl Pruned {
    fn is_empty(&self) -> bool {
        self.calls.is_empty() && self.tasks.is_empty() && self.holds.is_empty()
    }
}

/// The same in records of a size that can be read.
fn parts(pruned: &Pruned) -> Vec<Pruned> {
    let most = pruned.calls.len().max(pruned.tasks.len()).max(pruned.holds.len());
    let count = most.div_ceil(NAMED_AT_ONCE).max(1);
    let part = |n: usize| Pruned {
        by: pruned.by.clone(),
        before_ms: pruned.before_ms,
        calls: chunk(&pruned.calls, n),
        tasks: chunk(&pruned.tasks, n),
        holds: chunk(&pruned.holds, n),
        signals_before_ms: pruned.signals_before_ms,
    };
    (0..count).map(part).collect()
}

fn chunk<T: Clone>(all: &[T], n: usize) -> Vec<T> {
    all.chunks(NAMED_AT_ONCE).nth(n).unwrap_or_default().to_vec()
}
