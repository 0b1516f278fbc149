//! Times as cameras write them: the city's local time in digits, or milliseconds since the Unix epoch.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike};

/// ms since the Unix epoch of `yyyyMMddHHmmss` or `yyyyMMddHHmmssSSS` local time, or of 13 digits that are just that.
pub fn pass_time_ms(text: &str, utc_offset_min: i32) -> Option<u64> {
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    match text.len() {
        13 => text.parse().ok(),
        14 | 17 => {
            let number = |from: usize, to: usize| text[from..to].parse::<u32>().ok();
            let date = NaiveDate::from_ymd_opt(number(0, 4)? as i32, number(4, 6)?, number(6, 8)?)?;
            let ms = if text.len() == 17 { number(14, 17)? } else { 0 };
            let local = date.and_hms_milli_opt(number(8, 10)?, number(10, 12)?, number(12, 14)?, ms)?;
            u64::try_from(local.and_utc().timestamp_millis() - i64::from(utc_offset_min) * 60_000).ok()
        }
        _ => None,
    }
}

/// The local time as `yyyyMMddHHmmss`.
pub fn local_stamp(time_ms: u64, utc_offset_min: i32) -> String {
    let local_ms = i64::try_from(time_ms).unwrap_or(i64::MAX / 2) + i64::from(utc_offset_min) * 60_000;
    let t: NaiveDateTime = DateTime::from_timestamp_millis(local_ms).unwrap_or_default().naive_utc();
    let (date, hour, minute, second) = (t.date(), t.hour(), t.minute(), t.second());
    format!("{:04}{:02}{:02}{hour:02}{minute:02}{second:02}", date.year(), date.month(), date.day())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_digits_and_milliseconds_are_one_time() {
        let noon_ms = 1_767_672_000_000; // 2026-01-06 12:00:00 in Guiyang
        assert_eq!(pass_time_ms("20260106120000", 480), Some(noon_ms));
        assert_eq!(pass_time_ms("20260106120000250", 480), Some(noon_ms + 250));
        assert_eq!(pass_time_ms("1767672000000", 480), Some(noon_ms));
        assert_eq!(local_stamp(noon_ms, 480), "20260106120000");
        for wrong in
            ["", "2026", "20260230120000", "20260106250000", "2026010612000x", "００００００00000000", "00000000000000"]
        {
            assert_eq!(pass_time_ms(wrong, 480), None, "{wrong}");
        }
        assert_eq!(pass_time_ms("19691231235959", 0), None);
        assert!(!local_stamp(u64::MAX, 480).is_empty());
    }
}
