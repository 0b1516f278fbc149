//! Decisions of a live city as JSON Lines files. The disk may be slow: a thread of its own writes, behind a bounded queue;
//! what does not fit is left out and said so.

use std::path::Path;
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, bounded};
use nanming_dataflows::network::City;

use super::bus::Sink;
use super::jsonl::JsonlSinks;
use crate::door::TickRecord;

/// Ticks that may wait for the disk.
const QUEUE: usize = 4096;

/// The queue to the writing thread.
pub struct Files {
    ticks: Sender<Arc<TickRecord>>,
    left_out: u64,
}

impl Files {
    /// Makes the files and starts the thread.
    pub fn create(dir: &Path, city: &Arc<City>) -> std::io::Result<Files> {
        let sinks = JsonlSinks::create(dir, city)?;
        let (ticks, queue) = bounded(QUEUE);
        std::thread::Builder::new().name("jsonl".into()).spawn(move || {
            if let Err(error) = write_all(sinks, &queue) {
                tracing::warn!(%error, "decisions are no longer written to files");
            }
        })?;
        Ok(Files { ticks, left_out: 0 })
    }
}

fn write_all(mut sinks: JsonlSinks, queue: &Receiver<Arc<TickRecord>>) -> std::io::Result<()> {
    for record in queue {
        sinks.write(&record.decisions)?;
    }
    sinks.finish()
}

impl Sink for Files {
    fn take(&mut self, record: &Arc<TickRecord>) {
        if self.ticks.try_send(Arc::clone(record)).is_err() {
            self.left_out += 1;
            if self.left_out.is_power_of_two() {
                tracing::warn!(ticks = self.left_out, "the disk is too slow: ticks left out of the JSON Lines files");
            }
        }
    }
}
