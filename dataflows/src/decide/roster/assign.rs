//! Rows to columns for least cost, so many rows to a column as it has room for.

pub(super) use crate::matching::FORBIDDEN;
use crate::matching::Matching;

/// For each row its column, or none when no column is left to it. Rows come in order of urgency: which of them are served is
/// decided by that alone, and among all ways to serve those the cost is least.
pub(super) fn least_cost(costs: &[Vec<i64>], room: &[u16]) -> Vec<Option<usize>> {
    let mut matching = Matching::new(room.iter().map(|room| u32::from(*room)));
    let rows: Vec<usize> =
        costs.iter().enumerate().map(|(rank, costs)| matching.insert_row(rank as u64, costs)).collect();
    rows.into_iter().map(|row| matching.column_of(row)).collect()
}
