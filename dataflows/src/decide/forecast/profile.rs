//! What is usual at a time of day: mean and spread by interval and class of day, faded by days, smoothed over neighbouring
//! intervals, pulled towards the other class of day and the long-run mean while few days have been seen.

use serde::{Deserialize, Serialize};

use super::calendar::{CLASSES, Slot};

/// A day's weight a day later, of days of its class: e^(-1/7).
const KEEP: f32 = 0.84;
/// Weight of the interval before and the one behind in a mean.
const BESIDE: f32 = 0.135;
/// Weights of the intervals 0, 1, .. before and behind in a spread: a bell of deviation 2.
const BELL: [f32; 6] = [1.0, 0.8825, 0.6065, 0.3247, 0.1353, 0.0439];
/// Observations that the other class and the long-run mean weigh.
const PRIOR: f32 = 1.0;
/// Squares that the long-run spread weighs.
const SPREAD_PRIOR: f32 = 2.0;
/// Share of the long-run variance in that of an interval: a quiet hour is not to make trifles look large.
const LONG_SHARE: f32 = 0.2;
/// Days that the long-run mean and variance reach back.
const LONG_DAYS: f32 = 7.0;
/// So many long-run spreads from what is usual is far.
const FAR: f32 = 10.0;
/// So many far values running are held to that; more of them are how it is now.
const FAR_RUNNING: u8 = 2;
/// Spread expected before any was seen, as a share of the mean size, and the observations that this weighs.
const FIRST_SPREAD: f32 = 0.3;
const FIRST_WEIGHT: f32 = 8.0;
/// The smallest spread, as a share of the mean size.
const LEAST_SPREAD: f32 = 1e-3;
/// One time that it was congested, as counted: faded sums of such stay within 16 bits.
const ONCE: f32 = 8192.0;
/// How often it is congested before anything was seen.
const SELDOM: f32 = 0.03;

/// Mean and spread by interval of the day.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Profile {
    slots: Vec<Seen>,
    /// Long-run mean, mean size, variance about what was usual, and observations.
    mean: f32,
    size: f32,
    variance: f32,
    seen: f32,
    /// So many values running were far from usual.
    far: u8,
}

/// What was seen in an interval of the day: faded sums and their weights.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Seen {
    sum: [f32; CLASSES],
    weight: [f32; CLASSES],
    squares: f32,
    squares_weight: f32,
    /// Times that it was congested, in parts of one.
    congested: [u16; CLASSES],
}

/// What is usual at an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Usual {
    /// Mean.
    pub mean: f32,
    /// Standard deviation about it; above 0.
    pub spread: f32,
    /// Mean over the intervals around it.
    pub around: f32,
    /// How often it is congested around it.
    pub congested: f32,
}

impl Profile {
    /// Learns a value of an interval; of one that is far from usual, only that it is.
    pub(super) fn learn(&mut self, slots: usize, at: Slot, value: f32, congested: bool) {
        self.slots.resize(slots, Seen::default());
        let (usual, far) = (self.at(at), FAR * self.spread());
        let known = self.seen > 0.0;
        self.far = if known && (value - usual.mean).abs() > far { self.far.saturating_add(1) } else { 0 };
        let held = (1..=FAR_RUNNING).contains(&self.far);
        let value = if held { value.clamp(usual.mean - far, usual.mean + far) } else { value };
        let residual = if known { value - usual.mean } else { 0.0 };
        self.seen = (self.seen + 1.0).min(LONG_DAYS * slots as f32);
        self.mean += (value - self.mean) / self.seen;
        self.size += (value.abs() - self.size) / self.seen;
        self.variance += (residual * residual - self.variance) / self.seen;
        let slot = &mut self.slots[at.slot];
        slot.squares = KEEP * slot.squares + residual * residual;
        slot.squares_weight = KEEP * slot.squares_weight + 1.0;
        slot.sum[at.class] = KEEP * slot.sum[at.class] + value;
        slot.weight[at.class] = KEEP * slot.weight[at.class] + 1.0;
        let came = if congested { ONCE } else { 0.0 };
        slot.congested[at.class] = (KEEP * f32::from(slot.congested[at.class]) + came) as u16;
    }

    /// What is usual at an interval.
    pub(super) fn at(&self, at: Slot) -> Usual {
        if self.slots.is_empty() {
            return Usual { mean: self.mean, spread: 1.0, around: self.mean, congested: SELDOM };
        }
        let (mut squares, mut weight) = (SPREAD_PRIOR * self.variance(), SPREAD_PRIOR);
        let (mut sum, mut days) = (PRIOR * self.mean, PRIOR);
        let (mut congested, mut other, mut other_days) = (0.0, SELDOM * ONCE, 1.0);
        for (distance, share) in BELL.iter().enumerate() {
            let both = [self.beside(at.slot, distance as isize), self.beside(at.slot, -(distance as isize))];
            for slot in &both[..if distance == 0 { 1 } else { 2 }] {
                squares += share * slot.squares;
                weight += share * slot.squares_weight;
                sum += share * slot.sum[at.class];
                days += share * slot.weight[at.class];
                congested += share * f32::from(slot.congested[at.class]);
                other += share * f32::from(slot.congested[1 - at.class]);
                other_days += share * slot.weight[1 - at.class];
            }
        }
        let variance = (1.0 - LONG_SHARE) * squares / weight + LONG_SHARE * self.variance();
        let least = LEAST_SPREAD * self.size + f32::EPSILON;
        Usual {
            mean: self.mean_at(at),
            spread: variance.sqrt().max(least),
            around: sum / days,
            congested: (congested + PRIOR * other / other_days) / (days * ONCE),
        }
    }

    /// Whether nothing was seen yet.
    pub(super) fn is_new(&self) -> bool {
        self.slots.is_empty()
    }

    /// The long-run standard deviation about what is usual; above 0.
    pub(super) fn spread(&self) -> f32 {
        self.variance().sqrt().max(LEAST_SPREAD * self.size + f32::EPSILON)
    }

    fn variance(&self) -> f32 {
        let first = (FIRST_SPREAD * self.size).powi(2);
        (self.seen * self.variance + FIRST_WEIGHT * first) / (self.seen + FIRST_WEIGHT)
    }

    fn mean_at(&self, at: Slot) -> f32 {
        if self.slots.is_empty() {
            return self.mean;
        }
        let sums = |class: usize| {
            let around = [(0, 1.0), (1, BESIDE), (-1, BESIDE)].map(|(by, share)| (self.beside(at.slot, by), share));
            around.iter().fold((0.0, 0.0), |(sum, weight), (slot, share)| {
                (sum + share * slot.sum[class], weight + share * slot.weight[class])
            })
        };
        let ((sum, weight), (other_sum, other_weight)) = (sums(at.class), sums(1 - at.class));
        let other = (other_sum + PRIOR * self.mean) / (other_weight + PRIOR);
        (sum + PRIOR * other) / (weight + PRIOR)
    }

    fn beside(&self, slot: usize, by: isize) -> &Seen {
        let slots = self.slots.len() as isize;
        &self.slots[(slot as isize + by).rem_euclid(slots) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(slot: usize, class: usize) -> Slot {
        Slot { row: slot as i64, slot, class }
    }

    #[test]
    fn a_profile_knows_the_hour_and_the_class_of_day() {
        let mut profile = Profile::default();
        let value = |n: usize, class: usize| (if n < 12 { 20.0 } else { 60.0 }) + 10.0 * class as f32;
        for day in 0..28 {
            let class = usize::from(day % 7 > 4);
            (0..24).for_each(|n| profile.learn(24, slot(n, class), value(n, class), false));
        }
        for (n, class) in [(6, 0), (18, 0), (6, 1), (18, 1)] {
            assert!(
                (profile.at(slot(n, class)).mean - value(n, class)).abs() < 2.0,
                "{:?}",
                profile.at(slot(n, class))
            );
        }
        assert!(profile.at(slot(6, 0)).spread < 8.0);
    }

    #[test]
    fn the_spread_is_that_of_the_hour() {
        let mut profile = Profile::default();
        for day in 0..40 {
            let up = if day % 2 == 0 { 1.0 } else { -1.0 };
            (0..48).for_each(|n| profile.learn(48, slot(n, 0), 50.0 + up * if n < 24 { 1.0 } else { 10.0 }, false));
        }
        let (quiet, busy) = (profile.at(slot(12, 0)).spread, profile.at(slot(36, 0)).spread);
        assert!(quiet < 5.0 && (7.0..13.0).contains(&busy), "{quiet} {busy}");
    }

    #[test]
    fn how_often_it_is_congested_is_that_of_the_hour_and_the_class() {
        let mut profile = Profile::default();
        for day in 0..60 {
            let class = usize::from(day % 7 > 4);
            (0..48).for_each(|n| profile.learn(48, slot(n, class), 1.0, n >= 24 && class == 0));
        }
        let often = |n, class| profile.at(slot(n, class)).congested;
        assert!(often(36, 0) > 0.95 && often(12, 0) < 0.02 && often(36, 1) < 0.1, "{} {}", often(36, 0), often(36, 1));
    }

    #[test]
    fn a_place_that_was_empty_for_a_week_is_believed_when_people_come() {
        let mut profile = Profile::default();
        for day in 0..12 {
            let people = |n: usize| if day >= 7 && (200..236).contains(&n) { 5_000.0 } else { 0.0 };
            (0..288).for_each(|n| profile.learn(288, slot(n, 0), people(n), false));
        }
        // Five days with people weigh more than seven without.
        assert!(profile.at(slot(220, 0)).mean > 2_500.0, "{:?}", profile.at(slot(220, 0)));
        assert!(profile.at(slot(100, 0)).mean < 200.0 && profile.at(slot(220, 0)).spread > 100.0);
        profile.learn(288, slot(100, 0), 1e8, false);
        assert!(profile.at(slot(100, 0)).mean < 20_000.0, "one wild reading: {:?}", profile.at(slot(100, 0)));
    }

    #[test]
    fn before_anything_was_seen_nothing_is_usual_but_all_is_finite() {
        let usual = Profile::default().at(slot(3, 1));
        assert!(usual.mean.is_finite() && usual.spread > 0.0);
    }
}
