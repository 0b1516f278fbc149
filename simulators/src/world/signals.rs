//! The controllers on the street: they obey the centre, fall back to their own plan, and never jump from a green to a
//! red without a yellow when the one who decides changes.

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
    commands: VecDeque<SignalCommand>,
    wanted: Vec<Lamp>,
    heard_ms: u64,
    check_ms: u64,
    feedback_ms: u64,
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
            while let Some(command) = controller.commands.pop_front_if(|c| c.at_ms <= now_ms) {
                self.unsafe_commands += u64::from(controller.obey(j, shown, command, now_ms));
            }
            let changed = controller.show(city, j, shown, now_ms, day_ms) || controller.mode != mode_before;
            if changed || now_ms >= controller.feedback_ms {
                controller.feedback_ms = controller.feedback_ms.max(now_ms) + FEEDBACK_MS;
                let (mode, lamps) = (controller.mode, shown.to_vec());
                out.push(Event::Signal(SignalFeedback { time_ms: now_ms, junction: j.id, mode, lamps }));
            }
        }
    }
}

impl Controller {
    /// Follows an order; whether it was unsafe.
    fn obey(&mut self, junction: &Junction, shown: &[Lamp], command: SignalCommand, now_ms: u64) -> bool {
        self.heard_ms = now_ms;
        let abrupt = loses_green(junction, shown, &command.lamps);
        let clash = clashes(&junction.conflicts, &command.lamps);
        let taken_over = self.mode != ControlMode::Centre;
        if taken_over {
            self.mode = ControlMode::Centre;
            self.clearing = self.clearing.or_else(|| abrupt.then(|| clearing(junction, shown, now_ms)));
        }
        self.wanted = command.lamps;
        self.check_ms = 0;
        clash || (abrupt && !taken_over && self.clearing.is_none())
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
        let changed = *shown != lamps[..];
        shown.copy_from_slice(&lamps);
        changed
    }

    fn by_plan(&mut self, city: &City, junction: &Junction, shown: &[Lamp], now_ms: u64, day_ms: u64) -> Vec<Lamp> {
        self.plan = plan_in_force(junction, city.minute_of_day(now_ms));
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
        } else if loses_green(junction, shown, &lamps) {
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
    let meet = |a: usize, b: usize| match conflicts.get(a, b) {
        Conflict::None => false,
        Conflict::FirstYields => lamps[a] != Lamp::Permissive,
        Conflict::SecondYields => lamps[b] != Lamp::Permissive,
        Conflict::Hard => true,
    };
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
