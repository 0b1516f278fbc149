//! Seeded chance: one ChaCha8 stream a concern, and the few distributions that the world draws from.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A generator of its own for one concern, so that more calls never change the traffic.
pub(super) fn stream(seed: u64, concern: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(concern);
    rng
}

/// The finaliser of splitmix64: spreads a counter over all 64 bits.
pub(super) fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// Waiting time until the next event of a Poisson process with this mean gap, ms; at least 1.
pub(super) fn exponential_ms(rng: &mut ChaCha8Rng, mean_ms: f64) -> u64 {
    let u: f64 = rng.random();
    (-(1.0 - u).ln() * mean_ms).clamp(1.0, 1e12) as u64
}

/// A draw near the standard normal: twelve uniforms, added up.
pub(super) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0
}

/// A log-normal draw around a median, ms.
pub(super) fn lognormal_ms(rng: &mut ChaCha8Rng, median_ms: f64, sigma: f64) -> u64 {
    (median_ms * (sigma * normal(rng)).exp()) as u64
}

/// Rows to draw from, each as often as its weight.
#[derive(Clone, Debug, Default)]
pub(super) struct Weights {
    upto: Vec<f64>,
}

impl Weights {
    /// From one weight a row; negative ones count as 0.
    pub(super) fn new(weights: impl IntoIterator<Item = f64>) -> Self {
        let mut sum = 0.0;
        let add = |w: f64| {
            sum += w.max(0.0);
            sum
        };
        Weights { upto: weights.into_iter().map(add).collect() }
    }

    /// A row, or none where no row has weight.
    pub(super) fn draw(&self, rng: &mut ChaCha8Rng) -> Option<usize> {
        let total = *self.upto.last().filter(|&&t| t > 0.0)?;
        let u = rng.random::<f64>() * total;
        Some(self.upto.partition_point(|&x| x <= u).min(self.upto.len() - 1))
    }

    /// The share of each row in the sum; all 0 where no row has weight.
    pub(super) fn shares(&self) -> Vec<f64> {
        let total = self.upto.last().copied().unwrap_or(0.0).max(f64::MIN_POSITIVE);
        let before = std::iter::once(0.0).chain(self.upto.iter().copied());
        self.upto.iter().zip(before).map(|(x, b)| (x - b) / total).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_drawn_as_often_as_they_weigh() {
        let mut rng = stream(1, 1);
        let weights = Weights::new([1.0, 0.0, 3.0]);
        let mut seen = [0; 3];
        (0..4000).for_each(|_| seen[weights.draw(&mut rng).unwrap()] += 1);
        assert!(seen[1] == 0 && (2800..3200).contains(&seen[2]), "{seen:?}");
        assert_eq!(Weights::new([0.0]).draw(&mut rng), None);
    }

    #[test]
    fn streams_are_their_own_and_repeat() {
        let draw = |seed, n| stream(seed, n).random::<u64>();
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2));
    }
}
