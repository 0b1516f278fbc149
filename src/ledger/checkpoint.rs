//! Moves what is committed from the write-ahead log into the ledger's file, beside the thread that commits.
//!
//! SQLite would do it inside a commit as soon as the log has grown: some milliseconds in which an assignment is in the log but
//! its unit is not told. Here another connection does it, and only the beginning of a new log is left to the writer, once
//! that has grown large: by then nearly all of it has been moved.

use std::path::Path;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, Sender, bounded};
use rusqlite::Connection;

use super::LedgerError;

/// Between two rounds.
const EVERY: Duration = Duration::from_millis(500);
/// Pages of the log from which on the writer itself sees to it that the log begins anew.
const WRITER_PAGES: u32 = 16_384;

/// The thread; it ends when this is dropped.
pub(super) struct Checkpoints {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Takes the work over from the writer `db` of the ledger at `path`.
    pub(super) fn beside(db: &Connection, path: &Path) -> Result<Checkpoints, LedgerError> {
        db.pragma_update(None, "wal_autocheckpoint", WRITER_PAGES)?;
        let (own, (stop, stopped)) = (Connection::open(path)?, bounded::<()>(0));
        let rounds = move || {
            while stopped.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
                // Whoever reads an old page, or writes, is not waited for: the next round moves the rest. A disk that fails
                // fails the writer as well, and that one is heard.
                let _ = own.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            }
        };
        let failed = |source| LedgerError::File { path: path.into(), source };
        let thread = std::thread::Builder::new().name("checkpoint".into()).spawn(rounds).map_err(failed)?;
        Ok(Checkpoints { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}
