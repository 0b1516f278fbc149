//! Differences of what is said of people at venues, venue by venue.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::pairs::{Decision, Pair, compare as pairs};
use super::{Counts, DiffError};

/// Of people at venues.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Crowds {
    /// States of a venue at a time.
    #[serde(flatten)]
    pub counts: Counts,
    /// Venues at which they differ: how often one run saw a surge and the other none, or had no word.
    pub surges: BTreeMap<String, u64>,
}

#[derive(Deserialize, PartialEq)]
struct State {
    t_ms: u64,
    venue: String,
    people: u64,
    usual: u64,
    share: f64,
    surge: bool,
    outflow: Vec<u64>,
    observed: bool,
}

impl Decision for State {
    type Key = (u64, String);
    const WINDOW_MS: u64 = 300_000;

    fn t_ms(&self) -> u64 {
        self.t_ms
    }

    fn key(&self) -> Self::Key {
        (self.t_ms, self.venue.clone())
    }
}

/// Runs of an earlier version did not write what is compared here: nothing is, unless both did.
pub(super) fn compare((a, b): (PathBuf, PathBuf)) -> Result<Crowds, DiffError> {
    let mut surges = BTreeMap::new();
    if !(a.exists() && b.exists()) {
        return Ok(Crowds::default());
    }
    let counts = pairs((a, b), |pair: Pair<State>| {
        let (venue, differs) = match pair {
            Pair::Both(a, b) => (a.venue, a.surge != b.surge),
            Pair::OnlyA(one) | Pair::OnlyB(one) => (one.venue, one.surge),
        };
        *surges.entry(venue).or_insert(0) += u64::from(differs);
    })?;
    Ok(Crowds { counts, surges })
}
