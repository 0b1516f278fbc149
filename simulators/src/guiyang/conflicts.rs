//! Which ways through a junction meet, and who gives way.
//!
//! Topology is enough: put the mouths of a junction on a circle, in the order in which one meets them walking around it
//! (traffic keeps to the right, so of each leg the way in comes before the way out). Two ways cross if and only if their
//! mouths alternate on the circle; they merge if they enter the same lane.

use nanming_dataflows::ids::*;
use nanming_dataflows::network::{Conflict, ConflictMatrix, Turn};

/// The ways that one head governs.
#[derive(Clone, Debug)]
pub(crate) struct HeadWays {
    /// The leg that they come from.
    pub(crate) leg: usize,
    /// Where they turn.
    pub(crate) turn: Turn,
    /// The leg and the lane that each enters.
    pub(crate) into: Vec<(usize, LaneId)>,
    /// The movements that they are.
    pub(crate) movements: Vec<MovementId>,
}

/// How the heads of a junction relate. `opposite(a, b)` tells whether leg `b`'s through traffic may be left to the left
/// turners of leg `a` to watch for.
pub(crate) fn matrix(heads: &[HeadWays], opposite: impl Fn(usize, usize) -> bool) -> ConflictMatrix {
    let mut conflicts = ConflictMatrix::new(heads.len());
    for (a, first) in heads.iter().enumerate() {
        for (b, second) in heads.iter().enumerate().skip(a + 1) {
            if meet(first, second) {
                conflicts.set(a, b, who_yields(first, second, &opposite));
            }
        }
    }
    conflicts
}

/// Right turns give way to all others (GB: they may go on red); left turns to the opposite through traffic where that is
/// allowed; nothing else is left to drivers.
fn who_yields(a: &HeadWays, b: &HeadWays, opposite: impl Fn(usize, usize) -> bool) -> Conflict {
    match (a.turn, b.turn) {
        (Turn::Right, _) => Conflict::FirstYields,
        (_, Turn::Right) => Conflict::SecondYields,
        (Turn::Left, Turn::Through) if opposite(a.leg, b.leg) => Conflict::FirstYields,
        (Turn::Through, Turn::Left) if opposite(b.leg, a.leg) => Conflict::SecondYields,
        _ => Conflict::Hard,
    }
}

fn meet(a: &HeadWays, b: &HeadWays) -> bool {
    let pairs = || a.into.iter().flat_map(|x| b.into.iter().map(move |y| (x, y)));
    a.leg != b.leg && pairs().any(|(x, y)| if x.0 == y.0 { x.1 == y.1 } else { cross((a.leg, x.0), (b.leg, y.0)) })
}

/// Whether two ways between legs, with different starts and different ends, cross.
fn cross(a: (usize, usize), b: (usize, usize)) -> bool {
    let (low, high) = (mouth_in(a.0).min(mouth_out(a.1)), mouth_in(a.0).max(mouth_out(a.1)));
    let between = |mouth: usize| low < mouth && mouth < high;
    between(mouth_in(b.0)) != between(mouth_out(b.1))
}

fn mouth_in(leg: usize) -> usize {
    2 * leg
}

fn mouth_out(leg: usize) -> usize {
    2 * leg + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Legs of a crossroads, clockwise.
    const N: usize = 0;
    const E: usize = 1;
    const S: usize = 2;
    const W: usize = 3;

    fn head(leg: usize, turn: Turn, to: usize, lane: u32) -> HeadWays {
        HeadWays { leg, turn, into: vec![(to, LaneId(lane))], movements: Vec::new() }
    }

    fn relation(a: &HeadWays, b: &HeadWays) -> Conflict {
        matrix(&[a.clone(), b.clone()], |a, b| a.abs_diff(b) == 2).get(0, 1)
    }

    #[test]
    fn crossing_streams_never_go_together() {
        let (ns, ew) = (head(N, Turn::Through, S, 1), head(E, Turn::Through, W, 2));
        assert_eq!(relation(&ns, &ew), Conflict::Hard);
        assert_eq!(relation(&ns, &head(S, Turn::Through, N, 3)), Conflict::None);
    }

    #[test]
    fn a_left_turn_yields_to_the_opposite_stream_only() {
        let left = head(N, Turn::Left, E, 1);
        assert_eq!(relation(&left, &head(S, Turn::Through, N, 2)), Conflict::FirstYields);
        assert_eq!(relation(&left, &head(W, Turn::Through, E, 1)), Conflict::Hard, "merges");
        assert_eq!(relation(&left, &head(E, Turn::Through, W, 3)), Conflict::Hard, "crosses");
        assert_eq!(relation(&left, &head(S, Turn::Left, W, 4)), Conflict::None);
    }

    #[test]
    fn a_right_turn_yields_where_it_enters_the_same_lane() {
        let right = head(N, Turn::Right, W, 7);
        assert_eq!(relation(&right, &head(E, Turn::Through, W, 7)), Conflict::FirstYields);
        assert_eq!(relation(&right, &head(E, Turn::Through, W, 8)), Conflict::None, "another lane");
        assert_eq!(relation(&head(S, Turn::Left, W, 7), &right), Conflict::SecondYields);
        assert_eq!(relation(&right, &head(S, Turn::Through, N, 9)), Conflict::None);
    }
}
