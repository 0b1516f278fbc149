//! A column has room that it had not: a row that was left out comes in, or rows move until the room is where it is worth
//! least.

use super::costs::FAR;
use super::{Matching, NONE};

impl Matching {
    /// Uses the room of a column as far as anybody gains by it.
    pub(super) fn fill(&mut self, column: u32) {
        while self.columns[column as usize].room() > 0 {
            if let Some(row) = self.left_out_for(column) {
                self.unserved.remove(&(self.rows[row as usize].rank, row));
                // It reaches no other room, or it would not have been left out.
                self.insert(row);
            } else if self.prices[column as usize] < 0 {
                self.move_room(column);
            } else {
                return;
            }
        }
    }

    /// The row left out that the room of a column should go to: lowest rank, then least cost.
    fn left_out_for(&mut self, column: u32) -> Option<u32> {
        if self.unserved.is_empty() {
            return None;
        }
        self.search_back(column, false);
        let mut best: Option<(u64, i64, u32)> = None;
        for (rank, row) in &self.unserved {
            if best.is_some_and(|(lower, ..)| lower < *rank) {
                break;
            }
            let costs = self.costs.row(*row as usize);
            let over = |c: &u32| self.search.far[*c as usize] + costs[*c as usize] - self.prices[*c as usize];
            let far = self.search.reached.iter().map(over).min().filter(|far| *far < FAR);
            best = best.into_iter().chain(far.map(|far| (*rank, far, *row))).min();
        }
        self.search.end();
        best.map(|(.., row)| row)
    }

    /// Moves the room of a column to where it is worth least, which may be here.
    fn move_room(&mut self, column: u32) {
        let (worth, end) = self.search_back(column, true);
        for (column, slack) in self.search.short_of(worth) {
            self.prices[column] += slack;
            self.columns[column].rows.iter().for_each(|row| self.rows[*row as usize].price -= slack);
        }
        let mut from = end;
        while from != column {
            let mover = self.search.via[from as usize];
            let to = self.search.to[from as usize];
            self.take(mover);
            self.put(mover, to);
            from = to;
        }
        self.search.end();
    }

    /// How far the room of `column` is from each column whose rows could move towards it. With `to_best`, no further than
    /// to where it is worth least. Returns that worth, and where.
    fn search_back(&mut self, column: u32, to_best: bool) -> (i64, u32) {
        self.search.begin(self.columns.len());
        self.search.reach_open(column, 0, NONE);
        let mut best = (FAR, column);
        while let Some((far, at)) = self.search.next(if to_best { best.0 } else { FAR }) {
            let worth = far - self.prices[at as usize];
            if worth < best.0 {
                best = (worth, at);
            }
            self.relax_into(at, far, if to_best { best.0 } else { FAR });
        }
        best
    }

    /// Rows of other columns that could move into `column`.
    fn relax_into(&mut self, column: u32, so_far: i64, bound: i64) {
        let Matching { costs, columns, prices, rows, search, .. } = self;
        let base = so_far - prices[column as usize];
        for (at, other) in columns.iter().enumerate().filter(|(at, _)| *at != column as usize) {
            for row in &other.rows {
                let far = base + costs.at(*row as usize, column as usize) - rows[*row as usize].price;
                if far >= bound {
                    continue;
                }
                if search.reach_open(at as u32, far, *row) {
                    search.to[at] = column;
                }
            }
        }
    }
}
