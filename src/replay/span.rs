//! Which part of a recording is played.

use nanming_dataflows::network::City;

const DAY_MS: i64 = 24 * 3_600_000;

/// A time as people write it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Time of the local day, ms.
    OfDay(u64),
    /// ms since the Unix epoch.
    At(u64),
}

impl std::str::FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Moment, String> {
        let of_day = |text: &str| {
            let parts: Option<Vec<u64>> = text.split(':').map(|part| part.parse().ok()).collect();
            let (hour, minute, second) = match parts?.as_slice() {
                [hour, minute] => (*hour, *minute, 0),
                [hour, minute, second] => (*hour, *minute, *second),
                _ => return None,
            };
            (hour < 24 && minute < 60 && second < 60).then_some(((hour * 60 + minute) * 60 + second) * 1000)
        };
        let moment =
            if text.contains(':') { of_day(text).map(Moment::OfDay) } else { text.parse().ok().map(Moment::At) };
        moment.ok_or_else(|| "write a local time of day, such as 07:30 or 07:30:15, or ms since the Unix epoch".into())
    }
}

/// From when to when a recording is played, ms: a time of day is the first one in it, and the end the first one after the
/// beginning.
pub(super) fn span(city: &City, (first, last): (u64, u64), from: Option<Moment>, to: Option<Moment>) -> (u64, u64) {
    let from = from.map_or(first, |moment| at_or_after(city, first, moment));
    (from, to.map_or(last, |moment| at_or_after(city, from, moment)))
}

fn at_or_after(city: &City, earliest_ms: u64, moment: Moment) -> u64 {
    match moment {
        Moment::At(ms) => ms,
        Moment::OfDay(ms) => {
            let local_ms = (earliest_ms as i64).wrapping_add(i64::from(city.utc_offset_min) * 60_000);
            earliest_ms.saturating_add((ms as i64).wrapping_sub(local_ms).rem_euclid(DAY_MS) as u64)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_the_first_one_in_the_recording() {
        let mut city = nanming_simulators::town::small(1, 1, 1);
        city.utc_offset_min = 480;
        let hour = 3_600_000;
        // From 07:00 local, the 23rd hour of a day in UTC.
        let whole = (23 * hour, 47 * hour);
        let part = |from: &str, to: &str| span(&city, whole, from.parse().ok(), to.parse().ok());
        assert_eq!(part("", ""), whole);
        assert_eq!(part("07:30", "08:00:01"), (23 * hour + hour / 2, 24 * hour + 1000));
        assert_eq!(part("06:00", "05:00"), (46 * hour, 69 * hour));
        assert_eq!(part("90000000", "06:00"), (90_000_000, 46 * hour));
        for wrong in ["24:00", "7", "07:60", "a", "1:2:3:4", "-1", ""] {
            assert!(wrong == "7" || wrong.parse::<Moment>().is_err(), "{wrong}");
        }
    }
}
