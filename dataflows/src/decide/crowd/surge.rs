//! Whether more people are at a venue than is usual: a one-sided CUSUM of standardised counts, and a share of the capacity.
//!
//! Sources: E. S. Page, Continuous inspection schemes, Biometrika 41, 1954 (CUSUM); D. C. Montgomery, Introduction to
//! Statistical Quality Control, chapter 9 (its standardised form and the choice of its constants).

use serde::{Deserialize, Serialize};

/// So much above the usual is passed over, 1/1000 spread: days differ, and a busy one is no surge. ...
const SLACK_MILLI: i64 = 2_000;
/// ... what is above that adds up to so much, 1/1000 spread minutes, before it is a surge.
const LIMIT_MILLI: i64 = 8_000;
/// No count stands for more than this, 1/1000 spread: one that is wrong makes no surge.
const MOST_MILLI: i64 = 6_000;
/// Fewer people, or a smaller share of the capacity, are no surge.
const LEAST_PEOPLE: u32 = 100;
const LEAST_SHARE_MILLI: u32 = 150;
/// A venue that is so full has a surge, whatever is usual.
const FULL_MILLI: u32 = 800;
/// A surge ends when, so many minutes on end, ...
const CALM_MIN: u8 = 10;
/// ... the count is less than this above the usual, 1/1000 spread, and the venue less full than that; ...
const CALM_MILLI: i64 = 1_000;
const CALM_SHARE_MILLI: u32 = 700;
/// ... where nothing is known to be usual, when it is less full than this.
const EMPTY_MILLI: u32 = 300;

/// The watch over a venue.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Watch {
    sum_milli: i64,
    surge: bool,
    calm_min: u8,
}

impl Watch {
    /// Whether there is a surge, with so many people now where `usual` with its spread are usual. Asked once a minute.
    pub(super) fn look(&mut self, people: u32, usual: Option<(u32, u32)>, capacity: u32) -> bool {
        let share_milli = share_milli(people, capacity);
        let is_full = |limit_milli: u32| share_milli.is_some_and(|share| share >= limit_milli);
        let above_milli = usual.map(|(mean, spread)| above_milli(people, mean, spread));
        self.sum_milli = above_milli.map_or(0, |z| (self.sum_milli + z - SLACK_MILLI).clamp(0, 2 * LIMIT_MILLI));
        if !self.surge {
            let counts = people >= LEAST_PEOPLE && share_milli.is_none_or(|share| share >= LEAST_SHARE_MILLI);
            self.surge = is_full(FULL_MILLI) || (counts && self.sum_milli >= LIMIT_MILLI);
            self.calm_min = 0;
            return self.surge;
        }
        let is_calm = match above_milli {
            Some(z) => z < CALM_MILLI && !is_full(CALM_SHARE_MILLI),
            None => !is_full(EMPTY_MILLI),
        };
        self.calm_min = if is_calm { self.calm_min + 1 } else { 0 };
        if self.calm_min >= CALM_MIN {
            *self = Watch::default();
        }
        self.surge
    }
}

/// How full a venue is, 1/1000; none where nobody knows what it holds.
pub(super) fn share_milli(people: u32, capacity: u32) -> Option<u32> {
    (u64::from(people) * 1_000).checked_div(u64::from(capacity)).map(|share| share.min(u64::from(u32::MAX)) as u32)
}

/// How far a count lies above the usual, 1/1000 spread.
fn above_milli(people: u32, mean: u32, spread: u32) -> i64 {
    let off = (i64::from(people) - i64::from(mean)) * 1_000;
    (off / i64::from(spread.max(1))).clamp(-MOST_MILLI, MOST_MILLI)
}
