//! Lines of a file of decisions, and of the one that was put aside before it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::DiffError;

/// A line is never longer, bytes.
const LONGEST: u64 = 1 << 20;

/// The lines, one ahead.
pub(super) struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead>,
    number: u64,
    /// The next one; empty at the end.
    pub(super) next: Vec<u8>,
}

impl Lines {
    pub(super) fn open(path: &Path) -> Result<Lines, DiffError> {
        let open = |path: &Path| File::open(path).map(BufReader::new);
        let failed = |source| DiffError::File { path: path.into(), source };
        let mut aside = path.as_os_str().to_owned();
        aside.push(".1");
        let reader: Box<dyn BufRead> = match open(Path::new(&aside)) {
            Ok(before) => Box::new(before.chain(open(path).map_err(failed)?)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Box::new(open(path).map_err(failed)?),
            Err(source) => return Err(failed(source)),
        };
        let mut lines = Lines { path: path.into(), reader, number: 0, next: Vec::new() };
        lines.advance()?;
        Ok(lines)
    }

    /// Goes on to the next line.
    pub(super) fn advance(&mut self) -> Result<(), DiffError> {
        self.next.clear();
        self.number += 1;
        let read = self.reader.by_ref().take(LONGEST).read_until(b'\n', &mut self.next);
        let read = read.map_err(|source| DiffError::File { path: self.path.clone(), source })?;
        if read as u64 == LONGEST { Err(self.wrong("it is too long".into())) } else { Ok(()) }
    }

    /// What the next line holds; none at the end.
    pub(super) fn parse<T: DeserializeOwned>(&self) -> Result<Option<T>, DiffError> {
        if self.next.is_empty() {
            return Ok(None);
        }
        serde_json::from_slice(&self.next).map(Some).map_err(|error| self.wrong(error.to_string()))
    }

    fn wrong(&self, what: String) -> DiffError {
        DiffError::Line { path: self.path.clone(), line: self.number, what }
    }
}
