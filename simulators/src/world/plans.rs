//! What a fixed-time plan shows at a moment of the local day. Pure arithmetic.

use nanming_dataflows::event::Lamp;
use nanming_dataflows::network::{Junction, Light, Plan};

/// Milliseconds of a day.
pub(super) const DAY_MS: u64 = 86_400_000;

/// Where in its cycle a plan is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment {
    /// Row in the plan's steps.
    pub(super) step: usize,
    /// Time since the step's green began, ms.
    pub(super) into_ms: u32,
}

/// The plan in force at a minute of the local day; the first where none is.
pub(super) fn plan_in_force(junction: &Junction, minute: u16) -> usize {
    junction.plans.iter().position(|p| p.in_force(minute)).unwrap_or(0)
}

/// Where a plan is at a time of the local day, ms.
pub(super) fn moment(plan: &Plan, day_ms: u64) -> Moment {
    let cycle_ms = u64::from(plan.cycle_ms()).max(1);
    let offset_ms = u64::from(plan.offset_ms) % cycle_ms;
    let mut into_ms = ((day_ms + cycle_ms - offset_ms) % cycle_ms) as u32;
    for (step, s) in plan.steps.iter().enumerate() {
        let whole_ms = s.green_ms + s.intergreen_ms;
        if into_ms < whole_ms {
            return Moment { step, into_ms };
        }
        into_ms -= whole_ms;
    }
    Moment { step: 0, into_ms: 0 }
}

/// Green left at a moment, ms; 0 in the intergreen.
pub(super) fn green_left_ms(plan: &Plan, at: Moment) -> u32 {
    plan.steps[at.step].green_ms.saturating_sub(at.into_ms)
}

/// What each head shows at a moment of a plan.
pub(super) fn lamps_at(junction: &Junction, plan: &Plan, at: Moment) -> Vec<Lamp> {
    let step = &plan.steps[at.step];
    let next = &plan.steps[(at.step + 1) % plan.steps.len()];
    let (now, then) =
        (&junction.stages[usize::from(step.stage)].lights, &junction.stages[usize::from(next.stage)].lights);
    if at.into_ms < step.green_ms {
        return lamps_of(now);
    }
    let since_ms = at.into_ms - step.green_ms;
    let between = |h: usize| match (now[h].is_green(), then[h].is_green()) {
        (true, true) => weaker(now[h], then[h]),
        (true, false) if since_ms < junction.heads[h].yellow_ms => Lamp::Yellow,
        _ => Lamp::Red,
    };
    (0..now.len()).map(between).collect()
}

/// What the heads show while a stage stands.
pub(super) fn lamps_of(lights: &[Light]) -> Vec<Lamp> {
    lights.iter().map(|l| l.lamp()).collect()
}

/// A head that stays green over a change is protected only where both stages protect it.
fn weaker(a: Light, b: Light) -> Lamp {
    a.max(b).lamp()
}

/// Share of the cycle in which each head is green, a permissive green counted by `permissive`.
pub(super) fn green_shares(junction: &Junction, plan: &Plan, permissive: f64) -> Vec<f64> {
    let cycle_ms = f64::from(plan.cycle_ms().max(1));
    let worth = |l: Light| match l {
        Light::Red => 0.0,
        Light::Protected => 1.0,
        Light::Permissive => permissive,
    };
    let share = |h: usize| {
        let greens =
            plan.steps.iter().map(|s| worth(junction.stages[usize::from(s.stage)].lights[h]) * f64::from(s.green_ms));
        greens.sum::<f64>() / cycle_ms
    };
    (0..junction.heads.len()).map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nanming_dataflows::network::{ConflictMatrix, Head, PlanStep, SignalMode, Stage};

    fn crossing() -> Junction {
        let head = Head { movements: vec![], yellow_ms: 3_000, min_green_ms: 7_000 };
        let stage = |lights| Stage {
            name: String::new(),
            lights,
            min_green_ms: 7_000,
            max_green_ms: 60_000,
            walk_ms: 0,
            clearance_ms: 0,
        };
        let step = |stage| PlanStep { stage, green_ms: 20_000, intergreen_ms: 5_000 };
        Junction {
            id: Default::default(),
            name: String::new(),
            at: Default::default(),
            district: Default::default(),
            nodes: vec![],
            approaches: vec![],
            heads: vec![head.clone(), head.clone(), head],
            conflicts: ConflictMatrix::new(3),
            stages: vec![
                stage(vec![Light::Protected, Light::Red, Light::Permissive]),
                stage(vec![Light::Red, Light::Protected, Light::Protected]),
            ],
            plans: vec![Plan {
                name: String::new(),
                offset_ms: 10_000,
                day_min: (0, 0),
                steps: vec![step(0), step(1)],
            }],
            all_red_ms: 2_000,
            max_red_ms: 120_000,
            mode: SignalMode::Stage,
        }
    }

    #[test]
    fn a_plan_goes_green_yellow_all_red_by_the_clock() {
        let j = crossing();
        let shown = |day_ms| {
            let lamps = lamps_at(&j, &j.plans[0], moment(&j.plans[0], day_ms));
            lamps.into_iter().map(Lamp::to_char).collect::<String>()
        };
        assert_eq!(shown(10_000), "Grg");
        assert_eq!(shown(29_999), "Grg");
        assert_eq!(shown(30_000), "yrg");
        assert_eq!(shown(33_000), "rrg");
        assert_eq!(shown(35_000), "rGG");
        assert_eq!(shown(55_000), "ryg");
        assert_eq!(shown(60_000), "Grg");
        assert_eq!(shown(9_999), "rrg");
    }

    #[test]
    fn shares_of_green() {
        let j = crossing();
        assert_eq!(green_shares(&j, &j.plans[0], 0.5), vec![0.4, 0.4, 0.6]);
    }
}
