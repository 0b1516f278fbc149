//! Forecasters of series that learn together: a region's links, a set of venues, a table of sensors. Row by row they learn
//! from the truths that arrive and forecast anew.

use serde::{Deserialize, Serialize};

use super::calendar::Slot;
use super::congestion::Region;
use super::features::{ORIGIN, Outside, all};
use super::neighbours::Neighbours;
use super::origins::origin;
use super::parts::{Part, mask};
use super::pooled::{Pooled, Said};
use super::profile::Usual;
use super::score::{Score, bound};
use super::series::{Common, Series, signs};
use super::{LEADS_MIN, STEP_MS};
use crate::Time;
use crate::network::City;

/// How a panel's series are told.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    /// Length of an interval, ms.
    pub step_ms: u64,
    /// Forecasts reach so many intervals ahead.
    pub horizons: usize,
    /// Local time less UTC, min.
    pub utc_offset_min: i32,
    /// What a zero means.
    pub zero: ZeroRule,
    /// Days since the Unix epoch, local, that are like a Sunday.
    pub holidays: Vec<u32>,
    /// Days since the Unix epoch, local, that are like a working day although they are a Saturday or a Sunday.
    pub working_days: Vec<u32>,
    /// Minute of the local day at which its first interval stands.
    pub first_slot_min: u32,
    /// Intervals that are told of a day.
    pub slots_per_day: usize,
    /// The value when all is free, where it is known: free-flow speed. None: each series' 85th percentile, as it is learned.
    pub reference: Option<f32>,
    /// Whether a sensor that says the same for long is taken to be stuck. Not where few are counted: two people all night are
    /// two people.
    pub sticks: bool,
    /// Parts of the model that are left out, to see what they buy; none in the street.
    pub without: Vec<Part>,
}

/// What a zero means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ZeroRule {
    /// Nothing was observed.
    Missing,
    /// It is a value like any other.
    #[default]
    Value,
}

/// What is forecast of a series at an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Ahead {
    /// Its value.
    pub expected: f32,
    /// The 80 % interval.
    pub low80: f32,
    /// The 80 % interval.
    pub high80: f32,
    /// The 95 % interval.
    pub low95: f32,
    /// The 95 % interval.
    pub high95: f32,
    /// Probability that its value is below half of the free one.
    pub congested: f32,
    /// Whether it is free now and will be congested then, as decided.
    pub onset: bool,
}

const DAY_MS: u64 = 86_400_000;
/// Days that coefficients reach back.
const SLOW_DAYS: f64 = 30.0;
/// Days that the choice among experts, and between a model and its profile, reaches back.
const FAST_DAYS: f64 = 2.0;
/// Days that who tells of whom reaches back.
const PAIR_DAYS: f64 = 15.0;
/// Neighbours are chosen so many times a day.
const CHOICES_A_DAY: usize = 4;
/// An onset is told when so many of those told with its probability have come true.
const PRECISION: f64 = 0.7;
/// Until so many onsets were seen, it is told when it is more likely than not.
const ONSETS_TO_TRUST: f64 = 50.0;
const LIKELY: f32 = 0.5;
/// Above any probability: no alarm is right often enough.
const NEVER: f32 = 2.0;

/// Forecasters of series that learn together.
pub struct Panel {
    settings: Settings,
    near: Vec<Vec<usize>>,
    learned: Learned,
}

/// What a panel has learned: all of its state.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Learned {
    row: Option<i64>,
    rows: u64,
    series: Vec<Series>,
    horizons: Vec<Pooled>,
    neighbours: Neighbours,
    /// Of the last rows, as many as there are horizons, in turn.
    regions: Vec<Region>,
    thresholds: Vec<f32>,
    score: Option<Score>,
}

/// A forecast whose truth is still to come.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(super) struct Pending {
    /// What was usual for the time forecast.
    pub usual: Usual,
    /// What the models said.
    pub said: Said,
    /// What was told.
    pub told: Ahead,
    /// Probability of congestion by the distribution of errors.
    pub likely: f32,
    /// Whether the series was free.
    pub was_free: bool,
    /// Whether there is one.
    pub made: bool,
}

impl Settings {
    /// Of what a city tells every five minutes: a whole day, zeros that are values. `reference`: the value when all is free;
    /// `sticks`: whether its sensors are to be doubted.
    pub(super) fn of(city: &City, reference: Option<f32>, sticks: bool) -> Settings {
        Settings {
            step_ms: STEP_MS,
            horizons: LEADS_MIN.len(),
            utc_offset_min: city.utc_offset_min,
            zero: ZeroRule::Value,
            holidays: city.holidays.clone(),
            working_days: city.working_weekends.clone(),
            first_slot_min: 0,
            slots_per_day: (DAY_MS / STEP_MS) as usize,
            reference,
            sticks,
            without: Vec::new(),
        }
    }

    /// Whether the same value again and again is a sensor that is stuck: not at zero, and not where all is free, where speeds
    /// are cut.
    pub(super) fn is_doubted(&self, value: f32) -> bool {
        self.sticks && value != 0.0 && self.reference.is_none_or(|free| value < free)
    }

    fn has(&self, part: Part) -> bool {
        !self.without.contains(&part)
    }

    /// What a row's weight is a row later, if it is to fade over so many days.
    fn keep(&self, days: f64) -> f64 {
        (-1.0 / (days * self.slots_per_day.max(1) as f64)).exp()
    }
}

impl Panel {
    /// `near[s]` are the series next to series s; its length is the number of series.
    pub fn new(settings: Settings, near: &[Vec<usize>]) -> Panel {
        Panel { settings, near: near.to_vec(), learned: Learned::default() }
    }

    /// Takes the row of the interval that stands at `time_ms`, learns from it, and forecasts: for each series all horizons,
    /// from the nearest.
    pub fn step(&mut self, time_ms: u64, values: &[Option<f32>]) -> Vec<Ahead> {
        let outside = vec![Outside::default(); values.len()];
        self.learned.step(&self.settings, &self.near, time_ms, values, &outside)
    }

    /// All that it has learned.
    pub fn learned(&self) -> &Learned {
        &self.learned
    }
}

impl Learned {
    /// How good its forecasts were, of late; none before the first.
    pub fn score(&self) -> Option<&Score> {
        self.score.as_ref()
    }

    /// By horizon: of how many series the profile is the better forecast, and is told.
    pub fn by_profile(&self, horizon: usize) -> usize {
        self.series.iter().filter(|series| series.profile_is_better(horizon)).count()
    }

    /// As [`Panel::step`]. A row that does not come after the last one teaches nothing, and is answered with nothing;
    /// one that is long before it means that the clock was set back, and what waits for its truth is dropped.
    pub fn step(
        &mut self,
        settings: &Settings,
        near: &[Vec<usize>],
        time_ms: Time,
        values: &[Option<f32>],
        outside: &[Outside],
    ) -> Vec<Ahead> {
        let now = settings.slot_at(time_ms);
        self.prepare(settings, near.len());
        match self.row {
            Some(row) if row - now.row > settings.horizons as i64 => self.begin_again(),
            Some(row) if now.row <= row => return Vec::new(),
            _ => {}
        }
        self.skip(settings, now.row);
        let values: Vec<Option<f32>> =
            self.series.iter_mut().zip(values).map(|(series, value)| series.admit(settings, *value)).collect();
        self.learn(settings, now, &values);
        self.row = Some(now.row);
        self.rows += 1;
        if self.rows.is_multiple_of((settings.slots_per_day / CHOICES_A_DAY).max(1) as u64) {
            self.neighbours.choose(near);
        }
        self.forecast(settings, now, outside)
    }

    fn prepare(&mut self, settings: &Settings, series: usize) {
        if self.series.len() != series || self.horizons.len() != settings.horizons {
            *self = Learned {
                series: vec![Series::new(settings.horizons); series],
                horizons: (1..=settings.horizons).map(Pooled::new).collect(),
                neighbours: Neighbours::new(series),
                regions: vec![Region::default(); settings.horizons],
                thresholds: vec![0.5; settings.horizons],
                score: Some(Score::new(settings.horizons)),
                ..Learned::default()
            };
        }
    }

    fn begin_again(&mut self) {
        self.row = None;
        self.series.iter_mut().for_each(Series::drop_pending);
    }

    /// Rows that never came: what was forecast for them has no truth. After a long gap nothing that waits has one.
    fn skip(&mut self, settings: &Settings, row: i64) {
        let missed = self.row.map_or(0, |last| row - last - 1);
        for skipped in (1..=missed.min(settings.horizons as i64)).rev() {
            let at = settings.slot_of(row - skipped);
            self.series.iter_mut().for_each(|series| series.pass(at));
        }
    }

    fn learn(&mut self, settings: &Settings, now: Slot, values: &[Option<f32>]) {
        let (slow, fast, mask) = (settings.keep(SLOW_DAYS), settings.keep(FAST_DAYS), mask(&settings.without));
        // How often a time of day is congested tells nothing before a day and the farthest forecast of the next were seen.
        let day_seen = self.rows > (settings.slots_per_day + settings.horizons) as u64;
        for (horizon, pooled) in self.horizons.iter_mut().enumerate() {
            pooled.fade(slow, fast);
            let usual = mean(self.series.iter().map(|s| s.usually_congested(horizon, now.row)));
            let made = now.row - horizon as i64 - 1;
            let region = (self.regions[made.rem_euclid(self.regions.len() as i64) as usize], usual);
            let common = Common { ends: pooled.distribution.ends(), region: day_seen.then_some(region), mask: &mask };
            for (series, value) in self.series.iter_mut().zip(values) {
                series.learn(horizon, now, *value, pooled, &common, self.score.as_mut());
            }
            pooled.solve(horizon + 1);
        }
        if let Some(score) = &mut self.score {
            score.fade(slow);
            let trusted = |step: &super::score::Step| {
                let known = step.onsets.events() >= ONSETS_TO_TRUST;
                if known { step.onsets.decide(PRECISION).map_or(NEVER, |t| t as f32) } else { LIKELY }
            };
            self.thresholds = score.steps().iter().map(trusted).collect();
        }
        let before: Vec<f32> = self.series.iter().map(|s| s.residual_before(now, settings.horizons)).collect();
        for (series, value) in self.series.iter_mut().zip(values) {
            series.observe(settings, now, *value, fast);
        }
        let residuals: Vec<f32> = self.series.iter().map(|s| if s.observed { s.lags[0] } else { 0.0 }).collect();
        self.neighbours.learn(&before, &residuals, settings.keep(PAIR_DAYS) as f32);
    }

    /// Mean residual of the series that are observed now.
    fn region_residual(&self) -> f32 {
        mean(self.series.iter().filter(|s| s.observed).map(|s| s.lags[0].clamp(-4.0, 4.0)))
    }

    /// How many of them are congested now, and usually are.
    fn region_now(&self) -> Region {
        let seen = || self.series.iter().filter(|s| s.observed);
        let congested = |s: &Series| f32::from(u8::from(s.value < bound(s.free)));
        Region { congested: mean(seen().map(congested)), usual: mean(seen().map(|s| s.usual.congested)) }
    }

    fn forecast(&mut self, settings: &Settings, now: Slot, outside: &[Outside]) -> Vec<Ahead> {
        let (region, region_now) = (self.region_residual(), self.region_now());
        let regions = self.regions.len() as i64;
        self.regions[now.row.rem_euclid(regions) as usize] = region_now;
        let thens: Vec<Slot> = (1..=settings.horizons as i64).map(|ahead| settings.slot_of(now.row + ahead)).collect();
        let usuals: Vec<Usual> =
            self.series.iter().flat_map(|s| thens.iter().map(|then| s.profile.at(*then))).collect();
        let usual_then: Vec<f32> = (0..settings.horizons)
            .map(|horizon| mean(usuals.iter().skip(horizon).step_by(settings.horizons).map(|usual| usual.congested)))
            .collect();
        let mask = mask(&settings.without);
        let origins: Vec<[f32; ORIGIN]> = (0..self.series.len())
            .map(|n| origin(&self.series, n, &self.neighbours.chosen[n], region, outside[n]).features())
            .map(|features| std::array::from_fn(|row| mask[row] * features[row]))
            .collect();
        let cumulative: Vec<_> = self.horizons.iter().map(Pooled::cumulative).collect();
        let ends: Vec<[f32; 4]> = self.horizons.iter().map(|h| h.distribution.ends()).collect();
        let widths: Vec<[f32; 2]> = self.horizons.iter().map(|h| h.widths.factors()).collect();
        let mut ahead = Vec::with_capacity(self.series.len() * settings.horizons);
        for (n, (series, origin)) in self.series.iter_mut().zip(&origins).enumerate() {
            let own = series.own(now, origin, settings.keep(SLOW_DAYS));
            let free_above = series.free_above();
            for horizon in 0..settings.horizons {
                let usual = usuals[n * settings.horizons + horizon];
                let x = all(origin, series.usual.mean, series.free, usual, &mask);
                let own = if settings.has(Part::Own) { own[horizon] } else { 0.0 };
                let mut said = self.horizons[horizon].forecast(&x, own, settings.has(Part::Units));
                if series.profile_is_better(horizon) {
                    said.told = 0.0;
                }
                let mut told = series.tell(horizon, usual, &said, &ends[horizon], widths[horizon]);
                let margin = (bound(series.free) - usual.mean) / usual.spread - said.told;
                let likely = cumulative[horizon].below(margin / said.size);
                told.congested = match free_above {
                    Some(bound) if settings.has(Part::Day) => {
                        let region = (region_now, usual_then[horizon]);
                        self.horizons[horizon]
                            .congestion
                            .probability(&signs(likely, origin, usual, &said, bound, region))
                    }
                    _ if series.free > 0.0 => likely,
                    _ => 0.0,
                };
                told.onset = free_above.is_some() && told.congested >= self.thresholds[horizon];
                series.wait(
                    horizon,
                    now,
                    Pending { usual, said, told, likely, was_free: free_above.is_some(), made: true },
                );
                ahead.push(told);
            }
        }
        ahead
    }
}

/// The mean; 0 of none.
fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), value| (sum + value, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}
