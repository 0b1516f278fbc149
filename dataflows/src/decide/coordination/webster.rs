//! Cycle and splits of a junction: Webster's delay over the cycle, the degree of saturation equalised over the greens.
//!
//! Sources: F. V. Webster, Traffic Signal Settings, 1958 (uniform delay, equal degree of saturation); R. E. Allsop, 1971
//! (several greens for one lane); HCM 2000, ch. 16 (delay near and above capacity).

use super::service::Service;

/// Green is given in steps of this, ms: controllers count seconds.
const QUANTUM_MS: u32 = 1_000;
/// Over so long demand above capacity is taken to last, h.
const PERIOD_H: f64 = 0.25;
/// A lane that is never served waits as if so saturated.
const HOPELESS: f64 = 3.0;

/// Greens of a junction that are equally saturated in a cycle, as far as shortest greens let them; none if not even those
/// fit. The cycle is exactly the sum of greens and intergreens.
pub(super) fn splits(service: &Service, cycle_ms: u32) -> Option<Vec<u32>> {
    let steps = &service.steps;
    let mut greens_ms: Vec<u32> = steps.iter().map(|s| s.least_ms.next_multiple_of(QUANTUM_MS)).collect();
    let used_ms: u32 = greens_ms.iter().sum::<u32>() + service.lost_ms();
    let mut left_ms = cycle_ms.checked_sub(used_ms)?;
    let lanes = 0..service.flows.len();
    let mut capacity: Vec<f64> = lanes.clone().map(|lane| service.served(lane, &greens_ms)).collect();
    while left_ms > 0 {
        let more_ms = QUANTUM_MS.min(left_ms);
        let saturation = |lane: usize| service.flows[lane] / capacity[lane].max(1e-6);
        let servable = lanes.clone().filter(|lane| service.rates[*lane].iter().any(|rate| *rate > 0.0));
        let worst = servable.max_by(|a, b| saturation(*a).total_cmp(&saturation(*b)).then(b.cmp(a)));
        let of_all = |step: usize| lanes.clone().map(|l| saturation(l) * service.rates[l][step]).sum::<f64>();
        let rate = |step: usize| worst.map_or(0.0, |lane| service.rates[lane][step]);
        let better = |a: &usize, b: &usize| {
            rate(*a).total_cmp(&rate(*b)).then_with(|| of_all(*a).total_cmp(&of_all(*b))).then(b.cmp(a))
        };
        let best = (0..steps.len()).max_by(better)?;
        greens_ms[best] += more_ms;
        lanes.clone().for_each(|l| capacity[l] += service.rates[l][best] * f64::from(more_ms) / 1000.0);
        left_ms -= more_ms;
    }
    Some(greens_ms)
}

/// Delay of all vehicles of a junction, vehicles (vehicle seconds a second).
pub(super) fn delay(service: &Service, greens_ms: &[u32], cycle_ms: u32) -> f64 {
    let cycle_s = f64::from(cycle_ms) / 1000.0;
    let of_lane = |lane: usize| {
        let flow = service.flows[lane];
        let served = service.served(lane, greens_ms) / cycle_s;
        let green = (served / service.saturation[lane]).min(1.0);
        flow * delay_s(flow, served, green, cycle_s)
    };
    (0..service.flows.len()).map(of_lane).sum()
}

/// The greatest degree of saturation of a junction's lanes.
pub(super) fn degree_of_saturation(service: &Service, greens_ms: &[u32], cycle_ms: u32) -> f64 {
    let cycle_s = f64::from(cycle_ms) / 1000.0;
    let of_lane = |lane: usize| service.flows[lane] * cycle_s / service.served(lane, greens_ms).max(1e-6);
    let served = |lane: &usize| service.rates[*lane].iter().any(|rate| *rate > 0.0);
    (0..service.flows.len()).filter(served).map(of_lane).fold(0.0, f64::max)
}

/// Mean delay of a vehicle, s: uniform arrivals (Webster's first term), and what chance and excess add (HCM's second).
/// `flow` and `capacity` in vehicles/s, `green` as a share of the cycle.
fn delay_s(flow: f64, capacity: f64, green: f64, cycle_s: f64) -> f64 {
    let saturation = (flow / capacity.max(1e-6)).min(HOPELESS);
    let uniform = 0.5 * cycle_s * (1.0 - green) * (1.0 - green) / (1.0 - saturation.min(1.0) * green).max(0.05);
    let (over, hourly) = (saturation - 1.0, (capacity * 3600.0).max(10.0));
    let chance = 900.0 * PERIOD_H * (over + (over * over + 4.0 * saturation / (hourly * PERIOD_H)).sqrt());
    uniform + chance
}

/// Below this cycle changes take too much of it, ms.
pub(super) const LEAST_CYCLE_MS: u32 = 40_000;
/// Above this cycle greens run dry, and people on foot walk on red, ms.
const MOST_CYCLE_MS: u32 = 120_000;

/// The cycles that a group may have, ms. Multiples of 4 s, so that a half is of whole steps of a profile.
pub(super) fn cycles_ms() -> impl Iterator<Item = u32> + Clone {
    (LEAST_CYCLE_MS..=MOST_CYCLE_MS).step_by(4_000)
}

#[cfg(test)]
mod tests {
    use super::super::service::Step;
    use super::*;

    /// Two stages, a lane each, 5 s between.
    fn two(flows_veh_h: [f64; 2], least_ms: [u32; 2]) -> Service {
        let step = |row: usize| Step { stage: row as u16, least_ms: least_ms[row], intergreen_ms: 5_000 };
        Service {
            steps: vec![step(0), step(1)],
            rates: vec![vec![0.5, 0.0], vec![0.0, 0.5]],
            between: vec![vec![0.0; 2]; 2],
            saturation: vec![0.5, 0.5],
            flows: flows_veh_h.map(|f| f / 3600.0).to_vec(),
        }
    }

    #[test]
    fn greens_are_in_proportion_to_flows_and_fill_the_cycle() {
        let service = two([800.0, 400.0], [5_000; 2]);
        assert_eq!(splits(&service, 70_000), Some(vec![39_000, 21_000]), "less what each green loses at its start");
        assert_eq!(splits(&service, 70_500).unwrap().iter().sum::<u32>(), 60_500);
        let x = degree_of_saturation(&service, &[41_500, 21_500], 70_000);
        assert!((x - 800.0 / 1800.0 * 70.0 / 40.0).abs() < 1e-9, "{x}");
    }

    #[test]
    fn shortest_greens_are_kept_and_what_does_not_fit_is_none() {
        assert_eq!(splits(&two([800.0, 10.0], [5_000, 25_000]), 70_000), Some(vec![35_000, 25_000]));
        assert_eq!(splits(&two([800.0, 10.0], [40_000, 25_000]), 70_000), None);
    }

    #[test]
    fn a_lane_with_two_greens_takes_the_one_that_serves_more_besides() {
        let mut service = two([800.0, 400.0], [5_000; 2]);
        service.rates = vec![vec![0.5, 0.5], vec![0.0, 0.5]];
        let greens = splits(&service, 60_000).unwrap();
        assert!(greens[1] > 40_000, "{greens:?}");
    }

    #[test]
    fn the_cycle_of_least_delay_is_near_websters_formula() {
        for flows in [[400.0, 400.0], [600.0, 500.0], [700.0, 600.0]] {
            let service = two(flows, [5_000; 2]);
            let of = |cycle: u32| delay(&service, &splits(&service, cycle).unwrap(), cycle);
            let best = (20_000..=150_000).step_by(1_000).min_by(|a, b| of(*a).total_cmp(&of(*b))).unwrap();
            let webster = 20.0 / (1.0 - flows.iter().sum::<f64>() / 1800.0) * 1000.0;
            assert!((f64::from(best) / webster - 1.0).abs() < 0.3, "{best} {webster}");
        }
    }
}
