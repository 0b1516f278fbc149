//! Plans for junctions in plan mode, as SCOOT and SCATS make them: every few minutes cycle, splits and offsets for a group of
//! neighbours from who passes and who waits at their lights.
//!
//! One machine a group. Offsets of one group depend on nothing outside it, so groups are spread over workers and plan at
//! different times: no tick bears the whole city. A group is made once, of junctions that short streets tie.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::decision::SignalPlan;
use crate::ids::{JunctionId, LaneId, LinkId};
use crate::keyed::{Kind, Machine, Outbox};
use crate::network::{Camera, City};
use crate::state::link::LaneCounts;
use crate::state::sightings::at_line;

mod demand;
mod offsets;
mod planner;
mod profile;
mod service;
mod streets;
mod webster;
use demand::{Demand, SAMPLE_MS};
use planner::Planner;
use streets::Group;

/// Plans are made anew after so long, ms: two or three cycles, so that flows are of whole cycles and the junctions have come
/// to the plan before.
const PERIOD_MS: u64 = 180_000;
/// When demand has changed, plans are made anew after so long at the least, ms.
const EARLY_MS: u64 = 90_000;
/// Demand has changed when lanes differ by this share of all flow in sum.
const CHANGED: f64 = 0.3;
/// Plans are made for so many times the flow of the last minutes: within a quarter of an hour it varies by as much (the peak hour
/// factor of the HCM is 0.8 to 0.9 in cities).
const HEADROOM: f64 = 1.2;
/// A group of which nothing has been heard for so long gets no plans, ms: its junctions go back to their local ones.
const SILENT_MS: u64 = 300_000;

/// Something that a group is told. Ordered by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CoordinationEvent {
    /// When, ms.
    pub time_ms: u64,
    /// What.
    pub what: CoordinationNews,
}

/// What a group is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CoordinationNews {
    /// Flow of a link that ends at lights, vehicles/h.
    Flow(LinkId, u32),
    /// Who is near the lines of a link.
    Near(Arc<LaneCounts>),
    /// So many vehicles passed the line of a lane.
    Left(LaneId, u32),
}

/// The machine of plans; a group's key is its first junction.
pub struct Coordination {
    city: Arc<City>,
    groups: Vec<Group>,
}

/// Which group listens to what.
pub struct Listeners {
    /// By link: the group, if it ends at lights in plan mode.
    links: Vec<Option<JunctionId>>,
    /// By camera at the line of such a link: group and lane.
    cameras: Vec<Option<(JunctionId, LaneId)>>,
}

impl Listeners {
    /// The group that listens to a link.
    pub fn of_link(&self, link: LinkId) -> Option<JunctionId> {
        self.links[link.index()]
    }
    /// The group that listens to a camera, a row of the city's, and the lane whose line it watches.
    pub fn of_camera(&self, camera: usize) -> Option<(JunctionId, LaneId)> {
        self.cameras.get(camera).copied().flatten()
    }
    /// Whether no junction is in plan mode.
    pub fn is_empty(&self) -> bool {
        self.links.iter().all(Option::is_none)
    }
}

/// What is remembered of a group.
#[derive(Default, Serialize, Deserialize)]
pub struct Memory {
    demand: Demand,
    heard_ms: Time,
    next_sample_ms: Time,
    next_plan_ms: Time,
    /// What the plans in force were made for, and when.
    planned: Option<(Vec<f64>, Time)>,
    plans: Vec<SignalPlan>,
}

impl Coordination {
    /// For a city's junctions in plan mode.
    pub fn new(city: Arc<City>) -> Self {
        let groups = streets::groups(&city);
        Coordination { city, groups }
    }

    /// Who listens to what.
    pub fn listeners(&self) -> Listeners {
        let mut links = vec![None; self.city.links.len()];
        let mut lanes = vec![None; self.city.lanes.len()];
        for group in &self.groups {
            // Where two groups could count the same, the first does.
            for link in group.measured.keys() {
                links[link.index()].get_or_insert(group.junctions[0]);
            }
            for lane in group.counted.keys() {
                lanes[lane.index()].get_or_insert((group.junctions[0], *lane));
            }
        }
        let at_line = at_line(&self.city);
        let seeing = |camera: &Camera| camera.lane.filter(|_| at_line[camera.id.index()]);
        let line = |camera: &Camera| seeing(camera).and_then(|(lane, _)| lanes[lane.index()]);
        let cameras = self.city.cameras.iter().map(line).collect();
        Listeners { links, cameras }
    }

    fn group(&self, key: JunctionId) -> Option<&Group> {
        let row = self.groups.binary_search_by_key(&key, |group| group.junctions[0]);
        row.ok().map(|row| &self.groups[row])
    }

    fn hear(&self, group: &Group, memory: &mut Memory, what: &CoordinationNews) {
        match what {
            CoordinationNews::Flow(link, flow_veh_h) => memory.demand.hear_flow(group, *link, *flow_veh_h),
            CoordinationNews::Near(counts) => {
                memory.demand.hear_near(group, &self.city.links[counts.link.index()].lanes, counts);
            }
            CoordinationNews::Left(lane, vehicles) => memory.demand.hear_left(group, *lane, *vehicles),
        }
    }
}

impl Machine for Coordination {
    type Key = JunctionId;
    type Event = CoordinationEvent;
    type State = Memory;
    type Out = SignalPlan;

    fn name(&self) -> &'static str {
        "coordination"
    }

    fn kind(&self) -> Kind {
        Kind::Told
    }

    fn keys(&self) -> Vec<JunctionId> {
        self.groups.iter().map(|group| group.junctions[0]).collect()
    }

    fn step(
        &self,
        key: JunctionId,
        memory: &mut Memory,
        tick: Time,
        events: &[(JunctionId, CoordinationEvent)],
        out: &mut Outbox<SignalPlan>,
    ) {
        // A state of an earlier save may be of a city whose groups were others.
        let Some(group) = self.group(key) else { return out.forget() };
        if memory.next_sample_ms == 0 {
            let shift_ms = u64::from(key.0) * 997 % SAMPLE_MS;
            memory.demand = Demand::new(group);
            memory.heard_ms = tick;
            memory.next_sample_ms = tick + SAMPLE_MS + shift_ms;
            memory.next_plan_ms = tick + EARLY_MS + shift_ms;
        }
        for (_, event) in events {
            memory.heard_ms = tick;
            self.hear(group, memory, &event.what);
        }
        memory.demand.look(group);
        if tick >= memory.next_sample_ms {
            memory.next_sample_ms = tick + SAMPLE_MS;
            memory.demand.sample(group);
            if tick.saturating_sub(memory.heard_ms) <= SILENT_MS {
                self.plan(group, memory, tick, out);
            }
        }
        out.wake_at(memory.next_sample_ms);
    }
}

impl Coordination {
    /// Makes plans if it is time to.
    fn plan(&self, group: &Group, memory: &mut Memory, tick: Time, out: &mut Outbox<SignalPlan>) {
        let flows = memory.demand.by_lane(group);
        let differs = memory
            .planned
            .as_ref()
            .is_some_and(|(planned, at_ms)| tick >= at_ms + EARLY_MS && demand::change(planned, &flows) > CHANGED);
        if tick < memory.next_plan_ms && !differs {
            return;
        }
        memory.next_plan_ms = tick + PERIOD_MS;
        // Plans are for the demand to come: flows of some minutes go up and down by so much.
        let expected: Vec<f64> = flows.iter().map(|flow| flow * HEADROOM).collect();
        let planner = Planner { city: &self.city, group, flows: &expected, standing: &memory.demand.standing() };
        memory.plans = planner.plans(&memory.plans, tick);
        memory.planned = Some((flows, tick));
        memory.demand.forget_queues(group);
        memory.plans.iter().for_each(|plan| out.emit(plan.clone()));
    }
}

#[cfg(test)]
mod tests;
