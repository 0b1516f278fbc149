//! Rows to columns for least cost, so many rows to a column as it has room for.

/// The cost of a pair that must not be matched.
pub(super) const FORBIDDEN: i64 = i64::MAX;

/// For each row its column, or none when no column is left to it. Rows come in order of urgency: which of them are served is
/// decided by that alone, and among all ways to serve those the cost is least.
pub(super) fn least_cost(costs: &[Vec<i64>], room: &[u16]) -> Vec<Option<usize>> {
    let mut room = room.to_vec();
    let mut pick = |row: &Vec<i64>| {
        let open = row.iter().enumerate().filter(|(column, cost)| room[*column] > 0 && **cost != FORBIDDEN);
        let (column, _) = open.min_by_key(|(column, cost)| (**cost, *column))?;
        room[column] -= 1;
        Some(column)
    };
    costs.iter().map(&mut pick).collect()
}
