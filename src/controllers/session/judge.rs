//! What a controller shows, held against what it tells and what it was told.

use nanming_simulators::gbt20999::LampState;

use super::*;
use crate::controllers::lamps;

impl Session {
    /// Looks at the last report. One that is caught is given back to its own plan and left alone for a while.
    pub(super) fn judge(&mut self, now_ms: u64) {
        let Some(mode) = self.state.mode.filter(|_| !self.state.lamps.is_empty()) else { return };
        self.watch(mode, now_ms);
        if !self.is_distrusted(now_ms)
            && let Some((alarm, why)) = self.caught(mode, now_ms)
        {
            self.distrust(alarm, why, now_ms);
        }
        self.state.reach = match self.conflict {
            Conflict::Flashing { .. } => Reach::Flashing,
            _ if self.is_distrusted(now_ms) => Reach::Distrusted,
            _ => Reach::of(mode),
        };
        let mode = match self.state.reach {
            Reach::Centre if self.wish.is_some() || self.stands() => ControlMode::Centre,
            // A change that this engine has not ordered goes on by itself, as in a plan of its own.
            Reach::Centre | Reach::Local => ControlMode::Local,
            Reach::Manual => ControlMode::Manual,
            Reach::Unreachable | Reach::Special | Reach::Distrusted | Reach::Flashing => ControlMode::Fault,
        };
        self.feed_back(mode, self.state.lamps.clone(), now_ms);
    }

    /// Whether it shows the stage that it tells, and no green of it flashes to its end.
    fn stands(&self) -> bool {
        let ends = |group: &u8| LampState::from_byte(*group) == Some(LampState::GreenFlash);
        let shows = |stage: u16| lamps::differs(self.site.of(), stage, &self.state.lamps).is_none();
        self.state.stage.is_some_and(shows) && !self.groups.iter().any(ends)
    }

    pub(super) fn is_distrusted(&self, now_ms: u64) -> bool {
        self.distrusted_until_ms.is_some_and(|until_ms| now_ms < until_ms)
    }

    pub(super) fn distrust(&mut self, alarm: Alarm, why: String, now_ms: u64) {
        self.said.push(Said::Alarm(alarm, why));
        self.distrusted_until_ms = Some(now_ms + self.rules.distrust_ms);
        (self.accepted, self.differs_ms, self.strays_ms) = (None, None, None);
    }

    fn caught(&mut self, mode: Mode, now_ms: u64) -> Option<(Alarm, String)> {
        let junction = self.site.of();
        // What it does in its own hands or a person's is not an answer to us.
        if !mode.is_centre() || Reach::of(mode) == Reach::Manual {
            (self.differs_ms, self.strays_ms) = (None, None);
            return None;
        }
        let differs = self.state.stage.and_then(|stage| lamps::differs(junction, stage, &self.state.lamps));
        let since_ms = since(&mut self.differs_ms, differs.is_some(), now_ms);
        if let (Some(head), Some(stage)) = (differs, self.state.stage)
            && now_ms >= since_ms + self.rules.settle_ms
        {
            let name = &junction.stages[usize::from(stage)].name;
            let (stands_s, shows) = (self.rules.settle_ms / 1000, self.state.lamps[head].to_char());
            let why = format!("it tells stage '{name}' for {stands_s} s, and head {head} shows '{shows}'");
            return Some((Alarm::Lie, why));
        }
        let (strays, obey_ms, what) = self.strays(mode);
        let since_ms = since(&mut self.strays_ms, strays, now_ms);
        let is_late = strays && now_ms >= since_ms + obey_ms;
        is_late.then(|| {
            let why = format!("it accepted a {what} {} s ago and tells another", obey_ms / 1000);
            (Alarm::Disobeyed, why)
        })
    }

    /// Whether it tells another plan or stage than it accepted, for how long it may, ms, and which of them. In a plan its stages
    /// are its own; a plan comes with a cycle.
    fn strays(&self, mode: Mode) -> (bool, u64, &'static str) {
        let running = self.slots.as_ref().filter(|_| self.plan_to_run().is_some()).and_then(Slots::running);
        if let Some((number, cycle_s)) = running {
            let is_another = self.state.plan.is_some_and(|plan| plan != u16::from(number));
            let strays = mode != self.rules.plan_mode || is_another;
            return (strays, self.rules.obey_ms.max(2000 * u64::from(cycle_s)), "plan");
        }
        let accepted = self.accepted.and_then(|(number, _)| self.site.stage(number));
        (accepted.is_some() && self.state.stage != accepted, self.rules.obey_ms, "stage")
    }
}

/// Since when something holds, ms; now where it does not.
fn since(began_ms: &mut Option<u64>, holds: bool, now_ms: u64) -> u64 {
    *began_ms = holds.then(|| began_ms.unwrap_or(now_ms));
    began_ms.unwrap_or(now_ms)
}
