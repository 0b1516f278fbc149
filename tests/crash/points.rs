//! Death at every place between two steps of a tick's way.

use nanming::fail::POINTS;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;

use super::{IN_TOWN, Plan, Rig, TOWN, setting};
use crate::envelope::below;

const SIGABRT: i32 = 6;
/// It dies at one of so many first passes.
const PASSES: usize = 6;
/// Moving pages has a round each half second.
const ROUNDS: usize = 2;

#[test]
fn killed_between_any_two_steps_nothing_is_lost_doubled_or_unsafe() {
    let seed = setting("NANMING_SEED", 2);
    eprintln!("NANMING_SEED={seed}");
    let (city, mut random) = (TOWN.city(), ChaCha8Rng::seed_from_u64(seed));
    let mut rig = Rig::new(&city, &Plan { seed, ..IN_TOWN });
    for point in POINTS {
        let passes = if point.starts_with("checkpoint") { ROUNDS } else { PASSES };
        let at = format!("{point}:{}", 1 + below(&mut random, passes));
        rig.victim.start(&[("NANMING_FAIL_AT", &at)]);
        let (_, signal) = rig.victim.wait_for_its_end(&at);
        assert_eq!(signal, Some(SIGABRT), "{at}: {}", rig.victim.last_words());
        rig.inquest(&at);
    }
    rig.victim.start(&[]);
    let outcome = rig.end();
    eprintln!("{outcome:?}");
    assert!(outcome.accepted > POINTS.len() && outcome.assignments > POINTS.len(), "{outcome:?}");
}

#[test]
fn a_place_that_there_is_not_is_refused() {
    let mut victim = super::Victim::new(tempfile::tempdir().unwrap(), vec![], &["--no-sim"]);
    victim.start(&[("NANMING_FAIL_AT", "ledger.nowhere:1")]);
    assert_eq!(victim.wait_for_its_end("a refusal"), (Some(1), None));
    victim.wait_for("why", |victim| victim.last_words().contains("places are door.after_street"));
}
