//! Events into ticks: those of half a second each, in order, and none left out.

use std::collections::BTreeMap;

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{Batch, Event};

use super::{ImportError, Imported, Unfit};
use crate::recording::Writer;

/// Length of a tick, ms.
const TICK_MS: u64 = 500;
/// Rows may be so much out of order, ms.
const DISORDER_MS: u64 = 60_000;
/// A row so far ahead of those before it is a wrong time, ms, unless as many as these follow it there.
const GAP_MS: u64 = 6 * 3_600_000;
const AFTER_A_GAP: u32 = 100;
/// Events that wait for their tick at most.
const WAITING: usize = 2_000_000;

/// Ticks under construction.
pub(super) struct Ticks {
    writer: Writer,
    waiting: BTreeMap<u64, Batch>,
    events: usize,
    /// The latest time so far.
    latest_ms: Option<u64>,
    /// The last tick written.
    written: Option<u64>,
    /// Rows in a row that were far ahead.
    far: u32,
    imported: Imported,
}

impl Ticks {
    pub(super) fn new(writer: Writer) -> Ticks {
        let waiting = BTreeMap::new();
        let written = writer.last_tick();
        Ticks { writer, waiting, events: 0, latest_ms: None, written, far: 0, imported: Imported::default() }
    }

    /// Takes an event, if its time can be.
    pub(super) fn take(&mut self, time_ms: u64, event: Event) -> Result<(), Unfit> {
        let tick = time_ms.div_ceil(TICK_MS) * TICK_MS;
        if self.written.is_some_and(|written| tick <= written) {
            let what = format!("time {time_ms} ms is more than a minute before rows above it: sort the file by time");
            return Err((Reason::TooLate, what));
        }
        if self.latest_ms.is_some_and(|latest| time_ms > latest.saturating_add(GAP_MS)) && self.far < AFTER_A_GAP {
            self.far += 1;
            let what = format!("time {time_ms} ms is more than 6 h after the rows above it");
            return Err((Reason::OutOfRange, what));
        }
        self.far = 0;
        self.latest_ms = self.latest_ms.max(Some(time_ms));
        *self.imported.events.entry(event.stream()).or_default() += 1;
        self.waiting.entry(tick).or_default().push(event);
        self.events += 1;
        Ok(())
    }

    /// Counts a row that is not taken.
    pub(super) fn refuse(&mut self, reason: Reason) {
        *self.imported.dead_letters.entry(reason.as_str()).or_default() += 1;
    }

    /// Writes the ticks that are whole.
    pub(super) fn write(&mut self) -> Result<(), ImportError> {
        let whole_ms = self.latest_ms.unwrap_or(0).saturating_sub(DISORDER_MS);
        while let Some(first) = self.waiting.first_entry() {
            if *first.key() > whole_ms && self.events <= WAITING {
                break;
            }
            let (tick, batch) = first.remove_entry();
            self.events -= batch.len();
            self.put(tick, &batch)?;
        }
        Ok(())
    }

    /// Writes a tick, and those without events before it: what waits for a time is to see it pass.
    fn put(&mut self, tick: u64, batch: &Batch) -> Result<(), ImportError> {
        let next = self.written.map_or(tick, |written| written + TICK_MS);
        if tick.saturating_sub(next) <= GAP_MS {
            for empty in (next..tick).step_by(TICK_MS as usize) {
                self.writer.write(empty, 0, &Batch::default())?;
                self.imported.ticks += 1;
            }
        }
        self.writer.write(tick, 0, batch)?;
        self.written = Some(tick);
        self.imported.ticks += 1;
        let (first, _) = self.imported.span_ms;
        self.imported.span_ms = (if first == 0 { tick } else { first }, tick);
        Ok(())
    }

    /// Writes the rest.
    pub(super) fn finish(mut self) -> Result<Imported, ImportError> {
        while let Some((tick, batch)) = self.waiting.pop_first() {
            self.put(tick, &batch)?;
        }
        self.writer.finish()?;
        Ok(self.imported)
    }
}
