//! What one decision of dispatch costs: the matching of calls to units and of sites to supervisors, and travel times over
//! the streets of Edmonton, each figure beside its goal and, in the same run, beside how others do it. Costs are compared
//! with theirs. Fails when a goal is missed.
//!
//! `cargo bench --bench dispatch [-- PART..]`: `matching`, `roads`; without any, all. Needs `$NANMING_DATA/dispatch/edmonton`;
//! what is measured of scipy needs `python3` with scipy, and is left out without it. Everything is done several times and
//! the quickest counts, with scipy too: the other runs were interrupted by whoever shares the machine.

use std::process::ExitCode;
use std::time::{Duration, Instant};

mod edmonton;
mod matching;
#[path = "../measure/mod.rs"]
mod measure;
mod roads;
mod scipy;
use edmonton::Edmonton;
use measure::Goals;

fn main() -> ExitCode {
    let parts: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let asked = |part: &str| parts.is_empty() || parts.iter().any(|p| p == part);
    let mut goals = Goals::default();
    let edmonton = Edmonton::read();
    if asked("matching") {
        matching::measure(&edmonton, &mut goals);
    }
    if asked("roads") {
        roads::measure(&edmonton, &mut goals);
    }
    goals.verdict()
}

/// The time of the quickest of some runs, ms, and what the last one made.
fn least_ms<T>(runs: usize, mut work: impl FnMut() -> T) -> (f64, T) {
    let mut timed = || {
        let began = Instant::now();
        let made = work();
        (ms(began.elapsed()), made)
    };
    (1..runs).fold(timed(), |(least, _), _| {
        let (took, made) = timed();
        (took.min(least), made)
    })
}

fn percentile(took_ms: &mut [f64], share: f64) -> f64 {
    took_ms.sort_by(f64::total_cmp);
    took_ms[((took_ms.len() - 1) as f64 * share).round() as usize]
}

fn ms(took: Duration) -> f64 {
    took.as_secs_f64() * 1e3
}

fn say(what: &str, figure: String) {
    println!("       {what:<42}  {figure}");
}
