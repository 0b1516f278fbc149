//! Max-pressure (Varaiya 2013) on lanes: a stage is worth the vehicles near the lines that it lets go, less a part
//! of the mean of those near the ends of the lanes that they would enter.

use std::collections::BTreeMap;

use super::super::envelope::Shown;
use super::choice::{Demand, SOMEONE_MILLI};
use crate::Time;
use crate::ids::{LaneId, LinkId};
use crate::network::{City, Junction, Light};
use crate::state::link::LaneCounts;

/// A lane before the line that is shorter than this is seen together with the lanes that feed it, mm.
const SHORT_MM: u32 = 100_000;
/// What a vehicle near the end of an out lane takes off, against one before the line, 1/1000. With 1000, as the theory has
/// it, long lanes full of vehicles that will leave well hold back stages that could go; of 0, 100, 250 and 500 this gave
/// the least delay in the reference city's morning peak.
const OUT_MILLI: i64 = 100;

/// What of the network a junction looks at. Lanes are numbered locally.
pub(super) struct Field {
    lanes: Vec<LaneId>,
    /// Per link: for each of its lanes in order, the local number if it is looked at.
    of_link: BTreeMap<LinkId, Vec<Option<usize>>>,
    approaches: Vec<ApproachLane>,
    /// Per stage: rows of `approaches`, the share of the lane's movements let go (1/1000), and the lanes that they enter.
    releases: Vec<Vec<Release>>,
    /// Per head: rows of `approaches` that obey it.
    lanes_of_head: Vec<Vec<usize>>,
}

/// A lane before the stop line, with the short lanes upstream that feed it.
struct ApproachLane {
    /// Local lanes and their shares, 1/1000.
    sources: Vec<(usize, u32)>,
}

struct Release {
    approach: usize,
    share_milli: i64,
    outs: Vec<usize>,
}

impl Field {
    pub(super) fn new(city: &City, junction: &Junction) -> Self {
        let mut field = Field {
            lanes: Vec::new(),
            of_link: BTreeMap::new(),
            approaches: Vec::new(),
            releases: Vec::new(),
            lanes_of_head: Vec::new(),
        };
        let mut moves: BTreeMap<LaneId, Vec<(usize, LaneId)>> = BTreeMap::new();
        for (head, id) in
            junction.heads.iter().enumerate().flat_map(|(h, head)| head.movements.iter().map(move |m| (h, m)))
        {
            let movement = &city.movements[id.index()];
            moves.entry(movement.from).or_default().push((head, movement.to));
        }
        let feeders = feeders(city);
        for lane in moves.keys() {
            let sources = field.sources(city, &feeders, *lane);
            field.approaches.push(ApproachLane { sources });
        }
        for stage in &junction.stages {
            let releases = moves
                .values()
                .enumerate()
                .filter_map(|(row, moves)| field.release(city, row, moves, &stage.lights))
                .collect();
            field.releases.push(releases);
        }
        field.lanes_of_head = (0..junction.heads.len())
            .map(|h| {
                (0..)
                    .zip(moves.values())
                    .filter(|(_, m)| m.iter().any(|(head, _)| *head == h))
                    .map(|(row, _)| row)
                    .collect()
            })
            .collect();
        field
    }

    /// The local number of a lane.
    fn local(&mut self, city: &City, lane: LaneId) -> usize {
        let link = city.link_of(lane);
        let slots = self.of_link.entry(link.id).or_insert_with(|| vec![None; link.lanes.len()]);
        let place = link.lanes.iter().position(|l| *l == lane).unwrap_or(0);
        *slots[place].get_or_insert_with(|| {
            self.lanes.push(lane);
            self.lanes.len() - 1
        })
    }

    /// The lane itself, and lanes upstream without signals while the way back to the line is shorter than [`SHORT_MM`].
    fn sources(&mut self, city: &City, feeders: &[Vec<LaneId>], lane: LaneId) -> Vec<(usize, u32)> {
        let mut sources = vec![(self.local(city, lane), 1000)];
        let mut todo = vec![(lane, city.lanes[lane.index()].length_mm, 1000u32)];
        let mut seen = vec![lane];
        while let Some((to, reach_mm, share)) = todo.pop() {
            if reach_mm >= SHORT_MM {
                continue;
            }
            for &from in &feeders[to.index()] {
                if seen.contains(&from) {
                    continue;
                }
                seen.push(from);
                let share = share / (city.lanes[from.index()].movements.len().max(1) as u32);
                sources.push((self.local(city, from), share));
                todo.push((from, reach_mm + city.lanes[from.index()].length_mm, share));
            }
        }
        sources
    }

    /// What a stage lets go of a lane's movements: a permissive green counts half.
    fn release(
        &mut self,
        city: &City,
        approach: usize,
        moves: &[(usize, LaneId)],
        lights: &[Light],
    ) -> Option<Release> {
        let worth = |head: usize| match lights[head] {
            Light::Protected => 1000,
            Light::Permissive => 500,
            Light::Red => 0,
        };
        let share_milli = moves.iter().map(|(head, _)| worth(*head)).sum::<i64>() / moves.len() as i64;
        let go = |m: &&(usize, LaneId)| lights[m.0].is_green();
        let mut outs: Vec<usize> = moves.iter().filter(go).map(|(_, to)| self.local(city, *to)).collect();
        outs.sort_unstable();
        outs.dedup();
        (share_milli > 0).then_some(Release { approach, share_milli, outs })
    }

    /// Links whose lane counts matter here.
    pub(super) fn links(&self) -> impl Iterator<Item = LinkId> {
        self.of_link.keys().copied()
    }

    pub(super) fn no_demand(&self, junction: &Junction, now: Time) -> Demand {
        Demand {
            near_milli: vec![0; self.lanes.len()],
            blind: vec![true; self.lanes.len()],
            waiting_since_ms: vec![None; junction.heads.len()],
            stood_ms: vec![now; junction.stages.len()],
            now_ms: now,
        }
    }

    /// Takes in what a link told.
    pub(super) fn hear(&self, demand: &mut Demand, counts: &LaneCounts) {
        let Some(slots) = self.of_link.get(&counts.link) else { return };
        for (row, (slot, near)) in slots.iter().zip(&counts.near_milli).enumerate() {
            if let Some(lane) = slot {
                demand.near_milli[*lane] = *near;
                demand.blind[*lane] = counts.is_blind(row);
            }
        }
    }

    /// Notes since when each head has been red with someone waiting: where nobody would be seen, someone is.
    pub(super) fn age(&self, demand: &mut Demand, shown: &Shown, now: Time) {
        demand.now_ms = now;
        for (head, lanes) in self.lanes_of_head.iter().enumerate() {
            let someone = |row: &usize| self.is_blind(demand, *row) || self.near_milli(demand, *row) >= SOMEONE_MILLI;
            let waits = !shown.lamps()[head].is_green() && lanes.iter().any(someone);
            let since = &mut demand.waiting_since_ms[head];
            *since = if waits { since.or(Some(now)) } else { None };
        }
    }

    fn near_milli(&self, demand: &Demand, approach: usize) -> i64 {
        let near = |(lane, share): &(usize, u32)| i64::from(demand.near_milli[*lane]) * i64::from(*share) / 1000;
        self.approaches[approach].sources.iter().map(near).sum()
    }

    fn is_blind(&self, demand: &Demand, approach: usize) -> bool {
        self.approaches[approach].sources.iter().all(|(lane, _)| demand.blind[*lane])
    }

    /// The pressure of each stage, 1/1000 vehicle.
    pub(super) fn scores_milli(&self, demand: &Demand) -> Vec<i64> {
        let score = |r: &Release| {
            let out: i64 = r.outs.iter().map(|lane| i64::from(demand.near_milli[*lane])).sum();
            r.share_milli
                * (self.near_milli(demand, r.approach) - OUT_MILLI * out / (1000 * r.outs.len().max(1) as i64))
                / 1000
        };
        self.releases.iter().map(|stage| stage.iter().map(score).sum()).collect()
    }
}

/// For each lane, the lanes that lead into it without a signal.
fn feeders(city: &City) -> Vec<Vec<LaneId>> {
    let mut feeders = vec![Vec::new(); city.lanes.len()];
    for m in city.movements.iter().filter(|m| m.signal.is_none()) {
        feeders[m.to.index()].push(m.from);
    }
    feeders
}
