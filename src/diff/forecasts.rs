//! Differences of forecasts, by how far they look ahead.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::pairs::{Decision, Pair, compare as pairs};
use super::{Counts, DiffError};

/// Of forecasts.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Forecasts {
    /// Forecasts of a link at a time.
    #[serde(flatten)]
    pub counts: Counts,
    /// By lead time, minutes: of those that differ.
    pub leads: BTreeMap<u64, LeadDifference>,
}

/// Of forecasts so far ahead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LeadDifference {
    /// Forecasts held against each other.
    pub pairs: u64,
    /// Mean absolute difference of the speeds, km/h.
    pub kmh: f64,
    /// Mean absolute difference of the probabilities of congestion.
    pub p_congested: f64,
}

#[derive(Deserialize, PartialEq)]
struct Forecast {
    t_ms: u64,
    link: String,
    leads: Vec<Lead>,
}

#[derive(Deserialize, PartialEq)]
struct Lead {
    min: u64,
    kmh: f64,
    low_kmh: f64,
    high_kmh: f64,
    veh_h: f64,
    p_congested: f64,
}

impl Decision for Forecast {
    type Key = (u64, String);
    const WINDOW_MS: u64 = 300_000;

    fn t_ms(&self) -> u64 {
        self.t_ms
    }

    fn key(&self) -> Self::Key {
        (self.t_ms, self.link.clone())
    }
}

pub(super) fn compare(files: (PathBuf, PathBuf)) -> Result<Forecasts, DiffError> {
    let mut leads = BTreeMap::<u64, LeadDifference>::new();
    let counts = pairs(files, |pair: Pair<Forecast>| {
        let Pair::Both(a, b) = pair else { return };
        for (a, b) in a.leads.iter().flat_map(|a| b.leads.iter().filter(|b| b.min == a.min).map(move |b| (a, b))) {
            let sums = leads.entry(a.min).or_default();
            sums.pairs += 1;
            sums.kmh += (a.kmh - b.kmh).abs();
            sums.p_congested += (a.p_congested - b.p_congested).abs();
        }
    })?;
    for sums in leads.values_mut() {
        sums.kmh /= sums.pairs as f64;
        sums.p_congested /= sums.pairs as f64;
    }
    Ok(Forecasts { counts, leads })
}
