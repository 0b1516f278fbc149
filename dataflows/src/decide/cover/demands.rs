//! The machine that learns which grids of a region calls come from.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::grids_by_region;
use super::rates::CallRates;
use crate::Time;
use crate::event::{CallChange, CallEvent, Category, Priority};
use crate::ids::{GridId, RegionId};
use crate::keyed::{Kind, Machine, Outbox};
use crate::network::City;

/// What is expected is said so often, ms.
const SAY_MS: u64 = 60_000;
const HOUR_MS: i64 = 3_600_000;

/// A call was raised that units have to come to. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CallRaised {
    /// When, ms.
    pub time_ms: u64,
    /// Where.
    pub grid: GridId,
    /// How urgent.
    pub priority: Priority,
}

/// The region in which a call was raised; none where no unit is to come, or it was known before.
pub fn raised(city: &City, call: &CallEvent) -> Option<(RegionId, CallRaised)> {
    let CallChange::Opened(facts) = call.change else { return None };
    let region = city.grids.get(facts.grid.index()).map(|grid| grid.region);
    let raised = CallRaised { time_ms: call.time_ms, grid: facts.grid, priority: facts.priority };
    region.filter(|_| facts.category != Category::Community).map(|region| (region, raised))
}

/// What is expected in a region.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Which region.
    pub region: RegionId,
    /// When it was said, ms.
    pub time_ms: u64,
    /// By grid, in the order of the region's grids.
    pub demand: Vec<u64>,
}

/// The machine.
pub struct Demands {
    utc_offset_min: i32,
    grids: Vec<Vec<GridId>>,
}

impl Demands {
    /// For a city's grids.
    pub fn new(city: &Arc<City>) -> Self {
        Demands { utc_offset_min: city.utc_offset_min, grids: grids_by_region(city) }
    }

    fn local_hour(&self, time_ms: Time) -> i64 {
        (time_ms as i64 + i64::from(self.utc_offset_min) * 60_000).div_euclid(HOUR_MS)
    }
}

impl Machine for Demands {
    type Key = RegionId;
    type Event = CallRaised;
    type State = CallRates;
    type Out = Expected;

    fn kind(&self) -> Kind {
        Kind::Learned
    }

    fn name(&self) -> &'static str {
        "call_rates"
    }

    fn keys(&self) -> Vec<RegionId> {
        let of_some = |(row, grids): (usize, &Vec<GridId>)| (!grids.is_empty()).then(|| RegionId::from_index(row));
        self.grids.iter().enumerate().filter_map(of_some).collect()
    }

    fn step(
        &self,
        region: RegionId,
        rates: &mut CallRates,
        tick: Time,
        events: &[(RegionId, CallRaised)],
        out: &mut Outbox<Expected>,
    ) {
        let Some(grids) = self.grids.get(region.index()) else { return };
        let hour = self.local_hour(tick);
        rates.fit(grids.len());
        rates.watch(hour);
        for (_, call) in events {
            // Grids of a region are in the order of their IDs.
            if let Ok(row) = grids.binary_search(&call.grid) {
                rates.count(row, call.priority);
            }
        }
        out.emit(Expected { region, time_ms: tick, demand: rates.expected(hour) });
        out.wake_at((tick / SAY_MS + 1) * SAY_MS);
    }
}
