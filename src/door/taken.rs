//! All that a tick took as one digest: what the audit log says that the engine had seen when it decided.

use blake3::Hasher;
use nanming_dataflows::Time;
use nanming_dataflows::event::Batch;

/// Bytes of an event, more or less.
const EVENT: usize = 32;

/// What a tick took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Events of all streams.
    pub events: u64,
    /// BLAKE3 of the tick (8 bytes, little-endian) and of its [`Batch`] in postcard: its events as they passed the door.
    pub digest: [u8; 32],
}

impl Taken {
    /// None where there was nothing.
    pub fn of(tick: Time, batch: &Batch) -> Option<Taken> {
        let events = batch.len();
        if events == 0 {
            return None;
        }
        let bytes = postcard::to_extend(batch, Vec::with_capacity(events * EVENT));
        let digest = bytes.map(|bytes| Hasher::new().update(&tick.to_le_bytes()).update(&bytes).finalize().into());
        // Of what cannot be written down the digest agrees with nothing, and so it is found.
        let digest = digest.unwrap_or_else(|error| {
            tracing::error!(%error, "a tick's events have no digest: the audit log will not agree with a recording");
            [0; 32]
        });
        Some(Taken { events: events as u64, digest })
    }
}

#[cfg(test)]
mod tests {
    use nanming_dataflows::event::FlowReading;
    use nanming_dataflows::ids::CameraId;

    use super::*;

    #[test]
    fn each_event_its_order_and_its_tick_count() {
        let (camera, interval_ms, speed_mm_s, occupancy_milli) = (CameraId(1), 1, 1, 1);
        let flow = |vehicles| FlowReading { time_ms: 5, camera, interval_ms, vehicles, speed_mm_s, occupancy_milli };
        let of = |tick, flows: &[u32]| {
            let flows = flows.iter().map(|vehicles| flow(*vehicles)).collect();
            Taken::of(tick, &Batch { flows, ..Batch::default() })
        };
        let [one, again] = [of(7, &[1, 2]), of(7, &[1, 2])];
        assert_eq!((one, one.unwrap().events), (again, 2));
        for other in [of(8, &[1, 2]), of(7, &[2, 1]), of(7, &[1]), of(7, &[1, 2, 2])] {
            assert_ne!(one, other);
        }
        assert_eq!(of(7, &[]), None);
    }
}
