//! One series of a panel: its profile, what it does now, its own regression, and its forecasts whose truth is to come.

use serde::{Deserialize, Serialize};

use super::calendar::Slot;
use super::congestion::{Region, Signs};
use super::features::{ALL, HALF_LIVES, NEAREST, ORIGIN, OWN, RESIDUAL, all, cut};
use super::free::Free;
use super::local::Local;
use super::panel::{Ahead, Pending, Settings, ZeroRule};
use super::pooled::{Pooled, Said};
use super::profile::{Profile, Usual};
use super::score::{Score, bound};
use super::spread::Ends;

/// The same value so many times more, other than zero, teaches nothing: the sensor may be stuck.
const DOUBTED_ROWS: u32 = 3;
/// After so many times it is.
const STUCK_ROWS: u32 = 12;
/// No street and no crowd has such a value.
const LARGEST: f32 = 1e9;
/// A residual that is not observed fades by this a row.
const UNSEEN_FADE: f32 = 0.9;
/// Errors that tell whether the model or the profile is better.
const ENOUGH: f32 = 24.0;

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Series {
    pub profile: Profile,
    free_values: Free,
    /// The value when all is free.
    pub free: f32,
    /// The newest value, observed or expected.
    pub value: f32,
    last: Option<f32>,
    repeated: u32,
    /// Whether the newest row had a value.
    pub observed: bool,
    /// What is usual now.
    pub usual: Usual,
    pub lags: [f32; 4],
    pub faded: [f32; 3],
    local: Local,
    /// By horizon.
    ends: Vec<Ends>,
    /// By horizon: faded absolute errors of the model and the profile, and their weight.
    record: Vec<[f32; 3]>,
    /// Features of the last rows, as many as there are horizons, row by row in turn; then what was usual, and free.
    origins: Vec<[f32; ORIGIN]>,
    bases: Vec<[f32; 2]>,
    /// Forecasts for horizon h in h places in turn.
    pending: Vec<Pending>,
}

/// What is common to a row's truths of forecasts from so many rows ago.
pub(super) struct Common<'a> {
    /// The ends of intervals by all errors.
    pub ends: [f32; 4],
    /// The region as it was then, and how often its series are congested at this time; none before that is known.
    pub region: Option<(Region, f32)>,
    /// 0 for features that are left out.
    pub mask: &'a [f32; ALL],
}

impl Series {
    pub(super) fn new(horizons: usize) -> Self {
        Series {
            profile: Profile::default(),
            free_values: Free::default(),
            free: 0.0,
            value: 0.0,
            last: None,
            repeated: 0,
            observed: false,
            usual: Usual::default(),
            lags: [0.0; 4],
            faded: [0.0; 3],
            local: Local::new(horizons),
            ends: vec![Ends::default(); horizons],
            record: vec![[0.0; 3]; horizons],
            origins: vec![[0.0; ORIGIN]; horizons],
            bases: vec![[0.0; 2]; horizons],
            pending: vec![Pending::default(); horizons * (horizons + 1) / 2],
        }
    }

    /// The value, unless it is none: not finite, a zero that means nothing, or stuck.
    pub(super) fn admit(&mut self, settings: &Settings, value: Option<f32>) -> Option<f32> {
        let value = value.filter(|v| v.abs() < LARGEST && (*v != 0.0 || settings.zero == ZeroRule::Value))?;
        let alike = self.last == Some(value) && settings.is_doubted(value);
        self.repeated = if alike { self.repeated + 1 } else { 0 };
        self.last = Some(value);
        if self.repeated == STUCK_ROWS {
            // What it said so far was believed.
            (self.lags, self.faded) = Default::default();
        }
        (self.repeated < STUCK_ROWS).then_some(value)
    }

    /// Learns the truth of what was forecast for now so many rows ahead.
    pub(super) fn learn(
        &mut self,
        horizon: usize,
        now: Slot,
        value: Option<f32>,
        pooled: &mut Pooled,
        common: &Common<'_>,
        score: Option<&mut Score>,
    ) {
        let place = place(horizon, now.row);
        let pending = std::mem::take(&mut self.pending[place]);
        let (Some(value), true, true) = (value, pending.made, self.repeated < DOUBTED_ROWS) else { return };
        let Pending { usual, said, told, likely, was_free, .. } = pending;
        let truth = cut((value - usual.mean) / usual.spread);
        let row = self.ring(now.row - horizon as i64 - 1);
        let [mean, free] = self.bases[row];
        let x = all(&self.origins[row], mean, free, usual, common.mask);
        self.local.learn(horizon, &x[..OWN], truth - said.mixed);
        let free_above = was_free.then(|| bound(free));
        if let (Some(bound), Some(region)) = (free_above, common.region) {
            let signs = signs(likely, &self.origins[row], usual, &said, bound, region);
            pooled.congestion.learn(&signs, value < bound);
        }
        pooled.learn(&x, &said, truth, usual.spread, usual.spread / self.profile.spread());
        let error = (truth - said.told) / said.size;
        let outside = |low: f32, high: f32| !(low..=high).contains(&value);
        pooled.widths.count([outside(told.low95, told.high95), outside(told.low80, told.high80)]);
        self.ends[horizon].learn(error, [value < told.low95, value < told.low80], &common.ends);
        let record = &mut self.record[horizon];
        let model = usual.spread * (truth - said.expected).abs();
        *record = [record[0] + model, record[1] + usual.spread * truth.abs(), record[2] + 1.0];
        if let Some(score) = score {
            score.add(horizon + 1, &told, value, free_above);
        }
    }

    /// Takes the value of a row, after it taught what it could.
    pub(super) fn observe(&mut self, settings: &Settings, now: Slot, value: Option<f32>, fast: f64) {
        self.usual = self.profile.at(now);
        self.observed = value.is_some();
        let residual = match value {
            Some(value) => {
                if self.profile.is_new() {
                    // Nothing was usual before, so nothing is unusual.
                    self.usual = Usual { mean: value, ..self.usual };
                }
                if self.repeated < DOUBTED_ROWS {
                    let congested = value < bound(self.free);
                    self.profile.learn(settings.slots_per_day, now, value, congested);
                    self.free_values.learn(value);
                }
                self.free = settings.reference.unwrap_or_else(|| self.free_values.percentile());
                self.value = value;
                (value - self.usual.mean) / self.usual.spread
            }
            None => {
                let residual = UNSEEN_FADE * self.lags[0];
                self.value = self.usual.mean + residual * self.usual.spread;
                residual
            }
        };
        self.lags = [residual, self.lags[0], self.lags[1], self.lags[2]];
        let day = settings.slots_per_day.max(1) as f32;
        for (faded, half_life) in self.faded.iter_mut().zip(HALF_LIVES.into_iter().chain([day])) {
            *faded += (1.0 - 0.5f32.powf(1.0 / half_life)) * (cut(residual) - *faded);
        }
        self.record.iter_mut().flatten().for_each(|sum| *sum *= fast as f32);
    }

    /// A row that never came.
    pub(super) fn pass(&mut self, at: Slot) {
        for horizon in 0..self.ends.len() {
            self.pending[place(horizon, at.row)].made = false;
        }
        self.lags = [UNSEEN_FADE * self.lags[0], self.lags[0], self.lags[1], self.lags[2]];
    }

    /// What waits for its truth does so no more.
    pub(super) fn drop_pending(&mut self) {
        self.pending.iter_mut().for_each(|pending| pending.made = false);
    }

    /// The residual some rows ago: a third of the farthest horizon.
    pub(super) fn residual_before(&self, now: Slot, horizons: usize) -> f32 {
        let rows = (horizons / 3).max(1) as i64;
        self.origins[self.ring(now.row - rows)][RESIDUAL]
    }

    /// Notes the features of a row, and says what the series' own regression makes of them, by horizon.
    pub(super) fn own(&mut self, now: Slot, origin: &[f32; ORIGIN], keep: f64) -> Vec<f32> {
        let row = self.ring(now.row);
        self.origins[row] = *origin;
        self.bases[row] = [self.usual.mean, self.free];
        let own = self.local.forecast(&origin[..OWN]);
        self.local.note(&origin[..OWN], keep);
        own
    }

    /// The bound of congestion, if it is free now.
    pub(super) fn free_above(&self) -> Option<f32> {
        let bound = bound(self.free);
        (self.observed && self.free > 0.0 && self.value >= bound).then_some(bound)
    }

    /// Whether what is usual has been a better forecast of late than the model.
    pub(super) fn profile_is_better(&self, horizon: usize) -> bool {
        let [model, profile, count] = self.record[horizon];
        count > ENOUGH && model > profile
    }

    /// A forecast in units of the value, with its intervals; values do not fall below 0.
    pub(super) fn tell(&self, horizon: usize, usual: Usual, said: &Said, ends: &[f32; 4], widths: [f32; 2]) -> Ahead {
        let value = |error: f32| (usual.mean + usual.spread * (said.told + error * said.size)).max(0.0);
        let [a, b, c, d] = self.ends[horizon].ends(ends);
        let [low95, low80, high80, high95] = [widths[0] * a, widths[1] * b, widths[1] * c, widths[0] * d].map(value);
        let (low95, high95) = (low95.min(low80), high95.max(high80));
        Ahead { expected: value(0.0), low80, high80, low95, high95, congested: 0.0, onset: false }
    }

    /// How often it was said to be congested at the time that is now, for so many rows ahead.
    pub(super) fn usually_congested(&self, horizon: usize, row: i64) -> f32 {
        self.pending[place(horizon, row)].usual.congested
    }

    /// Keeps a forecast until its truth comes.
    pub(super) fn wait(&mut self, horizon: usize, now: Slot, pending: Pending) {
        self.pending[place(horizon, now.row)] = pending;
    }

    fn ring(&self, row: i64) -> usize {
        row.rem_euclid(self.origins.len() as i64) as usize
    }
}

/// What speaks for and against congestion.
pub(super) fn signs(
    likely: f32,
    origin: &[f32; ORIGIN],
    usual: Usual,
    said: &Said,
    bound: f32,
    (region, region_usual): (Region, f32),
) -> Signs {
    Signs {
        likely,
        margin: ((bound - usual.mean) / usual.spread - said.told) / said.size,
        usual: usual.congested,
        residuals: [RESIDUAL, NEAREST, NEAREST + 1, NEAREST + 2].map(|n| origin[n]),
        region,
        region_usual,
    }
}

/// Where a forecast for `horizon` rows ahead, less one, waits that is made, or comes true, at a row.
fn place(horizon: usize, row: i64) -> usize {
    horizon * (horizon + 1) / 2 + row.rem_euclid(horizon as i64 + 1) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_is_usual() {
        let settings = Settings {
            step_ms: 300_000,
            horizons: 2,
            utc_offset_min: 0,
            zero: ZeroRule::Value,
            holidays: Vec::new(),
            working_days: Vec::new(),
            first_slot_min: 0,
            slots_per_day: 288,
            reference: None,
            sticks: true,
            without: Vec::new(),
        };
        let mut series = Series::new(2);
        series.observe(&settings, settings.slot_of(0), None, 0.99);
        assert_eq!(series.lags[0], 0.0);
        series.observe(&settings, settings.slot_of(1), Some(64.0), 0.99);
        assert_eq!((series.lags[0], series.usual.mean), (0.0, 64.0));
        series.observe(&settings, settings.slot_of(2), Some(32.0), 0.99);
        assert!(series.lags[0] < -0.5 && series.lags[0] > -5.0, "{}", series.lags[0]);
    }
}
