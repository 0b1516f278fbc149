//! Bus lines: quickest ways between far ends of the city, with stops.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use nanming_dataflows::ids::*;
use nanming_dataflows::network::{BusLine, City};
use rand::RngExt;

use super::{Draw, stream};

/// Distance between stops, about, mm.
const STOP_GAP_MM: u64 = 500_000;

/// `count` lines between random links that lie far apart.
pub(crate) fn lines(city: &City, count: usize, seed: u64) -> Vec<BusLine> {
    let mut rng = stream(seed, Draw::Buses);
    let following = following(city);
    let mut lines = Vec::with_capacity(count);
    while lines.len() < count {
        let mut pick = || LinkId::from_index(rng.random_range(0..city.links.len()));
        let start = pick();
        let far = |l: &LinkId| city.links[l.index()].shape[0].distance_mm(city.links[start.index()].shape[0]);
        let end = (0..4).map(|_| pick()).max_by_key(far).unwrap_or(start);
        let route = quickest(city, &following, start, end);
        if route.len() > 1 {
            let headway_ms = rng.random_range(5..=12) * 60_000;
            lines.push(line(city, lines.len(), route, headway_ms));
        }
    }
    lines
}

fn line(city: &City, row: usize, route: Vec<LinkId>, headway_ms: u32) -> BusLine {
    BusLine {
        id: BusLineId::from_index(row),
        name: format!("{}路", row + 1),
        stops: stops(city, &route),
        route,
        headway_ms,
    }
}

/// A stop at 60 % of a link whenever the last one is far enough back; the first and the last link always have one.
fn stops(city: &City, route: &[LinkId]) -> Vec<(LinkId, u32)> {
    let mut stops = Vec::new();
    let mut since_mm = STOP_GAP_MM;
    for (k, link) in route.iter().enumerate() {
        let length_mm = city.links[link.index()].length_mm;
        since_mm += u64::from(length_mm);
        if since_mm >= STOP_GAP_MM || k + 1 == route.len() {
            stops.push((*link, length_mm / 10 * 6));
            since_mm = 0;
        }
    }
    stops
}

/// Links that may be driven into from each link.
pub(crate) fn following(city: &City) -> Vec<Vec<LinkId>> {
    let mut following = vec![Vec::new(); city.links.len()];
    for m in &city.movements {
        let (from, to) = (city.lanes[m.from.index()].link, city.lanes[m.to.index()].link);
        if !following[from.index()].contains(&to) {
            following[from.index()].push(to);
        }
    }
    following
}

/// The quickest way at free-flow speed from the start of one link to the end of another; empty if there is none.
fn quickest(city: &City, following: &[Vec<LinkId>], start: LinkId, end: LinkId) -> Vec<LinkId> {
    let mut before: Vec<Option<LinkId>> = vec![None; city.links.len()];
    let mut best_ms = vec![u64::MAX; city.links.len()];
    let mut open = BinaryHeap::from([Reverse((0, start))]);
    best_ms[start.index()] = 0;
    while let Some(Reverse((time_ms, link))) = open.pop() {
        if link == end {
            let mut route: Vec<LinkId> = std::iter::successors(Some(end), |l| before[l.index()]).collect();
            route.reverse();
            return route;
        }
        for next in &following[link.index()] {
            let next_ms = time_ms + city.links[link.index()].free_travel_ms();
            if next_ms < best_ms[next.index()] {
                best_ms[next.index()] = next_ms;
                before[next.index()] = Some(link);
                open.push(Reverse((next_ms, *next)));
            }
        }
    }
    Vec::new()
}
