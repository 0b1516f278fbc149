//! The city's clock: wall time, or a start of one's own at a speed of one's own. The one place in the live engine that
//! turns the machine's clock into city time; the views know no clock at all.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// City time = start + wall time elapsed x speed, in ms since the Unix epoch.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start_ms: u64,
    speed: f64,
    began: Instant,
}

impl Clock {
    /// A clock that stands at `start_ms` now and runs `speed` times as fast as the wall's.
    pub fn starting_at(start_ms: u64, speed: f64) -> Self {
        Clock { start_ms, speed, began: Instant::now() }
    }

    /// City time now, ms.
    pub fn now_ms(&self) -> u64 {
        self.start_ms + (self.began.elapsed().as_secs_f64() * 1000.0 * self.speed) as u64
    }

    /// Where it started, ms.
    pub fn start_ms(&self) -> u64 {
        self.start_ms
    }

    /// How many times as fast as the wall's it runs.
    pub fn speed(&self) -> f64 {
        self.speed
    }

    /// How long the wall clock needs for a span of city time.
    pub fn wall(&self, city_ms: u64) -> Duration {
        Duration::from_secs_f64(city_ms as f64 / 1000.0 / self.speed)
    }
}

/// The machine's time, ms since the Unix epoch.
pub fn wall_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64)
}

/// The first time not before `earliest_ms` at which the local clock shows `minute` of the day.
pub fn next_local_minute(earliest_ms: u64, minute: u16, utc_offset_min: i32) -> u64 {
    const DAY_MS: i64 = 24 * 60 * 60_000;
    let local = earliest_ms as i64 + i64::from(utc_offset_min) * 60_000;
    let wanted = i64::from(minute) * 60_000;
    earliest_ms + (wanted - local).rem_euclid(DAY_MS) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_time_is_the_next_one_on_the_local_clock() {
        let noon_utc = 12 * 3_600_000;
        assert_eq!(next_local_minute(noon_utc, 20 * 60, 480), noon_utc);
        assert_eq!(next_local_minute(noon_utc, 20 * 60 + 30, 480), noon_utc + 30 * 60_000);
        assert_eq!(next_local_minute(noon_utc + 1, 20 * 60, 480), noon_utc + 24 * 3_600_000);
    }

    #[test]
    fn a_fast_clock_runs_fast() {
        let clock = Clock::starting_at(1_000, 1_000.0);
        std::thread::sleep(Duration::from_millis(5));
        assert!(clock.now_ms() >= 6_000, "{}", clock.now_ms());
        assert_eq!(clock.wall(1_000), Duration::from_millis(1));
    }
}
