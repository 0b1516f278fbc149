//! What the columns of a table mean, as a TOML file says it.

use std::collections::HashMap;
use std::path::Path;

use nanming_dataflows::event::VehicleClass;
use serde::Deserialize;

use super::ImportError;

/// The file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Mapping {
    pub(super) stream: Stream,
    #[serde(default = "comma")]
    pub(super) delimiter: char,
    pub(super) columns: Columns,
    #[serde(default)]
    pub(super) time: Time,
    #[serde(default)]
    pub(super) speed: Speed,
    #[serde(default)]
    pub(super) occupancy: Share,
    /// Length of every interval, s, where no column has it.
    pub(super) interval_s: Option<f64>,
    /// Names of cameras here, by those in the table.
    #[serde(default)]
    pub(super) cameras: HashMap<String, String>,
    /// Classes of vehicles, by those in the table.
    #[serde(default)]
    pub(super) classes: HashMap<String, VehicleClass>,
}

/// What a row is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Stream {
    Passages,
    Flows,
}

/// The names of columns.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Columns {
    pub(super) time: String,
    pub(super) camera: String,
    pub(super) vehicle: Option<String>,
    pub(super) class: Option<String>,
    pub(super) speed: Option<String>,
    pub(super) interval_s: Option<String>,
    pub(super) vehicles: Option<String>,
    pub(super) occupancy: Option<String>,
}

/// How times are written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Time {
    /// `s` or `ms` since the Unix epoch, or the letters of strftime.
    pub(super) format: String,
    /// Whether such a time is UTC; else it is the city's.
    pub(super) utc: bool,
}

impl Default for Time {
    fn default() -> Self {
        Time { format: "%Y-%m-%d %H:%M:%S%.f".into(), utc: false }
    }
}

/// Units of speed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum Speed {
    #[default]
    #[serde(rename = "km/h")]
    KmH,
    #[serde(rename = "m/s")]
    MS,
    #[serde(rename = "mph")]
    Mph,
}

impl Speed {
    /// mm/s of one.
    pub(super) fn mm_s(self) -> f64 {
        match self {
            Speed::KmH => 1000.0 / 3.6,
            Speed::MS => 1000.0,
            Speed::Mph => 447.04,
        }
    }
}

/// Units of a share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub(super) enum Share {
    #[default]
    #[serde(rename = "%")]
    Percent,
    #[serde(rename = "1")]
    One,
}

impl Share {
    /// Thousandths of one.
    pub(super) fn milli(self) -> f64 {
        if self == Share::Percent { 10.0 } else { 1000.0 }
    }
}

fn comma() -> char {
    ','
}

/// Reads and checks the file.
pub(super) fn read(path: &Path) -> Result<Mapping, ImportError> {
    let text = std::fs::read_to_string(path).map_err(|source| ImportError::File { path: path.into(), source })?;
    let line_at = |at: usize| text[..at.min(text.len())].lines().count().max(1) as u64;
    let wrong = |line: u64, what: String| ImportError::Content { path: path.into(), line, what };
    let mapping: Mapping = toml::from_str(&text)
        .map_err(|error| wrong(error.span().map_or(1, |span| line_at(span.start)), error.message().to_owned()))?;
    let need =
        |column: bool, what: &str| if column { Ok(()) } else { Err(wrong(1, format!("{what}: docs/recordings.md"))) };
    need(mapping.delimiter.is_ascii(), "the delimiter must be an ASCII character")?;
    let columns = &mapping.columns;
    match mapping.stream {
        Stream::Passages => need(columns.speed.is_some(), "passages need columns.speed")?,
        Stream::Flows => {
            need(columns.vehicles.is_some(), "flows need columns.vehicles")?;
            let interval = columns.interval_s.is_some() || mapping.interval_s.is_some();
            need(interval, "flows need columns.interval_s, or interval_s for all rows")?;
        }
    }
    Ok(mapping)
}
