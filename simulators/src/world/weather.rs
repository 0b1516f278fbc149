//! The weather station: a report every ten minutes, showers by chance. Simulated drivers do not heed rain.

use nanming_dataflows::event::{Event, WeatherReport};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::chance::stream;

const REPORT_MS: u64 = 600_000;
/// A dry report is followed by rain so often, rain by a dry one so often.
const BEGINS: f64 = 0.02;
const ENDS: f64 = 0.2;
const FAR_M: u32 = 20_000;

/// The sky.
#[derive(Clone, Debug)]
pub(super) struct Weather {
    rng: ChaCha8Rng,
    next_ms: u64,
    rain_mm_h_milli: u32,
}

impl Weather {
    /// A dry one.
    pub(super) fn new(seed: u64, now_ms: u64) -> Self {
        Weather { rng: stream(seed, 9), next_ms: now_ms, rain_mm_h_milli: 0 }
    }

    /// What the station reports now.
    pub(super) fn advance(&mut self, now_ms: u64, out: &mut Vec<Event>) {
        while now_ms >= self.next_ms {
            let time_ms = self.next_ms;
            self.next_ms += REPORT_MS;
            let turns = self.rng.random_bool(if self.rain_mm_h_milli == 0 { BEGINS } else { ENDS });
            self.rain_mm_h_milli = match (self.rain_mm_h_milli, turns) {
                (0, true) => self.rng.random_range(500..8_000),
                (_, true) => 0,
                (rain, false) => rain,
            };
            let visibility_m = Some(FAR_M / (1 + self.rain_mm_h_milli / 1_000));
            let rain_mm_h_milli = self.rain_mm_h_milli;
            out.push(Event::Weather(WeatherReport { time_ms, district: None, rain_mm_h_milli, visibility_m }));
        }
    }
}
