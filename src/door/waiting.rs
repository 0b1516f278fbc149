//! What has arrived since the last tick closed: bounded, whatever comes.

use nanming_dataflows::event::Batch;
use nanming_dataflows::ids::CallId;

use super::{Arrival, CallNote, sampling};
use crate::metrics::Metrics;
use crate::offsets::Offsets;

/// Events that may wait from sources that are held back beyond it, and from people and devices before their sensor events
/// are sampled.
const LARGEST_BATCH: usize = 200_000;

/// The events, of both kinds of source, and the notes on calls among them.
#[derive(Default)]
pub(super) struct Waiting {
    pulled: Batch,
    pushed: Batch,
    notes: Vec<(CallId, CallNote)>,
    offsets: Offsets,
}

impl Waiting {
    pub(super) fn take(&mut self, arrival: Arrival) {
        self.pulled.extend(arrival.events);
        self.notes.extend(arrival.notes);
        self.offsets.absorb(&arrival.offsets);
    }

    pub(super) fn take_pushed(&mut self, arrival: Arrival, metrics: &Metrics) {
        self.pushed.extend(arrival.events);
        self.notes.extend(arrival.notes);
        self.offsets.absorb(&arrival.offsets);
        if self.pushed.len() > LARGEST_BATCH {
            metrics.events_sampled(&sampling::last_of_each(&mut self.pushed));
        }
    }

    /// All of it; nothing waits any more.
    pub(super) fn leave(&mut self) -> (Batch, Vec<(CallId, CallNote)>, Offsets) {
        let mut batch = std::mem::take(&mut self.pulled);
        batch.append(std::mem::take(&mut self.pushed));
        (batch, std::mem::take(&mut self.notes), std::mem::take(&mut self.offsets))
    }

    pub(super) fn has_room(&self) -> bool {
        self.pulled.len() < LARGEST_BATCH
    }

    /// Sampling leaves room as long as there are fewer sensors than may wait.
    pub(super) fn has_room_for_pushed(&self) -> bool {
        self.pushed.len() < LARGEST_BATCH
    }

    pub(super) fn is_urgent(&self) -> bool {
        self.pulled.is_urgent() || self.pushed.is_urgent()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.pulled.is_empty() && self.pushed.is_empty() && self.notes.is_empty() && self.offsets.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use nanming_dataflows::event::{CrowdCount, Event};
    use nanming_dataflows::ids::CameraId;

    use super::*;

    #[test]
    fn a_flood_from_devices_leaves_the_last_of_each_and_is_counted() {
        let metrics = Metrics::new(&nanming_simulators::town::small(2, 2, 1));
        let count = |people: u32| Event::Crowd(CrowdCount { time_ms: 1, camera: CameraId(people % 3), people });
        let mut waiting = Waiting::default();
        for _ in 0..3 {
            let events = (0..150_000).map(count).collect();
            waiting.take_pushed(Arrival { events, ..Arrival::default() }, &metrics);
            assert!(waiting.has_room_for_pushed());
        }
        let sampled = "nanming_events_sampled_total{stream=\"crowds\"} 299997";
        assert!(metrics.render().lines().any(|line| line == sampled), "{}", metrics.render());
        assert_eq!(waiting.leave().0.crowds.len(), 150_003);
    }
}
