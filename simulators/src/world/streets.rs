//! Ways of patrol units over the streets, by the travel times of now.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use nanming_dataflows::network::{City, Link, Point};

use super::roads::Roads;

/// A place on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    /// The link.
    pub(super) link: u32,
    /// Distance from its start, mm.
    pub(super) at_mm: u32,
}

/// The link whose middle or ends come nearest to a place, and where on it.
pub(super) fn nearest_spot(city: &City, roads: &Roads, place: Point) -> Spot {
    let usable = city.links.iter().filter(|l| !roads.links[l.id.index()].lanes.is_empty());
    let near = |l: &Link| {
        let (a, b) = (l.shape[0], l.shape[l.shape.len() - 1]);
        let middle = Point { x_mm: (a.x_mm / 2) + (b.x_mm / 2), y_mm: (a.y_mm / 2) + (b.y_mm / 2) };
        let (from, half) = (a.distance_mm(place), middle.distance_mm(place));
        let best = from.min(half).min(b.distance_mm(place));
        let at_mm = if best == half {
            l.length_mm / 2
        } else if best == from {
            l.length_mm / 8
        } else {
            l.length_mm / 8 * 7
        };
        (best, l.id.0, at_mm)
    };
    let (_, link, at_mm) = usable.map(near).min().unwrap_or((0, 0, 0));
    Spot { link, at_mm }
}

/// The quickest way from a link to a link, both included; just the last one where there is no way.
pub(super) fn quickest(roads: &Roads, travel_ms: &[u32], from: u32, to: u32) -> Vec<u32> {
    let mut best = vec![u64::MAX; roads.links.len()];
    let mut before = vec![u32::MAX; roads.links.len()];
    let mut heap = BinaryHeap::from([Reverse((0_u64, from))]);
    best[from as usize] = 0;
    while let Some(Reverse((cost, link))) = heap.pop() {
        if link == to {
            break;
        }
        if cost > best[link as usize] {
            continue;
        }
        let through = cost + u64::from(travel_ms[link as usize]);
        for exit in &roads.links[link as usize].exits {
            if through < best[exit.link as usize] {
                best[exit.link as usize] = through;
                before[exit.link as usize] = link;
                heap.push(Reverse((through, exit.link)));
            }
        }
    }
    let mut way = vec![to];
    let mut at = to;
    while at != from && before[at as usize] != u32::MAX {
        at = before[at as usize];
        way.push(at);
    }
    way.reverse();
    way
}

/// The place of a spot.
pub(super) fn place_of(link: &Link, at_mm: u32) -> Point {
    let mut left_mm = u64::from(at_mm);
    for pair in link.shape.windows(2) {
        let piece_mm = pair[0].distance_mm(pair[1]);
        if left_mm <= piece_mm && piece_mm > 0 {
            return between(pair[0], pair[1], left_mm, piece_mm);
        }
        left_mm -= piece_mm.min(left_mm);
    }
    link.shape.last().copied().unwrap_or_default()
}

fn between(a: Point, b: Point, part: u64, whole: u64) -> Point {
    let mix = |a: i32, b: i32| (i64::from(a) + (i64::from(b) - i64::from(a)) * part as i64 / whole as i64) as i32;
    Point { x_mm: mix(a.x_mm, b.x_mm), y_mm: mix(a.y_mm, b.y_mm) }
}
