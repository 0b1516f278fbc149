//! Measures of snapshots.

use prometheus::{IntCounter, IntGauge};

use super::make::Make;

/// Measures of snapshots.
pub struct SnapshotMeasures {
    tick: IntGauge,
    bytes: IntCounter,
    failed: IntCounter,
}

impl SnapshotMeasures {
    pub(super) fn new(make: &Make) -> SnapshotMeasures {
        SnapshotMeasures {
            tick: make
                .int_gauge("snapshot_tick_ms", "City time of the newest snapshot on the disk; 0 before the first."),
            bytes: make.counter("snapshot_bytes_total", "Bytes of snapshots written."),
            failed: make.counter(
                "snapshot_failures_total",
                "Snapshots that could not be written; the next holds what they did.",
            ),
        }
    }

    /// A snapshot of a tick is on the disk, so many bytes more.
    pub(crate) fn written(&self, tick: u64, bytes: u64) {
        self.tick.set(tick as i64);
        self.bytes.inc_by(bytes);
    }

    /// One could not be written.
    pub(crate) fn failed(&self) {
        self.failed.inc();
    }
}
