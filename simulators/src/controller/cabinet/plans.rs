//! The plans of a controller: which it keeps, which comes next, and what stage it wants now.

use nanming_dataflows::network::Junction;

use super::{Cabinet, DAY_MS};
use crate::controller::program::{on_time_ms, times_ms};
use crate::gbt20999::{PlanRow, PlanStep, Refused};

impl Cabinet {
    /// Keeps a plan that begins within its cycle, and whose stages it knows and lets stand for long enough, in place of one with
    /// its number.
    pub(in crate::controller) fn keep(&mut self, plan: PlanRow) -> Result<(), Refused> {
        let knows = plan.steps.iter().all(|step| usize::from(step.stage) <= self.junction.stages.len());
        let next = plan.steps.iter().cycle().skip(1);
        let fits = |(step, next): (&PlanStep, &PlanStep)| {
            let stage = stage_of(step);
            let least_ms = self.min_green_ms(stage) + self.intergreen_ms(stage, stage_of(next));
            self.is_safe(stage) && u64::from(step.time_s) * 1000 >= least_ms
        };
        if !knows || plan.offset_s >= plan.cycle_s() || !plan.steps.iter().zip(next).all(fits) {
            return Err(Refused::Range);
        }
        match self.plans.iter_mut().find(|known| known.number == plan.number) {
            Some(known) => *known = plan,
            None => self.plans.push(plan),
        }
        Ok(())
    }

    /// The plan of the next cycle.
    pub(super) fn next_plan(&self) -> &PlanRow {
        let row = self.ordered.filter(|_| self.is_coordinated()).unwrap_or(0);
        &self.plans[row]
    }

    /// Goes on in the plan from the stage that stands.
    pub(super) fn take_up(&mut self) {
        let stage = self.stage();
        self.times_ms = times_ms(&self.plan);
        self.step = self.plan.steps.iter().position(|step| stage_of(step) == stage).unwrap_or(0);
    }

    /// The centre orders a plan: it comes with the next cycle by the centre's plans. Whether there is one.
    pub(in crate::controller) fn order_plan(&mut self, number: u8) -> bool {
        let found = self.plans.iter().position(|plan| plan.number == number);
        self.ordered = found.or(self.ordered);
        found.is_some()
    }

    /// The stage that the plan wants after the one in force has stood so long.
    pub(super) fn by_plan(&self, stood_ms: u64) -> u16 {
        let stage = stage_of(&self.plan.steps[self.step]);
        let next = self.plan.steps.get(self.step + 1).unwrap_or(&self.next_plan().steps[0]);
        let green_ms = self.times_ms[self.step].saturating_sub(self.intergreen_ms(stage, stage_of(next)));
        if stood_ms < green_ms { stage } else { stage_of(next) }
    }

    /// A new cycle, of the plan that was ordered last; the centre's plans go by the clock.
    pub(super) fn turn(&mut self, now_ms: u64) {
        (self.plan, self.step) = (self.next_plan().clone(), 0);
        self.times_ms = times_ms(&self.plan);
        if self.is_coordinated() {
            let stages: Vec<u16> = self.plan.steps.iter().map(stage_of).collect();
            let next = stages.iter().cycle().skip(1);
            let least_ms =
                stages.iter().zip(next).map(|(s, next)| self.min_green_ms(*s) + self.intergreen_ms(*s, *next));
            let least_ms: Vec<u64> = least_ms.collect();
            self.times_ms = on_time_ms(&self.plan, (self.clock_ms + now_ms) % DAY_MS, &least_ms);
        }
    }
}

/// Row of a step's stage in the junction's stages.
pub(super) fn stage_of(step: &PlanStep) -> u16 {
    u16::from(step.stage) - 1
}

/// The city's first plan, or each stage for half a minute.
pub(super) fn own_plan(junction: &Junction) -> PlanRow {
    let planned = junction.plans.first().map(|plan| plan.steps.as_slice()).unwrap_or_default();
    let step = |stage: u16, ms: u32| PlanStep { stage: stage as u8 + 1, time_s: ms.div_ceil(1000) as u16 };
    let mut steps: Vec<PlanStep> = planned.iter().map(|s| step(s.stage, s.green_ms + s.intergreen_ms)).collect();
    if steps.is_empty() {
        steps = (0..junction.stages.len() as u16).map(|stage| step(stage, 30_000)).collect();
    }
    PlanRow { number: 1, road: 1, offset_s: 0, steps }
}
