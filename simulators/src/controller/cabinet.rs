//! The lamps of a junction and what moves them: the controller's own sequence of green, yellow and all-red, its plans, and the
//! centre's wish. It knows nothing about frames.

use nanming_dataflows::event::Lamp;
#[cfg(test)]
use nanming_dataflows::network::Conflict;
use nanming_dataflows::network::{ConflictMatrix, Junction, Light};

use crate::gbt20999::Mode;

/// A plan of its own: number, and each stage with the time that its green stands, ms.
#[derive(Clone, Debug)]
pub(super) struct Program {
    pub(super) number: u8,
    pub(super) steps: Vec<(u16, u64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// After a start: flashing yellow, then all red, ms.
    Boot {
        flash_until_ms: u64,
        red_until_ms: u64,
    },
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
    pub(super) programs: Vec<Program>,
    program: usize,
    step: usize,
    mode: Mode,
    wanted: Option<u16>,
    phase: Phase,
    lamps: Vec<Lamp>,
    /// Stages begun by the centre's wish.
    pub(super) obeyed: u32,
}

impl Cabinet {
    pub(super) fn new(junction: Junction, conflicts: Option<ConflictMatrix>, now_ms: u64, boot_ms: u64) -> Cabinet {
        let conflicts = conflicts.unwrap_or_else(|| junction.conflicts.clone());
        let steps = junction.plans.first().map(|plan| plan.steps.as_slice()).unwrap_or_default();
        let steps = steps.iter().map(|step| (step.stage, u64::from(step.green_ms))).collect();
        let programs = vec![Program { number: 1, steps }];
        let lamps = vec![Lamp::Off; junction.heads.len()];
        let (mode, phase) = (Mode::LOCAL_FIXED, Phase::Green { stage: 0, since_ms: now_ms });
        let mut cabinet =
            Cabinet { junction, conflicts, programs, program: 0, step: 0, mode, wanted: None, phase, lamps, obeyed: 0 };
        cabinet.boot(now_ms, boot_ms);
        cabinet
    }

    /// Starts anew. Plans are kept.
    pub(super) fn boot(&mut self, now_ms: u64, boot_ms: u64) {
        (self.mode, self.wanted, self.program, self.step) = (Mode::LOCAL_FIXED, None, 0, 0);
        self.phase = Phase::Boot { flash_until_ms: now_ms + boot_ms, red_until_ms: now_ms + 2 * boot_ms };
        self.lamps.fill(Lamp::Off);
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
            Phase::Boot { .. } => self.program().steps.first().map_or(0, |step| step.0),
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

    pub(super) fn program(&self) -> &Program {
        &self.programs[self.program]
    }

    /// Gives itself to the centre, or takes itself back. Whether it can.
    pub(super) fn set_mode(&mut self, mode: Mode, now_ms: u64) -> bool {
        if matches!(self.phase, Phase::Boot { .. }) || !(mode.is_centre() || mode.is_local()) {
            return false;
        }
        if self.mode.is_centre() && mode.is_local() {
            self.go_local(now_ms);
        }
        self.mode = mode;
        true
    }

    fn go_local(&mut self, now_ms: u64) {
        let stage = self.stage();
        (self.mode, self.wanted) = (Mode::LOCAL_FIXED, None);
        self.step = self.program().steps.iter().position(|step| step.0 == stage).unwrap_or(0);
        // The stage is given its time anew, which is never too short.
        if let Phase::Green { since_ms, .. } = &mut self.phase {
            *since_ms = (*since_ms).max(now_ms.saturating_sub(1));
        }
    }

    /// The centre wishes a stage. Whether the controller's own table of conflicts lets it.
    pub(super) fn wish(&mut self, stage: u16) -> bool {
        let lets = self.mode.is_centre() && self.is_safe(stage);
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

    /// Puts a plan in force for when it decides itself.
    pub(super) fn set_program(&mut self, number: u8) -> bool {
        let found = self.programs.iter().position(|program| program.number == number);
        if let Some(program) = found {
            (self.program, self.step) = (program, 0);
        }
        found.is_some()
    }

    /// Shortest time that a stage stands, ms: heads, and people on foot.
    pub(super) fn min_green_ms(&self, stage: u16) -> u64 {
        let stage = &self.junction.stages[usize::from(stage)];
        let lit = self.junction.heads.iter().zip(&stage.lights).filter(|(_, light)| light.is_green());
        let heads_ms = lit.map(|(head, _)| head.min_green_ms).max().unwrap_or(0);
        u64::from(stage.min_green_ms.max(stage.walk_ms + stage.clearance_ms).max(heads_ms))
    }

    /// Yellow and all-red between two stages at most, ms.
    pub(super) fn intergreen_ms(&self) -> u64 {
        let yellow_ms = self.junction.heads.iter().map(|head| head.yellow_ms).max().unwrap_or(0);
        u64::from(yellow_ms + self.junction.all_red_ms)
    }

    /// Moves the lamps on to `now_ms`.
    pub(super) fn advance(&mut self, now_ms: u64) {
        match self.phase {
            Phase::Boot { red_until_ms, .. } if now_ms >= red_until_ms => self.begin(self.stage(), now_ms),
            Phase::Boot { flash_until_ms, .. } if now_ms >= flash_until_ms => self.lamps.fill(Lamp::Red),
            Phase::Green { stage, since_ms } => {
                let stood_ms = now_ms - since_ms;
                let to = if self.mode.is_centre() { self.wanted.unwrap_or(stage) } else { self.by_program(stood_ms) };
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

    /// The stage that its plan wants after the one in force has stood so long.
    fn by_program(&self, stood_ms: u64) -> u16 {
        let steps = &self.program().steps;
        let Some((stage, green_ms)) = steps.get(self.step) else { return self.stage() };
        if stood_ms < *green_ms { *stage } else { steps[(self.step + 1) % steps.len()].0 }
    }

    fn end_greens(&mut self, to: u16, now_ms: u64) {
        let next = &self.junction.stages[usize::from(to)].lights;
        let mut yellow_ms = 0;
        for ((lamp, light), head) in self.lamps.iter_mut().zip(next).zip(&self.junction.heads) {
            if lamp.is_green() && *lamp != light.lamp() {
                (*lamp, yellow_ms) = (Lamp::Yellow, yellow_ms.max(head.yellow_ms));
            }
        }
        self.phase = Phase::Yellow { to, until_ms: now_ms + u64::from(yellow_ms) };
    }

    fn begin(&mut self, stage: u16, now_ms: u64) {
        let lights = &self.junction.stages[usize::from(stage)].lights;
        self.lamps = lights.iter().map(|light| light.lamp()).collect();
        self.phase = Phase::Green { stage, since_ms: now_ms };
        self.obeyed += u32::from(self.mode.is_centre() && self.wanted == Some(stage));
        let steps = &self.program().steps;
        let after = (0..steps.len()).map(|n| (self.step + n) % steps.len());
        self.step = after.into_iter().find(|row| steps[*row].0 == stage).unwrap_or(0);
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
