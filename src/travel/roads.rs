//! Roads as travellers read of them: speeds now and ahead, how much of them is congested, worst first.

use nanming_dataflows::ids::LinkId;
use nanming_dataflows::state::link::level_of_service;
use serde_json::{Value, json};

use super::{AHEAD_MIN, Picture, Road, Streets, Traffic};
use crate::publish::kmh;

/// A road whose directions are shorter is short, mm.
const SHORT_MM: u64 = 500_000;

/// What a stretch of links is like at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Stretch {
    /// Length of which something is known, mm.
    pub(super) known_mm: u64,
    /// Time at free flow, and expected, and with all links at the lower and upper end of their intervals, ms.
    free_ms: f64,
    times_ms: [f64; 3],
    /// Length that is, or is expected to be, congested, mm.
    congested_mm: f64,
}

impl Stretch {
    /// Of links, some steps of 5 min ahead.
    pub(super) fn of(streets: &Streets, traffic: &Traffic, links: &[LinkId], step: usize) -> Stretch {
        let mut sum = Stretch::default();
        for link in links.iter().map(|id| streets.link(*id)) {
            let outlook = &traffic.links[link.id.index()];
            if !outlook.is_known(step) {
                continue;
            }
            let length = f64::from(link.length_mm);
            let ms = |speed: u32| length * 1000.0 / f64::from(speed.max(500));
            sum.known_mm += u64::from(link.length_mm);
            sum.free_ms += ms(link.free_speed_mm_s);
            let speeds = [outlook.speed_mm_s[step], outlook.low_mm_s[step], outlook.high_mm_s[step]];
            (sum.times_ms.iter_mut().zip(speeds)).for_each(|(sum, speed)| *sum += ms(speed));
            sum.congested_mm += length * f64::from(outlook.congested_milli[step]) / 1000.0;
        }
        sum
    }

    /// Share of the length that is congested, or expected to be.
    pub(super) fn congested(&self) -> f64 {
        self.congested_mm / self.known_mm.max(1) as f64
    }

    /// Expected speed as a share of free flow; 1 where nothing is known.
    fn ease(&self) -> f64 {
        if self.known_mm == 0 { 1.0 } else { self.free_ms / self.times_ms[0] }
    }

    fn speeds_mm_s(&self) -> [u32; 3] {
        self.times_ms.map(|ms| (self.known_mm as f64 * 1000.0 / ms.max(1.0)).round() as u32)
    }

    fn free_mm_s(&self) -> u32 {
        (self.known_mm as f64 * 1000.0 / self.free_ms.max(1.0)).round() as u32
    }
}

/// Speeds and congestion of links, now and ahead; null where nothing is known yet.
pub fn figures(streets: &Streets, traffic: &Traffic, links: &[LinkId]) -> Value {
    let length_mm = length_mm(streets, links);
    let now = Stretch::of(streets, traffic, links, 0);
    let mut figures = json!({
        "length_m": length_mm / 1000, "level": Value::Null, "speed_kmh": Value::Null, "congested": Value::Null,
        "seen": round2(now.known_mm as f64 / length_mm.max(1) as f64),
    });
    if now.known_mm > 0 {
        let speed = now.speeds_mm_s()[0];
        figures["free_kmh"] = kmh(now.free_mm_s()).into();
        figures["speed_kmh"] = kmh(speed).into();
        figures["level"] = (level_of_service(speed, now.free_mm_s()) as u8).into();
        figures["congested"] = round2(now.congested()).into();
    }
    let ahead = AHEAD_MIN.iter().filter_map(|in_min| expected(streets, traffic, links, *in_min));
    figures["expected"] = ahead.collect();
    figures
}

fn expected(streets: &Streets, traffic: &Traffic, links: &[LinkId], in_min: u16) -> Option<Value> {
    let then = Stretch::of(streets, traffic, links, usize::from(in_min / 5));
    let [speed, low, high] = then.speeds_mm_s();
    (then.known_mm > 0).then(|| {
        json!({
            "in_min": in_min, "speed_kmh": kmh(speed), "low_kmh": kmh(low), "high_kmh": kmh(high),
            "level": level_of_service(speed, then.free_mm_s()) as u8, "congested": round2(then.congested()),
        })
    })
}

/// The roads of a picture, each made once.
pub struct Roads(Vec<Row>);

struct Row {
    name: String,
    /// Short roads come after the others: one car that waits there is no congestion.
    is_short: bool,
    /// Of the worst direction, now and at each of [`AHEAD_MIN`]: expected speed as a share of free flow.
    ease: [f64; 1 + AHEAD_MIN.len()],
    shown: Value,
}

impl Roads {
    /// Of a picture.
    pub fn new(picture: &Picture) -> Roads {
        Roads(picture.streets.roads.iter().map(|road| row(picture, road)).collect())
    }

    /// Those whose name holds `wanted`, worst first as of `in_min` (0 or one of [`AHEAD_MIN`]).
    pub fn list(&self, time_ms: u64, wanted: &str, in_min: u16) -> Value {
        let wanted = wanted.to_lowercase();
        let column = AHEAD_MIN.iter().position(|min| *min == in_min).map_or(0, |at| at + 1);
        let mut rows: Vec<&Row> = self.0.iter().filter(|row| row.name.to_lowercase().contains(&wanted)).collect();
        rows.sort_by(|a, b| {
            let by_ease = a.ease[column].total_cmp(&b.ease[column]);
            a.is_short.cmp(&b.is_short).then(by_ease).then_with(|| a.name.cmp(&b.name))
        });
        let shown: Vec<&Value> = rows.iter().map(|row| &row.shown).collect();
        json!({"time_ms": time_ms, "total": shown.len(), "roads": shown})
    }
}

fn row(picture: &Picture, road: &Road) -> Row {
    let (streets, traffic) = (&picture.streets, &picture.traffic);
    let directions = |of: &dyn Fn(&[LinkId]) -> f64| road.directions.iter().map(|d| of(&d.links)).fold(1.0, f64::min);
    let steps = [0, 3, 6, 12];
    let ease = steps.map(|step| directions(&|links| Stretch::of(streets, traffic, links, step).ease()));
    let links: Vec<LinkId> = road.directions.iter().flat_map(|d| d.links.clone()).collect();
    let longest = road.directions.iter().map(|d| length_mm(streets, &d.links)).max().unwrap_or(0);
    let mut shown = figures(streets, traffic, &links);
    shown["length_m"] = (longest / 1000).into();
    shown["name"] = road.name.as_str().into();
    shown["at"] = json!(streets.degrees(road.at));
    let direction = |d: &super::Direction| {
        let mut shown = figures(streets, traffic, &d.links);
        shown["heading"] = d.heading.as_str().into();
        shown
    };
    shown["directions"] = road.directions.iter().map(direction).collect();
    Row { name: road.name.clone(), is_short: longest < SHORT_MM, ease, shown }
}

/// A road in full: its directions with their links, in order.
pub(super) fn detail(picture: &Picture, road: &Road) -> Value {
    let (streets, traffic) = (&picture.streets, &picture.traffic);
    let mut page = row(picture, road).shown;
    page["time_ms"] = traffic.time_ms.into();
    let section = |id: &LinkId| {
        let mut shown = figures(streets, traffic, &[*id]);
        (shown["link"], shown["to"]) = (json!(id), json!(streets.meets(*id)));
        shown
    };
    for (shown, direction) in page["directions"].as_array_mut().into_iter().flatten().zip(&road.directions) {
        shown["sections"] = direction.links.iter().map(section).collect();
    }
    page
}

impl Picture {
    /// A road in full, by its name.
    pub fn road(&self, name: &str) -> Option<Value> {
        self.streets.road(name).map(|road| detail(self, road))
    }
}

fn length_mm(streets: &Streets, links: &[LinkId]) -> u64 {
    links.iter().map(|id| u64::from(streets.link(*id).length_mm)).sum()
}

fn round2(share: f64) -> f64 {
    (share * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::traffic::KNOTS;
    use super::*;

    fn picture() -> Picture {
        let city = Arc::new(nanming_simulators::town::small(3, 3, 1));
        let mut traffic = Traffic::unseen(&city, 1_000);
        traffic.links.iter_mut().for_each(|l| (l.seen, l.foretold) = (true, true));
        Picture { streets: Arc::new(Streets::new(city)), traffic, incidents: vec![], notices: vec![] }
    }

    fn names(list: &Value) -> Vec<&str> {
        list["roads"].as_array().unwrap().iter().map(|road| road["name"].as_str().unwrap()).collect()
    }

    #[test]
    fn the_slowest_comes_first_as_of_the_time_that_is_asked_for() {
        let mut picture = picture();
        let roads: Vec<Road> =
            picture.streets.roads.iter().filter(|r| r.directions[0].links.len() > 1).cloned().collect();
        for (road, knots) in [(&roads[1], 0..KNOTS), (&roads[0], 6..KNOTS)] {
            for id in &road.directions[1].links {
                let slow = if knots.start == 0 { 3 } else { 5 };
                knots.clone().for_each(|k| picture.traffic.links[id.index()].speed_mm_s[k] /= slow);
            }
        }
        let rows = Roads::new(&picture);
        assert_eq!(names(&rows.list(1, "", 0))[0], roads[1].name);
        assert_eq!(names(&rows.list(1, "", 30))[..2], [roads[0].name.as_str(), roads[1].name.as_str()]);
        let part: String = roads[0].name.chars().take(2).collect();
        assert!(names(&rows.list(1, &part, 0)).contains(&roads[0].name.as_str()));
        assert_eq!(rows.list(1, "no such road", 0)["total"], 0);
    }

    #[test]
    fn a_road_s_speed_is_its_length_by_its_time() {
        let mut picture = picture();
        let links =
            picture.streets.roads.iter().find(|r| r.directions[0].links.len() > 1).unwrap().directions[0].links.clone();
        for (row, id) in links.iter().enumerate() {
            picture.traffic.links[id.index()].speed_mm_s = [if row == 0 { 2_000 } else { 10_000 }; KNOTS];
            picture.traffic.links[id.index()].congested_milli = [if row == 0 { 1000 } else { 0 }; KNOTS];
        }
        let length = |ids: &[LinkId]| length_mm(&picture.streets, ids) as f64;
        let (slow, all) = (length(&links[..1]), length(&links));
        let shown = figures(&picture.streets, &picture.traffic, &links);
        let speed = all / (slow / 2_000.0 + (all - slow) / 10_000.0) * 0.0036;
        assert!((shown["speed_kmh"].as_f64().unwrap() - speed).abs() < 0.1, "{shown} {speed}");
        assert!((shown["congested"].as_f64().unwrap() - slow / all).abs() < 0.006, "{shown}");
        assert_eq!(shown["expected"].as_array().unwrap().len(), AHEAD_MIN.len());
    }

    #[test]
    fn what_nobody_has_seen_is_not_told() {
        let mut picture = picture();
        picture.traffic.links.iter_mut().for_each(|l| (l.seen, l.foretold) = (false, false));
        let shown = figures(&picture.streets, &picture.traffic, &picture.streets.roads[0].directions[0].links);
        assert_eq!(
            (&shown["level"], &shown["speed_kmh"], &shown["expected"]),
            (&Value::Null, &Value::Null, &json!([]))
        );
        assert_eq!(shown["seen"], 0.0);
    }
}
