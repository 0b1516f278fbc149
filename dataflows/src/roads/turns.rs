//! Turn bans: a node where an arc arrives that may not go on everywhere is there once more, for that arc alone.

use std::collections::BTreeMap;

use crate::network::Point;

/// The graph with its nodes split where bans are.
pub(super) struct Turns {
    /// From node, to node, and the arc of the road graph that it is.
    pub(super) arcs: Vec<(u32, u32, u32)>,
    /// By arc of the road graph: the node that it ends at.
    pub(super) ends: Vec<u32>,
    starts: Vec<u32>,
    /// The nodes that a node was split into besides itself.
    splits: BTreeMap<u32, Vec<Split>>,
    /// What each node was before it was split off.
    origin: Vec<u32>,
}

/// A node for those who came by arcs after which others are banned.
struct Split {
    node: u32,
    banned: Vec<u32>,
}

impl Turns {
    pub(super) fn new(nodes: usize, arcs: &[(u32, u32)], bans: &[(u32, u32)]) -> Self {
        let mut turns = Turns {
            arcs: Vec::new(),
            ends: arcs.iter().map(|arc| arc.1).collect(),
            starts: arcs.iter().map(|arc| arc.0).collect(),
            splits: BTreeMap::new(),
            origin: (0..nodes as u32).collect(),
        };
        let mut banned_after: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        // A pair that does not meet bans nothing.
        let meets = |ban: &&(u32, u32)| arcs[ban.0 as usize].1 == arcs[ban.1 as usize].0;
        bans.iter().filter(meets).for_each(|(before, after)| banned_after.entry(*before).or_default().push(*after));
        banned_after.into_iter().for_each(|(arc, banned)| turns.split(arc, banned));
        turns.connect(arcs);
        turns
    }

    fn split(&mut self, arc: u32, mut banned: Vec<u32>) {
        banned.sort_unstable();
        banned.dedup();
        let node = self.ends[arc as usize];
        let splits = self.splits.entry(node).or_default();
        let same = splits.iter().find(|split| split.banned == banned).map(|split| split.node);
        self.ends[arc as usize] = same.unwrap_or_else(|| {
            let fresh = self.origin.len() as u32;
            self.origin.push(node);
            splits.push(Split { node: fresh, banned });
            fresh
        });
    }

    fn connect(&mut self, arcs: &[(u32, u32)]) {
        for (arc, (from, _)) in arcs.iter().enumerate() {
            let (arc, end) = (arc as u32, self.ends[arc]);
            self.arcs.push((*from, end, arc));
            let splits = self.splits.get(from).into_iter().flatten();
            let open = splits.filter(|split| !split.banned.contains(&arc));
            self.arcs.extend(open.map(|split| (split.node, end, arc)));
        }
    }

    /// Where each node is.
    pub(super) fn places(&self, nodes: &[Point]) -> Vec<Point> {
        self.origin.iter().map(|node| nodes[*node as usize]).collect()
    }

    /// A node, and what was split off it.
    pub(super) fn all_of(&self, node: u32) -> Vec<u32> {
        let splits = self.splits.get(&node).into_iter().flatten();
        std::iter::once(node).chain(splits.map(|split| split.node)).collect()
    }

    /// The nodes from which one may enter an arc.
    pub(super) fn before(&self, arc: u32) -> Vec<u32> {
        let start = self.starts[arc as usize];
        let splits = self.splits.get(&start).into_iter().flatten();
        let open = splits.filter(|split| !split.banned.contains(&arc));
        std::iter::once(start).chain(open.map(|split| split.node)).collect()
    }
}
