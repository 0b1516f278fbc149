//! Claims at a junction: a stage that lets those with priority go stands when they come, and no longer than it must.
//!
//! What the junction would do by itself is bent, never more: the change to another stage takes its ordinary steps, and the
//! shortest green of the stage in force is kept. A unit's claim goes before everything but the envelope. A stage that somebody
//! holds comes next: who holds it can wait until the unit has passed. A bus gets a few seconds in a cycle where nobody claims
//! or holds and nobody's longest red is near.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::super::claim::{Asked, Claim, Claimant};
use super::DECIDE_MS;
use crate::Time;
use crate::decision::StageReason;
use crate::ids::{LinkId, UnitId};
use crate::network::{City, Junction, Light};

/// Green stands for a unit that does not pass for so long at most after it was to come, ms: then something else holds it up.
const HOLD_MS: u64 = 45_000;
/// A claim that is not repeated for so long is over, ms.
const UNHEARD_MS: u64 = 10_000;
/// A bus that has not passed so long after it was to come is not waited for, ms.
const BUS_LATE_MS: u64 = 10_000;
/// A bus gets its time anew after so long, ms: a cycle.
const BUS_CYCLE_MS: u64 = 100_000;

/// The ways over a junction, and what bears on the time that its stages take.
pub(super) struct Ways {
    /// For each way over the junction, the stages that let it go best, the first before the others.
    served: BTreeMap<(LinkId, LinkId), Vec<u16>>,
    /// The longest change from one stage to another, ms.
    change_ms: u64,
    /// Shortest and longest green by stage, ms.
    green_ms: Vec<(u64, u64)>,
    /// Longest red, ms.
    max_red_ms: u64,
    /// Most time for a bus in a cycle, ms.
    bus_ms: u64,
}

impl Ways {
    pub(super) fn new(city: &City, junction: &Junction) -> Self {
        let link = |lane: crate::ids::LaneId| city.lanes[lane.index()].link;
        let mut heads: BTreeMap<(LinkId, LinkId), Vec<usize>> = BTreeMap::new();
        let mut by_approach: BTreeMap<LinkId, Vec<usize>> = BTreeMap::new();
        for (head, row) in junction.heads.iter().zip(0..) {
            for movement in head.movements.iter().map(|m| &city.movements[m.index()]) {
                heads.entry((link(movement.from), link(movement.to))).or_default().push(row);
                by_approach.entry(link(movement.from)).or_default().push(row);
            }
        }
        let best = |(way, heads): (&(LinkId, LinkId), &Vec<usize>)| {
            (*way, best_stages(junction, heads, by_approach.get(&way.0).map_or(&[], Vec::as_slice)))
        };
        let yellow_ms = junction.heads.iter().map(|h| h.yellow_ms).max().unwrap_or(0);
        let greens = junction.stages.iter().map(|s| (u64::from(s.min_green_ms), u64::from(s.max_green_ms)));
        Ways {
            served: heads.iter().map(best).collect(),
            change_ms: u64::from(yellow_ms + junction.all_red_ms),
            green_ms: greens.collect(),
            max_red_ms: u64::from(junction.max_red_ms),
            bus_ms: u64::from(city.signal_priority.bus_ms),
        }
    }

    /// The stages that let a way go best; none where none does.
    fn serve(&self, claim: &Claim) -> &[u16] {
        self.served.get(&(claim.approach, claim.out)).map_or(&[], Vec::as_slice)
    }
}

/// The stages that show the heads of a way green, protected rather than giving way; among them first those that let most
/// others of its approach go too, for they may stand before it.
fn best_stages(junction: &Junction, heads: &[usize], approach: &[usize]) -> Vec<u16> {
    let count = |stage: usize, heads: &[usize], is: fn(Light) -> bool| {
        heads.iter().filter(|h| is(junction.stages[stage].lights[**h])).count()
    };
    let rank = |stage: usize| (count(stage, heads, |l| l == Light::Protected), count(stage, heads, Light::is_green));
    let best = (0..junction.stages.len()).map(rank).max().filter(|(_, green)| *green > 0);
    let mut stages: Vec<usize> = (0..junction.stages.len()).filter(|s| Some(rank(*s)) == best).collect();
    stages.sort_by_key(|s| std::cmp::Reverse(count(*s, approach, Light::is_green)));
    stages.into_iter().map(|s| s as u16).collect()
}

/// What those with priority ask of a junction.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    heard: Vec<Heard>,
    held: Option<Held>,
    /// When something was last said of it, ms.
    held_said_ms: u64,
    /// Since when the time of buses is counted, and how much of it is gone, ms.
    bus: (Time, u64),
}

/// A claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Heard {
    claim: Claim,
    heard_ms: Time,
    /// Until when green stands for it at most, ms, once it does.
    until_ms: Option<Time>,
    /// Whether it was told that nobody serves it.
    told: bool,
}

/// A stage that is held, and until when, ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Held {
    stage: u16,
    until_ms: Time,
}

/// A junction while a stage stands.
pub(super) struct Standing<'a> {
    pub(super) ways: &'a Ways,
    pub(super) now_ms: Time,
    /// The stage, and for how long it has stood, ms.
    pub(super) stage: u16,
    pub(super) stood_ms: u64,
    /// The longest time that somebody has waited at a red, ms.
    pub(super) waited_ms: u64,
}

impl Claims {
    /// Takes in what was asked.
    pub(super) fn hear(&mut self, asked: &Asked, now_ms: Time) {
        match *asked {
            Asked::Released(who, approach) => {
                self.heard.retain(|h| (h.claim.who, h.claim.approach) != (who, approach));
            }
            Asked::Claimed(claim) => {
                let same = |h: &&mut Heard| (h.claim.who, h.claim.approach) == (claim.who, claim.approach);
                match self.heard.iter_mut().find(same) {
                    Some(known) => (known.claim, known.heard_ms) = (claim, now_ms),
                    None => self.heard.push(Heard { claim, heard_ms: now_ms, until_ms: None, told: false }),
                }
            }
        }
    }

    /// Somebody holds a stage until a time, ms, or lets go what is held. The last word counts, whatever comes late.
    pub(super) fn hold(&mut self, said_ms: u64, stage: Option<u16>, until_ms: u64) {
        if said_ms >= self.held_said_ms {
            self.held_said_ms = said_ms;
            self.held = stage.map(|stage| Held { stage, until_ms });
        }
    }

    /// Units that claim a junction which is not led, each told once.
    pub(super) fn not_served(&mut self, now_ms: Time) -> Vec<UnitId> {
        self.forget(now_ms);
        let untold = |h: &mut Heard| match h.claim.who {
            Claimant::Unit(unit) if !std::mem::replace(&mut h.told, true) => Some(unit),
            _ => None,
        };
        self.heard.iter_mut().filter_map(untold).collect()
    }

    fn forget(&mut self, now_ms: Time) {
        self.heard.retain(|h| match h.claim.who {
            Claimant::Unit(_) => now_ms < h.heard_ms + UNHEARD_MS,
            Claimant::Bus(_) => now_ms < h.claim.eta_ms + BUS_LATE_MS,
        });
    }

    /// The stage wanted and why, where the junction by itself would have `chosen`.
    pub(super) fn bend(&mut self, at: &Standing<'_>, chosen: (u16, StageReason)) -> (u16, StageReason) {
        self.forget(at.now_ms);
        self.held = self.held.filter(|held| at.now_ms < held.until_ms);
        let may_end = at.stood_ms >= at.ways.green_ms[usize::from(at.stage)].0;
        let held = self.held.filter(|held| may_end || held.stage == at.stage);
        let chosen = held.map_or(chosen, |held| (held.stage, StageReason::Hold));
        if self.heard.is_empty() || !may_end {
            return chosen;
        }
        match self.first(at) {
            Some(row) => at.preempted(&mut self.heard[row], chosen),
            None => self.help_a_bus(at, chosen),
        }
    }

    /// The unit that is served first: one for which green stands already, then who comes first, then the most urgent. One
    /// that did not pass in its time is served no longer.
    fn first(&self, at: &Standing<'_>) -> Option<usize> {
        let units = self.heard.iter().enumerate().filter(|(_, h)| {
            matches!(h.claim.who, Claimant::Unit(_))
                && !at.ways.serve(&h.claim).is_empty()
                && h.until_ms.is_none_or(|until_ms| at.now_ms < until_ms)
        });
        let rank = |h: &Heard| (h.until_ms.is_none(), h.claim.eta_ms, h.claim.urgency, h.claim.who, h.claim.approach);
        units.min_by_key(|(_, h)| rank(h)).map(|(row, _)| row)
    }

    /// A late bus: its stage lasts longer, or comes earlier, as far as its time in this cycle goes.
    fn help_a_bus(&mut self, at: &Standing<'_>, chosen: (u16, StageReason)) -> (u16, StageReason) {
        if at.now_ms >= self.bus.0 + BUS_CYCLE_MS {
            self.bus = (at.now_ms, 0);
        }
        let left_ms = at.ways.bus_ms.saturating_sub(self.bus.1);
        let is_free = !matches!(chosen.1, StageReason::MaxRed | StageReason::MaxGreen | StageReason::Hold);
        if left_ms < DECIDE_MS || !is_free || at.waited_ms + at.ways.max_red_ms / 4 > at.ways.max_red_ms {
            return chosen;
        }
        let buses = self.heard.iter().filter(|h| matches!(h.claim.who, Claimant::Bus(_)));
        for claim in buses.map(|h| &h.claim) {
            let stages = at.ways.serve(claim);
            let to_come_ms = claim.eta_ms.saturating_sub(at.now_ms);
            let goes = stages.contains(&at.stage);
            let longest_ms = at.ways.green_ms[usize::from(at.stage)].1;
            if goes && chosen.0 != at.stage && to_come_ms <= left_ms && at.stood_ms + DECIDE_MS <= longest_ms {
                self.bus.1 += DECIDE_MS;
                return (at.stage, StageReason::Bus);
            }
            let Some(first) = stages.first().filter(|_| !goes && chosen.0 == at.stage) else { continue };
            if to_come_ms <= at.ways.change_ms + left_ms {
                self.bus.1 = at.ways.bus_ms;
                return (*first, StageReason::Bus);
            }
        }
        chosen
    }
}

impl Standing<'_> {
    /// What is shown for a unit: its own stage from when the queue before it must begin to go; before that whatever leaves
    /// time for the change to it.
    fn preempted(&self, first: &mut Heard, chosen: (u16, StageReason)) -> (u16, StageReason) {
        let (ways, now_ms) = (self.ways, self.now_ms);
        let stages = ways.serve(&first.claim);
        let own = if stages.contains(&self.stage) { self.stage } else { stages[0] };
        let needed_ms = first.claim.eta_ms.saturating_sub(u64::from(first.claim.clear_ms));
        if now_ms + ways.change_ms + DECIDE_MS >= needed_ms {
            if own == self.stage && first.until_ms.is_none() {
                first.until_ms = Some(first.claim.eta_ms.max(now_ms) + HOLD_MS);
            }
            return (own, StageReason::Preemption);
        }
        // A stage that is begun stands its shortest time, and takes a change before and after.
        let back_ms = now_ms + ways.change_ms + ways.green_ms[usize::from(chosen.0)].0 + ways.change_ms;
        let in_the_way = chosen.0 != self.stage && !stages.contains(&chosen.0) && back_ms > needed_ms;
        if in_the_way { (own, StageReason::Preemption) } else { chosen }
    }
}

#[cfg(test)]
mod tests;
