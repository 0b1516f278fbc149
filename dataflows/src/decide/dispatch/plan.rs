//! The policy of dispatch: which unit goes to which call now, which one is taken off its way to another call, and which call
//! waits for a better moment.
//!
//! All calls that lack units and all units that are free or on their way are matched anew. Calls of priority A, and then those
//! that have waited too long, are served before all others, by as many units as there are. Where there are fewer than calls of
//! priority A, those are served that can be reached soon; but one that has waited too long comes first. All other calls are
//! served where it pays: the travel has to be worth it, and the longer a call waits, the more it is worth. Short ways are what
//! a city short of units needs most: a unit that drives through the city for the oldest call serves nobody meanwhile.
//!
//! It knows calls and units as they are told to it, and nothing of their lives. `docs/dispatch-eval.md` has what it gains.

use std::collections::BTreeMap;

use crate::Time;
use crate::event::Priority;
use crate::ids::{CallId, UnitId};
use crate::matching::{FORBIDDEN, Matching};
use crate::network::Point;

mod costs;
mod rows;
#[cfg(test)]
mod tests;
pub use crate::network::{Gains, Policy, Service};

use costs::Pricing;
use rows::{Row, rows};

/// A call that lacks units.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Which call.
    pub call: CallId,
    /// How urgent.
    pub priority: Priority,
    /// Since when it waits, ms: as its caller feels it.
    pub opened_ms: u64,
    /// Where.
    pub at: Point,
    /// How many units it lacks.
    pub lacking: u16,
}

/// A unit that could be sent: it is free, or on its way.
#[derive(Clone, Copy, Debug)]
pub struct Available<S> {
    /// Which unit.
    pub unit: UnitId,
    /// Where it is.
    pub at: Point,
    /// The same, as the search for travel times wants it.
    pub stop: S,
    /// Where it is going, if it is.
    pub task: Option<Task>,
}

/// A call that a unit is on its way to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Task {
    /// Which call.
    pub call: CallId,
    /// How urgent.
    pub priority: Priority,
    /// Since when it has been waiting, ms.
    pub opened_ms: u64,
    /// Where.
    pub at: Point,
    /// How long the unit still needs, ms; none: as long as any other would from there.
    pub left_ms: Option<u64>,
}

/// A unit sets out, goes elsewhere or is let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Move {
    /// Which unit.
    pub unit: UnitId,
    /// The call that it was on its way to: it waits again unless another unit is sent there.
    pub from: Option<CallId>,
    /// The call that it goes to, and how long that takes, ms; none: it stays where it is, free.
    pub to: Option<(CallId, u64)>,
}

/// What to do now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// Who moves, ordered by unit.
    pub moves: Vec<Move>,
    /// When to look again though nothing happens: calls wait until they are worth the travel.
    pub look_again_ms: Option<Time>,
    /// For each call that was looked at, how long each unit would take, ms, in their order.
    pub times_ms: BTreeMap<CallId, Vec<u64>>,
}

/// The plan for calls and units of a region, units ordered by ID. `extra_ms` is how much later each unit counts as arriving at
/// a call, or none where it may not be sent; `times_to` is one search over the streets: from each of the stops to a place, ms.
pub fn plan<S: Copy>(
    policy: &Policy,
    tick: Time,
    waiting: &[Demand],
    units: &[Available<S>],
    extra_ms: impl Fn(CallId) -> Vec<Option<u64>>,
    mut times_to: impl FnMut(Point, &[S]) -> Vec<u64>,
) -> Plan {
    if units.is_empty() || (waiting.is_empty() && units.iter().all(|u| u.task.is_none() || units.len() == 1)) {
        return Plan::default();
    }
    let pricing = Pricing { policy, tick };
    let rows = rows(&pricing, waiting, units);
    let stops: Vec<S> = units.iter().map(|u| u.stop).collect();
    let mut times_ms = BTreeMap::new();
    for row in &rows {
        times_ms.entry(row.call).or_insert_with(|| times_to(row.at, &stops));
    }
    let times: Vec<Vec<u64>> = rows.iter().map(|row| promised(row, &times_ms[&row.call])).collect();
    let chosen = matched(&pricing, &rows, units, &times, extra_ms);
    let sent = within_reserve(&pricing, &rows, units, chosen);
    let moves = moves(&rows, units, &times, &sent);
    let served: usize = rows.iter().zip(&sent).filter(|(row, unit)| row.holder.is_none() && unit.is_some()).count();
    let lacking: usize = waiting.iter().map(|demand| usize::from(demand.lacking)).sum();
    Plan { moves, look_again_ms: (served < lacking).then_some(tick + policy.look_again_ms), times_ms }
}

/// Times to a row's call; the unit on its way is as far away as it says.
fn promised(row: &Row, times: &[u64]) -> Vec<u64> {
    let mut times = times.to_vec();
    if let (Some(holder), Some(left_ms)) = (row.holder, row.left_ms) {
        times[holder] = left_ms;
    }
    times
}

/// For each row its unit. Rows that may wait have a column besides those of units, with room for all, at the price of waiting.
fn matched<S>(
    pricing: &Pricing,
    rows: &[Row],
    units: &[Available<S>],
    times: &[Vec<u64>],
    extra_ms: impl Fn(CallId) -> Vec<Option<u64>>,
) -> Vec<Option<usize>> {
    let mut matching = Matching::new(units.iter().map(|_| 1).chain([rows.len() as u32]));
    for (row, times) in rows.iter().zip(times) {
        let extra_ms = extra_ms(row.call);
        let cost = |(column, (unit, time_ms)): (usize, (&Available<S>, &u64))| {
            // Who is on the way already may go on.
            let is_going = unit.task.is_some_and(|task| task.call == row.call);
            let extra_ms = if is_going { Some(0) } else { extra_ms[column] };
            extra_ms.map_or(FORBIDDEN, |extra_ms| pricing.cost(row, column, unit, *time_ms, extra_ms))
        };
        let of_units = units.iter().zip(times).enumerate().map(cost);
        let costs: Vec<i64> = of_units.chain([pricing.cost_of_waiting(row)]).collect();
        matching.insert_row(row.rank, &costs);
    }
    (0..rows.len()).map(|row| matching.column_of(row).filter(|column| *column < units.len())).collect()
}

/// Takes free units back from the least urgent and youngest calls as long as fewer would stay at hand than are to be kept.
fn within_reserve<S>(
    pricing: &Pricing,
    rows: &[Row],
    units: &[Available<S>],
    mut sent: Vec<Option<usize>>,
) -> Vec<Option<usize>> {
    let mut left = units.len() - sent.iter().flatten().count();
    for (row, unit) in rows.iter().zip(&mut sent).rev() {
        let is_new = |unit: &usize| row.holder.is_none() && units[*unit].task.is_none();
        if !row.is_due && left < pricing.reserve(row) && unit.as_ref().is_some_and(is_new) {
            *unit = None;
            left += 1;
        }
    }
    sent
}

fn moves<S>(rows: &[Row], units: &[Available<S>], times: &[Vec<u64>], sent: &[Option<usize>]) -> Vec<Move> {
    let mut to = vec![None; units.len()];
    for ((row, times), unit) in rows.iter().zip(times).zip(sent) {
        if let Some(unit) = *unit {
            to[unit] = Some((row.call, times[unit]));
        }
    }
    let changed = |(unit, to): (&Available<S>, Option<(CallId, u64)>)| {
        let from = unit.task.map(|task| task.call);
        (from != to.map(|(call, _)| call)).then_some(Move { unit: unit.unit, from, to })
    };
    let mut moves: Vec<Move> = units.iter().zip(to).filter_map(changed).collect();
    moves.sort_unstable();
    moves
}
