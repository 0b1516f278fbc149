//! All that a tick took as one digest: what the audit log says that the engine had seen when it decided.

use blake3::Hasher;
use nanming_dataflows::Time;
use nanming_dataflows::event::Batch;

/// The rule by which digests are made. To be raised whenever the bytes of a [`Batch`] in postcard change: with another stream,
/// field or variant.
pub const FORM: u32 = 1;
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
    /// None, and a word in the log, if it cannot be written down: then no recording agrees.
    pub fn of(tick: Time, batch: &Batch) -> Option<Taken> {
        let events = batch.len();
        match postcard::to_extend(batch, Vec::with_capacity(events * EVENT + EVENT)) {
            Ok(bytes) => {
                let digest = Hasher::new().update(&tick.to_le_bytes()).update(&bytes).finalize().into();
                Some(Taken { events: events as u64, digest })
            }
            Err(error) => {
                tracing::error!(%error, "a tick's events have no digest: the audit log will not agree with a recording");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use nanming_dataflows::event::FlowReading;
    use nanming_dataflows::ids::CameraId;

    use super::*;

    fn of(tick: Time, flows: &[u32]) -> Taken {
        let (camera, interval_ms, speed_mm_s, occupancy_milli) = (CameraId(1), 1, 1, 1);
        let flow = |vehicles: &u32| FlowReading {
            time_ms: 5,
            camera,
            interval_ms,
            vehicles: *vehicles,
            speed_mm_s,
            occupancy_milli,
        };
        Taken::of(tick, &Batch { flows: flows.iter().map(flow).collect(), ..Batch::default() }).unwrap()
    }

    #[test]
    fn each_event_its_order_and_its_tick_count() {
        let one = of(7, &[1, 2]);
        assert_eq!((one, one.events), (of(7, &[1, 2]), 2));
        for other in [of(8, &[1, 2]), of(7, &[2, 1]), of(7, &[1]), of(7, &[1, 2, 2]), of(7, &[])] {
            assert_ne!(one, other);
        }
    }

    /// If this fails, digests in ledgers are made anew otherwise: raise `FORM`, and write here what it is by then.
    #[test]
    fn the_form_is_known_by_its_number() {
        let bytes = postcard::to_allocvec(&Batch::default()).unwrap();
        assert_eq!((FORM, bytes), (1, vec![0; 15]), "fifteen streams without an event");
        let digest = of(7, &[1, 2]).digest;
        assert_eq!((FORM, digest[..4].to_vec()), (1, vec![183, 220, 197, 175]));
    }
}
