//! From a call's POST to its push: the real `nanming run` with the reference city, 2,000 terminals connected and 200 calls a
//! second, each answered and closed at once by the unit that is sent, so that units stay free. Both the call and its
//! assignment are on the disk (`synchronous=FULL`) before the push. Fails when a goal is missed.
//!
//! `cargo bench --bench push [-- SECONDS [TERMINALS [CALLS_PER_S]]]`; both ends and the disk on this machine. Beside it the
//! floor, measured in the same run: two bare SQLite commits of the same kind and an echo over loopback; and where the time
//! goes, by the city's own metrics.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

#[path = "../measure/mod.rs"]
mod measure;
use measure::Goals;

mod city;
mod floor;
mod terminals;
use city::{City, Stage};
use terminals::Watch;

const P99_MS: f64 = 5.0;
/// Calls that only warm the city up.
const WARM_UP: usize = 200;

fn main() -> ExitCode {
    let mut numbers = measure::numbers();
    let seconds = numbers.next().unwrap_or(30) as usize;
    let terminals = numbers.next().unwrap_or(2_000) as usize;
    let per_s = numbers.next().unwrap_or(200) as usize;
    let calls = WARM_UP + seconds * per_s;
    let floor = floor::measure(400);
    let city = City::start(terminals);
    let watch = Arc::new(Watch::new(calls));
    let runtime = terminals::runtime();
    let connected = runtime.block_on(terminals::connect(&city, terminals, &watch));
    city.wait_until_free(terminals);
    println!("{connected} terminals connected, {per_s} calls/s for {seconds} s");
    terminals::post(&city, &watch, 0..WARM_UP, per_s);
    let before = city.stages();
    terminals::post(&city, &watch, WARM_UP..calls, per_s);
    runtime.block_on(watch.settled(WARM_UP..calls, Duration::from_secs(10)));
    let after = city.stages();
    let pushed = watch.pushed_ms(WARM_UP..calls);
    println!("                      pushed:   {}", quantiles(&pushed));
    println!("                      answered: {}", quantiles(&watch.accepted_ms(WARM_UP..calls)));
    println!("                      floor:    {}", quantiles(&floor));
    print_stages(&before, &after);
    let mut goals = Goals::default();
    goals.most("POST to push, p99 ms", quantile(&pushed, 0.99), P99_MS);
    goals.most("calls never pushed", (calls - WARM_UP - pushed.len()) as f64, 1.0);
    goals.most("calls pushed to two units", watch.doubled() as f64, 1.0);
    goals.verdict()
}

/// Means of each stage between two looks.
fn print_stages(before: &[Stage], after: &[Stage]) {
    for (before, after) in before.iter().zip(after) {
        let (count, sum_s) = (after.count - before.count, after.sum_s - before.sum_s);
        println!(
            "                      {:<34} {count:>7} times, mean {:.2} ms",
            after.name,
            sum_s * 1000.0 / count.max(1.0)
        );
    }
}

/// Of sorted values; infinite when there is none.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let row = ((sorted.len() as f64 * share).ceil() as usize).clamp(1, sorted.len().max(1)) - 1;
    sorted.get(row).copied().unwrap_or(f64::INFINITY)
}

fn quantiles(sorted: &[f64]) -> String {
    let at = |share| quantile(sorted, share);
    format!("{} times: p50 {:.2} ms, p99 {:.2} ms, longest {:.2} ms", sorted.len(), at(0.5), at(0.99), at(1.0))
}
