//! The lamps of a junction and what moves them: the controller's own sequence of green, yellow and all-red, its plans and
//! those of the centre, and the centre's wish. It knows nothing about frames.

use nanming_dataflows::event::Lamp;
#[cfg(test)]
use nanming_dataflows::network::Conflict;
use nanming_dataflows::network::{ConflictMatrix, Junction, Light};

use super::Settings;
use crate::gbt20999::{Mode, PlanRow};
use plans::{own_plan, stage_of};

mod plans;

/// Out of flashing all heads are red for so long, ms.
const RED_MS: u64 = 3_000;
const DAY_MS: u64 = 24 * 3_600_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// After a start: flashing yellow, then all red, ms.
    Boot {
        flash_until_ms: u64,
        red_until_ms: u64,
    },
    /// It flashes until another mode is set.
    Flash,
    Green {
        stage: u16,
        since_ms: u64,
    },
    Yellow {
        to: u16,
        until_ms: u64,
    },
    AllRed {
        to: u16,
        until_ms: u64,
    },
}

pub(super) struct Cabinet {
    pub(super) junction: Junction,
    conflicts: ConflictMatrix,
    /// What its clock shows when its time is 0, ms since midnight.
    clock_ms: u64,
    /// Its plans; the first is its own.
    pub(super) plans: Vec<PlanRow>,
    /// The plan that the centre has ordered: row in its plans.
    ordered: Option<usize>,
    /// The plan of this cycle, the step that stands or comes, and each step's time in this cycle, ms.
    pub(super) plan: PlanRow,
    step: usize,
    times_ms: Vec<u64>,
    mode: Mode,
    wanted: Option<u16>,
    phase: Phase,
    lamps: Vec<Lamp>,
    /// Stages begun by the centre's wish.
    pub(super) obeyed: u32,
}

impl Cabinet {
    pub(super) fn new(junction: Junction, settings: &Settings, now_ms: u64) -> Cabinet {
        let plan = own_plan(&junction);
        let mut cabinet = Cabinet {
            conflicts: settings.conflicts.clone().unwrap_or_else(|| junction.conflicts.clone()),
            clock_ms: settings.clock_ms,
            plans: vec![plan.clone()],
            ordered: None,
            plan,
            step: 0,
            times_ms: Vec::new(),
            mode: Mode::LOCAL_FIXED,
            wanted: None,
            phase: Phase::Flash,
            lamps: vec![Lamp::Off; junction.heads.len()],
            obeyed: 0,
            junction,
        };
        cabinet.boot(now_ms, settings.boot_ms);
        cabinet
    }

    /// Starts anew. Plans are kept.
    pub(super) fn boot(&mut self, now_ms: u64, boot_ms: u64) {
        (self.mode, self.wanted, self.ordered) = (Mode::LOCAL_FIXED, None, None);
        self.phase = Phase::Boot { flash_until_ms: now_ms + boot_ms, red_until_ms: now_ms + 2 * boot_ms };
        self.lamps.fill(Lamp::Off);
        self.plan = self.plans[0].clone();
        self.take_up();
    }

    pub(super) fn lamps(&self) -> &[Lamp] {
        &self.lamps
    }

    /// Who decides; while it starts, nobody.
    pub(super) fn mode(&self) -> Mode {
        match self.phase {
            Phase::Boot { .. } if self.lamps.contains(&Lamp::Off) => Mode::FLASH,
            Phase::Boot { .. } => Mode::ALL_RED,
            _ => self.mode,
        }
    }

    /// The stage that stands or comes.
    pub(super) fn stage(&self) -> u16 {
        match self.phase {
            Phase::Boot { .. } | Phase::Flash => stage_of(&self.plan.steps[0]),
            Phase::Green { stage, .. } => stage,
            Phase::Yellow { to, .. } | Phase::AllRed { to, .. } => to,
        }
    }

    /// For how long the stage has stood, ms.
    pub(super) fn elapsed_ms(&self, now_ms: u64) -> u64 {
        match self.phase {
            Phase::Green { since_ms, .. } => now_ms - since_ms,
            _ => 0,
        }
    }

    /// Gives itself to the centre, takes itself back, or flashes. Whether it can.
    pub(super) fn set_mode(&mut self, mode: Mode, now_ms: u64) -> bool {
        let known = mode.is_centre() || mode.is_local() || mode == Mode::FLASH;
        if matches!(self.phase, Phase::Boot { .. }) || !known {
            return false;
        }
        let before = std::mem::replace(&mut self.mode, mode);
        if mode == Mode::FLASH {
            (self.phase, self.wanted) = (Phase::Flash, None);
            self.lamps.fill(Lamp::Off);
            return true;
        }
        if self.phase == Phase::Flash {
            self.phase = Phase::Boot { flash_until_ms: now_ms, red_until_ms: now_ms + RED_MS };
        }
        if mode != before {
            self.wanted = None;
            self.plan = self.next_plan().clone();
            self.take_up();
            // The stage is given its time anew, which is never too short.
            if let Phase::Green { since_ms, .. } = &mut self.phase {
                *since_ms = (*since_ms).max(now_ms.saturating_sub(1));
            }
        }
        true
    }

    fn is_coordinated(&self) -> bool {
        self.mode == Mode::CENTRE_COORDINATED
    }

    /// The centre wishes a stage. Whether the controller's own table of conflicts lets it.
    pub(super) fn wish(&mut self, stage: u16) -> bool {
        let lets = self.mode.is_centre() && !self.is_coordinated() && self.is_safe(stage);
        if lets {
            self.wanted = Some(stage);
        }
        lets
    }

    /// Whether no two greens of a stage are forbidden together.
    pub(super) fn is_safe(&self, stage: u16) -> bool {
        let Some(stage) = self.junction.stages.get(usize::from(stage)) else { return false };
        let heads = || 0..stage.lights.len();
        let forbids = |a: usize, b: usize| {
            let (first, second) = (stage.lights[a], stage.lights[b]);
            let go = a != b && first.is_green() && second.is_green();
            go && self.conflicts.get(a, b).forbids(first == Light::Permissive, second == Light::Permissive)
        };
        heads().all(|a| heads().all(|b| !forbids(a, b)))
    }

    /// Shortest time that a stage stands, ms: heads, and people on foot.
    pub(super) fn min_green_ms(&self, stage: u16) -> u64 {
        u64::from(self.junction.least_green_ms(stage))
    }

    /// Yellow and all-red from a stage to another, ms.
    pub(super) fn intergreen_ms(&self, from: u16, to: u16) -> u64 {
        let lights = |stage: u16| &self.junction.stages[usize::from(stage)].lights;
        let both = lights(from).iter().zip(lights(to)).zip(&self.junction.heads);
        let ending = both.filter(|((now, next), _)| ends(now.lamp(), **next));
        let yellow_ms = ending.map(|(_, head)| head.yellow_ms).max().unwrap_or(0);
        u64::from(yellow_ms + self.junction.all_red_ms)
    }

    /// Moves the lamps on to `now_ms`.
    pub(super) fn advance(&mut self, now_ms: u64) {
        match self.phase {
            Phase::Boot { red_until_ms, .. } if now_ms >= red_until_ms => self.begin(self.stage(), now_ms),
            Phase::Boot { flash_until_ms, .. } if now_ms >= flash_until_ms => self.lamps.fill(Lamp::Red),
            Phase::Green { stage, since_ms } => {
                let stood_ms = now_ms - since_ms;
                let by_wish = self.mode.is_centre() && !self.is_coordinated();
                let to = if by_wish { self.wanted.unwrap_or(stage) } else { self.by_plan(stood_ms) };
                if to != stage && stood_ms >= self.min_green_ms(stage) {
                    self.end_greens(to, now_ms);
                }
            }
            Phase::Yellow { to, until_ms } if now_ms >= until_ms => {
                self.lamps.iter_mut().filter(|lamp| **lamp == Lamp::Yellow).for_each(|lamp| *lamp = Lamp::Red);
                self.phase = Phase::AllRed { to, until_ms: now_ms + u64::from(self.junction.all_red_ms) };
            }
            Phase::AllRed { to, until_ms } if now_ms >= until_ms => self.begin(to, now_ms),
            _ => {}
        }
    }

    fn end_greens(&mut self, to: u16, now_ms: u64) {
        let next = &self.junction.stages[usize::from(to)].lights;
        let mut yellow_ms = 0;
        for ((lamp, light), head) in self.lamps.iter_mut().zip(next).zip(&self.junction.heads) {
            if ends(*lamp, *light) {
                (*lamp, yellow_ms) = (Lamp::Yellow, yellow_ms.max(head.yellow_ms));
            }
        }
        self.phase = Phase::Yellow { to, until_ms: now_ms + u64::from(yellow_ms) };
    }

    fn begin(&mut self, stage: u16, now_ms: u64) {
        let lights = &self.junction.stages[usize::from(stage)].lights;
        self.lamps = lights.iter().map(|light| light.lamp()).collect();
        self.phase = Phase::Green { stage, since_ms: now_ms };
        if self.wanted == Some(stage) {
            self.obeyed += 1;
        } else if self.step + 1 == self.plan.steps.len() && stage == stage_of(&self.next_plan().steps[0]) {
            self.turn(now_ms);
        } else {
            let after = (0..self.plan.steps.len()).map(|n| (self.step + n) % self.plan.steps.len());
            let row = after.into_iter().find(|row| stage_of(&self.plan.steps[*row]) == stage);
            self.step = row.unwrap_or(0);
        }
    }

    /// Whether lamps let two heads go that its own table forbids together.
    #[cfg(test)]
    pub(super) fn clashes(&self) -> bool {
        let going = |head: &usize| self.lamps[*head].is_green() || self.lamps[*head] == Lamp::Yellow;
        let heads: Vec<usize> = (0..self.lamps.len()).filter(going).collect();
        let hard = |a: usize, b: usize| self.conflicts.get(a, b) == Conflict::Hard;
        heads.iter().any(|a| heads.iter().any(|b| hard(*a, *b)))
    }
}

/// Whether a green ends: one that was protected is not let go on as one that gives way, for others may come at once.
fn ends(lamp: Lamp, next: Light) -> bool {
    lamp.is_green() && (!next.is_green() || (lamp == Lamp::Protected && next == Light::Permissive))
}
