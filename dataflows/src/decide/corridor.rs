//! Pre-emption corridors: green along the way of a unit that drives with lights, as it comes.
//!
//! One machine for the city, for a way is found over the travel times of all links and few units drive with lights at a
//! time. It knows where each unit was last and which have to go somewhere urgently; it keeps the way of those, expects when
//! they reach the next junctions and each second claims green there. What a junction makes of a claim is its own business.
//! `docs/preemption.md` has the bounds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::claim::{Asked, Claim, Claimant, Request};
use crate::Time;
use crate::decision::{LinkState, UnitRoute};
use crate::event::Priority;
use crate::ids::{LinkId, UnitId};
use crate::keyed::{Key, Kind, Machine, Outbox};
use crate::network::{City, Point};

mod drive;
#[cfg(test)]
mod tests;
mod ways;
use drive::{Drive, Pace};
use ways::Ways;

/// How often claims are told, ms.
const CLAIM_MS: u64 = 1_000;
/// A unit that has not said for so long where it is claims nothing, ms.
const SILENT_MS: u64 = 30_000;

/// The key of the one machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct AllUnits;

impl Key for AllUnits {
    fn route(&self) -> u64 {
        1
    }
}

/// Something that corridors are told. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct CorridorEvent {
    /// When, ms.
    pub time_ms: u64,
    /// What.
    pub what: CorridorNews,
}

/// What corridors are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum CorridorNews {
    /// The traffic of a link.
    Link(LinkId, LinkNow),
    /// A unit is here; whether it is at work there.
    Here(UnitId, Point, bool),
    /// A unit has to go there, how urgently; or it is not on its way any more.
    Errand(UnitId, Option<(Priority, Point)>),
}

/// The traffic of a link as a corridor needs it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LinkNow {
    /// Travel time, ms.
    pub travel_ms: u32,
    /// Vehicles that stand on it, 1/1000.
    pub standing_milli: u32,
}

impl LinkNow {
    /// Of a link's state: as large a share of its vehicles stands as its speed lacks of the free one.
    pub fn of(city: &City, state: &LinkState) -> LinkNow {
        let link = &city.links[state.link.index()];
        let (free, now) = (u64::from(link.free_speed_mm_s.max(1)), u64::from(state.speed_mm_s));
        let vehicles_milli = u64::from(state.density_milli_veh_km) * u64::from(link.length_mm) / 1_000_000;
        let standing_milli = vehicles_milli * free.saturating_sub(now) / free;
        LinkNow { travel_ms: state.travel_ms, standing_milli: standing_milli as u32 }
    }
}

/// What corridors say.
#[derive(Clone, Debug)]
pub enum CorridorSaid {
    /// To a junction.
    Request(Request),
    /// A way was found.
    Route(UnitRoute),
}

/// The machine.
pub struct Corridors {
    ways: Ways,
    least: Option<Priority>,
}

impl Corridors {
    /// For a city's streets, junctions and rules of priority.
    pub fn new(city: &City) -> Self {
        Corridors { ways: Ways::new(city), least: city.signal_priority.corridor }
    }
}

/// What is remembered.
#[derive(Default, Serialize, Deserialize)]
pub struct UnderWay {
    traffic: Vec<LinkNow>,
    fixes: BTreeMap<UnitId, Fix>,
    drives: BTreeMap<UnitId, Drive>,
    next_ms: Time,
}

/// Where a unit was last.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Fix {
    time_ms: u64,
    at: Point,
    /// Where it was before it came there.
    before: Option<Point>,
    at_work: bool,
}

impl Machine for Corridors {
    type Key = AllUnits;
    type Event = CorridorEvent;
    type State = UnderWay;
    type Out = CorridorSaid;

    fn name(&self) -> &'static str {
        "corridors"
    }

    fn kind(&self) -> Kind {
        Kind::Told
    }

    fn step(
        &self,
        _: AllUnits,
        state: &mut UnderWay,
        tick: Time,
        events: &[(AllUnits, CorridorEvent)],
        out: &mut Outbox<CorridorSaid>,
    ) {
        if state.traffic.is_empty() {
            state.traffic = self.ways.free_traffic();
        }
        for (_, event) in events {
            self.hear(state, tick, event, out);
        }
        if tick >= state.next_ms {
            state.next_ms = tick + CLAIM_MS;
            let pace = Pace { ways: &self.ways, traffic: &state.traffic };
            for (unit, drive) in &mut state.drives {
                let fix = state.fixes.get(unit).filter(|fix| !fix.at_work && tick < fix.time_ms + SILENT_MS);
                let claims = if fix.is_some() { drive.claims(*unit, &pace, tick) } else { Vec::new() };
                tell(drive, *unit, tick, &claims, out);
            }
        }
        if !state.drives.is_empty() {
            out.wake_at(state.next_ms);
        }
    }
}

impl Corridors {
    fn hear(&self, state: &mut UnderWay, tick: Time, event: &CorridorEvent, out: &mut Outbox<CorridorSaid>) {
        match event.what {
            CorridorNews::Link(link, now) => state.traffic[link.index()] = now,
            CorridorNews::Here(unit, at, at_work) => {
                let last = state.fixes.get(&unit).copied();
                if last.is_some_and(|last| last.time_ms > event.time_ms) {
                    return;
                }
                let before = last.and_then(|last| if last.at == at { last.before } else { Some(last.at) });
                state.fixes.insert(unit, Fix { time_ms: event.time_ms, at, before, at_work });
                self.follow(state, unit, tick, out);
            }
            CorridorNews::Errand(unit, errand) => {
                let errand = errand.filter(|(urgency, _)| self.least.is_some_and(|least| *urgency <= least));
                let Some((urgency, to)) = errand else {
                    let ended = state.drives.remove(&unit);
                    ended.into_iter().for_each(|mut drive| tell(&mut drive, unit, tick, &[], out));
                    return;
                };
                let drive = state.drives.entry(unit).or_insert_with(|| Drive::new(to));
                drive.urgency = urgency;
                if drive.to != to {
                    drive.turn_to(to);
                }
                state.next_ms = tick;
                self.follow(state, unit, tick, out);
            }
        }
    }

    /// Finds a unit on its way, or a way for it.
    fn follow(&self, state: &mut UnderWay, unit: UnitId, tick: Time, out: &mut Outbox<CorridorSaid>) {
        let (Some(drive), Some(fix)) = (state.drives.get_mut(&unit), state.fixes.get(&unit)) else { return };
        if fix.at_work || drive.is_here(&self.ways, fix.at, fix.time_ms) {
            return;
        }
        let pace = Pace { ways: &self.ways, traffic: &state.traffic };
        drive.set_out(&pace, (fix.at, fix.before), fix.time_ms);
        let links = drive.route().to_vec();
        if !links.is_empty() {
            out.emit(CorridorSaid::Route(UnitRoute { unit, time_ms: tick, links }));
        }
    }
}

/// Tells junctions what a unit claims now, and what it claims no longer.
fn tell(drive: &mut Drive, unit: UnitId, tick: Time, claims: &[drive::Claimed], out: &mut Outbox<CorridorSaid>) {
    let who = Claimant::Unit(unit);
    let mut say = |junction, asked| {
        out.emit(CorridorSaid::Request(Request { junction, time_ms: tick, asked }));
    };
    let now = claims.iter().map(|c| (c.junction, c.claim.approach)).collect();
    for (junction, approach) in drive.asked.difference(&now) {
        say(*junction, Asked::Released(who, *approach));
    }
    claims.iter().for_each(|c| say(c.junction, Asked::Claimed(Claim { who, ..c.claim })));
    drive.asked = now;
}
