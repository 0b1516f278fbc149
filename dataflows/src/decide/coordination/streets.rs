//! How plan-mode junctions hang together: which lanes lead to their lights, which junction sends them platoons, and who
//! shares a cycle.

use std::collections::BTreeMap;

use crate::ids::{JunctionId, LaneId, LinkId, MovementId};
use crate::network::{City, SignalMode, Turn};

/// A platoon that is under way for longer has dissolved (TRANSYT-7F advises against linking beyond 800 m), s.
const LONGEST_S: f64 = 60.0;
/// So many links without lights between two junctions are followed, at most.
const DEEPEST: usize = 6;
/// A link before lights that is shorter than this is seen together with the links that lead into it: vehicles may pass it
/// between two looks of a camera, and a queue is soon longer, mm.
const SHORT_MM: u32 = 100_000;
/// More junctions no group has: a search over one then stays within some ms.
pub(super) const LARGEST: usize = 16;

/// Junctions that share a cycle.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Group {
    /// In order.
    pub(super) junctions: Vec<JunctionId>,
    pub(super) approaches: Vec<Approach>,
    pub(super) lanes: Vec<ApproachLane>,
    /// Where vehicles are counted: the lanes before lights, and those that lead into short ones.
    pub(super) counted: BTreeMap<LaneId, usize>,
    /// Where flow is measured: the links of those lanes.
    pub(super) measured: BTreeMap<LinkId, usize>,
    /// Row in `lanes`.
    pub(super) of_lane: BTreeMap<LaneId, usize>,
    /// Row in `approaches`.
    pub(super) of_link: BTreeMap<LinkId, usize>,
}

/// A link that ends at lights.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Approach {
    /// Row in the group's junctions.
    pub(super) junction: usize,
    /// Rows in the group's lanes.
    pub(super) lanes: Vec<usize>,
    /// The same flow measured at the link, and further up where it is short: rows in the group's `measured`, and the share of
    /// each that comes here.
    pub(super) levels: Vec<Vec<(usize, f64)>>,
    pub(super) upstream: Option<Upstream>,
}

/// A junction of the same group from which platoons come.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Upstream {
    /// Row in the group's junctions.
    pub(super) junction: usize,
    /// Rows in the group's lanes, and the share of who leaves each that comes here.
    pub(super) feeds: Vec<(usize, f64)>,
    pub(super) travel_s: f64,
}

/// A lane before lights.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ApproachLane {
    /// Row in the group's junctions.
    pub(super) junction: usize,
    /// Its movements under lights: head, turn, share of its vehicles.
    pub(super) moves: Vec<(usize, Turn, f64)>,
    /// Itself and lanes that lead into it: rows in the group's `counted`, and the share of who is there that comes here.
    pub(super) sources: Vec<(usize, f64)>,
}

/// A way from lanes before lights to the next lights.
#[derive(Clone, Debug, Default)]
struct Street {
    feeds: Vec<(LaneId, f64)>,
    travel_s: f64,
}

/// Groups of the junctions in plan mode: the shortest streets tie first.
pub(super) fn groups(city: &City) -> Vec<Group> {
    let into = into(city);
    let streets = streets(city, &into);
    let mut ties: Vec<(u64, JunctionId, JunctionId)> =
        streets.iter().map(|((_, from, to), s)| ((s.travel_s * 1000.0) as u64, *from, *to)).collect();
    ties.sort_unstable();
    let mut root: BTreeMap<JunctionId, JunctionId> = planned(city).map(|j| (j, j)).collect();
    for (_, from, to) in ties {
        let (a, b) = (root[&from].min(root[&to]), root[&from].max(root[&to]));
        if a != b && root.values().filter(|r| **r == a || **r == b).count() <= LARGEST {
            root.values_mut().filter(|r| **r == b).for_each(|r| *r = a);
        }
    }
    let mut members: BTreeMap<JunctionId, Vec<JunctionId>> = BTreeMap::new();
    root.into_iter().for_each(|(junction, root)| members.entry(root).or_default().push(junction));
    members.into_values().map(|junctions| Group::new(city, junctions, &streets, &into)).collect()
}

fn planned(city: &City) -> impl Iterator<Item = JunctionId> {
    city.junctions.iter().filter(|j| j.mode == SignalMode::Plan).map(|j| j.id)
}

impl Group {
    fn new(
        city: &City,
        junctions: Vec<JunctionId>,
        streets: &BTreeMap<(LinkId, JunctionId, JunctionId), Street>,
        into: &[Vec<MovementId>],
    ) -> Group {
        let mut group = Group { junctions, ..Group::default() };
        for (row, id) in group.junctions.clone().into_iter().enumerate() {
            for link in city.junctions[id.index()].approaches.iter().map(|a| a.link) {
                group.add(city, into, row, (id, link));
            }
        }
        for ((link, from, _), street) in streets {
            let junction = group.junctions.binary_search(from);
            let (Some(approach), Ok(junction)) = (group.of_link.get(link), junction) else { continue };
            let feed = |(lane, share): &(LaneId, f64)| group.of_lane.get(lane).map(|row| (*row, *share));
            let feeds: Vec<(usize, f64)> = street.feeds.iter().filter_map(feed).collect();
            let weight = |feeds: &[(usize, f64)]| feeds.iter().map(|f| f.1).sum::<f64>();
            let upstream = &mut group.approaches[*approach].upstream;
            if weight(&feeds) > upstream.as_ref().map_or(0.0, |u| weight(&u.feeds)) {
                *upstream = Some(Upstream { junction, feeds, travel_s: street.travel_s });
            }
        }
        group
    }

    fn add(&mut self, city: &City, into: &[Vec<MovementId>], junction: usize, (id, link): (JunctionId, LinkId)) {
        let mut lanes = Vec::new();
        let levels = levels(city, into, link);
        for lane in city.links[link.index()].lanes.iter().filter(|lane| city.lanes[lane.index()].motor) {
            let all = shares(city, *lane);
            let own = all.into_iter().filter_map(|(m, share)| {
                let movement = &city.movements[m.index()];
                let (at, head) = movement.signal?;
                (at == id).then_some((usize::from(head), movement.turn, share))
            });
            let moves: Vec<_> = own.collect();
            if !moves.is_empty() {
                self.of_lane.insert(*lane, self.lanes.len());
                lanes.push(self.lanes.len());
                let depth = levels.len();
                let sources =
                    sources(city, into, *lane, depth).into_iter().map(|(lane, share)| (self.count(lane), share));
                let sources = sources.collect();
                self.lanes.push(ApproachLane { junction, moves, sources });
            }
        }
        if !lanes.is_empty() {
            self.of_link.insert(link, self.approaches.len());
            let levels = levels.into_iter().map(|level| level.into_iter().map(|(l, s)| (self.measure(l), s)).collect());
            let levels = levels.collect();
            self.approaches.push(Approach { junction, lanes, levels, upstream: None });
        }
    }

    fn count(&mut self, lane: LaneId) -> usize {
        let next = self.counted.len();
        *self.counted.entry(lane).or_insert(next)
    }

    fn measure(&mut self, link: LinkId) -> usize {
        let next = self.measured.len();
        *self.measured.entry(link).or_insert(next)
    }
}

/// The lanes that lead into a lane without lights, and the share of their vehicles that do.
fn feeders<'a>(city: &'a City, into: &'a [Vec<MovementId>], lane: LaneId) -> impl Iterator<Item = (LaneId, f64)> + 'a {
    let all = into[city.link_of(lane).id.index()].iter().map(|m| &city.movements[m.index()]);
    let free = all.filter(move |m| m.to == lane && m.signal.is_none() && city.lanes[m.from.index()].motor);
    free.map(|m| (m.from, shares(city, m.from).iter().find(|(id, _)| *id == m.id).map_or(0.0, |(_, share)| *share)))
}

/// A link, and level by level the links that lead into it while the way to the lights is short, with the share of their
/// vehicles that come.
fn levels(city: &City, into: &[Vec<MovementId>], link: LinkId) -> Vec<Vec<(LinkId, f64)>> {
    let mut levels = vec![vec![(link, 1.0)]];
    let mut reach_mm = city.links[link.index()].length_mm;
    while reach_mm < SHORT_MM && levels.len() < DEEPEST {
        let mut before: BTreeMap<LinkId, f64> = BTreeMap::new();
        for (link, share) in levels.last().into_iter().flatten() {
            for (lane, of_lane) in city.links[link.index()].lanes.iter().flat_map(|lane| feeders(city, into, *lane)) {
                let from = city.link_of(lane);
                let lanes = from.lanes.iter().filter(|lane| city.lanes[lane.index()].motor).count();
                *before.entry(from.id).or_default() += share * of_lane / lanes.max(1) as f64;
            }
        }
        let Some(longest_mm) = before.keys().map(|link| city.links[link.index()].length_mm).max() else { break };
        reach_mm += longest_mm;
        levels.push(before.into_iter().map(|(link, share)| (link, share.min(1.0))).collect());
    }
    levels
}

/// A lane and those that lead into it, so many levels of them, with the share of their vehicles that come.
fn sources(city: &City, into: &[Vec<MovementId>], lane: LaneId, levels: usize) -> Vec<(LaneId, f64)> {
    let mut sources = vec![(lane, 1.0)];
    let mut level = sources.clone();
    for _ in 1..levels {
        let before = |(lane, share): &(LaneId, f64)| {
            let share = *share;
            feeders(city, into, *lane).map(move |(lane, part)| (lane, share * part)).collect::<Vec<_>>()
        };
        level = level.iter().flat_map(before).filter(|(lane, _)| sources.iter().all(|s| s.0 != *lane)).collect();
        sources.extend(&level);
    }
    sources
}

/// The movements of a lane and the share of its vehicles that take each. Who turns is not counted by movement: from a lane
/// that also leads straight on, most go straight on.
fn shares(city: &City, lane: LaneId) -> Vec<(MovementId, f64)> {
    let weight = |m: &MovementId| match city.movements[m.index()].turn {
        Turn::Through => 3.0,
        Turn::Left | Turn::Right => 1.0,
        Turn::UTurn => 0.1,
    };
    let moves = &city.lanes[lane.index()].movements;
    let sum: f64 = moves.iter().map(weight).sum();
    moves.iter().map(|m| (*m, weight(m) / sum)).collect()
}

/// By link, the movements that lead into it.
fn into(city: &City) -> Vec<Vec<MovementId>> {
    let mut into = vec![Vec::new(); city.links.len()];
    city.movements.iter().for_each(|m| into[city.link_of(m.to).id.index()].push(m.id));
    into
}

/// Streets between two junctions in plan mode, by the link that ends at the lights of the second, the first and the second.
fn streets(city: &City, into: &[Vec<MovementId>]) -> BTreeMap<(LinkId, JunctionId, JunctionId), Street> {
    let mut streets = BTreeMap::new();
    for to in planned(city) {
        for link in city.junctions[to.index()].approaches.iter().map(|a| a.link) {
            let mut found: BTreeMap<JunctionId, Street> = BTreeMap::new();
            follow_back(city, into, link, (1.0, 0.0, 0), &mut found);
            let other = |from: &JunctionId| *from != to && city.junctions[from.index()].mode == SignalMode::Plan;
            streets.extend(found.into_iter().filter(|(from, _)| other(from)).map(|(from, s)| ((link, from, to), s)));
        }
    }
    streets
}

/// Follows a link, of whose vehicles a share goes on to the lights `rest_s` behind it, back to the lights before it.
fn follow_back(
    city: &City,
    into: &[Vec<MovementId>],
    link: LinkId,
    (share, rest_s, depth): (f64, f64, usize),
    found: &mut BTreeMap<JunctionId, Street>,
) {
    let travel_s = rest_s + city.links[link.index()].free_travel_ms() as f64 / 1000.0;
    if travel_s > LONGEST_S || depth > DEEPEST {
        return;
    }
    let mut links_back: BTreeMap<LinkId, f64> = BTreeMap::new();
    for m in into[link.index()].iter().map(|m| &city.movements[m.index()]) {
        let of_lane = shares(city, m.from).iter().find(|(id, _)| *id == m.id).map_or(0.0, |(_, share)| *share);
        if let Some((from, _)) = m.signal {
            let street = found.entry(from).or_insert(Street { feeds: Vec::new(), travel_s });
            street.travel_s = street.travel_s.min(travel_s);
            street.feeds.push((m.from, of_lane * share));
        } else if city.lanes[m.from.index()].motor {
            let back = city.link_of(m.from);
            *links_back.entry(back.id).or_default() += of_lane / back.lanes.len().max(1) as f64;
        }
    }
    for (back, part) in links_back {
        follow_back(city, into, back, (share * part.min(1.0), travel_s, depth + 1), found);
    }
}
