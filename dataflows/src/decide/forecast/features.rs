//! What a forecast is made from: numbers about a series and those near it, each in units in which all series are alike.

use super::profile::Usual;

/// Half-lives of the faded means of residuals, rows; the last is a day and is set by the panel.
pub(super) const HALF_LIVES: [f32; 2] = [6.0, 24.0];
/// Residuals are cut to so many spreads: one broken reading is not to move a whole region's coefficients.
const LARGEST: f32 = 10.0;

/// Features known when a forecast is made that every series also has a regression of its own on.
pub(super) const OWN: usize = 16;
/// All features known when a forecast is made.
pub(super) const ORIGIN: usize = OWN + 8;
/// Features with those of the time that is forecast.
pub(super) const ALL: usize = ORIGIN + 11;
/// The row of the residual now: what a forecast fades from before anything was learned.
pub(super) const RESIDUAL: usize = 1;
/// Rows of the features that are seldom other than zero.
pub(super) const RARE: std::ops::Range<usize> = 13..16;
/// Rows of the features that work together with what is usual at the time forecast.
pub(super) const NEAREST: usize = 8;
const REGION: usize = 10;
const SHORT: usize = OWN;

/// What is known of a series when a forecast is made. Residuals are in spreads, levels are shares of the free value.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Origin {
    /// Residuals now and one to three rows ago.
    pub lags: [f32; 4],
    /// Faded means of residuals.
    pub faded: [f32; 3],
    /// Mean residual of the nearest few, and of all that are near.
    pub nearest: f32,
    /// Of all that are near.
    pub near: f32,
    /// Of the region.
    pub region: f32,
    /// Incidents, rain and expected crowd, as told.
    pub outside: Outside,
    /// Level now.
    pub level: f32,
    /// Mean level of the nearest few.
    pub nearest_level: f32,
    /// Lowest level of those near.
    pub lowest_level: f32,
    /// Usual level now.
    pub usual_level: f32,
}

/// What is told of a series from outside it. Zero: nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Outside {
    /// Incidents on it.
    pub incidents: f32,
    /// Rain, mm/h.
    pub rain_mm_h: f32,
    /// People expected to leave venues at it within half an hour, per thousand.
    pub crowd: f32,
}

impl Origin {
    /// The features, [`ORIGIN`] of them; the constant is the first.
    pub(super) fn features(&self) -> [f32; ORIGIN] {
        let [a, b, c, d] = self.lags.map(cut);
        let [e, f, g] = self.faded.map(cut);
        let (nearest, near, region) = (cut(self.nearest), cut(self.near), cut(self.region));
        let Outside { incidents, rain_mm_h, crowd } = self.outside;
        let (incidents, rain, crowd) = (incidents.min(2.0), (rain_mm_h / 10.0).min(3.0), crowd.min(5.0));
        let short = |level: f32, of: f32| (of - level).max(0.0);
        [
            1.0,
            a,
            b,
            c,
            d,
            e,
            f,
            g,
            nearest,
            near,
            region,
            a.min(0.0),
            region.min(0.0),
            incidents,
            rain,
            crowd,
            short(self.level, 0.9),
            short(self.level, 0.7),
            short(self.level, 0.5),
            short(self.nearest_level, 0.8),
            short(self.nearest_level, 0.6),
            short(self.lowest_level, 0.7),
            short(self.lowest_level, 0.5),
            short(self.usual_level, 0.8),
        ]
    }
}

/// All features of a forecast: those of its origin, and what is usual at the time that is forecast. `mean`: what is usual
/// now; `free`: the free value; `mask`: 0 for features that are left out.
pub(super) fn all(origin: &[f32], mean: f32, free: f32, then: Usual, mask: &[f32; ALL]) -> [f32; ALL] {
    let mut x = [0.0; ALL];
    x[..ORIGIN].copy_from_slice(origin);
    let level = share(then.mean, free);
    let short = |of: f32| (of - level).max(0.0);
    x[ORIGIN..].copy_from_slice(&[
        cut((then.mean - mean) / then.spread),
        (level - 1.0).clamp(-1.0, 1.0),
        short(0.9),
        short(0.7),
        short(0.5),
        cut((then.around - then.mean) / then.spread),
        (0.9 - share(then.around, free)).max(0.0),
        origin[RESIDUAL] * short(0.9),
        origin[NEAREST] * short(0.9),
        origin[REGION] * short(0.9),
        origin[SHORT] * short(0.9),
    ]);
    x.iter_mut().zip(mask).for_each(|(x, keep)| *x *= keep);
    x
}

/// A value as a share of the free one.
pub(super) fn share(value: f32, free: f32) -> f32 {
    if free > 0.0 { value / free } else { 1.0 }
}

/// A residual within what models are to see.
pub(super) fn cut(residual: f32) -> f32 {
    residual.clamp(-LARGEST, LARGEST)
}
