//! Onsets of congestion that were told, and what became of them, by the told probability.

use serde::{Deserialize, Serialize};

use super::panel::Ahead;

/// Probabilities are counted in so many parts; a threshold lies between two of them.
pub(super) const PARTS: usize = 250;
/// How far told probabilities are believed beside what came of them, when a threshold is decided.
const TOLD_SHARE: f64 = 0.5;

/// What was told of series that were free, and what became of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Onsets {
    /// Onsets that the forecaster decided to tell and that came.
    hits: f64,
    false_alarms: f64,
    /// By part of the probability of congestion: how many stayed free, and how many congested.
    parts: Vec<[f64; 2]>,
}

/// The best threshold whose alarms are right often enough.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// Probability of congestion from which on an alarm is given.
    pub probability: f64,
    /// Share of alarms that are right.
    pub precision: f64,
    /// Share of onsets that are told.
    pub recall: f64,
}

impl Default for Onsets {
    fn default() -> Self {
        Onsets { hits: 0.0, false_alarms: 0.0, parts: vec![[0.0; 2]; PARTS] }
    }
}

impl Onsets {
    pub(super) fn add(&mut self, forecast: &Ahead, came: bool) {
        let part = (forecast.congested.clamp(0.0, 1.0) * PARTS as f32) as usize;
        self.parts[part.min(PARTS - 1)][usize::from(came)] += 1.0;
        match (forecast.onset, came) {
            (true, true) => self.hits += 1.0,
            (true, false) => self.false_alarms += 1.0,
            (false, _) => {}
        }
    }

    /// Forecasts of series that were free.
    pub fn count(&self) -> f64 {
        self.parts.iter().flatten().sum()
    }

    /// Onsets among them.
    pub fn events(&self) -> f64 {
        self.parts.iter().map(|[_, came]| came).sum()
    }

    /// Onsets that were told.
    pub fn told(&self) -> f64 {
        self.hits + self.false_alarms
    }

    /// Onsets that were told and came.
    pub fn hits(&self) -> f64 {
        self.hits
    }

    /// Share of told onsets that came; none where none was told.
    pub fn precision(&self) -> Option<f64> {
        share(self.hits, self.hits + self.false_alarms)
    }

    /// Share of onsets that were told; none where there was none.
    pub fn recall(&self) -> Option<f64> {
        share(self.hits, self.events())
    }

    /// The threshold that tells most onsets while at least such a share of its alarms is right. None where no alarm is right so
    /// often.
    pub fn best(&self, precision: f64) -> Option<Threshold> {
        let (events, mut alarms, mut hits, mut best) = (self.events(), 0.0, 0.0, None);
        for (part, [stayed, came]) in self.parts.iter().enumerate().rev() {
            alarms += stayed + came;
            hits += came;
            let reached = hits > 0.0 && hits >= precision * alarms;
            if *came > 0.0 && reached {
                let probability = part as f64 / PARTS as f64;
                best = Some(Threshold { probability, precision: hits / alarms, recall: hits / events });
            }
        }
        best
    }

    /// The threshold to decide by: as [`Onsets::best`], where what came is held half for what was told. Few alarms, or some that
    /// were wrong before anything was learned, would else silence it.
    pub(super) fn decide(&self, precision: f64) -> Option<f64> {
        let (mut alarms, mut hits, mut lowest) = (0.0, 0.0, None);
        for (part, [stayed, came]) in self.parts.iter().enumerate().rev() {
            let told = (part as f64 + 0.5) / PARTS as f64;
            alarms += stayed + came;
            hits += (1.0 - TOLD_SHARE) * came + TOLD_SHARE * told * (stayed + came);
            if stayed + came > 0.0 && hits >= precision * alarms {
                lowest = Some(part as f64 / PARTS as f64);
            }
        }
        lowest
    }

    /// By so many ranges of told probability: its mean, the share that did congest, and how many there are. Empty ones are left
    /// out.
    pub fn reliability(&self, ranges: usize) -> Vec<(f64, f64, f64)> {
        let of = |parts: &[[f64; 2]], first: usize| {
            let count: f64 = parts.iter().flatten().sum();
            let told = |(n, part): (usize, &[f64; 2])| ((first + n) as f64 + 0.5) / PARTS as f64 * (part[0] + part[1]);
            let told: f64 = parts.iter().enumerate().map(told).sum();
            let came: f64 = parts.iter().map(|[_, came]| came).sum();
            (told / count, came / count, count)
        };
        let length = PARTS.div_ceil(ranges.max(1));
        let ranges = self.parts.chunks(length).enumerate().map(|(n, parts)| of(parts, n * length));
        ranges.filter(|(_, _, count)| *count > 0.0).collect()
    }

    /// Both together.
    pub fn and(mut self, other: &Onsets) -> Onsets {
        self.hits += other.hits;
        self.false_alarms += other.false_alarms;
        for (mine, more) in self.parts.iter_mut().flatten().zip(other.parts.iter().flatten()) {
            *mine += more;
        }
        self
    }

    pub(super) fn fade(&mut self, keep: f64) {
        self.hits *= keep;
        self.false_alarms *= keep;
        self.parts.iter_mut().flatten().for_each(|count| *count *= keep);
    }
}

fn share(part: f64, whole: f64) -> Option<f64> {
    (whole > 0.0).then(|| part / whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_told_speaks_with_what_came_for_a_threshold() {
        let mut onsets = Onsets::default();
        let mut add = |congested, came, times| {
            (0..times).for_each(|_| onsets.add(&Ahead { congested, ..Ahead::default() }, came))
        };
        add(0.9, true, 6);
        add(0.9, false, 4);
        assert_eq!((onsets.best(0.7), onsets.decide(0.7)), (None, Some(0.9)), "told 0.9 and came 0.6");
        assert_eq!((onsets.decide(0.8), Onsets::default().decide(0.7)), (None, None));
    }
}
