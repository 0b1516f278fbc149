//! Writes a recording: segments that follow each other, of bounded size, and the old ones go.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use nanming_dataflows::Time;
use nanming_dataflows::event::Batch;
use nanming_dataflows::network::City;

use super::block::Columns;
use super::segment::{INDEX, STREAM, SegmentWriter};
use super::{Header, RecordingError, fingerprint, reader};

/// A segment ends after so much city time at the latest, ms: what is to be deleted goes by whole segments.
const LONGEST_SEGMENT_MS: u64 = 3_600_000;

/// How large and how old a recording may become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// A segment is ended at this size, bytes.
    pub segment_bytes: u64,
    /// Segments whose last tick lies further back than this are deleted, ms of city time; none: they are kept.
    pub keep_ms: Option<u64>,
}

/// The writing end of a recording.
pub struct Writer {
    dir: PathBuf,
    header: Header,
    bounds: Bounds,
    segment: Option<SegmentWriter>,
    columns: Columns,
    last: Option<Time>,
    /// Held for as long as this writes here.
    _lock: File,
}

impl Writer {
    /// Goes on with the recording in a directory, or makes it. The next tick is one at which an engine starts.
    pub fn open(dir: &Path, city: &City, origin: &str, bounds: Bounds) -> Result<Writer, RecordingError> {
        std::fs::create_dir_all(dir).map_err(RecordingError::file(dir))?;
        let header =
            Header { city: city.name.clone(), fingerprint: fingerprint(city), origin: origin.into(), starts: true };
        let _lock = lock(dir)?;
        let last = reader::last_tick(dir, &header)?;
        Ok(Writer { dir: dir.into(), header, bounds, segment: None, columns: Columns::default(), last, _lock })
    }

    /// The last tick that it has.
    pub fn last_tick(&self) -> Option<Time> {
        self.last
    }

    /// Adds a tick, later than all before; on the disk with the next [`flush`](Self::flush) or full block.
    pub fn write(&mut self, tick: Time, left_out: u32, batch: &Batch) -> Result<(), RecordingError> {
        if let Some(last) = self.last.filter(|last| *last >= tick) {
            return Err(RecordingError::Order { path: self.dir.clone(), tick, last });
        }
        if !self.columns.push(tick, left_out, batch) {
            self.flush()?;
            if !self.columns.push(tick, left_out, batch) {
                return Err(RecordingError::TooLarge { events: batch.len() });
            }
        }
        self.last = Some(tick);
        if self.columns.is_full() { self.flush() } else { Ok(()) }
    }

    /// Writes what waits as a block. On an error those ticks are lost, and the next block begins a segment.
    pub fn flush(&mut self) -> Result<(), RecordingError> {
        let Some((first, last)) = self.columns.span() else { return Ok(()) };
        let bounds = self.bounds;
        let is_full = |s: &SegmentWriter| s.bytes >= bounds.segment_bytes || last - s.first >= LONGEST_SEGMENT_MS;
        if self.segment.as_ref().is_some_and(is_full) {
            self.end_segment()?;
            self.delete_old(first)?;
        }
        let written = self.put(first);
        if written.is_err() {
            self.columns = Columns::default();
            self.segment = None;
        }
        written
    }

    fn put(&mut self, first: Time) -> Result<(), RecordingError> {
        let segment = match &mut self.segment {
            Some(segment) => segment,
            none => none.insert(SegmentWriter::create(&self.dir, first, &self.header)?),
        };
        segment.append(&mut self.columns)?;
        self.header.starts = false;
        Ok(())
    }

    fn end_segment(&mut self) -> Result<(), RecordingError> {
        self.segment.take().map_or(Ok(()), SegmentWriter::finish)
    }

    /// Deletes segments that are older than the bounds allow at a time. A segment ends where the next one begins.
    fn delete_old(&self, now: Time) -> Result<(), RecordingError> {
        let Some(keep_ms) = self.bounds.keep_ms else { return Ok(()) };
        let streams = reader::streams(&self.dir)?;
        for (path, next) in streams.iter().zip(streams.iter().skip(1)) {
            if reader::first_tick(next).is_some_and(|end| end <= now.saturating_sub(keep_ms)) {
                for path in [path.with_extension(STREAM), path.with_extension(INDEX)] {
                    std::fs::remove_file(&path).map_err(RecordingError::file(&path))?;
                }
            }
        }
        Ok(())
    }

    /// Writes what waits and ends the last segment.
    pub fn finish(mut self) -> Result<(), RecordingError> {
        self.flush()?;
        self.end_segment()
    }
}

/// Two who wrote would mix their segments, and delete each other's.
fn lock(dir: &Path) -> Result<File, RecordingError> {
    let path = dir.join("lock");
    let file = File::create(&path).map_err(RecordingError::file(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(RecordingError::InUse(dir.into())),
        Err(TryLockError::Error(error)) => Err(RecordingError::file(&path)(error)),
    }
}
