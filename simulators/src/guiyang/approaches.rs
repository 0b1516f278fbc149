//! What traffic may do at the end of each link: turns, the lanes that serve them, movements.

use std::ops::Range;

use nanming_dataflows::ids::*;
use nanming_dataflows::network::{City, Movement, Point, Turn};

use super::links::{street_of, twin};
use super::streets::Plat;
use crate::course::{end_bearing_deg, start_bearing_deg, turn_deg};

/// For each link, the links that follow it and where one turns into them.
pub(crate) type Turns = Vec<Vec<(LinkId, Turn)>>;

/// A way that bends less than this, degrees, can be straight on.
const STRAIGHT_DEG: f64 = 50.0;

/// Where each link leads. No turning back except at dead ends.
pub(crate) fn turns(plat: &Plat) -> Turns {
    let links = 2 * plat.streets.len();
    let mut leaving = vec![Vec::new(); plat.corners.len()];
    for link in (0..links).map(LinkId::from_index) {
        leaving[ends(plat, link).0].push(link);
    }
    (0..links).map(LinkId::from_index).map(|link| turns_from(plat, link, &leaving[ends(plat, link).1])).collect()
}

fn ends(plat: &Plat, link: LinkId) -> (usize, usize) {
    let street = street_of(plat, link);
    if link.0.is_multiple_of(2) { (street.a, street.b) } else { (street.b, street.a) }
}

fn course(plat: &Plat, link: LinkId) -> Vec<Point> {
    let mut course = street_of(plat, link).course.clone();
    if !link.0.is_multiple_of(2) {
        course.reverse();
    }
    course
}

fn turns_from(plat: &Plat, link: LinkId, leaving: &[LinkId]) -> Vec<(LinkId, Turn)> {
    let heading_deg = end_bearing_deg(&course(plat, link));
    let exits: Vec<(LinkId, f64)> = leaving
        .iter()
        .filter(|exit| **exit != twin(link))
        .map(|exit| (*exit, turn_deg(heading_deg, start_bearing_deg(&course(plat, *exit)))))
        .collect();
    let straightest = exits.iter().min_by(|a, b| a.1.abs().total_cmp(&b.1.abs()));
    let straight = straightest.filter(|(_, deg)| deg.abs() < STRAIGHT_DEG || exits.len() == 1).map(|(exit, _)| *exit);
    let turn = |exit: LinkId, deg: f64| match deg {
        _ if Some(exit) == straight => Turn::Through,
        deg if deg < 0.0 => Turn::Left,
        _ => Turn::Right,
    };
    match exits.is_empty() {
        true => vec![(twin(link), Turn::UTurn)],
        false => exits.iter().map(|(exit, deg)| (*exit, turn(*exit, *deg))).collect(),
    }
}

/// Adds the movements of every link, lane by lane from the kerb.
pub(crate) fn connect(city: &mut City, plat: &Plat, turns: &Turns) {
    for (row, turns) in turns.iter().enumerate() {
        let lanes = city.links[row].lanes.clone();
        let pocket = lanes.len() > plat.streets[row / 2].lanes;
        let has = |turn| turns.iter().any(|(_, t)| *t == turn);
        let shares = Shares::of(lanes.len(), pocket, has(Turn::Left), has(Turn::Through), has(Turn::Right));
        for (k, lane) in lanes.iter().enumerate() {
            for (exit, turn) in turns.iter().filter(|(_, turn)| shares.lanes(*turn).contains(&k)) {
                let exit_lanes = street_of(plat, *exit).lanes;
                let to = city.links[exit.index()].lanes[shares.enters(k, *turn, exit_lanes)];
                join(city, *lane, to, *turn);
            }
        }
    }
}

fn join(city: &mut City, from: LaneId, to: LaneId, turn: Turn) {
    let id = MovementId::from_index(city.movements.len());
    city.movements.push(Movement { id, from, to, turn, signal: None });
    city.lanes[from.index()].movements.push(id);
}

/// Which lanes of an approach, counted from the kerb, serve which turn.
#[derive(Debug, PartialEq)]
struct Shares {
    right: Range<usize>,
    through: Range<usize>,
    left: Range<usize>,
    all: Range<usize>,
}

impl Shares {
    fn of(lanes: usize, pocket: bool, left: bool, through: bool, right: bool) -> Shares {
        let all = 0..lanes;
        let (right, through, left) = match (left, through, right) {
            (true, true, _) if pocket => (0..1, 0..lanes - 1, lanes - 1..lanes),
            (_, true, _) => (0..1, all.clone(), lanes - 1..lanes),
            (true, false, true) => (0..(lanes / 2).max(1), 0..0, lanes / 2..lanes),
            _ => (all.clone(), 0..0, all.clone()),
        };
        Shares { right, through, left, all }
    }

    fn lanes(&self, turn: Turn) -> &Range<usize> {
        match turn {
            Turn::Right => &self.right,
            Turn::Through => &self.through,
            Turn::Left => &self.left,
            Turn::UTurn => &self.all,
        }
    }

    /// The lane that lane `k` enters, of `lanes`: right turns keep to the kerb, left turns to the middle of the road.
    fn enters(&self, k: usize, turn: Turn, lanes: usize) -> usize {
        match turn {
            Turn::Left => lanes - 1 - (self.left.end - 1 - k).min(lanes - 1),
            _ => k.min(lanes - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_are_shared_out_by_turn() {
        let arterial = Shares::of(4, true, true, true, true);
        assert_eq!((arterial.right, arterial.through, arterial.left), (0..1, 0..3, 3..4));
        let narrow = Shares::of(1, false, true, true, true);
        assert_eq!((narrow.right, narrow.through, narrow.left), (0..1, 0..1, 0..1));
        let stem = Shares::of(3, true, true, false, true);
        assert_eq!((stem.right, stem.through, stem.left), (0..1, 0..0, 1..3));
    }

    #[test]
    fn left_turns_enter_the_middle_of_the_road() {
        let stem = Shares::of(4, true, true, false, true);
        assert_eq!([2, 3].map(|k| stem.enters(k, Turn::Left, 3)), [1, 2]);
        assert_eq!([2, 3].map(|k| stem.enters(k, Turn::Left, 1)), [0, 0]);
    }
}
