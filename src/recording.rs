//! Recordings: what passed the door, tick by tick, on disk; and back again. docs/recordings.md tells of the format.
//!
//! A recording is a directory of segments. A segment is an Apache Arrow IPC stream (`.arrows`, buffers compressed by zstd)
//! with an index beside it (`.index`), a line for every block that is whole on the disk. A block holds some ticks.
//!
//! Nothing is decoded that its index does not vouch for by length and hash, and nothing is allocated that a file asks for
//! beyond [`block::MAX_BYTES`]. Clear plates never come here: a passage holds the keyed hash that the door was given.

use std::path::PathBuf;

pub mod ahead;
pub mod block;
mod city;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod index;
mod reader;
pub mod recorder;
mod schema;
mod segment;
mod shift;
mod writer;

pub use ahead::Ahead;
pub use city::fingerprint;
pub use reader::{Recording, Ticks};
pub use recorder::Recorder;
pub use schema::Header;
pub use shift::shift;
pub use writer::{Bounds, Writer};

use nanming_dataflows::Time;
use nanming_dataflows::event::Batch;

/// A tick as it passed the door.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recorded {
    /// Its time, ms since the Unix epoch.
    pub tick: Time,
    /// Ticks before it that are not in the recording: the disk was too slow.
    pub left_out: u32,
    /// Whether an engine started with it: none of the ticks before it had been seen by that one.
    pub starts: bool,
    /// What it held.
    pub batch: Batch,
}

/// Why a recording cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// A file cannot be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Nothing of the kind is there.
    #[error(
        "{0} is no recording: there is no segment (.arrows with its .index) in it; `nanming record DIR` makes one from a \
         live city, `nanming import` one from files"
    )]
    None(PathBuf),
    /// The beginning of a segment makes no sense.
    #[error(
        "{path} is no segment of a recording, or its beginning is damaged ({what}); move it away to use the others"
    )]
    NoSegment {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// It was written by another version.
    #[error(
        "{path} is of format version {found}, this nanming reads {wanted}: use the nanming that recorded it, or record anew"
    )]
    Version {
        /// Which file.
        path: PathBuf,
        /// Its version.
        found: String,
        /// Ours.
        wanted: u32,
    },
    /// Its numbers mean other things.
    #[error(
        "{path} was recorded in the city '{theirs}', whose cameras, junctions, units or grids are not those of '{ours}': give \
         the city that it was recorded in with --city FILE (and --units as then)"
    )]
    OtherCity {
        /// Which file.
        path: PathBuf,
        /// The city of the recording.
        theirs: String,
        /// The city given.
        ours: String,
    },
    /// A block is not what was written.
    #[error(
        "{path} is damaged in its block of the ticks {first} to {last} ({what}); copy it again, or play around it with --to \
         {first} and --from {after}"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// First tick of the block.
        first: Time,
        /// Its last tick.
        last: Time,
        /// The tick after it at the earliest.
        after: Time,
        /// What is wrong.
        what: String,
    },
    /// The index is not what was written.
    #[error("{path}, line {line} is damaged ({what}); copy it again, or move the segment away to use the others")]
    Index {
        /// Which file.
        path: PathBuf,
        /// Which line.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A tick is not after the one before it.
    #[error(
        "tick {tick} does not come after {last}, which the recording in {path} has already: give another directory"
    )]
    Order {
        /// The recording.
        path: PathBuf,
        /// The tick.
        tick: Time,
        /// The last one there.
        last: Time,
    },
    /// Two segments are of the same time.
    #[error(
        "{path} begins before tick {last}, with which the one before it ends: there are segments of two engines here, or one \
         twice; move it away to use the others"
    )]
    Overlaps {
        /// Which file.
        path: PathBuf,
        /// The last tick before it.
        last: Time,
    },
    /// Somebody else writes it.
    #[error("another process records into {0}: give each engine a directory of its own")]
    InUse(PathBuf),
    /// The decoder's thread died.
    #[error("the decoder of the recording panicked; the log above says where")]
    Panicked,
    /// A tick holds more than a block may.
    #[error("a tick of {events} events is too large for a recording")]
    TooLarge {
        /// Its events.
        events: usize,
    },
}

impl RecordingError {
    fn file(path: &std::path::Path) -> impl Fn(std::io::Error) -> RecordingError {
        move |source| RecordingError::File { path: path.into(), source }
    }
}

#[cfg(test)]
mod tests;
