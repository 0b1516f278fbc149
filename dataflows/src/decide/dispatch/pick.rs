//! The matching of waiting calls to available units, and what is told about it.

use super::matching::{FORBIDDEN, assign};
use super::{Case, Region, Roads};
use crate::decision::{CallPhase, Candidate, PickReason};
use crate::ids::{CallId, UnitId};

/// Candidates told with an assignment.
const TOLD: usize = 5;
/// A unit that stayed silent on this call counts as so much further away, ms.
const SILENT_PENALTY_MS: u64 = 1_800_000;

/// A call and the unit picked for it.
pub(super) struct Pick {
    pub(super) call: CallId,
    pub(super) unit: UnitId,
    pub(super) eta_ms: u64,
    pub(super) candidates: Vec<Candidate>,
    pub(super) reason: PickReason,
}

/// The least-cost matching of a region's waiting calls to its available units.
pub(super) fn picks(region: &Region, roads: &Roads) -> Vec<Pick> {
    let free = |unit: &UnitId| !region.engaged.contains_key(unit);
    let units: Vec<_> = region.units.iter().filter(|(unit, place)| place.available && free(unit)).collect();
    let mut waiting: Vec<_> = region.cases.iter().filter(|(_, case)| case.phase == CallPhase::Waiting).collect();
    if units.is_empty() || waiting.is_empty() {
        return Vec::new();
    }
    waiting.sort_by_key(|(call, case)| (case.facts.priority, case.opened_ms, **call));
    let places: Vec<_> = units.iter().map(|(_, place)| place.at).collect();
    let rows: Vec<Vec<u64>> =
        waiting.iter().map(|(_, case)| roads.times_to(&region.travel_ms, case.facts.at, &places)).collect();
    let costs: Vec<Vec<i64>> =
        waiting.iter().zip(&rows).map(|((_, case), etas)| cost_row(case, &units, etas)).collect();
    let chosen = assign(&costs);
    let pick = |((call, _), (column, (etas, costs))): ((&CallId, &Case), (Option<usize>, (&Vec<u64>, &Vec<i64>)))| {
        let column = column?;
        let candidates = nearest(&units, etas, costs);
        let unit = *units[column].0;
        let reason = if candidates.first().is_some_and(|c| c.unit == unit) {
            PickReason::Nearest
        } else {
            PickReason::LeastTotal
        };
        Some(Pick { call: *call, unit, eta_ms: etas[column], candidates, reason })
    };
    waiting.into_iter().zip(chosen.into_iter().zip(rows.iter().zip(&costs))).filter_map(pick).collect()
}

fn cost_row<T>(case: &Case, units: &[(&UnitId, T)], etas: &[u64]) -> Vec<i64> {
    let cost = |((unit, _), eta_ms): (&(&UnitId, T), &u64)| {
        if case.declined.contains(unit) || *eta_ms == u64::MAX {
            return FORBIDDEN;
        }
        let penalty = if case.silent.contains(unit) { SILENT_PENALTY_MS } else { 0 };
        (eta_ms + penalty) as i64
    };
    units.iter().zip(etas).map(cost).collect()
}

fn nearest<T>(units: &[(&UnitId, T)], etas: &[u64], costs: &[i64]) -> Vec<Candidate> {
    let eligible = units.iter().zip(etas).zip(costs).filter(|(_, cost)| **cost != FORBIDDEN);
    let mut all: Vec<Candidate> =
        eligible.map(|(((unit, _), eta_ms), _)| Candidate { eta_ms: *eta_ms, unit: **unit }).collect();
    let told = TOLD.min(all.len());
    if told < all.len() {
        all.select_nth_unstable(told);
    }
    all.truncate(told);
    all.sort_unstable();
    all
}
