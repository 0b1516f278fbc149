//! What is known at a moment of who waits, who comes and how fast each lane could flow: the same for all drafts.

use super::demand::{Demand, SOMEONE};
use super::field::{Field, Green, Onward, Release};
use super::flow::Flow;
use super::shares::Shares;

/// How far ahead is reckoned, s.
pub(super) const HORIZON_S: usize = 60;
/// Who comes within so long counts as waiting for the rule: a change takes about as long, s.
const SOON_S: usize = 4;
/// Before so long a gap nobody drives who has to give way, s.
const GAP_S: usize = 4;
/// What it costs to send a vehicle on, per second and vehicle near the end of the lane behind: max-pressure's term.
const SEND_PRICE: f32 = 0.02;
/// How fast a permissive green flows beside a protected one, while those who go before come, ...
const BUSY_PACE: f32 = 0.1;
/// ... and while they do not.
const FREE_PACE: f32 = 1.0;
/// In a lane that some leave protected and some giving way, the latter hold up the former by so much: 1 as if each waited
/// behind the other, 0 not at all. Some find room to wait inside the junction.
const HOLDING_UP: f32 = 0.5;

/// For so long into the yellow a lane flows as before, s.
const YELLOW_RUN_S: usize = 1;
/// For so long after its end those leave who waited for a gap, s.
const TURN_LAST_S: usize = 2;

/// Rows are reckoned so many at a time.
pub(super) const WIDTH: usize = 8;

/// The number of rows with those of nobody at the end that make it a multiple of [`WIDTH`].
pub(super) fn padded(rows: usize) -> usize {
    rows.next_multiple_of(WIDTH)
}

/// What is known at a moment.
pub(super) struct Outlook<'a> {
    pub(super) field: &'a Field,
    /// By stage.
    shares: &'a [Shares],
    /// Number of rows, padded.
    pub(super) rows: usize,
    /// By row: who waits.
    pub(super) queue: Vec<f32>,
    /// By row: how many more the lanes behind have room for.
    pub(super) room: Vec<f32>,
    /// By row: what it costs per second to send one on.
    pub(super) price: Vec<f32>,
    /// By second, then by row: who comes.
    coming: Vec<f32>,
    /// By second, then by row: who comes within the next seconds.
    soon: Vec<f32>,
    /// By second, then by row: whether there is a gap.
    gap: Vec<bool>,
    /// By stage, then by row: how many leave in a second, those apart that give way.
    rates: Vec<f32>,
    /// By stage, then by row: how many leave in a second of green.
    saturation: Vec<f32>,
}

impl<'a> Outlook<'a> {
    pub(super) fn new(field: &'a Field, demand: &Demand, shares: &'a [Shares]) -> Self {
        let (lanes, rows) = (field.rows.len(), padded(field.rows.len()));
        let mut coming = vec![0.0; HORIZON_S * rows];
        let mut queue = vec![0.0; rows];
        for row in 0..lanes {
            demand.coming(field, row, |in_s, vehicles| match in_s as usize {
                0 => queue[row] += vehicles,
                in_s if in_s <= HORIZON_S => coming[(in_s - 1) * rows + row] += vehicles,
                _ => {}
            });
        }
        let mut soon = coming.clone();
        for second in 1..SOON_S {
            soon.iter_mut().zip(&coming[second * rows..]).for_each(|(soon, coming)| *soon += coming);
        }
        let mut gap: Vec<bool> = coming.iter().map(|vehicles| *vehicles < SOMEONE).collect();
        for second in 1..GAP_S {
            gap.iter_mut().zip(&coming[second * rows..]).for_each(|(gap, coming)| *gap &= *coming < SOMEONE);
        }
        let rate = |(flow, green): (&Flow, &Green)| flow.rate(*green);
        let nobody = || std::iter::repeat_n(0.0, rows - lanes);
        let of_stage = |release: &'a Release| demand.flows.iter().zip(&release.green).map(rate).chain(nobody());
        let saturation: Vec<f32> = field.releases.iter().flat_map(of_stage).collect();
        let by_row = |of: &dyn Fn(usize) -> f32| (0..lanes).map(of).chain(nobody()).collect::<Vec<f32>>();
        let mean = |row: usize, of: &dyn Fn(usize) -> f32| {
            let outs = &field.rows[row].outs;
            let sum = |stretch: &Vec<Onward>| stretch.iter().map(|on| on.share * of(on.lane)).sum::<f32>();
            outs.iter().map(sum).sum::<f32>() / outs.len().max(1) as f32
        };
        let room = |lane: usize| (field.capacity[lane] - demand.on_lane(lane)).max(0.0);
        let share_of = |(share, saturation): (&f32, &f32)| share * saturation;
        Outlook {
            field,
            shares,
            rows,
            queue,
            room: by_row(&|row| mean(row, &room)),
            price: by_row(&|row| mean(row, &|lane| demand.near_end(lane)) * SEND_PRICE),
            coming,
            soon,
            gap,
            rates: shares.iter().flat_map(|s| &s.protected).zip(&saturation).map(share_of).collect(),
            saturation,
        }
    }

    /// Whether nobody waits or comes.
    pub(super) fn is_empty(&self) -> bool {
        self.queue.iter().chain(&self.coming).all(|vehicles| *vehicles == 0.0)
    }

    /// Number of stages.
    pub(super) fn stages(&self) -> usize {
        self.shares.len()
    }

    /// By row: who comes in a second; none beyond the horizon.
    pub(super) fn coming(&self, at_s: usize) -> Option<&[f32]> {
        self.coming.get(at_s * self.rows..(at_s + 1) * self.rows)
    }

    /// By row: who waits, and who comes soon.
    pub(super) fn near(&self, queue: &[f32], at_s: usize, near: &mut [f32]) {
        let soon = &self.soon[at_s * self.rows..][..self.rows];
        near.iter_mut().zip(queue).zip(soon).for_each(|((near, queue), soon)| *near = queue + soon);
    }

    /// What a stage would let go of those who are near, by row.
    pub(super) fn asks(&self, stage: usize, near: &[f32]) -> f32 {
        let (worth, near) = (self.shares[stage].worth.as_chunks::<WIDTH>().0, near.as_chunks::<WIDTH>().0);
        let mut sums = [0.0; WIDTH];
        for (worth, near) in worth.iter().zip(near) {
            (0..WIDTH).for_each(|i| sums[i] += worth[i] * near[i]);
        }
        sums.iter().sum()
    }

    /// By row: how many a stage lets go in a second, with such queues.
    pub(super) fn rates(&self, stage: usize, queue: &[f32], at_s: usize, goes: &mut [f32]) {
        goes.copy_from_slice(self.protected(stage));
        for &(row, share) in &self.shares[stage].yielding {
            let gives_way = &self.field.releases[stage].gives_way[row];
            let gap = |row: usize| self.gap.get(at_s * self.rows + row).is_none_or(|gap| *gap);
            let free = gives_way.iter().all(|row| queue[*row] < SOMEONE && gap(*row));
            let pace = if free { FREE_PACE } else { BUSY_PACE };
            let (saturation, protected) = (self.saturation[stage * self.rows + row], self.shares[stage].protected[row]);
            let beside = (protected + share * pace) * saturation;
            goes[row] = if protected > 0.0 {
                let behind = (protected + share) * saturation / (protected + share / pace);
                beside + (behind - beside) * HOLDING_UP
            } else {
                beside
            };
        }
    }

    /// By row: how many a stage lets go in a second that give way to nobody.
    pub(super) fn protected(&self, stage: usize) -> &[f32] {
        &self.rates[stage * self.rows..][..self.rows]
    }

    /// By row: how many leave in a second while one stage changes to another, `second` after its end. Who drives on in yellow
    /// is among them, and who waited inside the junction for a gap.
    pub(super) fn passing(&self, from: usize, to: usize, second: usize, goes: &mut [f32]) {
        let stays = &self.field.passings[from][to].goes;
        let saturation = &self.saturation[from * self.rows..][..self.rows];
        goes.iter_mut().zip(stays).zip(saturation).for_each(|((goes, share), rate)| *goes = share * rate);
        if second < YELLOW_RUN_S {
            goes.iter_mut().zip(self.protected(from)).for_each(|(goes, ends)| *goes = goes.max(*ends));
        }
        if second < TURN_LAST_S {
            let yielding = self.shares[from].yielding.iter();
            yielding.for_each(|(row, share)| goes[*row] = goes[*row].max(share * saturation[*row]));
        }
    }
}
