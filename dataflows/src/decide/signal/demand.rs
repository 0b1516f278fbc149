//! Who waits and who comes, as a junction knows it.

use serde::{Deserialize, Serialize};

use super::field::{Field, Move};
use super::flow::Flow;
use super::outlook::HORIZON_S;
use crate::Time;
use crate::decide::envelope::Shown;
use crate::network::Junction;
use crate::state::link::LaneCounts;

/// Less than this counts as nobody, vehicles: a stage that serves nobody yields to one that someone waits for.
pub(super) const SOMEONE: f32 = 0.5;
/// The same, 1/1000.
pub(super) const SOMEONE_MILLI: u32 = 500;
/// Who reaches the line within so long counts as near, s.
pub(super) const NEAR_S: u32 = 12;

/// Who waits and who comes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Demand {
    /// By local lane: seconds of Unix time at which vehicles reach its end, and how many, 1/1000.
    arrivals: Vec<Vec<(u32, u32)>>,
    /// By local lane: whether nothing upstream would see somebody come.
    blind: Vec<bool>,
    /// By link behind the junction: vehicles that are on their way to it, still inside the junction, 1/1000.
    inside_milli: Vec<u32>,
    /// By row and movement: the share of those who leave the row that are seen behind it, as the links there told.
    came: Vec<Vec<f32>>,
    /// By row: what is known of how it flows.
    pub(super) flows: Vec<Flow>,
    /// By head: since when it has been red with someone waiting, ms.
    pub(super) waiting_since_ms: Vec<Option<u64>>,
    /// By stage: when it last stood, ms.
    pub(super) stood_ms: Vec<Time>,
    pub(super) now_ms: Time,
}

impl Demand {
    /// Nobody, anywhere.
    pub(super) fn none(field: &Field, junction: &Junction, now: Time) -> Self {
        Demand {
            arrivals: vec![Vec::new(); field.lane_count()],
            blind: vec![true; field.lane_count()],
            inside_milli: vec![0; field.exits.len()],
            came: field.rows.iter().map(|row| vec![1.0 / row.moves.len() as f32; row.moves.len()]).collect(),
            flows: vec![Flow::default(); field.rows.len()],
            waiting_since_ms: vec![None; junction.heads.len()],
            stood_ms: vec![now; junction.stages.len()],
            now_ms: now,
        }
    }

    /// The junction is taken over: nobody knows how long anybody has waited.
    pub(super) fn begin(&mut self, now: Time) {
        self.waiting_since_ms.fill(None);
        self.stood_ms.fill(now);
        self.flows.iter_mut().for_each(Flow::begin);
    }

    /// At second 100, for each link so many who reach its line in so many seconds.
    #[cfg(test)]
    pub(super) fn given(field: &Field, arrivals: &[(u32, u32, u32)]) -> Self {
        let mut demand = Demand {
            arrivals: vec![Vec::new(); field.lane_count()],
            blind: vec![false; field.lane_count()],
            inside_milli: vec![0; field.exits.len()],
            came: field.rows.iter().map(|row| vec![1.0; row.moves.len()]).collect(),
            flows: vec![Flow::default(); field.rows.len()],
            now_ms: 100_000,
            ..Demand::default()
        };
        for &(link, in_s, vehicles) in arrivals {
            demand.arrivals[link as usize].push((100 + in_s, vehicles * 1000));
        }
        demand
    }

    /// Takes in what a link told.
    pub(super) fn hear(&mut self, field: &Field, counts: &LaneCounts) {
        if let Some(exit) = field.exits.iter().position(|link| *link == counts.link) {
            self.inside_milli[exit] = counts.inside_milli;
            for (lane, came_milli) in &counts.came_milli {
                if let Some(row) = field.row_of(*lane) {
                    self.turned(field, row, exit, *came_milli);
                }
            }
        }
        // Arrivals are in the order of lanes.
        let mut arrivals = counts.arrivals.as_slice();
        for (lane, slot) in field.of_link(counts.link).iter().enumerate() {
            let (own, rest) = arrivals.split_at(arrivals.partition_point(|arrival| usize::from(arrival.lane) <= lane));
            arrivals = rest;
            let Some(local) = *slot else { continue };
            self.arrivals[local].clear();
            self.arrivals[local].extend(own.iter().map(|arrival| (arrival.due_s, arrival.milli)));
            self.blind[local] = counts.is_blind(lane);
            let left_milli = counts.left_milli.get(lane).copied().unwrap_or(0);
            if let Some(row) = field.row_of_local(local) {
                self.flows[row].left(left_milli, counts.strangers_milli.get(lane).copied().unwrap_or(0));
            }
        }
    }

    /// So many of those who leave a row go to an exit, 1/1000.
    fn turned(&mut self, field: &Field, row: usize, exit: usize, came_milli: u16) {
        let moves = &field.rows[row].moves;
        let here = |m: &Move| m.exit == exit;
        let count = moves.iter().filter(|m| here(m)).count().max(1);
        let each = f32::from(came_milli) / 1000.0 / count as f32;
        moves.iter().zip(&mut self.came[row]).filter(|(m, _)| here(m)).for_each(|(_, came)| *came = each);
    }

    /// By movement of a row, the share of its vehicles that take it. Some who leave are seen nowhere.
    pub(super) fn shares(&self, row: usize) -> impl Iterator<Item = f32> {
        let sum: f32 = self.came[row].iter().sum();
        self.came[row].iter().map(move |came| came / sum.max(0.001))
    }

    /// Vehicles that wait in the junction.
    pub(super) fn inside(&self) -> f32 {
        self.inside_milli.iter().sum::<u32>() as f32 / 1000.0
    }

    /// Second of now.
    fn now_s(&self) -> u32 {
        (self.now_ms / 1000) as u32
    }

    /// Vehicles on a lane.
    pub(super) fn on_lane(&self, lane: usize) -> f32 {
        self.arrivals[lane].iter().map(|(_, milli)| *milli).sum::<u32>() as f32 / 1000.0
    }

    /// Vehicles that reach a lane's end within a time, or wait there.
    fn within(&self, lane: usize, by_s: u32) -> f32 {
        let arrivals = self.arrivals[lane].iter().filter(|(due_s, _)| *due_s <= by_s);
        arrivals.map(|(_, milli)| *milli).sum::<u32>() as f32 / 1000.0
    }

    /// Vehicles near a lane's end.
    pub(super) fn near_end(&self, lane: usize) -> f32 {
        self.within(lane, self.now_s() + NEAR_S)
    }

    /// Vehicles near the line of a row.
    pub(super) fn near(&self, field: &Field, row: usize) -> f32 {
        let by_s = self.now_s() + NEAR_S;
        let sources = field.rows[row].sources.iter();
        sources.map(|source| source.share * self.within(source.lane, by_s.saturating_sub(source.lag_s))).sum()
    }

    /// Vehicles that wait at the line of a row.
    pub(super) fn waiting(&self, field: &Field, row: usize) -> f32 {
        self.within(field.rows[row].sources[0].lane, self.now_s())
    }

    /// Vehicles that come to the line of a row in this second.
    pub(super) fn arriving(&self, field: &Field, row: usize) -> f32 {
        let now_s = self.now_s();
        let own = self.arrivals[field.rows[row].sources[0].lane].iter();
        own.filter(|(due_s, _)| *due_s == now_s).map(|(_, milli)| *milli).sum::<u32>() as f32 / 1000.0
    }

    /// Tells who comes to the line of a row: in how many seconds, and how many vehicles.
    pub(super) fn coming(&self, field: &Field, row: usize, mut tell: impl FnMut(u32, f32)) {
        let now_s = self.now_s();
        let flow = &self.flows[row];
        let unseen = flow.unseen();
        if unseen.flow() + unseen.waiting() > 0.0 {
            tell(0, unseen.waiting());
            (1..=HORIZON_S as u32).for_each(|in_s| tell(in_s, unseen.flow()));
        }
        for source in &field.rows[row].sources {
            let is_here = |(due_s, _): &&(u32, u32)| source.lag_s > 0 || !flow.is_gone(*due_s, now_s);
            for (due_s, milli) in self.arrivals[source.lane].iter().filter(is_here) {
                let in_s = due_s.max(&now_s) - now_s + source.lag_s;
                tell(in_s, source.share * *milli as f32 / 1000.0);
            }
        }
    }

    pub(super) fn is_blind(&self, field: &Field, row: usize) -> bool {
        field.rows[row].sources.iter().all(|source| self.blind[source.lane])
    }

    /// Notes since when each head has been red with someone waiting: where nobody would be seen, someone is.
    pub(super) fn age(&mut self, field: &Field, shown: &Shown, now: Time) {
        self.now_ms = now;
        for head in 0..self.waiting_since_ms.len() {
            let someone = |row: &usize| self.is_blind(field, *row) || self.near(field, *row) >= SOMEONE;
            let waits = !shown.lamps()[head].is_green() && field.rows_of_head(head).iter().any(someone);
            let since = self.waiting_since_ms[head];
            self.waiting_since_ms[head] = if waits { since.or(Some(now)) } else { None };
        }
    }
}
