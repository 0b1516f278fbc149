//! The controllers on the street: they obey the centre, fall back to their own plan, and keep times of their own.
//!
//! Like real ones they take orders one by one and never shorten a yellow, a shortest green or an all-red, however the orders
//! arrive: one that comes too soon waits, and before one that would jump from green to red they clear.

use std::collections::VecDeque;

use nanming_dataflows::decision::SignalCommand;
use nanming_dataflows::event::{ControlMode, Event, Lamp, SignalFeedback};
use nanming_dataflows::ids::JunctionId;
use nanming_dataflows::network::{City, Conflict, ConflictMatrix, Junction};

use super::plans::{DAY_MS, green_left_ms, lamps_at, moment, plan_in_force};

/// A junction that has heard nothing from the centre for this long runs its own plan, ms.
pub(super) const CENTRE_LOST_MS: u64 = 180_000;
const FEEDBACK_MS: u64 = 30_000;

/// All controllers.
#[derive(Clone, Debug)]
pub(super) struct Signals {
    /// What each head of the city shows.
    pub(super) lamps: Vec<Lamp>,
    /// Commands that would have let conflicting heads go, or taken a green away without a yellow.
    pub(super) unsafe_commands: u64,
    first_head: Vec<u32>,
    controllers: Vec<Controller>,
}

#[derive(Clone, Debug)]
struct Controller {
    mode: ControlMode,
    plan: usize,
    clearing: Option<Clearing>,
    /// Orders not followed yet, oldest first.
    commands: VecDeque<SignalCommand>,
    wanted: Vec<Lamp>,
    /// By head: since when it shows what it shows, ms; which green it is does not matter.
    since_ms: Vec<u64>,
    /// Whether the centre has spoken again and none of its orders has been followed yet.
    taken_over: bool,
    heard_ms: u64,
    check_ms: u64,
    feedback_ms: u64,
}

/// What a controller makes of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    /// It may be followed.
    Now,
    /// Some head must first stand its time.
    Later,
    /// It would be a jump: yellow and all-red come first.
    Cleared,
}

/// Yellow, then all-red, before another authority's lamps.
#[derive(Clone, Copy, Debug)]
struct Clearing {
    yellow_until_ms: u64,
    red_until_ms: u64,
}

impl Signals {
    /// All junctions on their own plans.
    pub(super) fn new(city: &City, first_head: &[u32], now_ms: u64) -> Self {
        let heads = first_head.last().copied().unwrap_or(0) as usize;
        let controller = |j: &Junction| Controller {
            mode: ControlMode::Local,
            plan: plan_in_force(j, city.minute_of_day(now_ms)),
            clearing: None,
            commands: VecDeque::new(),
            wanted: Vec::new(),
            since_ms: vec![0; j.heads.len()],
            taken_over: false,
            heard_ms: 0,
            check_ms: 0,
            feedback_ms: now_ms + u64::from(j.id.0) * 61 % 60 * 500,
        };
        Signals {
            lamps: vec![Lamp::Red; heads],
            unsafe_commands: 0,
            first_head: first_head.to_vec(),
            controllers: city.junctions.iter().map(controller).collect(),
        }
    }

    /// What the heads of a junction show.
    pub(super) fn lamps_of(&self, junction: JunctionId) -> &[Lamp] {
        let j = junction.index();
        &self.lamps[self.first_head[j] as usize..self.first_head[j + 1] as usize]
    }

    /// Who decides at a junction.
    pub(super) fn mode(&self, junction: JunctionId) -> ControlMode {
        self.controllers[junction.index()].mode
    }

    /// Takes an order of the centre. One that does not fit the junction is ignored.
    pub(super) fn command(&mut self, command: &SignalCommand) {
        let j = command.junction.index();
        let fits = j < self.controllers.len() && command.lamps.len() == self.lamps_of(command.junction).len();
        if fits {
            self.controllers[j].commands.push_back(command.clone());
        }
    }

    /// Moves all controllers on to `now_ms` and reports those that changed, or whose turn it is.
    pub(super) fn advance(&mut self, city: &City, now_ms: u64, out: &mut Vec<Event>) {
        let day_ms = (now_ms as i64 + i64::from(city.utc_offset_min) * 60_000).rem_euclid(DAY_MS as i64) as u64;
        for j in &city.junctions {
            let row = j.id.index();
            let shown = &mut self.lamps[self.first_head[row] as usize..self.first_head[row + 1] as usize];
            let controller = &mut self.controllers[row];
            let mode_before = controller.mode;
            let (obeyed, violations) = controller.obey(j, shown, now_ms);
            self.unsafe_commands += violations;
            let changed = controller.show(city, j, shown, now_ms, day_ms) || obeyed || controller.mode != mode_before;
            if changed || now_ms >= controller.feedback_ms {
                controller.feedback_ms = now_ms + FEEDBACK_MS;
                let (mode, lamps) = (controller.mode, shown.to_vec());
                out.push(Event::Signal(SignalFeedback { time_ms: now_ms, junction: j.id, mode, lamps }));
            }
        }
    }
}

impl Controller {
    /// Follows the orders that are due, one by one, as far as what is shown may be left already. Whether lamps changed, and
    /// how many orders were unsafe.
    fn obey(&mut self, junction: &Junction, shown: &mut [Lamp], now_ms: u64) -> (bool, u64) {
        let (mut changed, mut violations) = (false, 0);
        while self.commands.front().is_some_and(|c| c.at_ms <= now_ms) {
            self.listen(shown, now_ms);
            if self.clearing.is_some() {
                break;
            }
            let turn = self.commands.front().map_or(Turn::Later, |c| self.turn(junction, shown, &c.lamps, now_ms));
            let Some(command) = self.commands.pop_front_if(|_| turn != Turn::Later) else { break };
            let clash = clashes(&junction.conflicts, &command.lamps);
            violations += u64::from(clash || (turn == Turn::Cleared && !self.taken_over));
            self.taken_over = false;
            self.check_ms = 0;
            self.wanted = command.lamps;
            if turn == Turn::Cleared {
                self.clearing = Some(clearing(junction, shown, now_ms));
            } else {
                let lamps = self.wanted.clone();
                changed |= self.light(shown, &lamps, now_ms);
            }
        }
        (changed, violations)
    }

    /// The centre speaks. When it takes over, what is shown stands until its order can be followed.
    fn listen(&mut self, shown: &[Lamp], now_ms: u64) {
        self.heard_ms = now_ms;
        if self.mode != ControlMode::Centre {
            self.mode = ControlMode::Centre;
            self.taken_over = true;
            self.check_ms = 0;
            self.wanted = if self.clearing.is_some() { cleared(shown, false) } else { shown.to_vec() };
        }
    }

    /// Whether all heads may turn from what they show to what is wanted.
    fn turn(&self, junction: &Junction, shown: &[Lamp], wanted: &[Lamp], now_ms: u64) -> Turn {
        let after = |head: usize, least_ms: u32| {
            if now_ms >= self.since_ms[head] + u64::from(least_ms) { Turn::Now } else { Turn::Later }
        };
        let of_head = |head: usize| {
            let (times, now, next) = (&junction.heads[head], shown[head], wanted[head]);
            match (now, next) {
                (Lamp::Yellow, Lamp::Red) => after(head, times.yellow_ms),
                (Lamp::Red, next) if next.is_green() => {
                    let conflicting = |other: &usize| junction.conflicts.get(head, *other) != Conflict::None;
                    let red = (0..shown.len()).filter(conflicting).filter(|other| shown[*other] == Lamp::Red);
                    red.map(|other| after(other, junction.all_red_ms)).max().unwrap_or(Turn::Now)
                }
                (now, Lamp::Yellow) if now.is_green() => after(head, times.min_green_ms),
                (now, Lamp::Red) if now.is_green() && times.yellow_ms > 0 => Turn::Cleared,
                (Lamp::Yellow, next) if next.is_green() => Turn::Cleared,
                _ => Turn::Now,
            }
        };
        (0..shown.len()).map(of_head).max().unwrap_or(Turn::Now)
    }

    /// Lights lamps; whether any changed.
    fn light(&mut self, shown: &mut [Lamp], lamps: &[Lamp], now_ms: u64) -> bool {
        for ((now, next), since_ms) in shown.iter().zip(lamps).zip(&mut self.since_ms) {
            if now != next && !(now.is_green() && next.is_green()) {
                *since_ms = now_ms;
            }
        }
        let changed = *shown != *lamps;
        shown.copy_from_slice(lamps);
        changed
    }

    /// Brings the lamps to what they must show now; whether any changed.
    fn show(&mut self, city: &City, junction: &Junction, shown: &mut [Lamp], now_ms: u64, day_ms: u64) -> bool {
        if self.mode == ControlMode::Centre && now_ms > self.heard_ms + CENTRE_LOST_MS {
            self.mode = ControlMode::Local;
            self.clearing = Some(clearing(junction, shown, now_ms));
            self.check_ms = 0;
        }
        if now_ms < self.check_ms {
            return false;
        }
        let lamps = match (self.clearing, self.mode) {
            (Some(c), _) if now_ms < c.red_until_ms => cleared(shown, now_ms < c.yellow_until_ms),
            (_, ControlMode::Centre) => {
                self.clearing = None;
                self.check_ms = self.heard_ms + CENTRE_LOST_MS;
                self.wanted.clone()
            }
            _ => self.by_plan(city, junction, shown, now_ms, day_ms),
        };
        self.light(shown, &lamps, now_ms)
    }

    fn by_plan(&mut self, city: &City, junction: &Junction, shown: &[Lamp], now_ms: u64, day_ms: u64) -> Vec<Lamp> {
        let before = std::mem::replace(&mut self.plan, plan_in_force(junction, city.minute_of_day(now_ms)));
        let plan = &junction.plans[self.plan];
        let at = moment(plan, day_ms);
        let lamps = lamps_at(junction, plan, at);
        let left_ms = u64::from(green_left_ms(plan, at));
        if self.clearing.is_some() {
            let min_green_ms = u64::from(junction.stages[usize::from(plan.steps[at.step].stage)].min_green_ms);
            if left_ms < min_green_ms && at.into_ms >= 500 {
                return cleared(shown, false);
            }
            self.clearing = None;
        } else if loses_green(junction, shown, &lamps)
            || (before != self.plan && self.turn(junction, shown, &lamps, now_ms) != Turn::Now)
        {
            self.clearing = Some(clearing(junction, shown, now_ms));
            return cleared(shown, true);
        }
        let next_minute_ms = 60_000 - now_ms % 60_000;
        self.check_ms = now_ms + left_ms.min(next_minute_ms);
        lamps
    }
}

/// Whether a green would turn to red without the yellow that its head needs.
fn loses_green(junction: &Junction, shown: &[Lamp], wanted: &[Lamp]) -> bool {
    let lamps = shown.iter().zip(wanted).zip(&junction.heads);
    lamps.into_iter().any(|((s, w), h)| s.is_green() && *w == Lamp::Red && h.yellow_ms > 0)
}

/// Whether lamps let two heads go that must not go together.
fn clashes(conflicts: &ConflictMatrix, lamps: &[Lamp]) -> bool {
    let go: Vec<usize> = (0..lamps.len()).filter(|&h| lamps[h].is_green()).collect();
    let yields = |head: usize| lamps[head] == Lamp::Permissive;
    let meet = |a: usize, b: usize| conflicts.get(a, b).forbids(yields(a), yields(b));
    go.iter().enumerate().any(|(i, &a)| go[i + 1..].iter().any(|&b| meet(a, b)))
}

fn clearing(junction: &Junction, shown: &[Lamp], now_ms: u64) -> Clearing {
    let lit = junction.heads.iter().zip(shown).filter(|(_, s)| **s != Lamp::Red);
    let yellow_until_ms = now_ms + lit.map(|(h, _)| u64::from(h.yellow_ms)).max().unwrap_or(0);
    Clearing { yellow_until_ms, red_until_ms: yellow_until_ms + u64::from(junction.all_red_ms) }
}

fn cleared(shown: &[Lamp], yellow: bool) -> Vec<Lamp> {
    let clear = |s: &Lamp| if yellow && *s != Lamp::Red { Lamp::Yellow } else { Lamp::Red };
    shown.iter().map(clear).collect()
}
