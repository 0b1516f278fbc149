//! What else can change: rows that go, columns that come and go, costs, ranks and capacities.

use super::costs::{BLOCKED, FAR, cell};
use super::{Column, FORBIDDEN, Matching, NONE};

impl Matching {
    /// Removes a row; what it leaves goes to whoever gains most by it.
    pub fn remove_row(&mut self, row: usize) {
        self.take_out(row as u32);
        self.vacant_rows.push(row as u32);
    }

    /// Gives a row other costs.
    pub fn set_row_costs(&mut self, row: usize, costs: &[i64]) {
        if self.keeps_column(row, costs) {
            self.write_row(row as u32, costs);
            self.search.rows_changed(self.rows[row].column);
            let column = self.rows[row].column as usize;
            self.rows[row].price = self.costs.at(row, column) - self.prices[column];
            return;
        }
        self.take_out(row as u32);
        self.write_row(row as u32, costs);
        self.insert(row as u32);
    }

    /// Gives a row another rank.
    pub fn set_rank(&mut self, row: usize, rank: u64) {
        if self.rows[row].rank == rank {
            return;
        }
        if self.unserved.is_empty() {
            self.rows[row].rank = rank;
            return;
        }
        self.take_out(row as u32);
        self.rows[row].rank = rank;
        self.insert(row as u32);
    }

    /// Adds a column: what each row would cost, or [`FORBIDDEN`]. Returns its index.
    pub fn insert_column(&mut self, capacity: u32, costs: &[i64]) -> usize {
        let column = self.vacant_columns.pop().unwrap_or_else(|| {
            self.columns.push(Column::default());
            self.prices.push(0);
            self.costs.add_column(self.rows.len());
            self.columns.len() as u32 - 1
        });
        self.columns[column as usize].capacity = capacity;
        self.room += u64::from(capacity);
        self.open(column, costs);
        column as usize
    }

    /// Removes a column; its rows go where they can.
    pub fn remove_column(&mut self, column: usize) {
        let rows = self.close(column as u32);
        self.room -= u64::from(self.columns[column].capacity);
        (self.columns[column], self.prices[column]) = (Column::default(), 0);
        (0..self.rows.len()).for_each(|row| self.costs.set(row, column, BLOCKED));
        self.search.costs_changed();
        self.vacant_columns.push(column as u32);
        rows.into_iter().for_each(|row| self.insert(row));
    }

    /// Gives a column other costs.
    pub fn set_column_costs(&mut self, column: usize, costs: &[i64]) {
        let rows = self.close(column as u32);
        self.open(column as u32, costs);
        rows.into_iter().for_each(|row| self.insert(row));
    }

    /// Gives a column another capacity; of its rows, those of highest rank look for another place first.
    pub fn set_capacity(&mut self, column: usize, capacity: u32) {
        let rows = &mut self.columns[column].rows;
        let ranks = &self.rows;
        rows.sort_unstable_by_key(|row| (ranks[*row as usize].rank, *row));
        let over = rows.get(capacity as usize..).unwrap_or_default().to_vec();
        over.iter().for_each(|row| {
            self.take(*row);
        });
        self.room = self.room + u64::from(capacity) - u64::from(self.columns[column].capacity);
        self.columns[column].capacity = capacity;
        if self.columns[column].rows.is_empty() {
            self.reprice(column);
        }
        over.into_iter().for_each(|row| self.insert(row));
        self.fill(column as u32);
    }

    /// Whether a row served would stay where it is with other costs, and nobody left out could gain by them.
    fn keeps_column(&self, row: usize, costs: &[i64]) -> bool {
        if !self.unserved.is_empty() {
            return false;
        }
        let column = self.rows[row].column as usize;
        let reduced = |(at, cost): (usize, &i64)| cell(*cost) - self.prices[at];
        let here = reduced((column, costs.get(column).unwrap_or(&FORBIDDEN)));
        if here >= FAR {
            return false;
        }
        let is_live = |at: usize| self.columns[at].capacity > 0;
        costs.iter().enumerate().filter(|(at, _)| is_live(*at)).all(|entry| reduced(entry) >= here)
    }

    /// Takes a row out, and repairs what that opens.
    fn take_out(&mut self, row: u32) {
        if self.rows[row as usize].column == NONE {
            self.unserved.remove(&(self.rows[row as usize].rank, row));
        } else {
            let column = self.take(row);
            self.fill(column);
        }
    }

    /// Takes all rows out of a column, without a repair, in order of rank.
    fn close(&mut self, column: u32) -> Vec<u32> {
        let mut rows = self.columns[column as usize].rows.clone();
        rows.sort_unstable_by_key(|row| (self.rows[*row as usize].rank, *row));
        rows.iter().for_each(|row| {
            self.take(*row);
        });
        rows
    }

    /// Gives an empty column its costs, and lets rows into it.
    fn open(&mut self, column: u32, costs: &[i64]) {
        let costs = costs.iter().map(|c| cell(*c)).chain(std::iter::repeat(BLOCKED));
        costs.take(self.rows.len()).enumerate().for_each(|(row, cost)| self.costs.set(row, column as usize, cost));
        self.search.costs_changed();
        self.reprice(column as usize);
        self.fill(column);
    }

    /// The price of an empty column: what the row served gains that would gain most by moving into it.
    fn reprice(&mut self, column: usize) {
        let served = self.rows.iter().enumerate().filter(|(_, r)| r.column != NONE);
        let gain = served.map(|(row, r)| self.costs.at(row, column) - r.price).min();
        self.prices[column] = gain.unwrap_or(0).min(0);
    }
}
