//! Offsets of a group: delay and stops of platoons by the difference of offsets of each two neighbours; a spanning tree of the
//! streets that have most to gain, then the descent over all streets, with the profiles that come of it, again.

use super::profile::{Profile, dispersed, queue};
use super::streets::Group;

/// Rounds of profiles and descent: later ones change little.
const ROUNDS: usize = 2;
/// Sweeps over the group until a platoon has gone through it: those far upstream matter little.
const SWEEPS: usize = 3;
/// Times that every junction is tried in a descent, at most.
const PASSES: usize = 8;
/// Others are worth a transition only when they are better by this, share of the cost.
const WORTH: f64 = 0.03;

/// Signals of a group whose offsets are sought. A step is one of a profile.
pub(super) struct Search<'a> {
    pub(super) group: &'a Group,
    /// Steps of the group's cycle.
    pub(super) steps: usize,
    /// By lane of the group, from the first green of its junction on.
    pub(super) serves: Vec<Profile>,
    /// By lane of the group, vehicles a step.
    pub(super) flows: Vec<f64>,
}

/// By approach: the cost by how many steps later its junction begins than the one upstream. Empty: nobody is upstream.
type Costs = Vec<Vec<f64>>;

impl Search<'_> {
    /// Offsets, steps; those in force stay unless others are clearly better.
    pub(super) fn offsets(&self, in_force: Option<&[usize]>) -> Vec<usize> {
        let junctions = self.group.junctions.len();
        if junctions == 1 {
            return vec![0];
        }
        let apart = self.costs(&self.alone());
        let mut best = self.refined(self.tree(&apart));
        if let Some(now) = in_force {
            let near = self.refined(now.to_vec());
            if near.0 <= best.0 * (1.0 + WORTH) {
                best = near;
            }
            let stay = self.cost(now);
            if stay <= best.0 * (1.0 + WORTH) {
                return now.to_vec();
            }
        }
        best.1
    }

    /// The cost and the offsets of a descent from offsets.
    fn refined(&self, offsets: Vec<usize>) -> (f64, Vec<usize>) {
        let mut best = (self.cost(&offsets), offsets.clone());
        let mut offsets = offsets;
        for _ in 0..ROUNDS {
            let costs = self.costs(&self.together(&offsets).1);
            self.descend(&costs, &mut offsets);
            let cost = self.cost(&offsets);
            if cost < best.0 {
                best = (cost, offsets.clone());
            }
        }
        best
    }

    /// Delay and stops of all approaches, vehicle seconds a cycle.
    pub(super) fn cost(&self, offsets: &[usize]) -> f64 {
        self.together(offsets).0
    }

    /// Who leaves each lane when all come evenly.
    fn alone(&self) -> Vec<Profile> {
        let out = |(lane, serve): (usize, &Profile)| {
            let mut out = Profile::new();
            queue(|_| self.flows[lane], serve, Some(&mut out));
            out
        };
        self.serves.iter().enumerate().map(out).collect()
    }

    /// The cost of offsets, and who leaves each lane under them.
    fn together(&self, offsets: &[usize]) -> (f64, Vec<Profile>) {
        let mut outs = self.alone();
        let mut cost = 0.0;
        for _ in 0..SWEEPS {
            cost = 0.0;
            for approach in 0..self.group.approaches.len() {
                let arrivals = self.arrivals(approach, &outs);
                let late = self.lateness(approach, offsets);
                for lane in &self.group.approaches[approach].lanes {
                    let arrive = |n: usize| self.arrival(*lane, arrivals.as_deref(), n + late);
                    let mut out = Profile::new();
                    cost += queue(arrive, &self.serves[*lane], Some(&mut out));
                    outs[*lane] = out;
                }
            }
        }
        (cost, outs)
    }

    /// How many steps later the junction of an approach begins than the one upstream.
    fn lateness(&self, approach: usize, offsets: &[usize]) -> usize {
        let approach = &self.group.approaches[approach];
        let begins = approach.upstream.as_ref().map_or(0, |up| offsets[up.junction]);
        (offsets[approach.junction] + self.steps - begins) % self.steps
    }

    /// By approach and lateness, the cost, given who leaves each lane upstream.
    fn costs(&self, outs: &[Profile]) -> Costs {
        let of = |approach: usize| {
            let Some(arrivals) = self.arrivals(approach, outs) else { return Vec::new() };
            let lanes = &self.group.approaches[approach].lanes;
            let cost = |late: usize| {
                let of_lane =
                    |lane: &usize| queue(|n| self.arrival(*lane, Some(&arrivals), n + late), &self.serves[*lane], None);
                lanes.iter().map(of_lane).sum()
            };
            (0..self.steps).map(cost).collect()
        };
        (0..self.group.approaches.len()).map(of).collect()
    }

    /// Who comes to an approach in each step of the junction upstream, as shares of the mean; none if nobody is upstream.
    fn arrivals(&self, approach: usize, outs: &[Profile]) -> Option<Profile> {
        let approach = &self.group.approaches[approach];
        let upstream = approach.upstream.as_ref()?;
        let mut leaves = vec![0.0; self.steps];
        for (lane, share) in &upstream.feeds {
            leaves.iter_mut().zip(&outs[*lane]).for_each(|(sum, out)| *sum += share * out);
        }
        let flow: f64 = approach.lanes.iter().map(|lane| self.flows[*lane]).sum();
        let mean = leaves.iter().sum::<f64>() / self.steps as f64;
        if flow <= 0.0 || mean <= 0.0 {
            return Some(vec![1.0; self.steps]);
        }
        // Who does not come from there comes evenly.
        let part = (mean / flow).min(1.0);
        let arrives = dispersed(&leaves, upstream.travel_s);
        Some(arrives.iter().map(|a| part * a / mean + 1.0 - part).collect())
    }

    fn arrival(&self, lane: usize, arrivals: Option<&[f64]>, at: usize) -> f64 {
        self.flows[lane] * arrivals.map_or(1.0, |arrivals| arrivals[at % self.steps])
    }

    /// Both ways of each pair of neighbours: the lesser junction, the greater, and the cost by how many steps later the greater
    /// begins.
    fn pairs(&self, costs: &Costs) -> Vec<(usize, usize, Vec<f64>)> {
        let mut pairs: Vec<(usize, usize, Vec<f64>)> = Vec::new();
        for (approach, costs) in self.group.approaches.iter().zip(costs) {
            let Some(upstream) = &approach.upstream else { continue };
            let (from, to) = (upstream.junction, approach.junction);
            let (a, b) = (from.min(to), from.max(to));
            let row = pairs.iter().position(|p| (p.0, p.1) == (a, b)).unwrap_or_else(|| {
                pairs.push((a, b, vec![0.0; self.steps]));
                pairs.len() - 1
            });
            for (late, cost) in costs.iter().enumerate() {
                let later = if from < to { late } else { (self.steps - late) % self.steps };
                pairs[row].2[later] += cost;
            }
        }
        pairs
    }

    /// Offsets that are best on each street of the spanning tree of those that have most to gain.
    fn tree(&self, costs: &Costs) -> Vec<usize> {
        let mut pairs = self.pairs(costs);
        let gain = |costs: &[f64]| {
            let mean = costs.iter().sum::<f64>() / costs.len() as f64;
            mean - costs.iter().copied().fold(f64::INFINITY, f64::min)
        };
        pairs.sort_by(|a, b| gain(&b.2).total_cmp(&gain(&a.2)).then((a.0, a.1).cmp(&(b.0, b.1))));
        let mut root: Vec<usize> = (0..self.group.junctions.len()).collect();
        let mut offsets = vec![0; root.len()];
        for (a, b, costs) in pairs {
            let (kept, joined) = (root[a], root[b]);
            if kept == joined {
                continue;
            }
            let late = (0..self.steps).min_by(|x, y| costs[*x].total_cmp(&costs[*y])).unwrap_or(0);
            let by = (offsets[a] + late + self.steps - offsets[b]) % self.steps;
            for row in (0..root.len()).filter(|row| root[*row] == joined).collect::<Vec<_>>() {
                root[row] = kept;
                offsets[row] = (offsets[row] + by) % self.steps;
            }
        }
        offsets
    }

    /// Moves one junction after the other to where it costs least, until none moves.
    fn descend(&self, costs: &Costs, offsets: &mut [usize]) {
        for _ in 0..PASSES {
            let mut moved = false;
            for junction in 0..offsets.len() {
                let mut of = vec![0.0; self.steps];
                for (approach, costs) in self.group.approaches.iter().zip(costs) {
                    let Some(upstream) = &approach.upstream else { continue };
                    for (offset, sum) in of.iter_mut().enumerate() {
                        if approach.junction == junction {
                            *sum += costs[(offset + self.steps - offsets[upstream.junction]) % self.steps];
                        } else if upstream.junction == junction {
                            *sum += costs[(offsets[approach.junction] + self.steps - offset) % self.steps];
                        }
                    }
                }
                let best = (0..self.steps).min_by(|x, y| of[*x].total_cmp(&of[*y])).unwrap_or(0);
                if of[best] < of[offsets[junction]] - 1e-9 {
                    offsets[junction] = best;
                    moved = true;
                }
            }
            if !moved {
                return;
            }
        }
    }
}
