//! How surges leave.

use super::*;

/// An evening with an event on a usual day: `stay` minutes with 6000 people more, who then leave evenly within `leave`
/// minutes. What was expected at each of its minutes.
fn evening(hall: &mut Hall, day: u64, stay: u64, leave: u64) -> Vec<CrowdState> {
    hall.ordinary_until(day, 19 * 60);
    let mut minute = |more: u64| hall.seen(usual(hall.minute) + more as u32);
    let stay: Vec<_> = (0..stay).map(|_| minute(6_000)).collect();
    let leave: Vec<_> = (1..=leave).map(|gone| minute(6_000 - 6_000 * gone / leave)).collect();
    hall.ordinary_until(day + 1, 0);
    stay.into_iter().chain(leave).collect()
}

fn next_hour(state: &CrowdState) -> u32 {
    state.outflow.iter().sum()
}

#[test]
fn before_any_surge_was_seen_nobody_is_expected_to_leave_until_they_begin_to() {
    let mut hall = Hall::new();
    hall.ordinary_until(3, 0);
    let told = evening(&mut hall, 3, 90, 40);
    assert!(told[5].surge);
    // Of those who are usual at seven, a thousand go within the hour.
    assert!(told[..90].iter().all(|state| next_hour(state) < 1_200));
    let half = &told[110];
    assert!((2_500..=3_800).contains(&next_hour(half)), "{half:?}");
    assert!(told.iter().all(|state| next_hour(state) <= state.people + 100));
}

#[test]
fn after_some_surges_it_is_known_when_they_leave_and_in_what_pattern() {
    let mut hall = Hall::new();
    hall.ordinary_until(3, 0);
    for day in 3..5 {
        evening(&mut hall, day, 90, 40);
    }
    let told = evening(&mut hall, 7, 90, 40);
    assert!(next_hour(&told[10]) < 2_000, "it has just begun: {:?}", told[10].outflow);
    assert!(next_hour(&told[80]) > 4_000, "it will soon be over: {:?}", told[80].outflow);
    // Of those who are still there after a quarter of the time, 4500, all have gone half an hour later.
    let state = &told[100];
    let soon: u32 = state.outflow[..6].iter().sum();
    assert!((3_800..=4_900).contains(&soon), "{state:?}");
    assert!(state.outflow[..5].iter().all(|left| (500..1_100).contains(left)), "{:?}", state.outflow);
    assert!(state.outflow[8..].iter().all(|left| *left < 200), "{:?}", state.outflow);
}

#[test]
fn who_is_only_out_for_a_while_does_not_leave() {
    let mut hall = Hall::new();
    hall.ordinary_until(3, 19 * 60);
    for _ in 0..30 {
        hall.seen(8_000);
    }
    for _ in 0..8 {
        hall.seen(6_000);
    }
    assert!(next_hour(&hall.seen(6_000)) > 3_000);
    let back = (0..12).map(|_| hall.seen(8_000)).last().unwrap();
    assert!(back.surge && next_hour(&back) < 1_200, "{back:?}");
}

#[test]
fn gates_tell_at_which_rate_the_usual_people_leave() {
    let mut hall = Hall::new();
    let state = (0..300).map(|_| hall.minute(&[Counted::AtGates(20, 20), Counted::InView(CameraId(0), 1_000)])).last();
    let state = state.unwrap();
    assert!(state.outflow.iter().all(|left| (90..=105).contains(left)), "20 a minute: {state:?}");
}
