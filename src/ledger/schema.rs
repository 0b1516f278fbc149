//! The tables.

use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::LedgerError;

/// Version of the tables below.
pub(crate) const VERSION: i64 = 9;

const TABLES: &str = "
    -- `last_tick`, `city`: the fingerprint of the city that the numbers here are of; `audit_seq` and `audit_hash`: the last
    -- record of the audit log, and the first eight bytes of its hash.
    CREATE TABLE meta (key TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    -- What is known of a call now; `content` is the hash of what its sender sent first, `key` the sender's key for it,
    -- `caller` a pseudonym, `pictures` a JSON list of references, `needs_skills` one of words, `rule` how its words were
    -- understood as JSON, else empty; `joined` the call that it was merged into; `withdrawn`: by its caller, though it goes
    -- on for others.
    CREATE TABLE calls (
        id INTEGER PRIMARY KEY, opened_ms INTEGER NOT NULL, priority TEXT NOT NULL, category TEXT NOT NULL,
        x_mm INTEGER NOT NULL, y_mm INTEGER NOT NULL, grid INTEGER NOT NULL,
        words TEXT NOT NULL, channel TEXT NOT NULL, content BLOB NOT NULL,
        phase TEXT NOT NULL, attempt INTEGER, unit INTEGER, tick INTEGER NOT NULL,
        key TEXT NOT NULL DEFAULT '', caller TEXT NOT NULL DEFAULT '', pictures TEXT NOT NULL DEFAULT '[]',
        needs_units INTEGER NOT NULL DEFAULT 1, needs_skills TEXT NOT NULL DEFAULT '[]', rule TEXT NOT NULL DEFAULT '',
        joined INTEGER, withdrawn INTEGER NOT NULL DEFAULT 0) STRICT;
    CREATE INDEX calls_by_phase ON calls (phase);
    CREATE INDEX calls_by_key ON calls (key) WHERE key <> '';
    CREATE INDEX calls_by_joined ON calls (joined) WHERE joined IS NOT NULL;
    CREATE INDEX calls_by_opened ON calls (opened_ms);
    -- A phase that it reached, or something about it that changed. `reason` is why it was closed, where its unit did not
    -- say so, else empty; `changed` is what became of it as JSON, else empty; `note` why, as somebody said.
    CREATE TABLE call_history (
        call INTEGER NOT NULL, time_ms INTEGER NOT NULL, phase TEXT NOT NULL, attempt INTEGER, unit INTEGER,
        reason TEXT NOT NULL DEFAULT '', changed TEXT NOT NULL DEFAULT '', note TEXT NOT NULL DEFAULT '') STRICT;
    CREATE INDEX call_history_by_call ON call_history (call);
    -- `phase` is assigned, accepted, arrived or ended; `ended` says why, else it is empty.
    CREATE TABLE assignments (
        call INTEGER NOT NULL, attempt INTEGER NOT NULL, unit INTEGER NOT NULL, time_ms INTEGER NOT NULL,
        priority TEXT NOT NULL, eta_ms INTEGER NOT NULL, candidates TEXT NOT NULL, reason TEXT NOT NULL,
        phase TEXT NOT NULL DEFAULT 'assigned', ended TEXT NOT NULL DEFAULT '', ended_ms INTEGER,
        PRIMARY KEY (call, attempt)) STRICT, WITHOUT ROWID;
    CREATE INDEX assignments_by_time ON assignments (time_ms);
    -- Who had to be told that a call was not served as it should be.
    CREATE TABLE escalations (
        call INTEGER NOT NULL, time_ms INTEGER NOT NULL, step TEXT NOT NULL, why TEXT NOT NULL,
        attempt INTEGER, unit INTEGER) STRICT;
    CREATE INDEX escalations_by_call ON escalations (call);
    -- `refused` is empty where the answer was taken.
    CREATE TABLE acks (
        time_ms INTEGER NOT NULL, call INTEGER NOT NULL, attempt INTEGER NOT NULL, unit INTEGER NOT NULL,
        answer TEXT NOT NULL, refused TEXT NOT NULL) STRICT;
    CREATE INDEX acks_by_call ON acks (call);
    -- Postcard lists of SignalCommand.
    CREATE TABLE signal_commands (from_ms INTEGER NOT NULL, commands BLOB NOT NULL) STRICT;
    CREATE INDEX signal_commands_by_time ON signal_commands (from_ms);
    -- How far each partition of each topic is taken: the next offset.
    CREATE TABLE offsets (
        topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
        PRIMARY KEY (topic, partition)) STRICT, WITHOUT ROWID;
    -- Words on stages held; without a stage what was held ended.
    CREATE TABLE holds (
        junction INTEGER NOT NULL, time_ms INTEGER NOT NULL, stage INTEGER, until_ms INTEGER NOT NULL, by TEXT NOT NULL,
        PRIMARY KEY (junction, time_ms)) STRICT, WITHOUT ROWID;
";

/// Of rosters. Who and what is named, so that a roster may get other rows; the empty name is nobody and nothing.
const ROSTER_TABLES: &str = "
    -- `passed_over` is a JSON list of names with times; words and pictures as those of calls.
    CREATE TABLE roster_tasks (
        id INTEGER PRIMARY KEY, roster TEXT NOT NULL, kind TEXT NOT NULL, point TEXT NOT NULL,
        x_mm INTEGER NOT NULL, y_mm INTEGER NOT NULL, raised_ms INTEGER NOT NULL, phase TEXT NOT NULL,
        person TEXT NOT NULL, attempt INTEGER NOT NULL, rung INTEGER NOT NULL, rung_since_ms INTEGER NOT NULL,
        accept_by_ms INTEGER NOT NULL, done_by_ms INTEGER NOT NULL, overdue INTEGER NOT NULL,
        reports INTEGER NOT NULL, passed_over TEXT NOT NULL, words TEXT NOT NULL, channel TEXT NOT NULL,
        caller TEXT NOT NULL, pictures TEXT NOT NULL, key TEXT NOT NULL) STRICT;
    CREATE INDEX roster_tasks_by_phase ON roster_tasks (roster, phase);
    -- What was said of a task, and of whom it was chosen: a JSON list of name, travel time in ms, tasks.
    CREATE TABLE roster_history (
        task INTEGER NOT NULL, time_ms INTEGER NOT NULL, phase TEXT NOT NULL, person TEXT NOT NULL,
        attempt INTEGER NOT NULL, reason TEXT NOT NULL, candidates TEXT NOT NULL) STRICT;
    CREATE INDEX roster_history_by_task ON roster_history (task);
    CREATE TABLE roster_duties (
        roster TEXT NOT NULL, role TEXT NOT NULL, point TEXT NOT NULL, person TEXT NOT NULL, handed INTEGER NOT NULL,
        PRIMARY KEY (roster, role, point)) STRICT, WITHOUT ROWID;
    CREATE TABLE roster_absences (
        roster TEXT NOT NULL, person TEXT NOT NULL, from_ms INTEGER NOT NULL, until_ms INTEGER NOT NULL,
        PRIMARY KEY (roster, person)) STRICT, WITHOUT ROWID;
";

/// The audit log: a chain of hashes. `body` is JSON, `hash` over the record and the hash before it. It is also made anew where
/// somebody has removed it: calls have to be taken, and that it is missing is known by what is noted of its end.
macro_rules! audit_table {
    () => {
        "CREATE TABLE IF NOT EXISTS audit (
            seq INTEGER PRIMARY KEY, tick INTEGER NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL, hash BLOB NOT NULL)
            STRICT;"
    };
}

/// The same in a ledger that has had none, with its end noted.
const AUDIT_BEGUN: &str =
    concat!(audit_table!(), "INSERT OR REPLACE INTO meta VALUES ('audit_seq', 0), ('audit_hash', 0);");

/// From version 1 to 2, from 2 to 3, and so on.
const STEPS: [&str; VERSION as usize - 1] = [
    "ALTER TABLE call_history ADD COLUMN reason TEXT NOT NULL DEFAULT '';",
    "ALTER TABLE call_history ADD COLUMN changed TEXT NOT NULL DEFAULT '';",
    "ALTER TABLE calls ADD COLUMN key TEXT NOT NULL DEFAULT '';
     ALTER TABLE calls ADD COLUMN caller TEXT NOT NULL DEFAULT '';
     ALTER TABLE calls ADD COLUMN pictures TEXT NOT NULL DEFAULT '[]';
     CREATE INDEX calls_by_key ON calls (key) WHERE key <> '';",
    "CREATE INDEX assignments_by_time ON assignments (time_ms);
     CREATE TABLE offsets (
        topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL,
        PRIMARY KEY (topic, partition)) STRICT, WITHOUT ROWID;",
    "CREATE TABLE holds (
        junction INTEGER NOT NULL, time_ms INTEGER NOT NULL, stage INTEGER, until_ms INTEGER NOT NULL, by TEXT NOT NULL,
        PRIMARY KEY (junction, time_ms)) STRICT, WITHOUT ROWID;",
    "ALTER TABLE assignments ADD COLUMN phase TEXT NOT NULL DEFAULT 'ended';
     ALTER TABLE assignments ADD COLUMN ended TEXT NOT NULL DEFAULT '';
     ALTER TABLE assignments ADD COLUMN ended_ms INTEGER;
     UPDATE assignments SET phase = (SELECT c.phase FROM calls c WHERE c.id = call AND c.attempt = assignments.attempt)
     WHERE EXISTS (SELECT 1 FROM calls c WHERE c.id = call AND c.attempt = assignments.attempt
                   AND c.phase IN ('assigned', 'accepted', 'arrived'));
     CREATE TABLE escalations (
        call INTEGER NOT NULL, time_ms INTEGER NOT NULL, step TEXT NOT NULL, why TEXT NOT NULL,
        attempt INTEGER, unit INTEGER) STRICT;
     CREATE INDEX escalations_by_call ON escalations (call);
     ALTER TABLE calls ADD COLUMN needs_units INTEGER NOT NULL DEFAULT 1;
     ALTER TABLE calls ADD COLUMN needs_skills TEXT NOT NULL DEFAULT '[]';
     ALTER TABLE calls ADD COLUMN rule TEXT NOT NULL DEFAULT '';
     ALTER TABLE calls ADD COLUMN joined INTEGER;
     ALTER TABLE calls ADD COLUMN withdrawn INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE call_history ADD COLUMN note TEXT NOT NULL DEFAULT '';
     CREATE INDEX calls_by_joined ON calls (joined) WHERE joined IS NOT NULL;
     CREATE INDEX calls_by_opened ON calls (opened_ms);",
    ROSTER_TABLES,
    AUDIT_BEGUN,
];

/// Sets the connection up, makes the tables in a new file and brings those of an older one up to date.
pub(super) fn prepare(db: &Connection, path: &Path) -> Result<(), LedgerError> {
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    // What is moved or removed leaves no copy on the pages that are written anyway.
    db.pragma_update(None, "secure_delete", "FAST")?;
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    db.set_prepared_statement_cache_capacity(64);
    let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found == 0 && is_empty(db)? {
        return Ok(db.execute_batch(&format!(
            "BEGIN; {TABLES} {ROSTER_TABLES} {AUDIT_BEGUN} PRAGMA user_version = {VERSION}; COMMIT;"
        ))?);
    }
    match found {
        VERSION => Ok(db.execute_batch(audit_table!())?),
        1..VERSION => {
            let steps = STEPS[found as usize - 1..].concat();
            Ok(db.execute_batch(&format!("BEGIN; {steps} PRAGMA user_version = {VERSION}; COMMIT;"))?)
        }
        _ => Err(LedgerError::Version { path: path.into(), found, wanted: VERSION }),
    }
}

/// The same for a connection beside an engine, which may be of another version: it changes no tables.
pub(super) fn prepare_beside(db: &Connection, path: &Path) -> Result<(), LedgerError> {
    let found: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    if found == VERSION { prepare(db, path) } else { Err(LedgerError::Beside { path: path.into(), found }) }
}

/// What somebody has put into the ledger that acts by itself when the engine writes.
pub(super) fn foreign(db: &Connection) -> Result<Vec<(String, String)>, LedgerError> {
    let mut statement = db.prepare("SELECT type, name FROM sqlite_master WHERE type IN ('trigger', 'view')")?;
    Ok(statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?)
}

/// Takes that away: calls would be lost by it.
pub(super) fn drop_foreign(db: &Connection) -> Result<(), LedgerError> {
    for (kind, name) in foreign(db)? {
        tracing::error!(kind, name, "somebody has put this into the ledger: it is taken away");
        db.execute_batch(&format!("DROP {kind} \"{}\"", name.replace('"', "\"\"")))?;
    }
    Ok(())
}

fn is_empty(db: &Connection) -> Result<bool, LedgerError> {
    Ok(db.query_row("SELECT 1 FROM sqlite_master LIMIT 1", [], |_| Ok(())).optional()?.is_none())
}
