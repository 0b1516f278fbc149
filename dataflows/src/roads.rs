//! Travel times over a road graph whose weights are all new each minute: customisable contraction hierarchies (Dibbelt,
//! Strasser and Wagner 2016).
//!
//! The *graph* is made once: an order of the nodes and the shortcuts that any weights could need. [`Weights`] fill them,
//! in one pass over the triangles of shortcuts. A question is two sweeps over part of the hierarchy, without a queue: up
//! from the few, down to the many ([`RoadGraph::times`], [`RoadGraph::times_to`], [`RoadGraph::times_from`]).
//!
//! - Arcs are one-way; a street in both directions is two arcs. A *ban* is a pair of arcs that must not follow each other.
//! - A [`Place`] meets the streets at nodes or at points along arcs, after some way off the road; [`Access`] finds those.
//! - Times are exact and integer, ms; [`UNREACHABLE`] where there is no way, and where it takes 12 days or more.
//!
//! Knows nothing about cities, events or files.

use serde::{Deserialize, Serialize};

use crate::network::Point;

mod access;
mod city;
mod hierarchy;
mod sweep;
#[cfg(test)]
mod tests;
mod turns;
pub use access::Access;
pub(crate) use city::{CityRoads, Stop};
use hierarchy::{DOWN, FAR_MS, Hierarchy, UP};
use sweep::Label;
use turns::Turns;

/// The time where there is no way.
pub const UNREACHABLE: u32 = u32::MAX;
/// The end of an arc, as a share of its length.
pub const END_65536: u32 = 65_536;

/// A road graph, ready for any weights.
pub struct RoadGraph {
    turns: Turns,
    hierarchy: Hierarchy,
    arcs: usize,
}

/// The travel times of all arcs, and of the shortcuts made of them.
#[derive(Clone, Debug, Default)]
pub struct Weights {
    arc_ms: Vec<u32>,
    /// By arc of the hierarchy: up and down, ms.
    both_ms: Vec<[i32; 2]>,
}

/// Where a place meets the streets, in one way or two; in none: it cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The ways.
    pub ways: [Option<Way>; 2],
}

/// A point on the streets, and the time between it and the place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Way {
    /// The point.
    pub on: On,
    /// Time off the road, ms.
    pub off_road_ms: u32,
}

/// A point on the streets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum On {
    /// A node.
    Node(u32),
    /// A point along an arc: how far, as a share of it in 1/65536.
    Arc(u32, u32),
}

impl Place {
    /// A node.
    pub fn node(node: u32) -> Self {
        Place { ways: [Some(Way { on: On::Node(node), off_road_ms: 0 }), None] }
    }

    fn ways(&self) -> impl Iterator<Item = Way> {
        self.ways.into_iter().flatten()
    }
}

impl Weights {
    /// The travel time of each arc, ms.
    pub fn arc_ms(&self) -> &[u32] {
        &self.arc_ms
    }
}

impl RoadGraph {
    /// Nodes at places (which only help to order them well), arcs from node to node, and the pairs of arcs that must not
    /// follow each other.
    pub fn new(nodes: &[Point], arcs: &[(u32, u32)], bans: &[(u32, u32)]) -> Self {
        let turns = Turns::new(nodes.len(), arcs, bans);
        let hierarchy = Hierarchy::new(&turns.places(nodes), &turns.arcs);
        RoadGraph { turns, hierarchy, arcs: arcs.len() }
    }

    /// Shortcuts for the travel time of each arc, ms. What is 12 days or more is closed.
    pub fn customise(&self, arc_ms: &[u32]) -> Weights {
        let mut weights = Weights::default();
        self.customise_into(arc_ms, &mut weights);
        weights
    }

    /// The same, in the place of other weights. A missing travel time is a closed arc.
    pub fn customise_into(&self, arc_ms: &[u32], weights: &mut Weights) {
        weights.arc_ms.clear();
        weights.arc_ms.extend_from_slice(arc_ms);
        weights.arc_ms.resize(self.arcs, UNREACHABLE);
        self.hierarchy.customise(&self.turns.arcs, &weights.arc_ms, &mut weights.both_ms);
    }

    /// Time from each of `from` to each of `to`, ms, row by row.
    pub fn times(&self, weights: &Weights, from: &[Place], to: &[Place]) -> Vec<u32> {
        let leaving = self.labels(from, |way| self.leaving(weights, way));
        let arriving = self.labels(to, |way| self.arriving(weights, way));
        let mut times_ms = vec![UNREACHABLE; from.len() * to.len()];
        if to.len() <= from.len() {
            let many = self.hierarchy.gather(&leaving);
            self.hierarchy.sweep(&weights.both_ms, DOWN, &arriving, &many, |few, many, ms| {
                keep_least(&mut times_ms[many * to.len() + few], ms);
            });
        } else {
            let many = self.hierarchy.gather(&arriving);
            self.hierarchy.sweep(&weights.both_ms, UP, &leaving, &many, |few, many, ms| {
                keep_least(&mut times_ms[few * to.len() + many], ms);
            });
        }
        self.along_one_arc(weights, from, to, &mut times_ms);
        times_ms
    }

    /// Time from each of `from` to one place, ms.
    pub fn times_to(&self, weights: &Weights, from: &[Place], to: &Place) -> Vec<u32> {
        self.times(weights, from, std::slice::from_ref(to))
    }

    /// Time from one place to each of `to`, ms.
    pub fn times_from(&self, weights: &Weights, from: &Place, to: &[Place]) -> Vec<u32> {
        self.times(weights, std::slice::from_ref(from), to)
    }

    fn labels<L: Iterator<Item = (u32, u32)>>(&self, places: &[Place], of: impl Fn(Way) -> L) -> Vec<Label> {
        let ways = places.iter().enumerate().flat_map(|(place, p)| p.ways().map(move |way| (place, way)));
        let labels = ways.flat_map(|(place, way)| of(way).map(move |(node, ms)| (place, node, ms)));
        labels.map(|(place, node, ms)| self.hierarchy.label(place, node, ms)).collect()
    }

    /// Nodes that one comes to who leaves by a way, and when.
    fn leaving(&self, weights: &Weights, way: Way) -> impl Iterator<Item = (u32, u32)> {
        let (node, ms) = match way.on {
            On::Node(node) => (node, 0),
            On::Arc(arc, at) => (self.turns.ends[arc as usize], rest_ms(weights, arc, at)),
        };
        std::iter::once((node, way.off_road_ms.saturating_add(ms)))
    }

    /// Nodes that one comes from who arrives by a way, and how long that takes.
    fn arriving(&self, weights: &Weights, way: Way) -> impl Iterator<Item = (u32, u32)> {
        let (nodes, ms) = match way.on {
            On::Node(node) => (self.turns.all_of(node), 0),
            On::Arc(arc, at) => (self.turns.before(arc), part_ms(weights, arc, at)),
        };
        nodes.into_iter().map(move |node| (node, way.off_road_ms.saturating_add(ms)))
    }

    /// Who is before the end of his way on its arc need not leave it.
    fn along_one_arc(&self, weights: &Weights, from: &[Place], to: &[Place], times_ms: &mut [u32]) {
        let mut on_arc: Vec<(u32, u32, usize, u32)> = arcs_of(to).collect();
        on_arc.sort_unstable();
        for (arc, at, row, off_road_ms) in arcs_of(from) {
            let start = on_arc.partition_point(|other| (other.0, other.1) < (arc, at));
            for (_, end, column, other_ms) in on_arc[start..].iter().take_while(|other| other.0 == arc) {
                let ms = part_ms(weights, arc, *end).saturating_sub(part_ms(weights, arc, at));
                let ms = off_road_ms.saturating_add(*other_ms).saturating_add(ms);
                if ms < FAR_MS.unsigned_abs() && !is_closed(weights, arc) {
                    keep_least(&mut times_ms[row * to.len() + column], ms);
                }
            }
        }
    }
}

/// Points along arcs: the arc, how far, whose, and the time off the road.
fn arcs_of(places: &[Place]) -> impl Iterator<Item = (u32, u32, usize, u32)> {
    let ways = places.iter().enumerate().flat_map(|(place, p)| p.ways().map(move |way| (place, way)));
    ways.filter_map(|(place, way)| match way.on {
        On::Node(_) => None,
        On::Arc(arc, at) => Some((arc, at, place, way.off_road_ms)),
    })
}

fn is_closed(weights: &Weights, arc: u32) -> bool {
    weights.arc_ms[arc as usize] >= FAR_MS.unsigned_abs()
}

/// Time from the start of an arc to a point along it.
fn part_ms(weights: &Weights, arc: u32, at_65536: u32) -> u32 {
    if is_closed(weights, arc) {
        return UNREACHABLE;
    }
    (u64::from(weights.arc_ms[arc as usize]) * u64::from(at_65536.min(END_65536)) / u64::from(END_65536)) as u32
}

/// Time from a point along an arc to its end.
fn rest_ms(weights: &Weights, arc: u32, at_65536: u32) -> u32 {
    if is_closed(weights, arc) {
        return UNREACHABLE;
    }
    weights.arc_ms[arc as usize] - part_ms(weights, arc, at_65536)
}

fn keep_least(known_ms: &mut u32, ms: u32) {
    *known_ms = ms.min(*known_ms);
}
