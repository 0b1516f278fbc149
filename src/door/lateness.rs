//! Which sensor events come too late to count.

use nanming_dataflows::Time;
use nanming_dataflows::event::Batch;
use nanming_dataflows::state::link::LATENESS_MS;

/// How many events of a batch come, at a tick, when the windows they belong to are over, by stream. They still tell where a
/// vehicle was, but count in no flow.
pub(super) fn late(batch: &Batch, tick: Time) -> [(&'static str, usize); 2] {
    let is_late = |time_ms: u64| time_ms + LATENESS_MS < tick;
    [
        ("passages", batch.passages.iter().filter(|p| is_late(p.time_ms)).count()),
        ("flows", batch.flows.iter().filter(|f| is_late(f.time_ms)).count()),
    ]
}

#[cfg(test)]
mod tests {
    use nanming_dataflows::event::FlowReading;
    use nanming_dataflows::ids::CameraId;

    use super::*;

    #[test]
    fn what_comes_a_minute_late_is_counted_as_late() {
        let camera = CameraId(1);
        let reading =
            |time_ms| FlowReading { time_ms, camera, interval_ms: 1, vehicles: 1, speed_mm_s: 1, occupancy_milli: 1 };
        let batch = Batch { flows: vec![reading(100_000), reading(100_001), reading(200_000)], ..Batch::default() };
        assert_eq!(late(&batch, 160_001), [("passages", 0), ("flows", 1)]);
    }
}
