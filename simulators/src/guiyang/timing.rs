//! Fixed-time plans as a city's engineers make them: cycle and splits by Webster's method from turning counts.
//!
//! Sources: F. V. Webster, Traffic Signal Settings, 1958 (optimal cycle, equal degree of saturation); HCM 2000, ch. 16
//! (saturation flow of permissive left turns through gaps).

use nanming_dataflows::ids::*;
use nanming_dataflows::network::{City, Conflict, Junction, Light, Plan, PlanStep, Stage, Turn};

use super::offsets::coordinate;

/// A part of the day with plans of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    /// 09:30 to 17:00; also what a junction falls back to.
    Day,
    /// Morning peak, 07:00 to 09:30.
    Morning,
    /// Evening peak, 17:00 to 19:30.
    Evening,
    /// 19:30 to 22:30.
    Late,
    /// 22:30 to 07:00.
    Night,
}

impl Period {
    /// All periods, in the order of the plans.
    pub const ALL: [Period; 5] = [Period::Day, Period::Morning, Period::Evening, Period::Late, Period::Night];

    /// Name, as the plans have it.
    pub fn name(self) -> &'static str {
        ["day", "morning", "evening", "late", "night"][self as usize]
    }
    /// Minutes of the local day: from, to.
    pub fn day_min(self) -> (u16, u16) {
        [(570, 1020), (420, 570), (1020, 1170), (1170, 1350), (1350, 420)][self as usize]
    }
    /// Traffic as a share of the peaks'.
    pub(crate) fn level(self) -> f64 {
        [0.7, 1.0, 1.0, 0.5, 0.2][self as usize]
    }
}

/// Saturation flow of a lane, veh/h.
const SATURATION_VEH_H: f64 = 1800.0;
/// Shortest and longest cycle, ms.
const CYCLE_MS: (u32, u32) = (70_000, 120_000);
/// Cycles are multiples of this, ms.
const CYCLE_STEP_MS: u32 = 5_000;

/// Replaces all plans of a city by plans for given flows (veh/h by period and movement): the baseline that an honest
/// comparison needs, made for the traffic that really drives. Junctions on arterials share one cycle per period, and
/// offsets follow the heavier direction of each road at free-flow speed.
pub fn retime(city: &mut City, flow_veh_h: &dyn Fn(Period, MovementId) -> u32) {
    city.junctions.iter_mut().for_each(|j| j.plans.clear());
    for period in Period::ALL {
        let flow = |m: MovementId| f64::from(flow_veh_h(period, m));
        let critical: Vec<Vec<f64>> = city.junctions.iter().map(|j| critical_ratios(city, j, &flow)).collect();
        let shared_ms = shared_cycle_ms(city, &critical);
        let plans: Vec<Plan> =
            city.junctions.iter().zip(&critical).map(|(j, y)| plan(city, j, period, y, shared_ms)).collect();
        for (junction, plan) in city.junctions.iter_mut().zip(plans) {
            junction.plans.push(plan);
        }
        coordinate(city, &flow);
    }
}

fn plan(city: &City, junction: &Junction, period: Period, y: &[f64], shared_ms: u32) -> Plan {
    let least_ms = least_cycle_ms(junction);
    let own_ms = if on_arterial(city, junction) { shared_ms } else { webster_cycle_ms(junction, y) };
    let greens = greens_ms(cycle(junction), y, own_ms.max(least_ms) - lost_ms(junction));
    let step = |(stage, green_ms): (usize, u32)| PlanStep {
        stage: stage as u16,
        green_ms,
        intergreen_ms: intergreen_ms(junction, stage),
    };
    let steps = greens.into_iter().enumerate().map(step).collect();
    Plan { name: period.name().to_string(), offset_ms: 0, day_min: period.day_min(), steps }
}

/// Whether a junction lies on an arterial, by the speed of its approaches.
fn on_arterial(city: &City, junction: &Junction) -> bool {
    junction.approaches.iter().any(|a| city.links[a.link.index()].free_speed_mm_s > 16_000)
}

/// The cycle that suits four of five junctions on arterials, and is long enough for nineteen of twenty.
fn shared_cycle_ms(city: &City, critical: &[Vec<f64>]) -> u32 {
    let shared = || city.junctions.iter().zip(critical).filter(|(j, _)| on_arterial(city, j));
    let suits_ms = quantile(shared().map(|(j, y)| webster_cycle_ms(j, y)).collect(), 80);
    suits_ms.max(quantile(shared().map(|(j, _)| least_cycle_ms(j)).collect(), 95))
}

/// The value that a percentage of values does not exceed; the shortest cycle if there are none.
fn quantile(mut values_ms: Vec<u32>, percent: usize) -> u32 {
    values_ms.sort_unstable();
    values_ms
        .get((values_ms.len() * percent / 100).min(values_ms.len().saturating_sub(1)))
        .copied()
        .unwrap_or(CYCLE_MS.0)
}

/// Webster's cycle `(1.5 L + 5) / (1 - Y)` within bounds, ms.
fn webster_cycle_ms(junction: &Junction, y: &[f64]) -> u32 {
    let lost_s = f64::from(lost_ms(junction)) / 1000.0;
    let cycle_s = (1.5 * lost_s + 5.0) / (1.0 - y.iter().sum::<f64>().min(0.95));
    (whole_steps((cycle_s * 1000.0) as u32)).clamp(CYCLE_MS.0, CYCLE_MS.1)
}

/// The shortest cycle with every stage's shortest green, ms.
fn least_cycle_ms(junction: &Junction) -> u32 {
    whole_steps(lost_ms(junction) + cycle(junction).iter().map(|s| s.min_green_ms).sum::<u32>())
}

fn whole_steps(ms: u32) -> u32 {
    ms.next_multiple_of(CYCLE_STEP_MS)
}

fn lost_ms(junction: &Junction) -> u32 {
    (0..cycle(junction).len()).map(|s| intergreen_ms(junction, s)).sum()
}

/// The stages that a plan runs through: the first ones that together let every head go.
pub(crate) fn cycle(junction: &Junction) -> &[Stage] {
    let first = |head: usize| junction.stages.iter().position(|s| s.lights[head].is_green()).unwrap_or(0);
    let last = (0..junction.heads.len()).map(first).max().unwrap_or(0);
    &junction.stages[..=last]
}

/// Yellow and all-red between a stage and the next in order, ms; none if no head loses its green.
fn intergreen_ms(junction: &Junction, stage: usize) -> u32 {
    let stages = cycle(junction);
    let next = &stages[(stage + 1) % stages.len()];
    let ends = |head: &usize| stages[stage].lights[*head].is_green() && !next.lights[*head].is_green();
    let yellow_ms = (0..junction.heads.len()).filter(ends).map(|h| junction.heads[h].yellow_ms).max();
    yellow_ms.map_or(0, |yellow_ms| yellow_ms + junction.all_red_ms)
}

/// Greens of stages that share `all_ms`, whole seconds: none below its shortest, else in proportion to the critical flow
/// ratios.
fn greens_ms(stages: &[Stage], y: &[f64], all_ms: u32) -> Vec<u32> {
    let least: Vec<u32> = stages.iter().map(|s| s.min_green_ms).collect();
    let mut fixed = vec![false; least.len()];
    let mut total_ms = all_ms;
    loop {
        let free_y: f64 = y.iter().zip(&fixed).filter(|(_, fixed)| !**fixed).map(|(y, _)| y).sum();
        let share_ms = |s: usize| (f64::from(total_ms) * y[s] / free_y) as u32;
        match (0..least.len()).find(|s| !fixed[*s] && share_ms(*s) < least[*s]) {
            Some(short) => {
                fixed[short] = true;
                total_ms -= least[short];
            }
            None => {
                let greens = (0..least.len()).map(|s| if fixed[s] { least[s] } else { share_ms(s) }).collect();
                return whole_seconds(greens, stages, all_ms);
            }
        }
    }
}

/// Rounds down to seconds, and gives what is left to the stages in turn, the longest first, up to their longest green.
fn whole_seconds(mut greens_ms: Vec<u32>, stages: &[Stage], total_ms: u32) -> Vec<u32> {
    for (green_ms, stage) in greens_ms.iter_mut().zip(stages) {
        *green_ms = (*green_ms / 1000 * 1000).clamp(stage.min_green_ms, stage.max_green_ms);
    }
    let mut order: Vec<usize> = (0..stages.len()).collect();
    order.sort_by_key(|s| std::cmp::Reverse(greens_ms[*s]));
    let room = |greens_ms: &[u32], s: usize| greens_ms[s] + 1000 <= stages[s].max_green_ms;
    while greens_ms.iter().sum::<u32>() + 1000 <= total_ms && order.iter().any(|s| room(&greens_ms, *s)) {
        for s in &order {
            if greens_ms.iter().sum::<u32>() + 1000 <= total_ms && room(&greens_ms, *s) {
                greens_ms[*s] += 1000;
            }
        }
    }
    greens_ms
}

/// The highest ratio of flow to saturation flow among the heads that each stage is there for.
fn critical_ratios(city: &City, junction: &Junction, flow_veh_h: &dyn Fn(MovementId) -> f64) -> Vec<f64> {
    let mut ratios = vec![0.01_f64; cycle(junction).len()];
    for head in 0..junction.heads.len() {
        if let Some(stage) = main_stage(city, junction, head) {
            ratios[stage] = ratios[stage].max(flow_ratio(city, junction, stage, head, flow_veh_h));
        }
    }
    ratios
}

/// The first stage that protects a head, or else lets it go. None for right turns: they go all the time.
fn main_stage(city: &City, junction: &Junction, head: usize) -> Option<usize> {
    let turns_right = junction.heads[head].movements.iter().all(|m| city.movements[m.index()].turn == Turn::Right);
    let shows = |light| cycle(junction).iter().position(|s: &Stage| s.lights[head] == light);
    if turns_right { None } else { shows(Light::Protected).or_else(|| shows(Light::Permissive)) }
}

/// Flow over saturation flow on the lanes of a head, with all that shares them, in cars that drive straight on.
fn flow_ratio(
    city: &City,
    junction: &Junction,
    stage: usize,
    head: usize,
    flow_veh_h: &dyn Fn(MovementId) -> f64,
) -> f64 {
    let mut lanes: Vec<LaneId> =
        junction.heads[head].movements.iter().map(|m| city.movements[m.index()].from).collect();
    lanes.sort_unstable();
    lanes.dedup();
    let equivalent = |m: &MovementId| match city.movements[m.index()].turn {
        Turn::Through => 1.0,
        Turn::Right => 1.15,
        Turn::Left | Turn::UTurn => left_equivalent(city, junction, stage, *m, flow_veh_h),
    };
    let movements = lanes.iter().flat_map(|l| city.lanes[l.index()].movements.iter());
    let load_veh_h: f64 = movements.map(|m| flow_veh_h(*m) * equivalent(m)).sum();
    load_veh_h / (SATURATION_VEH_H * lanes.len() as f64)
}

/// How many cars straight on a left turn is worth: by the gaps of what it gives way to.
fn left_equivalent(
    city: &City,
    junction: &Junction,
    stage: usize,
    movement: MovementId,
    flow_veh_h: &dyn Fn(MovementId) -> f64,
) -> f64 {
    let Some((_, head)) = city.movements[movement.index()].signal else { return 1.05 };
    let lights = &junction.stages[stage].lights;
    let yields_to =
        |h: &usize| lights[*h].is_green() && junction.conflicts.get(usize::from(head), *h) == Conflict::FirstYields;
    let ahead = (0..junction.heads.len()).filter(yields_to).flat_map(|h| &junction.heads[h].movements);
    let through = ahead.filter(|m| city.movements[m.index()].turn == Turn::Through);
    let opposing_veh_h: f64 = through.map(|m| flow_veh_h(*m)).sum();
    if opposing_veh_h < 1.0 { 1.05 } else { (SATURATION_VEH_H / gap_flow_veh_h(opposing_veh_h)).clamp(1.05, 5.0) }
}

/// HCM 2000, 16-C: cars per hour that find a gap, with a critical gap of 4.5 s and a follow-up time of 2.5 s.
fn gap_flow_veh_h(opposing_veh_h: f64) -> f64 {
    let per_s = opposing_veh_h / 3600.0;
    opposing_veh_h * (-4.5 * per_s).exp() / (1.0 - (-2.5 * per_s).exp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps_get_rare_as_the_opposing_flow_grows() {
        assert_eq!(gap_flow_veh_h(400.0).round(), 1000.0);
        assert_eq!(gap_flow_veh_h(1200.0).round(), 474.0);
    }

    #[test]
    fn the_periods_share_out_the_day() {
        let in_force = |minute: u16| {
            let plan = |p: &Period| Plan { name: String::new(), offset_ms: 0, day_min: p.day_min(), steps: Vec::new() };
            Period::ALL.iter().filter(|p| plan(p).in_force(minute)).count()
        };
        assert!((0..1440).all(|minute| in_force(minute) == 1));
    }
}
