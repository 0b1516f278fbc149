//! Matching: 500 calls to 2,000 units, one more call, and 1,300 sites to 145 supervisors with 9 to 12 each.

use std::time::Instant;

use nanming_dataflows::matching::{FORBIDDEN, Matching};
use nanming_dataflows::roads::{Place, UNREACHABLE, Weights};

use crate::edmonton::Edmonton;
use crate::measure::Goals;
use crate::{least_ms, ms, percentile, say, scipy};

const CALLS: usize = 500;
const UNITS: usize = 2_000;
const SITES: usize = 1_300;
const SUPERVISORS: usize = 145;
/// The goals, ms.
const ONE_MORE_MS: f64 = 2.0;
const FULL_MS: f64 = 20.0;

pub(crate) fn measure(edmonton: &Edmonton, goals: &mut Goals) {
    let weights = edmonton.graph.customise(&edmonton.arc_ms);
    calls_to_units(edmonton, &weights, goals);
    sites_to_supervisors(edmonton, &weights, goals);
}

fn calls_to_units(edmonton: &Edmonton, weights: &Weights, goals: &mut Goals) {
    let (units, calls) = (edmonton.places(UNITS, 1), edmonton.places(CALLS, 2));
    let costs = costs(edmonton, weights, &calls, &units);
    let (full_ms, matching) = least_ms(41, || solve(&costs, vec![1; UNITS]));
    println!("{CALLS} calls to {UNITS} units");
    goals.most("all anew, ms", full_ms, FULL_MS);
    scipy::compare(&costs, &[1; UNITS], matching.cost(), goals);
    one_more(edmonton, weights, &units, matching, goals);
}

/// A call comes, is matched, and goes: with the search for its place on the streets and the times of all units to it.
fn one_more(edmonton: &Edmonton, weights: &Weights, units: &[Place], mut matching: Matching, goals: &mut Goals) {
    let (mut whole_ms, mut alone_ms, mut gone_ms) = (Vec::new(), Vec::new(), Vec::new());
    for call in edmonton.points(1_000, 3) {
        let mut quickest = [f64::MAX; 3];
        for _ in 0..5 {
            let began = Instant::now();
            let times = edmonton.graph.times_to(weights, units, &edmonton.access.place(call));
            let costs: Vec<i64> = times.into_iter().map(cost).collect();
            let known = Instant::now();
            let row = matching.insert_row(0, &costs);
            let matched = Instant::now();
            matching.remove_row(row);
            let took = [matched - began, matched - known, matched.elapsed()].map(ms);
            quickest.iter_mut().zip(took).for_each(|(quickest, took)| *quickest = took.min(*quickest));
        }
        whole_ms.push(quickest[0]);
        alone_ms.push(quickest[1]);
        gone_ms.push(quickest[2]);
    }
    let half = percentile(&mut whole_ms, 0.5);
    goals.most("one more call, travel times included, ms", percentile(&mut whole_ms, 0.99), ONE_MORE_MS);
    say("its median", format!("{half:.3} ms"));
    let spread = |took: &mut [f64]| format!("{:.4} ms, p99 {:.4} ms", percentile(took, 0.5), percentile(took, 0.99));
    say("matching alone, median", spread(&mut alone_ms));
    say("a call that goes, median", spread(&mut gone_ms));
}

fn sites_to_supervisors(edmonton: &Edmonton, weights: &Weights, goals: &mut Goals) {
    let (sites, supervisors) = (edmonton.places(SITES, 4), edmonton.places(SUPERVISORS, 5));
    let costs = costs(edmonton, weights, &sites, &supervisors);
    println!("{SITES} sites to {SUPERVISORS} supervisors");
    let capacities: Vec<u32> = (0..SUPERVISORS as u32).map(|row| 9 + row % 4).collect();
    let (took_ms, matching) = least_ms(9, || solve(&costs, capacities.clone()));
    goals.most("9 to 12 each, ms", took_ms, FULL_MS);
    scipy::compare(&costs, &capacities, matching.cost(), goals);
    // The hardest case: no place to spare.
    let spare = 9 * SUPERVISORS - SITES;
    let capacities: Vec<u32> = (0..SUPERVISORS).map(|row| if row < spare { 8 } else { 9 }).collect();
    let (took_ms, matching) = least_ms(9, || solve(&costs, capacities.clone()));
    say("8 or 9 each, no place to spare", format!("{took_ms:.2} ms"));
    scipy::compare(&costs, &capacities, matching.cost(), goals);
}

fn solve(costs: &[Vec<i64>], capacities: Vec<u32>) -> Matching {
    let mut matching = Matching::new(capacities);
    costs.iter().for_each(|row| {
        matching.insert_row(0, row);
    });
    matching
}

/// For each of `to` a row: the time of each of `from` to it.
fn costs(edmonton: &Edmonton, weights: &Weights, to: &[Place], from: &[Place]) -> Vec<Vec<i64>> {
    let times = edmonton.graph.times(weights, from, to);
    (0..to.len()).map(|row| times.iter().skip(row).step_by(to.len()).map(|ms| cost(*ms)).collect()).collect()
}

fn cost(ms: u32) -> i64 {
    if ms == UNREACHABLE { FORBIDDEN } else { i64::from(ms) }
}
