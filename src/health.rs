//! Whether the engine lives: what `/healthz` says.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};

use crate::clock::wall_ms;

/// A tick older than this means that the engine stands still, ms of wall time.
const STALL_MS: u64 = 10_000;

/// The last sign of life, shared by those who see it.
#[derive(Debug, Default)]
pub struct Health {
    tick: AtomicU64,
    seen_ms: AtomicU64,
    ledger_fails: AtomicBool,
    /// 0: not configured, 1: not reached, 2: reached.
    kafka: AtomicU8,
}

impl Health {
    /// A tick went through.
    pub fn tick(&self, tick: u64) {
        self.tick.store(tick, Ordering::Relaxed);
        self.seen_ms.store(wall_ms(), Ordering::Relaxed);
    }
    /// Whether the last commit worked.
    pub fn ledger_works(&self, works: bool) {
        self.ledger_fails.store(!works, Ordering::Relaxed);
    }
    /// Whether the ledger takes calls.
    pub fn takes_calls(&self) -> bool {
        !self.ledger_fails.load(Ordering::Relaxed)
    }
    /// Whether Kafka, which is configured, is reached.
    pub fn kafka_reached(&self, reached: bool) {
        self.kafka.store(1 + u8::from(reached), Ordering::Relaxed);
    }
    /// Whether Kafka is reached, where it is configured. The engine lives without it.
    pub fn kafka(&self) -> Option<bool> {
        let known = self.kafka.load(Ordering::Relaxed);
        (known > 0).then_some(known == 2)
    }
    /// The last tick that went through; 0: none yet.
    pub fn last_tick(&self) -> u64 {
        self.tick.load(Ordering::Relaxed)
    }
    /// Wall time since then, ms.
    pub fn lag_ms(&self) -> u64 {
        wall_ms().saturating_sub(self.seen_ms.load(Ordering::Relaxed))
    }
    /// What is wrong, if anything.
    pub fn complaint(&self) -> Option<&'static str> {
        if !self.takes_calls() {
            Some("ledger")
        } else if self.last_tick() == 0 {
            Some("starting")
        } else if self.lag_ms() > STALL_MS {
            Some("stalled")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_complains_until_ticks_flow_and_the_ledger_commits() {
        let health = Health::default();
        assert_eq!(health.complaint(), Some("starting"));
        health.tick(5);
        assert_eq!(health.complaint(), None);
        health.ledger_works(false);
        assert_eq!(health.complaint(), Some("ledger"));
    }
}
