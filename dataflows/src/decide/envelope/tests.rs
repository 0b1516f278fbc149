//! Each rule with a case just inside of its bound and one just outside. Lamps are written as SUMO writes them:
//! `r`ed, `y`ellow, `G` protected, `g` permissive, `o`ff; one character a head.

use super::*;
use crate::decision::Interval;
use crate::ids::JunctionId;
use crate::network::{ConflictMatrix, Light};

/// When a story begins.
const T: u64 = 1_000_000;
/// Long enough for whatever may happen at all.
const LONG_MS: u64 = 100_000;

/// `Ok`, or who refuses and at which head.
type Verdict = Result<(), (EnvelopeRule, u16)>;

fn lamps(text: &str) -> Vec<Lamp> {
    text.chars().map(|c| Lamp::from_char(c).unwrap()).collect()
}

/// Heads: a way straight on, a left turn that may have to give way to it, a way across, and one that meets nobody.
fn crossing() -> Junction {
    let head = |yellow_ms, min_green_ms| Head { movements: Vec::new(), yellow_ms, min_green_ms };
    let mut conflicts = ConflictMatrix::new(4);
    conflicts.set(0, 1, Conflict::SecondYields);
    conflicts.set(0, 2, Conflict::Hard);
    conflicts.set(1, 2, Conflict::Hard);
    let stage = |lights: [Light; 4], walk_ms, clearance_ms| Stage {
        lights: lights.to_vec(),
        walk_ms,
        clearance_ms,
        ..Junction::of_two_stages().stages[0].clone()
    };
    use Light::{Permissive, Protected, Red};
    Junction {
        heads: vec![head(3_000, 5_000), head(4_000, 6_000), head(3_500, 7_000), head(2_000, 1_000)],
        conflicts,
        stages: vec![
            stage([Protected, Permissive, Red, Red], 10_000, 6_000),
            stage([Red, Red, Protected, Red], 0, 0),
            stage([Red, Protected, Red, Protected], 0, 0),
        ],
        all_red_ms: 2_000,
        ..Junction::of_two_stages()
    }
}

/// Two heads that relate so, and no stage with people on foot.
fn pair(conflict: Conflict) -> Junction {
    let mut junction = Junction::of_two_stages();
    junction.conflicts.set(0, 1, conflict);
    junction
}

/// What comes of one wish at `after_ms` when the lamps before are seen at `T`.
fn wish(junction: &Junction, before: &str, after_ms: u64, next: &str) -> Verdict {
    admit(junction, &mut Shown::seen(junction, T, &lamps(before)), T + after_ms, &lamps(next))
}

/// Wishes one after the other, each at so many ms after `T`, and what comes of them. A refusal changes nothing; what is taken
/// is shown.
fn play(junction: &Junction, shown: &mut Shown, wishes: &[(u64, &str, Verdict)]) {
    for (after_ms, next, verdict) in wishes {
        let (before, at_ms) = (shown.clone(), T + after_ms);
        assert_eq!(admit(junction, shown, at_ms, &lamps(next)), *verdict, "{next} after {after_ms} ms");
        match verdict {
            Ok(()) => assert_eq!((shown.lamps(), shown.at_ms()), (&lamps(next)[..], at_ms)),
            Err(_) => assert_eq!(*shown, before),
        }
    }
}

fn play_from(junction: &Junction, first: &str, wishes: &[(u64, &str, Verdict)]) -> Shown {
    let mut shown = Shown::seen(junction, T, &lamps(first));
    play(junction, &mut shown, wishes);
    shown
}

#[test]
fn a_head_alone_turns_from_lamp_to_lamp_as_it_may() {
    use EnvelopeRule::{Dark, Yellow};
    let mut junction = pair(Conflict::None);
    junction.heads.truncate(1);
    junction.conflicts = ConflictMatrix::new(1);
    for (before, next, verdict) in [
        ("r", "r", Ok(())),
        ("r", "y", Err(Yellow)),
        ("r", "G", Ok(())),
        ("r", "g", Ok(())),
        ("y", "r", Ok(())),
        ("y", "y", Ok(())),
        ("y", "G", Err(Yellow)),
        ("y", "g", Err(Yellow)),
        ("G", "r", Err(Yellow)),
        ("G", "y", Ok(())),
        ("G", "G", Ok(())),
        ("G", "g", Ok(())),
        ("g", "r", Err(Yellow)),
        ("g", "y", Ok(())),
        ("g", "G", Ok(())),
        ("g", "g", Ok(())),
        ("o", "r", Ok(())),
        ("o", "y", Err(Dark)),
        ("o", "G", Err(Dark)),
        ("o", "g", Err(Dark)),
    ] {
        assert_eq!(wish(&junction, before, LONG_MS, next), verdict.map_err(|rule| (rule, 0)), "{before} to {next}");
    }
    for before in ["r", "y", "G", "g", "o"] {
        assert_eq!(wish(&junction, before, LONG_MS, "o"), Err((Dark, 0)), "{before} is switched off");
    }
}

#[test]
fn a_command_has_as_many_lamps_as_the_junction_has_heads() {
    let junction = crossing();
    let refused = Err((EnvelopeRule::HeadCount, 0));
    for count in [0, 3, 5] {
        let mut shown = Shown::dark(4);
        assert_eq!(admit(&junction, &mut shown, T, &vec![Lamp::Red; count]), refused, "{count} lamps");
        let mut shown = Shown::dark(count);
        assert_eq!(admit(&junction, &mut shown, T, &[Lamp::Red; 4]), refused, "{count} lamps so far");
        let mut shown = Shown::dark(count);
        assert_eq!(admit(&junction, &mut shown, T, &vec![Lamp::Red; count]), refused, "{count} lamps always");
    }
    assert_eq!(admit(&junction, &mut Shown::dark(4), T, &[Lamp::Red; 4]), Ok(()));
}

#[test]
fn time_stands_or_runs_but_never_backwards() {
    let order = Err((EnvelopeRule::Order, 0));
    let wishes =
        [(0, "rrrr", Ok(())), (9, "rrrr", Ok(())), (8, "rrrr", order), (9, "rrrr", Ok(())), (10, "rrrr", Ok(()))];
    play_from(&crossing(), "rrrr", &wishes);
}

#[test]
fn no_lamp_is_switched_off() {
    assert_eq!(wish(&crossing(), "Ggrr", LONG_MS, "Ggro"), Err((EnvelopeRule::Dark, 3)));
    assert_eq!(wish(&crossing(), "oooo", LONG_MS, "rrro"), Err((EnvelopeRule::Dark, 3)));
}

#[test]
fn out_of_the_dark_all_show_red_and_then_all_red_passes() {
    use EnvelopeRule::{AllRed, Dark};
    let junction = crossing();
    let mut shown = Shown::dark(4);
    let wishes = [
        (0, "Grrr", Err((Dark, 0))),
        (0, "rrGr", Err((Dark, 2))),
        (0, "rrrr", Ok(())),
        (1_999, "rrGr", Err((AllRed, 2))),
        (2_000, "rrGr", Ok(())),
    ];
    assert!(shown.is_dark());
    play(&junction, &mut shown, &wishes);
    assert!(!shown.is_dark());
    // Nor does one go that was lit while another that it meets was dark.
    assert_eq!(wish(&junction, "roor", LONG_MS, "Grrr"), Err((AllRed, 0)));
    // It may if they do not meet.
    assert_eq!(wish(&junction, "ooor", LONG_MS, "rrrG"), Ok(()));
}

/// By what one shows, then the other: who goes or clears together.
#[test]
fn heads_that_conflict_go_together_only_if_one_gives_way() {
    use Conflict::{FirstYields, Hard, None, SecondYields};
    let all = ["rr", "ry", "rG", "rg", "yr", "yy", "yG", "yg", "Gr", "Gy", "GG", "Gg", "gr", "gy", "gG", "gg"];
    for (conflict, clashing) in [
        (None, vec![]),
        (FirstYields, vec!["Gy", "GG", "Gg"]),
        (SecondYields, vec!["yG", "GG", "gG"]),
        (Hard, vec!["yy", "yG", "yg", "Gy", "GG", "Gg", "gy", "gG", "gg"]),
    ] {
        let junction = pair(conflict);
        for both in all {
            let shown = Shown::seen(&junction, T, &lamps(both));
            let clashes = clashing.contains(&both);
            assert_eq!(shown.clashes(&junction), clashes, "{both}, {conflict:?}");
            let verdict = if clashes { Err((EnvelopeRule::Conflict, 0)) } else { Ok(()) };
            // What stands already is refused all the same.
            assert_eq!(wish(&junction, both, LONG_MS, both), verdict, "{both}, {conflict:?}");
        }
    }
}

#[test]
fn a_conflict_is_told_at_the_first_head_of_it() {
    use EnvelopeRule::Conflict;
    assert_eq!(wish(&crossing(), "rrrr", LONG_MS, "rGGr"), Err((Conflict, 1)));
    assert_eq!(wish(&crossing(), "rrrr", LONG_MS, "GrGG"), Err((Conflict, 0)));
    assert_eq!(wish(&crossing(), "rrrr", LONG_MS, "rrGG"), Ok(()));
}

#[test]
fn a_green_stands_its_shortest_time() {
    use EnvelopeRule::MinGreen;
    // Each head by its own time.
    play_from(&crossing(), "rrGr", &[(6_999, "rryr", Err((MinGreen, 2))), (7_000, "rryr", Ok(()))]);
    play_from(&crossing(), "rgrr", &[(5_999, "ryrr", Err((MinGreen, 1))), (6_000, "ryrr", Ok(()))]);
    // The time runs from when it went, whatever else has turned since.
    let story = [
        (2_000, "rrGr", Ok(())),
        (5_000, "rrGG", Ok(())),
        (8_999, "rryG", Err((MinGreen, 2))),
        (9_000, "rryG", Ok(())),
    ];
    play_from(&crossing(), "rrrr", &story);
}

#[test]
fn protected_and_permissive_are_one_green() {
    use EnvelopeRule::MinGreen;
    let story = [
        (3_000, "rgrr", Ok(())),
        (5_000, "rGrr", Ok(())),
        (5_999, "ryrr", Err((MinGreen, 1))),
        (6_000, "ryrr", Ok(())),
    ];
    play_from(&crossing(), "rGrr", &story);
}

#[test]
fn yellow_stands_its_time() {
    use EnvelopeRule::Yellow;
    play_from(&crossing(), "rryr", &[(3_499, "rrrr", Err((Yellow, 2))), (3_500, "rrrr", Ok(()))]);
    let story = [(6_000, "ryrr", Ok(())), (9_999, "rrrr", Err((Yellow, 1))), (10_000, "rrrr", Ok(()))];
    play_from(&crossing(), "rGrr", &story);
}

#[test]
fn all_red_passes_between_heads_that_conflict() {
    use EnvelopeRule::AllRed;
    let story = [
        (3_500, "rrrr", Ok(())),
        (5_499, "Grrr", Err((AllRed, 0))),
        (5_499, "rgrr", Err((AllRed, 1))),
        // That one meets nobody.
        (5_499, "rrrG", Ok(())),
        (5_500, "GgrG", Ok(())),
    ];
    play_from(&crossing(), "rryr", &story);
    // Nor while it still clears, be it its own turn to red, if all-red is needed.
    assert_eq!(wish(&pair(Conflict::Hard), "ry", LONG_MS, "Gr"), Err((AllRed, 0)));
    assert_eq!(wish(&pair(Conflict::None), "ry", LONG_MS, "Gr"), Ok(()));
}

#[test]
fn where_no_all_red_is_needed_one_goes_as_the_other_goes_red() {
    let junction = Junction { all_red_ms: 0, ..pair(Conflict::Hard) };
    play_from(&junction, "ry", &[(2_999, "Gr", Err((EnvelopeRule::Yellow, 1))), (3_000, "Gr", Ok(()))]);
    let junction = Junction { all_red_ms: 1, ..junction };
    let story = [(3_000, "Gr", Err((EnvelopeRule::AllRed, 0))), (3_000, "rr", Ok(())), (3_001, "Gr", Ok(()))];
    play_from(&junction, "ry", &story);
}

#[test]
fn one_that_gives_way_starts_beside_a_green_but_not_beside_one_that_ends() {
    use EnvelopeRule::AllRed;
    let junction = pair(Conflict::SecondYields);
    // The second gives way: to a green that goes on, not to one whose end is to come.
    assert_eq!(wish(&junction, "Gr", LONG_MS, "Gg"), Ok(()));
    assert_eq!(wish(&junction, "Gr", LONG_MS, "yg"), Err((AllRed, 1)));
    assert_eq!(wish(&junction, "yr", 1_000, "yg"), Err((AllRed, 1)));
    // The first starts beside one that gives way to it.
    assert_eq!(wish(&junction, "rg", LONG_MS, "Gg"), Ok(()));
    assert_eq!(wish(&junction, "rg", LONG_MS, "gg"), Ok(()));
    assert_eq!(wish(&junction, "rg", LONG_MS, "Gy"), Err((AllRed, 0)));
}

#[test]
fn nobody_has_to_give_way_from_one_moment_to_the_next() {
    use EnvelopeRule::AllRed;
    let junction = pair(Conflict::SecondYields);
    assert_eq!(wish(&junction, "rG", LONG_MS, "Gg"), Err((AllRed, 0)));
    // First it gives way, then the other goes.
    play_from(&junction, "rG", &[(0, "rg", Ok(())), (1, "Gg", Ok(()))]);
    // Where the two do not meet there is nothing to give way to.
    assert_eq!(wish(&pair(Conflict::None), "rG", LONG_MS, "Gg"), Ok(()));
}

#[test]
fn one_that_stops_giving_way_waits_as_one_that_starts() {
    use EnvelopeRule::AllRed;
    let junction = pair(Conflict::SecondYields);
    let story = [
        (5_000, "yg", Ok(())),
        (8_000, "rG", Err((AllRed, 1))),
        (8_000, "rg", Ok(())),
        (9_999, "rG", Err((AllRed, 1))),
        (10_000, "rG", Ok(())),
    ];
    play_from(&junction, "Gg", &story);
}

#[test]
fn a_stage_stands_until_its_crossings_are_walked_and_cleared() {
    use EnvelopeRule::Pedestrian;
    let story = [
        (0, "Ggrr", Ok(())),
        // The same again, in the middle, is no new stage.
        (9_000, "Ggrr", Ok(())),
        (15_999, "Gyrr", Err((Pedestrian, 1))),
        // Not even another head may go.
        (15_999, "GgrG", Err((Pedestrian, 3))),
        (16_000, "Gyrr", Ok(())),
    ];
    play_from(&crossing(), "Ggrr", &story);
    // It begins with the last of its lights.
    let story = [
        (6_000, "Ggrr", Ok(())),
        (21_999, "Gyrr", Err((Pedestrian, 1))),
        (22_000, "Gyrr", Ok(())),
        // What is left of it is no stage.
        (26_000, "yrrr", Ok(())),
    ];
    let shown = play_from(&crossing(), "Grrr", &story);
    assert_eq!(shown.stage(), None);
    // A stage without people on foot has no such time, nor have lights that are no stage's.
    assert_eq!(wish(&crossing(), "rrGr", 7_000, "rryr"), Ok(()));
    assert_eq!(wish(&crossing(), "Grrr", 5_000, "yrrr"), Ok(()));
}

#[test]
fn the_stage_is_the_one_whose_lights_are_shown_exactly() {
    let junction = crossing();
    for (shown, stage) in [("Ggrr", Some(0)), ("rrGr", Some(1)), ("rGrG", Some(2)), ("Grrr", None), ("rrrr", None)] {
        assert_eq!(Shown::seen(&junction, T, &lamps(shown)).stage(), stage, "{shown}");
    }
    assert_eq!(Shown::dark(4).stage(), None);
    let mut shown = play_from(&junction, "rrrr", &[(2_000, "rrGr", Ok(()))]);
    assert_eq!(shown.stage(), Some(1));
    play(&junction, &mut shown, &[(9_000, "rryr", Ok(()))]);
    assert_eq!(shown.stage(), None);
}

#[test]
fn what_is_shown_is_told_with_its_times() {
    let junction = crossing();
    let shown = play_from(&junction, "Ggyr", &[]);
    assert_eq!((shown.lamps(), shown.at_ms()), (&lamps("Ggyr")[..], T));
    assert_eq!((0..4).map(|head| shown.since_ms(head)).collect::<Vec<_>>(), [T; 4]);
    let story = [(3_000, "rgrr", Ok(())), (5_000, "rGrr", Ok(())), (9_000, "ryrG", Ok(())), (9_500, "ryrG", Ok(()))];
    let shown = play_from(&junction, "rGrr", &story);
    let since_ms: Vec<u64> = (0..4).map(|head| shown.since_ms(head) - T).collect();
    assert_eq!((since_ms, shown.at_ms()), (vec![0, 9_000, 0, 9_000], T + 9_500));
}

#[test]
fn one_lamp_that_is_off_is_dark() {
    let is_dark = |text: &str| Shown::seen(&crossing(), T, &lamps(text)).is_dark();
    assert!(is_dark("oooo") && is_dark("Ggro"));
    assert!(!is_dark("rrrr") && !is_dark("yGgr"));
}

#[test]
fn lamps_are_settled_when_the_last_of_them_may_turn() {
    let junction = crossing();
    for (text, settled_ms) in [
        ("Grrr", T + 5_000),
        ("rgrr", T + 6_000),
        ("Ggrr", T + 6_000),
        ("rryr", T + 3_500),
        ("rryG", T + 3_500),
        ("rrrr", 0),
        ("oooo", 0),
    ] {
        assert_eq!(Shown::seen(&junction, T, &lamps(text)).settled_ms(&junction), settled_ms, "{text}");
    }
    let shown = play_from(&junction, "rGrr", &[(6_000, "ryrr", Ok(())), (7_000, "ryrG", Ok(()))]);
    assert_eq!(shown.settled_ms(&junction), T + 10_000);
    assert_eq!(Shown::default().settled_ms(&junction), 0);
}

#[test]
fn a_witness_takes_the_first_command_as_given_and_holds_the_others_to_the_rules() {
    use EnvelopeRule::{HeadCount, MinGreen, Yellow};
    let second = Junction { id: JunctionId(1), ..pair(Conflict::Hard) };
    let city = City { junctions: vec![crossing(), second], ..City::default() };
    let mut witness = Witness::new(&city);
    let mut see = |junction: u32, after_ms: u64, text: &str, reason: StageReason| {
        let junction = JunctionId(junction);
        let (lamps, interval) = (lamps(text), Interval::Green);
        witness.see(&city, &SignalCommand { junction, at_ms: T + after_ms, stage: 0, interval, lamps, reason })
    };
    use StageReason::{Pressure, Start};
    // As many lamps as heads, from the first on.
    assert_eq!(see(0, 0, "rrr", Start), Err((HeadCount, 0)));
    assert_eq!(see(0, 0, "rrr", Pressure), Err((HeadCount, 0)));
    // Whatever the first command says, it is what is shown.
    assert_eq!(see(0, 0, "rrGr", Pressure), Ok(()));
    assert_eq!(see(0, 6_999, "rryr", Pressure), Err((MinGreen, 2)));
    assert_eq!(see(0, 7_000, "rryr", Pressure), Ok(()));
    assert_eq!(see(0, 7_000, "rrr", Pressure), Err((HeadCount, 0)));
    assert_eq!(see(0, 7_000, "rrrr", Pressure), Err((Yellow, 2)));
    // It is taken over anew: what was seen before does not count.
    assert_eq!(see(0, 8_000, "rrGr", Start), Ok(()));
    assert_eq!(see(0, 14_999, "rryr", Pressure), Err((MinGreen, 2)));
    assert_eq!(see(0, 15_000, "rryr", Pressure), Ok(()));
    // Not even then do two go that must not.
    assert_eq!(see(1, 0, "GG", Start), Err((EnvelopeRule::Conflict, 0)));
    assert_eq!(see(1, 0, "rG", Start), Ok(()));
    assert_eq!(see(1, 1, "ry", Pressure), Err((MinGreen, 1)));
}
