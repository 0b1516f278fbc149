//! A trip between two places: how long it takes at a departure, over which roads, and how sure that is.

use nanming_dataflows::ids::LinkId;
use nanming_dataflows::network::{LonLat, Point};
use serde_json::{Value, json};

use super::drive::{STEP_MS, leave_ms};
use super::places::course;
use super::traffic::{KNOTS, Outlook};
use super::way::{Way, quickest};
use super::{Picture, Spot};

/// A place so far from every street is no place to start from or to go to, mm.
const FAR_MM: u64 = 500_000;
/// How much one link's being slower than expected says about the next one's: correlation. Assumed; 1 would mean that all are
/// at the end of their intervals together, 0 that none knows of another.
const TOGETHER: f64 = 0.5;

/// Why there is no trip.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum TripError {
    /// A place lies too far from every street.
    #[error("{0} lies {1} m from the nearest street; a place within {m} m of one is needed", m = FAR_MM / 1000)]
    TooFar(&'static str, u64),
    /// No way leads there.
    #[error("no way for motor traffic leads from one place to the other")]
    NoWay,
}

/// A trip found.
#[derive(Clone, Debug, PartialEq)]
pub struct Trip {
    /// Leaving, ms after the picture's time.
    pub depart_ms: u64,
    /// The way.
    pub way: Way,
    start: Spot,
    end: Spot,
    /// Links with the part that is driven, mm, and when each is entered, ms after the picture's time.
    legs: Vec<Leg>,
}

#[derive(Clone, Debug, PartialEq)]
struct Leg {
    link: LinkId,
    part: std::ops::Range<u32>,
    enter_ms: u64,
}

/// The trip between two places by which one is there first, leaving `depart_ms` after the picture's time.
pub fn trip(picture: &Picture, from: LonLat, to: LonLat, depart_ms: u64) -> Result<Trip, TripError> {
    let streets = &picture.streets;
    let spots = |name, at: LonLat| {
        let spots = streets.spots(at.to_point(streets.city.origin));
        let off_mm = spots.first().map_or(u64::MAX, |spot| spot.off_mm);
        if off_mm <= FAR_MM { Ok(spots) } else { Err(TripError::TooFar(name, off_mm / 1000)) }
    };
    let (starts, ends) = (spots("from", from)?, spots("to", to)?);
    let leave = |link: LinkId, part: std::ops::Range<u32>, enter_ms| {
        leave_ms(&picture.traffic.links[link.index()].speed_mm_s, u64::from(part.end - part.start), enter_ms)
    };
    let way = quickest(&streets.next, &starts, &ends, depart_ms, leave, &streets.lengths_mm).ok_or(TripError::NoWay)?;
    let (start, end) = (starts[way.start], ends[way.end]);
    let (last, mut legs, mut enter_ms) = (way.links.len() - 1, Vec::new(), depart_ms);
    for (row, &link) in way.links.iter().enumerate() {
        let part = if row == 0 { start.along_mm } else { 0 }..if row == last {
            end.along_mm
        } else {
            streets.lengths_mm[link.index()]
        };
        legs.push(Leg { link, part: part.clone(), enter_ms });
        enter_ms = leave(link, part, enter_ms);
    }
    Ok(Trip { depart_ms, way, start, end, legs })
}

impl Trip {
    /// As the API tells it.
    pub fn shown(&self, picture: &Picture) -> Value {
        let (streets, time_ms) = (&picture.streets, picture.traffic.time_ms);
        let took_ms = self.way.arrive_ms - self.depart_ms;
        let [low_ms, high_ms] = self.range_ms(picture);
        let mut roads: Vec<&str> = self.legs.iter().map(|leg| streets.link(leg.link).road.as_str()).collect();
        roads.dedup();
        roads.retain(|road| !road.is_empty());
        let mut path: Vec<Point> =
            self.legs.iter().flat_map(|leg| course(streets.link(leg.link), leg.part.clone())).collect();
        path.dedup();
        if let [only] = path[..] {
            path.push(only);
        }
        let path: Vec<[f64; 2]> = path.into_iter().map(|at| streets.degrees(at)).collect();
        let horizon_ms = (KNOTS as u64 - 1) * STEP_MS;
        json!({
            "time_ms": time_ms, "depart_ms": time_ms + self.depart_ms, "arrive_ms": time_ms + self.way.arrive_ms,
            "minutes": minutes(took_ms as f64), "low_minutes": minutes(low_ms), "high_minutes": minutes(high_ms),
            "free_minutes": minutes(self.free_ms(picture)), "distance_m": self.length_mm() / 1000, "roads": roads,
            "beyond_forecast": self.way.arrive_ms > horizon_ms, "foretold": self.foretold(picture),
            "from": end(picture, &self.start), "to": end(picture, &self.end),
            "path": {"type": "Feature", "geometry": {"type": "LineString", "coordinates": path}, "properties": {}},
        })
    }

    fn length_mm(&self) -> u64 {
        self.legs.iter().map(|leg| u64::from(leg.part.end - leg.part.start)).sum()
    }

    fn free_ms(&self, picture: &Picture) -> f64 {
        let free = |leg: &Leg| {
            f64::from(leg.part.end - leg.part.start) * 1000.0
                / f64::from(picture.streets.link(leg.link).free_speed_mm_s.max(1))
        };
        self.legs.iter().map(free).sum()
    }

    /// Share of the distance on links that have a forecast.
    fn foretold(&self, picture: &Picture) -> f64 {
        let known = self.legs.iter().filter(|leg| picture.traffic.links[leg.link.index()].foretold);
        let known_mm: u64 = known.map(|leg| u64::from(leg.part.end - leg.part.start)).sum();
        (known_mm as f64 / self.length_mm().max(1) as f64 * 100.0).round() / 100.0
    }

    /// The shortest and longest time that is to be expected, ms: how far each link's time may lie from the expected one at
    /// the ends of its interval, added up as spreads that are correlated by [`TOGETHER`] are.
    fn range_ms(&self, picture: &Picture) -> [f64; 2] {
        let took_ms = (self.way.arrive_ms - self.depart_ms) as f64;
        let spread = |speeds: fn(&Outlook) -> &[u32; KNOTS]| {
            let apart = |leg: &Leg| {
                let (outlook, length_mm) =
                    (&picture.traffic.links[leg.link.index()], u64::from(leg.part.end - leg.part.start));
                let by = |speeds: &[u32]| leave_ms(speeds, length_mm, leg.enter_ms) as f64;
                (by(speeds(outlook)) - by(&outlook.speed_mm_s)).abs()
            };
            let (sum, squares) = self.legs.iter().map(apart).fold((0.0, 0.0), |(s, q), d| (s + d, q + d * d));
            (TOGETHER * sum * sum + (1.0 - TOGETHER) * squares).sqrt()
        };
        [took_ms - spread(|o| &o.high_mm_s), took_ms + spread(|o| &o.low_mm_s)]
    }
}

fn end(picture: &Picture, spot: &Spot) -> Value {
    let link = picture.streets.link(spot.link);
    let at = course(link, spot.along_mm..spot.along_mm);
    let at = at.first().copied().unwrap_or(link.shape[0]);
    json!({"at": picture.streets.degrees(at), "road": link.road, "off_street_m": spot.off_mm / 1000})
}

fn minutes(ms: f64) -> f64 {
    (ms.max(0.0) / 6_000.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::places::middle;
    use super::super::{Streets, Traffic};
    use super::*;

    fn free() -> Picture {
        let city = Arc::new(nanming_simulators::town::small(3, 3, 1));
        let traffic = Traffic::unseen(&city, 1_000_000);
        Picture { streets: Arc::new(Streets::new(city)), traffic, incidents: vec![], notices: vec![] }
    }

    fn place(picture: &Picture, link: usize) -> LonLat {
        middle(&picture.streets.city.links[link]).to_lon_lat(picture.streets.city.origin)
    }

    #[test]
    fn over_free_streets_it_takes_the_free_time_whenever_one_leaves() {
        let picture = free();
        let (from, to) = (place(&picture, 0), place(&picture, picture.streets.city.links.len() - 1));
        let now = trip(&picture, from, to, 0).unwrap();
        let shown = now.shown(&picture);
        assert_eq!((&shown["minutes"], &shown["low_minutes"]), (&shown["free_minutes"], &shown["high_minutes"]));
        let later = trip(&picture, from, to, 3_000_000).unwrap();
        assert_eq!(
            (later.way.links.clone(), later.way.arrive_ms),
            (now.way.links.clone(), now.way.arrive_ms + 3_000_000)
        );
        let movements = &picture.streets.next;
        assert!(
            now.way.links.windows(2).all(|pair| movements[pair[0].index()].contains(&pair[1])),
            "only by movements"
        );
        let path = shown["path"]["geometry"]["coordinates"].as_array().unwrap();
        assert!(
            path.len() > 2 && path[0] == shown["from"]["at"] && path[path.len() - 1] == shown["to"]["at"],
            "{shown}"
        );
    }

    #[test]
    fn slower_links_ahead_take_longer_and_a_wide_interval_makes_a_wide_range() {
        let mut picture = free();
        let (from, to) = (place(&picture, 0), place(&picture, picture.streets.city.links.len() - 1));
        for outlook in &mut picture.traffic.links {
            for knot in 6..KNOTS {
                outlook.speed_mm_s[knot] /= 2;
            }
            (outlook.low_mm_s, outlook.high_mm_s) =
                (outlook.speed_mm_s.map(|v| v * 3 / 4), outlook.speed_mm_s.map(|v| v * 5 / 4));
        }
        let [now, later] = [0, 1_800_000].map(|depart_ms| trip(&picture, from, to, depart_ms).unwrap().shown(&picture));
        let number = |of: &Value, key: &str| of[key].as_f64().unwrap();
        assert!((number(&later, "minutes") / number(&now, "minutes") - 2.0).abs() < 0.2, "{now} {later}");
        for shown in [now, later] {
            assert!(number(&shown, "low_minutes") < number(&shown, "minutes"), "{shown}");
            assert!(number(&shown, "minutes") < number(&shown, "high_minutes"), "{shown}");
        }
    }

    #[test]
    fn a_place_far_from_every_street_is_refused_by_name() {
        let picture = free();
        let far = LonLat::from_degrees(107.5, 26.65);
        let error = trip(&picture, place(&picture, 0), far, 0).unwrap_err().to_string();
        assert!(error.starts_with("to lies ") && error.contains("500 m"), "{error}");
    }
}
