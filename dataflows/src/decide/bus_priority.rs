//! Bus priority: a bus that is late asks the next junction for a few seconds.
//!
//! One machine a line. There is no timetable, only a headway: a bus is late when the gap to the one ahead of it has grown
//! beyond that, measured where both were. It asks when no stop lies between it and the line any more, for nobody knows how
//! long it stands there. How much it gets is the junction's business.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::claim::{Asked, Claim, Claimant, Request};
use crate::Time;
use crate::event::{BusFix, Priority};
use crate::ids::{BusId, BusLineId, JunctionId, LinkId};
use crate::keyed::{Machine, Outbox};
use crate::network::City;

/// A gap that is so much longer than the headway makes a bus late, 1/1000.
const LATE_MILLI: u64 = 1_250;
/// A bus that is so far behind does not run in this headway: the line has just begun, ms.
const NEW_MS: u64 = 3_600_000;
/// It asks so long before it comes, ms.
const HORIZON_MS: u64 = 25_000;
/// Slower than this share of the free speed it is not expected to go on, 1/1000.
const SLOWEST_MILLI: u64 = 500;

/// The machine of bus lines.
pub struct BusPriority {
    city: Arc<City>,
    /// The junction whose signals govern the way from a link to a link.
    crossings: BTreeMap<(LinkId, LinkId), JunctionId>,
}

impl BusPriority {
    /// For a city's lines.
    pub fn new(city: Arc<City>) -> Self {
        let link = |lane: crate::ids::LaneId| city.lanes[lane.index()].link;
        let ways = city.movements.iter().filter_map(|m| Some(((link(m.from), link(m.to)), m.signal?.0)));
        let crossings = ways.collect();
        BusPriority { city, crossings }
    }
}

/// What is remembered of a line.
#[derive(Default, Serialize, Deserialize)]
pub struct Line {
    /// By link: the bus that was last seen there, when it was first, and how long after the one ahead, ms.
    last: BTreeMap<LinkId, (BusId, u64, u64)>,
    asked: BTreeMap<BusId, (JunctionId, LinkId)>,
}

impl Machine for BusPriority {
    type Key = BusLineId;
    type Event = BusFix;
    type State = Line;
    type Out = Request;

    fn name(&self) -> &'static str {
        "bus_priority"
    }

    fn step(
        &self,
        id: BusLineId,
        line: &mut Line,
        tick: Time,
        events: &[(BusLineId, BusFix)],
        out: &mut Outbox<Request>,
    ) {
        for (_, fix) in events {
            let (bus, time_ms) = (fix.bus, fix.time_ms);
            let claim = self.claim(id, line, fix);
            let now = claim.map(|(junction, claim)| (junction, claim.approach));
            if let Some((junction, approach)) = line.asked.remove(&bus).filter(|before| Some(*before) != now) {
                let asked = Asked::Released(Claimant::Bus(bus), approach);
                out.emit(Request { junction, time_ms: tick, asked });
            }
            if let Some((junction, claim)) = claim {
                line.asked.insert(bus, (junction, claim.approach));
                out.emit(Request { junction, time_ms: time_ms.max(tick), asked: Asked::Claimed(claim) });
            }
        }
    }
}

impl BusPriority {
    /// What a bus asks of the junction before it, if it is late and comes soon.
    fn claim(&self, id: BusLineId, line: &mut Line, fix: &BusFix) -> Option<(JunctionId, Claim)> {
        let route = self.city.bus_lines.get(id.index())?;
        let gap_ms = line.gap_ms(fix);
        let late = (u64::from(route.headway_ms) * LATE_MILLI / 1_000..NEW_MS).contains(&gap_ms);
        let leg = route.route.iter().position(|link| *link == fix.link).filter(|_| late)?;
        let out = *route.route.get(leg + 1)?;
        let junction = *self.crossings.get(&(fix.link, out))?;
        let stops_ahead = route.stops.iter().any(|(link, at_mm)| *link == fix.link && *at_mm >= fix.position_mm);
        let link = &self.city.links[fix.link.index()];
        let slowest_mm_s = u64::from(link.free_speed_mm_s) * SLOWEST_MILLI / 1_000;
        let speed_mm_s = u64::from(fix.speed_mm_s).max(slowest_mm_s).max(1);
        let to_come_ms = u64::from(link.length_mm.saturating_sub(fix.position_mm)) * 1_000 / speed_mm_s;
        let soon = !stops_ahead && to_come_ms <= HORIZON_MS;
        let (who, urgency, eta_ms) = (Claimant::Bus(fix.bus), Priority::C, fix.time_ms + to_come_ms);
        let claim = Claim { eta_ms, urgency, who, approach: fix.link, out, clear_ms: 0 };
        soon.then_some((junction, claim))
    }
}

impl Line {
    /// How long after the bus ahead one came to the link where it is, ms; 0 while nobody was there before it.
    fn gap_ms(&mut self, fix: &BusFix) -> u64 {
        let now = (fix.bus, fix.time_ms, 0);
        let (bus, since_ms, gap_ms) = *self.last.entry(fix.link).or_insert(now);
        if bus == fix.bus {
            return gap_ms;
        }
        let gap_ms = fix.time_ms.saturating_sub(since_ms);
        self.last.insert(fix.link, (fix.bus, fix.time_ms, gap_ms));
        gap_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::dispatch::tests::streets;
    use crate::ids::{LaneId, MovementId};
    use crate::network::{BusLine, Movement, Point, Turn};

    /// A line over two links of 500 m at 10 m/s with signals between; a stop 100 m down the first; a bus each 5 min.
    fn line() -> BusPriority {
        let mut city = streets(&[0, 500, 1_000].map(|x_m| Point { x_mm: x_m * 1_000, y_mm: 0 }));
        let (id, from, to, turn) = (MovementId(0), LaneId(0), LaneId(2), Turn::Through);
        city.movements.push(Movement { id, from, to, turn, signal: Some((JunctionId(4), 0)) });
        let (route, stops) = (vec![LinkId(0), LinkId(2)], vec![(LinkId(0), 100_000)]);
        city.bus_lines.push(BusLine { id: BusLineId(0), name: String::new(), route, stops, headway_ms: 300_000 });
        BusPriority::new(Arc::new(city))
    }

    fn step(machine: &BusPriority, line: &mut Line, time_s: u64, bus: u32, link: u32, position_m: u32) -> Vec<Request> {
        let (time_ms, bus, id) = (time_s * 1_000, BusId(bus), BusLineId(0));
        let (link, position_mm, speed_mm_s) = (LinkId(link), position_m * 1_000, 10_000);
        let fix = BusFix { time_ms, bus, line: id, link, position_mm, speed_mm_s };
        let mut out = Outbox::new();
        machine.step(id, line, time_ms, &[(id, fix)], &mut out);
        out.said()
    }

    #[test]
    fn a_late_bus_asks_behind_its_stop_until_it_has_passed() {
        let (machine, mut line) = (line(), Line::default());
        assert_eq!(step(&machine, &mut line, 1_000, 1, 0, 300), [], "nobody was ahead of it");
        assert_eq!(step(&machine, &mut line, 1_300, 2, 0, 300), [], "it is on time");
        assert_eq!(step(&machine, &mut line, 1_700, 3, 0, 50), [], "late, but it will stop");
        let [Request { junction: JunctionId(4), asked: Asked::Claimed(claim), .. }] =
            step(&machine, &mut line, 1_730, 3, 0, 300)[..]
        else {
            panic!("it asks")
        };
        assert_eq!((claim.eta_ms, claim.approach, claim.out), (1_750_000, LinkId(0), LinkId(2)));
        let [Request { junction: JunctionId(4), asked: Asked::Released(who, LinkId(0)), .. }] =
            step(&machine, &mut line, 1_760, 3, 2, 20)[..]
        else {
            panic!("it has passed")
        };
        assert_eq!(who, Claimant::Bus(BusId(3)));
        assert_eq!(step(&machine, &mut line, 9_000, 1, 0, 300), [], "the line begins anew");
    }
}
