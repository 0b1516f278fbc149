//! Signalised junctions: approaches, heads, conflicts, stages. Their plans come from `timing`.

use nanming_dataflows::ids::*;
use nanming_dataflows::network::{Approach, City, Head, Junction, Link, Node, SignalMode, Turn};

use super::conflicts::{HeadWays, matrix};
use super::districts::Frame;
use super::links::{LANE_MM, twin};
use super::stages::{LEFT_GREEN_MS, Legs, Street, stages};
use crate::course::end_bearing_deg;

/// All-red time between conflicting greens, ms.
const ALL_RED_MS: u32 = 2_000;
/// Longest red that a head with demand may see, ms.
const MAX_RED_MS: u32 = 150_000;
/// Streets with as many lanes each way show their left turns in a stage of their own.
const PROTECTED_LANES: usize = 3;
/// Speed above which yellow lasts 4 s instead of 3 s, mm/s (50 km/h).
const LONG_YELLOW_MM_S: u32 = 13_889;

/// Adds a junction, still without plans, at every node with a signal, and gives its movements their heads.
pub(crate) fn signalise(city: &mut City, frame: &Frame) {
    let mut arriving = vec![Vec::new(); city.nodes.len()];
    for link in &city.links {
        arriving[link.to.index()].push(link.id);
    }
    for node in city.nodes.clone() {
        if let Some(id) = node.junction {
            let legs = around(city, std::mem::take(&mut arriving[node.id.index()]));
            let heads = heads(city, &legs);
            for (row, head) in heads.iter().enumerate() {
                for m in &head.movements {
                    city.movements[m.index()].signal = Some((id, row as u16));
                }
            }
            let junction = junction(city, frame, id, &node, &legs, heads);
            city.junctions.push(junction);
        }
    }
}

/// Links that end at a node, clockwise by the side from which they come.
fn around(city: &City, mut arriving: Vec<LinkId>) -> Vec<LinkId> {
    arriving.sort_by_key(|l| (side_deg(&city.links[l.index()]), *l));
    arriving
}

/// Compass heading of traffic at the end of a link, whole degrees.
fn heading_deg(link: &Link) -> u16 {
    end_bearing_deg(&link.shape).round() as u16 % 360
}

/// Bearing of a link seen from its end, whole degrees.
fn side_deg(link: &Link) -> u16 {
    (heading_deg(link) + 180) % 360
}

/// Heads of a junction: one for each turn of each approach.
fn heads(city: &City, legs: &[LinkId]) -> Vec<HeadWays> {
    let ways = |(leg, link): (usize, &LinkId)| {
        [Turn::Right, Turn::Through, Turn::Left].map(|turn| head_ways(city, legs, leg, *link, turn))
    };
    legs.iter().enumerate().flat_map(ways).filter(|h| !h.movements.is_empty()).collect()
}

fn head_ways(city: &City, legs: &[LinkId], leg: usize, link: LinkId, turn: Turn) -> HeadWays {
    let lanes = &city.links[link.index()].lanes;
    let movements: Vec<MovementId> = lanes
        .iter()
        .flat_map(|l| city.lanes[l.index()].movements.iter().copied())
        .filter(|m| city.movements[m.index()].turn == turn)
        .collect();
    let into = |m: &MovementId| {
        let lane = city.movements[m.index()].to;
        let exit = city.lanes[lane.index()].link;
        legs.iter().position(|l| *l == twin(exit)).map(|leg| (leg, lane))
    };
    HeadWays { leg, turn, into: movements.iter().filter_map(into).collect(), movements }
}

fn junction(city: &City, frame: &Frame, id: JunctionId, node: &Node, legs: &[LinkId], ways: Vec<HeadWays>) -> Junction {
    let streets = streets(city, legs, &ways);
    let relies =
        |a: usize, b: usize| streets.iter().any(|s| !s.protected && s.legs.contains(&a) && s.legs.contains(&b));
    let conflicts = matrix(&ways, relies);
    let crossing_mm: Vec<u32> = legs.iter().map(|l| crossing_mm(city, *l)).collect();
    let names: Vec<&str> = legs.iter().map(|l| compass(side_deg(&city.links[l.index()]))).collect();
    let stages = stages(&ways, &conflicts, &streets, &Legs { names: &names, crossing_mm: &crossing_mm });
    let approach = |(link, crossing_mm): (&LinkId, u32)| Approach {
        link: *link,
        heading_deg: heading_deg(&city.links[link.index()]),
        crossing_mm,
    };
    Junction {
        id,
        name: node.name.clone(),
        at: node.at,
        district: frame.district_at(node.at, city.districts.len()),
        nodes: vec![node.id],
        approaches: legs.iter().zip(crossing_mm).map(approach).collect(),
        heads: ways.into_iter().map(|w| head(city, legs, w)).collect(),
        conflicts,
        stages,
        plans: Vec::new(),
        all_red_ms: ALL_RED_MS,
        max_red_ms: MAX_RED_MS,
        mode: SignalMode::Stage,
    }
}

fn head(city: &City, legs: &[LinkId], ways: HeadWays) -> Head {
    let fast = city.links[legs[ways.leg].index()].free_speed_mm_s > LONG_YELLOW_MM_S;
    Head { movements: ways.movements, yellow_ms: if fast { 4_000 } else { 3_000 }, min_green_ms: LEFT_GREEN_MS }
}

/// Length of the crossing over a leg: its lanes in, pocket included, and out, mm.
fn crossing_mm(city: &City, link: LinkId) -> u32 {
    let full = |l: &LinkId| {
        let link = &city.links[l.index()];
        link.lanes.iter().filter(|x| city.lanes[x.index()].length_mm == link.length_mm).count()
    };
    LANE_MM * (city.links[link.index()].lanes.len() + full(&twin(link))) as u32
}

/// Streets of a junction, the widest first.
fn streets(city: &City, legs: &[LinkId], heads: &[HeadWays]) -> Vec<Street> {
    let ahead = |leg: usize| {
        let through = heads.iter().find(|h| h.leg == leg && h.turn == Turn::Through)?;
        through.into.first().map(|(to, _)| *to)
    };
    let mate = |leg: usize| ahead(leg).filter(|to| ahead(*to) == Some(leg));
    let pair_or_leg = |leg: usize| match mate(leg) {
        Some(other) if other < leg => None,
        Some(other) => Some(vec![leg, other]),
        None => Some(vec![leg]),
    };
    let width = |legs_of: &[usize]| legs_of.iter().map(|l| city.links[legs[*l].index()].lanes.len()).max();
    let mut streets: Vec<Vec<usize>> = (0..legs.len()).filter_map(pair_or_leg).collect();
    streets.sort_by_key(|s| std::cmp::Reverse((s.len(), width(s))));
    streets.into_iter().map(|legs_of| Street { protected: protected(city, heads, &legs_of), legs: legs_of }).collect()
}

/// Whether a street is wide, and all its left turns have lanes of their own.
fn protected(city: &City, heads: &[HeadWays], legs: &[usize]) -> bool {
    let of = |turn: Turn| heads.iter().filter(move |h| legs.contains(&h.leg) && h.turn == turn);
    let own_lane = |m: &MovementId| {
        let lane = &city.lanes[city.movements[m.index()].from.index()];
        lane.movements.iter().all(|m| city.movements[m.index()].turn == Turn::Left)
    };
    legs.len() == 2
        && of(Turn::Left).next().is_some()
        && of(Turn::Through).any(|h| h.movements.len() >= PROTECTED_LANES)
        && of(Turn::Left).all(|h| h.movements.iter().all(own_lane))
}

/// The compass point nearest to a bearing.
fn compass(bearing_deg: u16) -> &'static str {
    const POINTS: [&str; 8] =
        ["north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west"];
    POINTS[usize::from((bearing_deg * 2 + 45) / 90) % 8]
}
