//! The hierarchy: nodes by rank, arcs from each to higher ones, and how weights flow up through the triangles.

use cch::Cch;
use cch::graph::Graph;

use crate::network::Point;

/// From the lower node to the higher.
pub(super) const UP: usize = 0;
/// From the higher node to the lower.
pub(super) const DOWN: usize = 1;
/// No way. Two of them still fit an `i32`.
pub(super) const FAR_MS: i32 = (1 << 30) - 1;
/// No node or arc.
pub(super) const NONE: u32 = u32::MAX;

/// What does not depend on weights. Nodes are numbered by rank here.
pub(super) struct Hierarchy {
    /// By node of the graph.
    pub(super) rank: Vec<u32>,
    /// By rank: the lowest node among those its arcs lead to. All others are above that one.
    pub(super) parent: Vec<u32>,
    /// By rank: its first arc.
    pub(super) first: Vec<u32>,
    pub(super) heads: Vec<u32>,
    /// For each node, for each two of its arcs: the arc between their heads.
    triangles: Vec<u32>,
    /// By arc of the graph: twice its arc here, plus its direction.
    slots: Vec<u32>,
}

impl Hierarchy {
    pub(super) fn new(places: &[Point], arcs: &[(u32, u32, u32)]) -> Self {
        let cch = contract(places, arcs);
        let mut hierarchy = Hierarchy {
            rank: cch.rank,
            parent: cch.elimination_tree_parent,
            first: cch.up_first_out,
            heads: cch.up_head,
            triangles: Vec::new(),
            slots: Vec::new(),
        };
        hierarchy.slots = arcs.iter().map(|(from, to, _)| hierarchy.slot(*from, *to)).collect();
        hierarchy.triangles = hierarchy.find_triangles();
        hierarchy
    }

    pub(super) fn arcs_of(&self, node: u32) -> std::ops::Range<usize> {
        self.first[node as usize] as usize..self.first[node as usize + 1] as usize
    }

    /// Weights of all arcs: those of the graph, and the shortcuts.
    pub(super) fn customise(&self, arcs: &[(u32, u32, u32)], arc_ms: &[u32], both_ms: &mut Vec<[i32; 2]>) {
        both_ms.clear();
        both_ms.resize(self.heads.len(), [FAR_MS; 2]);
        for (slot, (.., arc)) in self.slots.iter().zip(arcs).filter(|(slot, _)| **slot != NONE) {
            let known = &mut both_ms[(slot / 2) as usize][(slot % 2) as usize];
            *known = arc_ms[*arc as usize].min(FAR_MS.unsigned_abs()).cast_signed().min(*known);
        }
        self.relax_triangles(both_ms);
    }

    /// Whatever goes down to a node and up again, from the lowest node to the highest.
    fn relax_triangles(&self, both_ms: &mut [[i32; 2]]) {
        let mut triangles = &self.triangles[..];
        for node in 0..self.parent.len() as u32 {
            let own = self.arcs_of(node);
            for one in own.clone() {
                let [up, down] = both_ms[one];
                let (here, later) = triangles.split_at(own.end - one - 1);
                triangles = later;
                for (other, across) in (one + 1..own.end).zip(here) {
                    let [other_up, other_down] = both_ms[other];
                    let across = &mut both_ms[*across as usize];
                    across[UP] = across[UP].min(down + other_up);
                    across[DOWN] = across[DOWN].min(other_down + up);
                }
            }
        }
    }

    fn slot(&self, from: u32, to: u32) -> u32 {
        let (from, to) = (self.rank[from as usize], self.rank[to as usize]);
        let direction = if from < to { UP } else { DOWN };
        self.find(from.min(to), from.max(to)).map_or(NONE, |arc| 2 * arc + direction as u32)
    }

    fn find(&self, low: u32, high: u32) -> Option<u32> {
        let own = self.arcs_of(low);
        let at = self.heads[own.clone()].binary_search(&high).ok()?;
        Some((own.start + at) as u32)
    }

    fn find_triangles(&self) -> Vec<u32> {
        let mut triangles = Vec::new();
        for node in 0..self.parent.len() as u32 {
            let heads = &self.heads[self.arcs_of(node)];
            for (at, low) in heads.iter().enumerate() {
                // The order was made by contraction: the higher neighbours of a node are neighbours of each other.
                triangles.extend(heads[at + 1..].iter().filter_map(|high| self.find(*low, *high)));
            }
        }
        triangles
    }
}

/// Nested dissection by inertial flow, and the contraction in that order.
fn contract(places: &[Point], arcs: &[(u32, u32, u32)]) -> Cch {
    let mut ends: Vec<(u32, u32)> = arcs.iter().map(|arc| (arc.0, arc.1)).filter(|(from, to)| from != to).collect();
    ends.sort_unstable();
    ends.dedup();
    let (tails, head): (Vec<u32>, Vec<u32>) = ends.into_iter().unzip();
    let of = |mm: fn(&Point) -> i32| -> Vec<f32> { places.iter().map(|p| mm(p) as f32).collect() };
    // Where nothing is joined any order will do, and the dissection finds nothing to begin with.
    let order = match head[..] {
        [] => (0..places.len() as u32).collect(),
        _ => cch::inertial_order(places.len() as u32, &tails, &head, &of(|p| p.y_mm), &of(|p| p.x_mm)),
    };
    let first_out = (0..=places.len() as u32).map(|node| tails.partition_point(|tail| *tail < node) as u32).collect();
    Cch::build(&Graph { first_out, weight: vec![0; head.len()], head }, &order)
}
