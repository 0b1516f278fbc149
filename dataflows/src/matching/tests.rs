use pathfinding::prelude::{Matrix, kuhn_munkres};
use proptest::prelude::*;

use super::*;

/// What a matching should know, kept beside it in the plainest way.
#[derive(Default)]
struct Facts {
    /// By index: rank.
    rows: Vec<Option<u64>>,
    /// By index: capacity.
    columns: Vec<Option<u32>>,
    costs: Vec<Vec<i64>>,
}

/// Something that happens. Places are taken modulo what is there.
#[derive(Clone, Debug)]
enum Change {
    InsertRow(u64, Vec<i64>),
    RemoveRow(usize),
    RowCosts(usize, Vec<i64>),
    Rank(usize, u64),
    InsertColumn(u32, Vec<i64>),
    RemoveColumn(usize),
    ColumnCosts(usize, Vec<i64>),
    Capacity(usize, u32),
}
use Change::*;

const SPAN: usize = 9;

fn costs() -> impl Strategy<Value = Vec<i64>> {
    proptest::collection::vec(prop_oneof![4 => -5i64..40, 2 => Just(FORBIDDEN)], SPAN)
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        5 => (0u64..4, costs()).prop_map(|(rank, costs)| InsertRow(rank, costs)),
        3 => (0..SPAN).prop_map(RemoveRow),
        2 => (0..SPAN, costs()).prop_map(|(row, costs)| RowCosts(row, costs)),
        1 => (0..SPAN, 0u64..4).prop_map(|(row, rank)| Rank(row, rank)),
        3 => (0u32..4, costs()).prop_map(|(capacity, costs)| InsertColumn(capacity, costs)),
        2 => (0..SPAN).prop_map(RemoveColumn),
        2 => (0..SPAN, costs()).prop_map(|(column, costs)| ColumnCosts(column, costs)),
        1 => (0..SPAN, 0u32..4).prop_map(|(column, capacity)| Capacity(column, capacity)),
    ]
}

/// The `at`-th entry in use, counted round and round.
fn in_use<T>(entries: &[Option<T>], at: usize) -> Option<usize> {
    let live: Vec<usize> = (0..entries.len()).filter(|i| entries[*i].is_some()).collect();
    (!live.is_empty()).then(|| live[at % live.len()])
}

impl Facts {
    fn make(&mut self, change: Change, matching: &mut Matching) {
        let (row, column) = (|f: &Facts, at| in_use(&f.rows, at), |f: &Facts, at| in_use(&f.columns, at));
        match change {
            InsertRow(..) if self.rows.iter().flatten().count() == SPAN => (),
            InsertRow(rank, costs) => {
                let at = matching.insert_row(rank, &costs[..self.columns.len()]);
                self.rows.resize(self.rows.len().max(at + 1), None);
                self.costs.resize(self.rows.len(), Vec::new());
                assert!(self.rows[at].replace(rank).is_none(), "an index in use is given");
                self.costs[at] = costs;
            }
            RemoveRow(at) => row(self, at).into_iter().for_each(|at| {
                matching.remove_row(at);
                self.rows[at] = None;
            }),
            RowCosts(at, costs) => row(self, at).into_iter().for_each(|at| {
                matching.set_row_costs(at, &costs[..self.columns.len()]);
                self.costs[at] = costs.clone();
            }),
            Rank(at, rank) => row(self, at).into_iter().for_each(|at| {
                matching.set_rank(at, rank);
                self.rows[at] = Some(rank);
            }),
            InsertColumn(..) if self.columns.iter().flatten().count() == SPAN => (),
            InsertColumn(capacity, costs) => {
                let at = matching.insert_column(capacity, &costs[..self.rows.len()]);
                self.columns.resize(self.columns.len().max(at + 1), None);
                assert!(self.columns[at].replace(capacity).is_none(), "an index in use is given");
                self.set_column(at, &costs);
            }
            RemoveColumn(at) => column(self, at).into_iter().for_each(|at| {
                matching.remove_column(at);
                self.columns[at] = None;
            }),
            ColumnCosts(at, costs) => column(self, at).into_iter().for_each(|at| {
                matching.set_column_costs(at, &costs[..self.rows.len()]);
                self.set_column(at, &costs);
            }),
            Capacity(at, capacity) => column(self, at).into_iter().for_each(|at| {
                matching.set_capacity(at, capacity);
                self.columns[at] = Some(capacity);
            }),
        }
    }

    fn set_column(&mut self, column: usize, costs: &[i64]) {
        self.costs.iter_mut().zip(costs).filter(|(row, _)| !row.is_empty()).for_each(|(row, cost)| row[column] = *cost);
    }

    /// Rows served of each rank, and the cost, by padding to a square problem: a place of a column is a column of its
    /// own, and to be left out is one too, worth nothing.
    fn optimum(&self) -> ([usize; 4], i64) {
        let live: Vec<usize> = (0..self.rows.len()).filter(|r| self.rows[*r].is_some()).collect();
        let capacities = self.columns.iter().enumerate().flat_map(|(c, n)| vec![c; n.unwrap_or(0) as usize]);
        let places: Vec<Option<usize>> = capacities.map(Some).chain(vec![None; live.len()]).collect();
        if live.is_empty() {
            return ([0; 4], 0);
        }
        let worth = |row: usize| 10_000 * 10i64.pow(2 * (3 - self.rows[row].unwrap() as u32));
        let weight = |row: usize, place: &Option<usize>| match place.map(|c| self.costs[row][c]) {
            None => 0,
            Some(FORBIDDEN) => -1_000_000_000_000_000,
            Some(cost) => worth(row) - cost,
        };
        let weights = Matrix::from_rows(live.iter().map(|r| places.iter().map(|p| weight(*r, p)).collect::<Vec<_>>()));
        let (_, place_of) = kuhn_munkres(&weights.unwrap());
        let pairs = live.iter().zip(place_of).filter_map(|(row, place)| Some((*row, places[place]?)));
        self.sum(pairs)
    }

    fn sum(&self, pairs: impl Iterator<Item = (usize, usize)>) -> ([usize; 4], i64) {
        pairs.fold(([0; 4], 0), |(mut served, cost), (row, column)| {
            served[self.rows[row].unwrap() as usize] += 1;
            (served, cost + self.costs[row][column])
        })
    }

    fn check(&self, matching: &Matching) {
        let live = (0..self.rows.len()).filter(|r| self.rows[*r].is_some());
        let pairs: Vec<(usize, usize)> = live.clone().filter_map(|r| Some((r, matching.column_of(r)?))).collect();
        let mut load = vec![0; self.columns.len()];
        for (row, column) in &pairs {
            load[*column] += 1;
            assert!(matching.rows_of(*column).any(|r| r == *row));
            assert_ne!(self.costs[*row][*column], FORBIDDEN);
        }
        load.iter().zip(&self.columns).for_each(|(load, capacity)| assert!(*load <= capacity.unwrap_or(0)));
        assert_eq!(self.sum(pairs.iter().copied()), self.optimum());
        assert_eq!(self.sum(pairs.iter().copied()).1, matching.cost());
        let places: u32 = self.columns.iter().flatten().sum();
        assert_eq!(matching.is_full(), pairs.len() == places as usize);
        let mut left_out: Vec<usize> = matching.unserved().collect();
        left_out.sort_unstable();
        assert_eq!(left_out, live.filter(|r| matching.column_of(*r).is_none()).collect::<Vec<_>>());
    }
}

/// The invariants of the module.
fn check_prices(m: &Matching) {
    for (at, c) in m.columns.iter().enumerate() {
        assert!(m.prices[at] <= 0 && (c.room() == 0 || m.prices[at] == 0), "price of column {at}");
        for (row, r) in m.rows.iter().enumerate().filter(|(_, r)| r.column != NONE && c.capacity > 0) {
            let reduced = m.costs.at(row, at) - r.price - m.prices[at];
            assert!(
                reduced >= 0 && (r.column != at as u32 || reduced == 0),
                "{reduced} between row {row}, column {at}"
            );
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn is_the_exact_optimum_after_every_change(
        capacities in proptest::collection::vec(0u32..4, 0..4),
        changes in proptest::collection::vec(change(), 1..40),
    ) {
        let mut matching = Matching::new(capacities.iter().copied());
        let mut facts = Facts { columns: capacities.into_iter().map(Some).collect(), ..Facts::default() };
        for (at, change) in changes.into_iter().enumerate() {
            facts.make(change, &mut matching);
            check_prices(&matching);
            facts.check(&matching);
            if at % 8 != 7 {
                continue;
            }
            matching = postcard::from_bytes(&postcard::to_allocvec(&matching).unwrap()).unwrap();
        }
    }
}
