//! The way from what the lamps show to a stage: yellow for heads that lose their green, then all-red.

use serde::{Deserialize, Serialize};

use crate::decision::Interval;
use crate::event::Lamp;
use crate::network::{Conflict, Junction, Light};

/// A step of a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Change {
    pub(super) interval: Interval,
    pub(super) lamps: Vec<Lamp>,
    pub(super) for_ms: u32,
}

/// What each head shows while a stage stands.
pub(super) fn stage_lamps(junction: &Junction, stage: u16) -> Vec<Lamp> {
    junction.stages[usize::from(stage)].lights.iter().map(|light| light.lamp()).collect()
}

/// How long who waits inside the junction is left to leave it, ms.
pub(super) const CLEARING_MS: u32 = 1_000;
/// A head that ends and goes on in the next stage shows red for so long between, ms.
const RELIGHT_MS: u32 = 1_000;

/// The steps from `now` up to, not including, the green of stage `to`. Heads that go on in both as they are stay green, and
/// so do those that give way while nobody new comes; heads that only the new stage lets go, or protects, wait until the end.
pub(super) fn change(junction: &Junction, now: &[Lamp], to: u16) -> Vec<Change> {
    let lights = &junction.stages[usize::from(to)].lights;
    let heads = || 0..now.len();
    let starts = |head: usize| lights[head].is_green() && !now[head].is_green();
    let protects = |head: usize| now[head] == Lamp::Permissive && lights[head] == Light::Protected;
    let meets = |a: usize, b: usize| junction.conflicts.get(a, b) != Conflict::None;
    let must_yield = |head: usize| {
        let comes = |other: usize| (starts(other) || protects(other)) && meets(head, other);
        now[head] == Lamp::Protected && lights[head] == Light::Permissive && heads().any(comes)
    };
    let ends = |head: usize| {
        now[head] == Lamp::Yellow || (now[head].is_green() && !lights[head].is_green()) || must_yield(head)
    };
    let ending: Vec<usize> = heads().filter(|h| ends(*h)).collect();
    let mut steps = Vec::new();
    if ending.is_empty() {
        return steps;
    }
    let with = |lamp: Lamp| heads().map(|h| if ends(h) { lamp } else { now[h] }).collect::<Vec<_>>();
    let yellow_ms = ending.iter().map(|h| junction.heads[*h].yellow_ms).max().unwrap_or(0);
    steps.push(Change { interval: Interval::Yellow, lamps: with(Lamp::Yellow), for_ms: yellow_ms });
    let waits = |head: usize| starts(head) || protects(head) || (ends(head) && lights[head].is_green());
    let crosses = heads().any(|h| waits(h) && ending.iter().any(|end| meets(h, *end)));
    let relights = ending.iter().any(|h| lights[*h].is_green());
    let red_ms = (u32::from(crosses) * junction.all_red_ms).max(u32::from(relights) * RELIGHT_MS);
    if red_ms > 0 {
        steps.push(Change { interval: Interval::AllRed, lamps: with(Lamp::Red), for_ms: red_ms });
    }
    steps
}

/// Red for those who show yellow, so that who waits inside the junction can leave it: none if nobody shows yellow.
pub(super) fn clearing(now: &[Lamp]) -> Option<Change> {
    let red = |lamp: &Lamp| if *lamp == Lamp::Yellow { Lamp::Red } else { *lamp };
    let lamps = now.iter().map(red).collect();
    now.contains(&Lamp::Yellow).then_some(Change { interval: Interval::AllRed, lamps, for_ms: CLEARING_MS })
}

/// Out of the dark, even if only some lamps are off: what is green ends through yellow, then all show red for so long at least.
pub(super) fn out_of_the_dark(junction: &Junction, now: &[Lamp], red_ms: u32) -> Vec<Change> {
    let mut steps = Vec::new();
    if now.iter().any(|lamp| lamp.is_green()) {
        let end = |lamp: &Lamp| if lamp.is_green() || *lamp == Lamp::Yellow { Lamp::Yellow } else { Lamp::Red };
        let for_ms = junction.heads.iter().map(|head| head.yellow_ms).max().unwrap_or(0);
        steps.push(Change { interval: Interval::Yellow, lamps: now.iter().map(end).collect(), for_ms });
    }
    let (lamps, for_ms) = (vec![Lamp::Red; now.len()], red_ms.max(junction.all_red_ms));
    steps.push(Change { interval: Interval::AllRed, lamps, for_ms });
    steps
}
