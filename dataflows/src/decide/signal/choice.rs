//! Which stage comes next.

use serde::{Deserialize, Serialize};

use crate::Time;
use crate::decision::StageReason;
use crate::network::Junction;

/// A change costs yellow and all-red: another stage must be worth so much more, 1/1000 vehicle, ...
const MARGIN_MILLI: i64 = 1_000;
/// ... or so much more in proportion to what the stage in force still has to do, 1/1000.
const MARGIN_SHARE_MILLI: i64 = 1_100;
/// Less than this counts as nobody, 1/1000 vehicle: a stage that serves nobody yields to one that someone waits for.
const SOMEONE_MILLI: i64 = 500;
/// Time that a change may take before a waiting head gets its green, ms.
const CHANGE_MS: u64 = 12_000;

/// Who waits and who comes, as a junction knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Demand {
    /// By local lane: vehicles near its end, 1/1000.
    pub(super) near_milli: Vec<u32>,
    /// By head: since when it has been red with someone waiting, ms.
    pub(super) waiting_since_ms: Vec<Option<u64>>,
    /// By stage: when it last stood, ms.
    pub(super) stood_ms: Vec<Time>,
    pub(super) now_ms: Time,
}

/// The stage wanted, and why. `planned` is the plan's stage when detectors are silent; `stage` has stood for `stood_ms`.
pub(super) fn choose(
    junction: &Junction,
    demand: &Demand,
    scores_milli: &[i64],
    planned: Option<u16>,
    stage: u16,
    stood_ms: u64,
) -> (u16, StageReason) {
    let standing = &junction.stages[usize::from(stage)];
    if stood_ms < u64::from(standing.min_green_ms) {
        return (stage, StageReason::MinGreen);
    }
    if let Some(planned) = planned {
        return (planned, StageReason::Plan);
    }
    if let Some(overdue) = overdue_head(junction, demand) {
        let serves = |s: &usize| junction.stages[*s].lights[overdue].is_green();
        if let Some(best) = best_of(scores_milli, serves) {
            return (best, StageReason::MaxRed);
        }
    }
    if let Some(due) = due_walk(junction, demand, stage) {
        return (due, StageReason::MaxRed);
    }
    let waits_elsewhere = demand.waiting_since_ms.iter().any(Option::is_some);
    if stood_ms >= u64::from(standing.max_green_ms) && waits_elsewhere {
        let other = best_of(scores_milli, |s| *s != usize::from(stage) && scores_milli[*s] > 0);
        return other.map_or((stage, StageReason::Idle), |other| (other, StageReason::MaxGreen));
    }
    by_pressure(scores_milli, stage)
}

fn by_pressure(scores_milli: &[i64], stage: u16) -> (u16, StageReason) {
    let now = scores_milli[usize::from(stage)];
    let best = best_of(scores_milli, |_| true).unwrap_or(stage);
    let worth = scores_milli[usize::from(best)];
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

/// The head that has waited longest beyond what it may, if any.
fn overdue_head(junction: &Junction, demand: &Demand) -> Option<usize> {
    let limit_ms = u64::from(junction.max_red_ms).saturating_sub(CHANGE_MS);
    let waited = |since: &Option<u64>| since.map_or(0, |s| demand.now_ms.saturating_sub(s));
    let (head, longest_ms) =
        demand.waiting_since_ms.iter().map(waited).enumerate().max_by_key(|(h, ms)| (*ms, usize::MAX - h))?;
    (longest_ms >= limit_ms).then_some(head)
}

/// The stage for people on foot that has been away longest beyond what they may wait, if any. Nobody counts them: someone
/// is taken to wait always.
fn due_walk(junction: &Junction, demand: &Demand, stage: u16) -> Option<u16> {
    let limit_ms = u64::from(junction.max_red_ms).saturating_sub(CHANGE_MS);
    let away_ms = |s: &usize| demand.now_ms.saturating_sub(demand.stood_ms[*s]);
    let walks = (0..junction.stages.len()).filter(|s| *s != usize::from(stage) && junction.stages[*s].walk_ms > 0);
    walks.filter(|s| away_ms(s) >= limit_ms).max_by_key(|s| (away_ms(s), usize::MAX - s)).map(|s| s as u16)
}

/// The eligible stage of greatest score; the lowest number among equals.
fn best_of(scores_milli: &[i64], eligible: impl Fn(&usize) -> bool) -> Option<u16> {
    (0..scores_milli.len()).filter(|s| eligible(s)).max_by_key(|s| (scores_milli[*s], usize::MAX - s)).map(|s| s as u16)
}
