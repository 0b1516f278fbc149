//! Days of the local calendar: which of them are working days. The one place where that is told.
//!
//! A day is counted from the Unix epoch, in local time. Files name it as `2026-01-01`.

use super::City;

const DAY_MS: i64 = 86_400_000;
/// The last year that is named.
const LAST_YEAR: i64 = 9_999;

impl City {
    /// Whether a local day is like a day off.
    pub fn is_day_off(&self, day: i64) -> bool {
        is_day_off(day, &self.holidays, &self.working_weekends)
    }

    /// Whether a local time, ms, is on such a day.
    pub fn is_off_at(&self, local_ms: i64) -> bool {
        self.is_day_off(local_ms.div_euclid(DAY_MS))
    }
}

/// Whether a day is like a day off: holidays are, days that are made up for are not, and of all others week-ends are.
pub fn is_day_off(day: i64, holidays: &[u32], working_days: &[u32]) -> bool {
    let among = |days: &[u32]| u32::try_from(day).is_ok_and(|day| days.contains(&day));
    among(holidays) || (is_weekend(day) && !among(working_days))
}

/// Whether a day is a Saturday or a Sunday.
pub fn is_weekend(day: i64) -> bool {
    matches!(day.rem_euclid(7), 2 | 3) // 1970-01-01 was a Thursday
}

/// A day's date, such as `2026-01-01`.
pub fn date(day: u32) -> String {
    let (y, m, d) = civil(i64::from(day));
    format!("{y:04}-{m:02}-{d:02}")
}

/// The day of a date such as `2026-01-01`, from 1970 on; none if there is no such date.
pub fn day(date: &str) -> Option<u32> {
    let mut parts = date.splitn(3, '-');
    let mut part = |digits: usize| {
        let text = parts.next().filter(|text| text.len() == digits && text.bytes().all(|b| b.is_ascii_digit()))?;
        text.parse::<i64>().ok()
    };
    let (year, month, of_month) = (part(4)?, part(2)?, part(2)?);
    let days = days_of(year, month, of_month);
    u32::try_from(days).ok().filter(|_| year <= LAST_YEAR && civil(days) == (year, month, of_month))
}

/// Days since the epoch of a date of the Gregorian calendar: years begin in March, so that the leap day is their last.
fn days_of(year: i64, month: i64, of_month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + of_month - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// The other way round: year, month, day of the month.
fn civil(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let (era, of_era) = (day.div_euclid(146_097), day.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// Days as dates, in files.
pub(super) mod dates {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(crate) fn serialize<S: Serializer>(days: &[u32], serializer: S) -> Result<S::Ok, S::Error> {
        days.iter().map(|day| super::date(*day)).collect::<Vec<_>>().serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
        let wrong = |date: &str| {
            serde::de::Error::custom(format!("'{date}' is no date from 1970 on: write one such as 2026-01-01"))
        };
        let dates = Vec::<String>::deserialize(deserializer)?;
        dates.iter().map(|date| super::day(date).ok_or_else(|| wrong(date))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_their_dates_and_dates_their_days() {
        for (days, name) in [
            (0, "1970-01-01"),
            (58, "1970-02-28"),
            (59, "1970-03-01"),
            (11_016, "2000-02-29"),
            (20_454, "2026-01-01"),
            (47_540, "2100-02-28"),
            (47_541, "2100-03-01"),
        ] {
            assert_eq!((date(days).as_str(), day(name)), (name, Some(days)));
        }
        assert!((0..40_000).all(|n| day(&date(n)) == Some(n)));
        let wrong = ["2026-02-29", "2026-13-01", "2026-00-01", "2026-1-1", "1969-12-31", "2026-01-01T", "", "today"];
        assert!(wrong.iter().all(|text| day(text).is_none()));
    }

    #[test]
    fn holidays_are_off_and_weekends_that_are_made_up_for_are_not() {
        let [saturday, sunday, monday] = [2, 3, 4];
        let off =
            |holidays: &[u32], working: &[u32]| [saturday, sunday, monday].map(|d| is_day_off(d, holidays, working));
        assert_eq!(off(&[], &[]), [true, true, false]);
        assert_eq!(off(&[4], &[2]), [false, true, true]);
        assert!(is_day_off(-4, &[], &[]), "a Sunday before the epoch");
    }

    #[test]
    fn what_cannot_be_on_a_calendar_is_named() {
        let said = |holidays: &[u32], working: &[u32]| {
            let city = City { holidays: holidays.into(), working_weekends: working.into(), ..City::default() };
            city.check().map_err(|error| error.to_string())
        };
        assert_eq!(said(&[20_454], &[20_456]), Ok(()));
        assert!(said(&[], &[20_454]).unwrap_err().contains("2026-01-01 is no Saturday"));
        assert!(said(&[20_456], &[20_456]).unwrap_err().contains("2026-01-03 both"));
        assert!(said(&[20_454, 20_454], &[]).unwrap_err().contains("2026-01-01 twice"));
    }
}
