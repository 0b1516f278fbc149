//! Measures of snapshots.

use prometheus::{Gauge, IntCounter};

use super::make::Make;

/// Measures of snapshots.
pub struct SnapshotMeasures {
    tick: Gauge,
    bytes: IntCounter,
    failed: IntCounter,
}

impl SnapshotMeasures {
    pub(super) fn new(make: &Make) -> SnapshotMeasures {
        SnapshotMeasures {
            tick: make.gauge(
                "snapshot_tick_seconds",
                "City time of the newest snapshot on the disk, Unix time; 0 before the first.",
            ),
            bytes: make.counter("snapshot_bytes_total", "Bytes of snapshots written."),
            failed: make.counter(
                "snapshot_failures_total",
                "Snapshots that could not be written; the next holds what they did.",
            ),
        }
    }

    /// A snapshot of a tick is on the disk, so many bytes more.
    pub(crate) fn written(&self, tick: u64, bytes: u64) {
        self.tick.set(tick as f64 / 1000.0);
        self.bytes.inc_by(bytes);
    }

    /// One could not be written.
    pub(crate) fn failed(&self) {
        self.failed.inc();
    }
}
