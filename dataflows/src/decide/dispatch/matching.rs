//! Least-cost matching of calls to units by successive shortest augmenting paths with dual prices (Jonker and Volgenant
//! 1987). Rows are inserted in order of urgency and a matched row never loses its place, so the set of rows served is
//! decided by urgency alone, and among all matchings of that set the cost is least.

/// The cost of a pair that must not be matched.
pub(super) const FORBIDDEN: i64 = i64::MAX;

/// A matching that grows row by row.
pub(super) struct Matching {
    costs: Vec<Vec<i64>>,
    row_price: Vec<i64>,
    column_price: Vec<i64>,
    row_of: Vec<Option<usize>>,
    free_columns: usize,
}

impl Matching {
    /// No row yet.
    pub(super) fn new(columns: usize) -> Self {
        let (column_price, row_of) = (vec![0; columns], vec![None; columns]);
        Matching { costs: Vec::new(), row_price: Vec::new(), column_price, row_of, free_columns: columns }
    }

    /// Whether every column is taken: further rows would find none.
    pub(super) fn is_full(&self) -> bool {
        self.free_columns == 0
    }

    /// Adds a row, as long as there are columns: what each would cost, below 2^60, or [`FORBIDDEN`].
    pub(super) fn add(&mut self, costs: Vec<i64>) {
        self.costs.push(costs);
        self.row_price.push(0);
        self.insert(self.costs.len() - 1);
    }

    /// For each row its column, or none when no column is left to it.
    pub(super) fn columns(&self) -> Vec<Option<usize>> {
        let mut column_of = vec![None; self.costs.len()];
        for (column, row) in self.row_of.iter().enumerate() {
            if let Some(row) = row {
                column_of[*row] = Some(column);
            }
        }
        column_of
    }

    /// Finds the cheapest alternating path from `row` to a free column and flips it. Without one, nothing changes.
    fn insert(&mut self, row: usize) {
        let columns = self.row_of.len();
        let mut distance = vec![FORBIDDEN; columns];
        let mut came_from: Vec<Option<usize>> = vec![None; columns];
        let mut done = vec![false; columns];
        let mut reached = Vec::new();
        let (mut from_row, mut from_column, mut so_far) = (row, None, 0);
        let end = loop {
            for column in (0..columns).filter(|c| !done[*c] && self.costs[from_row][*c] != FORBIDDEN) {
                let reduced = self.costs[from_row][column] - self.row_price[from_row] - self.column_price[column];
                if so_far + reduced < distance[column] {
                    distance[column] = so_far + reduced;
                    came_from[column] = from_column;
                }
            }
            let open = (0..columns).filter(|c| !done[*c] && distance[*c] != FORBIDDEN);
            let Some(nearest) = open.min_by_key(|c| (distance[*c], self.row_of[*c].is_some(), *c)) else { return };
            so_far = distance[nearest];
            match self.row_of[nearest] {
                None => break nearest,
                Some(next) => {
                    done[nearest] = true;
                    reached.push(nearest);
                    (from_row, from_column) = (next, Some(nearest));
                }
            }
        };
        for column in reached {
            let slack = so_far - distance[column];
            self.column_price[column] -= slack;
            if let Some(row) = self.row_of[column] {
                self.row_price[row] += slack;
            }
        }
        self.row_price[row] += so_far;
        self.free_columns -= 1;
        self.flip(row, end, &came_from);
    }

    fn flip(&mut self, row: usize, end: usize, came_from: &[Option<usize>]) {
        let mut column = end;
        while let Some(before) = came_from[column] {
            self.row_of[column] = self.row_of[before];
            column = before;
        }
        self.row_of[column] = Some(row);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// All ways to match rows in order, most rows first in order of urgency, then least cost: by trying everything.
    fn exhaustive(costs: &[Vec<i64>], row: usize, taken: &mut Vec<bool>) -> (Vec<bool>, i64) {
        if row == costs.len() {
            return (Vec::new(), 0);
        }
        let mut best: Option<(Vec<bool>, i64)> = None;
        let columns = (0..taken.len()).map(Some).chain([None]);
        for column in columns {
            if column.is_some_and(|c| taken[c] || costs[row][c] == FORBIDDEN) {
                continue;
            }
            if let Some(c) = column {
                taken[c] = true;
            }
            let (mut served, mut cost) = exhaustive(costs, row + 1, taken);
            if let Some(c) = column {
                taken[c] = false;
            }
            served.insert(0, column.is_some());
            cost += column.map_or(0, |c| costs[row][c]);
            let better = |b: &(Vec<bool>, i64)| served > b.0 || (served == b.0 && cost < b.1);
            if best.as_ref().is_none_or(better) {
                best = Some((served, cost));
            }
        }
        best.unwrap()
    }

    proptest! {
        #[test]
        fn serves_the_most_urgent_at_least_cost(
            costs in (1usize..6, 0usize..6).prop_flat_map(|(rows, columns)| {
                let cell = prop_oneof![4 => 0i64..50, 1 => Just(FORBIDDEN)];
                proptest::collection::vec(proptest::collection::vec(cell, columns), rows)
            })
        ) {
            let columns = costs[0].len();
            let mut matching = Matching::new(columns);
            costs.iter().for_each(|row| matching.add(row.clone()));
            let found = matching.columns();
            let served: Vec<bool> = found.iter().map(Option::is_some).collect();
            let cost: i64 = found.iter().enumerate().filter_map(|(r, c)| c.map(|c| costs[r][c])).sum();
            let mut used: Vec<usize> = found.iter().flatten().copied().collect();
            used.sort_unstable();
            used.dedup();
            prop_assert_eq!(used.len(), served.iter().filter(|s| **s).count());
            prop_assert_eq!((served, cost), exhaustive(&costs, 0, &mut vec![false; columns]));
        }
    }
}
