//! The local plan of the time of day.

use crate::Time;
use crate::network::{City, Junction};

const DAY_MS: i64 = 24 * 3_600_000;

/// The stage that the junction's plan in force shows at a tick, or is on its way to.
pub(super) fn stage_at(city: &City, junction: &Junction, tick: Time) -> u16 {
    let plan = junction.plan_at(city.minute_of_day(tick));
    let local_ms = (tick as i64 + i64::from(city.utc_offset_min) * 60_000).rem_euclid(DAY_MS);
    let cycle_ms = i64::from(plan.cycle_ms().max(1));
    let mut into_ms = (local_ms - i64::from(plan.offset_ms)).rem_euclid(cycle_ms);
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
