//! What is said to one controller, and what is made of what it says. A machine: it knows the time that it is told, ms of some
//! clock that never runs backwards, and nothing of sockets. One question or order is open at a time; each is answered within a
//! time, is sent a bounded number of times, and then the controller counts as gone.

use std::collections::VecDeque;

use nanming_dataflows::decision::SignalPlan;
use nanming_dataflows::event::{ControlMode, Lamp};
use nanming_simulators::gbt20999::{Controls, Frame, FrameError, Item, Kind, Mode, PlanRow, Refused, address};

use super::rules::{AGAIN_MS, FEEDBACK_MS, PATIENT_MS, RENEW_MS};
use ask::{Ask, Open};
use flash::Conflict;
use slots::{Planned, Slots};

use super::{Alarm, Outcome, Reach, Rules, Site, State};

mod ask;
mod flash;
mod heard;
mod judge;
mod next;
mod plans;
mod slots;
#[cfg(test)]
mod tests;

/// What a session tells those around it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Said {
    /// What the controller shows, for the engine.
    Feedback(ControlMode, Vec<Lamp>),
    /// What became of an order.
    Order(Outcome),
    /// An order was answered after so long, ms.
    Answered(u64),
    /// Somebody must hear of this.
    Alarm(Alarm, String),
    /// The controller is reached, for the first time or again.
    Reached,
}

/// The stage that is wanted, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Wish {
    stage: u16,
    at_ms: u64,
}

/// What a connection is to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// Go on, and look again at this time at the latest, ms.
    Until(u64),
    /// Nobody is there: close it.
    Dead,
}

/// The machine.
pub(super) struct Session {
    site: Site,
    rules: Rules,
    controls: Controls,
    seq: u8,
    out: Vec<Frame>,
    said: Vec<Said>,
    open: Option<Open>,
    /// Local plans that are still to be written.
    plans: VecDeque<PlanRow>,
    /// The engine's plans; none: the controller takes stages only.
    slots: Option<Slots>,
    /// The plan that is wanted in place of stages.
    planned: Option<Planned>,
    wish: Option<Wish>,
    /// Without a wish it is not given back before this, ms: the engine may still be hearing of it.
    patient_until_ms: u64,
    engine_silent: bool,
    heard_ms: u64,
    beat_ms: u64,
    asked_ms: u64,
    /// The stage number that it last accepted, and when.
    accepted: Option<(u8, u64)>,
    /// What it refused last, or accepted without doing it yet, and when.
    lately: Option<(Ask, u64)>,
    /// By stage number: the engine has no number for it there.
    unmapped: Option<u16>,
    state: State,
    groups: Vec<u8>,
    /// Since when lamps and stage differ, ms.
    differs_ms: Option<u64>,
    /// Since when it tells another stage or plan than it accepted, ms.
    strays_ms: Option<u64>,
    distrusted_until_ms: Option<u64>,
    conflict: Conflict,
    fed_back: Option<(ControlMode, Vec<Lamp>, u64)>,
    is_reached: bool,
}

impl Session {
    pub(super) fn new(site: Site, rules: Rules) -> Session {
        let (controls, slots) = (rules.layout.controls(site.road), site.plan_slots.map(Slots::new));
        Session {
            site,
            rules,
            controls,
            seq: 0,
            out: Vec::new(),
            said: Vec::new(),
            open: None,
            plans: VecDeque::new(),
            slots,
            planned: None,
            wish: None,
            patient_until_ms: 0,
            engine_silent: false,
            heard_ms: 0,
            beat_ms: 0,
            asked_ms: 0,
            accepted: None,
            lately: None,
            unmapped: None,
            state: State::default(),
            groups: Vec::new(),
            differs_ms: None,
            strays_ms: None,
            distrusted_until_ms: None,
            conflict: Conflict::default(),
            fed_back: None,
            is_reached: false,
        }
    }

    /// A connection is there. Whatever was known of the controller is asked anew: it may have started anew. What the engine
    /// wanted before is for it to order anew.
    pub(super) fn connected(&mut self, now_ms: u64) {
        self.forget();
        self.left(now_ms);
        (self.heard_ms, self.beat_ms) = (now_ms, now_ms);
        if self.rules.download_plans {
            self.plans = plans::of(&self.site);
        }
        self.ask(Ask::Status, now_ms);
    }

    /// The connection is gone, or could not be had.
    pub(super) fn gone(&mut self, why: &str, now_ms: u64) {
        self.forget();
        if std::mem::replace(&mut self.is_reached, false) {
            self.said.push(Said::Alarm(Alarm::Unreachable, why.to_owned()));
            // What it shows is not known any more, which counts as dark.
            let dark = vec![Lamp::Off; self.site.lamp_groups.len()];
            self.feed_back(ControlMode::Fault, dark, now_ms);
        }
    }

    fn forget(&mut self) {
        (self.out, self.open, self.accepted, self.lately) = (Vec::new(), None, None, None);
        self.slots.iter_mut().for_each(Slots::forget);
        (self.state, self.groups, self.differs_ms, self.strays_ms) = (State::default(), Vec::new(), None, None);
    }

    /// It does not follow the centre any more: what was ordered counts no more.
    fn left(&mut self, now_ms: u64) {
        (self.wish, self.patient_until_ms) = (None, now_ms + PATIENT_MS);
    }

    /// The stage that is wanted from now on; none: the junction is given back.
    pub(super) fn wish(&mut self, stage: Option<u16>, now_ms: u64) {
        self.patient_until_ms = 0;
        self.wish = stage.map(|stage| Wish { stage, at_ms: now_ms });
        self.engine_silent = false;
        // Who orders anew may be refused anew.
        self.lately = self.lately.take().filter(|_| stage.is_none());
    }

    /// The plan that is wanted in place of stages, at a time of the city, ms; none: stages are. One that the controller cannot
    /// hold is told, and stages are wanted.
    pub(super) fn follow(&mut self, plan: Option<&SignalPlan>, at_ms: u64) {
        let Some(slots) = &mut self.slots else { return };
        self.planned = plan.and_then(|plan| plans::planned(&self.site, plan, self.rules.plan_clock, at_ms));
        match (&self.planned, plan) {
            (Some(planned), _) => slots.renew(planned),
            (None, Some(plan)) if slots.refuse(plan.time_ms) => {
                let why = "its table cannot hold it: a stage, a whole second or a place is missing".into();
                self.said.push(Said::Alarm(Alarm::PlanRefused, why));
            }
            _ => {}
        }
    }

    /// Whether the controller, as far as it tells, is not in the centre's hands.
    pub(super) fn is_given_back(&self) -> bool {
        self.open.is_none() && self.state.mode.is_none_or(|mode| !mode.is_centre())
    }

    /// What is known.
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Frames to be sent.
    pub(super) fn frames(&mut self) -> Vec<Frame> {
        std::mem::take(&mut self.out)
    }

    /// What is to be told.
    pub(super) fn said(&mut self) -> Vec<Said> {
        std::mem::take(&mut self.said)
    }

    /// Time goes on: what was not answered is repeated, what is due is asked.
    pub(super) fn turn(&mut self, now_ms: u64) -> Line {
        if now_ms >= self.heard_ms + self.rules.silent_ms || !self.repeat(now_ms) {
            return Line::Dead;
        }
        self.judge(now_ms);
        if now_ms >= self.beat_ms + self.rules.heartbeat_ms {
            self.beat_ms = now_ms;
            let beat = self.frame(Kind::Heartbeat, Vec::new());
            self.out.push(beat);
        }
        if self.open.is_none()
            && let Some(ask) = self.next(now_ms)
        {
            self.ask(ask, now_ms);
        }
        let answer_ms = self.open.as_ref().map(|open| open.sent_ms + self.rules.reply_ms);
        let due_ms = answer_ms.unwrap_or(self.asked_ms + self.rules.poll_ms);
        Line::Until(due_ms.min(self.beat_ms + self.rules.heartbeat_ms).min(self.heard_ms + self.rules.silent_ms))
    }

    fn feed_back(&mut self, mode: ControlMode, lamps: Vec<Lamp>, now_ms: u64) {
        let known = self.fed_back.as_ref();
        let is_old = known.is_some_and(|(m, l, at)| (m, l) == (&mode, &lamps) && now_ms < at + FEEDBACK_MS);
        if !is_old {
            self.fed_back = Some((mode, lamps.clone(), now_ms));
            self.said.push(Said::Feedback(mode, lamps));
        }
    }
}
