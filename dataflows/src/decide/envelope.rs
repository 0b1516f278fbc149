//! The safety envelope of a junction: the one gate that every signal command passes, whatever the optimiser says.
//!
//! It knows the junction's heads, conflicts and times and what the lamps have shown since; it knows nothing about traffic.
//! [`admit`] either takes the next lamps or names the rule that they would break and leaves everything as it was.

use serde::{Deserialize, Serialize};

use crate::decision::{EnvelopeRule, SignalCommand, StageReason};
use crate::event::Lamp;
use crate::network::{City, Conflict, Head, Junction, Stage};

#[cfg(test)]
mod tests;

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
    /// A junction whose controller says that it shows these lamps, as many as it has heads: all count as lit at that moment.
    pub fn seen(junction: &Junction, at_ms: u64, lamps: &[Lamp]) -> Self {
        let stage = stage_of(junction, lamps).map(|stage| (stage, at_ms));
        Shown { lamps: lamps.to_vec(), since_ms: vec![at_ms; lamps.len()], stage, at_ms }
    }
    /// When it was last told, ms.
    pub fn at_ms(&self) -> u64 {
        self.at_ms
    }
    /// The stage that stands, if these are exactly its lights.
    pub fn stage(&self) -> Option<u16> {
        self.stage.map(|(stage, _)| stage)
    }
    /// Whether any lamp is off.
    pub fn is_dark(&self) -> bool {
        self.lamps.contains(&Lamp::Off)
    }
    /// Whether heads that conflict go or clear together.
    pub fn clashes(&self, junction: &Junction) -> bool {
        together(junction, &self.lamps).is_some()
    }
    /// From when on every head may leave what it shows, ms.
    pub fn settled_ms(&self, junction: &Junction) -> u64 {
        let settled_ms = |((lamp, since_ms), head): ((&Lamp, &u64), &Head)| match lamp {
            Lamp::Protected | Lamp::Permissive => since_ms + u64::from(head.min_green_ms),
            Lamp::Yellow => since_ms + u64::from(head.yellow_ms),
            Lamp::Red | Lamp::Off => 0,
        };
        self.lamps.iter().zip(&self.since_ms).zip(&junction.heads).map(settled_ms).max().unwrap_or(0)
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
    if let Some(head) = lamps.iter().position(|lamp| *lamp == Lamp::Off) {
        return Err((EnvelopeRule::Dark, head as u16));
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

/// A second look at a city's commands, apart from the one that let them pass. The first command to a junction that is taken
/// over is held as what its controller showed anyway.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Witness {
    shown: Vec<Shown>,
}

impl Witness {
    /// Of a city of which nothing has been seen.
    pub fn new(city: &City) -> Self {
        Witness { shown: vec![Shown::default(); city.junctions.len()] }
    }

    /// Sees a command; an error names the rule that it breaks and the head at which.
    pub fn see(&mut self, city: &City, command: &SignalCommand) -> Result<(), (EnvelopeRule, u16)> {
        let row = command.junction.index();
        let (junction, shown) = (&city.junctions[row], &mut self.shown[row]);
        let is_new = shown.lamps.is_empty() || command.reason == StageReason::Start;
        if is_new && command.lamps.len() == junction.heads.len() {
            *shown = Shown::seen(junction, command.at_ms, &command.lamps);
        }
        admit(junction, shown, command.at_ms, &command.lamps)
    }
}

/// The first head that `lamps` let go or clear although a conflicting head goes or clears too. Yellow counts as the
/// green before it: two heads that may be green together may be yellow together.
fn together(junction: &Junction, lamps: &[Lamp]) -> Option<usize> {
    let going = |head: &usize| lamps[*head].is_green() || lamps[*head] == Lamp::Yellow;
    let yields = |head: usize| lamps[head] != Lamp::Protected;
    let clash = |a: usize, b: usize| junction.conflicts.get(a, b).forbids(yields(a), yields(b));
    (0..lamps.len()).filter(going).find(|&a| (0..lamps.len()).filter(going).any(|b| clash(a, b)))
}

fn may_turn(junction: &Junction, shown: &Shown, at_ms: u64, head: usize, lamps: &[Lamp]) -> Result<(), EnvelopeRule> {
    let stood_ms = at_ms - shown.since_ms[head];
    let times = &junction.heads[head];
    match (shown.lamps[head], lamps[head]) {
        (now, next) if now == next => Ok(()),
        (Lamp::Off, next) => require(next == Lamp::Red, EnvelopeRule::Dark),
        (Lamp::Protected, Lamp::Permissive) => Ok(()),
        (Lamp::Permissive, Lamp::Protected) => may_start(junction, shown, at_ms, head, lamps),
        (now, Lamp::Yellow) if now.is_green() => {
            require(stood_ms >= u64::from(times.min_green_ms), EnvelopeRule::MinGreen)
        }
        (Lamp::Yellow, Lamp::Red) => require(stood_ms >= u64::from(times.yellow_ms), EnvelopeRule::Yellow),
        (Lamp::Red, next) if next.is_green() => may_start(junction, shown, at_ms, head, lamps),
        _ => Err(EnvelopeRule::Yellow),
    }
}

/// Whether all-red has passed since the last conflicting head went red: before a head goes, and before it stops giving way.
/// One that is compatible with this head's green may go on as it was. One that has to give way from now on may not: who
/// drives under its protection would meet this head's traffic, so it must end first. Where the junction needs no all-red,
/// one may go from yellow to red at the same moment.
fn may_start(junction: &Junction, shown: &Shown, at_ms: u64, head: usize, lamps: &[Lamp]) -> Result<(), EnvelopeRule> {
    let all_red_ms = u64::from(junction.all_red_ms);
    let clear = |other: usize| match (shown.lamps[other], lamps[other]) {
        (Lamp::Red, _) => at_ms - shown.since_ms[other] >= all_red_ms,
        (Lamp::Yellow, Lamp::Red) => all_red_ms == 0,
        (Lamp::Protected, Lamp::Permissive) => false,
        (now, next) => now.is_green() && next.is_green(),
    };
    let conflicting = |other: &usize| junction.conflicts.get(head, *other) != Conflict::None;
    require((0..shown.lamps.len()).filter(conflicting).all(clear), EnvelopeRule::AllRed)
}

fn may_leave_stage(junction: &Junction, shown: &Shown, at_ms: u64, lamps: &[Lamp]) -> Result<(), (EnvelopeRule, u16)> {
    let Some((stage, since_ms)) = shown.stage else { return Ok(()) };
    let stage = &junction.stages[usize::from(stage)];
    let crossings_ms = u64::from(stage.walk_ms + stage.clearance_ms);
    match (0..lamps.len()).find(|head| shown.lamps[*head] != lamps[*head]) {
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
        shown.stage = stage_of(junction, lamps).map(|stage| (stage, at_ms));
    }
    shown.at_ms = at_ms;
}

/// The stage whose lights these are exactly.
fn stage_of(junction: &Junction, lamps: &[Lamp]) -> Option<u16> {
    let is = |s: &Stage| s.lights.iter().zip(lamps).all(|(light, lamp)| light.lamp() == *lamp);
    junction.stages.iter().position(is).map(|stage| stage as u16)
}

fn require(holds: bool, rule: EnvelopeRule) -> Result<(), EnvelopeRule> {
    if holds { Ok(()) } else { Err(rule) }
}
