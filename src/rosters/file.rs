//! The file of a roster, as it is written.

use std::path::PathBuf;

use serde::Deserialize;

/// A roster.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RosterFile {
    pub(super) name: String,
    pub(super) title: Option<String>,
    pub(super) speed_km_h: f64,
    #[serde(default = "straight")]
    pub(super) detour: f64,
    #[serde(default)]
    pub(super) load_min: f64,
    #[serde(default)]
    pub(super) move_min: f64,
    #[serde(default = "three_days")]
    pub(super) long_absence_h: f64,
    #[serde(default)]
    pub(super) takes_findings: bool,
    #[serde(default)]
    pub(super) takes_calls: bool,
    pub(super) roles: Vec<RoleFile>,
    pub(super) kinds: Vec<KindFile>,
    #[serde(default)]
    pub(super) ladder: Vec<RungFile>,
    #[serde(default)]
    pub(super) points: Vec<PointsFile>,
    pub(super) persons: Vec<PersonsFile>,
}

/// A role.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RoleFile {
    pub(super) name: String,
    #[serde(default)]
    pub(super) standing: bool,
}

/// A kind of task.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct KindFile {
    pub(super) name: String,
    #[serde(default)]
    pub(super) ladder: Vec<RungFile>,
}

/// A step of a ladder.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RungFile {
    pub(super) role: String,
    pub(super) accept_min: f64,
    pub(super) done_min: f64,
    #[serde(default)]
    pub(super) by_shift_end: bool,
}

/// A point with its place, or where points come from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PointsFile {
    pub(super) name: Option<String>,
    pub(super) lon: Option<f64>,
    pub(super) lat: Option<f64>,
    /// `sites`: those of the city.
    pub(super) from: Option<String>,
    /// A file beside this one, with the columns name, lon, lat.
    pub(super) csv: Option<PathBuf>,
    /// So many, beside streets, for a city that is made up.
    pub(super) placed: Option<usize>,
}

/// A person with a place, or where persons come from.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PersonsFile {
    pub(super) role: String,
    pub(super) name: Option<String>,
    pub(super) lon: Option<f64>,
    pub(super) lat: Option<f64>,
    /// `supervisors`, `units`: those of the city.
    pub(super) from: Option<String>,
    /// A file beside this one, with the columns name, lon, lat.
    pub(super) csv: Option<PathBuf>,
    /// So many, beside streets, for a city that is made up.
    pub(super) placed: Option<usize>,
    /// Points that each can look after; two numbers: from the first to the second, in turn.
    #[serde(default)]
    pub(super) points: Range,
    /// Tasks that each can have at once.
    pub(super) tasks: u16,
    /// Such as `08:00-18:00`; none: always.
    pub(super) shift: Option<String>,
}

/// A number, or from a number to another.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Range {
    One(u16),
    Two([u16; 2]),
}

impl Default for Range {
    fn default() -> Self {
        Range::One(0)
    }
}

impl Range {
    /// The number of a row: from the least to the most and round again.
    pub(super) fn at(self, row: usize) -> u16 {
        match self {
            Range::One(number) => number,
            Range::Two([least, most]) => least + (row % (usize::from(most.saturating_sub(least)) + 1)) as u16,
        }
    }
}

fn straight() -> f64 {
    1.3
}

fn three_days() -> f64 {
    72.0
}
