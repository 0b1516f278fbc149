//! What one search over the columns needs, kept between searches so that none allocates.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::costs::{BLOCKED, Costs, FAR};
use super::{Column, Matching, NONE};

/// Distances and ways of one search; all distances are [`FAR`] between searches.
#[derive(Clone, Debug, Default)]
pub(super) struct Search {
    /// How far each column is.
    pub(super) far: Vec<i64>,
    /// The row over which each column was reached: it would move into it, or, looking back from a column, out of it.
    pub(super) via: Vec<u32>,
    /// Looking back: the column that this row would move into.
    pub(super) to: Vec<u32>,
    /// Columns with a distance.
    pub(super) reached: Vec<u32>,
    open: BinaryHeap<Reverse<(i64, u32)>>,
    exits: Vec<Exits>,
}

/// What it costs to get one row out of a column that has several, to each other column, at best.
#[derive(Clone, Debug, Default)]
struct Exits {
    is_known: bool,
    cost: Vec<i64>,
    row: Vec<u32>,
}

impl Search {
    /// Space for a table of so many columns.
    pub(super) fn begin(&mut self, columns: usize) {
        let columns = columns.max(self.far.len());
        self.far.resize(columns, FAR);
        self.via.resize(columns, NONE);
        self.to.resize(columns, NONE);
        self.exits.resize_with(columns, Exits::default);
    }

    /// Forgets the distances.
    pub(super) fn end(&mut self) {
        self.reached.drain(..).for_each(|column| self.far[column as usize] = FAR);
        self.open.clear();
    }

    /// Columns reached, each with how much nearer than `far` it is; 0 if it is not.
    pub(super) fn short_of(&self, far: i64) -> impl Iterator<Item = (usize, i64)> {
        self.reached.iter().map(move |column| (*column as usize, (far - self.far[*column as usize]).max(0)))
    }

    /// A way to a column; kept, and true, when it is the shortest so far.
    pub(super) fn reach(&mut self, column: u32, far: i64, via: u32) -> bool {
        let known = &mut self.far[column as usize];
        if far >= *known {
            return false;
        }
        if *known == FAR {
            self.reached.push(column);
        }
        (*known, self.via[column as usize]) = (far, via);
        true
    }

    /// The same, for a column that the search goes on from.
    pub(super) fn reach_open(&mut self, column: u32, far: i64, via: u32) -> bool {
        let is_kept = self.reach(column, far, via);
        if is_kept {
            self.open.push(Reverse((far, column)));
        }
        is_kept
    }

    /// The nearest column not gone on from, if it is nearer than `bound`.
    pub(super) fn next(&mut self, bound: i64) -> Option<(i64, u32)> {
        while let Some(Reverse((far, column))) = self.open.pop() {
            if far >= bound {
                return None;
            }
            if far == self.far[column as usize] {
                return Some((far, column));
            }
        }
        None
    }

    /// The rows of a column are not what they were.
    pub(super) fn rows_changed(&mut self, column: u32) {
        if let Some(exits) = self.exits.get_mut(column as usize) {
            exits.is_known = false;
        }
    }

    /// Costs changed that exits were made from.
    pub(super) fn costs_changed(&mut self) {
        self.exits.iter_mut().for_each(|exits| exits.is_known = false);
    }

    /// A row came into a column.
    pub(super) fn row_came(&mut self, costs: &Costs, at: usize, row: u32) {
        if let Some(exits) = self.exits.get_mut(at).filter(|exits| exits.is_known) {
            exits.offer(costs, at, row);
        }
    }

    /// A row went out of a column.
    pub(super) fn row_went(&mut self, costs: &Costs, at: usize, column: &Column, row: u32) {
        if let Some(exits) = self.exits.get_mut(at).filter(|exits| exits.is_known) {
            exits.withdraw(costs, at, column, row);
        }
    }

    fn know_exits(&mut self, costs: &Costs, at: usize, column: &Column) {
        let exits = &mut self.exits[at];
        if exits.is_known {
            return;
        }
        exits.cost.clear();
        exits.row.clear();
        exits.cost.resize(self.far.len(), BLOCKED);
        exits.row.resize(self.far.len(), NONE);
        column.rows.iter().for_each(|row| exits.offer(costs, at, *row));
        exits.is_known = true;
    }
}

impl Exits {
    /// A row of the column at `here` would leave for wherever it is the cheapest to, the lowest of several: what is known does
    /// not depend on who came and went before.
    fn offer(&mut self, costs: &Costs, here: usize, row: u32) {
        let cost_here = costs.at(row as usize, here);
        let best = self.cost.iter_mut().zip(&mut self.row);
        for (cost, (best, by)) in costs.row(row as usize).iter().zip(best) {
            (*best, *by) = (*best, *by).min((cost - cost_here, row));
        }
    }

    /// Others leave for wherever this row would have.
    fn withdraw(&mut self, costs: &Costs, here: usize, column: &Column, row: u32) {
        for (to, (best, by)) in self.cost.iter_mut().zip(&mut self.row).enumerate().filter(|(_, (_, by))| **by == row) {
            let exit = |other: &u32| (costs.at(*other as usize, to) - costs.at(*other as usize, here), *other);
            (*best, *by) = column.rows.iter().map(exit).min().unwrap_or((BLOCKED, NONE));
        }
    }
}

impl Matching {
    /// Goes on from a row that is `so_far` away, to all columns nearer than `bound`: the nearest with room, so far.
    pub(super) fn relax_row(&mut self, row: u32, so_far: i64, bound: &mut (i64, u32)) {
        let Matching { costs, columns, prices, search, rows, .. } = self;
        let base = so_far - rows[row as usize].price;
        for (at, (cost, price)) in costs.row(row as usize).iter().zip(prices.iter()).enumerate() {
            let far = base + cost - price;
            if far < bound.0 {
                settle(search, (far, at as u32), row, &columns[at], bound);
            }
        }
    }

    /// Goes on from a column, whose rows could move to others.
    pub(super) fn relax_column(&mut self, column: u32, so_far: i64, bound: &mut (i64, u32)) {
        match self.columns[column as usize].rows[..] {
            [] => (),
            [row] => self.relax_row(row, so_far, bound),
            _ => self.relax_exits(column as usize, so_far, bound),
        }
    }

    fn relax_exits(&mut self, column: usize, so_far: i64, bound: &mut (i64, u32)) {
        let Matching { costs, columns, prices, search, .. } = self;
        search.know_exits(costs, column, &columns[column]);
        let exits = std::mem::take(&mut search.exits[column]);
        let base = so_far + prices[column];
        for (at, ((cost, row), price)) in exits.cost.iter().zip(&exits.row).zip(prices.iter()).enumerate() {
            let far = base + cost - price;
            if far < bound.0 {
                settle(search, (far, at as u32), *row, &columns[at], bound);
            }
        }
        search.exits[column] = exits;
    }
}

fn settle(search: &mut Search, (far, at): (i64, u32), via: u32, column: &Column, bound: &mut (i64, u32)) {
    if column.room() > 0 {
        search.reach(at, far, via);
        *bound = (far, at);
    } else {
        search.reach_open(at, far, via);
    }
}
