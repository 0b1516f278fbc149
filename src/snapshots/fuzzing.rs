//! The decoder of snapshots, for [`crate::fuzzing`].

use nanming_dataflows::Time;
use nanming_dataflows::bookmark::Bookmark;
use nanming_dataflows::keyed::{Kind, Saved};
use serde::Serialize;

use super::file::{HEAD_BYTES, framed};
use super::{FRESH_MS, Of, Opened, Restored};
use crate::fuzzing::{CITY, assert_says, choosing, chosen, with_file};

/// The tick that files here begin with.
const TICK: Time = 1_000;

/// A file as it is; or records without their lengths and hashes, which are put before them, behind a good beginning.
pub(crate) fn records(bytes: &[u8]) {
    let (which, rest) = chosen(bytes);
    match which % 2 {
        0 => drop(restored(rest)),
        _ => {
            let (base, rest) = chosen(rest);
            let mut file = beginning(base);
            pieces(rest).into_iter().for_each(|piece| file.extend(behind_its_hash(piece)));
            restored(&file);
            // What stands before damage holds.
            if base == 0 && rest.len() < HEAD_BYTES {
                assert_eq!(restored(&[&beginning(0), rest].concat()).tick, TICK);
            }
        }
    }
}

fn restored(file: &[u8]) -> Restored {
    with_file("00000001.snapshot", file, |path| {
        let dir = path.parent().unwrap_or(path);
        let found = assert_says(Opened::in_dir(dir, &CITY)).map(|opened| opened.found).unwrap_or_default();
        let _learned = found.clone().for_start(found.tick.saturating_add(FRESH_MS).saturating_add(1));
        found
    })
}

/// The first record: so many after it hold all states.
fn beginning(base: usize) -> Vec<u8> {
    framed(&(Of::city(&CITY), TICK, Vec::<Bookmark>::new(), base)).unwrap_or_default()
}

/// Pieces, each behind its length in two bytes, the least first.
fn pieces(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    while let Some((length, rest)) = bytes.split_first_chunk() {
        let (piece, rest) = rest.split_at(usize::from(u16::from_le_bytes(*length)).min(rest.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces
}

fn behind_its_hash(record: &[u8]) -> Vec<u8> {
    [&(record.len() as u32).to_le_bytes(), blake3::hash(record).as_bytes().as_slice(), record].concat()
}

fn written<T: Serialize>(record: &T) -> Vec<u8> {
    let body = postcard::to_stdvec(record).unwrap_or_default();
    [&(body.len() as u16).to_le_bytes(), body.as_slice()].concat()
}

pub(crate) fn record_seeds() -> Vec<Vec<u8>> {
    let read = vec![Bookmark { source: "passages".into(), part: 0, next: 7 }];
    let saved = Saved::new("machine", Kind::Learned, [(b"one".as_slice(), Some(b"two".as_slice())), (b"k", None)]);
    let (base, part) = (written(&saved), written(&(2_000_u64, &read, vec![&saved])));
    let whole = [beginning(0), behind_its_hash(&part[2..])].concat();
    let behind = [&[1][..], &base, &part, &part].concat();
    debug_assert_eq!(restored(&whole).states.len(), 1, "a seed that says nothing leads nowhere");
    choosing([(0, whole), (1, behind), (1, [&[0][..], &part].concat()), (1, vec![0])])
}
