//! Moves what is committed from the write-ahead log into the ledger's file, beside the thread that commits.
//!
//! SQLite would do it inside a commit as soon as the log has grown: some milliseconds in which an assignment is in the log but
//! its unit is not told. Here another connection does it, and only the beginning of a new log is left to the writer, once
//! that has grown large: by then nearly all of it has been moved.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use rusqlite::Connection;

use super::{LedgerError, disk};
use crate::fail;

/// Between two rounds.
const EVERY: Duration = Duration::from_millis(500);
/// Pages of the log from which on the writer itself sees to it that the log begins anew.
const WRITER_PAGES: i64 = 16_384;

/// The thread; it ends when this is dropped.
pub(super) struct Checkpoints {
    known: Arc<Known>,
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Whether a ledger is still believed: no sync of it has failed.
#[derive(Clone)]
pub struct Trust(Arc<Known>);

impl Trust {
    /// Whether it is. If not, nothing must be written to it by this process.
    pub fn holds(&self) -> bool {
        !self.0.is_lost()
    }

    /// Takes note of an error of somebody who writes beside the engine.
    pub fn hear(&self, error: &LedgerError) {
        if matches!(error, LedgerError::Sqlite(error) if disk::has_lost_writes(error)) {
            self.0.lost_writes.store(true, Ordering::Relaxed);
        }
    }
}

/// What the rounds have found.
#[derive(Default)]
struct Known {
    log_pages: AtomicI64,
    /// A sync failed: there are no more rounds.
    lost_writes: AtomicBool,
}

impl Checkpoints {
    /// Takes the work over from the writer `db` of the ledger at `path`.
    pub(super) fn beside(db: &Connection, path: &Path) -> Result<Checkpoints, LedgerError> {
        // By itself SQLite would tell nobody that one of these failed.
        db.pragma_update(None, "wal_autocheckpoint", 0)?;
        let (own, (stop, stopped)) = (Connection::open(path)?, bounded::<()>(0));
        own.pragma_update(None, "wal_autocheckpoint", 0)?;
        disk::keep_log_when_closed(&own)?;
        let known = Arc::<Known>::default();
        let rounds = {
            let known = Arc::clone(&known);
            move || {
                while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) && !known.is_lost() {
                    fail::point("checkpoint.before");
                    // Whoever reads an old page, or writes, is not waited for: the next round moves the rest. So it is with
                    // errors other than a sync's: nothing counts as moved then.
                    let _the_next_round_tries_again = known.take(round(&own));
                    fail::point("checkpoint.after");
                }
            }
        };
        let failed = |source| LedgerError::File { path: path.into(), source };
        let thread = std::thread::Builder::new().name("checkpoint".into()).spawn(rounds).map_err(failed)?;
        Ok(Checkpoints { known, stop: Some(stop), thread: Some(thread) })
    }

    /// Whether pages that were moved may be lost.
    pub(super) fn lost_writes(&self) -> bool {
        self.known.is_lost()
    }

    pub(super) fn trust(&self) -> Trust {
        Trust(Arc::clone(&self.known))
    }

    /// No more rounds, for the writer has lost something.
    pub(super) fn end_rounds(&self) {
        self.known.lost_writes.store(true, Ordering::Relaxed);
    }

    /// The writer's own round, between two of its commits: only then is nothing behind it, so that the log can begin anew.
    pub(super) fn by_writer(&self, db: &Connection) {
        if self.known.log_pages.load(Ordering::Relaxed) > WRITER_PAGES {
            let _what_is_lost_is_noted = self.known.take(round(db));
        }
    }
}

impl Known {
    fn is_lost(&self) -> bool {
        self.lost_writes.load(Ordering::Relaxed)
    }

    fn take(&self, round: rusqlite::Result<i64>) -> rusqlite::Result<()> {
        match round {
            Ok(pages) => self.log_pages.store(pages, Ordering::Relaxed),
            Err(error) => {
                if disk::has_lost_writes(&error) {
                    self.lost_writes.store(true, Ordering::Relaxed);
                    tracing::error!(%error, "the ledger's file could not be synced");
                }
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Pages that the log has.
fn round(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(1))
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
