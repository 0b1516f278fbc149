//! Streets to nodes, links and lanes.

use nanming_dataflows::ids::*;
use nanming_dataflows::network::{City, Lane, Link, Node, Point, Turn};

use super::approaches::Turns;
use super::districts::Frame;
use super::streets::{Plat, Rank, Street};
use crate::course::{length_mm, line_beside, place_at, trimmed};

/// Width of a lane, mm (CJJ 37: 3.25 m at up to 60 km/h).
pub(crate) const LANE_MM: u32 = 3_250;
/// Length of a pocket lane for left turns, mm.
const POCKET_MM: u32 = 70_000;
/// How far a link's ends lie from the middle of its corners, mm.
const CORNER_MM: u64 = 16_000;

/// Lays nodes, and two links for each street: the first half of a pair runs from `a` to `b`, the second back. The ID of
/// a link's twin is its own with the last bit flipped.
pub(crate) fn lay(city: &mut City, plat: &Plat, frame: &Frame, turns: &Turns) {
    city.nodes = nodes(plat);
    for (row, street) in plat.streets.iter().enumerate() {
        let back: Vec<Point> = street.course.iter().rev().copied().collect();
        let (to, fro) = (&turns[2 * row], &turns[2 * row + 1]);
        let there = Way {
            street,
            from: street.a,
            to: street.b,
            course: &street.course,
            pocket: has_pocket(plat, street, street.b, to),
        };
        let back = Way {
            street,
            from: street.b,
            to: street.a,
            course: &back,
            pocket: has_pocket(plat, street, street.a, fro),
        };
        lay_link(city, plat, frame, &there);
        lay_link(city, plat, frame, &back);
    }
}

/// One direction of a street.
struct Way<'a> {
    street: &'a Street,
    from: usize,
    to: usize,
    course: &'a [Point],
    pocket: bool,
}

/// The link of the same street in the other direction.
pub(crate) fn twin(link: LinkId) -> LinkId {
    LinkId(link.0 ^ 1)
}

/// The street that a link belongs to.
pub(crate) fn street_of(plat: &Plat, link: LinkId) -> &Street {
    &plat.streets[link.index() / 2]
}

/// Whether a link has a pocket lane for its left turns: before signals, but on half of the narrowest streets only.
fn has_pocket(plat: &Plat, street: &Street, to: usize, turns: &[(LinkId, Turn)]) -> bool {
    let wide = street.rank > Rank::Local || street.lanes > 1 || street.road.is_multiple_of(2);
    plat.corners[to].signal && wide && turns.iter().any(|(_, turn)| *turn == Turn::Left)
}

fn nodes(plat: &Plat) -> Vec<Node> {
    let mut junctions = (0..).map(JunctionId);
    let node = |(row, c): (usize, &super::streets::Corner)| Node {
        id: NodeId::from_index(row),
        name: c.name.clone(),
        at: c.at,
        junction: c.signal.then(|| junctions.next()).flatten(),
    };
    plat.corners.iter().enumerate().map(node).collect()
}

fn lay_link(city: &mut City, plat: &Plat, frame: &Frame, way: &Way<'_>) {
    let &Way { street, from, to, course, pocket } = way;
    let id = LinkId::from_index(city.links.len());
    let name = format!("{}-{}", plat.corners[from].name, plat.corners[to].name);
    let right_mm = f64::from(LANE_MM) * street.lanes as f64 / 2.0;
    let shape = trimmed(&line_beside(course, right_mm), CORNER_MM);
    let length_mm = length_mm(&shape) as u32;
    let first = city.lanes.len();
    for row in 0..street.lanes + usize::from(pocket) {
        let length_mm = if row < street.lanes { length_mm } else { length_mm.min(POCKET_MM) };
        city.lanes.push(Lane {
            id: LaneId::from_index(first + row),
            name: format!("{name}_{row}"),
            link: id,
            length_mm,
            motor: true,
            movements: Vec::new(),
        });
    }
    city.links.push(Link {
        id,
        name,
        road: plat.roads[street.road].clone(),
        from: NodeId::from_index(from),
        to: NodeId::from_index(to),
        length_mm,
        free_speed_mm_s: street.rank.speed_mm_s(),
        lanes: (first..city.lanes.len()).map(LaneId::from_index).collect(),
        district: frame.district_at(place_at(&shape, u64::from(length_mm) / 2), city.districts.len()),
        shape,
    });
}
