//! Which calls are taken for calls about the same incident.

use serde::{Deserialize, Serialize};

use crate::event::{CallFacts, Category, Priority};

/// When a new call joins one that is open. The default: never.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Merging {
    /// They are no further apart than this, mm.
    pub distance_mm: u32,
    /// The open one was raised no longer ago than this, ms.
    pub within_ms: u64,
    /// What is compatible; two calls that fit into no row are two incidents.
    pub alike: Vec<Alike>,
}

/// Categories that callers give to one and the same thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alike {
    /// Both calls are of one of these.
    pub categories: Vec<Category>,
    /// Both are at least so urgent.
    pub at_least: Priority,
}

impl Merging {
    /// Whether two calls may be about the same incident, by what they are about.
    pub fn are_alike(&self, one: &CallFacts, other: &CallFacts) -> bool {
        let fits =
            |row: &Alike, call: &CallFacts| row.categories.contains(&call.category) && call.priority <= row.at_least;
        self.alike.iter().any(|row| fits(row, one) && fits(row, other))
    }
}
