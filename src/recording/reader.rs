//! Reads a recording tick by tick: one block at a time, from any time on.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use nanming_dataflows::Time;
use nanming_dataflows::network::City;

use super::segment::{INDEX, STREAM, Segment};
use super::{Header, Recorded, RecordingError, city, fingerprint};

/// A recording that can be played.
#[derive(Clone, Debug)]
pub struct Recording {
    city: Arc<City>,
    streams: Vec<PathBuf>,
    span: (Time, Time),
}

impl Recording {
    /// Opens the recording of a city.
    pub fn open(dir: &Path, city: &Arc<City>) -> Result<Recording, RecordingError> {
        let streams = streams(dir)?;
        let expected = Header { city: city.name.clone(), fingerprint: fingerprint(city), ..Header::default() };
        let mut span: Option<(Time, Time)> = None;
        for path in &streams {
            let Some(segment) = Segment::open(path)? else { continue };
            is_of(path, &segment.header, &expected)?;
            warn(path, &segment);
            if let (Some(first), Some(last)) = (segment.blocks.first(), segment.blocks.last()) {
                if let Some((_, last)) = span.filter(|(_, last)| *last >= first.first) {
                    return Err(RecordingError::Overlaps { path: path.clone(), last });
                }
                span = Some((span.map_or(first.first, |(first, _)| first), last.last));
            }
        }
        let span = span.ok_or_else(|| RecordingError::None(dir.into()))?;
        Ok(Recording { city: Arc::clone(city), streams, span })
    }

    /// Its first and its last tick.
    pub fn span(&self) -> (Time, Time) {
        self.span
    }

    /// Its ticks from one to another, both included.
    pub fn ticks(&self, from: Time, to: Time) -> Ticks {
        let streams = self.streams.clone().into_iter();
        Ticks {
            city: Arc::clone(&self.city),
            streams,
            segment: None,
            row: 0,
            span: (from, to),
            begun: false,
            failed: false,
        }
    }
}

/// The ticks of a recording, a block at a time.
pub struct Ticks {
    city: Arc<City>,
    streams: std::vec::IntoIter<PathBuf>,
    segment: Option<Segment>,
    row: usize,
    span: (Time, Time),
    begun: bool,
    failed: bool,
}

impl Ticks {
    fn next_block(&mut self) -> Result<Option<Vec<Recorded>>, RecordingError> {
        let (from, to) = self.span;
        loop {
            let Some(segment) = &mut self.segment else {
                let Some(path) = self.streams.next() else { return Ok(None) };
                (self.segment, self.row) = (Segment::open(&path)?, 0);
                continue;
            };
            let Some(entry) = segment.blocks.get(self.row) else {
                self.segment = None;
                continue;
            };
            self.row += 1;
            if entry.last < from {
                continue;
            }
            if entry.first > to {
                return Ok(None);
            }
            let mut ticks = segment.block(self.row - 1)?;
            ticks.retain(|t| (from..=to).contains(&t.tick));
            for recorded in &ticks {
                city::fits(&self.city, &recorded.batch).map_err(|what| segment.damaged(self.row - 1, what))?;
            }
            if !std::mem::replace(&mut self.begun, true) {
                ticks.iter_mut().take(1).for_each(|t| t.left_out = 0);
            }
            return Ok(Some(ticks));
        }
    }
}

impl Iterator for Ticks {
    type Item = Result<Vec<Recorded>, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        let next = self.next_block();
        self.failed = next.is_err();
        next.transpose()
    }
}

fn is_of(path: &Path, header: &Header, expected: &Header) -> Result<(), RecordingError> {
    if header.fingerprint == expected.fingerprint {
        return Ok(());
    }
    let (theirs, ours) = (header.city.clone(), expected.city.clone());
    Err(RecordingError::OtherCity { path: path.into(), theirs, ours })
}

fn warn(path: &Path, segment: &Segment) {
    if segment.is_cut {
        let last = segment.blocks.last().map_or(0, |block| block.last);
        tracing::warn!(
            "{}: cut off (the process was killed, or is still writing): it is played to its last whole block, which ends \
             with tick {last}",
            path.display()
        );
    }
}

/// The streams in a directory, by their first ticks.
pub(super) fn streams(dir: &Path) -> Result<Vec<PathBuf>, RecordingError> {
    let failed = RecordingError::file(dir);
    let entries = std::fs::read_dir(dir).map_err(&failed)?;
    let mut streams = Vec::new();
    for entry in entries {
        let path = entry.map_err(&failed)?.path();
        if path.extension().is_some_and(|e| e == STREAM) && path.with_extension(INDEX).exists() {
            streams.push(path);
        }
    }
    streams.sort();
    Ok(streams)
}

/// The first tick of a segment, by its name.
pub(super) fn first_tick(stream: &Path) -> Option<Time> {
    stream.file_stem()?.to_str()?.parse().ok()
}

/// The last tick in a directory, if any; an error when what is there is of another city.
pub(super) fn last_tick(dir: &Path, expected: &Header) -> Result<Option<Time>, RecordingError> {
    for path in streams(dir)?.iter().rev() {
        let Some(segment) = Segment::open(path)? else { continue };
        is_of(path, &segment.header, expected)?;
        if let Some(block) = segment.blocks.last() {
            return Ok(Some(block.last));
        }
    }
    Ok(None)
}
