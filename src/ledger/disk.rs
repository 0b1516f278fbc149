//! What an error of the disk means, and whether the disk works.
//!
//! When a sync fails, Linux tells it once for each open file and takes the pages that it could not write for clean: the next
//! sync succeeds without having written them. So a ledger whose sync failed is believed no more. Nothing is written by this
//! process to it, nothing is moved into its file and no log is begun anew; when the disk works, the process ends, and the next
//! one takes the log for all that it holds and writes every page of it again (docs/faults.md).
//!
//! Every other error (no room, read only, a write that fails) is told before anything was taken for written, and is tried
//! again.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ffi};

use super::LedgerError;

/// Whether an error says that what was taken for written may be lost.
pub(super) fn has_lost_writes(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map(|error| error.extended_code);
    matches!(code, Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC))
}

/// The last connection that closes would move the log into the file and remove it: also one of which that must not be
/// believed. So none does; who ends in good order moves it before.
pub(super) fn keep_log_when_closed(db: &Connection) -> Result<(), LedgerError> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    Ok(())
}

/// Moves all of the log into the file and empties it: at the start, when every page of it is written again, and at the end.
pub(super) fn fold(db: &Connection) -> Result<(), LedgerError> {
    // Somebody who reads an old page meanwhile only has the log live on.
    db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

/// Writes and syncs a small file beside the ledger, and takes it away: whether the disk works again.
pub(super) fn try_out(ledger: &Path) -> std::io::Result<()> {
    let mut name = ledger.as_os_str().to_owned();
    name.push("-probe");
    let path = PathBuf::from(name);
    let mut file = File::create(&path)?;
    file.write_all(&[0; 4096])?;
    file.sync_all()?;
    std::fs::remove_file(&path)
}
