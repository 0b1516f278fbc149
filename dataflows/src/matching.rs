//! Least-cost matching of rows (calls, findings) to columns (units, supervisors), kept optimal while both come and go.
//!
//! Successive shortest augmenting paths with dual prices (Jonker and Volgenant 1987), made dynamic: whatever changes, the
//! matching is repaired by as few searches as it takes, most often one that ends after a handful of columns.
//!
//! - Rows have a *rank*, the lowest first: a row is never left out for one of a higher rank. Among all matchings that
//!   serve so, the cost is least; which of several rows of one rank are left out is then a matter of cost alone.
//! - Columns take as many rows as their *capacity*.
//! - Ties are broken by what happened first and by index: the same changes in the same order give the same matching. A
//!   matching that outlives a tick is serialised whole, for one built anew may break ties in another way.
//!
//! | change | call |
//! | --- | --- |
//! | a row | [`insert_row`](Matching::insert_row), [`remove_row`](Matching::remove_row), [`set_row_costs`](Matching::set_row_costs), [`set_rank`](Matching::set_rank) |
//! | a column | [`insert_column`](Matching::insert_column), [`remove_column`](Matching::remove_column), [`set_column_costs`](Matching::set_column_costs), [`set_capacity`](Matching::set_capacity) |
//! | question | [`column_of`](Matching::column_of), [`rows_of`](Matching::rows_of), [`cost`](Matching::cost), [`unserved`](Matching::unserved), [`is_full`](Matching::is_full) |
//!
//! An index once given stands until its row or column is removed; then it is given anew. Costs of a row are a slice by
//! column index, those of a column one by row index; what stands at a vacant index does not count, and what is missing is
//! [`FORBIDDEN`].
//!
//! Invariants, for the rows served: `price(row) + price(column) <= cost` for all pairs, equal where they are matched;
//! the price of a column is at most 0, and 0 where it has room. They say that no cheaper matching serves these rows.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

mod change;
mod costs;
mod fill;
mod insert;
mod search;
#[cfg(test)]
mod tests;
use costs::Costs;
use search::Search;

/// The cost of a pair that must not be matched.
pub const FORBIDDEN: i64 = i64::MAX;
/// Costs are within this of 0; beyond it they count as so much.
pub const MAX_COST: i64 = 1 << 40;
/// The column of a row that is in none.
const NONE: u32 = u32::MAX;

/// A matching.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Matching {
    costs: Costs,
    rows: Vec<Row>,
    columns: Vec<Column>,
    /// Prices of columns, apart from the rest of them: every search reads all.
    prices: Vec<i64>,
    vacant_rows: Vec<u32>,
    vacant_columns: Vec<u32>,
    unserved: BTreeSet<(u64, u32)>,
    /// Rows that the columns could still take.
    room: u64,
    #[serde(skip)]
    search: Search,
}

#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Row {
    rank: u64,
    price: i64,
    column: u32,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Column {
    capacity: u32,
    rows: Vec<u32>,
}

impl Column {
    fn room(&self) -> u32 {
        self.capacity - self.rows.len() as u32
    }
}

impl Matching {
    /// No row yet; a column for each of `capacities`.
    pub fn new(capacities: impl IntoIterator<Item = u32>) -> Self {
        let column = |capacity| Column { capacity, ..Column::default() };
        let columns: Vec<Column> = capacities.into_iter().map(column).collect();
        let room = columns.iter().map(|c| u64::from(c.capacity)).sum();
        let prices = vec![0; columns.len()];
        Matching { costs: Costs::new(columns.len()), columns, prices, room, ..Matching::default() }
    }

    /// Whether no column has room.
    pub fn is_full(&self) -> bool {
        self.room == 0
    }

    /// How long a slice of a column's costs is: one more than the highest row index.
    pub fn rows_len(&self) -> usize {
        self.rows.len()
    }

    /// How long a slice of a row's costs is: one more than the highest column index.
    pub fn columns_len(&self) -> usize {
        self.columns.len()
    }

    /// The column that serves a row, if one does.
    pub fn column_of(&self, row: usize) -> Option<usize> {
        self.rows.get(row).filter(|r| r.column != NONE).map(|r| r.column as usize)
    }

    /// The rows that a column serves, in no order that means anything.
    pub fn rows_of(&self, column: usize) -> impl Iterator<Item = usize> {
        self.columns[column].rows.iter().map(|row| *row as usize)
    }

    /// Rows that no column is left to, lowest rank first.
    pub fn unserved(&self) -> impl Iterator<Item = usize> {
        self.unserved.iter().map(|(_, row)| *row as usize)
    }

    /// The cost of all pairs matched.
    pub fn cost(&self) -> i64 {
        let of = |(column, c): (usize, &Column)| -> i64 {
            c.rows.iter().map(|row| self.costs.at(*row as usize, column)).sum()
        };
        self.columns.iter().enumerate().map(of).sum()
    }

    /// Puts a row that is in no column into one.
    fn put(&mut self, row: u32, column: u32) {
        self.rows[row as usize].column = column;
        self.columns[column as usize].rows.push(row);
        self.room -= 1;
        self.search.row_came(&self.costs, column as usize, row);
    }

    /// Takes a row out of its column, without a repair.
    fn take(&mut self, row: u32) -> u32 {
        let column = std::mem::replace(&mut self.rows[row as usize].column, NONE);
        let rows = &mut self.columns[column as usize].rows;
        if let Some(at) = rows.iter().position(|r| *r == row) {
            rows.swap_remove(at);
        }
        self.room += 1;
        self.search.row_went(&self.costs, column as usize, &self.columns[column as usize], row);
        column
    }
}
