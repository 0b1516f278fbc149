use pathfinding::prelude::{Matrix, kuhn_munkres};
use proptest::prelude::*;

use super::*;

/// What a matching should know, kept beside it in the plainest way.
#[derive(Clone, Default)]
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

    fn live(&self) -> impl Iterator<Item = usize> {
        (0..self.rows.len()).filter(|r| self.rows[*r].is_some())
    }

    /// Rows served, each with its column.
    fn pairs(&self, matching: &Matching) -> Vec<(usize, usize)> {
        self.live().filter_map(|row| Some((row, matching.column_of(row)?))).collect()
    }

    fn has_room(&self, column: usize, pairs: &[(usize, usize)]) -> bool {
        pairs.iter().filter(|(_, c)| *c == column).count() < self.columns[column].unwrap_or(0) as usize
    }

    fn check(&self, matching: &Matching) {
        let pairs = self.pairs(matching);
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
        let mut left_out: Vec<usize> = self.live().filter(|r| matching.column_of(*r).is_none()).collect();
        left_out.sort_unstable_by_key(|row| (self.rows[*row], *row));
        assert_eq!(matching.unserved().collect::<Vec<_>>(), left_out);
        assert_eq!((matching.rows_len(), matching.columns_len()), (self.rows.len(), self.columns.len()));
    }

    /// After a change other than of costs or ranks: nobody moves unless somebody gains by it, and a new row that nobody has to
    /// move for goes to the lowest column of those that cost as little. `before` are the pairs before it.
    fn check_calm(&self, before: &[(usize, usize)], matching: &Matching) {
        let after = self.pairs(matching);
        let best = self.sum(after.iter().copied());
        let kept: Vec<(usize, usize)> = before.iter().copied().filter(|(row, _)| self.rows[*row].is_some()).collect();
        if self.sum(kept.iter().copied()) == best {
            assert_eq!(after, kept, "somebody moved for nothing");
        }
        let Some(new) = self.live().find(|row| !before.iter().any(|(r, _)| r == row)) else { return };
        let places = (0..self.columns.len()).filter(|c| self.has_room(*c, &kept) && self.costs[new][*c] != FORBIDDEN);
        let beside = |column| kept.iter().copied().chain([(new, column)]);
        if let Some(column) = { places }.find(|column| self.sum(beside(*column)) == best) {
            assert!(beside(column).all(|pair| after.contains(&pair)), "a new row had its place at {column}");
        }
    }
}

/// Whether nobody has to move by this change.
fn is_calm(change: &Change) -> bool {
    matches!(change, InsertRow(..) | RemoveRow(_) | InsertColumn(..))
}

fn bytes(matching: &Matching) -> Vec<u8> {
    postcard::to_allocvec(matching).unwrap()
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
        for change in changes {
            let (before, is_calm) = (facts.pairs(&matching), is_calm(&change));
            let mut restored: Matching = postcard::from_bytes(&bytes(&matching)).unwrap();
            facts.clone().make(change.clone(), &mut restored);
            facts.make(change, &mut matching);
            assert!(bytes(&restored) == bytes(&matching), "one that was saved goes on in another way");
            check_prices(&matching);
            facts.check(&matching);
            if is_calm {
                facts.check_calm(&before, &matching);
            }
        }
    }
}

const NO: i64 = FORBIDDEN;

/// A column for each of `capacities`, and rows of one rank with these costs.
fn given<const N: usize>(capacities: [u32; N], rows: &[[i64; N]]) -> Matching {
    let mut matching = Matching::new(capacities);
    rows.iter().for_each(|costs| {
        matching.insert_row(0, costs);
    });
    matching
}

fn columns(matching: &Matching) -> Vec<Option<usize>> {
    (0..matching.rows_len()).map(|row| matching.column_of(row)).collect()
}

#[test]
fn of_columns_that_cost_the_same_the_lowest_serves() {
    assert_eq!(columns(&given([1, 1, 1], &[[5, 5, 5], [5, 5, 5]])), [Some(0), Some(1)]);
}

#[test]
fn a_new_row_takes_a_place_that_is_free_rather_than_one_that_others_make_for_the_same_cost() {
    let one = given([1, 1, 1], &[[0, NO, 2], [3, 5, NO]]);
    assert_eq!(columns(&one), [Some(0), Some(1)]);
    let two = given([2, 1, 1], &[[0, NO, 2], [0, NO, 9], [3, 5, NO]]);
    assert_eq!(columns(&two), [Some(0), Some(0), Some(1)]);
}

#[test]
fn of_rows_of_a_column_that_could_move_as_well_the_lowest_moves() {
    let rows = [[0, 3], [0, 3], [0, NO]];
    assert_eq!(columns(&given([2, 1], &rows)), [Some(1), Some(0), Some(0)]);
    // Also when they came in another order.
    let mut matching = given([2, 1], &[[NO, 0], [0, 3]]);
    matching.set_row_costs(0, &[0, 3]);
    matching.remove_row(0);
    matching.insert_row(0, &[0, 3]);
    matching.insert_row(0, &[0, NO]);
    assert_eq!(columns(&matching), [Some(1), Some(0), Some(0)]);
}

#[test]
fn one_that_was_saved_goes_on_as_the_one_that_was_not() {
    // Three rows could leave the first column for the second, which is closed; then one of them goes, and one who cannot comes.
    let mut matching = given([3, 0], &[[0, 3], [0, 3], [0, 3]]);
    let left_out = matching.insert_row(0, &[0, NO]);
    matching.remove_row(left_out);
    matching.remove_row(0);
    matching.insert_row(0, &[0, NO]);
    matching.set_capacity(1, 1);
    let mut restored: Matching = postcard::from_bytes(&bytes(&matching)).unwrap();
    for matching in [&mut matching, &mut restored] {
        matching.insert_row(0, &[0, NO]);
        assert_eq!([0, 1, 2, 3].map(|row| matching.column_of(row)), [Some(0), Some(1), Some(0), Some(0)]);
    }
}

#[test]
fn columns_come_one_after_the_other() {
    let mut matching = given([1], &[[50], [50]]);
    for at in 1..40 {
        // Each is better for the second row than those before it, and allowed to it alone.
        assert_eq!(matching.insert_column(1, &[NO, 50 - at as i64]), at);
        assert_eq!((columns(&matching), matching.cost()), (vec![Some(0), Some(at)], 100 - at as i64));
    }
}

#[test]
fn of_ways_as_long_the_one_found_first_is_gone() {
    // The last row can be let in by the first or by the second, either of which would displace the third.
    let rows = [[0, NO, 2, NO], [NO, 0, 2, NO], [NO, NO, 0, 1], [5, 5, NO, NO]];
    assert_eq!(columns(&given([1; 4], &rows)), [Some(2), Some(1), Some(3), Some(0)]);
}

#[test]
fn who_comes_last_is_left_out_where_all_are_alike() {
    let mut matching = given([1, 1], &[[5, 5], [5, 5], [5, 5], [5, 5]]);
    assert_eq!(columns(&matching), [Some(0), Some(1), None, None]);
    // Of two who wait alike the lower comes in.
    matching.remove_row(0);
    assert_eq!(columns(&matching), [None, Some(1), Some(0), None]);
    // One of lower rank comes; of those who would make way, the lower does.
    let mut matching = given([1, 1], &[[5, 5], [5, 5]]);
    matching.set_rank(0, 1);
    matching.set_rank(1, 1);
    matching.insert_row(0, &[5, 5]);
    assert_eq!(columns(&matching), [None, Some(1), Some(0)]);
}

#[test]
fn a_row_stays_where_nothing_is_better_with_its_new_costs() {
    // The first column comes free, and would serve as well.
    let second = || {
        let mut matching = given([1, 1, 0], &[[5, 5, 5], [5, 5, 5]]);
        matching.remove_row(0);
        assert_eq!(matching.column_of(1), Some(1));
        matching
    };
    for (costs, column) in [
        ([4, 4, 4], 1),
        ([9, 9, 9], 1),
        // One that takes nobody is no better place.
        ([4, 4, -9], 1),
        ([4, 4, NO], 1),
        ([NO, 4, 4], 1),
        ([3, 4, 4], 0),
        ([4, NO, 4], 0),
    ] {
        let mut matching = second();
        matching.set_row_costs(1, &costs);
        assert_eq!((matching.column_of(1), matching.cost()), (Some(column), costs[column]), "{costs:?}");
    }
    let mut matching = second();
    matching.set_row_costs(1, &[NO; 3]);
    assert_eq!((matching.column_of(1), matching.unserved().collect::<Vec<_>>()), (None, vec![1]));
}

#[test]
fn what_is_missing_of_costs_is_forbidden() {
    let mut matching = given([1, 1], &[[5, 1]]);
    assert_eq!(matching.column_of(0), Some(1));
    matching.set_row_costs(0, &[7]);
    assert_eq!((matching.column_of(0), matching.cost()), (Some(0), 7));
    matching.set_row_costs(0, &[]);
    assert_eq!(matching.column_of(0), None);
    assert_eq!(matching.insert_row(0, &[]), 1);
    assert_eq!(matching.column_of(1), None);
    matching.set_column_costs(1, &[3]);
    assert_eq!(columns(&matching), [Some(1), None]);
    matching.set_column_costs(1, &[]);
    assert_eq!(columns(&matching), [None, None]);
    assert_eq!(matching.insert_column(1, &[]), 2);
    assert_eq!(columns(&matching), [None, None]);
}

#[test]
fn costs_out_of_bounds_count_as_the_bound() {
    for (far, bound) in [(MAX_COST + 1, MAX_COST), (FORBIDDEN - 1, MAX_COST), (i64::MIN, -MAX_COST)] {
        assert_eq!(given([1], &[[far]]).cost(), bound);
        assert_eq!(given([1], &[[bound]]).cost(), bound);
        // One that costs more still is as good.
        assert_eq!(columns(&given([1, 1], &[[far, bound]])), [Some(0)]);
    }
}

#[test]
fn what_is_unknown_is_in_no_column() {
    let mut matching = Matching::new([]);
    assert!(matching.is_full());
    assert_eq!((matching.column_of(0), matching.cost(), matching.rows_len(), matching.columns_len()), (None, 0, 0, 0));
    let row = matching.insert_row(0, &[]);
    let column = matching.insert_column(2, &[5]);
    assert_eq!((matching.column_of(row), matching.rows_of(column).collect::<Vec<_>>()), (Some(column), vec![row]));
    assert!(!matching.is_full());
    matching.remove_row(row);
    assert_eq!((matching.column_of(row), matching.rows_of(column).count()), (None, 0));
}
