//! What is asked or ordered next: the state once in a while, plans, who decides, and the stage that is wanted.

use super::*;

impl Session {
    /// What is to be asked or ordered next.
    pub(super) fn next(&mut self, now_ms: u64) -> Option<Ask> {
        if now_ms >= self.asked_ms + self.rules.poll_ms {
            return Some(Ask::Status);
        }
        let mode = self.state.mode?;
        if let Some(row) = self.plans.front() {
            return Some(Ask::Write(row.clone()));
        }
        let asks = match self.wanted(now_ms) {
            _ if Reach::of(mode) == Reach::Manual => None,
            _ if matches!(self.conflict, Conflict::Flashing { .. }) => {
                (mode != Mode::FLASH).then_some(Ask::Mode(Mode::FLASH))
            }
            None if self.distrusted_until_ms.is_none() && now_ms < self.patient_until_ms => None,
            None => mode.is_centre().then_some(Ask::Mode(self.rules.local_mode)),
            // One that flashes or is dark has a reason of its own.
            Some(_) if Reach::of(mode) == Reach::Special => None,
            Some(wish) => self.lead(wish, mode, now_ms),
        };
        let is_lately =
            |ask: &Ask| self.lately.as_ref().is_some_and(|(known, at)| known == ask && now_ms < at + AGAIN_MS);
        asks.filter(|ask| !is_lately(ask))
    }

    /// What leads it to the plan or the stage that is wanted.
    fn lead(&mut self, wish: Wish, mode: Mode, now_ms: u64) -> Option<Ask> {
        if let (Some(plan), Some(slots)) = (self.plan_to_run(), &self.slots) {
            return match slots.next(plan, self.state.plan) {
                Err(ask) => ask,
                Ok(()) => (mode != self.rules.plan_mode).then_some(Ask::Mode(self.rules.plan_mode)),
            };
        }
        let runs_plan = self.slots.is_some() && mode == self.rules.plan_mode;
        if !mode.is_centre() || runs_plan {
            return Some(Ask::Mode(self.rules.centre_mode));
        }
        self.stage_to_order(wish, now_ms)
    }

    /// The plan that it is to run in place of stages.
    pub(super) fn plan_to_run(&self) -> Option<&Planned> {
        self.slots.as_ref()?.choose(self.planned.as_ref()?)
    }

    fn stage_to_order(&mut self, wish: Wish, now_ms: u64) -> Option<Ask> {
        let Some(number) = self.site.number(wish.stage) else {
            if self.unmapped.replace(wish.stage) != Some(wish.stage) {
                self.said.push(Said::Order(Outcome::Unmapped));
            }
            return None;
        };
        self.unmapped = None;
        let is_told = self
            .accepted
            .is_some_and(|(accepted, at_ms)| accepted == number && (wish.at_ms <= at_ms || now_ms < at_ms + RENEW_MS));
        (!is_told).then_some(Ask::Stage(number))
    }

    /// The wish that is in force: none while the controller is not trusted or the engine is silent.
    fn wanted(&mut self, now_ms: u64) -> Option<Wish> {
        if self.is_distrusted(now_ms) {
            return None;
        }
        self.distrusted_until_ms = None;
        let wish = self.wish?;
        if now_ms < wish.at_ms + self.rules.engine_silent_ms {
            return Some(wish);
        }
        if !std::mem::replace(&mut self.engine_silent, true) {
            let silent_s = self.rules.engine_silent_ms / 1000;
            let why = format!("the engine has ordered nothing for {silent_s} s: the junction is given back");
            self.said.push(Said::Alarm(Alarm::EngineSilent, why));
        }
        None
    }
}
