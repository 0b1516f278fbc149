//! The city's clock. The one place in the live engine that turns the machine's clock into city time; the views know no
//! clock at all.
//!
//! At speed 1 it is the machine's time of day, moved by as much as `--start` asks: outside events bear that time too, and
//! after the machine was suspended or its clock set right both go on together. At other speeds it counts what has elapsed
//! since the start. It never runs backwards: when the machine's clock is set back a little, city time stands until that has
//! caught up; when it is set back further, city time goes on ahead of it, a hundredth slower until they meet, for a city must
//! not stand still because a clock was wrong (docs/faults.md).

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// Set back by up to so much, the clock stands, ms.
const STANDS_MS: u64 = 2_000;
/// Set back further it goes on in steps: so long by what has elapsed, so long of the city, ms.
const STEP_MS: (u64, u64) = (100, 99);

/// City time, ms since the Unix epoch; all clones show the same.
#[derive(Clone, Debug)]
pub struct Clock {
    start_ms: u64,
    began_ms: u64,
    pace: Pace,
    latest_ms: Arc<AtomicU64>,
    /// Since when elapsed time counts while it is ahead of the machine's clock, ms after `began`.
    ahead_since_ms: Arc<AtomicU64>,
    began: Instant,
    /// When it was told what it shows, ms of the wall.
    told_ms: Arc<AtomicU64>,
}

#[derive(Clone, Copy, Debug)]
enum Pace {
    /// With the machine's time of day.
    Day,
    /// So many times as fast as the wall's, from then on.
    Times(f64, Instant),
    /// It shows what it was told last, and goes on from there with the wall until it is told again.
    Told,
}

impl Clock {
    /// A clock that stands at `start_ms` now and runs `speed` times as fast as the wall's.
    pub fn starting_at(start_ms: u64, speed: f64) -> Self {
        let pace = if speed == 1.0 { Pace::Day } else { Pace::Times(speed, Instant::now()) };
        Clock {
            start_ms,
            began_ms: wall_ms(),
            pace,
            began: Instant::now(),
            ahead_since_ms: Arc::default(),
            latest_ms: Arc::new(AtomicU64::new(start_ms)),
            told_ms: Arc::default(),
        }
    }

    /// A clock that shows what it is told: that of a process which follows another's ticks. When no tick comes, because the
    /// leader waits for its disk, it goes on with the wall as the leader's own does: what arrives then is not of the future. It
    /// alone may go back, by as much as it was ahead of what it is told.
    pub fn told() -> Self {
        let (latest_ms, told_ms) = (Arc::default(), Arc::default());
        let (began, ahead_since_ms) = (Instant::now(), Arc::default());
        Clock { start_ms: 0, began_ms: wall_ms(), pace: Pace::Told, latest_ms, ahead_since_ms, began, told_ms }
    }

    /// Tells a clock that is told what the time is, ms.
    pub fn tell(&self, now_ms: u64) {
        self.told_ms.store(wall_ms(), Ordering::Relaxed);
        self.latest_ms.fetch_max(now_ms, Ordering::Relaxed);
    }

    /// City time now, ms.
    pub fn now_ms(&self) -> u64 {
        match self.pace {
            Pace::Day => self.at(wall_ms(), self.began.elapsed().as_millis() as u64),
            Pace::Told => match self.latest_ms.load(Ordering::Relaxed) {
                0 => 0,
                latest_ms => latest_ms + wall_ms().saturating_sub(self.told_ms.load(Ordering::Relaxed)),
            },
            Pace::Times(speed, began) => self.start_ms + (began.elapsed().as_secs_f64() * 1000.0 * speed) as u64,
        }
    }

    /// City time at a time of day of the machine, so long after this clock began, both ms; not before what was told already.
    fn at(&self, wall_ms: u64, elapsed_ms: u64) -> u64 {
        let now_ms = self.by_day_ms(wall_ms);
        if now_ms + STANDS_MS >= self.latest_ms.load(Ordering::Relaxed) {
            self.ahead_since_ms.store(elapsed_ms, Ordering::Relaxed);
            return self.latest_ms.fetch_max(now_ms, Ordering::Relaxed).max(now_ms);
        }
        let since_ms = self.ahead_since_ms.load(Ordering::Relaxed);
        let steps = elapsed_ms.saturating_sub(since_ms) / STEP_MS.0;
        let until_ms = since_ms + steps * STEP_MS.0;
        let taken = self.ahead_since_ms.compare_exchange(since_ms, until_ms, Ordering::Relaxed, Ordering::Relaxed);
        // Who is too late finds the steps taken by another.
        let more_ms = if taken.is_ok() { steps * STEP_MS.1 } else { 0 };
        self.latest_ms.fetch_add(more_ms, Ordering::Relaxed) + more_ms
    }

    /// City time as the machine's time of day has it, ms.
    fn by_day_ms(&self, wall_ms: u64) -> u64 {
        (self.start_ms + wall_ms).saturating_sub(self.began_ms)
    }

    /// So far city time is ahead of the machine's clock, which was set back, ms.
    pub fn ahead_ms(&self) -> u64 {
        match self.pace {
            Pace::Day => self.latest_ms.load(Ordering::Relaxed).saturating_sub(self.by_day_ms(wall_ms())),
            Pace::Times(..) | Pace::Told => 0,
        }
    }

    /// Where it started, ms.
    pub fn start_ms(&self) -> u64 {
        self.start_ms
    }

    /// How long the wall clock needs for a span of city time.
    pub fn wall(&self, city_ms: u64) -> Duration {
        let speed = match self.pace {
            Pace::Day | Pace::Told => 1.0,
            Pace::Times(speed, _) => speed,
        };
        Duration::from_secs_f64(city_ms as f64 / 1000.0 / speed)
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
    fn at_speed_1_it_goes_with_the_time_of_day_over_a_suspend_and_never_back() {
        const HOUR_MS: u64 = 3_600_000;
        let evening_ms = 1_767_700_800_000;
        let clock = Clock::starting_at(evening_ms, 1.0);
        let seen_elsewhere = clock.clone();
        let slept_ms = clock.began_ms + HOUR_MS;
        assert_eq!(clock.at(slept_ms, 10), evening_ms + HOUR_MS, "an hour's sleep is an hour of the city");
        assert_eq!(seen_elsewhere.at(slept_ms - 2_000, 500), evening_ms + HOUR_MS, "set back a little: it stands");
        assert_eq!(clock.at(slept_ms + 5, 2_500), evening_ms + HOUR_MS + 5);
        assert!(clock.now_ms() >= evening_ms + HOUR_MS);
    }

    #[test]
    fn set_back_far_it_goes_on_a_hundredth_slower_until_the_machines_clock_has_caught_up() {
        const HOUR_MS: u64 = 3_600_000;
        let clock = Clock::starting_at(1_767_700_800_000, 1.0);
        let (wall_ms, start_ms) = (clock.began_ms + HOUR_MS, clock.start_ms + HOUR_MS);
        assert_eq!(clock.at(wall_ms, 0), start_ms);
        // Set back by a minute, and looked at each 10 ms.
        let at = |elapsed_ms: u64| clock.at(wall_ms - 60_000 + elapsed_ms, elapsed_ms);
        for second in 0..10 {
            let looks = (second * 100..(second + 1) * 100).map(|look| at(look * 10));
            let seen: Vec<u64> = looks.collect();
            assert!(seen.is_sorted() && seen[99] >= start_ms + second * 990, "{seen:?}");
        }
        assert_eq!(at(10_000), start_ms + 9_900);
        let met_ms =
            (0..).map(|second| second * 1_000).find(|ms| at(*ms) + 60_000 <= start_ms + ms + STANDS_MS).unwrap();
        assert!((5_600_000..6_000_000).contains(&met_ms), "{met_ms}");
    }

    #[test]
    fn a_clock_that_is_told_goes_on_while_nobody_tells_it() {
        let clock = Clock::told();
        assert_eq!(clock.now_ms(), 0);
        clock.tell(5_000);
        assert!((5_000..5_900).contains(&clock.now_ms()));
        clock.told_ms.fetch_sub(60_000, Ordering::Relaxed);
        assert!(clock.now_ms() >= 65_000, "the leader has been silent for a minute");
        clock.tell(6_000);
        assert!((6_000..6_900).contains(&clock.now_ms()));
    }

    #[test]
    fn a_fast_clock_runs_fast() {
        let clock = Clock::starting_at(1_000, 1_000.0);
        std::thread::sleep(Duration::from_millis(5));
        assert!(clock.now_ms() >= 6_000, "{}", clock.now_ms());
        assert_eq!(clock.wall(1_000), Duration::from_millis(1));
    }
}
