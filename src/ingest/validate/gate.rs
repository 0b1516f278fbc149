//! People through the gates of a venue.

use nanming_dataflows::event::GateCount;

use super::{MAX_INTERVAL_S, Validator, in_range};
use crate::ingest::Unfit;
use crate::ingest::line::GateLine;

/// Most people a second that come in, or go out, at all gates of a venue together.
const MAX_PEOPLE_S: f64 = 1_000.0;

impl Validator {
    pub(in crate::ingest) fn gate(&self, line: &GateLine, now_ms: u64) -> Result<GateCount, Unfit> {
        in_range("interval_s", line.interval_s, 1.0, MAX_INTERVAL_S)?;
        in_range(
            "people who entered, a second of the interval,",
            f64::from(line.entered) / line.interval_s,
            0.0,
            MAX_PEOPLE_S,
        )?;
        in_range(
            "people who left, a second of the interval,",
            f64::from(line.left) / line.interval_s,
            0.0,
            MAX_PEOPLE_S,
        )?;
        Ok(GateCount {
            time_ms: self.fresh(line.time_ms, now_ms)?,
            venue: self.names.venue(&line.venue)?,
            interval_ms: (line.interval_s * 1000.0).round() as u32,
            entered: line.entered,
            left: line.left,
        })
    }
}
