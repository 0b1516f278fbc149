//! Times as others write them, to ms since the Unix epoch.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};
use nanming_dataflows::decision::Reason;

use super::Unfit;

/// Later than this nothing was recorded: the year 5138, ms.
const LATEST_MS: f64 = 1e14;

/// When a local day begins, ms; before the Unix epoch it is negative.
pub(super) fn midnight_ms(day: NaiveDate, utc_offset_min: i32) -> i64 {
    day.and_time(NaiveTime::MIN).and_utc().timestamp_millis() - i64::from(utc_offset_min) * 60_000
}

/// So many seconds after `zero_ms`.
pub(super) fn seconds(text: &str, zero_ms: i64) -> Result<u64, Unfit> {
    let ms = number(text)? * 1000.0 + zero_ms as f64;
    if (0.0..=LATEST_MS).contains(&ms) {
        Ok(ms.round() as u64)
    } else {
        Err((Reason::OutOfRange, format!("time {text} s")))
    }
}

/// A time of a day, by strftime's letters.
pub(super) fn formatted(text: &str, format: &str, utc_offset_min: i32) -> Result<u64, Unfit> {
    let wrong = || (Reason::Malformed, format!("time '{text}' is not of the form {format}"));
    let parsed = NaiveDateTime::parse_from_str(text, format).map_err(|_| wrong())?;
    let ms = parsed.and_utc().timestamp_millis() - i64::from(utc_offset_min) * 60_000;
    u64::try_from(ms).map_err(|_| (Reason::OutOfRange, format!("time '{text}' is before 1970")))
}

/// A finite number.
pub(super) fn number(text: &str) -> Result<f64, Unfit> {
    let number = text.parse::<f64>().ok().filter(|x| x.is_finite());
    number.ok_or_else(|| (Reason::Malformed, format!("'{text}' is not a number")))
}
