//! Questions and orders on their way: what is open, and what is sent again.

use nanming_simulators::gbt20999::VERSION;

use super::*;

/// What is open.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Ask {
    Status,
    Mode(Mode),
    Stage(u8),
    /// A row of its table of plans.
    Write(PlanRow),
    /// The number of the plan that is to be run.
    Plan(u8),
}

#[derive(Clone, Debug)]
pub(super) struct Open {
    pub(super) ask: Ask,
    pub(super) frame: Frame,
    pub(super) sent_ms: u64,
    pub(super) times: u32,
}

impl Session {
    /// Sends again what was not answered. Whether the controller may still be there.
    pub(super) fn repeat(&mut self, now_ms: u64) -> bool {
        let Some(open) = self.open.as_mut().filter(|open| now_ms >= open.sent_ms + self.rules.reply_ms) else {
            return true;
        };
        let is_order = open.ask != Ask::Status;
        if open.times >= self.rules.tries {
            self.said.extend(is_order.then_some(Said::Order(Outcome::Unanswered)));
            return false;
        }
        (open.sent_ms, open.times) = (now_ms, open.times + 1);
        self.out.push(open.frame.clone());
        self.said.extend(is_order.then_some(Said::Order(Outcome::Repeated)));
        true
    }

    pub(super) fn ask(&mut self, ask: Ask, now_ms: u64) {
        let one = |at, value| Frame::rows([(at, vec![value])]);
        let (kind, items) = match &ask {
            Ask::Status => {
                self.asked_ms = now_ms;
                let road = self.site.road;
                let run = [address::RUN_MODE, address::RUN_PLAN, address::RUN_STAGE].map(|at| at.element(road));
                let asked = run.into_iter().chain([address::LAMPS]);
                (Kind::Query, Frame::rows(asked.map(|at| (at, Vec::new()))))
            }
            Ask::Mode(mode) => (Kind::Set, one(self.controls.mode, mode.0)),
            Ask::Stage(number) => (Kind::Set, one(self.controls.stage, *number)),
            Ask::Write(row) => (Kind::Set, row.items().unwrap_or_default()),
            Ask::Plan(number) => (Kind::Set, one(self.controls.plan, *number)),
        };
        let frame = self.frame(kind, items);
        self.out.push(frame.clone());
        self.open = Some(Open { ask, frame, sent_ms: now_ms, times: 1 });
    }

    pub(super) fn frame(&mut self, kind: Kind, items: Vec<Item>) -> Frame {
        self.seq = self.seq.wrapping_add(1);
        let (centre, controller, road, seq) = (self.rules.centre, self.site.controller, self.site.road, self.seq);
        Frame { version: VERSION, centre, controller, road, seq, kind, items }
    }
}
