use super::*;
use crate::decide::dispatch::tests::streets;
use crate::ids::{JunctionId, LaneId, MovementId, NodeId};
use crate::network::{Movement, Turn};

const UNIT: UnitId = UnitId(7);

/// A street from west to east with a node each 500 m and signals at every inner one; link 2n leads east from node n, link
/// 2n + 1 back. At 10 m/s a link takes 50 s. Nobody turns back.
fn street(nodes: usize) -> City {
    let places: Vec<Point> = (0..nodes).map(|n| east(n as i32 * 500)).collect();
    let mut city = streets(&places);
    let (east, west): (Vec<u32>, Vec<u32>) = (0..nodes as u32 - 1).map(|n| (2 * n, 2 * n + 1)).unzip();
    let pairs = east.windows(2).map(|p| (p[0], p[1])).chain(west.windows(2).map(|p| (p[1], p[0])));
    for (row, (from, to)) in pairs.collect::<Vec<_>>().into_iter().enumerate() {
        let node: NodeId = city.links[from as usize].to;
        let signal = Some((JunctionId(node.0), 0));
        let (id, from, to, turn) = (MovementId::from_index(row), LaneId(from), LaneId(to), Turn::Through);
        city.movements.push(Movement { id, from, to, turn, signal });
    }
    city
}

fn east(m: i32) -> Point {
    Point { x_mm: m * 1_000, y_mm: 0 }
}

/// Corridors under test.
struct Test {
    corridors: Corridors,
    state: UnderWay,
    tick: Time,
}

impl Test {
    fn new(city: &City) -> Self {
        Test { corridors: Corridors::new(city), state: UnderWay::default(), tick: 1_000_000 }
    }

    /// The next tick, `after_ms` later, at which this is told.
    fn step(&mut self, after_ms: u64, news: &[CorridorNews]) -> Vec<CorridorSaid> {
        self.tick += after_ms;
        let event = |what: &CorridorNews| (AllUnits, CorridorEvent { time_ms: self.tick, what: *what });
        let mut events: Vec<_> = news.iter().map(event).collect();
        events.sort_unstable();
        let mut out = Outbox::new();
        self.corridors.step(AllUnits, &mut self.state, self.tick, &events, &mut out);
        out.said()
    }

    /// What is claimed and released then: junction, approach, s from now; none: released.
    fn asked(&mut self, after_ms: u64, news: &[CorridorNews]) -> Vec<(u32, u32, Option<u64>)> {
        let now_ms = self.tick + after_ms;
        let row = |said: CorridorSaid| match said {
            CorridorSaid::Request(Request { junction, asked: Asked::Claimed(c), .. }) => {
                Some((junction.0, c.approach.0, Some((c.eta_ms - now_ms) / 1_000)))
            }
            CorridorSaid::Request(Request { junction, asked: Asked::Released(_, approach), .. }) => {
                Some((junction.0, approach.0, None))
            }
            CorridorSaid::Route(_) => None,
        };
        self.step(after_ms, news).into_iter().filter_map(row).collect()
    }
}

fn here(m: i32) -> CorridorNews {
    CorridorNews::Here(UNIT, east(m), false)
}

fn sent(urgency: Priority, m: i32) -> CorridorNews {
    CorridorNews::Errand(UNIT, Some((urgency, east(m))))
}

const RELEASED: CorridorNews = CorridorNews::Errand(UNIT, None);

fn routes(said: Vec<CorridorSaid>) -> Vec<Vec<u32>> {
    let links = |said| if let CorridorSaid::Route(r) = said { Some(r.links) } else { None };
    said.into_iter().filter_map(links).map(|links| links.into_iter().map(|l| l.0).collect()).collect()
}

#[test]
fn the_junctions_ahead_are_asked_as_they_come_within_reach_and_released_behind() {
    let mut test = Test::new(&street(6));
    assert_eq!(test.asked(0, &[here(100)]), []);
    let claimed = test.asked(1_000, &[sent(Priority::A, 2_200)]);
    assert_eq!(claimed, [(1, 0, Some(39))], "400 m at 10 m/s; it left a second ago");
    assert_eq!(test.asked(19_000, &[here(300)]), [(1, 0, Some(20))]);
    assert_eq!(test.asked(11_000, &[]), [(1, 0, Some(9)), (2, 2, Some(59))], "expected to go on");
    assert_eq!(test.asked(12_000, &[here(510)]), [(1, 0, None), (2, 2, Some(49))], "it has passed");
    assert_eq!(test.asked(1_000, &[RELEASED]), [(2, 2, None)]);
    assert_eq!(test.asked(1_000, &[here(600)]), []);
}

#[test]
fn only_calls_that_are_urgent_enough_open_a_corridor() {
    let mut city = street(4);
    for (least, urgency, opens) in [
        (Some(Priority::A), Priority::A, true),
        (Some(Priority::A), Priority::B, false),
        (Some(Priority::B), Priority::B, true),
        (None, Priority::A, false),
    ] {
        city.signal_priority.corridor = least;
        let claimed = Test::new(&city).asked(0, &[here(100), sent(urgency, 1_200)]);
        assert_eq!(!claimed.is_empty(), opens, "{least:?} {urgency:?}");
    }
}

#[test]
fn one_that_waits_at_the_line_is_due_until_it_is_silent() {
    let mut test = Test::new(&street(4));
    test.step(0, &[here(100), sent(Priority::A, 1_200)]);
    test.step(50_000, &[here(490)]);
    assert_eq!(test.asked(5_000, &[]), [(1, 0, Some(0)), (2, 2, Some(46))]);
    assert_eq!(test.asked(25_000, &[]), [(1, 0, None), (2, 2, None)], "nobody knows where it is");
    assert_eq!(test.asked(1_000, &[here(495)]), [(1, 0, Some(0)), (2, 2, Some(50))]);
    assert_eq!(test.asked(1_000, &[CorridorNews::Here(UNIT, east(495), true)]), [(1, 0, None), (2, 2, None)]);
}

#[test]
fn a_queue_before_it_is_given_time_to_go() {
    let city = street(4);
    let mut test = Test::new(&city);
    let standing = LinkNow { travel_ms: 50_000, standing_milli: 5_000 };
    let said = test.step(0, &[CorridorNews::Link(LinkId(0), standing), here(100), sent(Priority::A, 1_200)]);
    let clear_ms = |said: &CorridorSaid| match said {
        CorridorSaid::Request(Request { asked: Asked::Claimed(claim), .. }) => Some(claim.clear_ms),
        _ => None,
    };
    assert_eq!(
        said.iter().filter_map(clear_ms).collect::<Vec<_>>(),
        [18_000],
        "5 vehicles of 2 s, 3 s to start, and 5 s in sight"
    );
}

#[test]
fn a_unit_that_leaves_its_way_is_given_another() {
    let mut test = Test::new(&street(6));
    let said = test.step(0, &[here(700), sent(Priority::A, 2_200)]);
    assert_eq!(routes(said), [[2, 4, 6, 8]], "eastward, from the link where it is");
    assert_eq!(routes(test.step(5_000, &[here(760)])), [] as [Vec<u32>; 0], "it is on its way");
    let aside = Point { x_mm: 1_700_000, y_mm: 60_000 };
    assert_eq!(routes(test.step(5_000, &[CorridorNews::Here(UNIT, aside, false)])), [[6, 8]], "off it: from there on");
    let said = test.step(1_000, &[sent(Priority::A, 1_900)]);
    assert_eq!(routes(said), [[6]], "the call is elsewhere");
}

#[test]
fn the_state_of_a_link_tells_how_many_stand() {
    let city = street(3);
    let state = LinkState {
        link: LinkId(0),
        time_ms: 0,
        flow_veh_h: 0,
        speed_mm_s: 2_500,
        density_milli_veh_km: 40_000,
        queue_milli_veh: 0,
        travel_ms: 200_000,
        level: Default::default(),
        observed: true,
    };
    assert_eq!(LinkNow::of(&city, &state), LinkNow { travel_ms: 200_000, standing_milli: 15_000 });
}
