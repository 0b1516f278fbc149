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
/// Fewer than this near the line at best are those who just come, vehicles.
const COMING: f64 = 1.0;

/// So many at best are a queue that no green cleared, vehicles.
const STANDING: f64 = 3.0;
/// However little passes, the way beyond the lights may have been full, and more green is of no use then.
const LEAST_PASSES: f64 = 0.4;

/// What is known of those who come.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Demand {
    samples: f64,
    /// By approach, as last told, vehicles/s.
    told: Vec<f64>,
    /// By approach, smoothed, vehicles/s.
    flows: Vec<f64>,
    /// By lane: vehicles that left it lately, older ones for less.
    left: Vec<f64>,
    /// By lane: vehicles near the line, and the fewest since [`forget_queues`](Self::forget_queues).
    near: Vec<f64>,
    least: Vec<f64>,
    /// By lane: whether nobody would be seen.
    blind: Vec<bool>,
    /// By lane: what really passes as a share of what should.
    passes: Vec<f64>,
}

impl Demand {
    pub(super) fn new(group: &Group) -> Self {
        let (approaches, lanes) = (group.approaches.len(), group.lanes.len());
        Demand {
            samples: 0.0,
            told: vec![0.0; approaches],
            flows: vec![0.0; approaches],
            left: vec![0.0; lanes],
            near: vec![0.0; lanes],
            least: vec![0.0; lanes],
            blind: vec![false; lanes],
            passes: vec![1.0; lanes],
        }
    }

    pub(super) fn hear_flow(&mut self, group: &Group, link: LinkId, flow_veh_h: u32) {
        if let Some(approach) = group.of_link.get(&link) {
            self.told[*approach] = f64::from(flow_veh_h) / 3600.0;
        }
    }

    /// `lanes` are those of the link in its order.
    pub(super) fn hear_near(&mut self, group: &Group, lanes: &[LaneId], counts: &LaneCounts) {
        for (row, (lane, near_milli)) in lanes.iter().zip(&counts.near_milli).enumerate() {
            if let Some(lane) = group.of_lane.get(lane) {
                self.near[*lane] = f64::from(*near_milli) / 1000.0;
                self.least[*lane] = self.least[*lane].min(self.near[*lane]);
                self.blind[*lane] = counts.is_blind(row);
            }
        }
    }

    pub(super) fn hear_left(&mut self, group: &Group, lane: LaneId, vehicles: u32) {
        if let Some(lane) = group.of_lane.get(&lane) {
            self.left[*lane] += f64::from(vehicles);
        }
    }

    /// Each [`SAMPLE_MS`].
    pub(super) fn sample(&mut self) {
        self.samples = (self.samples + 1.0).min(MEMORY);
        self.flows.iter_mut().zip(&self.told).for_each(|(flow, told)| *flow += (told - *flow) / self.samples);
        self.left.iter_mut().for_each(|left| *left *= 1.0 - 1.0 / (2.0 * MEMORY));
    }

    /// From now on queues are looked at anew.
    pub(super) fn forget_queues(&mut self) {
        self.least.clone_from(&self.near);
    }

    /// Learns from queues that no green has cleared: what passed then is all that can. `capacities` by lane are those of the
    /// plans in force if nothing is in the way, vehicles/s; turns through gaps and vehicles that stand in the way of others
    /// make them less.
    pub(super) fn learn(&mut self, group: &Group, capacities: &[f64]) {
        let passed = self.passed(group);
        for (lane, capacity) in capacities.iter().enumerate().filter(|(_, capacity)| **capacity > 0.0) {
            let share = (passed[lane] / capacity).clamp(LEAST_PASSES, 1.0);
            let (share, weight) = if self.least[lane] > STANDING { (share, 0.5) } else { (1.0, 0.1) };
            self.passes[lane] += weight * (share - self.passes[lane]);
        }
    }

    /// By lane, what really passes as a share of what should.
    pub(super) fn passes(&self) -> &[f64] {
        &self.passes
    }

    /// Who wants to pass, by lane, vehicles/s: who does, and who stands longer than a cycle.
    pub(super) fn by_lane(&self, group: &Group) -> Vec<f64> {
        let over = |least: &f64| (least - COMING).max(0.0) / CLEAR_S;
        self.passed(group).iter().zip(&self.least).map(|(passed, least)| passed + over(least)).collect()
    }

    /// By lane, vehicles/s.
    fn passed(&self, group: &Group) -> Vec<f64> {
        let mut by_lane = vec![0.0; group.lanes.len()];
        for (approach, flow) in group.approaches.iter().zip(&self.flows) {
            let seen: Vec<f64> = approach.lanes.iter().filter(|l| !self.blind[**l]).map(|l| self.left[*l]).collect();
            let mean = seen.iter().sum::<f64>() / seen.len().max(1) as f64;
            let weight = |lane: usize| PRIOR + if self.blind[lane] { mean } else { self.left[lane] };
            let sum: f64 = approach.lanes.iter().map(|l| weight(*l)).sum();
            for lane in &approach.lanes {
                by_lane[*lane] = flow * weight(*lane) / sum;
            }
        }
        by_lane
    }
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
        demand.sample();
        let even = demand.by_lane(&group);
        let [first, second] = [even[approach.lanes[0]], even[approach.lanes[1]]];
        assert!((first + second - 0.2).abs() < 1e-9 && first > 2.5 * second, "{first} {second}");
        let near = |vehicles: u32| LaneCounts { time_ms: 0, link, near_milli: vec![0, vehicles * 1000], blind: 0 };
        demand.hear_near(&group, lanes, &near(10));
        demand.forget_queues();
        [12, 19, 14].iter().for_each(|n| demand.hear_near(&group, lanes, &near(*n)));
        let queued = demand.by_lane(&group)[approach.lanes[1]] - second;
        assert!((queued - 9.0 / CLEAR_S).abs() < 1e-9, "ten never cleared, one of them as ever: {queued}");
        assert!(change(&even, &demand.by_lane(&group)) > 0.2);
    }
}
