//! The matching of waiting calls to free units, and what is told about it.

use super::roads::Stop;
use super::state::OpenCall;
use crate::Time;
use crate::decision::{Candidate, PickReason};
use crate::ids::{CallId, UnitId};
use crate::matching::{FORBIDDEN, Matching};
use crate::network::Point;

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

/// The least-cost matching of `waiting` calls, most urgent first, to `free` units. Calls are looked at until every unit
/// has one, so the work grows with the units that are free, however many calls wait; those that all of them declined are
/// passed over. `times_to` is one search over the streets: from each of the stops to a place, ms.
pub(super) fn picks<'a>(
    free: &[(UnitId, Stop)],
    tick: Time,
    waiting: impl Iterator<Item = (CallId, &'a OpenCall)>,
    mut times_to: impl FnMut(Point, &[Stop]) -> Vec<u64>,
) -> Vec<Pick> {
    let stops: Vec<Stop> = free.iter().map(|(_, stop)| *stop).collect();
    let mut matching = Matching::new(free.iter().map(|_| 1));
    let mut rows = Vec::new();
    for (id, call) in waiting {
        if matching.is_full() {
            break;
        }
        if free.iter().all(|(unit, _)| call.is_declined_by(*unit, tick)) {
            continue;
        }
        let etas = times_to(call.facts.at, &stops);
        let costs = cost_row(call, tick, free, &etas);
        let candidates = nearest(free, &etas, &costs);
        matching.insert_row(rows.len() as u64, &costs);
        rows.push((id, etas, candidates));
    }
    let pick = |(row, (call, etas, candidates)): (usize, (CallId, Vec<u64>, Vec<Candidate>))| {
        let column = matching.column_of(row)?;
        let unit = free[column].0;
        let is_nearest = candidates.first().is_some_and(|c| c.unit == unit);
        let reason = if is_nearest { PickReason::Nearest } else { PickReason::LeastTotal };
        Some(Pick { call, unit, eta_ms: etas[column], candidates, reason })
    };
    rows.into_iter().enumerate().filter_map(pick).collect()
}

fn cost_row(call: &OpenCall, tick: Time, free: &[(UnitId, Stop)], etas: &[u64]) -> Vec<i64> {
    let cost = |((unit, _), eta_ms): (&(UnitId, Stop), &u64)| {
        if call.is_declined_by(*unit, tick) || *eta_ms == u64::MAX {
            return FORBIDDEN;
        }
        let penalty = if call.silent.contains(unit) { SILENT_PENALTY_MS } else { 0 };
        (eta_ms + penalty) as i64
    };
    free.iter().zip(etas).map(cost).collect()
}

fn nearest(free: &[(UnitId, Stop)], etas: &[u64], costs: &[i64]) -> Vec<Candidate> {
    let eligible = free.iter().zip(etas).zip(costs).filter(|(_, cost)| **cost != FORBIDDEN);
    let mut all: Vec<Candidate> =
        eligible.map(|(((unit, _), eta_ms), _)| Candidate { eta_ms: *eta_ms, unit: *unit }).collect();
    let told = TOLD.min(all.len());
    if told < all.len() {
        all.select_nth_unstable(told);
    }
    all.truncate(told);
    all.sort_unstable();
    all
}
