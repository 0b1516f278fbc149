//! Records a live city: beside the door, behind a bounded queue, on a thread of its own. A slow disk never holds up the
//! city: ticks for which there is no room are left out, counted, and told of in the recording by the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use nanming_dataflows::Time;
use nanming_dataflows::event::Batch;

use super::{RecordingError, Writer};
use crate::metrics::Metrics;

/// Ticks that may wait for the disk, and events in them: some 50 MB.
const TICKS: usize = 1024;
const EVENTS: usize = 1_000_000;
/// What has come is on the disk after so long at the latest: a crash loses no more.
const FLUSH: Duration = Duration::from_secs(1);

/// A tick on its way to the thread.
pub(super) struct Waiting {
    pub(super) tick: Time,
    pub(super) left_out: u32,
    batch: Batch,
}

/// The door's end.
pub struct Recorder {
    ticks: Option<Sender<Waiting>>,
    waiting: Arc<AtomicUsize>,
    left_out: u32,
    metrics: Arc<Metrics>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Starts the thread that writes, for ticks that are later than the last one there.
    pub fn start(writer: Writer, metrics: Arc<Metrics>) -> std::io::Result<Recorder> {
        let (ticks, queue) = bounded(TICKS);
        let waiting = Arc::<AtomicUsize>::default();
        let recording =
            Recording { writer, metrics: Arc::clone(&metrics), waiting: Arc::clone(&waiting), lost: 0, pending: 0 };
        let thread = std::thread::Builder::new().name("recorder".into()).spawn(move || recording.run(&queue))?;
        Ok(Recorder { ticks: Some(ticks), waiting, left_out: 0, metrics, thread: Some(thread) })
    }

    /// Takes a tick that the door closes, if there is room for it.
    pub fn take(&mut self, tick: Time, batch: &Batch) {
        let Some(ticks) = &self.ticks else { return };
        let (events, waiting) = (batch.len(), self.waiting.load(Ordering::Relaxed));
        // Nobody else sends: what is not full now has room below.
        if ticks.is_full() || (waiting > 0 && waiting + events > EVENTS) {
            return self.leave_out();
        }
        self.waiting.fetch_add(events, Ordering::Relaxed);
        let tick = Waiting { tick, left_out: self.left_out, batch: batch.clone() };
        match ticks.try_send(tick) {
            Ok(()) => self.left_out = 0,
            Err(_) => self.leave_out(),
        }
    }

    /// With a queue of so many ticks that a test reads.
    #[cfg(test)]
    pub(super) fn without_thread(bound: usize, metrics: Arc<Metrics>) -> (Recorder, Receiver<Waiting>) {
        let (ticks, queue) = bounded(bound);
        (Recorder { ticks: Some(ticks), waiting: Arc::default(), left_out: 0, metrics, thread: None }, queue)
    }

    fn leave_out(&mut self) {
        self.left_out = self.left_out.saturating_add(1);
        self.metrics.unrecorded(1);
        if self.left_out.is_power_of_two() {
            tracing::warn!(ticks = self.left_out, "the disk is too slow: ticks are left out of the recording");
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        drop(self.ticks.take());
        // A panic of the thread is in the log already.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// The thread's end.
struct Recording {
    writer: Writer,
    metrics: Arc<Metrics>,
    waiting: Arc<AtomicUsize>,
    /// Ticks lost to a disk that failed, to be told of with the next one.
    lost: u32,
    /// Ticks that wait in the writer.
    pending: u32,
}

impl Recording {
    fn run(mut self, queue: &Receiver<Waiting>) {
        let mut flushed = Instant::now();
        loop {
            let rest = FLUSH.saturating_sub(flushed.elapsed());
            match queue.recv_timeout(rest) {
                Ok(tick) => self.write(tick),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if flushed.elapsed() >= FLUSH {
                let done = self.writer.flush();
                self.settle(done);
                flushed = Instant::now();
            }
        }
        let done = self.writer.flush();
        self.settle(done);
        if let Err(error) = self.writer.finish() {
            tracing::warn!(%error, "the recording has no proper end");
        }
    }

    fn write(&mut self, Waiting { tick, left_out, batch }: Waiting) {
        self.waiting.fetch_sub(batch.len(), Ordering::Relaxed);
        self.pending += 1;
        let done = self.writer.write(tick, left_out.saturating_add(std::mem::take(&mut self.lost)), &batch);
        if done.is_err() {
            self.settle(done);
        }
    }

    /// Counts what was written, or lost.
    fn settle(&mut self, done: Result<(), RecordingError>) {
        let ticks = std::mem::take(&mut self.pending);
        match done {
            Ok(()) => self.metrics.recorded(ticks.into()),
            Err(error) => {
                self.lost = self.lost.saturating_add(ticks);
                self.metrics.unrecorded(ticks.into());
                tracing::warn!(%error, ticks, "the recording could not be written: these ticks are missing in it");
            }
        }
    }
}
