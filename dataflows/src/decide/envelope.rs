//! The safety envelope of a junction: the one gate that every signal command passes, whatever the optimiser says.
//!
//! It knows the junction's heads, conflicts and times and what the lamps have shown since; it knows nothing about traffic.
//! [`admit`] either takes the next lamps or names the rule that they would break and leaves everything as it was.

use serde::{Deserialize, Serialize};

use crate::decision::EnvelopeRule;
use crate::event::Lamp;
use crate::network::{Conflict, Junction};

/// What a junction's lamps show, and since when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// By head.
    lamps: Vec<Lamp>,
    /// By head, ms: since when it shows this; a change between protected and permissive green does not count.
    since_ms: Vec<u64>,
    /// The stage whose lights these are exactly, and since when, ms.
    stage: Option<(u16, u64)>,
    at_ms: u64,
}

impl Shown {
    /// A junction of which nothing is known: all lamps count as off.
    pub fn dark(heads: usize) -> Self {
        Shown { lamps: vec![Lamp::Off; heads], since_ms: vec![0; heads], stage: None, at_ms: 0 }
    }
    /// What each head shows.
    pub fn lamps(&self) -> &[Lamp] {
        &self.lamps
    }
    /// Since when a head shows what it shows, ms.
    pub fn since_ms(&self, head: usize) -> u64 {
        self.since_ms[head]
    }
}

/// Takes `lamps` as what the junction shows from `at_ms` on, or refuses: the rule broken and the head at which.
pub fn admit(junction: &Junction, shown: &mut Shown, at_ms: u64, lamps: &[Lamp]) -> Result<(), (EnvelopeRule, u16)> {
    if lamps.len() != junction.heads.len() || shown.lamps.len() != lamps.len() {
        return Err((EnvelopeRule::HeadCount, 0));
    }
    if at_ms < shown.at_ms {
        return Err((EnvelopeRule::Order, 0));
    }
    if let Some(head) = together(junction, lamps) {
        return Err((EnvelopeRule::Conflict, head as u16));
    }
    for head in 0..lamps.len() {
        may_turn(junction, shown, at_ms, head, lamps).map_err(|rule| (rule, head as u16))?;
    }
    may_leave_stage(junction, shown, at_ms, lamps)?;
    turn(junction, shown, at_ms, lamps);
    Ok(())
}

/// The first head that `lamps` let go or clear although a conflicting head goes or clears too. Yellow counts as the
/// green before it: two heads that may be green together may be yellow together.
fn together(junction: &Junction, lamps: &[Lamp]) -> Option<usize> {
    let going = |head: &usize| lamps[*head].is_green() || lamps[*head] == Lamp::Yellow;
    let yields = |head: usize| lamps[head] != Lamp::Protected;
    (0..lamps.len()).filter(going).find(|&a| {
        (a + 1..lamps.len()).filter(going).any(|b| match junction.conflicts.get(a, b) {
            Conflict::None => false,
            Conflict::FirstYields => !yields(a),
            Conflict::SecondYields => !yields(b),
            Conflict::Hard => true,
        })
    })
}

fn may_turn(junction: &Junction, shown: &Shown, at_ms: u64, head: usize, lamps: &[Lamp]) -> Result<(), EnvelopeRule> {
    let stood_ms = at_ms - shown.since_ms[head];
    let times = &junction.heads[head];
    match (shown.lamps[head], lamps[head]) {
        (now, next) if now == next || (now.is_green() && next.is_green()) => Ok(()),
        (_, Lamp::Off) | (Lamp::Off, Lamp::Red) => Ok(()),
        (now, Lamp::Yellow) if now.is_green() => {
            require(stood_ms >= u64::from(times.min_green_ms), EnvelopeRule::MinGreen)
        }
        (Lamp::Yellow, Lamp::Red) => require(stood_ms >= u64::from(times.yellow_ms), EnvelopeRule::Yellow),
        (Lamp::Red, next) if next.is_green() => may_start(junction, shown, at_ms, head, lamps),
        _ => Err(EnvelopeRule::Yellow),
    }
}

/// Whether all-red has passed since the last conflicting head went red. One that is compatible with this head's green may
/// go on being green; where the junction needs no all-red, one may go from yellow to red at the same moment.
fn may_start(junction: &Junction, shown: &Shown, at_ms: u64, head: usize, lamps: &[Lamp]) -> Result<(), EnvelopeRule> {
    let all_red_ms = u64::from(junction.all_red_ms);
    let clear = |other: usize| match (shown.lamps[other], lamps[other]) {
        (Lamp::Red, _) => at_ms - shown.since_ms[other] >= all_red_ms,
        (Lamp::Yellow, Lamp::Red) => all_red_ms == 0,
        (now, next) => now.is_green() && next.is_green(),
    };
    let conflicting = |other: &usize| junction.conflicts.get(head, *other) != Conflict::None;
    require((0..shown.lamps.len()).filter(conflicting).all(clear), EnvelopeRule::AllRed)
}

fn may_leave_stage(junction: &Junction, shown: &Shown, at_ms: u64, lamps: &[Lamp]) -> Result<(), (EnvelopeRule, u16)> {
    let Some((stage, since_ms)) = shown.stage else { return Ok(()) };
    let stage = &junction.stages[usize::from(stage)];
    let crossings_ms = u64::from(stage.walk_ms + stage.clearance_ms);
    match (0..lamps.len()).find(|head| shown.lamps[*head].is_green() && lamps[*head] == Lamp::Yellow) {
        Some(head) if at_ms - since_ms < crossings_ms => Err((EnvelopeRule::Pedestrian, head as u16)),
        _ => Ok(()),
    }
}

fn turn(junction: &Junction, shown: &mut Shown, at_ms: u64, lamps: &[Lamp]) {
    for (head, lamp) in lamps.iter().enumerate() {
        let stays = shown.lamps[head] == *lamp || (shown.lamps[head].is_green() && lamp.is_green());
        if !stays {
            shown.since_ms[head] = at_ms;
        }
    }
    if shown.lamps != lamps {
        shown.lamps = lamps.to_vec();
        let stage =
            junction.stages.iter().position(|s| s.lights.iter().zip(lamps).all(|(light, lamp)| light.lamp() == *lamp));
        shown.stage = stage.map(|s| (s as u16, at_ms));
    }
    shown.at_ms = at_ms;
}

fn require(holds: bool, rule: EnvelopeRule) -> Result<(), EnvelopeRule> {
    if holds { Ok(()) } else { Err(rule) }
}
