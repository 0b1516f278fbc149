//! Calls for service: raised over the grids by an hourly curve; a few are updated or withdrawn.

use std::collections::BTreeMap;

use nanming_dataflows::event::{CallChange, CallEvent, CallFacts, Category, Event, Needs, Priority};
use nanming_dataflows::ids::{CallId, GridId};
use nanming_dataflows::network::{City, Point};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::chance::{Weights, exponential_ms, stream};

/// Calls a day for each signalised junction.
const CALLS_PER_JUNCTION_DAY: f64 = 4.0;
/// A call that nobody closed is forgotten after a day, ms.
const FORGET_MS: u64 = 86_400_000;
/// Percent of the mean volume by hour of the day.
const BY_HOUR: [u16; 24] =
    [70, 55, 45, 35, 30, 32, 45, 75, 100, 105, 105, 105, 100, 100, 105, 110, 115, 125, 140, 150, 160, 150, 125, 95];

/// The calls that are open, and those to come.
#[derive(Clone, Debug)]
pub(super) struct Calls {
    rng: ChaCha8Rng,
    by_grid: Weights,
    mean_ms: f64,
    next_ms: u64,
    next_id: u64,
    /// Places of open calls, the simulator's own and those it was told of.
    pub(super) open: BTreeMap<CallId, (u64, CallFacts)>,
    later: BTreeMap<(u64, CallId), CallChange>,
}

impl Calls {
    /// No call yet.
    pub(super) fn new(city: &City, seed: u64, scale: f64, first_id: u64, now_ms: u64) -> Self {
        let mut rng = stream(seed, 2);
        let by_grid = Weights::new(city.grids.iter().map(|_| 0.3 + rng.random::<f64>().powi(3) * 4.0));
        let a_day = CALLS_PER_JUNCTION_DAY * city.junctions.len() as f64 * scale;
        let mean_ms = if a_day > 0.0 { FORGET_MS as f64 / a_day } else { f64::INFINITY };
        let next_ms = now_ms + exponential_ms(&mut rng, mean_ms);
        Calls { rng, by_grid, mean_ms, next_ms, next_id: first_id, open: BTreeMap::new(), later: BTreeMap::new() }
    }

    /// Calls of this step.
    pub(super) fn advance(&mut self, city: &City, now_ms: u64, out: &mut Vec<Event>) {
        while self.next_ms <= now_ms {
            let time_ms = self.next_ms;
            let hour = usize::from(city.minute_of_day(time_ms) / 60);
            self.next_ms += exponential_ms(&mut self.rng, self.mean_ms * 100.0 / f64::from(BY_HOUR[hour]));
            if let Some(facts) = self.draw(city) {
                self.raise(facts, time_ms, out);
            }
        }
        while let Some((&(time_ms, call), &change)) = self.later.first_key_value().filter(|(k, _)| k.0 <= now_ms) {
            self.later.pop_first();
            let known = self.open.contains_key(&call) || matches!(change, CallChange::Opened(_));
            if known {
                self.note(call, change, time_ms);
                out.push(Event::Call(CallEvent { time_ms, call, change }));
            }
        }
        if now_ms.is_multiple_of(600_000) {
            self.open.retain(|_, (time_ms, _)| *time_ms + FORGET_MS > now_ms);
        }
    }

    /// A collision is called in after a while.
    pub(super) fn collision(&mut self, city: &City, at: Point, now_ms: u64) {
        let Some(grid) = city.grid_at(at) else { return };
        let time_ms = now_ms + self.rng.random_range(20_000..90_000);
        let priority = if self.rng.random_bool(0.15) { Priority::A } else { Priority::B };
        let call = CallId(self.next_id);
        self.next_id += 1;
        let facts = CallFacts { priority, category: Category::Collision, at, grid, needs: Needs::ONE };
        self.later.insert((time_ms, call), CallChange::Opened(facts));
    }

    /// What the simulator should know of a call that it did not raise.
    pub(super) fn note(&mut self, call: CallId, change: CallChange, time_ms: u64) {
        match change {
            CallChange::Opened(facts)
            | CallChange::Updated(facts)
            | CallChange::Split(facts)
            | CallChange::Restored(facts, _) => {
                self.open.insert(call, (time_ms, facts));
            }
            CallChange::Cancelled => {
                self.open.remove(&call);
            }
            CallChange::Serving(_)
            | CallChange::Declined(_)
            | CallChange::Done(_)
            | CallChange::Attempts(_)
            | CallChange::Ordered(_) => {}
            CallChange::Joined(..) | CallChange::Withdrawn => {}
        }
    }

    /// A call is closed.
    pub(super) fn close(&mut self, call: CallId) {
        self.open.remove(&call);
    }

    fn raise(&mut self, facts: CallFacts, time_ms: u64, out: &mut Vec<Event>) {
        let call = CallId(self.next_id);
        self.next_id += 1;
        let change = CallChange::Opened(facts);
        self.note(call, change, time_ms);
        out.push(Event::Call(CallEvent { time_ms, call, change }));
        let after_ms = time_ms + self.rng.random_range(15_000..120_000);
        match self.rng.random_range(0..100) {
            0..=1 => self.later.insert((after_ms, call), CallChange::Cancelled),
            2..=3 => {
                let worse = CallFacts { priority: Priority::A, ..facts };
                self.later.insert((after_ms, call), CallChange::Updated(worse))
            }
            _ => None,
        };
    }

    fn draw(&mut self, city: &City) -> Option<CallFacts> {
        let grid = &city.grids[self.by_grid.draw(&mut self.rng)?];
        let at = Point {
            x_mm: self.rng.random_range(grid.min.x_mm..grid.max.x_mm.max(grid.min.x_mm + 1)),
            y_mm: self.rng.random_range(grid.min.y_mm..grid.max.y_mm.max(grid.min.y_mm + 1)),
        };
        let priority = match self.rng.random_range(0..100) {
            0..=14 => Priority::A,
            15..=64 => Priority::B,
            _ => Priority::C,
        };
        let category = match self.rng.random_range(0..100) {
            0..=13 => Category::Crime,
            14..=49 => Category::Disturbance,
            50..=79 => Category::Help,
            _ => Category::Other,
        };
        Some(CallFacts { priority, category, at, grid: GridId(grid.id.0), needs: Needs::ONE })
    }
}
