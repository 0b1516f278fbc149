//! The engine's advice on cover in the model: units at hand go where they are advised to. It learns from the calls as they
//! become known, and nothing else; only how far the city reaches is taken from all of them.

use nanming_dataflows::decide::cover::{Book, Busy, CallRates, Outlook, Reach, Rules};
use nanming_dataflows::ids::UnitId;

use super::calls::Calls;
use super::travel::{Place, Travel};
use super::world::World;

/// Sides of a grid, m.
const GRID_M: f64 = 1_000.0;
/// Looked at so often though nothing happens, s.
const LOOK_S: f64 = 60.0;

/// What the advice knows.
pub(super) struct Cover {
    rules: Rules,
    grids: Grids,
    reach: Reach,
    rates: CallRates,
    is_heard: Vec<bool>,
    busy: Busy,
    book: Book,
    idle: Vec<(UnitId, usize)>,
    looked_s: f64,
}

impl Cover {
    /// Nothing is learned yet.
    pub(super) fn new(calls: &Calls, travel: &Travel) -> Cover {
        let grids = Grids::of(&calls.place);
        let mut rates = CallRates::default();
        rates.fit(grids.len());
        Cover {
            rules: Rules::default(),
            reach: grids.reach(travel),
            grids,
            rates,
            is_heard: vec![false; calls.len()],
            busy: Busy::default(),
            book: Book::default(),
            idle: Vec::new(),
            looked_s: 0.0,
        }
    }

    /// Hears of calls.
    pub(super) fn hear(&mut self, world: &World) {
        self.rates.watch(hour(world));
        for call in &world.waiting {
            if !std::mem::replace(&mut self.is_heard[*call], true) {
                self.rates.count(self.grids.row(world.calls.place[*call]), world.calls.priority[*call]);
            }
        }
    }

    /// Has units go where they are advised to.
    pub(super) fn decide(&mut self, world: &mut World) {
        let free = (0..world.units()).filter(|unit| world.is_free(*unit));
        let idle: Vec<_> = free.map(|unit| (UnitId(unit as u32), self.grids.row(world.place(unit)))).collect();
        let who = |idle: &[(UnitId, usize)]| idle.iter().map(|(unit, _)| *unit).collect::<Vec<_>>();
        if who(&idle) != who(&self.idle) || world.now_s >= self.looked_s + LOOK_S {
            self.idle = idle;
            self.look(world);
        }
    }

    fn look(&mut self, world: &mut World) {
        let now_ms = (world.now_s * 1e3) as u64;
        self.looked_s = world.now_s;
        self.busy.learn(now_ms, world.units() - self.idle.len(), world.units());
        let demand = self.rates.expected(hour(world));
        let outlook = Outlook { reach: &self.reach, demand: &demand, busy_ppm: self.busy.ppm() };
        let before: Vec<UnitId> = self.book.standing().map(|advice| advice.unit).collect();
        self.book.look(&self.rules, now_ms, outlook, &self.idle);
        for (unit, _) in self.idle.iter().filter(|(unit, _)| before.contains(unit) && !self.book.advises(*unit)) {
            world.stay(unit.index());
        }
        for advice in self.book.standing().filter(|advice| advice.since_ms == now_ms) {
            world.go_and_wait(advice.unit.index(), self.grids.middle(advice.to as usize));
        }
    }
}

fn hour(world: &World) -> i64 {
    (world.now_s / 3_600.0) as i64
}

/// The city in squares.
struct Grids {
    corner: Place,
    columns: usize,
    rows: usize,
}

impl Grids {
    fn of(places: &[Place]) -> Grids {
        let low = |axis: usize| places.iter().map(|place| place[axis]).fold(f64::INFINITY, f64::min);
        let high = |axis: usize| places.iter().map(|place| place[axis]).fold(f64::NEG_INFINITY, f64::max);
        let squares = |axis: usize| ((high(axis) - low(axis)) / GRID_M) as usize + 1;
        Grids { corner: [low(0), low(1)], columns: squares(0), rows: squares(1) }
    }

    fn len(&self) -> usize {
        self.columns * self.rows
    }

    fn row(&self, at: Place) -> usize {
        let square =
            |axis: usize, squares: usize| (((at[axis] - self.corner[axis]) / GRID_M) as usize).min(squares - 1);
        square(1, self.rows) * self.columns + square(0, self.columns)
    }

    fn middle(&self, row: usize) -> Place {
        let square = [row % self.columns, row / self.columns];
        [0, 1].map(|axis| self.corner[axis] + (square[axis] as f64 + 0.5) * GRID_M)
    }

    fn reach(&self, travel: &Travel) -> Reach {
        let middles: Vec<Place> = (0..self.len()).map(|row| self.middle(row)).collect();
        let mut drive_ms = vec![0; self.len() * self.len()];
        for (to, at) in middles.iter().enumerate() {
            for (from, time_s) in travel.times_s(&middles, *at).into_iter().enumerate() {
                drive_ms[from * self.len() + to] = (time_s * 1e3) as u32;
            }
        }
        Reach::new(self.len(), drive_ms)
    }
}
