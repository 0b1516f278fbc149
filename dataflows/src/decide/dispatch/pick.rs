//! What speaks for and against a unit, and what is told about it.

use super::open_call::OpenCall;
use super::plan::Task;
use crate::decision::{Candidate, Objection, PickReason};
use crate::event::Skills;
use crate::ids::{CallId, GridId, UnitId};
use crate::network::DispatchRules;
use crate::roads::Stop;

/// Candidates told with an assignment.
const TOLD: usize = 5;
/// A unit that stayed silent on this call counts as so much further away, ms.
const SILENT_PENALTY_MS: u64 = 600_000;

/// A unit that could go: it is free, or on its way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    pub(super) unit: UnitId,
    pub(super) stop: Stop,
    pub(super) grid: GridId,
    pub(super) skills: Skills,
    pub(super) is_stale: bool,
    pub(super) ends_soon: bool,
    /// The call that it is on its way to, if it is.
    pub(super) task: Option<Task>,
}

/// A call and the unit picked for it.
pub(super) struct Pick {
    pub(super) call: CallId,
    pub(super) unit: UnitId,
    pub(super) eta_ms: u64,
    pub(super) candidates: Vec<Candidate>,
    pub(super) reason: PickReason,
}

/// How much later a unit counts as arriving at a call than it would, ms; none where it must not be sent.
pub(super) fn extra_ms(rules: &DispatchRules, wanted: Skills, call: &OpenCall, unit: &Ready) -> Option<u64> {
    let extra_ms = || objections(rules, call, unit).map(|(_, extra_ms)| extra_ms).sum();
    bar(wanted, call, unit).is_none().then(extra_ms)
}

/// Why a unit must not be sent to a call.
fn bar(wanted: Skills, call: &OpenCall, unit: &Ready) -> Option<Objection> {
    if call.is_declined_by(unit.unit) {
        Some(Objection::Declined)
    } else if !unit.skills.cover(wanted) {
        Some(Objection::LacksSkill)
    } else {
        None
    }
}

/// What speaks against a unit that may be sent, and how much further away it counts, ms.
fn objections<'a>(
    rules: &'a DispatchRules,
    call: &'a OpenCall,
    unit: &'a Ready,
) -> impl Iterator<Item = (Objection, u64)> {
    let all = [
        (call.silent.contains(&unit.unit), Objection::Silent, SILENT_PENALTY_MS),
        (unit.ends_soon, Objection::ShiftEnds, rules.shift_end_penalty_ms),
        (unit.is_stale, Objection::StalePlace, rules.stale_penalty_ms),
        (unit.grid != call.facts.grid, Objection::OtherGrid, rules.other_grid_ms),
        (unit.task.is_some(), Objection::UnderWay, 0),
    ];
    all.into_iter().filter(|(holds, ..)| *holds).map(|(_, objection, penalty_ms)| (objection, penalty_ms))
}

/// The units that count as nearest, in that order, and those nearer than the last of them that must not be sent.
pub(super) fn candidates(
    rules: &DispatchRules,
    wanted: Skills,
    call: &OpenCall,
    units: &[Ready],
    etas: &[u64],
) -> Vec<Candidate> {
    let candidate = |row: usize| {
        let first = || objections(rules, call, &units[row]).next().map(|(objection, _)| objection);
        Candidate { eta_ms: etas[row], unit: units[row].unit, but: bar(wanted, call, &units[row]).or_else(first) }
    };
    let cost = |(unit, eta_ms): (&Ready, &u64)| eta_ms.checked_add(extra_ms(rules, wanted, call, unit)?);
    let costs: Vec<Option<u64>> = units.iter().zip(etas).map(cost).collect();
    let (may, barred): (Vec<usize>, Vec<usize>) = (0..units.len()).partition(|row| costs[*row].is_some());
    let told = nearest(may, |row| (costs[row], units[row].unit));
    let last_ms = told.iter().map(|row| etas[*row]).max().unwrap_or(u64::MAX);
    let nearer = barred.into_iter().filter(|row| etas[*row] < last_ms).collect();
    let barred = nearest(nearer, |row| (Some(etas[row]), units[row].unit));
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
