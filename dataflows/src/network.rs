//! The city: its street network and everything that stands or drives on it. One type, read by every view.
//!
//! Knows nothing about events, time or files. Lengths are mm, times ms, speeds mm/s, places [`Point`]s in mm east and
//! north of [`City::origin`].

use serde::{Deserialize, Serialize};

use crate::ids::*;

mod assets;
pub mod calendar;
mod check;
mod dispatch;
mod geo;
mod merging;
mod priority;
mod rosters;
mod signals;
mod streets;
pub use assets::{BusLine, Camera, CameraKind, District, Grid, Site, Supervisor, Unit, Venue};
pub use check::CityError;
pub use dispatch::DispatchRules;
pub use geo::{LonLat, Point};
pub use merging::{Alike, Merging};
pub use priority::SignalPriority;
pub use rosters::{DutyPoint, Person, Role, Roster, Rung, TaskKind};
pub use signals::{Approach, Conflict, ConflictMatrix, Head, Junction, Light, Plan, PlanStep, SignalMode, Stage};
pub use streets::{Lane, Link, Movement, Node, Turn};

/// Everything fixed about a city. Tables are dense: `links[id.index()].id == id`, and so for all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct City {
    /// Short name, such as `guiyang`.
    pub name: String,
    /// WGS-84 place of the local point (0, 0).
    pub origin: LonLat,
    /// Local time minus UTC, minutes.
    pub utc_offset_min: i32,
    /// Local days that are like a day off, counted from the Unix epoch; dates in files.
    #[serde(default, with = "calendar::dates")]
    pub holidays: Vec<u32>,
    /// Saturdays and Sundays that are like a working day.
    #[serde(default, with = "calendar::dates")]
    pub working_weekends: Vec<u32>,
    /// Nodes by [`NodeId`].
    pub nodes: Vec<Node>,
    /// Links by [`LinkId`].
    pub links: Vec<Link>,
    /// Lanes by [`LaneId`].
    pub lanes: Vec<Lane>,
    /// Movements by [`MovementId`], at signals and elsewhere.
    pub movements: Vec<Movement>,
    /// Signalised junctions by [`JunctionId`].
    pub junctions: Vec<Junction>,
    /// Cameras by [`CameraId`].
    pub cameras: Vec<Camera>,
    /// Districts by [`DistrictId`].
    pub districts: Vec<District>,
    /// Patrol grids by [`GridId`].
    pub grids: Vec<Grid>,
    /// Patrol units by [`UnitId`].
    pub units: Vec<Unit>,
    /// Venues by [`VenueId`].
    pub venues: Vec<Venue>,
    /// Building sites by [`SiteId`].
    pub sites: Vec<Site>,
    /// Site supervisors by [`SupervisorId`].
    pub supervisors: Vec<Supervisor>,
    /// Bus lines by [`BusLineId`].
    pub bus_lines: Vec<BusLine>,
    /// Who has priority at the signals.
    #[serde(default)]
    pub signal_priority: SignalPriority,
    /// How calls are dispatched.
    #[serde(default)]
    pub dispatch: DispatchRules,
    /// Which calls are taken for calls about the same incident.
    #[serde(default)]
    pub merging: Merging,
    /// Rosters by [`RosterId`].
    #[serde(default)]
    pub rosters: Vec<Roster>,
}

impl City {
    /// The link that a lane belongs to.
    pub fn link_of(&self, lane: LaneId) -> &Link {
        &self.links[self.lanes[lane.index()].link.index()]
    }
    /// The grid that a place lies in, if any.
    pub fn grid_at(&self, at: Point) -> Option<GridId> {
        self.grids.iter().find(|g| g.holds(at)).map(|g| g.id)
    }
    /// Minute of the local day at a time in ms since the Unix epoch.
    pub fn minute_of_day(&self, time_ms: u64) -> u16 {
        let local_min = (time_ms / 60_000) as i64 + i64::from(self.utc_offset_min);
        local_min.rem_euclid(24 * 60) as u16
    }
    /// Links that leave each node, by [`NodeId`].
    pub fn links_out(&self) -> Vec<Vec<LinkId>> {
        let mut out = vec![Vec::new(); self.nodes.len()];
        for l in &self.links {
            out[l.from.index()].push(l.id);
        }
        out
    }
}

/// Whether a minute of the local day lies in a span of it: from, to (to < from wraps over midnight; equal: all day).
fn span_holds((from, to): (u16, u16), minute: u16) -> bool {
    match from.cmp(&to) {
        std::cmp::Ordering::Equal => true,
        std::cmp::Ordering::Less => (from..to).contains(&minute),
        std::cmp::Ordering::Greater => minute >= from || minute < to,
    }
}
