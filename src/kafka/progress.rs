//! How far the ledger is: the offsets of ticks that it has kept, or, in a process without one, of ticks that are finished.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::door::TickRecord;
use crate::offsets::Offsets;
use crate::publish::Sink;

/// Offsets of ticks that are done with.
#[derive(Default)]
pub struct Progress {
    kept: Mutex<Offsets>,
    moved: Condvar,
}

impl Progress {
    /// Offsets kept so far.
    pub(super) fn kept(&self) -> MutexGuard<'_, Offsets> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A tick is done with.
    pub fn keep(&self, record: &TickRecord) {
        if !record.offsets.is_empty() {
            self.kept().absorb(&record.offsets);
            self.moved.notify_all();
        }
    }

    /// Waits until more are kept, at most so long.
    pub(super) fn wait(&self, kept: MutexGuard<'_, Offsets>, at_most: Duration) {
        drop(self.moved.wait_timeout(kept, at_most));
    }
}

impl Sink for Arc<Progress> {
    fn take(&mut self, record: &Arc<TickRecord>) {
        self.keep(record);
    }
}
