//! A segment: an Arrow stream in a file, with its index beside it.
//!
//! A block is written whole, then its line in the index. A process that is killed, at whatever moment, leaves a segment that
//! can be read to the last such line.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_buffer::{Buffer, MutableBuffer};
use arrow_ipc::CompressionType;
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::{IpcWriteOptions, StreamWriter};
use arrow_schema::ArrowError;
use nanming_dataflows::Time;

use super::block::{self, Columns};
use super::index::{self, Entry, Index};
use super::{Header, Recorded, RecordingError};

/// The endings of a segment's files.
pub(super) const STREAM: &str = "arrows";
pub(super) const INDEX: &str = "index";
/// A header is not longer, bytes.
const LONGEST_HEADER: u64 = 64 << 10;

/// Blocks to the bytes of a stream.
pub(super) struct Packer(StreamWriter<Vec<u8>>);

impl Packer {
    pub(super) fn new(header: &Header) -> Result<Packer, ArrowError> {
        let options = IpcWriteOptions::default().try_with_compression(Some(CompressionType::ZSTD))?;
        let mut packer = Packer(StreamWriter::try_new_with_options(Vec::new(), &header.to_schema(), options)?);
        packer.0.get_mut().shrink_to_fit();
        Ok(packer)
    }

    /// What a stream with this header begins with.
    fn header(header: &Header) -> Result<(Packer, Vec<u8>), ArrowError> {
        let mut packer = Packer::new(header)?;
        let bytes = std::mem::take(packer.0.get_mut());
        Ok((packer, bytes))
    }

    pub(super) fn pack(&mut self, block: &RecordBatch) -> Result<Vec<u8>, ArrowError> {
        self.0.get_mut().clear();
        self.0.write(block)?;
        Ok(std::mem::take(self.0.get_mut()))
    }
}

/// What a stream with this header begins with: for who tests decoders.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) fn begun(header: &Header) -> Result<Vec<u8>, ArrowError> {
    Ok(Packer::header(header)?.1)
}

/// A segment that is being written.
pub(super) struct SegmentWriter {
    pub(super) path: PathBuf,
    stream: File,
    index: File,
    packer: Packer,
    pub(super) first: Time,
    pub(super) bytes: u64,
}

impl SegmentWriter {
    /// Begins a segment in a directory; `first` is its first tick.
    pub(super) fn create(dir: &Path, first: Time, header: &Header) -> Result<SegmentWriter, RecordingError> {
        let path = dir.join(format!("{first:015}.{STREAM}"));
        let create = |path: &Path| File::options().write(true).create_new(true).open(path);
        let stream = create(&path).map_err(RecordingError::file(&path))?;
        let index_path = path.with_extension(INDEX);
        let index = create(&index_path).map_err(RecordingError::file(&index_path))?;
        let (packer, bytes) = Packer::header(header).map_err(|e| arrow(&path, e))?;
        let mut segment = SegmentWriter { path, stream, index, packer, first, bytes: 0 };
        let entry = Entry { first: 0, last: 0, at: 0, bytes: 0, ticks: 0, events: 0, hash: String::new() };
        segment.put(&bytes, entry)?;
        Ok(segment)
    }

    /// Writes a block, and empties the columns.
    pub(super) fn append(&mut self, columns: &mut Columns) -> Result<(), RecordingError> {
        let Some((first, last)) = columns.span() else { return Ok(()) };
        let (ticks, events) = columns.counts();
        let bytes = columns.take().and_then(|block| self.packer.pack(&block)).map_err(|e| arrow(&self.path, e))?;
        self.put(&bytes, Entry { first, last, at: 0, bytes: 0, ticks, events, hash: String::new() })
    }

    fn put(&mut self, bytes: &[u8], entry: Entry) -> Result<(), RecordingError> {
        let entry = Entry { at: self.bytes, bytes: bytes.len() as u64, hash: index::hash(bytes), ..entry };
        let mut line = serde_json::to_vec(&entry).map_err(|e| RecordingError::file(&self.path)(e.into()))?;
        line.push(b'\n');
        self.stream.write_all(bytes).map_err(RecordingError::file(&self.path))?;
        self.index.write_all(&line).map_err(RecordingError::file(&self.path.with_extension(INDEX)))?;
        self.bytes += entry.bytes;
        Ok(())
    }

    /// Ends the stream, and waits until the disk has it.
    pub(super) fn finish(mut self) -> Result<(), RecordingError> {
        self.stream.write_all(&block::END).map_err(RecordingError::file(&self.path))?;
        self.stream.sync_data().and_then(|()| self.index.sync_data()).map_err(RecordingError::file(&self.path))
    }
}

/// What Arrow says when it cannot write.
fn arrow(path: &Path, error: ArrowError) -> RecordingError {
    RecordingError::file(path)(std::io::Error::other(error))
}

/// A segment that is being read.
#[derive(Debug)]
pub(super) struct Segment {
    path: PathBuf,
    stream: File,
    pub(super) header: Header,
    pub(super) blocks: Vec<Entry>,
    /// Whether it was not ended in good order.
    pub(super) is_cut: bool,
}

impl Segment {
    /// Opens a segment by its stream; none when nothing in it is whole.
    pub(super) fn open(path: &Path) -> Result<Option<Segment>, RecordingError> {
        let Index { header, mut blocks, mut is_cut } = index::read(&path.with_extension(INDEX))?;
        let Some(header) = header else { return Ok(None) };
        let mut stream = File::open(path).map_err(RecordingError::file(path))?;
        let length = stream.metadata().map_err(RecordingError::file(path))?.len();
        let no_segment = |what: &str| RecordingError::NoSegment { path: path.into(), what: what.into() };
        if header.bytes > length.min(LONGEST_HEADER) {
            return Err(no_segment("it is shorter than its header"));
        }
        let bytes = bytes(&mut stream, &header).map_err(RecordingError::file(path))?;
        if index::hash(&bytes) != header.hash {
            return Err(no_segment("its header is not what was written"));
        }
        let end = |blocks: &[Entry]| blocks.last().unwrap_or(&header).at + blocks.last().unwrap_or(&header).bytes;
        is_cut |= end(&blocks) + block::END.len() as u64 != length;
        blocks.retain(|block| block.at + block.bytes <= length);
        let reader = StreamReader::try_new(&*bytes, None).map_err(|e| no_segment(&e.to_string()))?;
        let header = Header::of_schema(&reader.schema()).map_err(|wrong| match wrong {
            Ok(found) => RecordingError::Version { path: path.into(), found, wanted: super::schema::VERSION },
            Err(what) => no_segment(&what),
        })?;
        Ok(Some(Segment { path: path.into(), stream, header, blocks, is_cut }))
    }

    /// The ticks of a block.
    pub(super) fn block(&mut self, row: usize) -> Result<Vec<Recorded>, RecordingError> {
        let entry = &self.blocks[row];
        let bytes = bytes(&mut self.stream, entry).map_err(RecordingError::file(&self.path))?;
        let damaged = |what: String| self.damaged(row, what);
        if index::hash(&bytes) != entry.hash {
            return Err(damaged("its bytes are not those that were written".into()));
        }
        let mut ticks = block::decode(&bytes).map_err(damaged)?;
        let span = (ticks.first().map(|t| t.tick), ticks.last().map(|t| t.tick));
        let is_ordered = ticks.is_sorted_by(|a, b| a.tick < b.tick);
        if span != (Some(entry.first), Some(entry.last)) || ticks.len() != entry.ticks || !is_ordered {
            return Err(damaged("its ticks are not those that the index has".into()));
        }
        if row == 0 {
            ticks[0].starts = self.header.starts;
        }
        Ok(ticks)
    }

    pub(super) fn damaged(&self, row: usize, what: String) -> RecordingError {
        let Entry { first, last, .. } = self.blocks[row];
        RecordingError::Damaged { path: self.path.clone(), first, last, after: last.saturating_add(1), what }
    }
}

/// The bytes of an entry: as long as it says, and the file is.
fn bytes(stream: &mut File, entry: &Entry) -> std::io::Result<Buffer> {
    let mut bytes = MutableBuffer::from_len_zeroed(entry.bytes as usize);
    stream.seek(SeekFrom::Start(entry.at))?;
    stream.read_exact(&mut bytes)?;
    Ok(bytes.into())
}
