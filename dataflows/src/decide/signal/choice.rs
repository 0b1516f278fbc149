//! Which stage comes next.

use std::cell::OnceCell;

use super::deadlines::{Due, Stages, Timing, bit};
use super::demand::{Demand, SOMEONE_MILLI};
use super::field::Field;
use super::horizon::{Draft, Horizon};
use super::outlook::Outlook;
use super::shares::Shares;
use crate::decision::StageReason;
use crate::network::Junction;

/// A moment of choice: `stage` has stood for `stood_ms`, the next one comes `again_ms` later; `planned` is the stage
/// of a plan and whose plan it is, in plan mode or when detectors are silent.
pub(super) struct Moment<'a> {
    pub(super) junction: &'a Junction,
    pub(super) timing: &'a Timing,
    pub(super) field: &'a Field,
    pub(super) demand: &'a Demand,
    pub(super) planned: Option<(u16, StageReason)>,
    pub(super) stage: u16,
    pub(super) stood_ms: u64,
    pub(super) again_ms: u64,
    pub(super) reckoned: OnceCell<Reckoned>,
}

/// What is reckoned of a moment only when it is asked for.
pub(super) struct Reckoned {
    shares: Vec<Shares>,
    /// By stage: vehicles that wait for it, weighted, 1/1000.
    pub(super) scores_milli: Vec<i64>,
}

impl Moment<'_> {
    /// Stages' shares and scores. Within a shortest green nobody asks for them, most often.
    pub(super) fn reckoned(&self) -> &Reckoned {
        self.reckoned.get_or_init(|| {
            let shares = Shares::of_stages(self.field, self.demand);
            let near: Vec<f32> = (0..self.field.rows.len()).map(|row| self.demand.near(self.field, row)).collect();
            let scores_milli = shares.iter().map(|stage| (stage.asks(&near) * 1000.0) as i64).collect();
            Reckoned { shares, scores_milli }
        })
    }

    /// The stage wanted, and why.
    pub(super) fn choose(&self) -> (u16, StageReason) {
        let (stage, standing) = (self.stage, &self.junction.stages[usize::from(self.stage)]);
        if self.stood_ms < u64::from(standing.min_green_ms) {
            return (stage, StageReason::MinGreen);
        }
        if let Some(planned) = self.planned {
            return planned;
        }
        let dues = self.dues();
        let open = self.open_to(&dues);
        let outlook = Outlook::new(self.field, self.demand, &self.reckoned().shares);
        let Some(first) = dues.first().filter(|_| open & bit(usize::from(stage)) == 0) else {
            return self.freely(&outlook, open);
        };
        let cheapest = |served: Stages| self.cheapest(&outlook, |s| served & bit(s) != 0);
        (cheapest(open).or_else(|| cheapest(first.served)).unwrap_or(stage), StageReason::MaxRed)
    }

    /// Everybody's times can be kept while the stage in force goes on.
    fn freely(&self, outlook: &Outlook<'_>, open: Stages) -> (u16, StageReason) {
        let (stage, standing) = (self.stage, &self.junction.stages[usize::from(self.stage)]);
        let waits = |s: usize| self.reckoned().scores_milli[s] >= i64::from(SOMEONE_MILLI);
        let others_wait = (0..self.junction.stages.len()).any(|s| s != usize::from(stage) && waits(s));
        if self.stood_ms >= u64::from(standing.max_green_ms) && self.demand.waiting_since_ms.iter().any(Option::is_some)
        {
            let other = self.cheapest(outlook, |s| open & bit(s) != 0 && self.reckoned().scores_milli[s] > 0);
            return other.map_or((stage, StageReason::Idle), |other| (other, StageReason::MaxGreen));
        }
        if outlook.is_empty() {
            return (stage, StageReason::Idle);
        }
        let draft = self.cheapest_draft(outlook, true, |s| open & bit(s) != 0);
        match draft.keep_s == 0 {
            true => (draft.next as u16, StageReason::Pressure),
            false if others_wait => (stage, StageReason::NotWorth),
            false if waits(usize::from(stage)) => (stage, StageReason::Pressure),
            false => (stage, StageReason::Idle),
        }
    }

    fn cheapest_draft(&self, outlook: &Outlook<'_>, keeps: bool, open: impl Fn(usize) -> bool) -> Draft {
        let (stage, stood_s) = (usize::from(self.stage), (self.stood_ms / 1000) as usize);
        Horizon::new(outlook, self.timing).best(stage, stood_s, keeps, open)
    }

    /// The stage to change to at once that costs least, among those that are eligible.
    fn cheapest(&self, outlook: &Outlook<'_>, eligible: impl Fn(usize) -> bool) -> Option<u16> {
        let draft = self.cheapest_draft(outlook, false, eligible);
        draft.cost.is_finite().then_some(draft.next as u16)
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
        (0..self.junction.stages.len()).filter(keeps).fold(0, |open, s| open | bit(s))
    }
}
