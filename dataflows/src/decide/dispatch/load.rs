//! Load of patrol grids: calls open, units available and calls closed lately in each.

use crate::Collection;
use crate::decision::{CallPhase, CallStatus, GridLoad};
use crate::ids::{CallId, GridId};
use crate::relation::Upsert;

/// What is counted in a grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
enum Counted {
    Open,
    Available,
    Closed,
}

/// For each grid in which there is anything to count, how many of each.
pub fn grid_loads<'s>(
    open_calls: Collection<'s, (CallId, GridId)>,
    available: Collection<'s, GridId>,
    closed: Collection<'s, (CallId, GridId)>,
) -> Collection<'s, GridLoad> {
    let open = open_calls.map(|(_, grid)| (grid, Counted::Open));
    let available = available.map(|grid| (grid, Counted::Available));
    let closed = closed.map(|(_, grid)| (grid, Counted::Closed));
    open.concat(available)
        .concat(closed)
        .reduce_named("grid_loads", |_, rows, load| {
            let count = |what| rows.iter().find(|(counted, _)| **counted == what).map_or(0, |(_, n)| *n as u32);
            load.push(((count(Counted::Open), count(Counted::Available), count(Counted::Closed)), 1));
        })
        .map(|(grid, (open_calls, available_units, closed_last_hour))| GridLoad {
            grid,
            open_calls,
            available_units,
            closed_last_hour,
        })
}

/// Whether a call is open and where, as an upsert.
pub fn open_call(status: &CallStatus) -> (CallId, Upsert<GridId>) {
    let value = (!status.phase.is_over()).then_some(status.grid);
    (status.call, Upsert { time_ms: status.time_ms, seq: status.seq, value })
}

/// A call that was closed and where, as an upsert.
pub fn closed_call(status: CallStatus) -> Option<(CallId, Upsert<GridId>)> {
    (status.phase == CallPhase::Closed).then_some((status.call, Upsert::new(status.time_ms, Some(status.grid))))
}
