//! Plans as rows of a controller's table of plans: the city's local ones, and those that the engine makes.

use std::collections::VecDeque;

use nanming_dataflows::decision::SignalPlan;
use nanming_dataflows::network::Plan;
use nanming_simulators::gbt20999::{PlanRow, PlanStep};

use super::slots::Planned;
use crate::controllers::{PlanClock, Site};

const DAY_MS: u64 = 24 * 3_600_000;

/// All plans of a junction that a controller can hold, numbered as the city has them, from 1. One with a stage that it does
/// not have, or more stages than fit, is left out.
pub(super) fn of(site: &Site) -> VecDeque<PlanRow> {
    let plans = site.of().plans.iter().zip(1..=u8::MAX);
    let rows = plans.filter_map(|(plan, number)| {
        let row = row(site, plan, number);
        if row.as_ref().and_then(PlanRow::items).is_none() {
            let (junction, plan) = (&site.of().name, &plan.name);
            tracing::warn!(junction, plan, "the controller cannot hold this plan");
            return None;
        }
        row
    });
    rows.collect()
}

fn row(site: &Site, plan: &Plan, number: u8) -> Option<PlanRow> {
    let seconds = |ms: u32| u16::try_from(ms.div_ceil(1000)).ok();
    let steps = plan.steps.iter().map(|step| {
        let time_s = seconds(step.green_ms + step.intergreen_ms)?;
        Some(PlanStep { stage: site.number(step.stage)?, time_s })
    });
    let cycle_ms = plan.cycle_ms().max(1);
    Some(PlanRow {
        number,
        road: site.road,
        offset_s: seconds(plan.offset_ms % cycle_ms)?,
        steps: steps.collect::<Option<_>>()?,
    })
}

/// A plan of the engine as it is to be run at `at_ms`, ms of the city. None if the controller lacks a stage of it, it has more
/// stages than fit, its cycle is not of whole seconds, or its shortest greens are not when they are.
pub(super) fn planned(site: &Site, plan: &SignalPlan, clock: PlanClock, at_ms: u64) -> Option<Planned> {
    let (times_s, cycle_s) = (times_s(site, plan)?, u64::from(plan.cycle_ms / 1000));
    let stages = plan.steps.iter().map(|step| site.number(step.stage));
    let steps: Option<Vec<PlanStep>> =
        stages.zip(times_s).map(|(stage, time_s)| Some(PlanStep { stage: stage?, time_s })).collect();
    let begins_ms = plan.next_begin_ms(at_ms) - zero_ms(site, clock, at_ms);
    let offset_s = u16::try_from((begins_ms + 500) / 1000 % cycle_s).ok()?;
    let row = PlanRow { number: 1, road: site.road, offset_s, steps: steps? };
    row.items().is_some().then_some(Planned { row, made_ms: plan.time_ms, until_ms: plan.holds_until_ms() })
}

/// Each step's time in whole seconds, intergreen included: the cycle is kept, shortest greens are kept, and what is left is
/// shared as the plan shares it.
fn times_s(site: &Site, plan: &SignalPlan) -> Option<Vec<u16>> {
    let least_s = |step: &nanming_dataflows::network::PlanStep| {
        u64::from((site.of().least_green_ms(step.stage) + step.intergreen_ms).div_ceil(1000))
    };
    let least_s: Vec<u64> = plan.steps.iter().map(least_s).collect();
    let more_ms = plan
        .steps
        .iter()
        .zip(&least_s)
        .map(|(step, least_s)| u64::from(step.green_ms + step.intergreen_ms).saturating_sub(least_s * 1000));
    let more_ms: Vec<u64> = more_ms.collect();
    let (all_ms, cycle_s) = (more_ms.iter().sum::<u64>().max(1), u64::from(plan.cycle_ms / 1000));
    let left_s =
        cycle_s.checked_sub(least_s.iter().sum()).filter(|_| plan.cycle_ms.is_multiple_of(1000) && cycle_s > 0)?;
    let (mut sum_ms, mut given_s) = (0, 0);
    let mut times_s: Vec<u64> = least_s;
    for (time_s, more_ms) in times_s.iter_mut().zip(&more_ms) {
        sum_ms += more_ms;
        let until_s = (left_s * sum_ms + all_ms / 2) / all_ms;
        *time_s += until_s - given_s;
        given_s = until_s;
    }
    *times_s.last_mut()? += left_s - given_s;
    times_s.into_iter().map(|time_s| u16::try_from(time_s).ok()).collect()
}

/// When the clock of offsets was at 0, ms of the city.
fn zero_ms(site: &Site, clock: PlanClock, at_ms: u64) -> u64 {
    let ahead_ms = (i64::from(site.city.utc_offset_min) * 60_000).rem_euclid(DAY_MS as i64) as u64;
    match clock {
        PlanClock::Epoch => 0,
        PlanClock::Midnight => ((at_ms + ahead_ms) / DAY_MS * DAY_MS).saturating_sub(ahead_ms),
    }
}
