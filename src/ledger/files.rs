//! Whether the ledger is still what its path names. A cleaner of temporary files or a wrong `rm` takes only the name away:
//! the process goes on writing to a file that ends with it, and SQLite does not tell. So the names are looked at.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use super::LedgerError;
use crate::clock::wall_ms;

/// A file on a device, whatever its name.
type Identity = (u64, u64);

/// The ledger's file and its log of changes, which holds the latest commits, as they were when they were opened.
pub(super) struct Files {
    path: PathBuf,
    opened: Vec<(PathBuf, Identity)>,
    /// Where all was saved when the names were found gone, or why it could not be.
    saved: Option<Result<PathBuf, String>>,
}

impl Files {
    /// Those that `db`, opened at `path`, has: it must have read or written something, so that its log is there.
    pub(super) fn of(path: &Path) -> Result<Files, LedgerError> {
        let mut log = path.as_os_str().to_owned();
        log.push("-wal");
        let identified = |path: PathBuf| match identity(&path) {
            Ok(identity) => Ok((path, identity)),
            Err(source) => Err(LedgerError::File { path, source }),
        };
        let opened = [path.to_owned(), log.into()].into_iter().map(identified).collect::<Result<_, _>>()?;
        Ok(Files { path: path.into(), opened, saved: None })
    }

    /// An error when a name stands for another file, or for none. All that is in the ledger is then saved beside it, once.
    pub(super) fn check(&mut self, db: &Connection) -> Result<(), LedgerError> {
        if self.opened.iter().all(|(path, known)| identity(path).is_ok_and(|now| now == *known)) {
            // It was put back: should it go again, there is more to save.
            self.saved = None;
            return Ok(());
        }
        let path = self.path.clone();
        let saved = self.saved.get_or_insert_with(|| save(db, &path));
        Err(LedgerError::Gone { what_to_do: what_to_do(&path, saved), path })
    }
}

fn identity(path: &Path) -> std::io::Result<Identity> {
    std::fs::metadata(path).map(|file| (file.dev(), file.ino()))
}

/// Writes all that is in the ledger to a new file beside it. The connection still reads what has no name any more.
fn save(db: &Connection, path: &Path) -> Result<PathBuf, String> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(format!("-saved-{}", wall_ms()));
    let beside = PathBuf::from(beside);
    let done = db.execute("VACUUM INTO ?", [beside.to_string_lossy()]);
    done.map(|_| beside).map_err(|error| error.to_string())
}

fn what_to_do(path: &Path, saved: &Result<PathBuf, String>) -> String {
    let path = path.display();
    match saved {
        Ok(copy) => format!(
            "all that was accepted is saved in {0}: put the ledger back, or end this engine, remove {path}-wal and \
             {path}-shm, rename {0} to {path}, and start it again",
            copy.display()
        ),
        Err(why) => format!(
            "what was accepted could not be saved ({why}) and ends with this engine: put the ledger back, or copy it and \
             its -wal from /proc/{}/fd before you end it",
            std::process::id()
        ),
    }
}
