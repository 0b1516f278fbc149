//! Longest reds, kept by looking ahead: who waits has a time by which it must get its green, and a stage may only be shown
//! while everybody's time can still be kept after it.

use crate::Time;
use crate::network::Junction;

/// More stages than this no junction has; beyond it they share bits.
const BITS: u32 = 64;

/// The stages of a set, a bit each.
pub(super) type Stages = u64;

/// The bit of a stage.
pub(super) fn bit(stage: usize) -> Stages {
    1 << (stage as u32 % BITS)
}

/// Somebody who waits: by when the green must have begun, and in which stages it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    pub(super) until_ms: Time,
    pub(super) served: Stages,
}

/// The times of a junction that bear on deadlines.
pub(super) struct Timing {
    /// The longest change from one stage to another, ms.
    change_ms: u64,
    /// Shortest green by stage, ms.
    min_green_ms: Vec<u64>,
    /// Shortest and longest green by stage, whole s.
    pub(super) min_green_s: Vec<usize>,
    pub(super) max_green_s: Vec<usize>,
}

impl Timing {
    pub(super) fn of(junction: &Junction) -> Self {
        let yellow_ms = junction.heads.iter().map(|h| h.yellow_ms).max().unwrap_or(0);
        Timing {
            change_ms: u64::from(yellow_ms + junction.all_red_ms),
            min_green_ms: junction.stages.iter().map(|s| u64::from(s.min_green_ms)).collect(),
            min_green_s: junction.stages.iter().map(|s| s.min_green_ms.div_ceil(1000) as usize).collect(),
            max_green_s: junction.stages.iter().map(|s| (s.max_green_ms / 1000) as usize).collect(),
        }
    }

    /// Two stages of the same shortest and longest green, s.
    #[cfg(test)]
    pub(super) fn given(min_green_s: usize, max_green_s: usize) -> Self {
        Timing {
            change_ms: 3_000,
            min_green_ms: vec![min_green_s as u64 * 1000; 2],
            min_green_s: vec![min_green_s; 2],
            max_green_s: vec![max_green_s; 2],
        }
    }

    /// Whether every one of `dues`, in order, can be kept when the stage in force goes on until `free_ms`, or is changed now
    /// for `next`, the most urgent being served next and each stage shown only for its shortest time.
    pub(super) fn keeps(&self, dues: &[Due], now_ms: Time, free_ms: Time, next: Option<usize>) -> bool {
        let mut at_ms = free_ms;
        let mut served: Stages = 0;
        if let Some(stage) = next {
            at_ms = now_ms + self.change_ms + self.min_green_ms[stage];
            served = bit(stage);
        }
        for due in dues {
            if due.served & served != 0 {
                continue;
            }
            at_ms += self.change_ms;
            if at_ms > due.until_ms {
                return false;
            }
            let Some(stage) = self.shortest(due.served) else { continue };
            served |= bit(stage);
            at_ms += self.min_green_ms[stage];
        }
        true
    }

    /// The stage of a set that is over first.
    fn shortest(&self, stages: Stages) -> Option<usize> {
        (0..self.min_green_ms.len()).filter(|s| stages & bit(*s) != 0).min_by_key(|s| (self.min_green_ms[*s], *s))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMING: fn() -> Timing = || Timing {
        change_ms: 5_000,
        min_green_ms: vec![20_000, 6_000, 20_000],
        min_green_s: vec![20, 6, 20],
        max_green_s: vec![60; 3],
    };

    fn due(until_s: u64, stage: usize) -> Due {
        Due { until_ms: until_s * 1000, served: bit(stage) }
    }

    #[test]
    fn the_stage_in_force_may_stand_while_the_others_can_follow_in_time() {
        let dues = [due(100, 1), due(112, 2)];
        assert!(TIMING().keeps(&dues, 94_000, 95_000, None), "stage 1 at 100 s, stage 2 at 111 s");
        assert!(!TIMING().keeps(&dues, 95_000, 96_000, None), "stage 1 would come at 101 s");
        assert!(!TIMING().keeps(&[due(100, 1), due(110, 2)], 94_000, 95_000, None));
    }

    #[test]
    fn a_stage_between_must_leave_time_for_those_who_wait_for_another() {
        let dues = [due(60, 2)];
        assert!(TIMING().keeps(&dues, 44_000, 44_000, Some(1)), "5 + 6 + 5 s");
        assert!(!TIMING().keeps(&dues, 45_000, 45_000, Some(1)));
        assert!(TIMING().keeps(&dues, 54_000, 54_000, Some(2)), "it serves them itself");
    }
}
