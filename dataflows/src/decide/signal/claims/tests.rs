use super::*;
use crate::event::Priority;
use crate::ids::{BusId, UnitId};

/// Two stages with shortest greens of 10 s, two ways: the first stage serves the first, the second the second. A change takes
/// 5 s, a bus gets 10 s in a cycle.
fn ways() -> Ways {
    let served = [((LinkId(1), LinkId(3)), vec![0]), ((LinkId(2), LinkId(3)), vec![1])].into_iter().collect();
    let (green_ms, max_red_ms) = (vec![(10_000, 60_000); 2], 120_000);
    Ways { served, change_ms: 5_000, green_ms, max_red_ms, bus_ms: 10_000 }
}

fn comes(unit: u32, approach: u32, eta_s: u64, urgency: Priority) -> Asked {
    let (who, approach) = (Claimant::Unit(UnitId(unit)), LinkId(approach));
    Asked::Claimed(Claim { eta_ms: eta_s * 1_000, urgency, who, approach, out: LinkId(3), clear_ms: 6_000 })
}

fn bus(approach: u32, eta_s: u64) -> Asked {
    let (who, approach, urgency) = (Claimant::Bus(BusId(1)), LinkId(approach), Priority::C);
    Asked::Claimed(Claim { eta_ms: eta_s * 1_000, urgency, who, approach, out: LinkId(3), clear_ms: 0 })
}

fn heard(asked: &[Asked]) -> Claims {
    let mut claims = Claims::default();
    asked.iter().for_each(|a| claims.hear(a, 0));
    claims
}

/// What is wanted at a second, while a stage has stood for so long, where the junction by itself would choose another or not.
fn wanted(claims: &mut Claims, now_s: u64, stage: u16, stood_s: u64, chosen: u16) -> (u16, StageReason) {
    wanted_as(claims, now_s, (stage, stood_s, 0), (chosen, StageReason::Pressure))
}

fn wanted_as(
    claims: &mut Claims,
    now_s: u64,
    (stage, stood_s, waited_s): (u16, u64, u64),
    chosen: (u16, StageReason),
) -> (u16, StageReason) {
    let ways = ways();
    let now_ms = now_s * 1_000;
    claims.heard.iter_mut().for_each(|h| h.heard_ms = now_ms);
    claims
        .bend(&Standing { ways: &ways, now_ms, stage, stood_ms: stood_s * 1_000, waited_ms: waited_s * 1_000 }, chosen)
}

#[test]
fn green_comes_in_time_to_clear_the_queue_and_never_cuts_a_shortest_green() {
    // It comes at 100 s, the queue needs 6 s, the change 5 s and a second to decide: from 88 s on.
    let mut claims = heard(&[comes(7, 2, 100, Priority::A)]);
    assert_eq!(wanted(&mut claims, 87, 0, 30, 0), (0, StageReason::Pressure), "there is time");
    assert_eq!(wanted(&mut claims, 88, 0, 9, 0), (0, StageReason::Pressure), "people walk");
    assert_eq!(wanted(&mut claims, 88, 0, 10, 0), (1, StageReason::Preemption));
    assert_eq!(wanted_as(&mut claims, 88, (0, 30, 110), (0, StageReason::MaxRed)).0, 1, "before longest reds too");
}

#[test]
fn its_stage_is_not_left_when_it_could_not_come_back_in_time() {
    // Another stage takes 5 + 10 + 5 s; the queue must go from 94 s on.
    let mut claims = heard(&[comes(7, 2, 100, Priority::A)]);
    assert_eq!(wanted(&mut claims, 74, 1, 30, 0), (0, StageReason::Pressure));
    assert_eq!(wanted(&mut claims, 75, 1, 30, 0), (1, StageReason::Preemption));
}

#[test]
fn green_stands_until_it_has_passed_and_no_longer_than_the_hold() {
    let mut claims = heard(&[comes(7, 2, 100, Priority::A)]);
    for now_s in 95..145 {
        claims.hear(&comes(7, 2, now_s.max(100), Priority::A), now_s * 1_000);
        assert_eq!(wanted(&mut claims, now_s, 1, 20, 0), (1, StageReason::Preemption), "{now_s}");
    }
    assert_eq!(wanted(&mut claims, 145, 1, 70, 0), (0, StageReason::Pressure), "something else holds it up");
    let mut claims = heard(&[comes(7, 2, 100, Priority::A)]);
    assert_eq!(wanted(&mut claims, 99, 1, 20, 0).0, 1);
    claims.hear(&Asked::Released(Claimant::Unit(UnitId(7)), LinkId(2)), 101_000);
    assert_eq!(wanted(&mut claims, 101, 1, 22, 0), (0, StageReason::Pressure), "it has passed");
}

#[test]
fn of_two_units_the_first_to_come_is_served_then_the_more_urgent() {
    let mut claims = heard(&[comes(7, 1, 101, Priority::A), comes(8, 2, 100, Priority::B)]);
    assert_eq!(wanted(&mut claims, 95, 0, 30, 0).0, 1);
    let mut claims = heard(&[comes(7, 1, 100, Priority::A), comes(8, 2, 100, Priority::B)]);
    assert_eq!(wanted(&mut claims, 95, 1, 30, 1).0, 0);
    // One whose green stands keeps it though the other is nearer now.
    let mut claims = heard(&[comes(7, 1, 101, Priority::A), comes(8, 2, 100, Priority::A)]);
    assert_eq!(wanted(&mut claims, 98, 1, 30, 1).0, 1);
    claims.hear(&comes(8, 2, 110, Priority::A), 99_000);
    assert_eq!(wanted(&mut claims, 99, 1, 31, 1).0, 1);
}

#[test]
fn a_claim_that_is_not_repeated_is_over() {
    let mut claims = heard(&[comes(7, 2, 100, Priority::A)]);
    let ways = ways();
    let at = |now_ms| Standing { ways: &ways, now_ms, stage: 0, stood_ms: 20_000, waited_ms: 0 };
    claims.hear(&comes(7, 2, 100, Priority::A), 90_000);
    assert_eq!(claims.bend(&at(99_999), (0, StageReason::Idle)).0, 1);
    assert_eq!(claims.bend(&at(100_000), (0, StageReason::Idle)).0, 0);
}

#[test]
fn a_bus_prolongs_its_green_by_its_seconds_and_no_more_in_a_cycle() {
    let mut claims = heard(&[bus(2, 130)]);
    claims.bus = (100_000, 0);
    assert_eq!(wanted(&mut claims, 119, 1, 20, 0).0, 0, "it is too far away");
    let prolonged = (120..140).filter(|s| wanted(&mut claims, *s, 1, 20, 0) == (1, StageReason::Bus)).count();
    assert_eq!(prolonged, 10);
    assert_eq!(wanted(&mut claims, 139, 1, 20, 0), (0, StageReason::Pressure));
}

#[test]
fn a_bus_brings_its_green_forward_but_not_against_longest_reds_greens_or_units() {
    let early = |claims: &mut Claims, waited_s, reason| wanted_as(claims, 120, (0, 20, waited_s), (0, reason));
    assert_eq!(early(&mut heard(&[bus(2, 130)]), 0, StageReason::NotWorth), (1, StageReason::Bus));
    assert_eq!(early(&mut heard(&[bus(2, 130)]), 91, StageReason::NotWorth).0, 0, "somebody has waited for long");
    assert_eq!(early(&mut heard(&[bus(2, 130)]), 0, StageReason::MaxRed).0, 0);
    assert_eq!(early(&mut heard(&[bus(2, 140)]), 0, StageReason::NotWorth).0, 0, "it is too far away");
    let mut both = heard(&[bus(2, 130), comes(7, 1, 150, Priority::A)]);
    assert_eq!(early(&mut both, 0, StageReason::NotWorth).0, 0, "a unit comes by another way");
    assert_eq!(wanted(&mut heard(&[bus(2, 61)]), 60, 1, 60, 0).0, 0, "its green is as long as it may be");
}

#[test]
fn a_way_is_served_by_the_stage_that_protects_it_and_lets_its_approach_go() {
    use Light::{Permissive, Protected, Red};
    let mut junction = Junction::of_two_stages();
    let first = junction.stages[0].clone();
    let stage = |lights: [Light; 3]| crate::network::Stage { lights: lights.to_vec(), ..first.clone() };
    junction.stages =
        [[Permissive, Protected, Red], [Protected, Red, Red], [Protected, Protected, Red]].map(stage).to_vec();
    assert_eq!(best_stages(&junction, &[0], &[0, 1]), [2, 1]);
    assert_eq!(best_stages(&junction, &[2], &[2]), [] as [u16; 0], "no stage lets it go");
    junction.stages.truncate(1);
    assert_eq!(best_stages(&junction, &[0], &[0, 1]), [0], "better than nothing");
}

#[test]
fn a_stage_that_is_held_goes_before_everything_but_shortest_greens_and_units() {
    let mut claims = heard(&[bus(1, 105)]);
    claims.hold(0, Some(1), 200_000);
    assert_eq!(wanted(&mut claims, 100, 0, 9, 0), (0, StageReason::Pressure), "people walk");
    assert_eq!(wanted(&mut claims, 100, 0, 10, 0), (1, StageReason::Hold));
    assert_eq!(wanted(&mut claims, 106, 1, 1, 1), (1, StageReason::Hold), "it stands");
    assert_eq!(wanted_as(&mut claims, 190, (1, 84, 300), (0, StageReason::MaxRed)), (1, StageReason::Hold));
    claims.hear(&comes(7, 1, 195, Priority::A), 190_000);
    assert_eq!(wanted(&mut claims, 190, 1, 84, 1), (0, StageReason::Preemption));
    claims.hear(&Asked::Released(Claimant::Unit(UnitId(7)), LinkId(1)), 196_000);
    assert_eq!(wanted(&mut claims, 196, 0, 20, 0), (1, StageReason::Hold), "it comes back when the unit has passed");
    assert_eq!(wanted(&mut claims, 200, 0, 20, 0), (0, StageReason::Pressure), "its time is over");
}

#[test]
fn of_what_is_said_of_a_hold_the_last_word_counts() {
    let mut claims = Claims::default();
    claims.hold(5_000, Some(1), 200_000);
    claims.hold(4_000, None, 0);
    assert_eq!(wanted(&mut claims, 10, 0, 20, 0).0, 1, "that came late");
    claims.hold(6_000, None, 0);
    assert_eq!(wanted(&mut claims, 11, 0, 20, 0), (0, StageReason::Pressure));
}

#[test]
fn units_that_nobody_serves_are_told_once_while_they_claim() {
    let mut claims = heard(&[comes(7, 2, 100, Priority::A), bus(2, 100)]);
    assert_eq!(claims.not_served(1_000), [UnitId(7)]);
    assert_eq!(claims.not_served(2_000), []);
    claims.hear(&comes(8, 2, 100, Priority::A), 3_000);
    assert_eq!(claims.not_served(3_000 + UNHEARD_MS), [], "it does not come any more");
}
