//! How a controller behaves, order by order.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// What it makes of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// It follows, within its own times.
    Obey,
    /// It says no.
    Refuse,
    /// It says nothing, not even to questions.
    Silent,
    /// It says yes and tells the stage ordered; the lamps stay as they are.
    Lie,
    /// It follows, and where anybody has green all heads show it: something is wrong with its lamps.
    Clash,
    /// It starts anew, which ends the connection.
    Reboot,
}

/// Manners, each for a number of orders; the last one goes on for ever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    acts: Vec<(Manner, u32)>,
}

impl Default for Script {
    fn default() -> Self {
        Script { acts: vec![(Manner::Obey, u32::MAX)] }
    }
}

impl Script {
    /// These manners, each for so many orders.
    pub fn of(acts: impl IntoIterator<Item = (Manner, u32)>) -> Script {
        Script { acts: acts.into_iter().collect() }
    }

    /// Moods by chance, the same for the same seed: mostly it obeys.
    pub fn seeded(seed: u64) -> Script {
        const MOODS: [Manner; 8] = [
            Manner::Obey,
            Manner::Obey,
            Manner::Obey,
            Manner::Obey,
            Manner::Refuse,
            Manner::Silent,
            Manner::Lie,
            Manner::Reboot,
        ];
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut act = || (MOODS[rng.random_range(0..MOODS.len())], rng.random_range(1..5));
        let mut acts: Vec<_> = (0..64).map(|_| act()).collect();
        acts.push((Manner::Obey, u32::MAX));
        Script { acts }
    }

    /// The manner for the order with a row, from 0.
    pub fn manner(&self, order: u32) -> Manner {
        let mut left = order;
        for (manner, orders) in &self.acts {
            match left.checked_sub(*orders) {
                Some(rest) => left = rest,
                None => return *manner,
            }
        }
        self.acts.last().map_or(Manner::Obey, |(manner, _)| *manner)
    }
}
