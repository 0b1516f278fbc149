//! From the demand of a group to its plans: stages, cycle, splits, offsets.

use super::offsets::Search;
use super::profile::{STEP_MS, serves};
use super::service::{Service, spare, stages_of};
use super::streets::Group;
use super::webster::{LEAST_CYCLE_MS, cycles_ms, degree_of_saturation, delay, splits};
use crate::Time;
use crate::decision::SignalPlan;
use crate::network::{City, Junction, PlanStep};

/// The cycle in force stays unless another has less delay by this share: a change costs a transition.
const WORTH: f64 = 0.03;
/// A junction takes half the cycle only when that saves this share of its delay: platoons then meet every other green.
const HALF_WORTH: f64 = 0.15;
/// A stage that could be left out is when that saves this share of the junction's delay.
const LEAVE_WORTH: f64 = 0.02;

/// A group and who wants to pass its lights.
pub(super) struct Planner<'a> {
    pub(super) city: &'a City,
    pub(super) group: &'a Group,
    /// By lane, vehicles/s.
    pub(super) flows: &'a [f64],
    /// By lane: whether somebody stood there through all greens of the plan before.
    pub(super) standing: &'a [bool],
}

/// A junction's part in a cycle of the group.
struct Part {
    cycle_ms: u32,
    greens_ms: Vec<u32>,
    delay: f64,
}

impl Planner<'_> {
    /// Plans for all junctions of the group, in order; none for one whose shortest greens no cycle holds.
    pub(super) fn plans(&self, before: &[SignalPlan], now: Time) -> Vec<SignalPlan> {
        let services: Vec<Service> = (0..self.group.junctions.len()).map(|row| self.service(row, now)).collect();
        let Some(cycle_ms) = self.cycle_ms(&services, before) else { return Vec::new() };
        let parts: Vec<Part> = services.iter().filter_map(|service| part(service, cycle_ms)).collect();
        if parts.len() < services.len() {
            return Vec::new();
        }
        let offsets_ms = self.offsets_ms(&services, &parts, cycle_ms, before, now);
        let plan = |row: usize| {
            let (service, part) = (&services[row], &parts[row]);
            let steps = service.steps.iter().zip(&part.greens_ms);
            let saturation = degree_of_saturation(service, &part.greens_ms, part.cycle_ms);
            SignalPlan {
                junction: self.group.junctions[row],
                time_ms: now,
                group: self.group.junctions[0],
                cycle_ms: part.cycle_ms,
                offset_ms: offsets_ms[row] % part.cycle_ms,
                saturation_milli: (saturation.min(100.0) * 1000.0) as u32,
                steps: steps
                    .map(|(s, green_ms)| PlanStep {
                        stage: s.stage,
                        green_ms: *green_ms,
                        intergreen_ms: s.intergreen_ms,
                    })
                    .collect(),
            }
        };
        (0..services.len()).map(plan).collect()
    }

    fn junction(&self, row: usize) -> &Junction {
        &self.city.junctions[self.group.junctions[row].index()]
    }

    /// The stages of the local plan in their order, less those that cost more than they serve.
    fn service(&self, row: usize, now: Time) -> Service {
        let junction = self.junction(row);
        let local = junction.plan_at(self.city.minute_of_day(now));
        let service = |stages: &[u16]| Service::new(self.group, row, junction, stages, self.flows);
        let least = |service: &Service| {
            let delays = cycles_of(service).step_by(6).filter_map(|ms| Some(delay(service, &splits(service, ms)?, ms)));
            delays.fold(f64::INFINITY, f64::min)
        };
        let mut standing = vec![false; junction.heads.len()];
        for (lane, stands) in self.group.lanes.iter().zip(self.standing).filter(|(lane, _)| lane.junction == row) {
            lane.moves.iter().for_each(|(head, _, _)| standing[*head] |= stands);
        }
        let mut stages = stages_of(local);
        let mut best = service(&stages);
        let mut best_delay = least(&best);
        loop {
            let without = spare(junction, &stages, &standing).into_iter().map(|n| {
                let mut fewer = stages.clone();
                fewer.remove(n);
                fewer.dedup();
                let service = service(&fewer);
                (least(&service), fewer, service)
            });
            let Some((delay, fewer, fewer_service)) = without.min_by(|a, b| a.0.total_cmp(&b.0)) else { return best };
            if delay >= best_delay * (1.0 - LEAVE_WORTH) {
                return best;
            }
            (stages, best, best_delay) = (fewer, fewer_service, delay);
        }
    }

    /// The cycle of least delay of all junctions; the one in force if it is nearly as good.
    fn cycle_ms(&self, services: &[Service], before: &[SignalPlan]) -> Option<u32> {
        let of = |cycle_ms: u32| services.iter().map(|s| part(s, cycle_ms).map(|p| p.delay)).sum::<Option<f64>>();
        let longest = services.iter().max_by_key(|s| s.least_ms())?;
        let all = cycles_of(longest).filter_map(|cycle_ms| of(cycle_ms).map(|delay| (cycle_ms, delay)));
        let best = all.min_by(|a, b| a.1.total_cmp(&b.1))?;
        let now_ms = before.iter().map(|plan| plan.cycle_ms).max();
        let stays = |now_ms: &u32| of(*now_ms).is_some_and(|delay| delay <= best.1 * (1.0 + WORTH));
        Some(now_ms.filter(stays).unwrap_or(best.0))
    }

    /// By junction, when its first green begins in the group's cycle, ms since the epoch modulo the cycle.
    fn offsets_ms(
        &self,
        services: &[Service],
        parts: &[Part],
        cycle_ms: u32,
        before: &[SignalPlan],
        now: Time,
    ) -> Vec<u32> {
        let steps = (cycle_ms / STEP_MS) as usize;
        let lanes = self.group.lanes.len();
        let (mut all, mut flows) = (vec![Vec::new(); lanes], vec![0.0; lanes]);
        for (row, (service, part)) in services.iter().zip(parts).enumerate() {
            let rows = (0..lanes).filter(|l| self.group.lanes[*l].junction == row);
            for (lane, serve) in rows.zip(serves(service, &part.greens_ms, steps)) {
                all[lane] = serve;
                flows[lane] = self.flows[lane] * f64::from(STEP_MS) / 1000.0;
            }
        }
        let search = Search { group: self.group, steps, serves: all, flows };
        let begins = |plan: &SignalPlan| plan.next_begin_ms(now) % u64::from(cycle_ms);
        let same = before.len() == parts.len() && before.iter().zip(parts).all(|(b, p)| b.cycle_ms == p.cycle_ms);
        let in_force: Option<Vec<u32>> =
            (before.len() == parts.len()).then(|| before.iter().map(|plan| begins(plan) as u32).collect());
        let in_steps: Option<Vec<usize>> =
            in_force.as_ref().map(|all| all.iter().map(|ms| (ms / STEP_MS) as usize % steps).collect());
        let offsets = search.offsets(in_steps.as_deref());
        match (&in_force, &in_steps) {
            (Some(in_force), Some(now)) if same && offsets == *now => in_force.clone(),
            (Some(_), Some(now)) => turned(&offsets, now, steps),
            _ => offsets.iter().map(|offset| *offset as u32 * STEP_MS).collect(),
        }
    }
}

/// Offsets count against each other alone: all are turned together so that they are as near as can be to those in force.
fn turned(offsets: &[usize], now: &[usize], steps: usize) -> Vec<u32> {
    let apart = |by: usize| {
        let of = |(offset, now): (&usize, &usize)| {
            let late = (offset + by + steps - now) % steps;
            late.min(steps - late)
        };
        offsets.iter().zip(now).map(of).sum::<usize>()
    };
    let by = (0..steps).min_by_key(|by| apart(*by)).unwrap_or(0);
    offsets.iter().map(|offset| ((offset + by) % steps) as u32 * STEP_MS).collect()
}

/// The cycles that a junction can have; where its shortest greens need more than any, the shortest that holds them.
fn cycles_of(service: &Service) -> impl Iterator<Item = u32> + use<> {
    let least_ms = service.least_ms();
    let longer_ms = cycles_ms().all(|ms| ms < least_ms).then(|| least_ms.next_multiple_of(2 * STEP_MS));
    cycles_ms().filter(move |ms| *ms >= least_ms).chain(longer_ms)
}

/// A junction in a cycle or half of it, whichever delays less.
fn part(service: &Service, cycle_ms: u32) -> Option<Part> {
    let of = |cycle_ms: u32| {
        let greens_ms = splits(service, cycle_ms)?;
        let delay = delay(service, &greens_ms, cycle_ms);
        Some(Part { cycle_ms, greens_ms, delay })
    };
    let half_ms = Some(cycle_ms / 2).filter(|half_ms| *half_ms >= LEAST_CYCLE_MS);
    let (whole, half) = (of(cycle_ms), half_ms.and_then(of));
    match (whole, half) {
        (Some(whole), Some(half)) if half.delay < whole.delay * (1.0 - HALF_WORTH) => Some(half),
        (whole, _) => whole,
    }
}
