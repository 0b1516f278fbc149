//! What is expected: of links and of venues, and how good that was so far.

use serde::{Deserialize, Serialize};

use crate::ids::{LinkId, VenueId};

/// What is expected of a link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinkForecast {
    /// Which link.
    pub link: LinkId,
    /// When it was made, ms.
    pub time_ms: u64,
    /// By lead time, nearest first.
    pub leads: Vec<Lead>,
}

/// A forecast for one lead time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Lead {
    /// Lead time, min.
    pub lead_min: u16,
    /// Expected speed, mm/s.
    pub speed_mm_s: u32,
    /// Lower end of the 80 % interval of speed, mm/s.
    pub low_mm_s: u32,
    /// Upper end of the 80 % interval of speed, mm/s.
    pub high_mm_s: u32,
    /// Expected flow, vehicles/h.
    pub flow_veh_h: u32,
    /// Probability of congestion, 1/1000.
    pub congested_milli: u16,
    /// Whether the link, free now, is told to be congested then.
    pub onset: bool,
}

/// How good a region's forecasts were, of late: sums that fade over weeks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ForecastRecord {
    /// Which region.
    pub region: u32,
    /// When, ms.
    pub time_ms: u64,
    /// By lead time, nearest first.
    pub leads: Vec<LeadRecord>,
}

/// How good forecasts of one lead time were. Counts fade, and so are not whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LeadRecord {
    /// Lead time, min.
    pub lead_min: u16,
    /// Forecasts whose truth has come.
    pub forecasts: f64,
    /// Sum of their absolute errors, as shares of the free-flow speed.
    pub absolute: f64,
    /// How many truths lay within the 80 % interval.
    pub within80: f64,
    /// How many lay within the 95 % interval.
    pub within95: f64,
    /// Onsets that were told.
    pub told: f64,
    /// Those of them that came.
    pub hits: f64,
    /// Onsets that came, told or not.
    pub onsets: f64,
    /// Links whose profile is the better forecast, and is told.
    pub by_profile: u32,
}

impl LeadRecord {
    /// Mean absolute error, as a share of the free-flow speed; none while nothing was scored.
    pub fn mae(&self) -> Option<f64> {
        share(self.absolute, self.forecasts)
    }

    /// Share of truths within the 80 % interval; none while nothing was scored.
    pub fn coverage80(&self) -> Option<f64> {
        share(self.within80, self.forecasts)
    }

    /// Share of truths within the 95 % interval; none while nothing was scored.
    pub fn coverage95(&self) -> Option<f64> {
        share(self.within95, self.forecasts)
    }

    /// Share of told onsets that came; none where none was told.
    pub fn precision(&self) -> Option<f64> {
        share(self.hits, self.told)
    }

    /// Share of onsets that were told; none where none came.
    pub fn recall(&self) -> Option<f64> {
        share(self.hits, self.onsets)
    }

    /// Both together.
    pub fn and(self, other: &LeadRecord) -> LeadRecord {
        LeadRecord {
            lead_min: self.lead_min.max(other.lead_min),
            forecasts: self.forecasts + other.forecasts,
            absolute: self.absolute + other.absolute,
            within80: self.within80 + other.within80,
            within95: self.within95 + other.within95,
            told: self.told + other.told,
            hits: self.hits + other.hits,
            onsets: self.onsets + other.onsets,
            by_profile: self.by_profile + other.by_profile,
        }
    }
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

/// A link that flows freely now and is expected to congest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Onset {
    /// Which link.
    pub link: LinkId,
    /// The nearest lead time for which it is told, min.
    pub lead_min: u16,
}

/// Intervals of five minutes over which an outflow is expected.
pub const OUTFLOWS: usize = 12;

/// People at a venue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CrowdState {
    /// Which venue.
    pub venue: VenueId,
    /// When, ms.
    pub time_ms: u64,
    /// How many there are.
    pub people: u32,
    /// How many are usual at this time of day; 0 while nothing was learned.
    pub usual: u32,
    /// Share of what the venue holds, 1/1000; may be above 1000, and is 0 where nobody knows what it holds.
    pub capacity_share_milli: u32,
    /// Whether there are more than is usual.
    pub surge: bool,
    /// People expected to leave in each of the next intervals of five minutes.
    pub outflow: [u32; OUTFLOWS],
    /// Whether anything counts there (false: carried on from before).
    pub observed: bool,
}

/// How many people are expected at a venue.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VenueForecast {
    /// Which venue.
    pub venue: VenueId,
    /// When it was made, ms.
    pub time_ms: u64,
    /// By lead time, nearest first.
    pub leads: Vec<VenueLead>,
}

/// People expected at a lead time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VenueLead {
    /// Lead time, min.
    pub lead_min: u16,
    /// How many there will be.
    pub people: u32,
    /// Lower end of the 80 % interval.
    pub low: u32,
    /// Upper end of the 80 % interval.
    pub high: u32,
}

/// A venue with more people than is usual, or nearly full.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Surge {
    /// Which venue.
    pub venue: VenueId,
}
