//! The thread that keeps the ledger: takes finished ticks, commits them, and only then lets them go on to the sinks.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};

use super::Ledger;
use crate::door::TickRecord;
use crate::health::Health;
use crate::metrics::Metrics;

/// Ticks that share a transaction at most.
const GROUP: usize = 64;
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

/// Keeps the ledger until the engine has ended and its last tick is committed. False: ticks were left uncommitted,
/// and nobody was told of them.
pub fn keep(mut keeper: Keeper) -> bool {
    let mut group: Vec<TickRecord> = Vec::with_capacity(GROUP);
    while let Ok(first) = keeper.records.recv() {
        group.push(first);
        group.extend(keeper.records.try_iter().take(GROUP - 1));
        group.iter().for_each(|record| keeper.metrics.tick_finished(record));
        if !commit_until_it_works(&mut keeper, &group) {
            return false;
        }
        for record in group.drain(..) {
            keeper.health.tick(record.tick);
            if keeper.committed.send(Arc::new(record)).is_err() {
                return true;
            }
        }
    }
    keeper.ledger.flush().is_ok()
}

fn commit_until_it_works(keeper: &mut Keeper, group: &[TickRecord]) -> bool {
    let mut pause = RETRY.0;
    let mut stopping: Option<Instant> = None;
    loop {
        let began = Instant::now();
        match keeper.ledger.commit(group) {
            Ok(wrote) => {
                if wrote {
                    keeper.metrics.committed(began.elapsed());
                    keeper.metrics.audited(keeper.ledger.take_audit_took());
                    keeper.metrics.ledger_conflicts(keeper.ledger.take_conflicts());
                }
                keeper.health.ledger_works(true);
                return true;
            }
            Err(error) => {
                keeper.health.ledger_works(false);
                keeper.metrics.commit_failed();
                tracing::error!(%error, ticks = group.len(), "the ledger cannot commit; nobody is told of these ticks; trying again");
            }
        }
        if keeper.stop.load(Ordering::Relaxed) && stopping.get_or_insert_with(Instant::now).elapsed() > LAST_TRIES {
            tracing::error!(ticks = group.len(), "gave up: these ticks are not in the ledger");
            return false;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(RETRY.1);
    }
}
