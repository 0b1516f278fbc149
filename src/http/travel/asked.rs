//! What is asked for, read from the address.

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use chrono::DateTime;
use nanming_dataflows::network::LonLat;

use super::{Problem, Refusal};

/// The latest departure, ms from now.
const LATEST_MS: u64 = 3 * 3_600_000;
/// A departure so short a while ago is one of now, ms: clocks differ, and people take a moment.
const JUST_NOW_MS: u64 = 120_000;

/// The query of a request.
pub(super) fn query<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Refusal> {
    let complaint = |rejection: QueryRejection| Problem::new(rejection.status(), "malformed", rejection.body_text());
    Ok(query.map_err(complaint)?.0)
}

/// The last part of a path.
pub(super) fn named(path: Result<Path<String>, PathRejection>) -> Result<String, Refusal> {
    let complaint = |rejection: PathRejection| Problem::new(rejection.status(), "malformed", rejection.body_text());
    Ok(path.map_err(complaint)?.0)
}

fn out_of_range(detail: String) -> Refusal {
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "out_of_range", detail).into()
}

/// Minutes ahead, of those that are told; none: now.
pub(in crate::http) fn minutes(text: Option<&str>, told: &[u16]) -> Result<u16, Refusal> {
    let list = || told.iter().map(u16::to_string).collect::<Vec<_>>().join(", ");
    let asked = text.map_or(Some(0), |text| text.parse().ok());
    let told_of = asked.filter(|min| *min == 0 || told.contains(min));
    told_of.ok_or_else(|| out_of_range(format!("in is 0 (now), {} minutes", list())))
}

/// A place written as `lon,lat`.
pub(in crate::http) fn place(name: &str, text: Option<&str>) -> Result<LonLat, Refusal> {
    let malformed = || {
        let detail = format!("{name} is longitude,latitude in degrees of WGS-84, such as {name}=106.713,26.578");
        Refusal::from(Problem::new(StatusCode::BAD_REQUEST, "malformed", detail))
    };
    let (lon, lat) = text.and_then(|text| text.split_once(',')).ok_or_else(malformed)?;
    let degrees = |text: &str| text.trim().parse::<f64>().ok().filter(|d| d.is_finite()).ok_or_else(malformed);
    let (lon, lat) = (degrees(lon)?, degrees(lat)?);
    if lon.abs() > 180.0 || lat.abs() > 90.0 {
        let detail = format!(
            "{name} is longitude,latitude, in that order: {lon} is not from -180 to 180, or {lat} not from -90 to 90"
        );
        return Err(out_of_range(detail));
    }
    Ok(LonLat::from_degrees(lon, lat))
}

/// A departure, as minutes from now or a time with its offset; ms from now.
pub(in crate::http) fn departure(text: Option<&str>, now_ms: u64) -> Result<u64, Refusal> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(0) };
    let late = || {
        let latest = LATEST_MS / 60_000;
        out_of_range(format!(
            "depart is now or later, by {latest} minutes at most: nothing is known of the traffic beyond"
        ))
    };
    if let Ok(minutes) = text.parse::<u64>() {
        return minutes.checked_mul(60_000).filter(|ms| *ms <= LATEST_MS).ok_or_else(late);
    }
    // A + of an offset that was not written as %2B has become a space.
    let time = DateTime::parse_from_rfc3339(&text.replace(' ', "+")).map_err(|_| {
        let detail =
            "depart is minutes from now, such as 30, or a time such as 2026-11-26T08:30:00+08:00 (with + as %2B)";
        Problem::new(StatusCode::BAD_REQUEST, "malformed", detail)
    })?;
    let time_ms = u64::try_from(time.timestamp_millis()).map_err(|_| late())?;
    if time_ms + JUST_NOW_MS < now_ms || time_ms > now_ms + LATEST_MS {
        return Err(late());
    }
    Ok(time_ms.saturating_sub(now_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_departure_is_minutes_or_a_time_and_neither_past_nor_far() {
        let now_ms = 1_795_657_620_000;
        let at = |text| departure(Some(text), now_ms).ok();
        assert_eq!(departure(None, now_ms).ok(), Some(0));
        assert_eq!([at("0"), at("30"), at("180"), at("181")], [Some(0), Some(1_800_000), Some(10_800_000), None]);
        assert_eq!(at("2026-11-26T10:17:00+08:00"), Some(1_800_000));
        assert_eq!(at("2026-11-26T10:17:00 08:00"), Some(1_800_000));
        assert_eq!(at("2026-11-26T02:17:00Z"), Some(1_800_000));
        assert_eq!(at("2026-11-26T09:46:00+08:00"), Some(0), "a minute ago");
        assert_eq!([at("2026-11-26T08:00:00+08:00"), at("2026-11-27T08:00:00+08:00"), at("soon")], [None; 3]);
    }

    #[test]
    fn a_place_is_longitude_then_latitude() {
        let read = |text| place("from", Some(text)).ok();
        assert_eq!(read("106.7, 26.5"), Some(LonLat::from_degrees(106.7, 26.5)));
        assert_eq!([read("26.5,106.7"), read("106.7"), read("x,y"), read("NaN,1"), place("to", None).ok()], [None; 5]);
    }

    #[test]
    fn only_minutes_that_are_told_can_be_asked_for() {
        let read = |text| minutes(text, &[15, 30]).ok();
        assert_eq!(
            [read(None), read(Some("0")), read(Some("30")), read(Some("20")), read(Some("x"))],
            [Some(0), Some(0), Some(30), None, None]
        );
    }
}
