//! The city's local plans as rows of a controller's table of plans.

use std::collections::VecDeque;

use nanming_dataflows::network::Plan;
use nanming_simulators::gbt20999::{PlanRow, PlanStep};

use crate::controllers::Site;

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
