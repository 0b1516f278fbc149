//! The power fails: of what was written to the ledger's files since their last sync any part may be missing.
//!
//! `shim.c` notes before each write what it overwrites, until a sync; from these notes comes the file as it was at that sync,
//! and for each sector that is another now it is thrown which of the two the disk has.

use std::path::{Path, PathBuf};

use rand_chacha::ChaCha8Rng;

use super::faulty::compiled;
use crate::envelope::below;

const FILES: [&str; 2] = ["ledger.sqlite", "ledger.sqlite-wal"];
/// Bytes that a disk writes whole or not at all.
const SECTOR: usize = 512;

/// Settings of an engine whose writes are noted.
pub(super) fn settings(dir: &Path) -> [(String, String); 2] {
    let shim = compiled(dir).to_str().unwrap().to_owned();
    [("LD_PRELOAD", shim), ("POWER", "noted".to_owned())].map(|(name, value)| (name.to_owned(), value))
}

/// A dead engine's disk as it is when the power comes back: sectors that are lost.
pub(super) fn lose(dir: &Path, random: &mut ChaCha8Rng) -> usize {
    let lost = FILES.iter().map(|name| lose_of(&dir.join(name), random)).sum();
    // It is in memory alone.
    let _it_may_not_be_there = std::fs::remove_file(dir.join("ledger.sqlite-shm"));
    lost
}

fn lose_of(path: &Path, random: &mut ChaCha8Rng) -> usize {
    let notes_path = PathBuf::from(format!("{}.unsynced", path.display()));
    let Ok(notes) = std::fs::read(&notes_path) else { return 0 };
    let now = std::fs::read(path).unwrap();
    let synced = before(&notes, &now);
    let length = [now.len(), synced.len()][below(random, 2)];
    let mut found = now.clone();
    found.resize(length, 0);
    let mut lost = now.len().abs_diff(length).div_ceil(SECTOR);
    for at in (0..length).step_by(SECTOR) {
        let sector = at..(at + SECTOR).min(length);
        let old: Vec<u8> = sector.clone().map(|at| synced.get(at).copied().unwrap_or(0)).collect();
        if found[sector.clone()] != old[..] && below(random, 2) == 0 {
            found[sector].copy_from_slice(&old);
            lost += 1;
        }
    }
    std::fs::write(path, found).unwrap();
    std::fs::remove_file(notes_path).unwrap();
    lost
}

/// The file as it was when it was synced last: what the notes say, latest first, put back.
fn before(mut notes: &[u8], now: &[u8]) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some((head, rest)) = notes.split_at_checked(24) {
        let number = |row: usize| u64::from_ne_bytes(head[8 * row..8 * row + 8].try_into().unwrap()) as usize;
        let (at, bytes, size) = (number(0), number(1), number(2));
        // The last one may have been cut off: then nothing was written after it.
        let Some((old, after)) = rest.split_at_checked(bytes) else { break };
        all.push((at, old, size));
        notes = after;
    }
    let mut file = now.to_vec();
    for (at, old, size) in all.into_iter().rev() {
        file.resize(size.max(at + old.len()), 0);
        file[at..at + old.len()].copy_from_slice(old);
        file.truncate(size);
    }
    file
}

#[test]
fn a_file_is_as_it_was_at_its_last_sync_or_partly_so() {
    let note = |at: u64, size: u64, old: &[u8]| {
        [&at.to_ne_bytes()[..], &(old.len() as u64).to_ne_bytes(), &size.to_ne_bytes(), old].concat()
    };
    // "abcdef" became "abXXef", then "abXXefYY", then "ZZXXefYY", then "ZZXX".
    let notes = [note(2, 6, b"cd"), note(6, 6, b""), note(0, 8, b"ab"), note(4, 8, b"efYY")].concat();
    assert_eq!(before(&notes, b"ZZXX"), b"abcdef");
    assert_eq!(before(&notes[..notes.len() - 1], b"ZZXXefYY"), b"abcdef");
    assert_eq!(before(&[], b"abc"), b"abc");
}
