//! The streets as one drives them: which link follows which, where a place lies, and how long it takes to get somewhere.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use super::LinkNow;
use crate::ids::{JunctionId, LinkId};
use crate::network::{City, Point};

/// Cells in which links are looked up, mm.
const CELL_MM: i32 = 250_000;
/// A place lies on links that are so much further away than the nearest one, mm: on both directions of a street.
const BESIDE_MM: u64 = 15_000;

/// A place on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Spot {
    pub(super) link: LinkId,
    pub(super) at_mm: u32,
    /// How far the place lies off the link, mm.
    pub(super) off_mm: u64,
}

/// The streets.
pub(super) struct Ways {
    links: Vec<Way>,
    /// The junction whose signals govern the way from a link to a link.
    crossings: BTreeMap<(LinkId, LinkId), JunctionId>,
    cells: BTreeMap<(i32, i32), Vec<LinkId>>,
}

/// A link for motor traffic; others lead nowhere.
struct Way {
    shape: Vec<Point>,
    length_mm: u32,
    free_ms: u32,
    lanes: u32,
    before: Vec<LinkId>,
    after: Vec<LinkId>,
}

impl Ways {
    pub(super) fn new(city: &City) -> Self {
        let motor = |l: &crate::network::Link| l.lanes.iter().filter(|lane| city.lanes[lane.index()].motor).count();
        let way = |l: &crate::network::Link| Way {
            shape: l.shape.clone(),
            length_mm: l.length_mm.max(1),
            free_ms: l.free_travel_ms() as u32,
            lanes: motor(l) as u32,
            before: Vec::new(),
            after: Vec::new(),
        };
        let mut ways =
            Ways { links: city.links.iter().map(way).collect(), crossings: BTreeMap::new(), cells: BTreeMap::new() };
        for m in &city.movements {
            let (from, to) = (&city.lanes[m.from.index()], &city.lanes[m.to.index()]);
            if from.motor && to.motor {
                ways.links[from.link.index()].after.push(to.link);
                ways.links[to.link.index()].before.push(from.link);
                ways.crossings.extend(m.signal.map(|(junction, _)| ((from.link, to.link), junction)));
            }
        }
        for way in &mut ways.links {
            for list in [&mut way.before, &mut way.after] {
                list.sort_unstable();
                list.dedup();
            }
        }
        for link in city.links.iter().filter(|l| motor(l) > 0) {
            for cell in link.shape.windows(2).flat_map(|pair| cells_between(pair[0], pair[1])) {
                let known = ways.cells.entry(cell).or_default();
                if known.last() != Some(&link.id) {
                    known.push(link.id);
                }
            }
        }
        ways
    }

    /// All links at free flow.
    pub(super) fn free_traffic(&self) -> Vec<LinkNow> {
        self.links.iter().map(|way| LinkNow { travel_ms: way.free_ms, standing_milli: 0 }).collect()
    }

    pub(super) fn free_ms(&self, link: LinkId) -> u64 {
        u64::from(self.links[link.index()].free_ms)
    }

    pub(super) fn length_mm(&self, link: LinkId) -> u32 {
        self.links[link.index()].length_mm
    }

    pub(super) fn lanes(&self, link: LinkId) -> u64 {
        u64::from(self.links[link.index()].lanes.max(1))
    }

    /// The junction whose signals one passes from a link to a link.
    pub(super) fn crossing(&self, from: LinkId, to: LinkId) -> Option<JunctionId> {
        self.crossings.get(&(from, to)).copied()
    }

    /// Where a place lies on a link.
    pub(super) fn spot_on(&self, link: LinkId, place: Point) -> Spot {
        let mut from_mm = 0;
        let mut best = Spot { link, at_mm: 0, off_mm: u64::MAX };
        for pair in self.links[link.index()].shape.windows(2) {
            let (along_mm, off_mm) = foot(pair[0], pair[1], place);
            if off_mm < best.off_mm {
                best = Spot { link, at_mm: (from_mm + along_mm) as u32, off_mm };
            }
            from_mm += pair[0].distance_mm(pair[1]);
        }
        best.at_mm = best.at_mm.min(self.length_mm(link));
        best
    }

    /// The links on which a place lies, the nearest first: both directions of a street. None where no street is near.
    pub(super) fn spots(&self, place: Point) -> Vec<Spot> {
        let (x, y) = cell(place);
        let around = (x - 1..=x + 1).flat_map(|x| (y - 1..=y + 1).map(move |y| (x, y)));
        let mut links: Vec<LinkId> = around.filter_map(|c| self.cells.get(&c)).flatten().copied().collect();
        links.sort_unstable();
        links.dedup();
        let mut spots: Vec<Spot> = links.iter().map(|l| self.spot_on(*l, place)).collect();
        spots.sort_unstable_by_key(|s| (s.off_mm, s.link));
        let reach_mm = spots.first().map_or(0, |s| s.off_mm + BESIDE_MM);
        spots.retain(|s| s.off_mm <= reach_mm);
        spots
    }

    /// Whether who drives on a link at a spot goes the way from `before` to `now`.
    pub(super) fn leads(&self, spot: &Spot, before: Point, now: Point) -> bool {
        let mut left_mm = u64::from(spot.at_mm);
        for pair in self.links[spot.link.index()].shape.windows(2) {
            let piece_mm = pair[0].distance_mm(pair[1]);
            if left_mm <= piece_mm {
                return along(pair[0], pair[1], before, now) > 0;
            }
            left_mm -= piece_mm;
        }
        true
    }

    /// The quickest way from one of some spots to one of others, with links taking so long: its links, both ends included;
    /// none where there is no way.
    pub(super) fn quickest(&self, from: &[Spot], to: &[Spot], travel_ms: impl Fn(LinkId) -> u64) -> Vec<LinkId> {
        let to_go_ms = self.times_to(to, &travel_ms);
        let part_ms = |link: LinkId, mm: u32| travel_ms(link) * u64::from(mm) / u64::from(self.length_mm(link));
        let onward = |link: LinkId| {
            let next = self.links[link.index()].after.iter().map(|l| (to_go_ms[l.index()], *l)).min();
            next.filter(|(ms, _)| *ms != u64::MAX)
        };
        let start = |spot: &Spot| {
            let ahead = to.iter().find(|t| t.link == spot.link && t.at_mm >= spot.at_mm);
            if let Some(end) = ahead {
                return Some((part_ms(spot.link, end.at_mm - spot.at_mm), spot.link, true));
            }
            let rest_ms = part_ms(spot.link, self.length_mm(spot.link).saturating_sub(spot.at_mm));
            onward(spot.link).map(|(ms, _)| (ms.saturating_add(rest_ms), spot.link, false))
        };
        let Some((_, first, is_there)) = from.iter().filter_map(start).min() else { return Vec::new() };
        let mut route = vec![first];
        let mut at = first;
        while !is_there && (route.len() == 1 || !to.iter().any(|t| t.link == at)) {
            let Some((_, next)) = onward(at) else { break };
            route.push(next);
            at = next;
        }
        route
    }

    /// Time from the start of each link to one of some spots, ms: Dijkstra against the traffic.
    fn times_to(&self, to: &[Spot], travel_ms: &impl Fn(LinkId) -> u64) -> Vec<u64> {
        let mut best_ms = vec![u64::MAX; self.links.len()];
        let mut open = BinaryHeap::new();
        for spot in to {
            let ms = travel_ms(spot.link) * u64::from(spot.at_mm) / u64::from(self.length_mm(spot.link));
            if ms < best_ms[spot.link.index()] {
                best_ms[spot.link.index()] = ms;
                open.push((Reverse(ms), spot.link));
            }
        }
        while let Some((Reverse(ms), link)) = open.pop() {
            if ms > best_ms[link.index()] {
                continue;
            }
            for before in &self.links[link.index()].before {
                let longer_ms = ms.saturating_add(travel_ms(*before).max(1));
                if longer_ms < best_ms[before.index()] {
                    best_ms[before.index()] = longer_ms;
                    open.push((Reverse(longer_ms), *before));
                }
            }
        }
        best_ms
    }
}

fn cell(at: Point) -> (i32, i32) {
    (at.x_mm.div_euclid(CELL_MM), at.y_mm.div_euclid(CELL_MM))
}

/// All cells of the rectangle around a piece of a link.
fn cells_between(a: Point, b: Point) -> impl Iterator<Item = (i32, i32)> {
    let ((ax, ay), (bx, by)) = (cell(a), cell(b));
    (ax.min(bx)..=ax.max(bx)).flat_map(move |x| (ay.min(by)..=ay.max(by)).map(move |y| (x, y)))
}

/// The scalar product of a -> b with c -> d, mm2.
fn along(a: Point, b: Point, c: Point, d: Point) -> i128 {
    let span = |from: i32, to: i32| i128::from(to) - i128::from(from);
    span(a.x_mm, b.x_mm) * span(c.x_mm, d.x_mm) + span(a.y_mm, b.y_mm) * span(c.y_mm, d.y_mm)
}

/// The point of the piece a -> b nearest to a place: how far from a, and how far from the place, mm.
fn foot(a: Point, b: Point, place: Point) -> (u64, u64) {
    let whole = along(a, b, a, b);
    let part = along(a, b, a, place).clamp(0, whole);
    let at = |from: i32, to: i32| (i128::from(from) + (i128::from(to) - i128::from(from)) * part / whole.max(1)) as i32;
    let point = Point { x_mm: at(a.x_mm, b.x_mm), y_mm: at(a.y_mm, b.y_mm) };
    (a.distance_mm(point), point.distance_mm(place))
}
