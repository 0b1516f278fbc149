//! How busy units are of late: the q of the model.

use serde::{Deserialize, Serialize};

use crate::Time;

/// Learned so often, ms.
const EACH_MS: u64 = 60_000;
/// What is so now counts as one part of so many.
const PARTS: u64 = 30;
const PPM: u64 = 1_000_000;

/// Mean share of the units in service that are engaged. It begins with what is so at first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Busy {
    mean_ppm: Option<u64>,
    due_ms: Time,
}

impl Busy {
    /// So many of these units are engaged.
    pub fn learn(&mut self, tick: Time, engaged: usize, units: usize) {
        if units == 0 || tick < self.due_ms {
            return;
        }
        self.due_ms = tick + EACH_MS;
        let now_ppm = engaged as u64 * PPM / units as u64;
        self.mean_ppm = Some(self.mean_ppm.map_or(now_ppm, |mean| (mean * (PARTS - 1) + now_ppm) / PARTS));
    }

    /// The share, 1/1,000,000.
    pub fn ppm(&self) -> u64 {
        self.mean_ppm.unwrap_or_default()
    }
}
