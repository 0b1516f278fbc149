//! When the rows of a table are.

use chrono::{Datelike, Days, NaiveDate, NaiveTime};
use nanming_dataflows::network::calendar::is_day_off;

use super::ForecastEvalError;

const DAY_MIN: u32 = 24 * 60;
const MIN_MS: u64 = 60_000;
const WORKDAYS: u64 = 5;

/// Days of equal rows. Local time throughout.
#[derive(Clone, Debug, PartialEq)]
pub struct Calendar {
    start: NaiveDate,
    step_min: u32,
    day_start_min: u32,
    rows_per_day: usize,
    weekdays_only: bool,
    holidays: Vec<u32>,
    working_days: Vec<u32>,
}

impl Calendar {
    /// Rows of so many minutes; without `rows_per_day` they fill the day from its start to midnight.
    pub fn new(
        start: NaiveDate,
        step_min: u32,
        day_start_min: u32,
        rows_per_day: Option<usize>,
        weekdays_only: bool,
        holidays: &[NaiveDate],
        working_days: &[NaiveDate],
    ) -> Result<Calendar, ForecastEvalError> {
        let fits = DAY_MIN.saturating_sub(day_start_min) / step_min.max(1);
        let rows_per_day = rows_per_day.unwrap_or(fits as usize);
        let (h, min) = (day_start_min / 60, day_start_min % 60);
        if rows_per_day == 0 || rows_per_day > fits as usize {
            let what = format!(
                "--rows-per-day {rows_per_day}: from {h:02}:{min:02} to midnight there is room for 1 to {fits} rows of \
                 {step_min} min; change it, --day-start or --step"
            );
            return Err(ForecastEvalError::Calendar(what));
        }
        if weekdays_only && start.weekday().num_days_from_monday() >= WORKDAYS as u32 {
            let what = format!(
                "--start {start} is a {}: with --weekdays-only give the working day of row 1",
                start.format("%A")
            );
            return Err(ForecastEvalError::Calendar(what));
        }
        if start < NaiveDate::default() {
            return Err(ForecastEvalError::Calendar(format!("--start {start}: give a day from 1970-01-01 on")));
        }
        let days = |of: &[NaiveDate]| of.iter().filter_map(|day| u32::try_from(days_since_epoch(*day)).ok()).collect();
        let (holidays, working_days) = (days(holidays), days(working_days));
        Ok(Calendar { start, step_min, day_start_min, rows_per_day, weekdays_only, holidays, working_days })
    }

    /// Length of a row, min.
    pub fn step_min(&self) -> u32 {
        self.step_min
    }

    /// Length of a row, ms.
    pub fn step_ms(&self) -> u64 {
        u64::from(self.step_min) * MIN_MS
    }

    /// Rows of a day.
    pub fn rows_per_day(&self) -> usize {
        self.rows_per_day
    }

    /// Minute of the day of its first row.
    pub fn day_start_min(&self) -> u32 {
        self.day_start_min
    }

    /// The days that are like a Sunday, counted from the Unix epoch.
    pub fn holidays(&self) -> Vec<u32> {
        self.holidays.clone()
    }

    /// The Saturdays and Sundays that are like a working day, counted from the Unix epoch.
    pub fn working_days(&self) -> Vec<u32> {
        self.working_days.clone()
    }

    /// Which row of its day a row is.
    pub fn slot(&self, row: usize) -> usize {
        row % self.rows_per_day
    }

    /// The day of a row.
    pub fn day(&self, row: usize) -> NaiveDate {
        let days = (row / self.rows_per_day) as u64;
        let days = if self.weekdays_only {
            let since_monday = u64::from(self.start.weekday().num_days_from_monday());
            let all = since_monday + days;
            all / WORKDAYS * 7 + all % WORKDAYS - since_monday
        } else {
            days
        };
        self.start.checked_add_days(Days::new(days)).unwrap_or(NaiveDate::MAX)
    }

    /// When a row is, ms since the Unix epoch.
    pub fn time_ms(&self, row: usize) -> u64 {
        let minutes = u64::from(self.day_start_min) + self.slot(row) as u64 * u64::from(self.step_min);
        let midnight_ms = self.day(row).and_time(NaiveTime::MIN).and_utc().timestamp_millis();
        u64::try_from(midnight_ms).unwrap_or(0) + minutes * MIN_MS
    }

    /// Whether people are off on the day of a row: at week-ends and on holidays.
    pub fn is_day_off(&self, row: usize) -> bool {
        is_day_off(days_since_epoch(self.day(row)), &self.holidays, &self.working_days)
    }

    /// Whether no time is left out from one row to another.
    pub fn is_unbroken(&self, from: usize, to: usize) -> bool {
        self.time_ms(to) - self.time_ms(from) == (to - from) as u64 * self.step_ms()
    }
}

fn days_since_epoch(day: NaiveDate) -> i64 {
    day.signed_duration_since(NaiveDate::default()).num_days()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    #[test]
    fn rows_of_a_service_day_leave_the_night_out() {
        let metro =
            Calendar::new(day("2019-01-01"), 10, 360, Some(108), false, &[day("2019-01-01")], &[day("2019-01-06")])
                .unwrap();
        assert_eq!(metro.time_ms(0), 1_546_300_800_000 + 6 * 3_600_000);
        assert_eq!(metro.time_ms(107) - metro.time_ms(0), 107 * 600_000);
        assert_eq!(metro.time_ms(108) - metro.time_ms(0), 24 * 3_600_000);
        assert!(metro.is_unbroken(0, 107) && !metro.is_unbroken(107, 108));
        assert_eq!([0, 108, 4 * 108, 5 * 108].map(|row| metro.is_day_off(row)), [true, false, true, false]);
        assert_eq!((metro.slot(109), metro.holidays(), metro.working_days()), (1, vec![17_897], vec![17_902]));
    }

    #[test]
    fn weekdays_only_skips_week_ends() {
        let week = Calendar::new(day("2012-03-01"), 720, 0, None, true, &[], &[]).unwrap();
        let days: Vec<String> = (0..7).map(|n| week.day(2 * n).format("%a %d").to_string()).collect();
        assert_eq!(days, ["Thu 01", "Fri 02", "Mon 05", "Tue 06", "Wed 07", "Thu 08", "Fri 09"]);
        assert!(week.is_unbroken(0, 3) && !week.is_unbroken(3, 4));
    }

    #[test]
    fn what_does_not_fit_into_a_day_is_told() {
        let told = |start: &str, rows, weekdays| {
            Calendar::new(day(start), 10, 360, rows, weekdays, &[], &[]).unwrap_err().to_string()
        };
        assert!(
            told("2019-01-01", Some(109), false).contains("from 06:00 to midnight there is room for 1 to 108 rows")
        );
        assert!(told("2019-01-05", None, true).contains("is a Saturday"));
        assert!(told("1969-12-31", None, false).contains("1970-01-01"));
    }
}
