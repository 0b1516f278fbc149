//! Parts of the model that can be left out, to see what each buys.

use super::features::{ALL, ORIGIN};

/// A part of the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What neighbours do.
    Neighbours,
    /// What the region does as a whole.
    Region,
    /// How far below the free value all is: what is not linear.
    Levels,
    /// How what is unusual now and what is usual then work together.
    Together,
    /// Series' own regressions.
    Own,
    /// The expert that weighs errors in units of the value.
    Units,
    /// What the day is like, in the probability of congestion.
    Day,
}

impl Part {
    /// All of them, by name.
    pub const NAMES: [(&str, Part); 7] = [
        ("neighbours", Part::Neighbours),
        ("region", Part::Region),
        ("levels", Part::Levels),
        ("together", Part::Together),
        ("own", Part::Own),
        ("units", Part::Units),
        ("day", Part::Day),
    ];

    /// Rows of the features that are of it.
    fn features(self) -> &'static [usize] {
        const THEN: usize = ORIGIN;
        match self {
            Part::Neighbours => &[8, 9, 19, 20, 21, 22, THEN + 8],
            Part::Region => &[10, 12, THEN + 9],
            Part::Levels => &[16, 17, 18, 19, 20, 21, 22, 23, THEN + 2, THEN + 3, THEN + 4, THEN + 6, THEN + 10],
            Part::Together => &[THEN + 7, THEN + 8, THEN + 9, THEN + 10],
            Part::Own | Part::Units | Part::Day => &[],
        }
    }
}

/// By feature: 0 where it is of a part that is left out, else 1.
pub(super) fn mask(without: &[Part]) -> [f32; ALL] {
    let mut mask = [1.0; ALL];
    without.iter().flat_map(|part| part.features()).for_each(|row| mask[*row] = 0.0);
    mask
}
