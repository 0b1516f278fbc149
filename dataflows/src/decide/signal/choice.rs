//! Which stage comes next.

use serde::{Deserialize, Serialize};

use super::deadlines::{Due, Stages, Timing, bit};
use crate::Time;
use crate::decision::StageReason;
use crate::network::Junction;

/// A change costs yellow and all-red: another stage must be worth so much more, 1/1000 vehicle, ...
const MARGIN_MILLI: i64 = 1_000;
/// ... or so much more in proportion to what the stage in force still has to do, 1/1000.
const MARGIN_SHARE_MILLI: i64 = 1_100;
/// Less than this counts as nobody, 1/1000 vehicle: a stage that serves nobody yields to one that someone waits for.
pub(super) const SOMEONE_MILLI: i64 = 500;

/// Who waits and who comes, as a junction knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Demand {
    /// By local lane: vehicles near its end, 1/1000.
    pub(super) near_milli: Vec<u32>,
    /// By local lane: whether nothing upstream would see somebody come.
    pub(super) blind: Vec<bool>,
    /// By head: since when it has been red with someone waiting, ms.
    pub(super) waiting_since_ms: Vec<Option<u64>>,
    /// By stage: when it last stood, ms.
    pub(super) stood_ms: Vec<Time>,
    pub(super) now_ms: Time,
}

/// A moment of choice: `stage` has stood for `stood_ms`, the next one comes `again_ms` later; `planned` is the plan's
/// stage when detectors are silent.
pub(super) struct Moment<'a> {
    pub(super) junction: &'a Junction,
    pub(super) timing: &'a Timing,
    pub(super) demand: &'a Demand,
    pub(super) scores_milli: &'a [i64],
    pub(super) planned: Option<u16>,
    pub(super) stage: u16,
    pub(super) stood_ms: u64,
    pub(super) again_ms: u64,
}

impl Moment<'_> {
    /// The stage wanted, and why.
    pub(super) fn choose(&self) -> (u16, StageReason) {
        let (stage, standing) = (self.stage, &self.junction.stages[usize::from(self.stage)]);
        if self.stood_ms < u64::from(standing.min_green_ms) {
            return (stage, StageReason::MinGreen);
        }
        if let Some(planned) = self.planned {
            return (planned, StageReason::Plan);
        }
        let dues = self.dues();
        let open = self.open_to(&dues);
        let Some(first) = dues.first().filter(|_| open & bit(usize::from(stage)) == 0) else {
            return self.freely(open);
        };
        let best = self.best_of(|s| open & bit(s) != 0).or_else(|| self.best_of(|s| first.served & bit(s) != 0));
        (best.unwrap_or(stage), StageReason::MaxRed)
    }

    /// Everybody's times can be kept while the stage in force goes on.
    fn freely(&self, open: Stages) -> (u16, StageReason) {
        let (stage, standing) = (self.stage, &self.junction.stages[usize::from(self.stage)]);
        let waits_elsewhere = self.demand.waiting_since_ms.iter().any(Option::is_some);
        if self.stood_ms >= u64::from(standing.max_green_ms) && waits_elsewhere {
            let worth = |s: usize| s != usize::from(stage) && open & bit(s) != 0 && self.scores_milli[s] > 0;
            return self.best_of(worth).map_or((stage, StageReason::Idle), |other| (other, StageReason::MaxGreen));
        }
        self.by_pressure(open)
    }

    fn by_pressure(&self, open: Stages) -> (u16, StageReason) {
        let stage = self.stage;
        let now = self.scores_milli[usize::from(stage)];
        let best = self.best_of(|s| open & bit(s) != 0).unwrap_or(stage);
        let worth = self.scores_milli[usize::from(best)];
        if worth <= 0 {
            return (stage, StageReason::Idle);
        }
        let pays = worth >= now + MARGIN_MILLI && worth * 1000 >= now.max(0) * MARGIN_SHARE_MILLI;
        let alone = now < SOMEONE_MILLI && worth >= SOMEONE_MILLI;
        match best == stage || pays || alone {
            true => (best, StageReason::Pressure),
            false => (stage, StageReason::NotWorth),
        }
    }

    /// Who must get a green, the most urgent first: heads at which someone waits, and people on foot. Nobody counts those:
    /// someone is taken to wait always.
    fn dues(&self) -> Vec<Due> {
        let (stages, limit_ms) = (&self.junction.stages, u64::from(self.junction.max_red_ms));
        let serving = |head: usize| {
            let green = (0..stages.len()).filter(|s| stages[*s].lights[head].is_green());
            green.fold(0, |served, s| served | bit(s))
        };
        let heads = self.demand.waiting_since_ms.iter().enumerate().filter_map(|(head, since)| {
            since.map(|since_ms| Due { until_ms: since_ms + limit_ms, served: serving(head) })
        });
        let walks = (0..stages.len()).filter(|s| stages[*s].walk_ms > 0 && *s != usize::from(self.stage));
        let walks = walks.map(|s| Due { until_ms: self.demand.stood_ms[s] + limit_ms, served: bit(s) });
        let mut dues: Vec<Due> = heads.chain(walks).filter(|due| due.served != 0).collect();
        dues.sort_unstable();
        dues
    }

    /// The stages that may be shown now, the one in force among them, so that everybody's time can be kept.
    fn open_to(&self, dues: &[Due]) -> Stages {
        let (now_ms, own) = (self.demand.now_ms, usize::from(self.stage));
        let free_ms = now_ms + self.again_ms;
        let keeps = |s: &usize| self.timing.keeps(dues, now_ms, free_ms, (*s != own).then_some(*s));
        (0..self.scores_milli.len()).filter(keeps).fold(0, |open, s| open | bit(s))
    }

    /// The eligible stage of greatest score; the lowest number among equals.
    fn best_of(&self, eligible: impl Fn(usize) -> bool) -> Option<u16> {
        let stages = (0..self.scores_milli.len()).filter(|s| eligible(*s));
        stages.max_by_key(|s| (self.scores_milli[*s], usize::MAX - s)).map(|s| s as u16)
    }
}
