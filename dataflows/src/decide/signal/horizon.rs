//! The rolling horizon: what each way to go on would cost, reckoned ahead.
//!
//! A draft keeps the stage in force for some seconds and then changes to another; from then on a simple rule, the longest
//! weighted queue, chooses. Each draft is played over the horizon on the vehicles that are known to wait and to come, second
//! by second, and the cheapest one is followed for its first second; a second later all are reckoned anew. (A rollout of a
//! base policy, as Bertsekas has it; its look-ahead on single vehicles is that of Surtrac and RHODES.)

use super::deadlines::Timing;
use super::outlook::{HORIZON_S, Outlook, WIDTH};

/// For how long the stage in force is kept in a draft, s.
const KEEPS_S: [usize; 7] = [1, 2, 3, 5, 8, 12, 18];
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
    /// By row: who waits and comes soon.
    near: Vec<f32>,
    at_s: usize,
    cost: f32,
}

/// The smaller one; `f32::min` looks for what is no number too, and is slower.
fn less(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
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

    /// What to do now that `stage` has stood for `stood_s`: the cheapest draft if that changes at once, to one of `open`;
    /// otherwise, if the stage may be kept, one that keeps it first and costs less than all those.
    pub(super) fn best(&self, stage: usize, stood_s: usize, keeps: bool, open: impl Fn(usize) -> bool) -> Draft {
        let Outlook { queue, room, rows, .. } = self.outlook;
        let (goes, near) = (vec![0.0; *rows], vec![0.0; *rows]);
        let mut stem = Course { queue: queue.clone(), room: room.clone(), goes, near, at_s: 0, cost: 0.0 };
        let mut course = stem.clone();
        let mut best = Draft { cost: f32::INFINITY, keep_s: 0, next: stage };
        if keeps {
            self.stand(&mut course, stage);
            best = Draft { cost: self.follow(&mut course, stage, stood_s + 1, f32::INFINITY), keep_s: 1, next: stage };
        }
        let others = || (0..self.outlook.stages()).filter(|next| *next != stage);
        let mut cost = |stem: &Course, next: usize, bound: f32| {
            course.clone_from(stem);
            self.change(&mut course, stage, next);
            self.follow(&mut course, next, 0, bound)
        };
        for next in others().filter(|next| open(*next)) {
            let cost = cost(&stem, next, best.cost);
            if cost < best.cost {
                best = Draft { cost, keep_s: 0, next };
            }
        }
        if best.keep_s > 0 || !keeps {
            return best;
        }
        for keep_s in 1..=KEEPS_S[KEEPS_S.len() - 1] {
            self.stand(&mut stem, stage);
            for next in others().filter(|_| KEEPS_S.contains(&keep_s)) {
                let cost = cost(&stem, next, best.cost);
                if cost < best.cost {
                    return Draft { cost, keep_s, next };
                }
            }
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
        let (mut waits, mut sent) = ([0.0; WIDTH], [0.0; WIDTH]);
        let (queue, room) = (course.queue.as_chunks_mut().0, course.room.as_chunks_mut().0);
        let (goes, price) = (course.goes.as_chunks().0, self.outlook.price.as_chunks().0);
        let rows = queue.iter_mut().zip(room).zip(goes).zip(coming.as_chunks().0).zip(price);
        for ((((queue, room), goes), coming), price) in rows {
            let (queue, room): (&mut [f32; WIDTH], &mut [f32; WIDTH]) = (queue, room);
            let (goes, coming, price): (&[f32; WIDTH], &[f32; WIDTH], &[f32; WIDTH]) = (goes, coming, price);
            for i in 0..WIDTH {
                let waiting = less(queue[i], goes[i]);
                let driving = less(coming[i], goes[i] - waiting);
                let leaves = less(waiting + driving, room[i]);
                queue[i] += coming[i] - leaves;
                room[i] += REFILL - leaves;
                waits[i] += queue[i];
                sent[i] += leaves * price[i];
            }
        }
        course.cost += waits.iter().sum::<f32>() + sent.iter().sum::<f32>() * left_s;
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
    fn rule(&self, course: &mut Course, stage: usize, stood_s: usize) -> Option<usize> {
        if stood_s < self.timing.min_green_s[stage] {
            return None;
        }
        self.outlook.near(&course.queue, course.at_s, &mut course.near);
        let asks = |stage| self.outlook.asks(stage, &course.near);
        let now = if stood_s >= self.timing.max_green_s[stage] { 0.0 } else { asks(stage) };
        let others = (0..self.outlook.stages()).filter(|s| *s != stage).map(|s| (s, asks(s)));
        let (next, most) = others.reduce(|a, b| if b.1 > a.1 { b } else { a })?;
        let pays = most >= now + MARGIN && most >= now * RATIO;
        (pays || (now < NOBODY && most >= NOBODY)).then_some(next)
    }
}

#[cfg(test)]
mod tests;
