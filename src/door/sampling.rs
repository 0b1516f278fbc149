//! What is left of sensor events that come faster than the engine decides: of each sensor the last one, and of the gates of a
//! venue one count of all who passed. Calls, answers and all else that the ledger keeps are never sampled.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use nanming_dataflows::event::{Batch, GateCount};
use nanming_dataflows::ids::VenueId;

/// Keeps the last event of each sensor; how many others there were, by stream.
pub(super) fn last_of_each(batch: &mut Batch) -> [(&'static str, usize); 7] {
    [
        ("passages", keep_last(&mut batch.passages, |p| p.camera)),
        ("flows", keep_last(&mut batch.flows, |f| f.camera)),
        ("crowds", keep_last(&mut batch.crowds, |c| c.camera)),
        ("signals", keep_last(&mut batch.signals, |s| s.junction)),
        ("buses", keep_last(&mut batch.buses, |b| b.bus)),
        ("gates", keep_sum(&mut batch.gates)),
        ("weather", keep_last(&mut batch.weather, |report| report.district)),
    ]
}

fn keep_last<T, K: Eq + Hash>(events: &mut Vec<T>, sensor: impl Fn(&T) -> K) -> usize {
    let before = events.len();
    let mut seen = HashSet::with_capacity(before.min(1 << 17));
    events.reverse();
    events.retain(|event| seen.insert(sensor(event)));
    events.reverse();
    before - events.len()
}

/// People who passed gates are never left out: of the counts of a venue, the last one tells of them all.
fn keep_sum(gates: &mut Vec<GateCount>) -> usize {
    let mut sums: HashMap<VenueId, (u32, u32)> = HashMap::new();
    for count in gates.iter() {
        let (entered, left) = sums.entry(count.venue).or_default();
        *entered = entered.saturating_add(count.entered);
        *left = left.saturating_add(count.left);
    }
    let dropped = keep_last(gates, |count| count.venue);
    for count in gates {
        (count.entered, count.left) = sums.get(&count.venue).copied().unwrap_or_default();
    }
    dropped
}

#[cfg(test)]
mod tests {
    use nanming_dataflows::event::{CallChange, CallEvent, CrowdCount};
    use nanming_dataflows::ids::{CallId, CameraId};

    use super::*;

    #[test]
    fn the_last_of_each_sensor_stays_in_its_order_and_calls_all_do() {
        let count = |(camera, people)| CrowdCount { time_ms: 1, camera: CameraId(camera), people };
        let call = CallEvent { time_ms: 1, call: CallId(1), change: CallChange::Cancelled };
        let crowds = [(1, 10), (2, 20), (1, 11), (3, 30), (1, 12)].map(count).to_vec();
        let mut batch = Batch { crowds, calls: vec![call; 3], ..Batch::default() };
        let dropped = last_of_each(&mut batch);
        assert_eq!(batch.crowds.iter().map(|c| c.people).collect::<Vec<_>>(), [20, 30, 12]);
        assert_eq!((batch.calls.len(), dropped[2]), (3, ("crowds", 2)));
    }

    #[test]
    fn who_passed_a_gate_is_counted_whatever_is_left_out() {
        let count = |(time_ms, venue, entered, left)| {
            let (venue, interval_ms) = (VenueId(venue), 60_000);
            GateCount { time_ms, venue, interval_ms, entered, left }
        };
        let gates = [(1, 0, 5, 1), (1, 1, 7, 0), (2, 0, 6, 2)].map(count).to_vec();
        let mut batch = Batch { gates, ..Batch::default() };
        assert_eq!(last_of_each(&mut batch)[5], ("gates", 1));
        assert_eq!(batch.gates, [(1, 1, 7, 0), (2, 0, 11, 3)].map(count));
    }
}
