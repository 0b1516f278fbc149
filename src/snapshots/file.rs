//! Records in a file, each behind its length and its hash: one is there whole, or it is not there.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

pub(super) const HEAD_BYTES: usize = 4 + blake3::OUT_LEN;
/// No record is longer: a length beyond it is damage.
const MOST_BYTES: usize = 1 << 30;

/// A record as it is written.
pub(super) fn framed<T: Serialize>(record: &T) -> std::io::Result<Vec<u8>> {
    let mut bytes = postcard::to_extend(record, vec![0; HEAD_BYTES]).map_err(std::io::Error::other)?;
    let (head, body) = bytes.split_at_mut(HEAD_BYTES);
    let length = u32::try_from(body.len()).map_err(std::io::Error::other)?;
    head[..4].copy_from_slice(&length.to_le_bytes());
    head[4..].copy_from_slice(blake3::hash(body).as_bytes());
    Ok(bytes)
}

/// Appends a record and waits until it is on the disk. How long it is, bytes.
pub(super) fn append<T: Serialize>(file: &mut File, record: &T) -> std::io::Result<u64> {
    let bytes = framed(record)?;
    file.write_all(&bytes)?;
    file.sync_data()?;
    Ok(bytes.len() as u64)
}

/// Reads records one after the other, as far as they are whole.
pub(super) struct Records {
    from: BufReader<File>,
    /// Where the next one begins, bytes.
    pub(super) at: u64,
}

/// Why there is no next record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The file ends.
    Whole,
    /// What follows is cut short or damaged.
    Damaged,
}

impl Records {
    pub(super) fn open(path: &Path) -> std::io::Result<Records> {
        Ok(Records { from: BufReader::new(File::open(path)?), at: 0 })
    }

    pub(super) fn next<T: DeserializeOwned>(&mut self) -> Result<T, End> {
        let mut head = [0; HEAD_BYTES];
        match read_up_to(&mut self.from, &mut head) {
            Ok(0) => return Err(End::Whole),
            Ok(HEAD_BYTES) => {}
            Ok(_) | Err(_) => return Err(End::Damaged),
        }
        let (length, hash) = head.split_at(4);
        let length = length.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
        if length > MOST_BYTES {
            return Err(End::Damaged);
        }
        let mut body = Vec::new();
        let read = self.from.by_ref().take(length as u64).read_to_end(&mut body);
        if !matches!(read, Ok(n) if n == length) || blake3::hash(&body).as_bytes() != hash {
            return Err(End::Damaged);
        }
        let record = postcard::from_bytes(&body).map_err(|_| End::Damaged)?;
        self.at += (HEAD_BYTES + length) as u64;
        Ok(record)
    }
}

/// Fills a buffer as far as there is something.
fn read_up_to(from: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}
