//! Cyclic flow profiles: vehicles in each step of a cycle, the same in every cycle, as TRANSYT has them.
//!
//! Sources: D. I. Robertson, TRANSYT: a traffic network study tool, RRL report LR 253, 1969 (profiles, dispersion of platoons,
//! delay and stops of a vertical queue).

use super::service::Service;

/// Length of a step, ms.
pub(super) const STEP_MS: u32 = 2_000;
const STEP_S: f64 = STEP_MS as f64 / 1000.0;
/// Robertson's dispersion for streets with little in the way: the platoon's head comes after this share of the mean travel
/// time, ...
const HEAD_SHARE: f64 = 0.8;
/// ... and it spreads with so much of that.
const DISPERSION: f64 = 0.35;
/// A stop is worth so much delay, s: what braking and starting lose, and what drivers make of it.
const STOP_S: f64 = 6.0;
/// Above this degree of saturation queues grow from cycle to cycle, and offsets are of no use; profiles are cut to it.
const FULL: f64 = 0.97;

/// Vehicles in each step of a cycle.
pub(super) type Profile = Vec<f64>;

/// By lane, the vehicles that can leave in each of `steps` steps, the first of which begins with the first green; a cycle that
/// is shorter is repeated.
pub(super) fn serves(service: &Service, greens_ms: &[u32], steps: usize) -> Vec<Profile> {
    let lane = |lane: usize| {
        let mut profile = vec![0.0; steps];
        let mut from_ms = 0;
        while from_ms < steps as u32 * STEP_MS {
            for (n, step) in service.steps.iter().enumerate() {
                let green = service.rates[lane][n] * f64::from(greens_ms[n]) / 1000.0;
                spread(&mut profile, from_ms, greens_ms[n], green);
                spread(&mut profile, from_ms + greens_ms[n], step.intergreen_ms, service.between[lane][n]);
                from_ms += greens_ms[n] + step.intergreen_ms;
            }
        }
        profile
    };
    (0..service.flows.len()).map(lane).collect()
}

/// Spreads vehicles evenly over a time in the cycle.
fn spread(profile: &mut Profile, from_ms: u32, for_ms: u32, vehicles: f64) {
    let mut at_ms = from_ms;
    while vehicles > 0.0 && at_ms < from_ms + for_ms {
        let until_ms = ((at_ms / STEP_MS + 1) * STEP_MS).min(from_ms + for_ms);
        let steps = profile.len();
        profile[(at_ms / STEP_MS) as usize % steps] += vehicles * f64::from(until_ms - at_ms) / f64::from(for_ms);
        at_ms = until_ms;
    }
}

/// What arrives `travel_s` further down the street of what leaves in each step.
pub(super) fn dispersed(out: &[f64], travel_s: f64) -> Profile {
    let steps = out.len();
    let mean = travel_s / STEP_S;
    let keeps = 1.0 / (1.0 + DISPERSION * HEAD_SHARE * mean);
    let shift = HEAD_SHARE * mean;
    let (whole, part) = (shift as usize, shift - shift.floor());
    let at = |n: usize| {
        let back = (n + steps * (whole / steps + 2) - whole) % steps;
        out[back] * (1.0 - part) + out[(back + steps - 1) % steps] * part
    };
    let mut arrives = vec![0.0; steps];
    let mut before = out.iter().sum::<f64>() / steps as f64;
    // The second time round the beginning is forgotten.
    for n in 0..2 * steps {
        before += keeps * (at(n % steps) - before);
        arrives[n % steps] = before;
    }
    arrives
}

/// Delay and stops of a vertical queue in a cycle, vehicle seconds: `arrive(n)` vehicles come in step n, and up to `serve[n]`
/// leave; `out` is told how many do.
pub(super) fn queue(arrive: impl Fn(usize) -> f64, serve: &[f64], out: Option<&mut Profile>) -> f64 {
    let steps = serve.len();
    let arrivals: f64 = (0..steps).map(&arrive).sum();
    let cut = (FULL * serve.iter().sum::<f64>() / arrivals.max(1e-9)).min(1.0);
    let mut waiting = 0.0;
    for (n, served) in serve.iter().enumerate() {
        waiting = (waiting + arrive(n) * cut - served).max(0.0_f64);
    }
    let (mut cost, mut leaves) = (0.0, Vec::with_capacity(if out.is_some() { steps } else { 0 }));
    for (n, served) in serve.iter().enumerate() {
        let comes = arrive(n) * cut;
        let left = (waiting + comes).min(*served);
        let stops = if waiting > left { comes } else { (waiting + comes - left).min(comes) };
        waiting += comes - left;
        cost += waiting * STEP_S + stops * STOP_S;
        if out.is_some() {
            leaves.push(left);
        }
    }
    if let Some(out) = out {
        *out = leaves;
    }
    cost
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One vehicle in a step of `steps`.
    fn one(at: usize, steps: usize) -> Profile {
        (0..steps).map(|n| if n == at { 1.0 } else { 0.0 }).collect()
    }

    #[test]
    fn a_platoon_arrives_after_its_travel_time_and_spreads() {
        let near = dispersed(&one(0, 100), 10.0);
        let far = dispersed(&one(0, 100), 40.0);
        for (arrives, travel_s) in [(&near, 10.0), (&far, 40.0)] {
            assert!((arrives.iter().sum::<f64>() - 1.0).abs() < 1e-6);
            let mean_s: f64 = (0..100).map(|n| n as f64 * 2.0 * arrives[n]).sum();
            assert!((mean_s - travel_s).abs() < 0.15 * travel_s, "{mean_s} {travel_s}");
        }
        let peak = |p: &Profile| p.iter().copied().fold(0.0, f64::max);
        assert!(peak(&near) > 2.0 * peak(&far));
    }

    #[test]
    fn a_queue_costs_its_wait_and_its_stops_and_leaves_in_the_green() {
        let serve: Profile = (0..30).map(|n| if n >= 20 { 1.0 } else { 0.0 }).collect();
        let mut out = Profile::new();
        let early = one(10, 30);
        let cost = queue(|n| early[n], &serve, Some(&mut out));
        assert!((cost - (20.0 + STOP_S)).abs() < 1e-9, "ten steps of two seconds, and a stop: {cost}");
        assert_eq!(out, one(20, 30));
        let green = one(25, 30);
        assert_eq!(queue(|n| green[n], &serve, None), 0.0);
    }

    #[test]
    fn more_than_can_leave_is_cut() {
        let serve = one(5, 10);
        let mut out = Profile::new();
        let cost = queue(|_| 0.5, &serve, Some(&mut out));
        assert!(cost.is_finite() && (out.iter().sum::<f64>() - FULL).abs() < 1e-6, "{cost} {out:?}");
    }
}
