//! Lamps that conflict, and what is done about it: first the controller is given back to its own plan; if that is no safer, it
//! is made to flash yellow until a person has set it right.

use super::*;
use crate::controllers::lamps;

/// Since when a controller is watched for a conflict, or made to flash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Conflict {
    /// Nothing is known of it since the engine's start.
    #[default]
    Unknown,
    /// It flashed when it was first reached, ms, and has not stopped: it may be starting.
    Found { at_ms: u64 },
    /// It has shown none lately.
    None,
    /// It showed one, ms, and is to run its own plan.
    Shown { at_ms: u64 },
    /// It is to flash; whether it has told that it does.
    Flashing { is_told: bool },
}

impl Session {
    /// Looks for lamps that conflict. What it shows within `settle_ms` of the first time may be its way to its own plan.
    pub(super) fn watch(&mut self, mode: Mode, now_ms: u64) {
        match self.conflict {
            Conflict::Flashing { is_told: true } if mode != Mode::FLASH => return self.release(now_ms),
            Conflict::Flashing { is_told } => {
                return self.conflict = Conflict::Flashing { is_told: is_told || mode == Mode::FLASH };
            }
            Conflict::Unknown if mode == Mode::FLASH => self.conflict = Conflict::Found { at_ms: now_ms },
            Conflict::Unknown => self.conflict = Conflict::None,
            Conflict::Found { .. } if mode != Mode::FLASH => self.conflict = Conflict::None,
            // Who made it flash is forgotten over a restart of the engine, and it is left as it is.
            Conflict::Found { at_ms } if now_ms >= at_ms + self.rules.obey_ms => {
                let why = "it did so before the engine was started, which does not know why".into();
                return self.flash(true, why);
            }
            Conflict::Shown { at_ms } if now_ms >= at_ms + self.rules.distrust_ms => self.conflict = Conflict::None,
            _ => {}
        }
        let Some((a, b)) = lamps::together(self.site.of(), &self.state.lamps) else { return };
        let why = format!("heads {a} and {b} go together, which no stage lets them");
        match self.conflict {
            Conflict::None => {
                self.conflict = Conflict::Shown { at_ms: now_ms };
                self.distrust(Alarm::Conflict, why, now_ms);
            }
            Conflict::Shown { at_ms } if now_ms >= at_ms + self.rules.settle_ms && Reach::of(mode) != Reach::Manual => {
                self.flash(false, why);
            }
            _ => {}
        }
    }

    /// It will not run its own plan. One that showed a conflict cannot be left as it is.
    pub(super) fn stays(&mut self) {
        if matches!(self.conflict, Conflict::Shown { .. }) {
            self.flash(false, "it showed a conflict, and refuses to run its own plan".into());
        }
    }

    fn flash(&mut self, is_told: bool, why: String) {
        if self.rules.flash {
            self.conflict = Conflict::Flashing { is_told };
            self.said.push(Said::Alarm(Alarm::Flashing, why));
        }
    }

    /// Somebody has started it anew or set another mode: it runs its own plan for a while before it is led again.
    fn release(&mut self, now_ms: u64) {
        self.conflict = Conflict::None;
        self.distrusted_until_ms = Some(now_ms + self.rules.distrust_ms);
    }
}
