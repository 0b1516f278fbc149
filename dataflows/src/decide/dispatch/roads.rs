//! Travel times over the street network to a call's place, from everywhere at once: Dijkstra against the traffic.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use petgraph::Direction;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;

use crate::ids::{LinkId, NodeId};
use crate::network::{City, Point};

/// Speed off the network, between a place and the nearest node, m/s.
const OFF_ROAD_M_S: u64 = 6;
/// Cells in which nodes are looked up, mm.
const CELL_MM: i32 = 500_000;

/// The street network as dispatch sees it. Nodes of the graph are nodes of the city.
pub struct Roads {
    graph: DiGraph<Point, LinkId>,
    cells: BTreeMap<(i32, i32), Vec<NodeId>>,
    free_travel_ms: Vec<u32>,
}

impl Roads {
    /// The motor links of a city.
    pub fn new(city: &City) -> Self {
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
        let free_travel_ms = city.links.iter().map(|l| l.free_travel_ms() as u32).collect();
        Roads { graph, cells, free_travel_ms }
    }

    /// Travel times of all links at free flow, ms.
    pub fn free_travel_ms(&self) -> Vec<u32> {
        self.free_travel_ms.clone()
    }

    /// Time from each of `places` to `to`, ms, with links taking `travel_ms`; `u64::MAX` where no way leads.
    pub fn times_to(&self, travel_ms: &[u32], to: Point, places: &[Point]) -> Vec<u64> {
        let Some(end) = self.nearest(to) else {
            return places.iter().map(|from| off_road_ms(*from, to)).collect();
        };
        let arrive_ms = off_road_ms(self.graph[node(end)], to);
        let from_node = self.times_to_node(travel_ms, end);
        let time = |from: &Point| {
            let straight_ms = off_road_ms(*from, to);
            let by_road = self.nearest(*from).map(|start| {
                let on_road = from_node[start.index()];
                on_road.saturating_add(off_road_ms(*from, self.graph[node(start)])).saturating_add(arrive_ms)
            });
            by_road.map_or(straight_ms, |road_ms| road_ms.min(straight_ms.saturating_mul(2)))
        };
        places.iter().map(time).collect()
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

    /// The node nearest to a place, among those that motor links touch.
    fn nearest(&self, at: Point) -> Option<NodeId> {
        let (x, y) = cell(at);
        let ring = |r: i32| {
            let cells = (x - r..=x + r).flat_map(move |cx| (y - r..=y + r).map(move |cy| (cx, cy)));
            cells.filter(move |(cx, cy)| (cx - x).abs().max((cy - y).abs()) == r)
        };
        let of_ring = |r| {
            ring(r)
                .filter_map(|c| self.cells.get(&c))
                .flatten()
                .map(|n| (self.graph[node(*n)].distance_mm(at), *n))
                .min()
        };
        let furthest = self.cells.keys().map(|(cx, cy)| (cx - x).abs().max((cy - y).abs())).max()?;
        let first = (0..=furthest).find_map(|r| of_ring(r).map(|found| (r, found)))?;
        let (r, found) = first;
        // A nearer one may lie in the next ring, beyond this ring's corner.
        of_ring(r + 1).into_iter().chain([found]).min().map(|(_, n)| n)
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
