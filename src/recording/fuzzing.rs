//! Decoders of recordings, for [`crate::fuzzing`].

use arrow_buffer::Buffer;
use nanming_dataflows::event::{Batch, CrowdCount, Event, Passage, VehicleClass};
use nanming_dataflows::ids::{CameraId, VehicleId};
use serde::Serialize;

use super::index::Entry;
use super::segment::{Segment, begun};
use super::{Header, Recorded, block, city, index};
use crate::fuzzing::{CITY, NOW_MS, assert_says, choosing, chosen, with_file};

/// A block; a segment of a header and a block with an index that vouches for both; an index beside a good segment.
pub(crate) fn segments(bytes: &[u8]) {
    let (which, rest) = chosen(bytes);
    match which % 3 {
        0 => decoded(block::decode(&Buffer::from(rest))),
        1 => {
            let (length, rest) = rest.split_at(rest.len().min(2));
            let length = length.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            let (header, block) = rest.split_at(length.min(rest.len()));
            opened(&[header, block].concat(), &vouched(header, block));
        }
        _ => {
            let (header, block) = good();
            opened(&[header, block].concat(), rest);
        }
    }
}

fn opened(stream: &[u8], index: &[u8]) {
    with_file("000000000001000.arrows", stream, |path| {
        if std::fs::write(path.with_extension("index"), index).is_err() {
            return;
        }
        if let Some(Some(mut segment)) = assert_says(Segment::open(path)) {
            (0..segment.blocks.len().min(9))
                .for_each(|row| decoded(segment.block(row).map_err(|error| error.to_string())));
        }
    });
}

/// What was decoded is encoded and decoded to the same.
fn decoded(ticks: Result<Vec<Recorded>, String>) {
    let Some(ticks) = assert_says(ticks) else { return };
    for recorded in &ticks {
        assert_says(city::fits(&CITY, &recorded.batch));
    }
    if let Ok(written) = block::encode(&ticks) {
        let ticks = ticks.into_iter().map(|recorded| Recorded { starts: false, ..recorded }).collect();
        assert_eq!(block::decode(&Buffer::from(written)), Ok::<Vec<Recorded>, _>(ticks));
    }
}

/// An index of a header and a block behind it.
fn vouched(header: &[u8], block: &[u8]) -> Vec<u8> {
    let (first, last) = (NOW_MS, NOW_MS + 20);
    let entry = |first, last, at: usize, bytes: &[u8], ticks| Entry {
        first,
        last,
        at: at as u64,
        bytes: bytes.len() as u64,
        ticks,
        events: 0,
        hash: index::hash(bytes),
    };
    [line(&entry(0, 0, 0, header, 0)), line(&entry(first, last, header.len(), block, 2))].concat()
}

fn line<T: Serialize>(entry: &T) -> Vec<u8> {
    let mut line = serde_json::to_vec(entry).unwrap_or_default();
    line.push(b'\n');
    line
}

/// A header and a block.
fn good() -> (Vec<u8>, Vec<u8>) {
    let header = Header { city: "town".into(), fingerprint: "f".into(), origin: "test".into(), starts: true };
    (begun(&header).unwrap_or_default(), block::encode(&ticks()).unwrap_or_default())
}

fn ticks() -> Vec<Recorded> {
    let passage = |n: u32| Passage {
        time_ms: NOW_MS - u64::from(n),
        camera: CameraId(n),
        vehicle: VehicleId(u64::MAX / 3),
        speed_mm_s: 12_000,
        class: VehicleClass::Bus,
    };
    let mut batch = Batch { passages: (0..3).map(passage).collect(), ..Batch::default() };
    batch.push(Event::Crowd(CrowdCount { time_ms: NOW_MS, camera: CameraId(1), people: 9 }));
    let tick = |n| Recorded { tick: NOW_MS + n, left_out: 0, starts: false, batch: batch.clone() };
    vec![tick(0), Recorded { left_out: 3, ..tick(20) }]
}

pub(crate) fn segment_seeds() -> Vec<Vec<u8>> {
    let (header, block) = good();
    let length = (header.len() as u16).to_be_bytes();
    let segment = [&length[..], &header, &block].concat();
    let empty = block::encode(&[Recorded { tick: NOW_MS, ..Recorded::default() }]).unwrap_or_default();
    choosing([(0, block.clone()), (0, empty), (1, segment), (2, vouched(&header, &block))])
}
