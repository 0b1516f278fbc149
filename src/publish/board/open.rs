//! What the public may be told of the board. Calls show here as collisions with a place and a time, or not at all.

use std::ops::Range;

use nanming_dataflows::event::{CallPhase, Category};

use super::state::State;
use crate::travel::{Collision, Outlook};

impl State {
    /// The time of the last tick, ms.
    pub fn time_ms(&self) -> u64 {
        self.time_ms
    }

    /// What is known of some links, now and ahead as of a time.
    pub fn outlooks(&self, links: Range<usize>, time_ms: u64) -> Vec<Outlook> {
        let of = |row: usize| {
            Outlook::new(&self.city.links[row], time_ms, self.links[row].as_ref(), self.forecasts[row].as_ref())
        };
        links.map(of).collect()
    }

    /// Collisions that somebody called about and that are not closed.
    pub fn collisions(&self) -> Vec<Collision> {
        let calls = self.calls.values().filter(|call| call.facts.category == Category::Collision);
        let open = calls.filter(|call| !call.phase.is_over());
        let told = open.map(|call| Collision {
            at: call.facts.at,
            since_ms: call.opened_ms,
            confirmed: call.phase == CallPhase::Arrived,
        });
        told.collect()
    }
}
