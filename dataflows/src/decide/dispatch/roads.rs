//! Travel times over the street network to a call's place, from everywhere at once: Dijkstra against the traffic.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use serde::{Deserialize, Serialize};

use crate::ids::{LinkId, NodeId};
use crate::network::{City, Point};

/// Speed off the network, between a place and the nearest node, m/s.
const OFF_ROAD_M_S: u64 = 6;
/// Cells in which nodes are looked up, mm.
const CELL_MM: i32 = 500_000;

/// The street network as dispatch sees it. Nodes of the graph are nodes of the city.
pub(super) struct Roads {
    graph: DiGraph<Point, LinkId>,
    cells: BTreeMap<(i32, i32), Vec<NodeId>>,
    /// The cells furthest to the south-west and to the north-east.
    corners: [(i32, i32); 2],
    free_travel_ms: Vec<u32>,
}

/// A place, and the node at which one enters the streets from there: looked up once, used in many searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Stop {
    at: Point,
    node: Option<NodeId>,
}

impl Roads {
    /// The motor links of a city.
    pub(super) fn new(city: &City) -> Self {
        let mut graph = DiGraph::new();
        city.nodes.iter().for_each(|n| {
            graph.add_node(n.at);
        });
        let mut cells: BTreeMap<_, Vec<NodeId>> = BTreeMap::new();
        for l in city.links.iter().filter(|l| l.lanes.iter().any(|lane| city.lanes[lane.index()].motor)) {
            graph.add_edge(NodeIndex::new(l.from.index()), NodeIndex::new(l.to.index()), l.id);
            for node in [l.from, l.to] {
                cells.entry(cell(city.nodes[node.index()].at)).or_default().push(node);
            }
        }
        cells.values_mut().for_each(|nodes| {
            nodes.sort_unstable();
            nodes.dedup();
        });
        let span = |of: fn(&(i32, i32)) -> i32| {
            let all = cells.keys().map(of);
            (all.clone().min().unwrap_or(0), all.max().unwrap_or(0))
        };
        let ((west, east), (south, north)) = (span(|c| c.0), span(|c| c.1));
        let free_travel_ms = city.links.iter().map(|l| l.free_travel_ms() as u32).collect();
        Roads { graph, cells, corners: [(west, south), (east, north)], free_travel_ms }
    }

    /// A place and where it meets the streets.
    pub(super) fn stop(&self, at: Point) -> Stop {
        Stop { at, node: self.nearest(at) }
    }

    /// Travel times of all links at free flow, ms.
    pub(super) fn free_travel_ms(&self) -> Vec<u32> {
        self.free_travel_ms.clone()
    }

    /// Time from each of `stops` to `to`, ms, with links taking `travel_ms`. One search, however many stops.
    pub(super) fn times_to(&self, travel_ms: &[u32], to: Point, stops: &[Stop]) -> Vec<u64> {
        let Some(end) = self.nearest(to) else {
            return stops.iter().map(|from| off_road_ms(from.at, to)).collect();
        };
        let arrive_ms = off_road_ms(self.graph[node(end)], to);
        let from_node = self.times_to_node(travel_ms, end);
        let time = |from: &Stop| {
            let straight_ms = off_road_ms(from.at, to);
            let by_road = from.node.map(|start| {
                let on_road = from_node[start.index()];
                on_road.saturating_add(off_road_ms(from.at, self.graph[node(start)])).saturating_add(arrive_ms)
            });
            by_road.map_or(straight_ms, |road_ms| road_ms.min(straight_ms.saturating_mul(2)))
        };
        stops.iter().map(time).collect()
    }

    fn times_to_node(&self, travel_ms: &[u32], end: NodeId) -> Vec<u64> {
        let mut best = vec![u64::MAX; self.graph.node_count()];
        let mut open = BinaryHeap::from([(Reverse(0u64), node(end))]);
        best[end.index()] = 0;
        while let Some((Reverse(time_ms), at)) = open.pop() {
            if time_ms > best[at.index()] {
                continue;
            }
            for edge in self.graph.edges_directed(at, Direction::Incoming) {
                let (from, longer_ms) = (edge.source(), time_ms + u64::from(travel_ms[edge.weight().index()]));
                if longer_ms < best[from.index()] {
                    best[from.index()] = longer_ms;
                    open.push((Reverse(longer_ms), from));
                }
            }
        }
        best
    }

    /// The node nearest to a place, among those that motor links touch. Rings of cells around the place are looked
    /// through, from the first that meets the city, until none can hold a nearer one.
    fn nearest(&self, at: Point) -> Option<NodeId> {
        let (x, y) = cell(at);
        let [(west, south), (east, north)] = self.corners;
        let outside = |at: i32, low: i32, high: i32| (low - at).max(at - high).max(0);
        let first = outside(x, west, east).max(outside(y, south, north));
        let last = (x - west).abs().max((x - east).abs()).max((y - south).abs()).max((y - north).abs());
        let mut best: Option<(u64, NodeId)> = None;
        for ring in first..=last {
            // Whatever lies in a ring is at least so far away.
            let nearest_mm = u64::from((ring - 1).max(0).unsigned_abs()) * u64::from(CELL_MM.unsigned_abs());
            if best.is_some_and(|(found_mm, _)| found_mm < nearest_mm) {
                break;
            }
            let nodes = self.ring(x, y, ring).filter_map(|c| self.cells.get(&c)).flatten();
            best = nodes.map(|n| (self.graph[node(*n)].distance_mm(at), *n)).chain(best).min();
        }
        best.map(|(_, node)| node)
    }

    /// The cells at a distance of `ring` cells from a cell, as far as they lie in the city.
    fn ring(&self, x: i32, y: i32, ring: i32) -> impl Iterator<Item = (i32, i32)> {
        let [(west, south), (east, north)] = self.corners;
        let rows = (y - ring).max(south)..=(y + ring).min(north);
        ((x - ring).max(west)..=(x + ring).min(east)).flat_map(move |cx| {
            let is_side = (cx - x).abs() == ring;
            let ends = [y - ring, y + ring].into_iter().filter(move |cy| !is_side && (south..=north).contains(cy));
            rows.clone().filter(move |_| is_side).map(move |cy| (cx, cy)).chain(ends.map(move |cy| (cx, cy)))
        })
    }
}

fn node(id: NodeId) -> NodeIndex {
    NodeIndex::new(id.index())
}

fn cell(at: Point) -> (i32, i32) {
    (at.x_mm.div_euclid(CELL_MM), at.y_mm.div_euclid(CELL_MM))
}

fn off_road_ms(from: Point, to: Point) -> u64 {
    from.distance_mm(to) / OFF_ROAD_M_S
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::dispatch::tests::streets;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_nearest_node_is_found_from_inside_and_from_far_outside(
            nodes in proptest::collection::vec((-3_000_000..3_000_000, -3_000_000..3_000_000), 2..20),
            at in (-30_000_000..30_000_000, -30_000_000..30_000_000),
        ) {
            let points: Vec<Point> = nodes.iter().map(|(x_mm, y_mm)| Point { x_mm: *x_mm, y_mm: *y_mm }).collect();
            let at = Point { x_mm: at.0, y_mm: at.1 };
            let all = points.iter().enumerate().map(|(row, p)| (p.distance_mm(at), NodeId::from_index(row)));
            prop_assert_eq!(Roads::new(&streets(&points)).nearest(at), all.min().map(|(_, n)| n));
        }
    }
}
