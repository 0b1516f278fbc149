//! Who wants to pass the lights of a group: flows by lane, smoothed, and queues that no green clears.

use serde::{Deserialize, Serialize};

use super::streets::Group;
use crate::ids::{LaneId, LinkId};
use crate::state::link::LaneCounts;

/// How often flows are smoothed, ms.
pub(super) const SAMPLE_MS: u64 = 10_000;
/// So many samples make the memory of flows and shares: two minutes, one or two cycles.
const MEMORY: f64 = 12.0;
/// Nobody seen on a lane is as if so many were, vehicles: a lane that leads somewhere is not forgotten.
const PRIOR: f64 = 0.5;
/// A queue that no green cleared is to be gone after so long, s.
const CLEAR_S: f64 = 180.0;
/// Who reaches the line within so long is near it, s.
const NEAR_S: u32 = 14;
/// Fewer than this near the line at best are those who just come, vehicles.
const COMING: f64 = 1.0;

/// So many at best are a queue that no green cleared, vehicles.
const STANDING: f64 = 3.0;

/// What is known of those who come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Demand {
    samples: f64,
    /// By link where flow is measured, as last told, vehicles/s.
    told: Vec<f64>,
    /// By approach, smoothed, vehicles/s.
    flows: Vec<f64>,
    /// By lane where vehicles are counted: those that left it lately, older ones for less; and those near its end.
    left: Vec<f64>,
    near: Vec<f64>,
    /// By lane where vehicles are counted: whether nobody would be seen.
    blind: Vec<bool>,
    /// By lane before lights: the fewest near the line since [`forget_queues`](Self::forget_queues).
    least: Vec<f64>,
}

impl Demand {
    pub(super) fn new(group: &Group) -> Self {
        let counted = group.counted.len();
        Demand {
            samples: 0.0,
            told: vec![0.0; group.measured.len()],
            flows: vec![0.0; group.approaches.len()],
            left: vec![0.0; counted],
            near: vec![0.0; counted],
            blind: vec![false; counted],
            least: vec![0.0; group.lanes.len()],
        }
    }

    pub(super) fn hear_flow(&mut self, group: &Group, link: LinkId, flow_veh_h: u32) {
        if let Some(row) = group.measured.get(&link) {
            self.told[*row] = f64::from(flow_veh_h) / 3600.0;
        }
    }

    /// `lanes` are those of the link in its order.
    pub(super) fn hear_near(&mut self, group: &Group, lanes: &[LaneId], counts: &LaneCounts) {
        for (row, lane) in lanes.iter().enumerate() {
            if let Some(lane) = group.counted.get(lane) {
                self.near[*lane] = f64::from(counts.near_milli(row, NEAR_S)) / 1000.0;
                self.blind[*lane] = counts.is_blind(row);
            }
        }
    }

    pub(super) fn hear_left(&mut self, group: &Group, lane: LaneId, vehicles: u32) {
        if let Some(lane) = group.counted.get(&lane) {
            self.left[*lane] += f64::from(vehicles);
        }
    }

    /// Each time that something was heard: how many wait at least.
    pub(super) fn look(&mut self, group: &Group) {
        for (least, lane) in self.least.iter_mut().zip(&group.lanes) {
            *least = least.min(sum(&self.near, &lane.sources));
        }
    }

    /// Each [`SAMPLE_MS`].
    pub(super) fn sample(&mut self, group: &Group) {
        self.samples = (self.samples + 1.0).min(MEMORY);
        for (flow, approach) in self.flows.iter_mut().zip(&group.approaches) {
            // Who is not seen at one level is at another.
            let told = approach.levels.iter().map(|level| sum(&self.told, level)).fold(0.0, f64::max);
            *flow += (told - *flow) / self.samples;
        }
        self.left.iter_mut().for_each(|left| *left *= 1.0 - 1.0 / (2.0 * MEMORY));
    }

    /// From now on queues are looked at anew.
    pub(super) fn forget_queues(&mut self, group: &Group) {
        self.least = group.lanes.iter().map(|lane| sum(&self.near, &lane.sources)).collect();
    }

    /// By lane before lights: whether somebody stood there through all greens.
    pub(super) fn standing(&self) -> Vec<bool> {
        self.least.iter().map(|least| *least > STANDING).collect()
    }

    /// Who wants to pass, by lane before lights, vehicles/s: who does, and who stands longer than a cycle.
    pub(super) fn by_lane(&self, group: &Group) -> Vec<f64> {
        let mut by_lane: Vec<f64> = self.least.iter().map(|least| (least - COMING).max(0.0) / CLEAR_S).collect();
        let left = |lane: usize| sum(&self.left, &group.lanes[lane].sources);
        let blind = |lane: &usize| group.lanes[*lane].sources.iter().all(|(row, _)| self.blind[*row]);
        for (approach, flow) in group.approaches.iter().zip(&self.flows) {
            let seen: Vec<f64> = approach.lanes.iter().filter(|lane| !blind(lane)).map(|lane| left(*lane)).collect();
            let mean = seen.iter().sum::<f64>() / seen.len().max(1) as f64;
            let weight = |lane: &usize| PRIOR + if blind(lane) { mean } else { left(*lane) };
            let all: f64 = approach.lanes.iter().map(weight).sum();
            approach.lanes.iter().for_each(|lane| by_lane[*lane] += flow * weight(lane) / all);
        }
        by_lane
    }
}

fn sum(values: &[f64], parts: &[(usize, f64)]) -> f64 {
    parts.iter().map(|(row, share)| values[*row] * share).sum()
}

/// How much a demand differs from another, as a share of the first.
pub(super) fn change(from: &[f64], to: &[f64]) -> f64 {
    let differs: f64 = from.iter().zip(to).map(|(a, b)| (a - b).abs()).sum();
    differs / from.iter().sum::<f64>().max(0.01)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{avenue, group_of};
    use super::*;
    use crate::state::link::Arrival;

    #[test]
    fn flows_are_shared_by_who_leaves_each_lane_and_standing_queues_add_to_them() {
        let city = avenue(2, 300_000);
        let group = group_of(&city);
        let (link, approach) = group.of_link.iter().map(|(l, a)| (*l, &group.approaches[*a])).next().unwrap();
        let lanes = &city.links[link.index()].lanes;
        assert_eq!(approach.lanes.len(), 2, "two lanes");
        let mut demand = Demand::new(&group);
        demand.hear_flow(&group, link, 720);
        (0..30).for_each(|_| demand.hear_left(&group, lanes[0], 1));
        (0..10).for_each(|_| demand.hear_left(&group, lanes[1], 1));
        demand.sample(&group);
        let even = demand.by_lane(&group);
        let [first, second] = [even[approach.lanes[0]], even[approach.lanes[1]]];
        assert!((first + second - 0.2).abs() < 1e-9 && first > 2.5 * second, "{first} {second}");
        let near = |vehicles: u32| {
            let arrivals = vec![Arrival { lane: 1, due_s: 0, milli: vehicles * 1000 }];
            LaneCounts { link, arrivals, ..LaneCounts::default() }
        };
        demand.hear_near(&group, lanes, &near(10));
        demand.forget_queues(&group);
        for vehicles in [12, 10, 14] {
            demand.hear_near(&group, lanes, &near(vehicles));
            demand.look(&group);
        }
        let queued = demand.by_lane(&group)[approach.lanes[1]] - second;
        assert!((queued - 9.0 / CLEAR_S).abs() < 1e-9, "ten never cleared, one of them as ever: {queued}");
        assert!(change(&even, &demand.by_lane(&group)) > 0.2);
    }
}
