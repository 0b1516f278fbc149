//! What weather stations report.

use serde::{Deserialize, Serialize};

use crate::ids::DistrictId;

/// The weather in the city, or in a district of it. It holds until the next report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct WeatherReport {
    /// When.
    pub time_ms: u64,
    /// The district of which it is; none: the whole city, but for districts of which there are reports.
    pub district: Option<DistrictId>,
    /// Rain, 1/1000 mm/h.
    pub rain_mm_h_milli: u32,
    /// How far one sees, m; none where it is not measured.
    pub visibility_m: Option<u32>,
}
