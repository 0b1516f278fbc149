//! What is matched to units: each unit that a call lacks, and each that is on its way.

use super::costs::Class;
use super::{Available, Demand, Pricing};
use crate::event::Priority;
use crate::ids::CallId;
use crate::network::Point;

/// Speed at which calls are looked for around a unit, as the crow flies, m/s.
const NOMINAL_M_S: u64 = 8;

/// A place at a call for one unit.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    pub(super) call: CallId,
    pub(super) priority: Priority,
    pub(super) opened_ms: u64,
    pub(super) at: Point,
    /// It is served before those that are not due, whatever the travel.
    pub(super) is_due: bool,
    /// The lower, the surer it is served; of several of one rank, those that cost least.
    pub(super) rank: u64,
    /// The column of the unit that is on its way.
    pub(super) holder: Option<usize>,
    /// How long that unit still needs, ms.
    pub(super) left_ms: u64,
}

/// The rows in the order in which they are served: by class, and the oldest first.
pub(super) fn rows<S>(pricing: &Pricing, waiting: &[Demand], units: &[Available<S>]) -> Vec<Row> {
    let held = units.iter().enumerate().filter_map(|(column, unit)| {
        let task = unit.task?;
        let (call, priority, opened_ms, at) = (task.call, task.priority, task.opened_ms, task.at);
        let is_due = pricing.is_due(priority, opened_ms);
        Some(Row { call, priority, opened_ms, at, is_due, rank: 0, holder: Some(column), left_ms: task.left_ms })
    });
    let lacking = waiting.iter().map(|demand| {
        let Demand { call, priority, opened_ms, at, lacking } = *demand;
        let is_due = pricing.is_due(priority, opened_ms);
        (Row { call, priority, opened_ms, at, is_due, rank: 0, holder: None, left_ms: 0 }, usize::from(lacking))
    });
    let (due, may_wait): (Vec<(Row, usize)>, Vec<_>) = lacking.partition(|(row, _)| row.is_due);
    let chosen = worth_a_look(pricing, may_wait, units);
    let places = due.into_iter().chain(chosen).flat_map(|(row, lacking)| std::iter::repeat_n(row, lacking));
    let mut rows: Vec<Row> = held.chain(places).collect();
    let class = |row: &Row| pricing.class(row.priority, row.opened_ms);
    rows.sort_by_key(|row| (class(row), row.priority, row.opened_ms, row.call, row.holder));
    let first_urgent = rows.partition_point(|row| class(row) < Class::Urgent);
    for (n, row) in rows.iter_mut().enumerate() {
        row.rank = if class(row) == Class::Urgent { first_urgent } else { n } as u64;
    }
    rows
}

/// For each unit the calls that it could serve best, as the crow flies: searches over the streets are for these.
fn worth_a_look<S>(pricing: &Pricing, calls: Vec<(Row, usize)>, units: &[Available<S>]) -> Vec<(Row, usize)> {
    let near = pricing.policy.near;
    if calls.len() <= near {
        return calls;
    }
    let mut is_chosen = vec![false; calls.len()];
    for unit in units {
        let net = |(n, (row, _)): (usize, &(Row, usize))| {
            let time_ms = unit.at.distance_mm(row.at) / NOMINAL_M_S;
            (pricing.net_cost(row.priority, row.opened_ms, time_ms), row.call, n)
        };
        let mut best: Vec<(i64, CallId, usize)> = calls.iter().enumerate().map(net).collect();
        best.select_nth_unstable(near);
        best[..near].iter().for_each(|(_, _, n)| is_chosen[*n] = true);
    }
    calls.into_iter().zip(is_chosen).filter(|(_, chosen)| *chosen).map(|(call, _)| call).collect()
}
