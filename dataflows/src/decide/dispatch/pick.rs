//! The matching of waiting calls to free units, and what is told about it.

use super::open_call::OpenCall;
use super::roads::Stop;
use crate::decision::{Candidate, Objection, PickReason};
use crate::event::Skills;
use crate::ids::{CallId, GridId, UnitId};
use crate::matching::{FORBIDDEN, Matching};
use crate::network::{DispatchRules, Point};

/// Candidates told with an assignment.
const TOLD: usize = 5;
/// A unit that stayed silent on this call counts as so much further away, ms.
const SILENT_PENALTY_MS: u64 = 1_800_000;

/// A unit that could go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Free {
    pub(super) unit: UnitId,
    pub(super) stop: Stop,
    pub(super) grid: GridId,
    pub(super) skills: Skills,
    pub(super) is_stale: bool,
    pub(super) ends_soon: bool,
}

/// A call and the unit picked for it.
pub(super) struct Pick {
    pub(super) call: CallId,
    pub(super) unit: UnitId,
    pub(super) eta_ms: u64,
    pub(super) candidates: Vec<Candidate>,
    pub(super) reason: PickReason,
}

/// A call that waits, and what each unit would be for it.
struct Row {
    call: CallId,
    etas: Vec<u64>,
    candidates: Vec<Candidate>,
}

/// The least-cost matching of `waiting` calls, most urgent first, to `free` units; a call that needs several gets as many as
/// there are. Calls are looked at until every unit has one, so the work grows with the units that are free, however many
/// calls wait; those for which none of them may be sent are passed over. `times_to` is one search over the streets: from
/// each of the stops to a place, ms.
pub(super) fn picks<'a>(
    rules: &DispatchRules,
    free: &[Free],
    waiting: impl Iterator<Item = (CallId, &'a OpenCall)>,
    mut times_to: impl FnMut(Point, &[Stop]) -> Vec<u64>,
) -> Vec<Pick> {
    let stops: Vec<Stop> = free.iter().map(|free| free.stop).collect();
    let mut matching = Matching::new(free.iter().map(|_| 1));
    let (mut rows, mut row_of) = (Vec::new(), Vec::new());
    for (call, open) in waiting {
        if matching.is_full() {
            break;
        }
        if free.iter().all(|free| bar(open, free).is_some()) {
            continue;
        }
        let etas = times_to(open.facts.at, &stops);
        let costs: Vec<i64> = free.iter().zip(&etas).map(|(free, eta_ms)| cost(rules, open, free, *eta_ms)).collect();
        for _ in 0..open.lacking() {
            matching.insert_row(row_of.len() as u64, &costs);
            row_of.push(rows.len());
        }
        let candidates = candidates(rules, open, free, &etas, &costs);
        rows.push(Row { call, etas, candidates });
    }
    let pick = |(at, row): (usize, &usize)| {
        let (row, column) = (&rows[*row], matching.column_of(at)?);
        let (call, unit, eta_ms) = (row.call, free[column].unit, row.etas[column]);
        let is_nearest = row.candidates.iter().find(|c| !is_bar(c.but)).is_some_and(|c| c.unit == unit);
        let reason = if is_nearest { PickReason::Nearest } else { PickReason::LeastTotal };
        Some(Pick { call, unit, eta_ms, candidates: row.candidates.clone(), reason })
    };
    row_of.iter().enumerate().filter_map(pick).collect()
}

/// Why a unit must not be sent to a call.
fn bar(call: &OpenCall, free: &Free) -> Option<Objection> {
    if call.is_declined_by(free.unit) {
        Some(Objection::Declined)
    } else if !free.skills.cover(call.facts.needs.skills) {
        Some(Objection::LacksSkill)
    } else {
        None
    }
}

/// What speaks against a unit that may be sent, and how much further away it counts, ms.
fn objections<'a>(
    rules: &'a DispatchRules,
    call: &'a OpenCall,
    free: &'a Free,
) -> impl Iterator<Item = (Objection, u64)> {
    let all = [
        (call.silent.contains(&free.unit), Objection::Silent, SILENT_PENALTY_MS),
        (free.ends_soon, Objection::ShiftEnds, rules.shift_end_penalty_ms),
        (free.is_stale, Objection::StalePlace, rules.stale_penalty_ms),
        (free.grid != call.facts.grid, Objection::OtherGrid, rules.other_grid_ms),
    ];
    all.into_iter().filter(|(holds, ..)| *holds).map(|(_, objection, penalty_ms)| (objection, penalty_ms))
}

fn cost(rules: &DispatchRules, call: &OpenCall, free: &Free, eta_ms: u64) -> i64 {
    if bar(call, free).is_some() || eta_ms == u64::MAX {
        return FORBIDDEN;
    }
    let penalty_ms: u64 = objections(rules, call, free).map(|(_, penalty_ms)| penalty_ms).sum();
    (eta_ms + penalty_ms) as i64
}

fn is_bar(objection: Option<Objection>) -> bool {
    matches!(objection, Some(Objection::Declined | Objection::LacksSkill))
}

/// The units that count as nearest, in that order, and those nearer than the last of them that must not be sent.
fn candidates(rules: &DispatchRules, call: &OpenCall, free: &[Free], etas: &[u64], costs: &[i64]) -> Vec<Candidate> {
    let candidate = |row: usize| {
        let but = bar(call, &free[row]).or_else(|| objections(rules, call, &free[row]).next().map(|(o, _)| o));
        Candidate { eta_ms: etas[row], unit: free[row].unit, but }
    };
    let (may, barred): (Vec<usize>, Vec<usize>) = (0..free.len()).partition(|row| costs[*row] != FORBIDDEN);
    let told = nearest(may, |row| (costs[row], free[row].unit));
    let last_ms = told.iter().map(|row| etas[*row]).max().unwrap_or(u64::MAX);
    let nearer = barred.into_iter().filter(|row| etas[*row] < last_ms).collect();
    let barred = nearest(nearer, |row| (etas[row] as i64, free[row].unit));
    told.into_iter().chain(barred).map(candidate).collect()
}

/// The first few rows in an order.
fn nearest<K: Ord>(mut rows: Vec<usize>, key: impl Fn(usize) -> K) -> Vec<usize> {
    if rows.len() > TOLD {
        rows.select_nth_unstable_by_key(TOLD, |row| key(*row));
        rows.truncate(TOLD);
    }
    rows.sort_unstable_by_key(|row| key(*row));
    rows
}
