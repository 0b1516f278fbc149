//! The local plan of the time of day.

use crate::Time;
use crate::decision::SignalPlan;
use crate::network::{City, Junction};

const DAY_MS: u64 = 24 * 3_600_000;

/// The stage that the junction's plan in force shows at a tick, or is on its way to.
pub(super) fn stage_at(city: &City, junction: &Junction, tick: Time) -> u16 {
    let plan = local_plan(city, junction, tick);
    let left_ms = plan.next_begin_ms(tick) - tick;
    let mut into_ms = (i64::from(plan.cycle_ms) - left_ms as i64) % i64::from(plan.cycle_ms);
    for (row, step) in plan.steps.iter().enumerate() {
        if into_ms < i64::from(step.green_ms) {
            return step.stage;
        }
        into_ms -= i64::from(step.green_ms) + i64::from(step.intergreen_ms);
        if into_ms < 0 {
            return plan.steps[(row + 1) % plan.steps.len()].stage;
        }
    }
    plan.steps[0].stage
}

/// The local plan of the time of day as the centre would give it: its clock begins at local midnight.
pub(super) fn local_plan(city: &City, junction: &Junction, now: Time) -> SignalPlan {
    let plan = junction.plan_at(city.minute_of_day(now));
    let ahead_ms = (i64::from(city.utc_offset_min) * 60_000).rem_euclid(DAY_MS as i64) as u64;
    // A midnight to come: one before could be earlier than time itself.
    let midnight_ms = (now + ahead_ms) / DAY_MS * DAY_MS + DAY_MS - ahead_ms;
    let cycle_ms = plan.cycle_ms().max(1);
    let back_ms = (DAY_MS % u64::from(cycle_ms)) as u32;
    let begins_ms = midnight_ms + u64::from(cycle_ms - back_ms) + u64::from(plan.offset_ms);
    SignalPlan {
        junction: junction.id,
        time_ms: now,
        group: junction.id,
        cycle_ms,
        offset_ms: (begins_ms % u64::from(cycle_ms)) as u32,
        saturation_milli: 0,
        steps: plan.steps.clone(),
    }
}
