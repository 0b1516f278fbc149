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
            Ask::Plan(_) => drop(self.plans.pop_front()),
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
            Ask::Plan(_) => {
                self.said.push(Said::Order(Outcome::Refused));
                self.plans.pop_front();
            }
            ask => {
                self.said.push(Said::Order(Outcome::Refused));
                self.lately = Some((ask, now_ms));
            }
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

    /// Takes what a frame tells of the state.
    fn report(&mut self, frame: &Frame, now_ms: u64) {
        if let Some(mode) = frame.value(address::RUN_MODE).and_then(|value| value.first()).map(|mode| Mode(*mode)) {
            let follows = |mode| Reach::of(mode) == Reach::Centre;
            if self.state.mode.is_some_and(follows) && !follows(mode) {
                self.left(now_ms);
            }
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
