//! Ticks to a block of columns and back. Pure.
//!
//! [`decode`] takes whatever bytes it is given: it errs, and neither panics nor takes more memory than [`MAX_BYTES`] and a
//! few times that for what comes out.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{TimestampMillisecondType, UInt8Type, UInt32Type, UInt64Type};
use arrow_array::{
    ArrayRef, ListArray, RecordBatch, StringArray, StructArray, TimestampMillisecondArray, UInt8Array, UInt32Array,
    UInt64Array,
};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_ipc::reader::RecordBatchDecoder;
use arrow_schema::ArrowError;
use nanming_dataflows::Time;
use nanming_dataflows::event::{Batch, Event, Passage, VehicleClass};
use nanming_dataflows::ids::{CameraId, VehicleId};

use super::Recorded;
use super::schema::{COLUMNS, EVENTS, NODES, PASSAGE, PASSAGES, WIDTHS};

/// Bytes of a block, packed or not, at most.
pub const MAX_BYTES: usize = 256 << 20;
/// Ticks of a block at most.
const MAX_TICKS: usize = 1 << 20;
/// A block is full with so many passages, bytes of other events, or ticks.
const FULL_PASSAGES: usize = 1 << 16;
const FULL_TEXT: usize = 4 << 20;
const FULL_TICKS: usize = 1 << 12;

/// Classes by their number in a recording.
const CLASSES: [VehicleClass; 7] = [
    VehicleClass::Car,
    VehicleClass::Bus,
    VehicleClass::Truck,
    VehicleClass::Motorcycle,
    VehicleClass::Taxi,
    VehicleClass::Emergency,
    VehicleClass::Other,
];

/// Columns under construction.
#[derive(Default)]
pub(super) struct Columns {
    ticks: Vec<i64>,
    left_out: Vec<u32>,
    passages_end: Vec<i32>,
    time: Vec<i64>,
    camera: Vec<u32>,
    vehicle: Vec<u64>,
    speed_mm_s: Vec<u32>,
    class: Vec<u8>,
    events_end: Vec<i32>,
    text_end: Vec<i32>,
    text: Vec<u8>,
}

impl Columns {
    /// Adds a tick; false if there is no room for it, in this block or, when it is empty, in any.
    pub(super) fn push(&mut self, tick: Time, left_out: u32, batch: &Batch) -> bool {
        let (text, events) = (self.text.len(), self.text_end.len());
        self.write_events(batch);
        let bytes = (self.time.len() + batch.passages.len()) * PASSAGE_BYTES + self.text.len();
        if bytes > MAX_BYTES / 2 {
            self.text.truncate(text);
            self.text_end.truncate(events);
            return false;
        }
        self.ticks.push(tick as i64);
        self.left_out.push(left_out);
        for passage in &batch.passages {
            self.time.push(passage.time_ms as i64);
            self.camera.push(passage.camera.0);
            self.vehicle.push(passage.vehicle.0);
            self.speed_mm_s.push(passage.speed_mm_s);
            self.class.push(passage.class as u8);
        }
        self.passages_end.push(self.time.len() as i32);
        self.events_end.push(self.text_end.len() as i32);
        true
    }

    fn write_events(&mut self, batch: &Batch) {
        let mut write = |event: Event| {
            // An event always has a JSON, and a vector takes it.
            let _ = serde_json::to_writer(&mut self.text, &event);
            self.text_end.push(self.text.len().min(i32::MAX as usize) as i32);
        };
        batch.flows.iter().for_each(|e| write(Event::Flow(*e)));
        batch.crowds.iter().for_each(|e| write(Event::Crowd(*e)));
        batch.calls.iter().for_each(|e| write(Event::Call(*e)));
        batch.units.iter().for_each(|e| write(Event::Unit(*e)));
        batch.acks.iter().for_each(|e| write(Event::Ack(*e)));
        batch.signals.iter().for_each(|e| write(Event::Signal(e.clone())));
        batch.buses.iter().for_each(|e| write(Event::Bus(*e)));
        batch.violations.iter().for_each(|e| write(Event::Violation(*e)));
        batch.cases.iter().for_each(|e| write(Event::Case(*e)));
        batch.sites.iter().for_each(|e| write(Event::Site(*e)));
        batch.holds.iter().for_each(|e| write(Event::Hold(e.clone())));
        batch.gates.iter().for_each(|e| write(Event::Gate(*e)));
        batch.weather.iter().for_each(|e| write(Event::Weather(*e)));
        batch.rosters.iter().for_each(|e| write(Event::Roster(e.clone())));
    }

    /// Whether it should be written now.
    pub(super) fn is_full(&self) -> bool {
        self.time.len() >= FULL_PASSAGES || self.text.len() >= FULL_TEXT || self.ticks.len() >= FULL_TICKS
    }

    /// The first and the last tick; none when empty.
    pub(super) fn span(&self) -> Option<(Time, Time)> {
        Some((*self.ticks.first()? as Time, *self.ticks.last()? as Time))
    }

    /// Numbers of ticks and of events.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.ticks.len(), self.time.len() + self.text_end.len())
    }

    /// The block; nothing is left behind.
    pub(super) fn take(&mut self) -> Result<RecordBatch, ArrowError> {
        let done = std::mem::take(self);
        let passage: Vec<ArrayRef> = vec![
            Arc::new(TimestampMillisecondArray::from(done.time).with_timezone("UTC")),
            Arc::new(UInt32Array::from(done.camera)),
            Arc::new(UInt64Array::from(done.vehicle)),
            Arc::new(UInt32Array::from(done.speed_mm_s)),
            Arc::new(UInt8Array::from(done.class)),
        ];
        let passages = StructArray::try_new(PASSAGE.clone(), passage, None)?;
        let passages = ListArray::try_new(PASSAGES.clone(), offsets(done.passages_end), Arc::new(passages), None)?;
        let text = StringArray::try_new(offsets(done.text_end), Buffer::from_vec(done.text), None)?;
        let events = ListArray::try_new(EVENTS.clone(), offsets(done.events_end), Arc::new(text), None)?;
        let ticks = TimestampMillisecondArray::from(done.ticks).with_timezone("UTC");
        let left_out = UInt32Array::from(done.left_out);
        let columns: Vec<ArrayRef> = vec![Arc::new(ticks), Arc::new(left_out), Arc::new(passages), Arc::new(events)];
        RecordBatch::try_new(COLUMNS.clone(), columns)
    }
}

/// Bytes of a passage, unpacked.
const PASSAGE_BYTES: usize = 25;

fn offsets(ends: Vec<i32>) -> OffsetBuffer<i32> {
    let all: Vec<i32> = std::iter::once(0).chain(ends).collect();
    OffsetBuffer::new(ScalarBuffer::from(all))
}

/// Decodes a message of an Arrow stream: a block's ticks, in order. An error says what is wrong.
pub fn decode(bytes: &Buffer) -> Result<Vec<Recorded>, String> {
    let block = columns(bytes)?;
    let wrong = |error: ArrowError| error.to_string();
    let ticks = block.column(0).as_primitive::<TimestampMillisecondType>().values();
    let left_out = block.column(1).as_primitive::<UInt32Type>().values();
    let (passages, events) = (block.column(2).as_list::<i32>(), block.column(3).as_list::<i32>());
    let passage =
        passages.values().as_struct_opt().ok_or_else(|| wrong(ArrowError::ComputeError("no passages".into())))?;
    let time = passage.column(0).as_primitive::<TimestampMillisecondType>().values();
    let camera = passage.column(1).as_primitive::<UInt32Type>().values();
    let vehicle = passage.column(2).as_primitive::<UInt64Type>().values();
    let speed_mm_s = passage.column(3).as_primitive::<UInt32Type>().values();
    let class = passage.column(4).as_primitive::<UInt8Type>().values();
    if class.iter().any(|class| usize::from(*class) >= CLASSES.len()) {
        return Err("a class of vehicles is unknown".into());
    }
    let text = events.values().as_string::<i32>();
    let mut decoded = Vec::with_capacity(ticks.len());
    for row in 0..ticks.len() {
        let span = |list: &ListArray| list.value_offsets()[row] as usize..list.value_offsets()[row + 1] as usize;
        let rows = span(passages);
        let columns = (time[rows.clone()].iter())
            .zip(&camera[rows.clone()])
            .zip(&vehicle[rows.clone()])
            .zip(&speed_mm_s[rows.clone()])
            .zip(&class[rows]);
        let passages = columns.map(|((((time, camera), vehicle), speed), class)| Passage {
            time_ms: *time as u64,
            camera: CameraId(*camera),
            vehicle: VehicleId(*vehicle),
            speed_mm_s: *speed,
            class: CLASSES[usize::from(*class)],
        });
        let mut batch = Batch { passages: passages.collect(), ..Batch::default() };
        for row in span(events) {
            batch.push(serde_json::from_str(text.value(row)).map_err(|e| format!("an event: {e}"))?);
        }
        decoded.push(Recorded { tick: ticks[row] as Time, left_out: left_out[row], starts: false, batch });
    }
    Ok(decoded)
}

/// Arrow's own decoding, once the sizes that the message claims have been looked at: it believes them.
fn columns(bytes: &Buffer) -> Result<RecordBatch, String> {
    let (meta, body) = frame(bytes)?;
    let message = arrow_ipc::root_as_message(&meta).map_err(|e| format!("its metadata: {e}"))?;
    let batch = message.header_as_record_batch().ok_or("it is no block of rows")?;
    let (nodes, buffers) = (batch.nodes().ok_or("it has no nodes")?, batch.buffers().ok_or("it has no buffers")?);
    if nodes.len() != NODES || buffers.len() != WIDTHS.len() {
        return Err(format!("it has {} nodes and {} buffers", nodes.len(), buffers.len()));
    }
    let within = |n: i64, most: usize| usize::try_from(n).is_ok_and(|n| n <= most);
    if !within(batch.length(), MAX_TICKS) || !nodes.iter().all(|n| within(n.length(), MAX_BYTES) && n.null_count() == 0)
    {
        return Err("it claims more rows than a block may have".into());
    }
    let mut unpacked = 0;
    for (buffer, width) in buffers.iter().zip(WIDTHS) {
        let end = buffer.offset().checked_add(buffer.length()).filter(|_| buffer.offset() >= 0 && buffer.length() >= 0);
        let range = end.filter(|end| within(*end, body.len())).map(|end| buffer.offset() as usize..end as usize);
        let packed = &body[range.ok_or("a buffer lies outside it")?];
        let bytes = unpacked_bytes(packed);
        unpacked += bytes;
        if unpacked > MAX_BYTES || (batch.compression().is_none() && !packed.is_empty()) {
            return Err(format!("it claims more than {MAX_BYTES} bytes, or is not packed"));
        }
        // Arrow panics at half a number.
        if !bytes.is_multiple_of(width) {
            return Err("a column ends in the middle of a number".into());
        }
    }
    let (none, version) = (HashMap::new(), message.version());
    let decoder = RecordBatchDecoder::try_new(&body, batch, COLUMNS.clone(), &none, &version);
    decoder.and_then(RecordBatchDecoder::read_record_batch).map_err(|e| e.to_string())
}

/// Bytes that a buffer claims to unpack to; at most so many that no block may have them.
fn unpacked_bytes(packed: &[u8]) -> usize {
    match packed.split_first_chunk() {
        None => packed.len(),
        Some((size, plain)) if *size == [0xFF; 8] => plain.len(),
        Some((size, _)) => usize::try_from(i64::from_le_bytes(*size)).unwrap_or(usize::MAX).min(MAX_BYTES + 1),
    }
}

/// The metadata and the body of an encapsulated message.
fn frame(bytes: &Buffer) -> Result<(Buffer, Buffer), String> {
    let whole = bytes.len() <= MAX_BYTES && bytes.get(..4) == Some(&[0xFF; 4]);
    let length = bytes.get(4..8).and_then(|b| b.first_chunk()).map(|b| i32::from_le_bytes(*b));
    let length = length.filter(|_| whole).and_then(|n| usize::try_from(n).ok()).filter(|n| *n <= bytes.len() - 8);
    let length = length.ok_or("it does not begin as a block does")?;
    Ok((bytes.slice_with_length(8, length), bytes.slice(8 + length)))
}

/// The bytes of a block, as a stream's writer would write them: for who tests decoders.
pub fn encode(ticks: &[Recorded]) -> Result<Vec<u8>, ArrowError> {
    let mut columns = Columns::default();
    let fits = ticks.iter().all(|t| columns.push(t.tick, t.left_out, &t.batch));
    if !fits {
        return Err(ArrowError::InvalidArgumentError("more than a block holds".into()));
    }
    let mut packer = super::segment::Packer::new(&super::Header::default())?;
    packer.pack(&columns.take()?)
}

/// The end of an Arrow stream.
pub(super) const END: [u8; 8] = [0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];
