//! How much of each lane a stage lets go, by the shares in which its vehicles have turned.

use super::demand::Demand;
use super::field::{Field, Row};
use super::outlook::padded;
use crate::network::Light;

/// How much a green that gives way is worth beside one that does not.
const PERMISSIVE_WORTH: f32 = 0.5;

/// What a stage lets go of each row; padded rows of nobody.
pub(super) struct Shares {
    /// By row: of its vehicles those that go and give way to nobody.
    pub(super) protected: Vec<f32>,
    /// Rows with vehicles that go and give way, and their share.
    pub(super) yielding: Vec<(usize, f32)>,
    /// By row: what a vehicle that waits in it counts for this stage, 0 to 1.
    pub(super) worth: Vec<f32>,
}

impl Shares {
    /// By stage.
    pub(super) fn of_stages(field: &Field, demand: &Demand) -> Vec<Shares> {
        // Those of all stages go over the same movements.
        let mut turns: Vec<f32> = Vec::new();
        (0..field.rows.len()).for_each(|row| turns.extend(demand.shares(row)));
        (0..field.releases.len()).map(|stage| Shares::of(field, &turns, stage)).collect()
    }

    fn of(field: &Field, turns: &[f32], stage: usize) -> Shares {
        let lights = &field.releases[stage].lights;
        let rows = padded(field.rows.len());
        let (mut protected, mut worth) = (vec![0.0; rows], vec![0.0; rows]);
        let mut yielding = Vec::new();
        let mut turns = turns.iter();
        for (number, Row { moves, .. }) in field.rows.iter().enumerate() {
            let mut permissive = 0.0;
            for (m, share) in moves.iter().zip(&mut turns) {
                match lights[m.head] {
                    Light::Protected => protected[number] += share,
                    Light::Permissive => permissive += share,
                    Light::Red => {}
                }
            }
            worth[number] = protected[number] + PERMISSIVE_WORTH * permissive;
            if permissive > 0.0 {
                yielding.push((number, permissive));
            }
        }
        Shares { protected, yielding, worth }
    }

    /// What the stage lets go of some vehicles by row, weighted.
    pub(super) fn asks(&self, vehicles: &[f32]) -> f32 {
        self.worth.iter().zip(vehicles).map(|(worth, vehicles)| worth * vehicles).sum()
    }
}
