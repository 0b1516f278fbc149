//! Weather.

use nanming_dataflows::event::WeatherReport;

use super::{Validator, in_range};
use crate::ingest::Unfit;
use crate::ingest::line::WeatherLine;

/// More rain than was ever measured over an hour, mm/h.
const MAX_RAIN_MM_H: f64 = 500.0;
/// Farther one never sees, m.
const MAX_VISIBILITY_M: f64 = 200_000.0;

impl Validator {
    pub(in crate::ingest) fn weather(&self, line: &WeatherLine, now_ms: u64) -> Result<WeatherReport, Unfit> {
        in_range("rain_mm_h", line.rain_mm_h, 0.0, MAX_RAIN_MM_H)?;
        line.visibility_m.map_or(Ok(()), |far_m| in_range("visibility_m", far_m, 0.0, MAX_VISIBILITY_M))?;
        Ok(WeatherReport {
            time_ms: self.fresh(line.time_ms, now_ms)?,
            district: line.district.as_ref().map(|which| self.names.district(which)).transpose()?,
            rain_mm_h_milli: (line.rain_mm_h * 1000.0).round() as u32,
            visibility_m: line.visibility_m.map(|far_m| far_m.round() as u32),
        })
    }
}
