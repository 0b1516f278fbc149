//! The durable book of the city: calls and their history, assignments, answers, signal commands. One SQLite file (WAL,
//! `synchronous=FULL`), one writing thread.
//!
//! Why a call is never lost, and no order goes out that the book does not know:
//! - A tick comes here with its durable inputs (calls, answers) and all that it brought out. Both go into **one
//!   transaction**. Ticks that queued up while the disk was busy share a transaction: their order stays.
//! - Only after that transaction is on the disk does the tick go on to the sinks. A sink answers `POST /calls` with
//!   "accepted", another pushes the assignment to its terminal. So whoever saw "accepted" has a call in the book, and
//!   an assignment that reached a unit is in the book, through the same commit.
//! - A crash before the commit: nobody was told anything, the caller gets no answer and sends again (with its own `id`
//!   a call sent twice stays one). A crash after it: at the next start [`Ledger::open_calls`] and
//!   [`Ledger::assignments_in_force`] go back through the door as facts, and what is in force is pushed again when its
//!   terminal connects, under the same assignment ID.
//! - A commit that fails (disk full, I/O error) changes nothing and tells nobody: the keeper logs it, turns `/healthz`
//!   to 503, has new calls refused at once (the caller must take another way), and tries the same ticks again until it
//!   works. Meanwhile ticks queue up; when the queue is full the door closes no more, and the engine stands still.
//! - A sync that fails is never tried again, for the next one would succeed without having written what was lost: this
//!   process writes no more, and ends when the disk works again (docs/faults.md).
//! - A ledger whose file was removed or replaced under the running engine counts as one that fails: its names are looked at
//!   before each transaction and once more after it, before anybody is told. All that was accepted is saved beside it.
//!
//! Signal commands promise nothing to anybody: they have left by the [`Street`](crate::publish::Street) before their tick
//! comes here, and are written afterwards, with the next transaction or after a second, so that they do not cost a sync
//! each. While commits fail they go on as long as ticks do. Then each controller holds what it shows, and runs its own plan
//! when it has heard nothing for minutes; when commits work again, new ticks decide for the city as it is by then, and
//! nothing old is sent.
//!
//! How far topics are read goes with what was read, in its transaction. Of ticks that hold nothing durable it waits as
//! signal commands do: after a crash at most a second of sensor events is read again.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nanming_dataflows::Time;
use nanming_dataflows::decision::SignalCommand;
use nanming_dataflows::event::{RosterChange, RosterEvent};
use nanming_dataflows::network::City;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::door::TickRecord;
use crate::fail;
use crate::offsets::Offsets;

pub mod audit;
mod book;
pub mod check;
mod checkpoint;
mod disk;
pub mod export;
mod files;
mod keeper;
pub mod lookups;
mod outbox;
pub mod prune;
pub(crate) mod refusals;
mod responses;
mod restart;
mod roster;
mod schema;
mod story;
mod tasks;
mod text;
mod write;

use audit::Head;
use audit::roots::Roots;
use audit::rows::Ends;
use audit::taken::Stretch;
pub use book::{Book, CallPage, Changed, HistoryLine, Joined};
use checkpoint::Checkpoints;
pub use checkpoint::Trust;
use files::Files;
pub use keeper::{Keeper, Kept, keep};
pub use outbox::{Assigned, Step};
pub use responses::Response;
pub use restart::InForce;
use roster::Roster;
pub(crate) use schema::VERSION;
pub use story::{Attempt, Escalated, Heard};
pub use tasks::{RestoredRosters, TaskWord};

/// Signal commands and offsets wait so long for a transaction to ride with.
const RIDES_WAIT: Duration = Duration::from_secs(1);

/// What goes wrong with the ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// SQLite says no.
    #[error("ledger: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file cannot be made or locked.
    #[error("ledger {path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another process writes it.
    #[error("ledger {0} is in use by another nanming; give this one its own with --ledger FILE")]
    InUse(PathBuf),
    /// It was written by another version.
    #[error("ledger {path} has schema version {found}, this nanming writes {wanted}; move it away or use that version")]
    Version {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        wanted: i64,
    },
    /// It is to be brought up to date first, or was written by a newer version.
    #[error(
        "ledger {path} has schema version {found}, which is not that of this nanming: start the engine of this version on it once, \
         or use the version that wrote it"
    )]
    Beside {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: i64,
    },
    /// It was written for another city.
    #[error(
        "ledger {0} is of another city, or of this one before its grids or units were changed: its calls would come to \
         wrong places and people; give this city its own with --ledger FILE"
    )]
    OtherCity(PathBuf),
    /// Its file was removed, moved or replaced while it was in use.
    #[error("ledger {path} was removed, moved or replaced while it is in use, so calls are refused; {what_to_do}")]
    Gone {
        /// Which file.
        path: PathBuf,
        /// How nothing is lost.
        what_to_do: String,
    },
    /// A sync failed: what the system took for written may be lost.
    #[error(
        "ledger {0}: the disk could not write what it had taken; this engine writes to it no more, and ends when the disk works, \
         so that the next start takes all up from the ledger's log"
    )]
    Distrusted(PathBuf),
    /// A value in it makes no sense.
    #[error("ledger: {0}")]
    Corrupt(String),
}

/// The writing end. One process at a time has it: a lock file beside it sees to that.
pub struct Ledger {
    _roots: Roots,
    path: PathBuf,
    checkpoints: Checkpoints,
    db: Connection,
    files: Files,
    roster: Roster,
    /// By whose names it knows tasks and persons.
    rosters: Vec<nanming_dataflows::network::Roster>,
    /// The last tick of the last transaction.
    written: Option<Time>,
    /// The end of the audit log after that.
    audit: Head,
    /// Time spent on the audit log.
    audit_took: Duration,
    conflicts: u64,
    signals_keep_ms: u64,
    signals: Vec<SignalCommand>,
    /// What the door took since the audit log last told of it.
    taken: Stretch,
    offsets: Offsets,
    /// Since when some of these wait.
    waiting_since: Option<Instant>,
    _lock: File,
}

impl Ledger {
    /// Opens or makes the ledger of `city` at `path`; signal commands older than `signal_hours` of city time go.
    pub fn open(path: &Path, signal_hours: u64, city: &City) -> Result<Ledger, LedgerError> {
        // A name that leads to another is not what SQLite's own files go by.
        let real = std::fs::canonicalize(path);
        let path = real.as_deref().unwrap_or(path);
        let lock = lock(path)?;
        let db = Connection::open(path)?;
        schema::prepare(&db, path)?;
        disk::keep_log_when_closed(&db)?;
        disk::fold(&db)?;
        let mut ledger = Ledger {
            files: Files::of(path)?,
            _roots: Roots::beside(path, city.utc_offset_min)?,
            path: path.into(),
            checkpoints: Checkpoints::beside(&db, path)?,
            db,
            roster: Roster::of(city)?,
            rosters: city.rosters.clone(),
            written: None,
            audit: Head::default(),
            audit_took: Duration::ZERO,
            conflicts: 0,
            signals_keep_ms: signal_hours * 3_600_000,
            signals: Vec::new(),
            taken: Stretch::default(),
            offsets: Offsets::default(),
            waiting_since: None,
            _lock: lock,
        };
        ledger.claim(path)?;
        schema::drop_foreign(&ledger.db)?;
        ledger.audit = audit::start(&mut ledger.db, ledger.roster.fingerprint)?;
        Ok(ledger)
    }

    /// Sees to it that the ledger is this city's. One that nobody has claimed, new or of an older version, becomes so.
    fn claim(&self, path: &Path) -> Result<(), LedgerError> {
        let other = || LedgerError::OtherCity(path.into());
        match self.meta("city")? {
            Some(fingerprint) if fingerprint == self.roster.fingerprint => return Ok(()),
            Some(_) => return Err(other()),
            None => {}
        }
        self.open_calls().map_err(|error| if let LedgerError::Corrupt(_) = error { other() } else { error })?;
        self.db.execute("INSERT INTO meta VALUES ('city', ?)", [self.roster.fingerprint])?;
        Ok(())
    }

    /// Writes these ticks, in order, in one transaction, if any of them has something durable. On an error nobody may be told
    /// of them, and the same ticks may be given again: each is written once. Whether anything was written.
    pub fn commit(&mut self, records: &[TickRecord]) -> Result<bool, LedgerError> {
        self.is_trusted()?;
        let done = self.write(records);
        if done.as_ref().is_ok_and(|wrote| *wrote) {
            self.checkpoints.by_writer(&self.db);
        }
        self.judged(done)
    }

    /// Whether a sync has failed: nothing is written to it any more then.
    pub fn is_distrusted(&self) -> bool {
        self.checkpoints.lost_writes()
    }

    /// What others who write beside it, in this process, must know of it.
    pub fn trust(&self) -> Trust {
        self.checkpoints.trust()
    }

    fn is_trusted(&self) -> Result<(), LedgerError> {
        if self.is_distrusted() { Err(LedgerError::Distrusted(self.path.clone())) } else { Ok(()) }
    }

    /// What came of writing; where a sync failed, nothing is believed from then on.
    fn judged<T>(&self, done: Result<T, LedgerError>) -> Result<T, LedgerError> {
        match done {
            Err(LedgerError::Sqlite(error)) if disk::has_lost_writes(&error) => {
                tracing::error!(%error, "the ledger's log could not be synced");
                self.checkpoints.end_rounds();
                Err(LedgerError::Distrusted(self.path.clone()))
            }
            done => done,
        }
    }

    /// Whether its disk takes a file and syncs it.
    pub(crate) fn try_disk(&self) -> std::io::Result<()> {
        disk::try_out(&self.path)
    }

    fn write(&mut self, records: &[TickRecord]) -> Result<bool, LedgerError> {
        self.files.check(&self.db)?;
        let new = || records.iter().filter(|r| self.written.is_none_or(|written| written < r.tick));
        let commands = || new().flat_map(|r| &r.decisions.commands);
        let (mut read, mut taken) = (self.offsets.clone(), self.taken);
        new().for_each(|record| {
            read.absorb(&record.offsets);
            taken.absorb(record);
        });
        let due = taken.is_due() || self.waiting_since.is_some_and(|since| since.elapsed() >= RIDES_WAIT);
        if !due && !new().any(is_durable) {
            let commands: Vec<SignalCommand> = commands().cloned().collect();
            self.signals.extend(commands);
            (self.offsets, self.taken) = (read, taken);
            let some_wait = !(self.signals.is_empty() && self.offsets.is_empty());
            self.waiting_since = self.waiting_since.or(some_wait.then(Instant::now));
            return Ok(false);
        }
        fail::point("ledger.before_begin");
        // Lookups and what retention removes write too, in transactions of their own: it is waited for those first.
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        fail::point("ledger.after_begin");
        let (mut conflicts, mut audit) = (0, Audit::of(&transaction, self.audit)?);
        for record in new().filter(|r| is_durable(r)) {
            let ends = audit.timed(|_| Ends::of(&transaction))?;
            conflicts += write::tick(&transaction, record)?;
            tasks::write(&transaction, &self.rosters, record)?;
            fail::point("ledger.after_rosters");
            audit.timed(|head| audit::told::tick(&transaction, head, ends, &self.rosters, record))?;
        }
        let mut last = new().next_back().map(|record| record.tick);
        let wrote = write::signals(&transaction, self.signals.iter().chain(commands()), self.signals_keep_ms)?;
        audit.timed(|head| audit::told::signals(&transaction, head, wrote, last))?;
        if taken.goes_with(new().any(is_durable)) {
            // Behind all that the chain tells of an engine begins that starts next.
            last = audit.timed(|head| taken.append(&transaction, head))?.or(last);
        }
        fail::point("ledger.after_signals");
        write::offsets(&transaction, &read)?;
        fail::point("ledger.after_offsets");
        last.map_or(Ok(()), |tick| write::last_tick(&transaction, tick))?;
        audit.timed(|head| head.note(&transaction))?;
        fail::point("ledger.before_commit");
        transaction.commit()?;
        fail::point("ledger.after_commit");
        (self.audit, self.audit_took, self.taken) = (audit.head, self.audit_took + audit.took, taken);
        self.written = last.or(self.written);
        self.conflicts += conflicts;
        self.signals.clear();
        self.offsets.clear();
        self.waiting_since = None;
        self.files.check(&self.db)?;
        Ok(true)
    }

    /// Rows that took the place of others since this was last asked: calls or assignments whose IDs were given twice.
    pub fn take_conflicts(&mut self) -> u64 {
        std::mem::take(&mut self.conflicts)
    }

    /// Time spent on the audit log since this was last asked.
    pub fn take_audit_took(&mut self) -> Duration {
        std::mem::take(&mut self.audit_took)
    }

    /// Writes signal commands and offsets that still wait, and leaves one file: before the end.
    pub fn flush(&mut self) -> Result<(), LedgerError> {
        self.is_trusted()?;
        let done = self.write_waiting().and_then(|()| disk::fold(&self.db));
        self.judged(done)
    }

    fn write_waiting(&mut self) -> Result<(), LedgerError> {
        self.files.check(&self.db)?;
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let mut head = Head::after(&transaction, self.audit)?;
        let wrote = write::signals(&transaction, self.signals.iter(), self.signals_keep_ms)?;
        audit::told::signals(&transaction, &mut head, wrote, self.written)?;
        let mut taken = self.taken;
        let last = taken.append(&transaction, &mut head)?.or(self.written);
        last.map_or(Ok(()), |tick| write::last_tick(&transaction, tick))?;
        write::offsets(&transaction, &self.offsets)?;
        head.note(&transaction)?;
        transaction.commit()?;
        (self.audit, self.taken, self.written) = (head, taken, last);
        self.signals.clear();
        self.offsets.clear();
        Ok(())
    }
}

/// The audit log within a transaction: what it becomes counts once that is committed.
struct Audit {
    head: Head,
    took: Duration,
}

impl Audit {
    fn of(transaction: &Transaction<'_>, known: Head) -> Result<Audit, LedgerError> {
        let began = Instant::now();
        Ok(Audit { head: Head::after(transaction, known)?, took: began.elapsed() })
    }

    fn timed<T>(&mut self, work: impl FnOnce(&mut Head) -> Result<T, LedgerError>) -> Result<T, LedgerError> {
        let began = Instant::now();
        let done = work(&mut self.head);
        self.took += began.elapsed();
        done
    }
}

/// Whether a tick holds what somebody waits for, so that it must be on the disk before anybody is told.
fn is_durable(record: &TickRecord) -> bool {
    let d = &record.decisions;
    let silent = record.calls.is_empty() && record.acks.is_empty() && record.holds.is_empty();
    // Where a person is changes by itself, and is kept by nobody.
    let is_word = |event: &RosterEvent| !matches!(event.change, RosterChange::Here(..));
    !(silent
        && !record.rosters.iter().any(is_word)
        && d.assignments.is_empty()
        && d.merges.is_empty()
        && d.calls.is_empty()
        && d.assignment_statuses.is_empty()
        && d.escalations.is_empty()
        && d.rosters.is_empty())
}

fn lock(path: &Path) -> Result<File, LedgerError> {
    let failed = |source| LedgerError::File { path: path.into(), source };
    if let Some(parent) = path.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    let mut name = path.as_os_str().to_owned();
    name.push("-lock");
    let file = File::create(PathBuf::from(name)).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(LedgerError::InUse(path.into())),
        Err(std::fs::TryLockError::Error(source)) => Err(failed(source)),
    }
}

/// A connection that writes beside an engine, which may be of another version, to a file that is there: one that was removed is
/// not made anew. A chain that is not there yet is begun.
fn open_beside(path: &Path) -> Result<Connection, LedgerError> {
    open_prepared(path, schema::prepare_beside)
}

/// The same for who holds the lock: the file is brought up to date.
fn open_alone(path: &Path) -> Result<Connection, LedgerError> {
    open_prepared(path, schema::prepare)
}

fn open_prepared(
    path: &Path,
    prepare: fn(&Connection, &Path) -> Result<(), LedgerError>,
) -> Result<Connection, LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut db = Connection::open_with_flags(path, flags)?;
    prepare(&db, path)?;
    // What is committed is moved by whoever is told when that fails: the engine.
    db.pragma_update(None, "wal_autocheckpoint", 0)?;
    disk::keep_log_when_closed(&db)?;
    audit::adopt(&mut db)?;
    Ok(db)
}

/// A connection that only reads.
pub fn open_read_only(path: &Path) -> Result<Connection, LedgerError> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    db.busy_timeout(Duration::from_secs(2))?;
    Ok(db)
}

#[cfg(test)]
pub(crate) mod tests;
