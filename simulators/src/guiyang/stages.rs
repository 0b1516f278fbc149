//! Stages of a junction: which heads go together.
//!
//! A *street* of a junction is two legs whose through traffic runs into each other, or one leg alone. Big streets show
//! their left turns in a stage of their own, small ones let them give way.

use nanming_dataflows::network::{Conflict, ConflictMatrix, Light, Stage, Turn};

use super::conflicts::HeadWays;

/// Walk time of people on foot, ms (CJJ 152: 7 s).
pub(crate) const WALK_MS: u32 = 7_000;
/// Walking speed of the slower people on foot, mm/s.
const WALK_MM_S: u32 = 1_200;
/// Shortest green of a stage for left turns, ms.
pub(crate) const LEFT_GREEN_MS: u32 = 6_000;
/// Longest green of a stage for left turns, ms.
const LEFT_MAX_MS: u32 = 60_000;
/// Longest green of a stage for through traffic, ms.
const MAX_GREEN_MS: u32 = 70_000;

/// One or two legs that are served together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Street {
    /// The legs, in order around the junction.
    pub(crate) legs: Vec<usize>,
    /// Whether its left turns have a stage of their own.
    pub(crate) protected: bool,
}

/// What a stage is made from.
pub(crate) struct Legs<'a> {
    /// Compass point of each leg, such as `north`.
    pub(crate) names: &'a [&'static str],
    /// Length of the crossing over each leg, mm.
    pub(crate) crossing_mm: &'a [u32],
}

/// The stages of a junction, street by street: through traffic, then left turns; then one for each head that no stage
/// serves. Plans run through these. After them come single legs, for when those who wait are counted.
pub(crate) fn stages(
    heads: &[HeadWays],
    conflicts: &ConflictMatrix,
    streets: &[Street],
    legs: &Legs<'_>,
) -> Vec<Stage> {
    let mut stages: Vec<Stage> = streets.iter().flat_map(|s| street_stages(heads, conflicts, s, legs)).collect();
    for head in 0..heads.len() {
        if !stages.iter().any(|s| s.lights[head].is_green()) {
            let leg = heads[head].leg;
            let all = wanted(heads, |h| h.leg == leg);
            stages.push(through_stage(
                format!("{} alone", legs.names[leg]),
                lights(heads, conflicts, &all),
                &[leg],
                legs,
            ));
        }
    }
    stages.extend(lone_legs(heads, conflicts, streets, legs.names));
    stages
}

/// For each leg of a street of two: its left turns with the through traffic beside them, the other leg held.
fn lone_legs(heads: &[HeadWays], conflicts: &ConflictMatrix, streets: &[Street], names: &[&str]) -> Vec<Stage> {
    let turns_left = |leg: &&usize| heads.iter().any(|h| h.leg == **leg && h.turn == Turn::Left);
    let pairs = streets.iter().filter(|s| s.legs.len() == 2);
    let lone = |leg: &usize| {
        let own = wanted(heads, |h| h.leg == *leg);
        left_stage(format!("{} alone", names[*leg]), lights(heads, conflicts, &own))
    };
    pairs.flat_map(|s| s.legs.iter().filter(turns_left)).map(lone).collect()
}

fn street_stages(heads: &[HeadWays], conflicts: &ConflictMatrix, street: &Street, legs: &Legs<'_>) -> Vec<Stage> {
    let name = street.legs.iter().map(|l| legs.names[*l]).collect::<Vec<_>>().join("-");
    let own = |h: &HeadWays| street.legs.contains(&h.leg);
    if !street.protected {
        let all = lights(heads, conflicts, &wanted(heads, own));
        return vec![through_stage(name, all, &street.legs, legs)];
    }
    let through = lights(heads, conflicts, &wanted(heads, |h| own(h) && h.turn == Turn::Through));
    let left = lights(heads, conflicts, &left_heads(heads, &street.legs));
    vec![
        through_stage(format!("{name} through"), through, &street.legs, legs),
        left_stage(format!("{name} left"), left),
    ]
}

/// Left turns of a street; with the through traffic beside them where only one leg turns left.
fn left_heads(heads: &[HeadWays], legs: &[usize]) -> Vec<usize> {
    let turning: Vec<usize> =
        heads.iter().filter(|h| legs.contains(&h.leg) && h.turn == Turn::Left).map(|h| h.leg).collect();
    wanted(heads, |h| turning.contains(&h.leg) && (h.turn == Turn::Left || turning.len() == 1))
}

/// Heads that meet a condition, through traffic first.
fn wanted(heads: &[HeadWays], holds: impl Fn(&HeadWays) -> bool) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..heads.len()).filter(|h| holds(&heads[*h])).collect();
    rows.sort_by_key(|h| heads[*h].turn);
    rows
}

/// Lights that let the wanted heads go as far as none conflicts with an earlier one, and all right turns with them.
fn lights(heads: &[HeadWays], conflicts: &ConflictMatrix, wanted: &[usize]) -> Vec<Light> {
    let mut green: Vec<usize> = Vec::new();
    let rights = (0..heads.len()).filter(|h| heads[*h].turn == Turn::Right && !wanted.contains(h));
    for head in wanted.iter().copied().chain(rights) {
        if green.iter().all(|g| conflicts.get(*g, head) != Conflict::Hard) {
            green.push(head);
        }
    }
    let yields = |head: usize| green.iter().any(|g| conflicts.get(head, *g) == Conflict::FirstYields);
    let light = |head: usize| match green.contains(&head) {
        true if yields(head) => Light::Permissive,
        true => Light::Protected,
        false => Light::Red,
    };
    (0..heads.len()).map(light).collect()
}

/// A stage that people on foot use to cross all legs but its own.
fn through_stage(name: String, lights: Vec<Light>, own: &[usize], legs: &Legs<'_>) -> Stage {
    let others = legs.crossing_mm.iter().enumerate().filter(|(leg, _)| !own.contains(leg));
    let clearance_ms = others.map(|(_, mm)| clearance_ms(*mm)).max().unwrap_or(0);
    let min_green_ms = WALK_MS + clearance_ms;
    Stage { name, lights, min_green_ms, max_green_ms: MAX_GREEN_MS, walk_ms: WALK_MS, clearance_ms }
}

fn left_stage(name: String, lights: Vec<Light>) -> Stage {
    Stage { name, lights, min_green_ms: LEFT_GREEN_MS, max_green_ms: LEFT_MAX_MS, walk_ms: 0, clearance_ms: 0 }
}

/// Time to cross a leg on foot, whole seconds in ms.
pub(crate) fn clearance_ms(crossing_mm: u32) -> u32 {
    crossing_mm.div_ceil(WALK_MM_S) * 1000
}
