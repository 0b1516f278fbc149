//! The thread that writes snapshots. What could not be written is kept in memory, one state a key, and tried again with the
//! next: nothing is left out in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crossbeam_channel::Receiver;
use nanming_dataflows::Time;
use nanming_dataflows::keyed::States;

use super::Part;
use super::chain::{Chain, Growing};
use crate::metrics::Metrics;

/// What it works with.
pub(super) struct Keeper {
    chain: Chain,
    growing: Option<Growing>,
    /// What the engine started with, until it is in a file of this run.
    start: Option<States>,
    /// What is in no file yet.
    since: Part,
    /// The tick of what was written last.
    written: Time,
    metrics: Arc<Metrics>,
    failed: bool,
    /// Whether the machines are to save all states: what was in the files cannot be read any more.
    wants_whole: Arc<AtomicBool>,
}

impl Keeper {
    pub(super) fn new(chain: Chain, begun: Part, start: States, metrics: Arc<Metrics>) -> Keeper {
        Keeper {
            chain,
            growing: None,
            start: Some(start),
            since: begun,
            written: 0,
            metrics,
            failed: false,
            wants_whole: Arc::default(),
        }
    }

    /// As if the file were long.
    #[cfg(test)]
    pub(super) fn begin_another(&mut self) {
        self.growing = None;
    }

    /// Where it says that it needs all states.
    pub(super) fn wants_whole(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.wants_whole)
    }

    pub(super) fn run(mut self, from: &Receiver<Part>) {
        while let Ok(part) = from.recv() {
            self.since.absorb(part);
            let done = self.hear(from);
            self.tell(done);
        }
    }

    /// Writes what there is, with what waits already.
    pub(super) fn hear(&mut self, from: &Receiver<Part>) -> std::io::Result<()> {
        self.since.absorb_all(from);
        let done = self.write();
        if done.is_err() {
            self.since.forget_older();
        }
        done
    }

    fn write(&mut self) -> std::io::Result<()> {
        let bytes = match self.growing.take().filter(|growing| !growing.is_over()) {
            // After an error it is not written any more: the next file begins with all that it has.
            Some(mut growing) => {
                let bytes = growing.append(&self.since)?;
                self.growing = Some(growing);
                bytes
            }
            None => {
                let states = self.before()?;
                let growing = self.chain.next(states, &self.since)?;
                self.start = None;
                self.growing.insert(growing).bytes()
            }
        };
        self.metrics.snapshots.written(self.since.tick, bytes);
        self.written = self.since.tick;
        (self.since.states, self.since.is_whole) = (Vec::new(), false);
        Ok(())
    }

    /// All states but those since.
    fn before(&self) -> std::io::Result<States> {
        match &self.start {
            _ if self.since.is_whole => Ok(States::default()),
            Some(start) => Ok(start.clone()),
            None => self.chain.newest(self.written).inspect_err(|_| self.wants_whole.store(true, Ordering::Relaxed)),
        }
    }

    /// Once when it begins to fail, and once when it works again.
    fn tell(&mut self, done: std::io::Result<()>) {
        if done.is_err() {
            self.metrics.snapshots.failed();
        }
        match done {
            Ok(()) if self.failed => tracing::info!("snapshots are written again"),
            Err(why) if !self.failed => tracing::error!(
                "no snapshot can be written, and a restart would know the city as it was before: {why}; make room beside the \
                 ledger, or give the right to write there"
            ),
            Ok(()) | Err(_) => return,
        }
        self.failed = !self.failed;
    }
}

impl Part {
    /// What waits already is written with the rest.
    fn absorb_all(&mut self, from: &Receiver<Part>) {
        from.try_iter().for_each(|part| self.absorb(part));
    }

    /// Of each key keeps the newest state alone: a disk may refuse for long.
    fn forget_older(&mut self) {
        self.states = self.states.iter().collect::<States>().pieces();
    }
}
