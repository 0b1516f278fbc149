//! Where trips end and the way there: for each attractor and each of a few habits of drivers, the cost to go from every
//! link. A route is never stored: at each link a driver takes the exit with the least cost to go.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::chance::mix;
use super::roads::Roads;

/// Habits of drivers: ways of weighing streets. Later ones avoid the turns that earlier ones fill (the method of
/// successive averages, with one habit a round).
pub(super) const HABITS: usize = 8;
/// The cost to go where there is no way.
pub(super) const NO_WAY: u32 = u32::MAX;

/// A place where trips end.
#[derive(Clone, Debug)]
pub(super) struct Attractor {
    /// Links on which trips end.
    pub(super) sinks: Vec<u32>,
    /// Share of trips towards work.
    pub(super) work: f64,
    /// Share of trips towards home.
    pub(super) home: f64,
}

/// Costs to go.
#[derive(Clone, Debug, Default)]
pub(super) struct Routes {
    links: usize,
    to_go_ms: Vec<u32>,
    turn_ms: Vec<Vec<u32>>,
}

/// What one habit thinks of the streets: ms for each link and for each exit.
#[derive(Clone, Debug)]
pub(super) struct Costs {
    /// By link.
    pub(super) link_ms: Vec<u32>,
    /// By exit of the city.
    pub(super) turn_ms: Vec<u32>,
}

impl Routes {
    /// No way to anywhere yet.
    pub(super) fn new(links: usize) -> Self {
        Routes { links, ..Default::default() }
    }

    /// Adds a habit: the trees of all attractors under its costs. The tree of attractor `a` under habit `h` of `n`
    /// attractors is `h * n + a`.
    pub(super) fn add_habit(&mut self, roads: &Roads, attractors: &[Attractor], costs: Costs) {
        let mut heap = BinaryHeap::new();
        for a in attractors {
            self.to_go_ms.extend(tree(roads, &a.sinks, &costs, &mut heap));
        }
        self.turn_ms.push(costs.turn_ms);
    }

    /// Cost from the start of a link to the end of a tree, ms; 0 on its sinks; [`NO_WAY`].
    pub(super) fn to_go(&self, tree: u32, link: u32) -> u32 {
        self.to_go_ms[tree as usize * self.links + link as usize]
    }

    /// All costs to go of a tree, by link.
    pub(super) fn costs_of(&self, tree: u32) -> &[u32] {
        &self.to_go_ms[tree as usize * self.links..(tree as usize + 1) * self.links]
    }

    /// The habit of a tree.
    pub(super) fn habit(&self, tree: u32) -> usize {
        tree as usize * self.turn_ms.len() * self.links / self.to_go_ms.len().max(1)
    }

    /// Among some exits of a link, given by their rows, the one with the least cost to go.
    pub(super) fn best_exit(
        &self,
        roads: &Roads,
        tree: u32,
        link: u32,
        exits: impl Iterator<Item = u32>,
    ) -> Option<u32> {
        let turn_ms = &self.turn_ms[self.habit(tree)];
        let road = &roads.links[link as usize];
        let cost = |e: u32| {
            let to_go = self.to_go(tree, road.exits[e as usize].link);
            to_go.saturating_add(turn_ms[(road.first_exit + e) as usize])
        };
        exits.map(|e| (cost(e), e)).min().filter(|(c, _)| *c != NO_WAY).map(|(_, e)| e)
    }
}

fn tree(roads: &Roads, sinks: &[u32], costs: &Costs, heap: &mut BinaryHeap<Reverse<(u32, u32)>>) -> Vec<u32> {
    let mut to_go = vec![NO_WAY; roads.links.len()];
    for &s in sinks {
        to_go[s as usize] = 0;
        heap.push(Reverse((0, s)));
    }
    while let Some(Reverse((cost, link))) = heap.pop() {
        if cost > to_go[link as usize] {
            continue;
        }
        for &(before, exit) in &roads.links[link as usize].before {
            let turn = costs.turn_ms[(roads.links[before as usize].first_exit + exit) as usize];
            let via = cost.saturating_add(turn).saturating_add(costs.link_ms[before as usize]);
            if via < to_go[before as usize] {
                to_go[before as usize] = via;
                heap.push(Reverse((via, before)));
            }
        }
    }
    to_go
}

/// A factor around 1 that a habit puts on a link, 1/1000: 800..1250.
pub(super) fn taste_milli(seed: u64, habit: usize, link: usize) -> u64 {
    800 + mix(seed ^ ((habit as u64) << 40) ^ link as u64) % 451
}
