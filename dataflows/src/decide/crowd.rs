//! People at venues: how many there are, whether that is more than usual, and how many will leave in the hour to come.
//!
//! A venue is looked at every minute while its cameras or its gates speak. What is usual is learned from what was seen; how a
//! crowd leaves is learned from those that left before. Knows nothing about links: who forecasts them reads [`CrowdState`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::decision::{CrowdState, OUTFLOWS, Surge};
use crate::event::Event;
use crate::ids::{CameraId, VenueId};
use crate::keyed::{Kind, Machine, Outbox};
use crate::network::City;
use crate::relation::Upsert;

mod egress;
mod present;
mod surge;
mod usual;
use egress::Egress;
use present::Present;
use surge::Watch;
use usual::Usual;

/// Venues are looked at so often, ms.
const LOOK_MS: u64 = 60_000;
/// What does not change is said again after so long, ms: who has just begun to listen knows it then.
const REPEAT_MS: u64 = 300_000;

/// What is counted at a venue. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CrowdEvent {
    /// When, ms.
    pub time_ms: u64,
    /// What.
    pub what: Counted,
}

/// By whom people are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Counted {
    /// So many are in view of a camera.
    InView(CameraId, u32),
    /// So many came in, and so many left.
    AtGates(u32, u32),
}

/// What an event tells of a venue.
pub fn counted(city: &City, event: &Event) -> Option<(VenueId, CrowdEvent)> {
    match event {
        Event::Crowd(c) => {
            let venue = city.cameras[c.camera.index()].venue?;
            Some((venue, CrowdEvent { time_ms: c.time_ms, what: Counted::InView(c.camera, c.people) }))
        }
        Event::Gate(g) => {
            let what = Counted::AtGates(g.entered, g.left);
            Some((g.venue, CrowdEvent { time_ms: g.time_ms, what }))
        }
        _ => None,
    }
}

/// Whether a venue has a surge, as an upsert.
pub fn surging(state: &CrowdState) -> (VenueId, Upsert<()>) {
    (state.venue, Upsert::new(state.time_ms, state.surge.then_some(())))
}

/// A venue with a surge.
pub fn surge((venue, ()): (VenueId, ())) -> Surge {
    Surge { venue }
}

/// The machine of venues.
pub struct Crowds {
    city: Arc<City>,
}

impl Crowds {
    /// For a city's venues.
    pub fn new(city: Arc<City>) -> Self {
        Crowds { city }
    }
}

/// What is remembered of a venue.
#[derive(Default, Serialize, Deserialize)]
pub struct Venue {
    present: Present,
    usual: Usual,
    watch: Watch,
    egress: Egress,
    /// When it is to be looked at next.
    due: Time,
    said: Option<CrowdState>,
}

impl Machine for Crowds {
    type Key = VenueId;
    type Event = CrowdEvent;
    type State = Venue;
    type Out = CrowdState;

    fn kind(&self) -> Kind {
        Kind::Learned
    }

    fn name(&self) -> &'static str {
        "crowds"
    }

    fn step(
        &self,
        id: VenueId,
        venue: &mut Venue,
        tick: Time,
        events: &[(VenueId, CrowdEvent)],
        out: &mut Outbox<CrowdState>,
    ) {
        for (_, event) in events {
            venue.present.take(event);
        }
        let is_new = !venue.said.as_ref().is_some_and(|said| said.observed);
        // After a restart it may be due long after now, if the clock was set back.
        if !is_new && tick < venue.due && venue.due <= tick + LOOK_MS {
            return;
        }
        if tick > venue.due + LOOK_MS {
            // Nobody looked for a while: who listens now may not have heard what was said.
            venue.said = None;
        }
        let time_ms = if is_new { tick } else { tick / LOOK_MS * LOOK_MS };
        let state = self.look(id, venue, time_ms);
        venue.due = (tick / LOOK_MS + 1) * LOOK_MS;
        if state.observed {
            out.wake_at(venue.due);
        }
        let is_known = |said: &CrowdState| {
            time_ms < said.time_ms + REPEAT_MS && *said == CrowdState { time_ms: said.time_ms, ..state.clone() }
        };
        if !venue.said.as_ref().is_some_and(is_known) {
            out.emit(state.clone());
            venue.said = Some(state);
        }
    }
}

impl Crowds {
    /// Looks at a venue: learns from it, and says how it is.
    fn look(&self, id: VenueId, venue: &mut Venue, time_ms: u64) -> CrowdState {
        let capacity = self.city.venues[id.index()].capacity;
        let local_ms = time_ms as i64 + i64::from(self.city.utc_offset_min) * 60_000;
        let level = venue.usual.at(&self.city, local_ms);
        let usual = level.map_or(0, |level| level.mean);
        let Some(people) = venue.present.people(time_ms, local_ms) else {
            return venue.unseen(id, time_ms, usual);
        };
        let spread = level.map_or(0, |level| level.spread_at_least(capacity));
        let surge = venue.watch.look(people, level.map(|level| (level.mean, spread)), capacity);
        venue.usual.learn(&self.city, local_ms, people, level.map(|level| (level.mean, spread)), surge);
        venue.egress.look(time_ms, people, usual, surge, venue.present.left());
        let capacity_share_milli = surge::share_milli(people, capacity).unwrap_or(0);
        let outflow = venue.egress.outflow(time_ms, people, usual, |ahead_ms| {
            venue.usual.at(&self.city, local_ms + ahead_ms as i64).map_or(usual, |level| level.mean)
        });
        CrowdState { venue: id, time_ms, people, usual, capacity_share_milli, surge, outflow, observed: true }
    }
}

impl Venue {
    /// Nobody counts there any more: what was last known is carried on, and nothing is expected of it.
    fn unseen(&mut self, id: VenueId, time_ms: u64, usual: u32) -> CrowdState {
        self.watch = Watch::default();
        self.egress.lose_sight();
        let (people, capacity_share_milli) =
            self.said.as_ref().map_or((0, 0), |said| (said.people, said.capacity_share_milli));
        let outflow = [0; OUTFLOWS];
        CrowdState { venue: id, time_ms, people, usual, capacity_share_milli, surge: false, outflow, observed: false }
    }
}

#[cfg(test)]
mod tests;
