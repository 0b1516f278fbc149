//! Decisions of a live city as JSON Lines files. The disk may be slow: a thread of its own writes, behind a bounded queue;
//! what does not fit is left out and said so. The end waits until that thread has written the rest.

use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use nanming_dataflows::network::City;

use super::bus::Sink;
use super::jsonl::JsonlSinks;
use crate::door::TickRecord;

/// Ticks that may wait for the disk.
const QUEUE: usize = 4096;
/// What is written is handed to the system at least so often: who follows the files sees it, and a crash loses no more.
const FLUSH: Duration = Duration::from_secs(1);

/// The queue to the writing thread.
pub struct Files {
    ticks: Option<Sender<Arc<TickRecord>>>,
    writer: Option<JoinHandle<()>>,
    left_out: u64,
}

impl Files {
    /// Opens the files, each put aside beyond `bound` bytes or an age, and starts the thread.
    pub fn append(dir: &Path, city: &Arc<City>, bound: u64, age: Option<Duration>) -> std::io::Result<Files> {
        let sinks = JsonlSinks::append(dir, city, bound, age)?;
        let (ticks, queue) = bounded(QUEUE);
        let writer = std::thread::Builder::new().name("jsonl".into()).spawn(move || {
            if let Err(error) = write_all(sinks, &queue) {
                tracing::warn!(%error, "decisions are no longer written to files");
            }
        })?;
        Ok(Files { ticks: Some(ticks), writer: Some(writer), left_out: 0 })
    }
}

fn write_all(mut sinks: JsonlSinks, queue: &Receiver<Arc<TickRecord>>) -> std::io::Result<()> {
    let mut flushed = Instant::now();
    for record in queue {
        sinks.write(&record.decisions)?;
        if queue.is_empty() || flushed.elapsed() >= FLUSH {
            sinks.flush()?;
            flushed = Instant::now();
        }
    }
    sinks.flush()
}

impl Sink for Files {
    fn take(&mut self, record: &Arc<TickRecord>) {
        let Some(ticks) = &self.ticks else { return };
        match ticks.try_send(Arc::clone(record)) {
            Ok(()) => {}
            // The writer has said why it gave up.
            Err(TrySendError::Disconnected(_)) => self.ticks = None,
            Err(TrySendError::Full(_)) => {
                self.left_out += 1;
                if self.left_out.is_power_of_two() {
                    tracing::warn!(
                        ticks = self.left_out,
                        "the disk is too slow: ticks left out of the JSON Lines files"
                    );
                }
            }
        }
    }
}

impl Drop for Files {
    fn drop(&mut self) {
        drop(self.ticks.take());
        // A panic of the writer is in the log already.
        let _ = self.writer.take().map(JoinHandle::join);
    }
}
