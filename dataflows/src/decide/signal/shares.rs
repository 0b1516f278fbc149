//! How much of each lane a stage lets go, by the shares in which its vehicles have turned.

use super::demand::Demand;
use super::field::{Field, Row};
use crate::network::Light;

/// How much a green that gives way is worth beside one that does not.
const PERMISSIVE_WORTH: f32 = 0.5;

/// What a stage lets go of each row.
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
        (0..field.releases.len()).map(|stage| Shares::of(field, demand, stage)).collect()
    }

    fn of(field: &Field, demand: &Demand, stage: usize) -> Shares {
        let lights = &field.releases[stage].lights;
        let share = |(number, row): (usize, &Row), light: Light| {
            let moves = row.moves.iter().zip(demand.shares(number));
            moves.filter(|(m, _)| lights[m.head] == light).map(|(_, share)| share).sum::<f32>()
        };
        let rows = || field.rows.iter().enumerate();
        let protected: Vec<f32> = rows().map(|row| share(row, Light::Protected)).collect();
        let permissive = rows().map(|row| (row.0, share(row, Light::Permissive)));
        let yielding: Vec<(usize, f32)> = permissive.filter(|(_, share)| *share > 0.0).collect();
        let mut worth = protected.clone();
        yielding.iter().for_each(|(row, share)| worth[*row] += PERMISSIVE_WORTH * share);
        Shares { protected, yielding, worth }
    }

    /// What the stage lets go of some vehicles by row, weighted.
    pub(super) fn asks(&self, vehicles: &[f32]) -> f32 {
        self.worth.iter().zip(vehicles).map(|(worth, vehicles)| worth * vehicles).sum()
    }
}
