//! What a controller says: answers, and what it tells by itself.

use super::*;
use crate::controllers::lamps;

impl Session {
    /// Hears a frame, or what was none.
    pub(in crate::controllers) fn hear(&mut self, heard: Result<Frame, FrameError>, now_ms: u64) {
        let frame = match heard {
            Ok(frame) => frame,
            Err(error) => return self.said.push(Said::Alarm(Alarm::Frame, error.to_string())),
        };
        if frame.controller != self.site.controller || frame.road != self.site.road {
            let (controller, road) = (frame.controller, frame.road);
            let why = format!("a frame of controller {controller}, road {road}: see id and road in the table");
            return self.said.push(Said::Alarm(Alarm::Frame, why));
        }
        self.heard_ms = now_ms;
        match frame.kind {
            Kind::Heartbeat => self.out.push(frame.reply(Kind::HeartbeatReply, Vec::new())),
            Kind::Trap => self.told(&frame, now_ms),
            Kind::QueryReply | Kind::QueryError | Kind::SetReply | Kind::SetError => self.answered(&frame, now_ms),
            Kind::HeartbeatReply | Kind::Query | Kind::Set | Kind::Broadcast => {}
        }
    }

    fn answered(&mut self, frame: &Frame, now_ms: u64) {
        // What answers an earlier question comes too late to be of use.
        let Some(open) = self.open.take_if(|open| open.frame.seq == frame.seq) else { return };
        if open.ask != Ask::Status {
            self.said.push(Said::Answered(now_ms - open.sent_ms));
        }
        match (frame.kind, open.ask) {
            (Kind::QueryReply, Ask::Status) => self.report(frame, now_ms),
            // A yes of the wrong kind is a no.
            (Kind::SetReply, ask) if ask != Ask::Status => self.accept(ask, now_ms),
            (_, ask) => self.refuse(ask, frame, now_ms),
        }
    }

    fn accept(&mut self, ask: Ask, now_ms: u64) {
        self.said.push(Said::Order(Outcome::Accepted));
        match ask {
            Ask::Stage(number) => {
                self.strays_ms = self.strays_ms.filter(|_| self.accepted.is_some_and(|(known, _)| known == number));
                self.accepted = Some((number, now_ms));
            }
            // Whether it did is for it to tell, and may take it a while.
            Ask::Mode(_) => {
                (self.accepted, self.lately) = (None, Some((ask, now_ms)));
                self.ask(Ask::Status, now_ms);
            }
            Ask::Write(row) => self.wrote(&row, true),
            Ask::Plan(number) => {
                self.slots.iter_mut().for_each(|slots| slots.order(number));
                (self.accepted, self.strays_ms) = (None, None);
                self.ask(Ask::Status, now_ms);
            }
            Ask::Status => {}
        }
    }

    fn refuse(&mut self, ask: Ask, frame: &Frame, now_ms: u64) {
        let status = frame.items.iter().find_map(|item| item.data.first()).copied();
        let why = Refused::words(status.unwrap_or_default());
        tracing::warn!(junction = self.site.of().name, ?ask, why, "the controller refuses");
        match ask {
            Ask::Status => {
                let told = "it does not tell its mode, plan, stage and lamp groups together";
                self.said.push(Said::Alarm(Alarm::Frame, format!("{told}: {why}")));
            }
            ask => {
                self.said.push(Said::Order(Outcome::Refused));
                match &ask {
                    Ask::Write(row) => self.wrote(row, false),
                    Ask::Plan(_) => self.goes_without(why),
                    Ask::Mode(mode) if *mode == self.rules.plan_mode => self.goes_without(why),
                    Ask::Mode(mode) if *mode == self.rules.local_mode => self.stays(),
                    _ => {}
                }
                self.lately = Some((ask, now_ms));
            }
        }
    }

    /// A row of its table was written, or refused.
    fn wrote(&mut self, row: &PlanRow, is_done: bool) {
        let planned = self.planned.as_ref().filter(|_| is_done);
        let is_ours = self.slots.as_mut().is_some_and(|slots| slots.wrote(row, planned));
        match (is_ours, is_done) {
            (false, _) => drop(self.plans.pop_front()),
            (true, false) => self.goes_without("it cannot be written in its table"),
            (true, true) => {}
        }
    }

    /// It does not run the plan that is wanted: it keeps the one in force if there is any, or is told stages.
    fn goes_without(&mut self, why: &str) {
        let (Some(slots), Some(planned)) = (&mut self.slots, &self.planned) else { return };
        if self.state.mode != Some(self.rules.plan_mode) {
            slots.stop();
        }
        if slots.refuse(planned.made_ms) {
            self.said.push(Said::Alarm(Alarm::PlanRefused, why.to_owned()));
        }
    }

    /// What it tells by itself.
    fn told(&mut self, frame: &Frame, now_ms: u64) {
        let troubles = frame.items.iter().filter(|item| matches!(item.at.0, address::ALARMS | address::FAULTS));
        let told: Vec<String> = troubles.map(|item| format!("{} {:02x?}", item.at, item.data)).collect();
        if !told.is_empty() {
            self.said.push(Said::Alarm(Alarm::Trouble, told.join(", ")));
        }
        self.report(frame, now_ms);
    }

    /// Its mode was another before. One that leaves `plan_mode` is ordered its plan anew before it runs it again, one that leaves
    /// the centre follows nothing of what was ordered, and one that comes to it waits for an order.
    fn changed(&mut self, before: Option<Mode>, mode: Mode, now_ms: u64) {
        let follows = |mode| Reach::of(mode) == Reach::Centre;
        if before.is_some_and(follows) && !follows(mode) {
            self.left(now_ms);
        }
        if !before.is_some_and(follows) && follows(mode) && self.wish.is_none() {
            self.patient_until_ms = now_ms + PATIENT_MS;
        }
        if before == Some(self.rules.plan_mode) && mode != self.rules.plan_mode {
            self.slots.iter_mut().for_each(Slots::interrupt);
        }
    }

    /// Takes what a frame tells of the state.
    fn report(&mut self, frame: &Frame, now_ms: u64) {
        if let Some(mode) = frame.value(address::RUN_MODE).and_then(|value| value.first()).map(|mode| Mode(*mode)) {
            self.changed(self.state.mode, mode, now_ms);
            self.state.mode = Some(mode);
        }
        match frame.value(address::RUN_PLAN) {
            Some(&[plan]) => self.state.plan = Some(plan.into()),
            Some(&[high, low]) => self.state.plan = Some(u16::from_be_bytes([high, low])),
            _ => {}
        }
        if let Some([number, ..]) = frame.value(address::RUN_STAGE) {
            self.state.stage = self.site.stage(*number);
        }
        if let Some(groups) = frame.value(address::LAMPS) {
            self.groups = groups.to_vec();
        }
        let Some(mode) = self.state.mode.filter(|_| !self.groups.is_empty()) else { return };
        self.state.lamps = lamps::heads(&self.site, &self.groups, self.state.stage);
        if !std::mem::replace(&mut self.is_reached, true) {
            self.said.push(Said::Reached);
        }
        if !mode.is_centre() {
            self.accepted = None;
        }
        self.judge(now_ms);
    }
}
