//! The conflict matrix of a junction from its rows and its lights, and stages made to fit it.
//!
//! The rule and what led to it stand at the top of `sumo_net`.

use nanming_dataflows::network::{Conflict, ConflictMatrix, Light};

use super::requests::Relation;

/// What the map says about two heads.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Claim {
    /// From the rows of their connections.
    pub(super) relation: Relation,
    /// How much the first is the lesser: higher for turns across others.
    pub(super) first_rank: u8,
    /// The same for the second.
    pub(super) second_rank: u8,
}

/// What the stages show of two heads that are green together.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Shown {
    together: bool,
    first_gives_way: bool,
    second_gives_way: bool,
    both_protected: bool,
}

fn shown(stages: &[Vec<Light>], a: usize, b: usize) -> Shown {
    let mut shown = Shown::default();
    for lights in stages {
        match (lights[a], lights[b]) {
            (Light::Red, _) | (_, Light::Red) => continue,
            (Light::Permissive, Light::Protected) => shown.first_gives_way = true,
            (Light::Protected, Light::Permissive) => shown.second_gives_way = true,
            (Light::Protected, Light::Protected) => shown.both_protected = true,
            (Light::Permissive, Light::Permissive) => {}
        }
        shown.together = true;
    }
    shown
}

/// Who gives way, of two heads whose ways meet.
fn conflict(claim: Claim, shown: Shown) -> Conflict {
    let rows = (claim.relation.first_waits, claim.relation.second_waits);
    match (shown.first_gives_way, shown.second_gives_way) {
        _ if !shown.together => Conflict::Hard,
        (true, false) => Conflict::FirstYields,
        (false, true) => Conflict::SecondYields,
        _ => match rows {
            (true, false) => Conflict::FirstYields,
            (false, true) => Conflict::SecondYields,
            // Nothing tells who waits: both may go only where the map makes both look.
            _ if shown.both_protected => Conflict::Hard,
            _ if claim.first_rank >= claim.second_rank => Conflict::FirstYields,
            _ => Conflict::SecondYields,
        },
    }
}

/// The matrix for claims by pair (first below second), and repairs to the stages, which it makes fit.
pub(super) fn settle(
    claims: &[((usize, usize), Claim)],
    stages: &mut [Vec<Light>],
    heads: usize,
) -> (ConflictMatrix, Vec<String>) {
    let mut matrix = ConflictMatrix::new(heads);
    for ((a, b), claim) in claims.iter().filter(|(_, claim)| claim.relation.foes) {
        matrix.set(*a, *b, conflict(*claim, shown(stages, *a, *b)));
    }
    let mut repairs = Vec::new();
    for (row, lights) in stages.iter_mut().enumerate() {
        for ((a, b), claim) in claims.iter().filter(|(_, claim)| claim.relation.foes) {
            repairs.extend(repair(&matrix, lights, (*a, *b), claim).map(|what| format!("stage {row}: {what}")));
        }
    }
    (matrix, repairs)
}

/// Makes two heads of a stage fit the matrix: the one that gives way may only be permissive; of two that never go
/// together, the lesser stays red.
fn repair(matrix: &ConflictMatrix, lights: &mut [Light], (a, b): (usize, usize), claim: &Claim) -> Option<String> {
    if !(lights[a].is_green() && lights[b].is_green()) {
        return None;
    }
    let demote = |lights: &mut [Light], from: usize, to: usize| {
        let protected = std::mem::replace(&mut lights[from], Light::Permissive) == Light::Protected;
        protected.then(|| format!("head {from} showed G beside head {to}, to which it must give way; it shows g now"))
    };
    match matrix.get(a, b) {
        Conflict::None => None,
        Conflict::FirstYields => demote(lights, a, b),
        Conflict::SecondYields => demote(lights, b, a),
        Conflict::Hard => {
            let (lesser, other) = if claim.first_rank > claim.second_rank { (a, b) } else { (b, a) };
            lights[lesser] = Light::Red;
            Some(format!("heads {a} and {b} cross and were both green; head {lesser} stays red beside head {other}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Light::{Permissive as L, Protected as G, Red as R};

    fn foes(first_waits: bool, second_waits: bool) -> Claim {
        Claim { relation: Relation { foes: true, first_waits, second_waits }, first_rank: 0, second_rank: 1 }
    }

    fn settled(claim: Claim, stages: &[[Light; 2]]) -> (Conflict, Vec<Vec<Light>>, usize) {
        let mut stages: Vec<Vec<Light>> = stages.iter().map(|s| s.to_vec()).collect();
        let (matrix, repairs) = settle(&[((0, 1), claim)], &mut stages, 2);
        (matrix.get(0, 1), stages, repairs.len())
    }

    #[test]
    fn foes_that_the_map_keeps_apart_are_hard() {
        let stages = [[G, R], [R, G]];
        assert_eq!(settled(foes(true, false), &stages), (Conflict::Hard, vec![vec![G, R], vec![R, G]], 0));
    }

    #[test]
    fn the_light_overrules_the_row() {
        assert_eq!(settled(foes(true, false), &[[G, L]]), (Conflict::SecondYields, vec![vec![G, L]], 0));
        assert_eq!(settled(foes(true, true), &[[L, G]]), (Conflict::FirstYields, vec![vec![L, G]], 0));
    }

    #[test]
    fn a_protected_light_beside_its_better_is_demoted() {
        assert_eq!(settled(foes(false, true), &[[G, G]]), (Conflict::SecondYields, vec![vec![G, L]], 1));
        assert_eq!(
            settled(foes(false, true), &[[L, G], [G, L]]),
            (Conflict::SecondYields, vec![vec![L, L], vec![G, L]], 1)
        );
    }

    #[test]
    fn where_nobody_waits_the_lesser_head_is_dropped() {
        assert_eq!(settled(foes(false, false), &[[G, G]]), (Conflict::Hard, vec![vec![G, R]], 1));
        assert_eq!(settled(foes(true, true), &[[L, L]]), (Conflict::SecondYields, vec![vec![L, L]], 0));
    }
}
