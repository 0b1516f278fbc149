//! Places on streets: where a place meets them, which way they lead, parts of their course. Pure.

use nanming_dataflows::ids::LinkId;
use nanming_dataflows::network::{Link, Point};

/// A place on a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Which link.
    pub link: LinkId,
    /// How far from its start, mm.
    pub along_mm: u32,
    /// How far the place asked for lies from there, mm.
    pub off_mm: u64,
}

/// Which way a street leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Heading {
    /// To the north, and so on clockwise.
    N,
    /// North-east.
    NE,
    /// East.
    E,
    /// South-east.
    SE,
    /// South.
    S,
    /// South-west.
    SW,
    /// West.
    W,
    /// North-west.
    NW,
}

impl Heading {
    const ALL: [Heading; 8] = {
        use Heading::*;
        [N, NE, E, SE, S, SW, W, NW]
    };

    /// Of a way that leads so far east and north.
    pub fn of(east: f64, north: f64) -> Heading {
        let eighths = (east.atan2(north).to_degrees().rem_euclid(360.0) / 45.0).round() as usize;
        Heading::ALL[eighths % 8]
    }

    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        ["n", "ne", "e", "se", "s", "sw", "w", "nw"][self as usize]
    }

    /// In words, Chinese and English.
    pub fn words(self) -> [&'static str; 2] {
        let chinese = ["向北", "向东北", "向东", "向东南", "向南", "向西南", "向西", "向西北"];
        let english = ["northbound", "north-eastbound", "eastbound", "south-eastbound"];
        let back = ["southbound", "south-westbound", "westbound", "north-westbound"];
        let row = self as usize;
        [chinese[row], if row < 4 { english[row] } else { back[row - 4] }]
    }
}

/// The spot of a link that is nearest to a place.
pub(super) fn nearest_spot(link: &Link, at: Point) -> Spot {
    let (mut best, mut passed_mm) = ((f64::INFINITY, 0.0), 0.0);
    for pair in link.shape.windows(2) {
        let (a, d) = (pair[0], [f64::from(pair[1].x_mm - pair[0].x_mm), f64::from(pair[1].y_mm - pair[0].y_mm)]);
        let to = [f64::from(at.x_mm) - f64::from(a.x_mm), f64::from(at.y_mm) - f64::from(a.y_mm)];
        let length = d[0].hypot(d[1]);
        let share = ((to[0] * d[0] + to[1] * d[1]) / (length * length).max(1.0)).clamp(0.0, 1.0);
        let off = (to[0] - share * d[0]).hypot(to[1] - share * d[1]);
        if off < best.0 {
            best = (off, passed_mm + share * length);
        }
        passed_mm += length;
    }
    // What is drawn and what is driven need not be equally long.
    let share = best.1 / passed_mm.max(1.0);
    Spot { link: link.id, along_mm: (share * f64::from(link.length_mm)) as u32, off_mm: best.0 as u64 }
}

/// The course of a link from `part.start` to `part.end`, mm along it.
pub(super) fn course(link: &Link, part: std::ops::Range<u32>) -> Vec<Point> {
    let drawn_mm: f64 = link.shape.windows(2).map(|pair| pair[0].distance_mm(pair[1]) as f64).sum();
    let scale = drawn_mm / f64::from(link.length_mm.max(1));
    let (from, to) = (f64::from(part.start) * scale, f64::from(part.end) * scale);
    let (mut course, mut passed_mm) = (Vec::new(), 0.0);
    for pair in link.shape.windows(2) {
        let length = pair[0].distance_mm(pair[1]) as f64;
        let end = passed_mm + length;
        if end >= from && passed_mm <= to && length > 0.0 {
            let at = |mm: f64| between(pair[0], pair[1], ((mm - passed_mm) / length).clamp(0.0, 1.0));
            course.extend([at(from), at(to)]);
        }
        passed_mm = end;
    }
    course.dedup();
    course
}

/// The middle of a link.
pub(super) fn middle(link: &Link) -> Point {
    let half = link.length_mm / 2;
    course(link, half..half).first().copied().unwrap_or(link.shape[0])
}

fn between(a: Point, b: Point, share: f64) -> Point {
    let on = |a: i32, b: i32| a + (f64::from(b - a) * share).round() as i32;
    Point { x_mm: on(a.x_mm, b.x_mm), y_mm: on(a.y_mm, b.y_mm) }
}

/// A closed ring around a link, `reach_mm` from its course.
pub(super) fn ring_around(link: &Link, reach_mm: f64) -> Vec<Point> {
    let direction = |row: usize| {
        let (a, b) = (link.shape[row], link.shape[row + 1]);
        let (dx, dy) = (f64::from(b.x_mm - a.x_mm), f64::from(b.y_mm - a.y_mm));
        let length = dx.hypot(dy).max(1.0);
        (dx / length, dy / length)
    };
    let last = link.shape.len() - 1;
    let side = |sign: f64| {
        (0..=last).map(move |row| {
            let (before, after) = (direction(row.saturating_sub(1)), direction(row.min(last - 1)));
            let (x, y) = (before.0 + after.0, before.1 + after.1);
            let length = x.hypot(y).max(1e-9);
            let ahead = if row == 0 {
                -reach_mm
            } else if row == last {
                reach_mm
            } else {
                0.0
            };
            let (x, y) = (x / length, y / length);
            let at = link.shape[row];
            Point {
                x_mm: at.x_mm + (y * sign * reach_mm + x * ahead) as i32,
                y_mm: at.y_mm + (-x * sign * reach_mm + y * ahead) as i32,
            }
        })
    };
    let mut ring: Vec<Point> = side(1.0).collect();
    ring.extend(side(-1.0).collect::<Vec<_>>().into_iter().rev());
    ring.extend(ring.first().copied());
    ring
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanming_dataflows::ids::{DistrictId, NodeId};

    fn place(x_m: i32, y_m: i32) -> Point {
        Point { x_mm: x_m * 1000, y_mm: y_m * 1000 }
    }

    /// 100 m east, then 100 m north; driven it is 400 m.
    fn bent() -> Link {
        Link {
            id: LinkId(7),
            name: String::new(),
            road: String::new(),
            from: NodeId(0),
            to: NodeId(1),
            length_mm: 400_000,
            free_speed_mm_s: 10_000,
            lanes: vec![],
            shape: vec![place(0, 0), place(100, 0), place(100, 100)],
            district: DistrictId(0),
        }
    }

    #[test]
    fn a_place_meets_a_link_where_it_is_nearest() {
        let spot = nearest_spot(&bent(), place(130, 50));
        assert_eq!(spot, Spot { link: LinkId(7), along_mm: 300_000, off_mm: 30_000 });
        assert_eq!(nearest_spot(&bent(), place(-40, -30)), Spot { link: LinkId(7), along_mm: 0, off_mm: 50_000 });
    }

    #[test]
    fn a_part_of_a_course_has_its_corners() {
        assert_eq!(course(&bent(), 100_000..300_000), [place(50, 0), place(100, 0), place(100, 50)]);
        assert_eq!(course(&bent(), 0..400_000), bent().shape);
        assert_eq!(middle(&bent()), place(100, 0));
    }

    #[test]
    fn a_ring_goes_round_its_link_and_is_closed() {
        let ring = ring_around(&bent(), 20_000.0);
        assert_eq!((ring.len(), ring[0]), (7, ring[6]));
        assert_eq!(ring[0], place(-20, -20));
    }

    #[test]
    fn headings_go_clockwise_from_north() {
        let of = |east, north| Heading::of(east, north).as_str();
        assert_eq!(
            [of(0.0, 1.0), of(1.0, 1.0), of(1.0, 0.1), of(0.0, -1.0), of(-1.0, 0.0)],
            ["n", "ne", "e", "s", "w"]
        );
        assert_eq!(Heading::of(-1.0, 1.0).words(), ["向西北", "north-westbound"]);
    }
}
