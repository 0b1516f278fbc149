//! The city's streets as the traffic model wants them: dense rows of `u32`, lengths and speeds in `i32` mm and mm/s.

use nanming_dataflows::network::{City, Conflict, Turn};

/// No row.
pub(super) const NONE: u32 = u32::MAX;

/// A way off a link onto the next.
#[derive(Clone, Debug)]
pub(super) struct Exit {
    /// The next link.
    pub(super) link: u32,
    /// Lanes of this link that lead there.
    pub(super) lanes: Vec<u32>,
    /// Lanes by which one comes onto this link to go there: those themselves, or those beside a pocket.
    pub(super) entries: Vec<u32>,
    /// Where it turns.
    pub(super) turn: Turn,
    /// A head that governs it, of the whole city; [`NONE`]: none.
    pub(super) head: u32,
}

/// What a lane lets one do at its end.
#[derive(Clone, Copy, Debug)]
pub(super) struct LaneExit {
    /// Row in the link's exits.
    pub(super) exit: u32,
    /// The next link.
    pub(super) link: u32,
    /// The head to obey; [`NONE`]: none.
    pub(super) head: u32,
    /// The lane that one comes to without a change of lane.
    pub(super) to: u32,
}

/// A lane for motor traffic.
#[derive(Clone, Debug)]
pub(super) struct RoadLane {
    /// Its link.
    pub(super) link: u32,
    /// Length, mm.
    pub(super) length_mm: i32,
    /// Free speed, mm/s.
    pub(super) speed_mm_s: i32,
    /// The lane beside it that one comes from, where this one is a pocket; [`NONE`]: it runs all along its link.
    pub(super) feeder: u32,
    /// What it lets one do.
    pub(super) exits: Vec<LaneExit>,
}

/// A link as the traffic model sees it.
#[derive(Clone, Debug)]
pub(super) struct RoadLink {
    /// Motor lanes that run all along it.
    pub(super) full: Vec<u32>,
    /// Motor lanes.
    pub(super) lanes: Vec<u32>,
    /// Ways on.
    pub(super) exits: Vec<Exit>,
    /// Row of its first exit among all exits of the city.
    pub(super) first_exit: u32,
    /// Links that lead here: (link, row among its exits).
    pub(super) before: Vec<(u32, u32)>,
    /// Node at its end.
    pub(super) to: u32,
    /// Whether it ends where the streets end.
    pub(super) leaves_city: bool,
    /// Whether it starts where the streets begin.
    pub(super) enters_city: bool,
    /// Who goes first at a node without signals: more is first.
    pub(super) rank: u32,
}

/// The streets.
#[derive(Clone, Debug)]
pub(super) struct Roads {
    /// By lane.
    pub(super) lanes: Vec<RoadLane>,
    /// By link.
    pub(super) links: Vec<RoadLink>,
    /// Heads that each head gives way to when it is permissive.
    pub(super) yields_to: Vec<Vec<u32>>,
    /// First head of each junction, and the number of all heads at the end.
    pub(super) first_head: Vec<u32>,
    /// Highest rank that comes into each node where three or more links meet without signals; 0 elsewhere.
    pub(super) top_rank: Vec<u32>,
}

impl Roads {
    /// Reads the streets off a city.
    pub(super) fn new(city: &City) -> Self {
        let first_head = first_heads(city);
        let mut lanes: Vec<RoadLane> = city.lanes.iter().map(|l| bare_lane(city, l)).collect();
        let mut links: Vec<RoadLink> = city.links.iter().map(|l| bare_link(city, l)).collect();
        links.iter_mut().zip(&city.links).for_each(|(road, link)| find_pockets(road, link.length_mm, &mut lanes));
        for link in &mut links {
            for &lane in &link.lanes {
                lanes[lane as usize].exits = exits_of_lane(city, &first_head, lane, &mut link.exits);
            }
            link.exits.iter_mut().for_each(|e| e.entries = entries(&e.lanes, &lanes));
        }
        number_exits(&mut links);
        mark_rim(city, &mut links);
        Roads { yields_to: yields(city), top_rank: top_ranks(city, &links), first_head, lanes, links }
    }

    /// Where on its link a lane starts, mm.
    pub(super) fn starts_at_mm(&self, lane: u32) -> i32 {
        let lane = &self.lanes[lane as usize];
        if lane.feeder == NONE { 0 } else { self.lanes[lane.feeder as usize].length_mm - lane.length_mm }
    }

    /// Number of exits of all links.
    pub(super) fn exit_count(&self) -> usize {
        self.links.iter().map(|l| l.exits.len()).sum()
    }
}

fn first_heads(city: &City) -> Vec<u32> {
    let mut next = 0;
    let mut first: Vec<u32> = Vec::with_capacity(city.junctions.len() + 1);
    for j in &city.junctions {
        first.push(next);
        next += j.heads.len() as u32;
    }
    first.push(next);
    first
}

fn bare_lane(city: &City, lane: &nanming_dataflows::network::Lane) -> RoadLane {
    let link = &city.links[lane.link.index()];
    RoadLane {
        link: lane.link.0,
        length_mm: (lane.length_mm as i32).max(1_000),
        speed_mm_s: (link.free_speed_mm_s as i32).max(1_000),
        feeder: NONE,
        exits: Vec::new(),
    }
}

fn bare_link(city: &City, link: &nanming_dataflows::network::Link) -> RoadLink {
    let motor = |l: &&nanming_dataflows::ids::LaneId| city.lanes[l.index()].motor;
    let lanes: Vec<u32> = link.lanes.iter().filter(motor).map(|l| l.0).collect();
    let rank = lanes.len() as u32 * link.free_speed_mm_s / 1000;
    RoadLink {
        full: lanes.clone(),
        lanes,
        exits: Vec::new(),
        first_exit: 0,
        before: Vec::new(),
        to: link.to.0,
        leaves_city: false,
        enters_city: false,
        rank,
    }
}

/// Tells pockets from lanes that run all along a link (more than 7 tenths of it).
fn find_pockets(road: &mut RoadLink, length_mm: u32, lanes: &mut [RoadLane]) {
    let is_full = |l: &u32| i64::from(lanes[*l as usize].length_mm) * 10 > i64::from(length_mm) * 7;
    let full: Vec<u32> = road.lanes.iter().copied().filter(is_full).collect();
    if full.is_empty() {
        return;
    }
    for (row, &lane) in road.lanes.iter().enumerate().filter(|(_, l)| !full.contains(l)) {
        let away = |f: &&u32| road.lanes.iter().position(|l| l == *f).map_or(usize::MAX, |at| at.abs_diff(row));
        lanes[lane as usize].feeder = full.iter().min_by_key(away).copied().unwrap_or(NONE);
    }
    road.full = full;
}

fn entries(of: &[u32], lanes: &[RoadLane]) -> Vec<u32> {
    let entry = |l: &u32| if lanes[*l as usize].feeder == NONE { *l } else { lanes[*l as usize].feeder };
    let mut all: Vec<u32> = of.iter().map(entry).collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn exits_of_lane(city: &City, first_head: &[u32], lane: u32, of_link: &mut Vec<Exit>) -> Vec<LaneExit> {
    let mut found: Vec<LaneExit> = Vec::new();
    for m in &city.lanes[lane as usize].movements {
        let m = &city.movements[m.index()];
        let to = &city.lanes[m.to.index()];
        if !to.motor || found.iter().any(|e| e.link == to.link.0) {
            continue;
        }
        let head = m.signal.map_or(NONE, |(j, h)| first_head[j.index()] + u32::from(h));
        let exit = of_link.iter().position(|e| e.link == to.link.0).unwrap_or_else(|| {
            of_link.push(Exit { link: to.link.0, lanes: Vec::new(), entries: Vec::new(), turn: m.turn, head });
            of_link.len() - 1
        });
        of_link[exit].lanes.push(lane);
        found.push(LaneExit { exit: exit as u32, link: to.link.0, head, to: m.to.0 });
    }
    found
}

fn number_exits(links: &mut [RoadLink]) {
    let mut next = 0;
    let mut before: Vec<Vec<(u32, u32)>> = vec![Vec::new(); links.len()];
    for (row, link) in links.iter_mut().enumerate() {
        link.first_exit = next;
        next += link.exits.len() as u32;
        for (e, exit) in link.exits.iter().enumerate() {
            before[exit.link as usize].push((row as u32, e as u32));
        }
    }
    links.iter_mut().zip(before).for_each(|(l, b)| l.before = b);
}

/// A street ends where its node has one neighbour at most.
fn mark_rim(city: &City, links: &mut [RoadLink]) {
    let mut neighbours: Vec<Vec<u32>> = vec![Vec::new(); city.nodes.len()];
    for l in &city.links {
        neighbours[l.from.index()].push(l.to.0);
        neighbours[l.to.index()].push(l.from.0);
    }
    neighbours.iter_mut().for_each(|n| {
        n.sort_unstable();
        n.dedup();
    });
    for (l, road) in city.links.iter().zip(links) {
        road.leaves_city = neighbours[l.to.index()].len() < 2 || road.exits.is_empty();
        road.enters_city = neighbours[l.from.index()].len() < 2 || road.before.is_empty();
    }
}

fn yields(city: &City) -> Vec<Vec<u32>> {
    let mut all = Vec::new();
    for j in &city.junctions {
        let base = all.len() as u32;
        let to = |a: usize| {
            let others = (0..j.heads.len()).filter(move |&b| b != a && j.conflicts.get(a, b) == Conflict::FirstYields);
            others.map(|b| base + b as u32).collect::<Vec<u32>>()
        };
        all.extend((0..j.heads.len()).map(to));
    }
    all
}

fn top_ranks(city: &City, links: &[RoadLink]) -> Vec<u32> {
    let mut ways_in = vec![0_u32; city.nodes.len()];
    let mut top = vec![0_u32; city.nodes.len()];
    for link in links.iter().filter(|l| !l.lanes.is_empty()) {
        let node = link.to as usize;
        ways_in[node] += 1;
        top[node] = top[node].max(link.rank);
    }
    let signalised = |node: usize| city.nodes[node].junction.is_some();
    top.iter().enumerate().map(|(n, &r)| if ways_in[n] >= 3 && !signalised(n) { r } else { 0 }).collect()
}
