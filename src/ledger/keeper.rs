//! The thread that keeps the ledger: takes finished ticks, commits them, and only then lets them go on to the sinks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};

use super::{Ledger, LedgerError};
use crate::door::TickRecord;
use crate::fail;
use crate::health::Health;
use crate::metrics::Metrics;

/// Ticks that share a transaction at most.
const GROUP: usize = 64;
/// Ticks that wait in memory at most while commits fail: ten minutes at 20 ms a tick. With more the engine stands still.
const BACKLOG: usize = 30_000;
/// Pauses between attempts at a commit that failed: doubled from the first up to the last.
const RETRY: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));
/// After the end was asked for, a commit is tried for so long.
const LAST_TRIES: Duration = Duration::from_secs(5);

/// What the keeper works with.
pub struct Keeper {
    /// The book.
    pub ledger: Ledger,
    /// Where finished ticks come from.
    pub records: Receiver<TickRecord>,
    /// Where they go once they are in the book.
    pub committed: Sender<Arc<TickRecord>>,
    /// Who is told whether commits work.
    pub health: Arc<Health>,
    /// Measures.
    pub metrics: Arc<Metrics>,
    /// Set when the engine is to end.
    pub stop: Arc<AtomicBool>,
}

/// How the keeping ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Every tick is in the ledger.
    All,
    /// The end came while commits failed: ticks were left uncommitted, and nobody was told of them.
    NotAll,
    /// A sync failed, and the disk works again: the next engine takes up the ledger from its log. As above for ticks.
    Distrusted,
}

/// Keeps the ledger until the engine has ended and its last tick is committed, or nothing can be kept any more.
pub fn keep(mut keeper: Keeper) -> Kept {
    let mut group: Vec<TickRecord> = Vec::with_capacity(GROUP);
    while let Ok(first) = keeper.records.recv() {
        keeper.metrics.tick_finished(&first);
        group.push(first);
        keeper.gather(&mut group, GROUP);
        match keeper.commit_until_it_works(&mut group) {
            Kept::All => {}
            not_all => return not_all,
        }
        fail::point("keeper.before_sinks");
        for record in group.drain(..) {
            keeper.health.tick(record.tick);
            if keeper.committed.send(Arc::new(record)).is_err() {
                return Kept::All;
            }
            fail::point("keeper.between_ticks");
        }
    }
    match keeper.ledger.flush() {
        Ok(()) => Kept::All,
        Err(LedgerError::Distrusted(_)) => Kept::Distrusted,
        Err(_) => Kept::NotAll,
    }
}

impl Keeper {
    /// Takes what is finished, up to so many ticks in all.
    fn gather(&self, group: &mut Vec<TickRecord>, most: usize) {
        let room = most.saturating_sub(group.len());
        group.extend(self.records.try_iter().take(room).inspect(|record| self.metrics.tick_finished(record)));
    }

    /// Ticks that are finished meanwhile are taken too, so that the engine and the signals go on.
    fn commit_until_it_works(&mut self, group: &mut Vec<TickRecord>) -> Kept {
        let mut pause = RETRY.0;
        let mut stopping: Option<Instant> = None;
        loop {
            let began = Instant::now();
            match self.ledger.commit(group) {
                Ok(wrote) => {
                    if wrote {
                        self.metrics.committed(began.elapsed());
                        self.metrics.audited(self.ledger.take_audit_took());
                        self.metrics.ledger_conflicts(self.ledger.take_conflicts());
                    }
                    self.metrics.ledger_waiting(0);
                    self.health.ledger_works(true);
                    return Kept::All;
                }
                Err(error) => self.failed(&error, group.len()),
            }
            if self.is_done_with(&mut stopping) {
                tracing::error!(ticks = group.len(), "gave up: these ticks are not in the ledger");
                return if self.ledger.is_distrusted() { Kept::Distrusted } else { Kept::NotAll };
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(RETRY.1);
            self.gather(group, BACKLOG);
            self.metrics.ledger_waiting(group.len());
        }
    }

    fn failed(&self, error: &LedgerError, ticks: usize) {
        self.health.ledger_works(false);
        self.metrics.commit_failed();
        if self.ledger.is_distrusted() {
            self.metrics.ledger_distrusted();
        }
        tracing::error!(%error, ticks, "the ledger cannot commit; nobody is told of these ticks; trying again");
    }

    /// Whether no further attempt is of use: the end was asked for, and there were enough; or nothing of this process is
    /// believed any more, and the next one will find a disk that works.
    fn is_done_with(&self, stopping: &mut Option<Instant>) -> bool {
        let asked = self.stop.load(Ordering::Relaxed);
        if self.ledger.is_distrusted() {
            return asked || self.ledger.try_disk().is_ok();
        }
        asked && stopping.get_or_insert_with(Instant::now).elapsed() > LAST_TRIES
    }
}
