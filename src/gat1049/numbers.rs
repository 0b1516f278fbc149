//! Numbers and times as platforms write them.

use chrono::DateTime;
use nanming_dataflows::ids::JunctionId;
use nanming_dataflows::network::City;

/// A junction's ID: the agency's 6 digits, `80`, and the junction's number in the city, 4 digits from 1.
pub(super) fn cross_id(agency: &str, junction: JunctionId) -> String {
    format!("{agency}80{:04}", junction.index() + 1)
}

/// The junction with an ID.
pub(super) fn junction(agency: &str, city: &City, id: &str) -> Option<JunctionId> {
    let number: usize = id.strip_prefix(agency)?.strip_prefix("80").filter(|rest| rest.len() == 4)?.parse().ok()?;
    city.junctions.get(number.checked_sub(1)?).map(|junction| junction.id)
}

/// Local time, such as `2025-07-21 11:02:34`.
pub(super) fn local(city: &City, time_ms: u64) -> String {
    formatted(city, time_ms, "%Y-%m-%d %H:%M:%S")
}

/// The number of a message: local time and a count.
pub(super) fn seq(city: &City, time_ms: u64, count: u32) -> String {
    format!("{}{:06}", formatted(city, time_ms, "%Y%m%d%H%M%S"), count % 1_000_000)
}

fn formatted(city: &City, time_ms: u64, format: &str) -> String {
    let local_ms = time_ms as i64 + i64::from(city.utc_offset_min) * 60_000;
    DateTime::from_timestamp_millis(local_ms).unwrap_or_default().format(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn junctions_have_numbers_and_back() {
        let city = nanming_simulators::town::small(2, 2, 1);
        for j in &city.junctions {
            assert_eq!(junction("520100", &city, &cross_id("520100", j.id)), Some(j.id));
        }
        assert_eq!(cross_id("520100", JunctionId(2)), "520100800003");
        for id in ["", "520100800000", "520100800005", "52010080001", "520200800001", "520100800x01"] {
            assert_eq!(junction("520100", &city, id), None, "{id}");
        }
        assert_eq!(local(&city, 1_767_657_600_000), "2026-01-06 08:00:00");
        assert_eq!(seq(&city, 1_767_657_600_000, 1_000_001), "20260106080000000001");
    }
}
