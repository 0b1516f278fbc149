//! The rolling horizon: what each way to go on would cost, reckoned ahead.
//!
//! A draft keeps the stage in force for some seconds and then changes to another; from then on a simple rule, the longest
//! weighted queue, chooses. Each draft is played over the horizon on the vehicles that are known to wait and to come, second
//! by second, and the cheapest one is followed for its first second; a second later all are reckoned anew. (A rollout of a
//! base policy, as Bertsekas has it; its look-ahead on single vehicles is that of Surtrac and RHODES.)

use super::deadlines::Timing;
use super::outlook::{HORIZON_S, Outlook};

/// For how long the stage in force is kept in a draft, s.
const KEEPS_S: [usize; 8] = [0, 1, 2, 3, 5, 8, 12, 18];
/// What one who still waits at the end of the horizon costs, vehicle seconds.
const LAST_COST: f32 = 15.0;
/// The rule changes to a stage that is asked for by so many more, vehicles, ...
const MARGIN: f32 = 1.5;
/// ... and by so much more in proportion, ...
const RATIO: f32 = 1.1;
/// ... or by anybody while the one in force serves nobody: less than this, vehicles.
const NOBODY: f32 = 0.5;
/// Vehicles that leave each lane behind in a second, on average.
const REFILL: f32 = 0.2;

/// A way to go on, and what it costs, vehicle seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Draft {
    pub(super) cost: f32,
    /// For how long the stage in force is kept, s.
    pub(super) keep_s: usize,
    pub(super) next: usize,
}

/// A course of events within a draft.
#[derive(Clone)]
struct Course {
    /// By row: who waits.
    queue: Vec<f32>,
    /// By row: how many more the lanes behind have room for.
    room: Vec<f32>,
    /// By row: how many may leave in the second at hand.
    goes: Vec<f32>,
    at_s: usize,
    cost: f32,
}

/// All drafts of a moment.
pub(super) struct Horizon<'a> {
    outlook: &'a Outlook<'a>,
    timing: &'a Timing,
}

impl<'a> Horizon<'a> {
    pub(super) fn new(outlook: &'a Outlook<'a>, timing: &'a Timing) -> Self {
        Horizon { outlook, timing }
    }

    /// The cheapest draft: it changes from `stage`, which has stood for `stood_s`, at once to one of `open` or, if that is
    /// allowed, keeps it first.
    pub(super) fn best(&self, stage: usize, stood_s: usize, keeps: bool, open: impl Fn(usize) -> bool) -> Draft {
        let mut best = Draft { cost: f32::INFINITY, keep_s: 0, next: stage };
        let Outlook { queue, room, rows, .. } = self.outlook;
        let mut stem = Course { queue: queue.clone(), room: room.clone(), goes: vec![0.0; *rows], at_s: 0, cost: 0.0 };
        let mut course = stem.clone();
        let last_s = if keeps { KEEPS_S[KEEPS_S.len() - 1] } else { 0 };
        for keep_s in 0..=last_s {
            let changes = KEEPS_S.contains(&keep_s);
            for next in 0..self.outlook.stages() {
                let is_draft = if next == stage { keep_s == 1 } else { changes && (keep_s > 0 || open(next)) };
                if is_draft {
                    course.clone_from(&stem);
                    let stood_s = if next == stage { stood_s + keep_s } else { 0 };
                    self.change(&mut course, stage, next);
                    let cost = self.follow(&mut course, next, stood_s, best.cost);
                    if cost < best.cost {
                        best = Draft { cost, keep_s, next };
                    }
                }
            }
            self.stand(&mut stem, stage);
        }
        best
    }

    /// A second of a stage.
    fn stand(&self, course: &mut Course, stage: usize) {
        self.outlook.rates(stage, &course.queue, course.at_s, &mut course.goes);
        self.pass(course);
    }

    /// The seconds from one stage to another; none from a stage to itself.
    fn change(&self, course: &mut Course, from: usize, to: usize) {
        for second in 0..self.outlook.field.passings[from][to].for_s {
            self.outlook.passing(from, to, second, &mut course.goes);
            self.pass(course);
        }
    }

    /// A second in which some may leave: those who wait first, and those who come if nobody waits before them.
    fn pass(&self, course: &mut Course) {
        let Some(coming) = self.outlook.coming(course.at_s) else { return };
        let left_s = (HORIZON_S - course.at_s) as f32;
        let (mut waits, mut sent) = (0.0, 0.0);
        let rows = course.queue.iter_mut().zip(&mut course.room).zip(&course.goes).zip(coming).zip(&self.outlook.price);
        for ((((queue, room), goes), coming), price) in rows {
            let waiting = queue.min(*goes);
            let driving = if *queue <= *goes { coming.min(goes - waiting) } else { 0.0 };
            let leaves = (waiting + driving).min(*room);
            *queue += coming - leaves;
            *room += REFILL - leaves;
            waits += *queue;
            sent += leaves * price;
        }
        course.cost += waits + sent * left_s;
        course.at_s += 1;
    }

    /// Follows the rule to the end of the horizon; what all costs, or infinity as soon as it is not less than `bound`.
    fn follow(&self, course: &mut Course, mut stage: usize, mut stood_s: usize, bound: f32) -> f32 {
        while course.at_s < HORIZON_S {
            if course.cost >= bound {
                return f32::INFINITY;
            }
            if let Some(next) = self.rule(course, stage, stood_s) {
                self.change(course, stage, next);
                (stage, stood_s) = (next, 0);
            } else {
                self.stand(course, stage);
                stood_s += 1;
            }
        }
        course.cost + LAST_COST * course.queue.iter().sum::<f32>()
    }

    /// The stage to change to that the longest weighted queue asks for, if it is worth a change.
    fn rule(&self, course: &Course, stage: usize, stood_s: usize) -> Option<usize> {
        if stood_s < self.timing.min_green_s[stage] {
            return None;
        }
        let asks = |stage| self.outlook.asks(stage, &course.queue, course.at_s);
        let now = if stood_s >= self.timing.max_green_s[stage] { 0.0 } else { asks(stage) };
        let others = (0..self.outlook.stages()).filter(|s| *s != stage).map(|s| (s, asks(s)));
        let (next, most) = others.reduce(|a, b| if b.1 > a.1 { b } else { a })?;
        let pays = most >= now + MARGIN && most >= now * RATIO;
        (pays || (now < NOBODY && most >= NOBODY)).then_some(next)
    }
}

#[cfg(test)]
mod tests;
