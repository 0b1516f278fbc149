//! A row comes in: the cheapest chain of moves that makes room for it, or for which a row of higher rank makes way.

use std::cmp::Reverse;

use super::costs::{BLOCKED, FAR};
use super::{Matching, NONE, Row};

impl Matching {
    /// Adds a row: what each column would cost, or [`FORBIDDEN`](super::FORBIDDEN). Returns its index.
    pub fn insert_row(&mut self, rank: u64, costs: &[i64]) -> usize {
        let vacant = Row { rank, price: 0, column: NONE };
        let row = self.vacant_rows.pop().unwrap_or_else(|| {
            self.rows.push(vacant);
            self.rows.len() as u32 - 1
        });
        self.rows[row as usize] = vacant;
        self.write_row(row, costs);
        self.insert(row);
        row as usize
    }

    pub(super) fn write_row(&mut self, row: u32, costs: &[i64]) {
        self.costs.set_row(row as usize, costs);
        // Whoever wrote the slice need not know what is vacant.
        for column in &self.vacant_columns {
            self.costs.set(row as usize, *column as usize, BLOCKED);
        }
    }

    /// Serves a row that is in no column, or leaves out whoever must be.
    pub(super) fn insert(&mut self, row: u32) {
        self.rows[row as usize].price = 0;
        if self.is_hopeless(row) {
            self.leave_out(row);
            return;
        }
        self.search.begin(self.columns.len());
        let mut bound = (FAR, NONE);
        self.relax_row(row, 0, &mut bound);
        while let Some((far, column)) = self.search.next(bound.0) {
            self.relax_column(column, far, &mut bound);
        }
        match bound {
            (_, NONE) => self.displace(row),
            (far, end) => self.augment(row, end, far),
        }
        self.search.end();
    }

    pub(super) fn leave_out(&mut self, row: u32) {
        self.unserved.insert((self.rows[row as usize].rank, row));
    }

    /// Whether there is no room, and nobody served who would make way.
    fn is_hopeless(&self, row: u32) -> bool {
        let rank = self.rows[row as usize].rank;
        self.is_full() && self.rows.iter().all(|r| r.column == NONE || r.rank < rank)
    }

    /// No column with room can be reached. Among the new row and those in the columns reached, the one of highest rank
    /// goes; of several, the one whose going saves most; then the new row, then the lower index.
    fn displace(&mut self, row: u32) {
        let Matching { search, columns, rows, .. } = self;
        let in_column = |column: &u32| {
            let far = search.far[*column as usize];
            columns[*column as usize].rows.iter().map(move |other| (far, *other))
        };
        let others = search.reached.iter().flat_map(in_column).map(|(far, other)| {
            let Row { rank, price, .. } = rows[other as usize];
            (rank, price - far, Reverse((true, other)))
        });
        let new = (rows[row as usize].rank, 0, Reverse((false, row)));
        let (.., Reverse((is_other, goes))) = others.fold(new, Ord::max);
        self.leave_out(goes);
        if is_other {
            let column = self.take(goes);
            self.augment(row, column, self.search.far[column as usize]);
        }
    }

    /// Prices for a path to `end`, which is `far` away, and the moves along it.
    fn augment(&mut self, row: u32, end: u32, far: i64) {
        for (column, slack) in self.search.short_of(far) {
            self.prices[column] -= slack;
            self.columns[column].rows.iter().for_each(|row| self.rows[*row as usize].price += slack);
        }
        self.rows[row as usize].price = far;
        let mut column = end;
        loop {
            let mover = self.search.via[column as usize];
            if mover == row {
                return self.put(row, column);
            }
            let before = self.take(mover);
            self.put(mover, column);
            column = before;
        }
    }
}
