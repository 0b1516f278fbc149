//! The index beside a segment: JSON Lines, first what its header is, then a line for every block that is whole on the disk.

use std::io::{BufRead, BufReader, Read as _};
use std::path::Path;

use nanming_dataflows::Time;
use serde::{Deserialize, Serialize};

use super::RecordingError;
use super::block::MAX_BYTES;

/// A line of an index is never longer, bytes, and it has no more lines.
const LONGEST_LINE: u64 = 512;
const MOST_LINES: usize = 1 << 20;

/// A stretch of the segment's file, and the hash of what stands there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// First and last tick of a block; 0 for the header.
    pub(super) first: Time,
    pub(super) last: Time,
    /// Where it begins, and its length, bytes.
    pub(super) at: u64,
    pub(super) bytes: u64,
    /// Its ticks and events.
    pub(super) ticks: usize,
    pub(super) events: usize,
    /// The first half of its BLAKE3 hash, hexadecimal.
    pub(super) hash: String,
}

/// What an index tells of a segment.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Index {
    /// None: not even that is whole.
    pub(super) header: Option<Entry>,
    pub(super) blocks: Vec<Entry>,
    /// Whether its last line is only half there.
    pub(super) is_cut: bool,
}

/// The hash of an entry.
pub(super) fn hash(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().as_str()[..32].to_owned()
}

/// Reads an index. Lines follow each other without gaps; what is behind the last whole line is as if not written.
pub(super) fn read(path: &Path) -> Result<Index, RecordingError> {
    let failed = RecordingError::file(path);
    let mut lines = BufReader::new(std::fs::File::open(path).map_err(&failed)?);
    let (mut entries, mut is_cut) = (Vec::<Entry>::new(), false);
    loop {
        let mut line = Vec::new();
        let wrong = |what: String| RecordingError::Index { path: path.into(), line: entries.len() + 1, what };
        if lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).map_err(&failed)? == 0 {
            break;
        }
        if line.pop_if(|byte| *byte == b'\n').is_none() {
            if line.len() as u64 >= LONGEST_LINE - 1 {
                return Err(wrong("it is too long".into()));
            }
            is_cut = true;
            break;
        }
        let entry: Entry = serde_json::from_slice(&line).map_err(|e| wrong(e.to_string()))?;
        if entries.len() >= MOST_LINES {
            return Err(wrong("it has too many lines".into()));
        }
        follows(entries.last(), &entry).map_err(|what| wrong(what.into()))?;
        entries.push(entry);
    }
    let mut entries = entries.into_iter();
    Ok(Index { header: entries.next(), blocks: entries.collect(), is_cut })
}

/// Whether an entry can stand after another one.
fn follows(before: Option<&Entry>, entry: &Entry) -> Result<(), &'static str> {
    let (end, last) = before.map_or((Some(0), None), |b| (b.at.checked_add(b.bytes), Some(b.last)));
    if end != Some(entry.at) || entry.bytes > MAX_BYTES as u64 {
        return Err("it does not begin where the one before it ends, or is too long");
    }
    if entry.first > entry.last || last.is_some_and(|last| entry.first <= last) {
        return Err("its ticks are not after those of the one before it");
    }
    Ok(())
}
