//! The model: units that drive to calls, stay there and are free again. Times are seconds after the first call.

use super::calls::Calls;
use super::travel::{Place, Travel};

/// Something is decided so often, s.
pub(super) const STEP_S: f64 = 10.0;

/// A unit. Where it was and is going, and when it sets out, arrives and is free.
#[derive(Clone, Copy, Debug)]
struct Car {
    from: Place,
    to: Place,
    start_s: f64,
    arrive_s: f64,
    free_s: f64,
    call: Option<usize>,
    busy_s: f64,
}

/// A replay as it goes on.
pub(super) struct World<'a> {
    pub(super) calls: &'a Calls,
    pub(super) travel: &'a Travel,
    pub(super) now_s: f64,
    /// Calls that wait.
    pub(super) waiting: Vec<usize>,
    cars: Vec<Car>,
    /// When somebody is at each call.
    arrived_s: Vec<f64>,
    /// How long who came there drove in the end.
    drive_s: Vec<f64>,
    /// Units taken from their way to a less urgent call.
    preemptions: usize,
    /// Units else taken from their way.
    changes: usize,
    /// Units sent to wait elsewhere.
    cover_moves: usize,
}

/// A replay that is over.
pub(super) struct Done<'a> {
    pub(super) calls: &'a Calls,
    pub(super) response_s: Vec<f64>,
    pub(super) drive_s: Vec<f64>,
    pub(super) preemptions: usize,
    pub(super) changes: usize,
    pub(super) cover_moves: usize,
    /// By unit, the share of the time for which it was busy.
    pub(super) busy: Vec<f64>,
}

impl<'a> World<'a> {
    /// Units at the places of these calls.
    pub(super) fn new(calls: &'a Calls, travel: &'a Travel, starts: &[usize]) -> Self {
        let car = |call: &usize| {
            let at = calls.place[*call];
            Car { from: at, to: at, start_s: 0.0, arrive_s: 0.0, free_s: 0.0, call: None, busy_s: 0.0 }
        };
        let (cars, zeros) = (starts.iter().map(car).collect(), vec![0.0; calls.len()]);
        let (arrived_s, drive_s) = (zeros.clone(), zeros);
        let (preemptions, changes, cover_moves) = (0, 0, 0);
        World {
            calls,
            travel,
            now_s: 0.0,
            waiting: Vec::new(),
            cars,
            arrived_s,
            drive_s,
            preemptions,
            changes,
            cover_moves,
        }
    }

    /// Lets `decide` send units until all calls are served.
    pub(super) fn play(mut self, mut decide: impl FnMut(&mut Self)) -> Done<'a> {
        let mut order: Vec<usize> = (0..self.calls.len()).collect();
        order.sort_by(|one, other| self.calls.ready_s[*one].total_cmp(&self.calls.ready_s[*other]));
        let mut order = order.into_iter().peekable();
        while order.peek().is_some() || !self.waiting.is_empty() || self.cars.iter().any(|car| car.free_s > self.now_s)
        {
            self.now_s += STEP_S;
            while let Some(call) = order.next_if(|call| self.calls.ready_s[*call] <= self.now_s) {
                self.waiting.push(call);
            }
            decide(&mut self);
        }
        self.done()
    }

    fn done(self) -> Done<'a> {
        let since = |(arrived_s, received_s): (&f64, &f64)| arrived_s - received_s;
        Done {
            calls: self.calls,
            response_s: self.arrived_s.iter().zip(&self.calls.received_s).map(since).collect(),
            drive_s: self.drive_s,
            preemptions: self.preemptions,
            changes: self.changes,
            cover_moves: self.cover_moves,
            busy: self.cars.iter().map(|car| car.busy_s / self.now_s).collect(),
        }
    }

    /// How many units there are.
    pub(super) fn units(&self) -> usize {
        self.cars.len()
    }

    /// Whether a unit has nothing to do.
    pub(super) fn is_free(&self, unit: usize) -> bool {
        self.cars[unit].free_s <= self.now_s
    }

    /// The call that a unit is on its way to, and how long it still needs, s.
    pub(super) fn under_way(&self, unit: usize) -> Option<(usize, f64)> {
        let car = &self.cars[unit];
        car.call.filter(|_| self.now_s < car.arrive_s).map(|call| (call, car.arrive_s - self.now_s))
    }

    /// Where a unit is.
    pub(super) fn place(&self, unit: usize) -> Place {
        let car = &self.cars[unit];
        if self.now_s >= car.arrive_s {
            return car.to;
        }
        let gone_s = self.now_s - car.start_s;
        let all_s = (car.arrive_s - car.start_s).max(1e-9);
        [0, 1].map(|axis| car.from[axis] + (car.to[axis] - car.from[axis]) * gone_s / all_s)
    }

    /// Time from where each of some units is to a place, s.
    pub(super) fn times_s(&self, units: &[usize], to: Place) -> Vec<f64> {
        let places: Vec<Place> = units.iter().map(|unit| self.place(*unit)).collect();
        self.travel.times_s(&places, to)
    }

    /// Sends a unit to a call that waits; the call it was on its way to waits again.
    pub(super) fn send(&mut self, unit: usize, call: usize) {
        self.rearrange(&[(unit, Some(call))]);
    }

    /// Takes units from what they were on their way to, and sends them where each goes now, or has them stay where they are.
    pub(super) fn rearrange(&mut self, moves: &[(usize, Option<usize>)]) {
        moves.iter().for_each(|(unit, to)| self.halt(*unit, *to));
        moves.iter().filter_map(|(unit, to)| Some((*unit, (*to)?))).for_each(|(unit, call)| self.start(unit, call));
    }

    /// Has a free unit drive to a place; it stays free.
    pub(super) fn go_and_wait(&mut self, unit: usize, to: Place) {
        let from = self.place(unit);
        let (start_s, arrive_s) = (self.now_s, self.now_s + self.travel.time_s(from, to));
        self.cover_moves += 1;
        self.cars[unit] = Car { from, to, start_s, arrive_s, call: None, ..self.cars[unit] };
    }

    /// Has a free unit stop where it is.
    pub(super) fn stay(&mut self, unit: usize) {
        let (at, now_s) = (self.place(unit), self.now_s);
        self.cars[unit] = Car { from: at, to: at, start_s: now_s, arrive_s: now_s, call: None, ..self.cars[unit] };
    }

    /// Has a unit stop where it is; the call it was on its way to waits.
    fn halt(&mut self, unit: usize, to: Option<usize>) {
        let Some((left, _)) = self.under_way(unit) else { return };
        let is_for_more_urgent = to.is_some_and(|call| self.calls.priority[call] < self.calls.priority[left]);
        self.preemptions += usize::from(is_for_more_urgent);
        self.changes += usize::from(!is_for_more_urgent);
        self.waiting.push(left);
        let (at, now_s) = (self.place(unit), self.now_s);
        let car = &mut self.cars[unit];
        let busy_s = car.busy_s - (car.free_s - now_s);
        *car = Car { from: at, to: at, start_s: now_s, arrive_s: now_s, free_s: now_s, call: None, busy_s };
    }

    fn start(&mut self, unit: usize, call: usize) {
        self.waiting.retain(|other| *other != call);
        let (from, to) = (self.place(unit), self.calls.place[call]);
        let drive_s = self.travel.time_s(from, to);
        let arrive_s = self.now_s + drive_s;
        let free_s = arrive_s + self.calls.on_scene_s[call];
        let busy_s = self.cars[unit].busy_s + free_s - self.now_s;
        self.cars[unit] = Car { from, to, start_s: self.now_s, arrive_s, free_s, call: Some(call), busy_s };
        (self.arrived_s[call], self.drive_s[call]) = (arrive_s, drive_s);
    }
}
