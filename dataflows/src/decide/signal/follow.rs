//! Following a plan: the stages in its order, each for its green, the cycle where the plan's clock has it. What differs from
//! the clock is made good by and by, so that a new plan never makes a light jump.

use serde::{Deserialize, Serialize};

use super::plan::local_plan;
use crate::Time;
use crate::decision::{SignalPlan, StageReason};
use crate::network::{City, Junction};

/// A cycle is made longer or shorter by at most this share of it on the way to the plan's clock, 1/1000: drivers and
/// neighbours hardly notice, and half a cycle is made good in four.
const SHIFT_MILLI: u32 = 150;
/// Less than this off the clock is left as it is, ms.
const NEAR_MS: u32 = 1_000;

/// Where a junction is in its plan.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Follower {
    /// The centre's last plan.
    heard: Option<SignalPlan>,
    /// The plan of this cycle; none before the first.
    plan: Option<SignalPlan>,
    /// Whether that is the junction's own.
    is_local: bool,
    /// The step in force, or on its way.
    row: usize,
    /// From when on its green counts, ms.
    row_from_ms: Time,
    /// Greens of this cycle, ms.
    greens_ms: Vec<u32>,
    /// When the green in force ends, ms.
    ends_ms: Time,
}

impl Follower {
    /// The centre has a plan: it is taken up as the next cycle begins.
    pub(super) fn hear(&mut self, plan: &SignalPlan) {
        self.heard = Some(plan.clone());
    }

    /// When the next decision is due, ms: after a second, or as the green in force ends.
    pub(super) fn due_ms(&self, now: Time, again_ms: u64) -> Time {
        if self.ends_ms > now { self.ends_ms.min(now + again_ms) } else { now + again_ms }
    }

    /// The stage wanted while `stage` has stood since `since_ms`.
    pub(super) fn wanted(&mut self, city: &City, junction: &Junction, stage: u16, since_ms: Time, now: Time) -> u16 {
        let Some(plan) = &self.plan else { return self.begin(city, junction, stage, since_ms, now) };
        let step = &plan.steps[self.row];
        if stage != step.stage {
            return step.stage;
        }
        self.ends_ms = since_ms.max(self.row_from_ms) + u64::from(self.greens_ms[self.row]);
        if now < self.ends_ms {
            return stage;
        }
        let intergreen_ms = u64::from(step.intergreen_ms);
        self.row_from_ms = now;
        self.row += 1;
        if self.row >= plan.steps.len() {
            self.turn(city, junction, now, now + intergreen_ms);
        }
        self.stage().unwrap_or(stage)
    }

    /// Whose plan it follows.
    pub(super) fn reason(&self) -> StageReason {
        if self.is_local { StageReason::LocalPlan } else { StageReason::Plan }
    }

    /// The stage of the step in force.
    fn stage(&self) -> Option<u16> {
        self.plan.as_ref().and_then(|plan| plan.steps.get(self.row)).map(|step| step.stage)
    }

    /// Takes up a plan in the middle of a cycle: a stage that stands goes on as that of the plan.
    fn begin(&mut self, city: &City, junction: &Junction, stage: u16, since_ms: Time, now: Time) -> u16 {
        self.turn(city, junction, now, now);
        let row = self.plan.as_ref().and_then(|plan| plan.steps.iter().position(|s| s.stage == stage));
        self.row = row.unwrap_or(0);
        self.row_from_ms = since_ms;
        // It goes on by the plan's own greens; the first whole cycle is set right.
        self.greens_ms = self.plan.as_ref().map_or_else(Vec::new, |plan| greens_ms(junction, plan));
        self.stage().unwrap_or(stage)
    }

    /// A new cycle, whose first green begins at `begins_ms`: of the newest plan, longer or shorter where it is off its clock.
    fn turn(&mut self, city: &City, junction: &Junction, now: Time, begins_ms: Time) {
        let heard = self.heard.as_ref().filter(|plan| now < plan.holds_until_ms() && !plan.steps.is_empty());
        self.is_local = heard.is_none();
        let plan = heard.cloned().unwrap_or_else(|| local_plan(city, junction, now));
        self.row = 0;
        self.greens_ms = on_time(junction, &plan, begins_ms);
        self.plan = Some(plan);
    }
}

/// The greens of a plan, none below what may be shown, ms.
fn greens_ms(junction: &Junction, plan: &SignalPlan) -> Vec<u32> {
    plan.steps.iter().map(|step| step.green_ms.max(junction.least_green_ms(step.stage))).collect()
}

/// The greens of a cycle that begins at `begins_ms`, longer or shorter in sum by no more than [`SHIFT_MILLI`] so that the next
/// one is nearer to the plan's clock.
fn on_time(junction: &Junction, plan: &SignalPlan, begins_ms: Time) -> Vec<u32> {
    let greens_ms = greens_ms(junction, plan);
    let cycle_ms = plan.cycle_ms.max(1);
    let late_ms = (cycle_ms - (plan.next_begin_ms(begins_ms) - begins_ms) as u32) % cycle_ms;
    if late_ms < NEAR_MS || late_ms > cycle_ms - NEAR_MS {
        return greens_ms;
    }
    let most_ms = (u64::from(cycle_ms) * u64::from(SHIFT_MILLI) / 1000) as u32;
    let spare_ms: Vec<u32> =
        plan.steps.iter().zip(&greens_ms).map(|(s, green)| green - junction.least_green_ms(s.stage)).collect();
    let shorter_ms = most_ms.min(spare_ms.iter().sum());
    let early_ms = cycle_ms - late_ms;
    let cycles = |by_ms: u32, most_ms: u32| if most_ms == 0 { u32::MAX } else { by_ms.div_ceil(most_ms) };
    if cycles(late_ms, shorter_ms) <= cycles(early_ms, most_ms) {
        let less = parts(&spare_ms, late_ms.min(shorter_ms));
        greens_ms.iter().zip(less).map(|(green, less)| green - less).collect()
    } else {
        let more = parts(&greens_ms, early_ms.min(most_ms));
        greens_ms.iter().zip(more).map(|(green, more)| green + more).collect()
    }
}

/// A sum in parts in proportion to weights, none above its weight if the sum is not; all of it.
fn parts(weights: &[u32], sum: u32) -> Vec<u32> {
    let (mut weight, mut left) = (weights.iter().map(|w| u64::from(*w)).sum::<u64>(), u64::from(sum));
    let part = |w: &u32| {
        let part = (left * u64::from(*w)).checked_div(weight).unwrap_or(0);
        (weight, left) = (weight - u64::from(*w), left - part);
        part as u32
    };
    weights.iter().map(part).collect()
}

#[cfg(test)]
mod tests;
