//! What the stages of a junction do for its lanes, in the order of its local plan.

use super::streets::{ApproachLane, Group};
use crate::decide::signal::on_the_way;
use crate::event::Lamp;
use crate::network::{Conflict, Junction, Light, Plan, Turn};

/// Saturation flow of a lane straight on, and of one that turns, vehicles/s (1800 and 1600 an hour).
const THROUGH: f64 = 0.5;
const TURNING: f64 = 1600.0 / 3600.0;
/// Of a green so much is lost as the queue starts, less what drives on into the yellow, s.
const START_LOSS_S: f64 = 1.5;
/// Whoever gives way takes gaps of at least so many seconds, and in one gap they follow so many seconds apart (HCM 2000, exhibit
/// 17-5, left turn from a major street).
const GAP_S: f64 = 4.5;
const FOLLOW_S: f64 = 2.5;
/// Opposing traffic comes in about so much of the cycle.
const OPPOSING_GREEN: f64 = 0.4;
/// However dense the opposing traffic, somebody clears the junction as the green ends, share of the saturation flow.
const LEAST_GAPS: f64 = 0.07;

/// A stage of a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) stage: u16,
    /// Shortest green, ms: of the stage, of its heads, walk and clearance.
    pub(super) least_ms: u32,
    /// Yellow and all-red to the next step, ms.
    pub(super) intergreen_ms: u32,
}

/// What a cycle of stages does for the lanes of a junction, and who wants to pass.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Service {
    pub(super) steps: Vec<Step>,
    /// By lane and step, vehicles/s of green.
    pub(super) rates: Vec<Vec<f64>>,
    /// By lane and step: vehicles that pass in the intergreen after it.
    pub(super) between: Vec<Vec<f64>>,
    /// By lane, vehicles/s.
    pub(super) saturation: Vec<f64>,
    /// By lane, vehicles/s.
    pub(super) flows: Vec<f64>,
}

impl Service {
    /// Of the steps of a plan; `flows` by lane of the group.
    pub(super) fn new(group: &Group, row: usize, junction: &Junction, stages: &[u16], flows: &[f64]) -> Service {
        let rows: Vec<usize> = (0..group.lanes.len()).filter(|l| group.lanes[*l].junction == row).collect();
        let lanes: Vec<&ApproachLane> = rows.iter().map(|l| &group.lanes[*l]).collect();
        let flows: Vec<f64> = rows.iter().map(|l| flows[*l]).collect();
        let mut by_head = vec![0.0; junction.heads.len()];
        lanes.iter().zip(&flows).for_each(|(lane, flow)| {
            lane.moves.iter().for_each(|(head, _, share)| by_head[*head] += share * flow);
        });
        let steps: Vec<Step> = (0..stages.len()).map(|n| step(junction, stages, n)).collect();
        let rate = |lane: &ApproachLane, lamps: &[Lamp]| rate(junction, &by_head, lane, lamps);
        let green = |lane: &ApproachLane| stages.iter().map(|s| rate(lane, &lamps_of(junction, *s))).collect();
        let passing = |lane: &ApproachLane, n: usize| {
            let way = on_the_way(junction, stages[n], stages[(n + 1) % stages.len()]);
            way.iter().map(|(lamps, for_ms)| rate(lane, lamps) * f64::from(*for_ms) / 1000.0).sum::<f64>()
        };
        Service {
            rates: lanes.iter().map(|lane| green(lane)).collect(),
            between: lanes.iter().map(|lane| (0..stages.len()).map(|n| passing(lane, n)).collect()).collect(),
            saturation: lanes.iter().map(|lane| saturation(lane)).collect(),
            steps,
            flows,
        }
    }

    /// Yellow and all-red of a cycle, ms.
    pub(super) fn lost_ms(&self) -> u32 {
        self.steps.iter().map(|s| s.intergreen_ms).sum()
    }

    /// The shortest cycle, ms.
    pub(super) fn least_ms(&self) -> u32 {
        self.lost_ms() + self.steps.iter().map(|s| s.least_ms.next_multiple_of(1_000)).sum::<u32>()
    }

    /// Vehicles of a lane that can pass in a cycle.
    pub(super) fn served(&self, lane: usize, greens_ms: &[u32]) -> f64 {
        let last = self.steps.len() - 1;
        let goes_on = |before: usize| {
            let at_once = self.steps[before].intergreen_ms == 0 && self.rates[lane][before] > 0.0;
            at_once || self.between[lane][before] > 0.0
        };
        let starts = |n: usize| !goes_on(if n == 0 { last } else { n - 1 });
        let green_s = |n: usize| {
            let lost_s = if starts(n) { START_LOSS_S } else { 0.0 };
            (f64::from(greens_ms[n]) / 1000.0 - lost_s).max(0.0)
        };
        let greens = self.rates[lane].iter().enumerate().map(|(n, rate)| rate * green_s(n));
        greens.chain(self.between[lane].iter().copied()).sum()
    }
}

/// The stages of a plan in order; a stage that follows itself is one.
pub(super) fn stages_of(plan: &Plan) -> Vec<u16> {
    let mut stages: Vec<u16> = plan.steps.iter().map(|s| s.stage).collect();
    stages.dedup();
    while stages.len() > 1 && stages.first() == stages.last() {
        stages.pop();
    }
    stages
}

/// The places in a sequence of stages that could be left out: everybody who gets green in it has one elsewhere too, nobody walks
/// in it, and nobody who has protected green in it, heads by `standing`, needs it: who waits for gaps may wait in vain.
pub(super) fn spare(junction: &Junction, stages: &[u16], standing: &[bool]) -> Vec<usize> {
    let light = |n: usize, head: usize| junction.stages[usize::from(stages[n])].lights[head];
    let as_well = |n: usize, other: usize, head: usize| match light(n, head) {
        Light::Red => true,
        Light::Protected if standing[head] => light(other, head) == Light::Protected,
        Light::Permissive | Light::Protected => light(other, head).is_green(),
    };
    let elsewhere = |n: usize, head: usize| (0..stages.len()).any(|other| other != n && as_well(n, other, head));
    let serves_again = |n: usize| (0..junction.heads.len()).all(|head| elsewhere(n, head));
    let walks = |n: usize| junction.stages[usize::from(stages[n])].walk_ms > 0;
    (0..stages.len()).filter(|n| stages.len() > 2 && serves_again(*n) && !walks(*n)).collect()
}

fn step(junction: &Junction, stages: &[u16], n: usize) -> Step {
    let (stage, next) = (stages[n], stages[(n + 1) % stages.len()]);
    Step {
        stage,
        least_ms: junction.least_green_ms(stage),
        intergreen_ms: on_the_way(junction, stage, next).iter().map(|(_, for_ms)| for_ms).sum(),
    }
}

fn lamps_of(junction: &Junction, stage: u16) -> Vec<Lamp> {
    junction.stages[usize::from(stage)].lights.iter().map(|light| light.lamp()).collect()
}

fn saturation(lane: &ApproachLane) -> f64 {
    let pace = |(_, turn, share): &(usize, Turn, f64)| share / if *turn == Turn::Through { THROUGH } else { TURNING };
    let sum: f64 = lane.moves.iter().map(|m| m.2).sum();
    sum / lane.moves.iter().map(pace).sum::<f64>()
}

/// Vehicles/s that pass from a lane while lamps show. Where all of its movements go, each takes its time; where some do not,
/// they stand in the others' way.
fn rate(junction: &Junction, by_head: &[f64], lane: &ApproachLane, lamps: &[Lamp]) -> f64 {
    let goes = |head: usize| match lamps[head] {
        Lamp::Protected => 1.0,
        Lamp::Permissive => gaps(junction, by_head, head, lamps),
        _ => 0.0,
    };
    let sum: f64 = lane.moves.iter().map(|m| m.2).sum();
    let going: f64 = lane.moves.iter().filter(|m| lamps[m.0].is_green()).map(|m| m.2).sum::<f64>() / sum;
    if going == 0.0 {
        return 0.0;
    }
    let pace: f64 = lane.moves.iter().filter(|m| lamps[m.0].is_green()).map(|m| m.2 / goes(m.0)).sum();
    saturation(lane) * going * going * sum / pace
}

/// What the gaps of those who have priority leave of the saturation flow.
fn gaps(junction: &Junction, by_head: &[f64], head: usize, lamps: &[Lamp]) -> f64 {
    let before = |other: &usize| {
        let yields = junction.conflicts.get(head, *other) == Conflict::FirstYields;
        lamps[*other].is_green() && yields
    };
    let opposing: f64 = (0..lamps.len()).filter(before).map(|other| by_head[other]).sum::<f64>() / OPPOSING_GREEN;
    if opposing <= 0.001 {
        return 1.0;
    }
    let pass = opposing * (-opposing * GAP_S).exp() / (1.0 - (-opposing * FOLLOW_S).exp());
    (pass / THROUGH).clamp(LEAST_GAPS, 1.0)
}
