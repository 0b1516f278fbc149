//! Where the clock of a plan has a controller's stages.

use crate::gbt20999::PlanRow;

/// On its way to the clock a cycle is longer or shorter by this part of it at most.
const SHIFT: u64 = 6;

/// Cycle of a plan, ms.
pub(super) fn cycle_ms(plan: &PlanRow) -> u64 {
    u64::from(plan.cycle_s()).max(1) * 1000
}

/// Each step's time as the plan has it, ms.
pub(super) fn times_ms(plan: &PlanRow) -> Vec<u64> {
    plan.steps.iter().map(|step| u64::from(step.time_s) * 1000).collect()
}

/// Each step's time in a cycle that begins when the clock shows `clock_ms` since midnight, ms: longer or shorter so that the
/// next cycle begins nearer to when the plan has it, and none below its least.
pub(super) fn on_time_ms(plan: &PlanRow, clock_ms: u64, least_ms: &[u64]) -> Vec<u64> {
    let (cycle_ms, mut times_ms) = (cycle_ms(plan), times_ms(plan));
    let late_ms = (clock_ms + cycle_ms - u64::from(plan.offset_s) * 1000 % cycle_ms) % cycle_ms;
    let early_ms = cycle_ms - late_ms;
    let most_ms = cycle_ms / SHIFT;
    let spare_ms: Vec<u64> = times_ms.iter().zip(least_ms).map(|(time, least)| time.saturating_sub(*least)).collect();
    let all_ms: u64 = spare_ms.iter().sum();
    let shorter_ms = most_ms.min(all_ms);
    let cycles = |by_ms: u64, most_ms: u64| if most_ms == 0 { u64::MAX } else { by_ms.div_ceil(most_ms) };
    if cycles(late_ms, shorter_ms) <= cycles(early_ms, most_ms) {
        let mut left_ms = late_ms.min(shorter_ms);
        for (time, spare) in times_ms.iter_mut().zip(&spare_ms) {
            let less_ms = (late_ms.min(shorter_ms) * spare).div_ceil(all_ms.max(1)).min(left_ms).min(*spare);
            (*time, left_ms) = (*time - less_ms, left_ms - less_ms);
        }
    } else {
        let mut left_ms = early_ms.min(most_ms);
        for time in &mut times_ms {
            let more_ms = (early_ms.min(most_ms) * *time).div_ceil(cycle_ms).min(left_ms);
            (*time, left_ms) = (*time + more_ms, left_ms - more_ms);
        }
    }
    times_ms
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gbt20999::PlanStep;

    fn plan(offset_s: u16) -> PlanRow {
        let steps = vec![PlanStep { stage: 1, time_s: 40 }, PlanStep { stage: 2, time_s: 20 }];
        PlanRow { number: 7, road: 1, offset_s, steps }
    }

    /// Sums of the cycles until one begins when the plan has it.
    fn way_s(plan: &PlanRow, mut clock_ms: u64) -> Vec<u64> {
        let mut cycles_s = Vec::new();
        while clock_ms % cycle_ms(plan) != u64::from(plan.offset_s) * 1000 {
            let times_ms = on_time_ms(plan, clock_ms, &[12_000, 12_000]);
            assert!(times_ms.iter().all(|time| *time >= 12_000), "{times_ms:?}");
            clock_ms += times_ms.iter().sum::<u64>();
            cycles_s.push(times_ms.iter().sum::<u64>() / 1000);
        }
        cycles_s
    }

    #[test]
    fn a_cycle_on_the_clock_is_as_the_plan_has_it() {
        assert_eq!(on_time_ms(&plan(10), 130_000, &[12_000, 12_000]), [40_000, 20_000]);
    }

    #[test]
    fn who_is_late_has_shorter_cycles_and_who_is_early_longer_ones() {
        assert_eq!(way_s(&plan(10), 155_000), [50, 50, 55], "25 s late");
        assert_eq!(way_s(&plan(10), 125_000), [65], "5 s early");
    }

    #[test]
    fn without_time_to_spare_cycles_only_grow() {
        assert_eq!(on_time_ms(&plan(0), 1_000, &[40_000, 20_000]).iter().sum::<u64>(), 70_000);
    }
}
