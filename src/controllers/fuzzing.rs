//! The decoder of controllers' frames, for [`crate::fuzzing`].

use std::sync::{Arc, LazyLock};

use nanming_dataflows::ids::JunctionId;
use nanming_simulators::gbt20999::{
    Address, Frame, FrameError, Item, Kind, LampState, Length, Mode, PlanRow, PlanStep, Stream, VERSION, Wire, address,
};

use super::session::{Line, Said, Session};
use super::{Rules, Site};
use crate::config::ControllersConfig;
use crate::fuzzing::{CITY, choosing, chosen};

const CONTROLLER: u32 = 17;
const ROAD: u8 = 1;

static RULES: LazyLock<Rules> = LazyLock::new(|| Rules::of(&ControllersConfig::default()));

fn site() -> Site {
    let junction = &CITY.junctions[0];
    let (stages, heads) = (junction.stages.len() as u8, junction.heads.len() as u8);
    Site {
        city: Arc::clone(&CITY),
        junction: JunctionId(0),
        address: "x:1".into(),
        controller: CONTROLLER,
        road: ROAD,
        stages: (1..=stages).collect(),
        lamp_groups: (1..=heads).collect(),
        plan_slots: Some([31, 32]),
    }
}

/// Bytes from a controller, however it writes frames; or frames of ours whose sequence, kind and items alone are told.
pub(crate) fn frames(bytes: &[u8]) {
    let (which, rest) = chosen(bytes);
    let mut session = Session::new(site(), RULES.clone());
    session.connected(1_000);
    session.wish(Some(1), 1_000);
    if which % 2 == 1 {
        return said(&mut session, rest);
    }
    let wire = wire(which);
    let (mut stream, mut now_ms) = (Stream::new(wire), 1_000);
    for piece in rest.chunks(1 + which / 32) {
        stream.take(piece).into_iter().for_each(|heard| hear(&mut session, heard, &wire, &mut now_ms));
    }
    // Whatever came before: the second of two whole frames is heard.
    let good = Frame { kind: Kind::Heartbeat, ..frame(3, Kind::Heartbeat, Vec::new()) };
    let written = wire.encode(&good).unwrap_or_default();
    stream.take(&written);
    assert_eq!(stream.take(&written).pop(), Some(Ok(good)));
}

/// A way of writing frames.
fn wire(which: usize) -> Wire {
    let length = [Length::AfterItself, Length::Inside, Length::WithoutCrc][which / 2 % 3];
    let (crc_polynomial, crc_initial) = [(0x1005, 0), (0x1021, 0xffff)][which / 8 % 2];
    Wire { length, crc_polynomial, crc_initial }
}

/// A frame each: its length, sequence, kind, number of items, and the items.
fn said(session: &mut Session, mut bytes: &[u8]) {
    let (wire, mut now_ms) = (Wire::default(), 1_000);
    while let Some((length, rest)) = bytes.split_first() {
        let (told, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        let mut inside = ((told.len() + 11) as u16).to_be_bytes().to_vec();
        inside.extend_from_slice(&VERSION.to_be_bytes());
        inside.push(1);
        inside.extend_from_slice(&CONTROLLER.to_be_bytes());
        inside.push(ROAD);
        inside.extend_from_slice(told);
        let crc = wire.crc(&inside);
        inside.extend_from_slice(&crc.to_be_bytes());
        hear(session, wire.decode(&inside), &wire, &mut now_ms);
        bytes = rest;
    }
}

/// A session hears something; what it says can be sent, and what it tells says why.
fn hear(session: &mut Session, heard: Result<Frame, FrameError>, wire: &Wire, now_ms: &mut u64) {
    match &heard {
        Ok(frame) => {
            let written = wire.encode(frame).unwrap_or_default();
            assert_eq!(Stream::new(*wire).take(&written), [Ok(frame.clone())]);
            if let Some((plan, items)) = PlanRow::read(frame).and_then(|plan| Some((plan.clone(), plan.items()?))) {
                assert_eq!(PlanRow::read(&frame.reply(Kind::Set, items)), Some(plan));
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
    session.hear(heard, *now_ms);
    *now_ms += 700;
    if session.turn(*now_ms) == Line::Dead {
        session.gone("it does not answer", *now_ms);
        session.connected(*now_ms);
        session.wish(Some(2), *now_ms);
    }
    for frame in session.frames() {
        assert!(RULES.wire.encode(&frame).is_ok(), "{frame:?}");
    }
    for said in session.said() {
        match said {
            Said::Alarm(_, why) => assert!(!why.is_empty()),
            Said::Feedback(_, lamps) => assert_eq!(lamps.len(), CITY.junctions[0].heads.len()),
            Said::Order(_) | Said::Answered(_) | Said::Reached => {}
        }
    }
}

fn frame(seq: u8, kind: Kind, items: Vec<Item>) -> Frame {
    Frame { version: VERSION, centre: 1, controller: CONTROLLER, road: ROAD, seq, kind, items }
}

pub(crate) fn frame_seeds() -> Vec<Vec<u8>> {
    let junction = &CITY.junctions[0];
    let lamps = |stage: usize| {
        let shown = |is_green: bool| if is_green { LampState::Green } else { LampState::Red } as u8;
        junction.stages[stage].lights.iter().map(|light| shown(light.is_green())).collect::<Vec<u8>>()
    };
    let status = |mode: Mode, stage: u8| {
        let lamps = lamps(usize::from(stage) - 1);
        let of = [address::RUN_MODE, address::RUN_PLAN, address::RUN_STAGE].map(|at| at.element(ROAD));
        Frame::rows(of.into_iter().zip([vec![mode.0], vec![0, 1], vec![stage]]).chain([(address::LAMPS, lamps)]))
    };
    let step = |stage, time_s| PlanStep { stage, time_s };
    let plan = PlanRow { number: 31, road: ROAD, offset_s: 7, steps: vec![step(1, 40), step(2, 50)] };
    let fault = Frame::rows([(Address(address::FAULTS, 1, 2, 1), vec![1, 2])]);
    let talk = [
        frame(1, Kind::QueryReply, status(Mode::LOCAL_FIXED, 1)),
        frame(2, Kind::SetReply, Vec::new()),
        frame(3, Kind::QueryReply, status(Mode::CENTRE_ADAPTIVE, 1)),
        frame(4, Kind::SetReply, Vec::new()),
        frame(5, Kind::QueryReply, status(Mode::CENTRE_ADAPTIVE, 2)),
        frame(9, Kind::Trap, status(Mode::FLASH, 1)),
        frame(9, Kind::Trap, fault),
        frame(6, Kind::SetError, Frame::rows([(address::RUN_MODE, vec![0x12])])),
        frame(7, Kind::Set, plan.items().unwrap_or_default()),
        frame(8, Kind::Heartbeat, Vec::new()),
    ];
    let written = |wire: Wire| talk.iter().filter_map(|frame| wire.encode(frame).ok()).flatten().collect::<Vec<u8>>();
    // Behind what is the same in all: length, version, centre, controller, road.
    let told = |frame: &Frame| {
        let mut stripped = Vec::new();
        let bytes = Wire::default().encode(frame).unwrap_or_default();
        let mut inside = bytes[1..bytes.len() - 1].iter();
        while let Some(byte) = inside.next() {
            stripped.extend(if *byte == 0x5c { inside.next() } else { Some(byte) });
        }
        let told = &stripped[10..stripped.len() - 2];
        [&[told.len() as u8], told].concat()
    };
    let plain: Vec<u8> = talk.iter().flat_map(told).collect();
    let wires = [0, 2, 4, 8, 254].map(|which| (which, written(wire(usize::from(which)))));
    choosing(wires.into_iter().chain([(1, plain)]))
}
