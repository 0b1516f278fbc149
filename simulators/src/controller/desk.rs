//! What a controller makes of frames: questions are answered, orders followed or not, as its script says.

use std::time::Instant;

use nanming_dataflows::event::Lamp;
use nanming_dataflows::network::Junction;

use super::cabinet::Cabinet;
use super::{Happened, Manner, Seen, Settings};
use crate::gbt20999::{Address, Controls, Frame, Item, Kind, LampState, Mode, PlanRow, Refused, VERSION, address};

/// The junction that it governs; it has no other.
const ROAD: u8 = 1;

/// What is to be done with a frame.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Frame(Frame),
    Nothing,
    /// The connection ends.
    HangUp,
}

pub(super) struct Desk {
    pub(super) settings: Settings,
    cabinet: Cabinet,
    controls: Controls,
    began: Instant,
    heard_ms: u64,
    manner: Option<Manner>,
    orders: u32,
    boots: u32,
    lost: u32,
    /// The stage that it tells in place of its own.
    lie: Option<u8>,
    told: Option<(Mode, u8, Vec<Lamp>)>,
    log: Vec<(u64, Happened)>,
    seq: u8,
}

impl Desk {
    pub(super) fn new(junction: Junction, settings: Settings) -> Desk {
        let cabinet = Cabinet::new(junction, &settings, 0);
        let controls = settings.layout.controls(ROAD);
        let (began, manner, lie, told) = (Instant::now(), None, None, None);
        Desk {
            settings,
            cabinet,
            controls,
            began,
            heard_ms: 0,
            manner,
            orders: 0,
            boots: 1,
            lost: 0,
            lie,
            told,
            log: Vec::new(),
            seq: 0,
        }
    }

    pub(super) fn behave(&mut self, manner: Manner) {
        self.manner = Some(manner);
    }

    pub(super) fn seen(&self) -> Seen {
        Seen {
            mode: self.cabinet.mode(),
            stage: self.cabinet.stage(),
            lamps: self.lamps(),
            orders: self.orders,
            obeyed: self.cabinet.obeyed,
            boots: self.boots,
            lost: self.lost,
            plans: self.cabinet.plans.iter().map(|plan| plan.number).collect(),
            plan: self.cabinet.plan.clone(),
        }
    }

    /// Its clock, ms since it was made.
    pub(super) fn now_ms(&self) -> u64 {
        (self.began.elapsed().as_secs_f64() * 1000.0 * self.settings.speed) as u64
    }

    /// Moves on to a time. What it tells by itself, if anything has changed.
    pub(super) fn advance(&mut self, now_ms: u64) -> Option<Frame> {
        let waits_for_centre = self.cabinet.mode().is_centre();
        if waits_for_centre && now_ms > self.heard_ms + self.settings.centre_lost_ms {
            self.cabinet.set_mode(Mode::LOCAL_FIXED, now_ms);
            (self.lost, self.lie) = (self.lost + 1, None);
        }
        self.cabinet.advance(now_ms);
        let now = (self.cabinet.mode(), self.stage_number(), self.lamps());
        if self.told.as_ref() == Some(&now) {
            return None;
        }
        self.note(&now, now_ms);
        self.told = Some(now);
        let is_mute = self.manner == Some(Manner::Silent);
        (self.settings.traps && !is_mute).then(|| self.trap(now_ms))
    }

    fn note(&mut self, (mode, _, lamps): &(Mode, u8, Vec<Lamp>), now_ms: u64) {
        let before = self.told.as_ref();
        if before.is_none_or(|(before, ..)| before != mode) {
            self.log.push((now_ms, Happened::Led(*mode)));
        }
        if before.is_none_or(|(.., before)| before != lamps) {
            self.log.push((now_ms, Happened::Shown(lamps.clone())));
        }
    }

    /// A centre has connected.
    pub(super) fn connected(&mut self) {
        let now_ms = self.now_ms();
        self.log.push((now_ms, Happened::Connected));
    }

    pub(super) fn log(&self) -> &[(u64, Happened)] {
        &self.log
    }

    fn trap(&mut self, now_ms: u64) -> Frame {
        self.seq = self.seq.wrapping_add(1);
        let all = [address::RUN_MODE.element(ROAD), address::RUN_STAGE.element(ROAD), address::LAMPS];
        let values = all.into_iter().filter_map(|at| Some((at, self.value(at, now_ms).ok()?)));
        let (controller, items) = (self.settings.id, Frame::rows(values));
        Frame { version: VERSION, centre: 1, controller, road: ROAD, seq: self.seq, kind: Kind::Trap, items }
    }

    /// Hears a frame of the centre.
    pub(super) fn hear(&mut self, frame: &Frame, now_ms: u64) -> Answer {
        let is_mine = frame.controller == self.settings.id && frame.road == ROAD;
        if !is_mine || (self.manner == Some(Manner::Silent) && frame.kind != Kind::Set) {
            return Answer::Nothing;
        }
        match frame.kind {
            Kind::Heartbeat => {
                self.heard_ms = now_ms;
                Answer::Frame(frame.reply(Kind::HeartbeatReply, Vec::new()))
            }
            Kind::Query => {
                self.heard_ms = now_ms;
                self.answer(frame, (Kind::QueryReply, Kind::QueryError), |desk, item| desk.value(item.at, now_ms))
            }
            Kind::Set => self.order(frame, now_ms),
            _ => Answer::Nothing,
        }
    }

    fn order(&mut self, frame: &Frame, now_ms: u64) -> Answer {
        let manner = self.manner.unwrap_or_else(|| self.settings.script.manner(self.orders));
        self.orders += 1;
        match manner {
            Manner::Silent => return Answer::Nothing,
            Manner::Reboot => {
                self.reboot(now_ms);
                return Answer::HangUp;
            }
            Manner::Obey | Manner::Clash => self.lie = None,
            Manner::Refuse | Manner::Lie => {}
        }
        self.heard_ms = now_ms;
        let is_plan = frame.items.first().is_some_and(|item| item.at.0 == address::PLAN.0);
        if is_plan && manner != Manner::Refuse {
            let taken = PlanRow::read(frame).ok_or(Refused::Value).and_then(|plan| self.cabinet.keep(plan));
            return self.answer(frame, (Kind::SetReply, Kind::SetError), |_, _| taken.map(|()| Vec::new()));
        }
        self.answer(frame, (Kind::SetReply, Kind::SetError), |desk, item| match manner {
            Manner::Refuse => Err(Refused::Control),
            _ => desk.set(item, manner == Manner::Lie, now_ms).map(|()| item.data.clone()),
        })
    }

    fn reboot(&mut self, now_ms: u64) {
        self.cabinet.boot(now_ms, self.settings.boot_ms);
        (self.boots, self.lie, self.told) = (self.boots + 1, None, None);
        // It restarts once, and then goes on as it was.
        self.manner = self.manner.filter(|manner| *manner != Manner::Reboot);
    }

    fn answer(
        &mut self,
        frame: &Frame,
        (good, bad): (Kind, Kind),
        mut of: impl FnMut(&mut Desk, &Item) -> Result<Vec<u8>, Refused>,
    ) -> Answer {
        let results: Vec<_> = frame.items.iter().map(|item| (item, of(self, item))).collect();
        let refused = results.iter().any(|(_, result)| result.is_err());
        let items = results.into_iter().filter_map(|(item, result)| match result {
            Ok(data) => (!refused).then(|| Item { data, ..item.clone() }),
            Err(why) => Some(Item { data: vec![why as u8], ..item.clone() }),
        });
        Answer::Frame(frame.reply(if refused { bad } else { good }, items.collect()))
    }

    /// A person at the cabinet sets a mode. Whether it can be.
    pub(super) fn by_hand(&mut self, mode: Mode) -> bool {
        let now_ms = self.now_ms();
        self.cabinet.set_mode(mode, now_ms)
    }

    /// What the heads show: with a fault in its lamps all of them green, unless it flashes or is all red.
    fn lamps(&self) -> Vec<Lamp> {
        let lamps = self.cabinet.lamps().to_vec();
        let clash = self.manner == Some(Manner::Clash) && lamps.iter().any(|lamp| lamp.is_green());
        if clash { vec![Lamp::Protected; lamps.len()] } else { lamps }
    }

    fn stage_number(&self) -> u8 {
        self.lie.unwrap_or(self.cabinet.stage() as u8 + 1)
    }

    fn value(&self, at: Address, now_ms: u64) -> Result<Vec<u8>, Refused> {
        let is = |of: Address| at.is_of(of);
        Ok(match at {
            _ if is(address::LAMPS) => self.lamps().into_iter().map(|lamp| state(lamp) as u8).collect(),
            _ if is(address::STAGE_NUMBER) => (1..=self.cabinet.junction.stages.len() as u8).collect(),
            _ if is(address::STAGE_ELAPSED) => ((self.cabinet.elapsed_ms(now_ms) / 1000) as u16).to_be_bytes().to_vec(),
            _ if is(address::RUN_ROAD) => vec![ROAD],
            _ if is(address::RUN_MODE) => vec![self.cabinet.mode().0],
            _ if is(address::RUN_PLAN) => u16::from(self.cabinet.plan.number).to_be_bytes().to_vec(),
            _ if is(address::RUN_STAGE) => vec![self.stage_number()],
            _ => return Err(Refused::Absent),
        })
    }

    fn set(&mut self, item: &Item, lies: bool, now_ms: u64) -> Result<(), Refused> {
        let &[value] = item.data.as_slice() else { return Err(Refused::Length) };
        let done = if item.at == self.controls.mode {
            let mode = Mode(value);
            self.lie = self.lie.filter(|_| !mode.is_local());
            self.cabinet.set_mode(mode, now_ms)
        } else if item.at == self.controls.stage {
            let stages = self.cabinet.junction.stages.len();
            if value == 0 || usize::from(value) > stages {
                return Err(Refused::Range);
            }
            if lies {
                self.lie = Some(value);
            }
            let taken = lies || self.cabinet.wish(u16::from(value) - 1);
            self.log.push((now_ms, Happened::Wished(u16::from(value) - 1, taken)));
            taken
        } else if item.at == self.controls.plan {
            self.cabinet.order_plan(value)
        } else {
            return Err(Refused::Absent);
        };
        done.then_some(()).ok_or(Refused::Control)
    }
}

/// What a lamp group tells of what its head shows.
fn state(lamp: Lamp) -> LampState {
    match lamp {
        Lamp::Red => LampState::Red,
        Lamp::Yellow => LampState::Yellow,
        Lamp::Protected | Lamp::Permissive => LampState::Green,
        Lamp::Off => LampState::YellowFlash,
    }
}

#[cfg(test)]
impl Desk {
    pub(super) fn clashes(&self) -> bool {
        self.cabinet.clashes()
    }
}
