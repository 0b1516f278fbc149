//! The table of costs: one flat block, row after row, with space for columns to come.

use serde::{Deserialize, Serialize};

use super::{FORBIDDEN, MAX_COST};

/// Stands for [`FORBIDDEN`] where prices are added to it.
pub(super) const BLOCKED: i64 = 1 << 60;
/// No allowed path is so long.
pub(super) const FAR: i64 = BLOCKED / 2;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Costs {
    cells: Vec<i64>,
    columns: usize,
    stride: usize,
}

impl Costs {
    pub(super) fn new(columns: usize) -> Self {
        Costs { cells: Vec::new(), columns, stride: columns }
    }

    /// The costs of a row, by column.
    pub(super) fn row(&self, row: usize) -> &[i64] {
        &self.cells[row * self.stride..][..self.columns]
    }

    pub(super) fn at(&self, row: usize, column: usize) -> i64 {
        self.cells[row * self.stride + column]
    }

    /// Writes the costs of a row, which may be one more than there are.
    pub(super) fn set_row(&mut self, row: usize, costs: &[i64]) {
        let start = row * self.stride;
        self.cells.resize(self.cells.len().max(start + self.stride), BLOCKED);
        let costs = costs.iter().map(|c| cell(*c)).chain(std::iter::repeat(BLOCKED));
        self.cells[start..][..self.columns].iter_mut().zip(costs).for_each(|(cell, cost)| *cell = cost);
    }

    pub(super) fn set(&mut self, row: usize, column: usize, cost: i64) {
        self.cells[row * self.stride + column] = cost;
    }

    /// One more column; `rows` are in use.
    pub(super) fn add_column(&mut self, rows: usize) {
        if self.columns == self.stride {
            self.widen(rows);
        }
        self.columns += 1;
    }

    fn widen(&mut self, rows: usize) {
        let wide = (self.stride + 1).next_power_of_two().max(8);
        let mut cells = vec![BLOCKED; rows * wide];
        for row in 0..rows {
            cells[row * wide..][..self.stride].copy_from_slice(&self.cells[row * self.stride..][..self.stride]);
        }
        (self.cells, self.stride) = (cells, wide);
    }
}

/// A cost as it stands in the table.
pub(super) fn cell(cost: i64) -> i64 {
    if cost == FORBIDDEN { BLOCKED } else { cost.clamp(-MAX_COST, MAX_COST) }
}
