//! An engine that is killed, at length, and how soon it decides again. Fails when anything is lost, doubled or unsafe, or when a
//! start takes too long.
//!
//! `cargo bench --bench crash [-- KILLS [SEED]] [town]`: first the reference city at 1x with calls open is killed and started ten
//! times, and the time from each start to the first tick in the ledger is measured; then the reference city, fed with its events
//! from outside, is killed so often (200) at random moments, from a seed (1) that gives the same lives, with the checks of
//! `tests/crash`: at 50 calls/s by HTTP, and ten more by way of a Kafka broker, which is killed now and then, too. With `town` the
//! small city of the tests is killed instead. `tests/kafka.sh install` fetches the broker.
#![allow(clippy::unwrap_used)] // as in tests: one that cannot go on should panic

use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::json;

// What the tests have beside this is not used here.
#[path = "../../tests/crash/mod.rs"]
#[allow(dead_code, unused_imports)]
mod crash;
#[path = "../../tests/envelope/checker.rs"]
#[allow(dead_code)]
mod envelope;
mod kafka;
#[path = "../../tests/running.rs"]
#[allow(dead_code)]
mod running;

use crash::place::{REFERENCE, TOWN};
use crash::{Plan, Traffic, Victim, play};

const STARTS: usize = 10;
/// Calls that are raised in the life between two starts.
const CALLS: u64 = 50;
/// The life before a death.
const LIFE: Duration = Duration::from_secs(5);
/// The goal.
const START: Duration = Duration::from_secs(2);
/// Fifty calls a second.
const SENDERS: u64 = 20;
const EVERY: Duration = Duration::from_millis(400);
/// Ten more.
const TOPIC: Traffic = Traffic { every: Duration::from_millis(100), dies_once_in: 15 };

fn main() -> ExitCode {
    let mut numbers = std::env::args().filter_map(|a| a.parse().ok());
    let (kills, seed) = (numbers.next().unwrap_or(200), numbers.next().unwrap_or(1));
    let place = if std::env::args().any(|a| a == "town") { &TOWN } else { &REFERENCE };
    let name = place.name;
    let longest = starts_of_the_reference_city();
    let began = Instant::now();
    let (kills, topic) = (kills as usize, Some(TOPIC));
    let plan = Plan { place, seed, kills, senders: SENDERS, every: EVERY, topic, loses_power: false };
    let outcome = play(&plan);
    let a_second = |count: usize| count as f64 / outcome.lived.as_secs_f64();
    println!(
        "{name}, seed {seed}: {kills} kills in {:.0} s, of which it lived {:.0} s; {} calls accepted by HTTP ({:.1}/s), {} by way of \
         Kafka, whose broker was killed {} times; {} assignments told ({} times again), {} answers taken",
        began.elapsed().as_secs_f64(),
        outcome.lived.as_secs_f64(),
        outcome.accepted,
        a_second(outcome.accepted),
        outcome.written,
        outcome.broker_deaths,
        outcome.assignments,
        outcome.again,
        outcome.answers,
    );
    println!(
        "{} events of sensors taken ({:.0}/s), {} lost while it was dead; {} orders to lights; {} controllers: {} stages ordered, {} changes of \
         lamps, {} times taken over",
        outcome.fed.taken,
        a_second(outcome.fed.taken),
        outcome.fed.lost,
        outcome.orders,
        place.equipment.controllers,
        outcome.seen.wishes,
        outcome.seen.changes,
        outcome.seen.taken_over,
    );
    println!("nothing lost, nothing doubled, nothing outside the envelope");
    told(&format!("{name}, start to first tick"), &outcome.restarts);
    if longest < START {
        return ExitCode::SUCCESS;
    }
    println!("MISSED: a start of the reference city took {longest:.2?}, to be {START:?}");
    ExitCode::FAILURE
}

/// The longest.
fn starts_of_the_reference_city() -> Duration {
    let mut victim = Victim::new(tempfile::tempdir().unwrap(), vec![], &["--start", "08:00"]);
    victim.start(&[]);
    victim.wait_until_healthy();
    let mut starts = Vec::new();
    for start in 0..STARTS as u64 {
        (0..CALLS).for_each(|call| raise(&victim, start * CALLS + call + 1));
        std::thread::sleep(LIFE);
        victim.kill();
        victim.start(&[]);
        starts.push(victim.wait_until_healthy());
        for call in 1..=(start + 1) * CALLS {
            let page = victim.get(&format!("/calls/{call}")).unwrap();
            assert_eq!(page.0, 200, "call {call} is lost");
        }
    }
    told("reference city at 1x, start to first tick", &starts);
    starts.into_iter().max().unwrap_or_default()
}

fn raise(victim: &Victim, id: u64) {
    let (lon, lat) = (106.59 + (id * 7 % 80) as f64 / 1000.0, 26.61 + (id * 13 % 80) as f64 / 1000.0);
    let alarm = json!({"id": id, "priority": "B", "category": "help", "lon": lon, "lat": lat, "words": "bench"});
    let url = format!("http://{}/calls", victim.at.now().unwrap());
    assert_eq!(ureq::post(url).send(alarm.to_string()).unwrap().status(), 201);
}

fn told(what: &str, times: &[Duration]) {
    let mut times = times.to_vec();
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64();
    println!("{what}: {} times, p50 {:.2} s, longest {:.2} s", times.len(), at(0.5), at(1.0));
}
