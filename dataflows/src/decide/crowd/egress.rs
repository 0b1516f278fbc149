//! How many people will leave a venue in each of the next twelve intervals of five minutes.
//!
//! Two crowds are told apart. Those who are usual come and go as they always do: at the rate at which the gates let people out,
//! or, without gates, as the usual number falls. Those of a surge stay together and leave together, when what they came for is
//! over: how long they stay, and in what pattern they leave, is learned from the surges of this venue. Before any was seen
//! nobody is expected to leave until they begin to, and then all are within the hour.

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::decision::OUTFLOWS;

/// Length of an interval, ms.
const INTERVAL_MS: u64 = 300_000;
/// Intervals of a pattern: two hours.
const PATTERN: usize = 24;
/// All, in the arithmetic of shares.
const ALL: u64 = 1_000_000;
/// When so many have left, the pattern is over, and whoever is still there leaves when they like.
const NEARLY_ALL: u64 = ALL / 100 * 97;
/// Without a pattern they leave evenly over so long, ms.
const LEAVE_MS: u64 = 3_600_000;
/// A crowd that has fallen below this share of its peak, 1/100, is leaving, since it was last above the other one. One that
/// comes above that again was only out for a while.
const LEAVING_PERCENT: u64 = 85;
const WHOLE_PERCENT: u64 = 95;
/// How long a surge stays varies by so much, 1/4: from three quarters to five quarters of the mean.
const EARLY: u64 = 3;
const LATE: u64 = 5;
/// What a surge teaches weighs so much against what was known before, 1/n.
const WEIGHT: u64 = 4;
/// Looks that the rate at the gates reaches back, and so many it needs.
const RATE_LOOKS: u64 = 64;
const RATE_LEAST_LOOKS: u64 = 16;
/// Of fewer people no rate is taken.
const RATE_PEOPLE: u32 = 50;

/// What is learned of those who leave, and the surge that goes on.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Egress {
    /// Part of the usual people who leave in an interval, of [`ALL`], and the looks that it was taken from.
    rate: u64,
    rate_looks: u64,
    /// How long a surge stays before it leaves, ms.
    stay_ms: Option<u64>,
    /// Part of it that has left after each interval of leaving, of [`ALL`].
    pattern: Option<[u64; PATTERN]>,
    gathering: Option<Gathering>,
}

/// A surge that goes on.
#[derive(Serialize, Deserialize)]
struct Gathering {
    since_ms: Time,
    /// People above the usual, smoothed, and the most that there were.
    level: u64,
    peak: u64,
    /// When it was last at its peak, nearly.
    whole_ms: Time,
    /// What has left of it after each interval since then, of [`ALL`]; none while it is there.
    leaving: Option<Vec<u64>>,
}

impl Egress {
    /// Takes what a look found. `left`: who left at the gates since the last one.
    pub(super) fn look(&mut self, now_ms: Time, people: u32, usual: u32, surge: bool, left: Option<u32>) {
        let above = u64::from(people.saturating_sub(usual));
        match (surge, &mut self.gathering) {
            (true, Some(gathering)) => gathering.look(now_ms, above),
            (true, none) => *none = Some(Gathering::new(now_ms, above)),
            (false, _) => {
                if let Some(over) = self.gathering.take() {
                    self.learn(&over);
                }
                self.learn_rate(people, left);
            }
        }
    }

    /// Nobody counts any more: of what goes on nothing can be learned.
    pub(super) fn lose_sight(&mut self) {
        self.gathering = None;
    }

    fn learn_rate(&mut self, people: u32, left: Option<u32>) {
        let Some(left) = left.filter(|_| people >= RATE_PEOPLE) else { return };
        let seen = (u64::from(left) * ALL * INTERVAL_MS / super::LOOK_MS / u64::from(people)).min(ALL);
        self.rate_looks = (self.rate_looks + 1).min(RATE_LOOKS);
        self.rate = self.rate - self.rate / self.rate_looks + seen / self.rate_looks;
    }

    fn learn(&mut self, over: &Gathering) {
        let Some(leaving) = over.leaving.as_ref().filter(|leaving| !leaving.is_empty()) else { return };
        let blend = |before: u64, seen: u64| before - before / WEIGHT + seen / WEIGHT;
        let stay_ms = over.whole_ms.saturating_sub(over.since_ms);
        self.stay_ms = Some(self.stay_ms.map_or(stay_ms, |before| blend(before, stay_ms)));
        let all = leaving[leaving.len() - 1].max(1);
        let seen: [u64; PATTERN] = std::array::from_fn(|n| leaving.get(n).map_or(ALL, |part| part * ALL / all));
        self.pattern = Some(match self.pattern {
            None => seen,
            Some(before) => std::array::from_fn(|n| blend(before[n], seen[n])),
        });
    }

    /// Who will leave in each interval from now on; `usual_in` tells how many are usual so many ms from now.
    pub(super) fn outflow(
        &self,
        now_ms: Time,
        people: u32,
        usual: u32,
        usual_in: impl Fn(u64) -> u32,
    ) -> [u32; OUTFLOWS] {
        let gathered = if self.gathering.is_some() { u64::from(people.saturating_sub(usual)) } else { 0 };
        let others = u64::from(people) - gathered;
        let leaving = self.gathering.as_ref().map_or([0; OUTFLOWS], |gathering| self.leaving(gathering, now_ms));
        let rate = if self.rate_looks < RATE_LEAST_LOOKS { 0 } else { self.rate };
        std::array::from_fn(|n| {
            let at = |n: usize| u64::from(usual_in(n as u64 * INTERVAL_MS));
            let fall = others.min(u64::from(usual)) * at(n).saturating_sub(at(n + 1));
            let ordinary = fall.checked_div(u64::from(usual)).unwrap_or(0).max(others * rate / ALL);
            (ordinary + gathered * leaving[n] / ALL) as u32
        })
    }

    /// The part of a surge that leaves in each interval, of [`ALL`].
    fn leaving(&self, gathering: &Gathering, now_ms: Time) -> [u64; OUTFLOWS] {
        let left = |since_ms: u64| self.left_after(since_ms);
        let interval = |n: usize| n as u64 * INTERVAL_MS;
        if gathering.leaving.is_some() {
            let since_ms = now_ms.saturating_sub(gathering.whole_ms);
            if left(since_ms) > NEARLY_ALL {
                return std::array::from_fn(overdue);
            }
            return std::array::from_fn(|n| {
                let (from, to) = (left(since_ms + interval(n)), left(since_ms + interval(n + 1)));
                remaining(to - from, left(since_ms))
            });
        }
        let ends = self.ends(now_ms.saturating_sub(gathering.since_ms));
        std::array::from_fn(|n| {
            let part = |end: usize| ends[end] * (left(interval(n - end + 1)) - left(interval(n - end))) / ALL;
            (0..=n).map(part).sum()
        })
    }

    /// The part of a surge that has left so long after it began to, of [`ALL`].
    fn left_after(&self, since_ms: u64) -> u64 {
        let Some(pattern) = &self.pattern else { return (since_ms * ALL / LEAVE_MS).min(ALL) };
        let (whole, part_ms) = ((since_ms / INTERVAL_MS) as usize, since_ms % INTERVAL_MS);
        let at = |n: usize| if n == 0 { 0 } else { pattern.get(n - 1).copied().unwrap_or(ALL) };
        at(whole) + (at(whole + 1) - at(whole)) * part_ms / INTERVAL_MS
    }

    /// The probability that a surge that has lasted so long begins to leave in each interval, of [`ALL`]: none before any was
    /// seen.
    fn ends(&self, lasted_ms: u64) -> [u64; OUTFLOWS] {
        let Some(stay_ms) = self.stay_ms else { return [0; OUTFLOWS] };
        let (early_ms, late_ms) = (stay_ms * EARLY / 4, (stay_ms * LATE / 4).max(1));
        let ended = |at_ms: u64| {
            let into_ms = at_ms.saturating_sub(early_ms);
            (into_ms * ALL).checked_div(late_ms.saturating_sub(early_ms)).unwrap_or(ALL).min(ALL)
        };
        let before = ended(lasted_ms);
        std::array::from_fn(|n| {
            let at = |n: usize| ended(lasted_ms + n as u64 * INTERVAL_MS);
            if before < ALL { remaining(at(n + 1) - at(n), before) } else { overdue(n) }
        })
    }
}

/// A part of all as a part of what remains.
fn remaining(part: u64, gone: u64) -> u64 {
    (part * ALL).checked_div(ALL.saturating_sub(gone)).unwrap_or(0)
}

/// Of what stays longer than any did before: it leaves in each interval with one chance in four.
fn overdue(n: usize) -> u64 {
    (0..n).fold(ALL / 4, |chance, _| chance * 3 / 4)
}

impl Gathering {
    fn new(now_ms: Time, above: u64) -> Self {
        Gathering { since_ms: now_ms, level: above, peak: above, whole_ms: now_ms, leaving: None }
    }

    fn look(&mut self, now_ms: Time, above: u64) {
        self.level = (self.level + above) / 2;
        self.peak = self.peak.max(self.level);
        if self.level * 100 >= self.peak * WHOLE_PERCENT {
            (self.whole_ms, self.leaving) = (now_ms, None);
        } else if self.level * 100 < self.peak * LEAVING_PERCENT {
            self.leaving.get_or_insert_default();
        }
        let Some(leaving) = &mut self.leaving else { return };
        let gone = ALL - self.level * ALL / self.peak.max(1);
        let gone = gone.max(leaving.last().copied().unwrap_or(0));
        let over = ((now_ms - self.whole_ms) / INTERVAL_MS).min(PATTERN as u64) as usize;
        if leaving.len() < over {
            leaving.resize(over, gone);
        }
    }
}
