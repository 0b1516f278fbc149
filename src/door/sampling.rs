//! What is left of sensor events that come faster than the engine decides: of each sensor the last one. Calls, answers and
//! all else that the ledger keeps are never sampled.

use std::collections::HashSet;
use std::hash::Hash;

use nanming_dataflows::event::Batch;

/// Keeps the last event of each sensor; how many others there were, by stream.
pub(super) fn last_of_each(batch: &mut Batch) -> [(&'static str, usize); 5] {
    [
        ("passages", keep_last(&mut batch.passages, |p| p.camera)),
        ("flows", keep_last(&mut batch.flows, |f| f.camera)),
        ("crowds", keep_last(&mut batch.crowds, |c| c.camera)),
        ("signals", keep_last(&mut batch.signals, |s| s.junction)),
        ("buses", keep_last(&mut batch.buses, |b| b.bus)),
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
}
