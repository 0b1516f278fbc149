//! What stands and drives in the city: cameras, districts, patrol grids and units, venues, building sites, bus lines.

use serde::{Deserialize, Serialize};

use super::{Point, span_holds};
use crate::event::Skills;
use crate::ids::*;

/// What a camera is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CameraKind {
    /// A checkpoint at a stop line: reads plates lane by lane.
    StopLine,
    /// Along a link.
    MidLink,
    /// Counts people at a public place.
    Crowd,
    /// Watches a building site.
    Site,
}

/// A camera or another fixed sensor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Camera {
    /// Its row.
    pub id: CameraId,
    /// Device ID outside, such as the 20 digits of GB/T 28181.
    pub name: String,
    /// What it is there for.
    pub kind: CameraKind,
    /// Place.
    pub at: Point,
    /// The lane that it watches, and how far before the lane's end, mm (stop-line and mid-link cameras).
    pub lane: Option<(LaneId, u32)>,
    /// The venue that it counts at (crowd cameras).
    pub venue: Option<VenueId>,
    /// The site that it watches (site cameras).
    pub site: Option<SiteId>,
}

/// A district: the unit of labels on metrics.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct District {
    /// Its row.
    pub id: DistrictId,
    /// Name in the local language.
    pub name: String,
    /// Name in English.
    pub name_en: String,
}

/// A patrol grid: a rectangle of the city.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Its row.
    pub id: GridId,
    /// Name outside.
    pub name: String,
    /// South-west corner.
    pub min: Point,
    /// North-east corner, excluded.
    pub max: Point,
    /// The district that it lies in.
    pub district: DistrictId,
    /// The dispatch region that it belongs to.
    pub region: RegionId,
}

/// A patrol unit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Unit {
    /// Its row.
    pub id: UnitId,
    /// Call sign.
    pub name: String,
    /// Its home grid.
    pub grid: GridId,
    /// The dispatch region that it serves.
    pub region: RegionId,
    /// Where it waits.
    pub post: Point,
    /// Shift in minutes of the local day: from, to (to < from wraps over midnight; equal: always).
    pub shift_min: (u16, u16),
    /// What it has and can do.
    #[serde(default)]
    pub skills: Skills,
}

/// A place where crowds gather.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Venue {
    /// Its row.
    pub id: VenueId,
    /// Name for people.
    pub name: String,
    /// Place.
    pub at: Point,
    /// The link that its gates open to.
    pub link: LinkId,
    /// People that it holds.
    pub capacity: u32,
}

/// A building site.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Site {
    /// Its row.
    pub id: SiteId,
    /// Name for people.
    pub name: String,
    /// Place.
    pub at: Point,
    /// Who watches it.
    pub supervisor: SupervisorId,
}

/// A site supervisor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Supervisor {
    /// Their row.
    pub id: SupervisorId,
    /// Name for people (a pseudonym in a generated city).
    pub name: String,
}

/// A bus line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BusLine {
    /// Its row.
    pub id: BusLineId,
    /// Line number.
    pub name: String,
    /// Links in order of travel, end to end.
    pub route: Vec<LinkId>,
    /// Stops: link and distance from its start, mm, in order.
    pub stops: Vec<(LinkId, u32)>,
    /// Planned headway in the day, ms.
    pub headway_ms: u32,
}

impl Grid {
    /// Whether a place lies in it.
    pub fn holds(&self, at: Point) -> bool {
        self.min.x_mm <= at.x_mm && at.x_mm < self.max.x_mm && self.min.y_mm <= at.y_mm && at.y_mm < self.max.y_mm
    }
}

impl Unit {
    /// Whether a minute of the local day lies in its shift.
    pub fn on_shift(&self, minute: u16) -> bool {
        span_holds(self.shift_min, minute)
    }

    /// How long its shift lasts from a time on, ms since the Unix epoch; none where it has no end, 0 outside it.
    pub fn shift_left_ms(&self, time_ms: u64, utc_offset_min: i32) -> Option<u64> {
        const DAY_MS: i64 = 24 * 3_600_000;
        let (from, to) = self.shift_min;
        if from == to {
            return None;
        }
        let local_ms = (time_ms as i64 + i64::from(utc_offset_min) * 60_000).rem_euclid(DAY_MS);
        let left_ms = (i64::from(to) * 60_000 - local_ms).rem_euclid(DAY_MS) as u64;
        Some(if self.on_shift((local_ms / 60_000) as u16) { left_ms } else { 0 })
    }
}
