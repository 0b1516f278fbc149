//! Cover: where units at hand had better wait, so that the next call is reached in time. Advice, which nobody has to follow.
//!
//! Two machines for each dispatch region: [`Demands`] learns which grids calls come from at what hour, [`Covers`] looks at
//! the units at hand each minute, and ten seconds after one became free or engaged. `docs/cover.md` has the model and what it gains.
//!
//! Knows nothing about calls that are open: they are dispatch's matter, and it does not know of advice.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::decision::{AssignmentPhase, AssignmentStatus, CoverAdvice, CoverState};
use crate::event::AssignmentId;
use crate::ids::{GridId, RegionId, UnitId};
use crate::keyed::{Kind, Machine, Outbox};
use crate::network::{City, Point};
use crate::roads::CityRoads;
use crate::state::unit::UnitPlace;

mod book;
mod busy;
mod demands;
mod rates;
mod rules;
mod standing;
#[cfg(test)]
mod tests;
pub use book::{Advice, Book, Outlook};
pub use busy::Busy;
pub use demands::{CallRaised, Demands, Expected, raised};
pub use rates::CallRates;
pub use rules::Rules;
pub use standing::Reach;

/// A region is looked at so often, ms.
const LOOK_MS: u64 = 60_000;
/// And not sooner than so long after the last look, ms.
const PAUSE_MS: u64 = 10_000;
/// Regions are looked at one after the other, so far apart, ms.
const APART_MS: u64 = 1_700;

/// Something that a region is told. Ordered by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CoverEvent {
    /// When, ms.
    pub time_ms: u64,
    /// What.
    pub what: CoverNews,
}

/// What a region is told. What is withdrawn sorts before what takes its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CoverNews {
    /// A unit is no longer in service as it was.
    UnitGone(UnitId),
    /// A unit is in service.
    UnitHere(UnitId, UnitPlace),
    /// A unit has nothing more to do with an assignment.
    Free(UnitId, AssignmentId),
    /// A unit has an assignment.
    Engaged(UnitId, AssignmentId),
    /// What is expected by grid, in the order of the region's grids.
    Demand(Vec<u64>),
}

impl CoverNews {
    /// What an assignment says of its unit.
    pub fn of(status: &AssignmentStatus) -> CoverNews {
        match status.phase {
            AssignmentPhase::Ended(_) => CoverNews::Free(status.unit, status.id),
            _ => CoverNews::Engaged(status.unit, status.id),
        }
    }
}

/// The machine.
pub struct Covers {
    city: Arc<City>,
    rules: Rules,
    /// Grids of each region.
    grids: Vec<Vec<GridId>>,
    /// Both follow from the city alone, and are found when they are first asked for.
    roads: OnceCell<CityRoads>,
    reaches: RefCell<BTreeMap<RegionId, Rc<Reach>>>,
}

impl Covers {
    /// For a city's grids, units and streets.
    pub fn new(city: Arc<City>) -> Self {
        let grids = grids_by_region(&city);
        Covers { city, rules: Rules::default(), grids, roads: OnceCell::new(), reaches: RefCell::default() }
    }

    fn grids(&self, region: RegionId) -> &[GridId] {
        self.grids.get(region.index()).map_or(&[], Vec::as_slice)
    }

    /// Times between the middles of a region's grids on empty streets.
    fn reach(&self, region: RegionId) -> Rc<Reach> {
        let mut reaches = self.reaches.borrow_mut();
        Rc::clone(reaches.entry(region).or_insert_with(|| Rc::new(self.measured(region))))
    }

    fn measured(&self, region: RegionId) -> Reach {
        let roads = self.roads.get_or_init(|| CityRoads::new(&self.city));
        let (free, grids) = (roads.free_travel_ms(), self.grids(region));
        let stops: Vec<_> = grids.iter().map(|grid| roads.stop(self.middle(*grid))).collect();
        let mut drive_ms = vec![0; grids.len() * grids.len()];
        for (to, grid) in grids.iter().enumerate() {
            let times = roads.times_to(&free, self.middle(*grid), &stops);
            for (from, time_ms) in times.into_iter().enumerate().filter(|(from, _)| *from != to) {
                drive_ms[from * grids.len() + to] = u32::try_from(time_ms).unwrap_or(u32::MAX);
            }
        }
        Reach::new(grids.len(), drive_ms)
    }

    fn middle(&self, grid: GridId) -> Point {
        let grid = &self.city.grids[grid.index()];
        let middle = |low: i32, high: i32| ((i64::from(low) + i64::from(high)) / 2) as i32;
        Point { x_mm: middle(grid.min.x_mm, grid.max.x_mm), y_mm: middle(grid.min.y_mm, grid.max.y_mm) }
    }

    /// The row in a region of the grid that a place lies in, or of the one with the nearest middle.
    fn row_at(&self, region: RegionId, at: Point) -> Option<usize> {
        let grids = self.grids(region);
        let holds = |grid: &GridId| self.city.grids[grid.index()].holds(at);
        let nearest = || (0..grids.len()).min_by_key(|row| (self.middle(grids[*row]).distance_mm(at), *row));
        grids.iter().position(holds).or_else(nearest)
    }
}

/// When a region is looked at after `tick`, though nothing happens.
fn next_look(region: RegionId, tick: Time) -> Time {
    let phase_ms = u64::from(region.0) * APART_MS % LOOK_MS;
    tick + LOOK_MS - (tick + LOOK_MS - phase_ms) % LOOK_MS
}

/// Grids of each region, by region.
fn grids_by_region(city: &City) -> Vec<Vec<GridId>> {
    let regions = city.grids.iter().map(|grid| grid.region.index() + 1).max().unwrap_or(0);
    let mut grids = vec![Vec::new(); regions];
    city.grids.iter().for_each(|grid| grids[grid.region.index()].push(grid.id));
    grids
}

/// What is remembered of a region.
#[derive(Default, Serialize, Deserialize)]
pub struct RegionNow {
    units: BTreeMap<UnitId, UnitPlace>,
    engaged: BTreeMap<UnitId, AssignmentId>,
    demand: Vec<u64>,
    busy: Busy,
    book: Book,
    looked_ms: Time,
    due_ms: Time,
    /// Whether the last word said that nothing is covered for want of units.
    is_empty: bool,
}

impl Machine for Covers {
    type Key = RegionId;
    type Event = CoverEvent;
    type State = RegionNow;
    type Out = CoverState;

    fn name(&self) -> &'static str {
        "covers"
    }

    fn kind(&self) -> Kind {
        Kind::Told
    }

    fn step(
        &self,
        region: RegionId,
        now: &mut RegionNow,
        tick: Time,
        events: &[(RegionId, CoverEvent)],
        out: &mut Outbox<CoverState>,
    ) {
        let stirred = events.iter().fold(false, |stirred, (_, event)| now.hear(&event.what) || stirred);
        let is_wrong = now.book.standing().any(|advice| !now.is_idle(advice.unit));
        if stirred {
            now.due_ms = now.due_ms.min(tick.max(now.looked_ms + PAUSE_MS));
        }
        if tick >= now.due_ms || is_wrong {
            self.look(region, now, tick).into_iter().for_each(|state| out.emit(state));
        }
        if !now.units.is_empty() {
            out.wake_at(now.due_ms);
        }
    }
}

impl Covers {
    /// Looks at a region's units. Says nothing as long as there are none.
    fn look(&self, region: RegionId, now: &mut RegionNow, tick: Time) -> Option<CoverState> {
        (now.looked_ms, now.due_ms) = (tick, next_look(region, tick));
        now.busy.learn(tick, now.units.len() - now.idle().count(), now.units.len());
        if now.units.is_empty() && std::mem::replace(&mut now.is_empty, true) {
            return None;
        }
        now.is_empty = now.units.is_empty();
        let idle: Vec<(UnitId, usize)> = now.idle().filter_map(|(u, at)| Some((u, self.row_at(region, at)?))).collect();
        let reach = self.reach(region);
        now.demand.resize(reach.grids(), 1);
        let busy_ppm = now.busy.ppm();
        let outlook = Outlook { reach: &reach, demand: &now.demand, busy_ppm };
        let covered_ppm = now.book.look(&self.rules, tick, outlook, &idle) as u32;
        let advice = now.book.standing().map(|advice| self.advice(region, advice)).collect();
        let (busy_ppm, idle_units) = (busy_ppm as u32, idle.len() as u32);
        Some(CoverState { region, time_ms: tick, covered_ppm, busy_ppm, idle_units, advice })
    }

    fn advice(&self, region: RegionId, advice: &Advice) -> CoverAdvice {
        let [from, to] = [advice.from, advice.to].map(|row| self.grids(region)[row as usize]);
        let Advice { unit, drive_ms, gain_ppm, since_ms, until_ms, .. } = *advice;
        CoverAdvice { unit, from, to, at: self.middle(to), drive_ms, gain_ppm, since_ms, until_ms }
    }
}

impl RegionNow {
    /// Whether it changed who is at hand.
    fn hear(&mut self, news: &CoverNews) -> bool {
        match news {
            CoverNews::UnitGone(unit) => self.units.remove(unit).is_some_and(|place| place.available),
            CoverNews::UnitHere(unit, place) => {
                let before = self.units.insert(*unit, *place);
                before.is_none_or(|before| before.available != place.available)
            }
            CoverNews::Engaged(unit, id) => self.engaged.insert(*unit, *id).is_none(),
            CoverNews::Free(unit, id) => {
                let is_current = self.engaged.get(unit) == Some(id);
                is_current && self.engaged.remove(unit).is_some()
            }
            CoverNews::Demand(demand) => {
                self.demand.clone_from(demand);
                false
            }
        }
    }

    fn is_idle(&self, unit: UnitId) -> bool {
        self.units.get(&unit).is_some_and(|place| place.available) && !self.engaged.contains_key(&unit)
    }

    /// Units at hand, and where they are.
    fn idle(&self) -> impl Iterator<Item = (UnitId, Point)> {
        self.units.iter().filter(|(unit, _)| self.is_idle(**unit)).map(|(unit, place)| (*unit, place.at))
    }
}
