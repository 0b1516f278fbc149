//! The rules of dispatch, and of merging.

use super::super::{City, DispatchRules, Gains, Policy, Service};
use super::{CityError, need};

/// The longest time in the rules, ms: a week.
const WEEK_MS: u64 = 7 * 86_400_000;
/// The farthest that calls may lie apart and be one incident, mm: 10 km.
const APART_MM: u32 = 10_000_000;

/// Whether the rules can be reckoned with.
pub(super) fn check(city: &City) -> Result<(), CityError> {
    let at = || "dispatch".to_owned();
    let rules = &city.dispatch;
    need(times(rules).iter().all(|ms| *ms <= WEEK_MS), at, "has a time beyond a week")?;
    let is_ladder = rules.remind_ms <= rules.second_unit_ms && rules.second_unit_ms <= rules.supervisor_ms;
    need(is_ladder, at, "reminds after it sends a second unit, or sends it after it tells the supervisor")?;
    policy(&rules.policy)?;
    let merging = &city.merging;
    need(merging.distance_mm <= APART_MM, at, "merges calls more than 10 km apart")?;
    need(merging.within_ms <= WEEK_MS, at, "merges calls more than a week apart")
}

fn times(rules: &DispatchRules) -> Vec<u64> {
    let Policy { target_ms, late_ms, a_overdue_ms, change_ms, look_again_ms, .. } = rules.policy;
    let singles = [
        rules.remind_ms,
        rules.second_unit_ms,
        rules.supervisor_ms,
        rules.lost_on_scene_ms,
        rules.idle_ms,
        rules.other_grid_ms,
        rules.stale_place_ms,
        rules.stale_penalty_ms,
        rules.shift_end_ms,
        rules.shift_end_penalty_ms,
        target_ms,
        late_ms,
        a_overdue_ms,
        change_ms,
        look_again_ms,
    ];
    let gains = |gains: &Gains| [gains.a, gains.b, gains.c].into_iter().flatten();
    let all_gains = [&rules.policy.from_a, &rules.policy.from_b, &rules.policy.from_c].into_iter().flat_map(gains);
    singles.into_iter().chain(rules.waiting_ms).chain(all_gains).collect()
}

fn policy(policy: &Policy) -> Result<(), CityError> {
    let at = || "dispatch".to_owned();
    need((1..=1_000).contains(&policy.near), at, "looks at no call or at more than 1,000 for a unit (near)")?;
    need(policy.look_again_ms >= 1_000, at, "looks again more often than each second (look_again_ms)")?;
    let is_sound = |service: &Service| {
        let times = service.travel_ms.max(service.overdue_ms) <= WEEK_MS;
        times && service.weight <= 1_000 && (1..=10_000).contains(&service.ageing) && service.reserve_units <= 1_000
    };
    need(
        is_sound(&policy.b) && is_sound(&policy.c),
        at,
        "serves B or C with a time beyond a week, a weight or a reserve beyond 1,000, or an ageing that is 0 or beyond 10,000",
    )
}
