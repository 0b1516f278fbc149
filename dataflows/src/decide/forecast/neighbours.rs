//! Whose residuals tell of a series' next ones: chosen from the data. For each pair, how the residual of one some rows ago
//! goes with what the other's own past does not explain.

use serde::{Deserialize, Serialize};

/// So many are chosen for a series.
pub(super) const CHOSEN: usize = 8;
/// The nearest few among them.
pub(super) const NEAREST: usize = 3;
/// Series next to each other are given the benefit of the doubt.
const NEXT_TO: f32 = 1.25;
/// Below this correlation a pair says nothing.
const LEAST: f32 = 0.02;
/// One wild reading is not to choose.
const LARGEST: f32 = 4.0;

/// Faded sums over pairs of series.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Neighbours {
    /// Of the earlier residual of one (column) and the unexplained one of another (row).
    cross: Vec<f32>,
    /// Of each series: its earlier residual squared, with its later one, unexplained one squared.
    own: Vec<[f32; 3]>,
    /// By series: who is chosen, the most telling first.
    pub chosen: Vec<Vec<u16>>,
}

impl Neighbours {
    pub(super) fn new(series: usize) -> Self {
        Neighbours { cross: vec![0.0; series * series], own: vec![[0.0; 3]; series], chosen: vec![Vec::new(); series] }
    }

    /// Learns from residuals some rows ago and now; one that is missing is 0.
    pub(super) fn learn(&mut self, before: &[f32], now: &[f32], keep: f32) {
        let before: Vec<f32> = before.iter().map(|r| r.clamp(-LARGEST, LARGEST)).collect();
        for (n, sums) in self.own.iter_mut().enumerate() {
            let (then, now) = (before[n], now[n].clamp(-LARGEST, LARGEST));
            let unexplained = now - sums[1] / (sums[0] + 1.0) * then;
            *sums = [keep * sums[0] + then * then, keep * sums[1] + then * now, keep * sums[2] + unexplained.powi(2)];
            let row = &mut self.cross[n * before.len()..(n + 1) * before.len()];
            for (sum, then) in row.iter_mut().zip(&before) {
                *sum = keep * *sum + then * unexplained;
            }
        }
    }

    /// Chooses anew. `near`: who is next to whom.
    pub(super) fn choose(&mut self, near: &[Vec<usize>]) {
        let series = self.own.len();
        for (n, near) in near.iter().enumerate().take(series) {
            let mut telling: Vec<(f32, u16)> = Vec::new();
            for j in (0..series).filter(|j| *j != n) {
                let size = (self.own[j][0] * self.own[n][2]).sqrt();
                let correlation = if size > 0.0 { self.cross[n * series + j] / size } else { 0.0 };
                let weight = if near.contains(&j) { NEXT_TO } else { 1.0 };
                if correlation > LEAST {
                    telling.push((-weight * correlation, j as u16));
                }
            }
            telling.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            self.chosen[n] = telling.iter().take(CHOSEN).map(|(_, j)| *j).collect();
        }
    }
}
