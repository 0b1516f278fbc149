//! Sweeps over the hierarchy: up from a few places, down to many, several of the few at once, side by side.

use super::hierarchy::{FAR_MS, Hierarchy, NONE};

/// Places of the few that share a sweep.
const LANES: usize = 8;

/// A node that a place is joined to, by rank, and the time between.
#[derive(Clone, Copy)]
pub(super) struct Label {
    place: u32,
    node: u32,
    ms: i32,
}

/// The many places of a question, and the nodes above any of them, highest first.
pub(super) struct Many<'a> {
    labels: &'a [Label],
    nodes: Vec<u32>,
}

impl Hierarchy {
    pub(super) fn label(&self, place: usize, node: u32, ms: u32) -> Label {
        let ms = ms.min(FAR_MS.unsigned_abs()).cast_signed();
        Label { place: place as u32, node: self.rank[node as usize], ms }
    }

    pub(super) fn gather<'a>(&self, labels: &'a [Label]) -> Many<'a> {
        let mut is_above = vec![false; self.parent.len()];
        for label in labels {
            let mut node = label.node;
            while node != NONE && !std::mem::replace(&mut is_above[node as usize], true) {
                node = self.parent[node as usize];
            }
        }
        let nodes = (0..self.parent.len() as u32).rev().filter(|node| is_above[*node as usize]).collect();
        Many { labels, nodes }
    }

    /// Times between the places of `few`, whose labels lie together, and those of `many`. Up from the few the arcs are
    /// taken in `direction`, down to the many in the other one: `UP` is from the few, `DOWN` is to them. `tell` hears of
    /// each of the few, each of the many, and ms; of one pair perhaps several times.
    pub(super) fn sweep(
        &self,
        both_ms: &[[i32; 2]],
        direction: usize,
        few: &[Label],
        many: &Many<'_>,
        mut tell: impl FnMut(usize, usize, u32),
    ) {
        let by_place: Vec<&[Label]> = few.chunk_by(|a, b| a.place == b.place).collect();
        if let [one] = by_place[..] {
            return self.sweep_lanes::<1>(
                both_ms,
                direction,
                &[one],
                many,
                &mut vec![[FAR_MS]; self.parent.len()],
                tell,
            );
        }
        let mut far = vec![[FAR_MS; LANES]; self.parent.len()];
        for places in by_place.chunks(LANES) {
            self.sweep_lanes(both_ms, direction, places, many, &mut far, &mut tell);
        }
    }

    /// `far` is [`FAR_MS`] everywhere, before and after.
    fn sweep_lanes<const N: usize>(
        &self,
        both_ms: &[[i32; 2]],
        direction: usize,
        places: &[&[Label]],
        many: &Many<'_>,
        far: &mut [[i32; N]],
        mut tell: impl FnMut(usize, usize, u32),
    ) {
        let ascent = self.ascent(places);
        for (lane, labels) in places.iter().enumerate() {
            labels.iter().for_each(|l| far[l.node as usize][lane] = l.ms.min(far[l.node as usize][lane]));
        }
        ascent.iter().for_each(|node| self.push_up(both_ms, direction, *node, far));
        many.nodes.iter().for_each(|node| self.pull_down(both_ms, 1 - direction, *node, far));
        for label in many.labels {
            for (labels, ms) in places.iter().zip(far[label.node as usize]) {
                if ms + label.ms < FAR_MS {
                    tell(labels[0].place as usize, label.place as usize, (ms + label.ms).unsigned_abs());
                }
            }
        }
        ascent.iter().chain(&many.nodes).for_each(|node| far[*node as usize] = [FAR_MS; N]);
    }

    /// The nodes above any of the few, lowest first.
    fn ascent(&self, places: &[&[Label]]) -> Vec<u32> {
        let mut nodes = Vec::new();
        for label in places.iter().flat_map(|labels| labels.iter()) {
            let above = std::iter::successors(Some(label.node), |node| {
                Some(self.parent[*node as usize]).filter(|parent| *parent != NONE)
            });
            nodes.extend(above);
        }
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }

    fn push_up<const N: usize>(&self, both_ms: &[[i32; 2]], direction: usize, node: u32, far: &mut [[i32; N]]) {
        let here = far[node as usize];
        for arc in self.arcs_of(node) {
            let ms = both_ms[arc][direction];
            let there = &mut far[self.heads[arc] as usize];
            there.iter_mut().zip(here).for_each(|(there, here)| *there = (here + ms).min(*there));
        }
    }

    fn pull_down<const N: usize>(&self, both_ms: &[[i32; 2]], direction: usize, node: u32, far: &mut [[i32; N]]) {
        let mut here = far[node as usize];
        for arc in self.arcs_of(node) {
            let ms = both_ms[arc][direction];
            let there = &far[self.heads[arc] as usize];
            here.iter_mut().zip(there).for_each(|(here, there)| *here = (there + ms).min(*here));
        }
        far[node as usize] = here;
    }
}
