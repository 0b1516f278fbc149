use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const NOW_MS: u64 = 100_000_000;
const MINUTE_MS: u64 = 60_000;

/// A place on a street, so many minutes from its beginning at 10 m/s.
fn at(minute: i32) -> Point {
    Point { x_mm: minute * 600_000, y_mm: 0 }
}

fn times(to: Point, stops: &[Point]) -> Vec<u64> {
    stops.iter().map(|from| from.distance_mm(to) / 10).collect()
}

fn call(id: u64, priority: Priority, waited_min: u64, minute: i32) -> Demand {
    let opened_ms = NOW_MS - waited_min * MINUTE_MS;
    Demand { call: CallId(id), priority, opened_ms, at: at(minute), lacking: 1 }
}

fn free(id: u32, minute: i32) -> Available<Point> {
    Available { unit: UnitId(id), at: at(minute), stop: at(minute), task: None }
}

fn on_its_way(id: u32, minute: i32, to: Demand) -> Available<Point> {
    let left_ms = Some(at(minute).distance_mm(to.at) / 10);
    let Demand { call, priority, opened_ms, at: place, .. } = to;
    Available { task: Some(Task { call, priority, opened_ms, at: place, left_ms }), ..free(id, minute) }
}

fn planned(policy: &Policy, waiting: &[Demand], units: &[Available<Point>]) -> Plan {
    plan(policy, NOW_MS, waiting, units, |_| vec![Some(0); units.len()], times)
}

/// Moves as unit, the call it leaves and the call it goes to.
fn told(waiting: &[Demand], units: &[Available<Point>]) -> Vec<(u32, Option<u64>, Option<u64>)> {
    let moves = planned(&Policy::default(), waiting, units).moves;
    moves.iter().map(|m| (m.unit.0, m.from.map(|call| call.0), m.to.map(|(call, _)| call.0))).collect()
}

use Priority::{A, B, C};

#[test]
fn the_nearest_free_unit_goes_and_says_how_long_it_takes() {
    let plan = planned(&Policy::default(), &[call(7, A, 1, 10)], &[free(1, 3), free(2, 12)]);
    assert_eq!(plan.moves, [Move { unit: UnitId(2), from: None, to: Some((CallId(7), 2 * MINUTE_MS)) }]);
    assert_eq!(plan.look_again_ms, None);
    assert_eq!(planned(&Policy::default(), &[], &[free(1, 3)]), Plan::default());
    assert_eq!(planned(&Policy::default(), &[call(7, A, 1, 10)], &[]), Plan::default());
}

#[test]
fn of_calls_that_may_wait_the_nearest_is_served_and_in_the_end_the_oldest() {
    let near_and_old = |waited_min| [call(1, C, waited_min, 12), call(2, C, 1, 2)];
    assert_eq!(told(&near_and_old(30), &[free(1, 0)]), [(1, None, Some(2))]);
    assert_eq!(told(&near_and_old(150), &[free(1, 0)]), [(1, None, Some(1))], "two hours and a half buy 15 minutes");
    assert_eq!(told(&[call(1, C, 24 * 60, 90), call(2, B, 1, 2)], &[free(1, 0)]), [(1, None, Some(1))], "overdue");
    assert_eq!(told(&[call(1, C, 24 * 60, 90), call(2, A, 1, 2)], &[free(1, 0)]), [(1, None, Some(2))]);
}

#[test]
fn a_call_that_is_not_worth_the_way_waits_and_is_looked_at_again() {
    let plan = planned(&Policy::default(), &[call(1, C, 0, 40)], &[free(1, 0)]);
    assert_eq!((plan.moves, plan.look_again_ms), (vec![], Some(NOW_MS + 10_000)));
    assert_eq!(told(&[call(1, A, 0, 40)], &[free(1, 0)]), [(1, None, Some(1))], "never one of priority A");
}

#[test]
fn a_unit_on_its_way_is_taken_for_a_more_urgent_call_and_another_takes_over() {
    let less = call(1, C, 5, 10);
    assert_eq!(told(&[call(2, A, 1, 4)], &[on_its_way(1, 5, less)]), [(1, Some(1), Some(2))]);
    assert_eq!(
        told(&[call(2, A, 1, 4)], &[on_its_way(1, 5, less), free(2, 14)]),
        [(1, Some(1), Some(2)), (2, None, Some(1))]
    );
    assert_eq!(told(&[call(2, C, 1, 4)], &[on_its_way(1, 5, call(1, A, 5, 10))]), [], "never for a less urgent one");
}

#[test]
fn nobody_changes_for_a_few_seconds() {
    let mut near = free(2, 9);
    (near.at.x_mm, near.stop.x_mm) = (6_000_000 - 200_000, 6_000_000 - 200_000);
    let mut going = on_its_way(1, 9, call(1, B, 5, 10));
    (going.at, going.stop) = (near.at, near.stop);
    going.at.x_mm -= 100_000;
    going.stop = going.at;
    if let Some(task) = &mut going.task {
        task.left_ms = Some(30_000);
    }
    assert_eq!(told(&[], &[going, near]), [], "10 s");
    if let Some(task) = &mut going.task {
        task.left_ms = Some(120_000);
    }
    assert_eq!(told(&[], &[going, near]), [(1, Some(1), None), (2, None, Some(1))], "100 s");
}

#[test]
fn who_may_not_be_sent_may_go_on() {
    let units = [on_its_way(1, 5, call(1, C, 5, 10)), free(2, 9)];
    let plan = plan(&Policy::default(), NOW_MS, &[call(2, A, 1, 4)], &units, |_| vec![None; 2], times);
    assert_eq!(plan.moves, []);
}

#[test]
fn a_matrix_without_a_gain_lets_nobody_leave() {
    let policy = Policy { from_c: Gains::default(), ..Policy::default() };
    let units = [on_its_way(1, 5, call(1, C, 5, 10))];
    assert_eq!(planned(&policy, &[call(2, A, 1, 4)], &units).moves, []);
}

#[test]
fn what_can_still_be_reached_in_time_is() {
    // One unit is 7 min from both; the other, 9 min from the first call and 11 from the second.
    let calls = [call(1, A, 0, 9), call(2, A, 6, 11)];
    assert_eq!(told(&calls, &[free(1, 2), free(2, 0)]), [(1, None, Some(1)), (2, None, Some(2))]);
}

#[test]
fn where_units_are_short_the_reachable_is_served_but_none_for_ever() {
    let calls = |waited_min| [call(1, A, waited_min, 25), call(2, A, 1, 3)];
    assert_eq!(told(&calls(5), &[free(1, 0)]), [(1, None, Some(2))]);
    assert_eq!(told(&calls(20), &[free(1, 0)]), [(1, None, Some(1))]);
}

#[test]
fn several_units_go_to_one_call() {
    let many = Demand { lacking: 3, ..call(1, A, 1, 5) };
    assert_eq!(told(&[many], &[free(1, 0), free(2, 2)]), [(1, None, Some(1)), (2, None, Some(1))]);
    let more = Demand { lacking: 1, ..many };
    assert_eq!(told(&[more], &[on_its_way(1, 0, many), free(2, 2)]), [(2, None, Some(1))]);
}

#[test]
fn a_reserve_stays_at_hand_unless_a_call_is_overdue() {
    let mut policy = Policy::default();
    policy.c.reserve_units = 1;
    assert_eq!(planned(&policy, &[call(1, C, 5, 2)], &[free(1, 0)]).moves, []);
    assert_eq!(planned(&policy, &[call(1, C, 5, 2)], &[free(1, 0), free(2, 9)]).moves.len(), 1);
    assert_eq!(planned(&policy, &[call(1, C, 24 * 60, 2)], &[free(1, 0)]).moves.len(), 1);
    assert_eq!(planned(&policy, &[call(1, B, 5, 2)], &[free(1, 0)]).moves.len(), 1);
}

/// Calls that wait, units with the calls they are on their way to, and who may not be sent where.
fn situation() -> impl Strategy<Value = (Vec<Demand>, Vec<Available<Point>>, BTreeSet<(CallId, UnitId)>)> {
    let priority = prop_oneof![Just(A), Just(B), Just(C)];
    let demand = (priority, 0u64..1_500, -30i32..30, 1u16..3);
    let calls = proptest::collection::vec(demand, 0..9);
    let held = proptest::option::of((prop_oneof![Just(A), Just(B), Just(C)], 0u64..1_500, -30i32..30));
    let units = proptest::collection::vec((-30i32..30, held), 0..6);
    let refused = proptest::collection::btree_set((0u64..9, 0u32..6), 0..12);
    (calls, units, refused).prop_map(|(calls, units, refused)| {
        let numbered = calls.into_iter().enumerate();
        let waiting = numbered.map(|(n, (priority, waited, minute, lacking))| Demand {
            lacking,
            ..call(n as u64, priority, waited, minute)
        });
        let units = units.into_iter().enumerate().map(|(n, (minute, held))| match held {
            Some((priority, waited, to)) => on_its_way(n as u32, minute, call(100 + n as u64, priority, waited, to)),
            None => free(n as u32, minute),
        });
        let refused = refused.into_iter().map(|(call, unit)| (CallId(call), UnitId(unit))).collect();
        (waiting.collect(), units.collect(), refused)
    })
}

proptest! {
    #[test]
    fn a_plan_keeps_the_rules((waiting, units, refused) in situation()) {
        let policy = Policy::default();
        let extra = |call| units.iter().map(|u| (!refused.contains(&(call, u.unit))).then_some(0)).collect();
        let plan = plan(&policy, NOW_MS, &waiting, &units, extra, times);
        let task = |unit: UnitId| units.iter().find(|u| u.unit == unit).and_then(|u| u.task);

        let mut places: BTreeMap<CallId, usize> = waiting.iter().map(|d| (d.call, usize::from(d.lacking))).collect();
        units.iter().filter_map(|u| u.task).for_each(|task| { places.insert(task.call, 1); });
        let mut goes: BTreeMap<UnitId, Option<CallId>> = units.iter().map(|u| (u.unit, u.task.map(|t| t.call))).collect();
        let mut moved = BTreeSet::new();
        for m in &plan.moves {
            prop_assert!(moved.insert(m.unit), "no unit twice");
            prop_assert_eq!(m.from, task(m.unit).map(|task| task.call));
            prop_assert!(m.to.is_none_or(|(call, _)| !refused.contains(&(call, m.unit))), "nobody who may not");
            goes.insert(m.unit, m.to.map(|(call, _)| call));
        }
        for call in goes.values().flatten() {
            let left = places.get_mut(call).map(|left| { *left = left.saturating_sub(1); *left });
            prop_assert!(left.is_some());
        }
        for (call, places) in places {
            let sent = goes.values().filter(|to| **to == Some(call)).count();
            let all = waiting.iter().find(|d| d.call == call).map_or(1, |d| usize::from(d.lacking));
            prop_assert_eq!(sent + places, all, "no call has more units than it lacks");
        }
        // Where a call of priority A lacks a unit, none that could go there is free or on its way to a less urgent call.
        for short in waiting.iter().filter(|d| d.priority == A) {
            let sent = goes.values().filter(|to| **to == Some(short.call)).count();
            if sent < usize::from(short.lacking) {
                let priority = |call: CallId| {
                    let held = units.iter().filter_map(|u| u.task).find(|t| t.call == call).map(|t| t.priority);
                    held.or_else(|| waiting.iter().find(|d| d.call == call).map(|d| d.priority))
                };
                let idle = goes.iter().find(|(unit, to)| {
                    !refused.contains(&(short.call, **unit)) && to.is_none_or(|call| priority(call) != Some(A))
                });
                prop_assert!(idle.is_none(), "{:?} lacks a unit though {:?}", short, idle);
            }
        }
        let other_way: Vec<Demand> = waiting.iter().rev().copied().collect();
        prop_assert_eq!(super::plan(&policy, NOW_MS, &other_way, &units, extra, times), plan);
    }

    /// One unit, a new near call every few minutes, and an old one far away: it is served soon after it is overdue.
    #[test]
    fn the_wait_is_bounded(every_min in 3u64..9, far in 20i32..60) {
        let policy = Policy::default();
        let (old, mut minute, mut served) = (call(0, C, 0, far), 0, None);
        while served.is_none() && minute < 2 * policy.c.overdue_ms / MINUTE_MS {
            minute += every_min;
            let tick = NOW_MS + minute * MINUTE_MS;
            let fresh = Demand { opened_ms: tick, ..call(minute, C, 0, 1) };
            let plan = plan(&policy, tick, &[old, fresh], &[free(1, 0)], |_| vec![Some(0)], times);
            served = plan.moves.iter().find(|m| m.to.is_some_and(|(call, _)| call == old.call)).map(|_| minute * MINUTE_MS);
        }
        prop_assert!(served.is_some_and(|wait_ms| wait_ms <= policy.c.overdue_ms + every_min * MINUTE_MS));
    }
}
