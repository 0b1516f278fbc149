//! Files to read, packed by gzip or not, with a bound on what has no end.

use std::io::{BufRead, Error, ErrorKind, Read, Result};
use std::path::Path;

use crate::gzip;

/// A reader that counts lines and gives no more than it was allowed.
pub(super) struct Input {
    reader: Box<dyn BufRead>,
    /// The line that it is in, from 1.
    pub(super) line: u64,
    left: usize,
}

impl Input {
    pub(super) fn open(path: &Path) -> Result<Input> {
        Ok(Input { reader: gzip::open(path)?, line: 1, left: 0 })
    }

    /// Allows so many bytes more, whatever was left.
    pub(super) fn allow(&mut self, bytes: usize) {
        self.left = bytes;
    }
}

impl Read for Input {
    fn read(&mut self, to: &mut [u8]) -> Result<usize> {
        let some = self.fill_buf()?;
        let n = some.len().min(to.len());
        to[..n].copy_from_slice(&some[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        let some = self.reader.fill_buf()?;
        if self.left == 0 && !some.is_empty() {
            return Err(Error::new(ErrorKind::InvalidData, "a row or element is too long"));
        }
        Ok(&some[..some.len().min(self.left)])
    }

    fn consume(&mut self, bytes: usize) {
        // Filled already: this reads nothing.
        if let Ok(some) = self.reader.fill_buf() {
            self.line += some.iter().take(bytes).filter(|byte| **byte == b'\n').count() as u64;
        }
        self.left = self.left.saturating_sub(bytes);
        self.reader.consume(bytes);
    }
}
