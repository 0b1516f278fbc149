//! How many people are at a venue: by its cameras, by its gates, or by both.
//!
//! Cameras tell how many are there, each of its part and with errors that do not add up over time. Gates tell how that
//! changes, at once and of everybody, but each miscount stays: where there are both, the balance of the gates is drawn to what
//! the cameras see, and where there are only gates, to nobody in the small hours.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Counted, CrowdEvent};
use crate::Time;
use crate::ids::CameraId;

/// A camera's count is used for so long, ms.
const CAMERA_MS: u64 = 300_000;
/// The part of a camera that is silent is told by the others for so long, ms; then it is forgotten.
const CAMERA_PART_MS: u64 = 86_400_000;
/// It is told by others that see so little of the whole that they are taken at most so many times.
const MOST_PARTS: u64 = 4;
/// Gates are believed for so long after their last word, ms: intervals are at most an hour long.
const GATES_MS: u64 = 3_900_000;
/// The small hours, min of the local day: whoever is still counted in without a camera's seeing anybody was miscounted.
const SMALL_HOURS_MIN: std::ops::Range<i64> = 120..300;
/// More people fit nowhere.
const MOST: i64 = 10_000_000;

/// Who counts at a venue, and what they last said.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Present {
    cameras: BTreeMap<CameraId, InView>,
    gates: Option<Gates>,
}

#[derive(Clone, Copy, Serialize, Deserialize)]
struct InView {
    time_ms: u64,
    people: u32,
    /// Mean of its counts, the last ones weighing most, 1/256.
    mean_256: u64,
}

#[derive(Clone, Copy, Default, Serialize, Deserialize)]
struct Gates {
    heard_ms: u64,
    /// People who came in and have not left.
    balance: i64,
    /// People who left since this was last asked.
    left: u32,
}

impl Present {
    /// Takes a count. What a camera says of an earlier time than it did before changes nothing.
    pub(super) fn take(&mut self, event: &CrowdEvent) {
        let time_ms = event.time_ms;
        match event.what {
            Counted::InView(camera, people) => {
                let new = InView { time_ms: 0, people, mean_256: u64::from(people) * 256 };
                let seen = self.cameras.entry(camera).or_insert(new);
                if time_ms >= seen.time_ms {
                    let mean_256 = seen.mean_256 - seen.mean_256 / 256 + u64::from(people);
                    *seen = InView { time_ms, people, mean_256 };
                }
            }
            Counted::AtGates(entered, left) => {
                let begin = || Gates { balance: i64::from(self.in_view(time_ms).unwrap_or(0)), ..Gates::default() };
                let mut gates = self.gates.unwrap_or_else(begin);
                gates.heard_ms = gates.heard_ms.max(time_ms);
                gates.balance = (gates.balance + i64::from(entered) - i64::from(left)).clamp(0, MOST);
                gates.left = gates.left.saturating_add(left);
                self.gates = Some(gates);
            }
        }
    }

    /// How many there are; none while nobody counts. Asked once a minute: it corrects the balance of the gates.
    pub(super) fn people(&mut self, now_ms: Time, local_ms: i64) -> Option<u32> {
        self.cameras.retain(|_, seen| now_ms <= seen.time_ms + CAMERA_PART_MS);
        self.gates = self.gates.filter(|gates| now_ms <= gates.heard_ms + GATES_MS);
        let in_view = self.in_view(now_ms);
        let Some(gates) = &mut self.gates else { return in_view };
        let minute = (local_ms / 60_000).rem_euclid(1_440);
        match in_view {
            Some(people) => gates.balance += (i64::from(people) - gates.balance) / 8,
            None if SMALL_HOURS_MIN.contains(&minute) => gates.balance -= (gates.balance + 15) / 16,
            None => {}
        }
        Some(gates.balance as u32)
    }

    /// How many left since this was last asked; none without gates.
    pub(super) fn left(&mut self) -> Option<u32> {
        self.gates.as_mut().map(|gates| std::mem::take(&mut gates.left))
    }

    /// People in view of the cameras that speak, and of those that have fallen silent their usual part of the whole.
    fn in_view(&self, now_ms: Time) -> Option<u32> {
        let (mut now, mut part, mut whole, mut speaks) = (0, 0, 0, false);
        for seen in self.cameras.values() {
            whole += seen.mean_256;
            if now_ms <= seen.time_ms + CAMERA_MS {
                (now, part, speaks) = (now + u64::from(seen.people), part + seen.mean_256, true);
            }
        }
        let people = (u128::from(now) * u128::from(whole)).checked_div(u128::from(part)).unwrap_or(u128::from(now));
        let people = people.min(u128::from(now * MOST_PARTS)).min(MOST as u128);
        speaks.then_some(people as u32)
    }
}
