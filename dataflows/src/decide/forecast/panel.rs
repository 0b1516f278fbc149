//! Forecasters of series that learn together. A stand-in: it forecasts that all stays as it is.

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
    /// Minute of the local day at which its first interval stands.
    pub first_slot_min: u32,
    /// Intervals that are told of a day.
    pub slots_per_day: usize,
}

/// What a zero means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ZeroRule {
    /// Nothing was observed.
    Missing,
    /// It is a value like any other.
    #[default]
    Value,
}

/// What is forecast of a series at an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
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
    /// Probability that its value is below half of its 85th percentile.
    pub congested: f32,
    /// Whether it is free now and will be congested then, as decided.
    pub onset: bool,
}

/// Forecasters of series that learn together.
pub struct Panel {
    horizons: usize,
    series: Vec<Series>,
}

#[derive(Clone, Default)]
struct Series {
    last: Option<f32>,
    /// Mean size of a step, and the 85th percentile, both as tracked.
    step: f32,
    p85: f32,
}

impl Panel {
    /// `near[s]` are the series next to series s; its length is the number of series.
    pub fn new(settings: Settings, near: &[Vec<usize>]) -> Panel {
        Panel { horizons: settings.horizons, series: vec![Series::default(); near.len()] }
    }

    /// Takes the row of the interval that ends at `time_ms`, learns from it, and forecasts: for each series all horizons, from
    /// the nearest.
    pub fn step(&mut self, _time_ms: u64, values: &[Option<f32>]) -> Vec<Ahead> {
        let mut ahead = Vec::with_capacity(self.series.len() * self.horizons);
        for (series, value) in self.series.iter_mut().zip(values) {
            if let Some(value) = value {
                series.learn(*value);
            }
            ahead.extend((1..=self.horizons).map(|step| series.ahead(step)));
        }
        ahead
    }
}

impl Series {
    fn learn(&mut self, value: f32) {
        match self.last {
            None => self.p85 = value,
            Some(last) => self.step += ((value - last).abs() - self.step) / 50.0,
        }
        let share = if value > self.p85 { 0.85 } else { -0.15 };
        self.p85 += share * 0.3 * self.step;
        self.last = Some(value);
    }

    fn ahead(&self, step: usize) -> Ahead {
        let (expected, wide) = (self.last.unwrap_or(0.0), self.step * (step as f32).sqrt().max(1e-3));
        let bound = 0.5 * self.p85;
        let congested = 1.0 / (1.0 + ((expected - bound) / wide.max(1e-3)).exp());
        Ahead {
            expected,
            low80: expected - 1.5 * wide,
            high80: expected + 1.5 * wide,
            low95: expected - 3.0 * wide,
            high95: expected + 3.0 * wide,
            congested,
            onset: congested > 0.4 && expected >= bound,
        }
    }
}
