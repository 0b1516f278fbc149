//! The way from what the lamps show to a stage: yellow for heads that lose their green, then all-red.

use serde::{Deserialize, Serialize};

use crate::decision::Interval;
use crate::event::Lamp;
use crate::network::{Conflict, Junction};

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

/// The steps from `now` up to, not including, the green of stage `to`. Heads that are green in both stay green; heads
/// that only the new stage lets go wait until the end.
pub(super) fn change(junction: &Junction, now: &[Lamp], to: u16) -> Vec<Change> {
    let lights = &junction.stages[usize::from(to)].lights;
    let ends = |head: usize| (now[head].is_green() || now[head] == Lamp::Yellow) && !lights[head].is_green();
    let ending: Vec<usize> = (0..now.len()).filter(|h| ends(*h)).collect();
    let mut steps = Vec::new();
    if ending.is_empty() {
        return steps;
    }
    let with = |lamp: Lamp| (0..now.len()).map(|h| if ends(h) { lamp } else { now[h] }).collect::<Vec<_>>();
    let yellow_ms = ending.iter().map(|h| junction.heads[*h].yellow_ms).max().unwrap_or(0);
    steps.push(Change { interval: Interval::Yellow, lamps: with(Lamp::Yellow), for_ms: yellow_ms });
    let starting = || (0..now.len()).filter(|h| !now[*h].is_green() && lights[*h].is_green());
    let meets = |start: usize| ending.iter().any(|end| junction.conflicts.get(start, *end) != Conflict::None);
    if junction.all_red_ms > 0 && starting().any(meets) {
        steps.push(Change { interval: Interval::AllRed, lamps: with(Lamp::Red), for_ms: junction.all_red_ms });
    }
    steps
}
