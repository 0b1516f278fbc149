//! The watch over longest reds, apart from what chooses stages: it looks at the lamps shown and at who is near the lines, and
//! tells once of each red that somebody has waited through for longer than the junction allows. No command could be refused
//! for it: what ends a red is never forbidden, and a red that goes on has no command. So it is an alarm.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::demand::{NEAR_S, SOMEONE_MILLI};
use crate::Time;
use crate::decision::{LongRed, Waiting};
use crate::event::Lamp;
use crate::ids::LinkId;
use crate::network::{City, Junction};
use crate::state::link::LaneCounts;

/// A red may be so much longer before it is told, ms: as long as green stands for a unit, with the changes around.
const ALLOWANCE_MS: u64 = 60_000;

/// What the watch looks at.
pub(super) struct Reds {
    /// By link: the local number of each lane that ends at the junction.
    slots: BTreeMap<LinkId, Vec<Option<usize>>>,
    lanes: usize,
    /// By head that some stage lets go: its local lanes.
    lanes_of_head: Vec<Vec<usize>>,
    /// Whether people walk in a stage.
    walked: Vec<bool>,
    allowed_ms: u64,
}

/// What the watch remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watch {
    /// By local lane: whether nobody is there.
    empty: Vec<bool>,
    heads: Vec<Red>,
    crossings: Vec<Red>,
}

/// A red that somebody waits at: since when, ms, and whether that was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Red {
    since_ms: Option<Time>,
    told: bool,
}

impl Reds {
    pub(super) fn new(city: &City, junction: &Junction) -> Self {
        let mut reds = Reds {
            slots: BTreeMap::new(),
            lanes: 0,
            lanes_of_head: Vec::new(),
            walked: junction.stages.iter().map(|s| s.walk_ms > 0).collect(),
            allowed_ms: u64::from(junction.max_red_ms) + ALLOWANCE_MS,
        };
        for (row, head) in junction.heads.iter().enumerate() {
            let comes = junction.stages.iter().any(|s| s.lights[row].is_green());
            let of_head = head.movements.iter().filter(|_| comes).map(|m| {
                let lane = city.movements[m.index()].from;
                let link = city.link_of(lane);
                let slots = reds.slots.entry(link.id).or_insert_with(|| vec![None; link.lanes.len()]);
                let place = link.lanes.iter().position(|l| *l == lane).unwrap_or(0);
                *slots[place].get_or_insert_with(|| {
                    reds.lanes += 1;
                    reds.lanes - 1
                })
            });
            reds.lanes_of_head.push(of_head.collect());
        }
        reds
    }

    /// Takes in who is near the lines of a link. Where nobody would be seen, someone is.
    pub(super) fn hear(&self, watch: &mut Watch, counts: &LaneCounts) {
        let Some(slots) = self.slots.get(&counts.link) else { return };
        watch.empty.resize(self.lanes, false);
        for (row, slot) in slots.iter().enumerate() {
            if let Some(lane) = slot {
                watch.empty[*lane] = counts.near_milli(row, NEAR_S) < SOMEONE_MILLI && !counts.is_blind(row);
            }
        }
    }

    /// Looks at the lamps, and at the stage that stands if one does; the reds that have become too long.
    pub(super) fn look(
        &self,
        watch: &mut Watch,
        now_ms: Time,
        lamps: &[Lamp],
        stage: Option<u16>,
    ) -> Vec<(Waiting, u64)> {
        watch.empty.resize(self.lanes, false);
        watch.heads.resize(self.lanes_of_head.len(), Red::default());
        watch.crossings.resize(self.walked.len(), Red::default());
        let mut long = Vec::new();
        let mut tell = |red: &mut Red, waits: bool, who: Waiting| {
            let red_ms = red.wait(waits, now_ms);
            if red_ms > self.allowed_ms && !red.told {
                red.told = true;
                long.push((who, red_ms));
            }
        };
        for (head, red) in watch.heads.iter_mut().enumerate() {
            let someone = self.lanes_of_head[head].iter().any(|lane| !watch.empty[*lane]);
            tell(red, someone && !lamps[head].is_green(), Waiting::Head(head as u16));
        }
        for (row, red) in (0_u16..).zip(&mut watch.crossings) {
            tell(red, self.walked[usize::from(row)] && stage != Some(row), Waiting::Crossings(row));
        }
        long
    }
}

impl Watch {
    /// The junction is taken over: what was red before was not the engine's doing.
    pub(super) fn begin(&mut self) {
        self.heads.fill(Red::default());
        self.crossings.fill(Red::default());
    }

    /// The longest time that somebody has waited, ms.
    pub(super) fn longest_ms(&self, now_ms: Time) -> u64 {
        let all = self.heads.iter().chain(&self.crossings);
        all.filter_map(|red| red.since_ms).map(|since_ms| now_ms.saturating_sub(since_ms)).max().unwrap_or(0)
    }
}

impl Red {
    /// Whether somebody waits now; for how long somebody has, ms.
    fn wait(&mut self, waits: bool, now_ms: Time) -> u64 {
        if !waits {
            *self = Red::default();
            return 0;
        }
        now_ms.saturating_sub(*self.since_ms.get_or_insert(now_ms))
    }
}

/// A red that is too long, at a junction.
pub(super) fn long_red(junction: &Junction, time_ms: Time, (waiting, red_ms): (Waiting, u64)) -> LongRed {
    LongRed { junction: junction.id, time_ms, waiting, red_ms }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::link::Arrival;

    /// One lane before one head, two stages: the second lets it go, people walk in the first. Longest red 100 s.
    fn reds() -> Reds {
        let slots = BTreeMap::from([(LinkId(4), vec![Some(0)])]);
        let (lanes_of_head, walked) = (vec![vec![0]], vec![true, false]);
        Reds { slots, lanes: 1, lanes_of_head, walked, allowed_ms: 100_000 + ALLOWANCE_MS }
    }

    fn counts(near_milli: u32) -> LaneCounts {
        let arrivals = vec![Arrival { lane: 0, due_s: 0, milli: near_milli }];
        LaneCounts { link: LinkId(4), arrivals, ..LaneCounts::default() }
    }

    #[test]
    fn a_red_that_is_waited_through_for_too_long_is_told_once() {
        let (reds, mut watch) = (reds(), Watch::default());
        reds.hear(&mut watch, &counts(1_000));
        let mut told = Vec::new();
        for s in 0..400 {
            told.extend(reds.look(&mut watch, s * 1_000, &[Lamp::Red], Some(0)));
        }
        assert_eq!(told, [(Waiting::Head(0), 161_000)]);
        assert_eq!(watch.longest_ms(399_000), 399_000);
        reds.look(&mut watch, 400_000, &[Lamp::Permissive], Some(0));
        assert_eq!(watch.longest_ms(400_000), 0, "a green ends it");
        assert_eq!(reds.look(&mut watch, 500_000, &[Lamp::Red], Some(0)), []);
        assert_eq!(
            reds.look(&mut watch, 660_001, &[Lamp::Red], Some(0)),
            [(Waiting::Head(0), 160_001)],
            "the next one"
        );
    }

    #[test]
    fn where_nobody_waits_a_red_may_last_and_people_on_foot_wait_always() {
        let (reds, mut watch) = (reds(), Watch::default());
        reds.hear(&mut watch, &counts(200));
        let mut told = Vec::new();
        for s in 0..200 {
            told.extend(reds.look(&mut watch, s * 1_000, &[Lamp::Red], None));
        }
        assert_eq!(told, [(Waiting::Crossings(0), 161_000)]);
    }
}
