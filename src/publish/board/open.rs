//! What the public may be told of the board. Calls show here as collisions with a place and a time, or not at all.

use nanming_dataflows::event::{CallPhase, Category};

use super::state::State;
use crate::travel::{Collision, Traffic};

impl State {
    /// The traffic now and ahead.
    pub fn traffic(&self) -> Traffic {
        Traffic::new(&self.city, self.time_ms, &self.links, &self.forecasts)
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
