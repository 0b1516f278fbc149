//! The shapes of the JSON Lines that sensors and systems send; docs/events.md shows each.

use std::borrow::Cow;

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{
    Answer, AssignmentId, CaseStage, Category, ControlMode, Finding, Needs, Priority, STREAMS, UnitStatus,
    VehicleClass, ViolationKind,
};
use serde::Deserialize;

use super::Unfit;

/// A name of the outside, or a number of the city.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum NameOrId {
    /// The row in the city's table.
    Id(u64),
    /// The name in the source.
    Name(String),
}

impl std::fmt::Display for NameOrId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NameOrId::Id(id) => id.fmt(f),
            NameOrId::Name(name) => name.fmt(f),
        }
    }
}

/// A line of any stream.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Line<'a> {
    #[serde(borrow)]
    Passage(PassageLine<'a>),
    Flow(FlowLine),
    Crowd(CrowdLine),
    Call(CallLine),
    Unit(UnitLine),
    Ack(AckLine),
    Signal(SignalLine),
    Bus(BusLine),
    Violation(ViolationLine),
    Case(CaseLine),
    Site(SiteLine),
    Hold(HoldLine),
    Gate(GateLine),
    Weather(WeatherLine),
}

/// A passage, with its texts where they stand in the line. Fields that it does not have are passed over, whatever they hold.
#[derive(Debug, Deserialize)]
pub(super) struct PassageLine<'a> {
    pub(super) time_ms: Option<u64>,
    #[serde(borrow)]
    pub(super) camera: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) plate: Cow<'a, str>,
    pub(super) speed_kmh: f64,
    #[serde(default)]
    pub(super) class: VehicleClass,
}

#[derive(Debug, Deserialize)]
pub(super) struct FlowLine {
    pub(super) time_ms: Option<u64>,
    pub(super) camera: String,
    pub(super) interval_s: f64,
    pub(super) vehicles: u32,
    #[serde(default)]
    pub(super) speed_kmh: f64,
    #[serde(default)]
    pub(super) occupancy: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct CrowdLine {
    pub(super) time_ms: Option<u64>,
    pub(super) camera: String,
    pub(super) people: u32,
}

#[derive(Debug, Deserialize)]
pub(super) struct GateLine {
    pub(super) time_ms: Option<u64>,
    pub(super) venue: NameOrId,
    pub(super) interval_s: f64,
    #[serde(default)]
    pub(super) entered: u32,
    #[serde(default)]
    pub(super) left: u32,
}

#[derive(Debug, Deserialize)]
pub(super) struct WeatherLine {
    pub(super) time_ms: Option<u64>,
    pub(super) district: Option<NameOrId>,
    pub(super) rain_mm_h: f64,
    pub(super) visibility_m: Option<f64>,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum CallStep {
    #[default]
    Opened,
    Updated,
    Cancelled,
}

#[derive(Debug, Deserialize)]
pub(super) struct CallLine {
    pub(super) time_ms: Option<u64>,
    pub(super) call: u64,
    #[serde(default)]
    pub(super) change: CallStep,
    pub(super) priority: Option<Priority>,
    pub(super) category: Option<Category>,
    pub(super) lon: Option<f64>,
    pub(super) lat: Option<f64>,
    pub(super) grid: Option<u32>,
    pub(super) needs: Option<Needs>,
    pub(super) channel: Option<String>,
    pub(super) caller: Option<String>,
    pub(super) words: Option<String>,
    pub(super) pictures: Option<Vec<String>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct UnitLine {
    pub(super) time_ms: Option<u64>,
    pub(super) unit: NameOrId,
    pub(super) lon: f64,
    pub(super) lat: f64,
    pub(super) status: UnitStatus,
}

#[derive(Debug, Deserialize)]
pub(super) struct AckLine {
    pub(super) time_ms: Option<u64>,
    pub(super) unit: NameOrId,
    pub(super) assignment: AssignmentId,
    pub(super) answer: Answer,
}

#[derive(Debug, Deserialize)]
pub(super) struct SignalLine {
    pub(super) time_ms: Option<u64>,
    pub(super) junction: NameOrId,
    pub(super) mode: ControlMode,
    pub(super) lamps: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct BusLine {
    pub(super) time_ms: Option<u64>,
    pub(super) bus: u32,
    pub(super) line: NameOrId,
    pub(super) lon: f64,
    pub(super) lat: f64,
    pub(super) speed_kmh: f64,
}

#[derive(Debug, Deserialize)]
pub(super) struct ViolationLine {
    pub(super) time_ms: Option<u64>,
    pub(super) camera: String,
    pub(super) plate: String,
    pub(super) kind: ViolationKind,
}

#[derive(Debug, Deserialize)]
pub(super) struct CaseLine {
    pub(super) time_ms: Option<u64>,
    pub(super) case: u64,
    pub(super) stage: CaseStage,
    pub(super) by: NameOrId,
}

#[derive(Debug, Deserialize)]
pub(super) struct SiteLine {
    pub(super) time_ms: Option<u64>,
    pub(super) site: NameOrId,
    pub(super) finding: Finding,
}

#[derive(Debug, Deserialize)]
pub(super) struct HoldLine {
    pub(super) time_ms: Option<u64>,
    pub(super) junction: NameOrId,
    pub(super) stage: Option<NameOrId>,
    pub(super) for_s: Option<u64>,
    #[serde(default)]
    pub(super) by: String,
}

/// Refuses what is no JSON object: the shapes here would take a list of their values too.
pub fn object(raw: &[u8]) -> Result<(), Unfit> {
    match raw.trim_ascii_start().first() {
        Some(b'{') => Ok(()),
        _ => Err(Unfit::new(Reason::Malformed, "a JSON object is expected, {..}")),
    }
}

/// The stream that a line means to belong to, even when the rest of it cannot be read; `unknown` if none.
pub fn stream_of(raw: &[u8]) -> &'static str {
    #[derive(Deserialize)]
    struct Tag {
        r#type: String,
    }
    let tag = serde_json::from_slice::<Tag>(raw).map(|t| t.r#type).unwrap_or_default();
    STREAMS.iter().find(|(one, _)| *one == tag).map_or("unknown", |(_, stream)| stream)
}
