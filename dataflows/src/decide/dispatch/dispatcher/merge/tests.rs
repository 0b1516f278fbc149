use CallPhase::*;

use super::super::super::tests::streets;
use super::super::super::{Calls, Centre, Dispatch, DispatchEvent, DispatchNews, UnitPlace};
use super::*;
use crate::event::{Ack, Answer, AssignmentId, Priority, Skill};
use crate::ids::{DistrictId, GridId, RegionId, UnitId};
use crate::keyed::{Machine, Outbox};
use crate::network::{Alike, Grid, Merging, Point, Unit};

const KM: i32 = 1_000_000;

struct Test {
    dispatch: Dispatch,
    calls: Calls,
    tick: u64,
}

/// What was said: phases by call, merges, and what was refused.
#[derive(Debug, Default, PartialEq)]
struct Said {
    phases: Vec<(u64, CallPhase)>,
    /// Calls that are of their own again.
    own: Vec<u64>,
    merges: Vec<(u64, u64, Priority, Needs)>,
    referrals: Vec<(u64, Option<i32>)>,
    sent: Vec<u64>,
    rejected: Vec<Reason>,
    seqs: Vec<u32>,
}

impl Test {
    /// A street of 2 km in one grid, and two units there, one of them armed.
    fn new() -> Test {
        let mut city = streets(&[0, 1, 2].map(|km| Point { x_mm: km * KM, y_mm: 0 }));
        let (min, max) = (Point { x_mm: -KM, y_mm: -KM }, Point { x_mm: 3 * KM, y_mm: KM });
        let (id, region, district) = (GridId(0), RegionId(0), DistrictId(0));
        city.grids.push(Grid { id, name: String::new(), min, max, district, region });
        for (row, skills) in [vec![], vec![Skill::Armed, Skill::Car]].into_iter().enumerate() {
            let (id, name, post, shift_min) = (UnitId(row as u32), String::new(), Point { x_mm: 0, y_mm: 0 }, (0, 0));
            city.units.push(Unit { id, name, grid: GridId(0), region, post, shift_min, skills: skills.into() });
        }
        let row = |categories: &[Category], at_least| Alike { categories: categories.to_vec(), at_least };
        let alike =
            vec![row(&[Category::Collision], Priority::C), row(&[Category::Crime, Category::Disturbance], Priority::A)];
        city.merging = Merging { distance_mm: 150_000, within_ms: 600_000, alike };
        Test { dispatch: Dispatch::new(&city), calls: Calls::default(), tick: 1_000_000 }
    }

    fn step(&mut self, after_ms: u64, news: &[DispatchNews]) -> Said {
        self.tick += after_ms;
        let event = |what: &DispatchNews| (Centre, DispatchEvent { time_ms: self.tick, what: *what });
        let mut events: Vec<_> = news.iter().map(event).collect();
        events.sort_unstable();
        let mut out = Outbox::new();
        self.dispatch.step(Centre, &mut self.calls, self.tick, &events, &mut out);
        let mut said = Said::default();
        for word in out.said() {
            match word {
                DispatchSaid::Status(s) => {
                    said.phases.push((s.call.0, s.phase));
                    said.seqs.push(s.seq);
                }
                DispatchSaid::Merged(m) => {
                    said.merges.extend(m.into.map(|into| (m.call.0, into.0, m.facts.priority, m.facts.needs)));
                    said.own.extend(m.into.is_none().then_some(m.call.0));
                }
                DispatchSaid::Referral(r) => said.referrals.push((r.call.0, r.facts.map(|facts| facts.at.x_mm))),
                DispatchSaid::Assignment(a) => said.sent.push(a.call.0),
                DispatchSaid::Rejected(r) => said.rejected.push(r.reason),
                DispatchSaid::Errand(_) | DispatchSaid::AssignmentStatus(_) | DispatchSaid::Escalation(_) => {}
            }
        }
        said
    }

    fn say(&mut self, id: u64, change: CallChange) -> Said {
        self.step(1_000, &[call(id, change)])
    }

    /// Call 1, a collision, with unit 0 on its way; calls 2 and 3 joined it.
    fn with_three() -> Test {
        let mut test = Test::new();
        test.say(1, CallChange::Opened(collision(Priority::B)));
        test.step(0, &[here(0)]);
        for id in [2, 3] {
            let said = test.say(id, CallChange::Opened(collision(Priority::B)));
            assert_eq!((said.phases, said.sent), (vec![(id, Merged)], vec![]));
        }
        test
    }
}

fn call(id: u64, change: CallChange) -> DispatchNews {
    DispatchNews::Call(CallId(id), change)
}

fn here(unit: u32) -> DispatchNews {
    DispatchNews::UnitHere(UnitId(unit), UnitPlace { at: Point { x_mm: 0, y_mm: 0 }, available: true })
}

fn facts(category: Category, priority: Priority, x_m: i32) -> CallFacts {
    let at = Point { x_mm: x_m * 1000, y_mm: 0 };
    CallFacts { priority, category, at, grid: GridId(0), needs: Needs::ONE }
}

fn collision(priority: Priority) -> CallFacts {
    facts(Category::Collision, priority, 0)
}

#[test]
fn a_call_about_the_same_incident_joins_the_one_that_is_open_and_raises_it() {
    let mut test = Test::new();
    test.say(1, CallChange::Opened(collision(Priority::C)));
    let needs = Needs { units: 2, skills: [Skill::Armed].into_iter().collect() };
    let worse = CallFacts { needs, ..facts(Category::Collision, Priority::A, 149) };
    let said = test.say(2, CallChange::Opened(worse));
    assert_eq!((said.phases, said.merges), (vec![(1, Waiting), (2, Merged)], vec![(2, 1, Priority::A, needs)]));
    let said = test.say(3, CallChange::Opened(facts(Category::Collision, Priority::C, 100)));
    assert_eq!(said.merges, [(3, 1, Priority::A, needs)], "a calmer caller lowers nothing");
    let said = test.step(0, &[here(0), here(1)]);
    assert!(said.sent.iter().all(|id| *id == 1) && !said.sent.is_empty(), "units go to one call: {said:?}");
}

#[test]
fn what_is_far_or_late_or_of_another_kind_is_a_call_of_its_own() {
    for (other, after_ms) in [
        (facts(Category::Collision, Priority::B, 151), 1_000),
        (facts(Category::Collision, Priority::B, 0), 600_001),
        (facts(Category::Crime, Priority::A, 0), 1_000),
        (facts(Category::Help, Priority::B, 0), 1_000),
    ] {
        let mut test = Test::new();
        test.say(1, CallChange::Opened(collision(Priority::B)));
        let said = test.step(after_ms, &[call(2, CallChange::Opened(other))]);
        assert_eq!((said.phases, said.merges), (vec![(2, Waiting)], vec![]), "{other:?}");
    }
    let mut test = Test::new();
    test.say(1, CallChange::Opened(facts(Category::Crime, Priority::A, 0)));
    assert_eq!(test.say(2, CallChange::Opened(facts(Category::Disturbance, Priority::A, 0))).phases, [(2, Merged)]);
    assert_eq!(test.say(3, CallChange::Opened(facts(Category::Disturbance, Priority::B, 0))).phases, [(3, Waiting)]);
}

#[test]
fn skills_that_no_unit_has_together_are_not_asked_for_together() {
    for (first, second, asked) in
        [(Skill::Armed, Skill::Car, vec![Skill::Armed, Skill::Car]), (Skill::Dog, Skill::Armed, vec![Skill::Armed])]
    {
        let mut test = Test::new();
        let with = |skill| CallFacts {
            needs: Needs { units: 1, skills: [skill].into_iter().collect() },
            ..collision(Priority::A)
        };
        test.say(1, CallChange::Opened(with(first)));
        let said = test.say(2, CallChange::Opened(with(second)));
        assert_eq!(said.merges[0].3.skills, Skills::from(asked));
    }
}

#[test]
fn one_callers_withdrawal_takes_that_one_out_and_the_last_ones_ends_the_call() {
    let mut test = Test::with_three();
    assert_eq!(test.say(1, CallChange::Cancelled), Said::default(), "it goes on for the two others");
    assert_eq!(test.say(1, CallChange::Cancelled).rejected, [Reason::CallClosed]);
    assert_eq!(test.say(3, CallChange::Cancelled).phases, [(3, Cancelled)]);
    assert_eq!(test.say(2, CallChange::Cancelled).phases, [(2, Cancelled), (1, Cancelled)]);
    assert_eq!(test.say(2, CallChange::Cancelled).rejected, [Reason::CallClosed]);
    let mut test = Test::with_three();
    test.say(2, CallChange::Cancelled);
    test.say(3, CallChange::Cancelled);
    assert_eq!(test.say(1, CallChange::Cancelled).phases, [(1, Cancelled)]);
}

#[test]
fn the_call_that_stands_for_all_ends_for_all() {
    let mut test = Test::with_three();
    let assignment = AssignmentId { call: CallId(1), attempt: 1 };
    let ack = Ack { time_ms: test.tick, unit: UnitId(0), assignment, answer: Answer::Closed };
    let said = test.step(1_000, &[DispatchNews::Answered(ack)]);
    assert_eq!(said.phases, [(1, Closed), (2, Closed), (3, Closed)]);
    assert_eq!(test.say(2, CallChange::Split(collision(Priority::B))).rejected, [Reason::UnknownCall]);
    assert_eq!(test.say(2, CallChange::Opened(collision(Priority::B))).rejected, [Reason::DuplicateCall]);
    assert_eq!(test.say(4, CallChange::Opened(collision(Priority::B))).phases[0], (4, Waiting), "a new incident");
}

#[test]
fn a_call_that_is_split_off_is_its_own_and_is_not_merged_again() {
    let mut test = Test::with_three();
    let said = test.say(2, CallChange::Split(collision(Priority::B)));
    assert_eq!((said.phases, said.seqs), (vec![(2, Waiting)], vec![2]), "what is said later has the greater number");
    let raised = test.say(2, CallChange::Updated(collision(Priority::A))).phases;
    assert_eq!(
        raised,
        [(2, Waiting), (1, Waiting), (2, Assigned)],
        "its priority is told; it takes the unit of the other"
    );
    assert_eq!(test.say(2, CallChange::Split(collision(Priority::A))).rejected, [Reason::UnknownCall]);
    test.say(1, CallChange::Cancelled);
    let said = test.say(3, CallChange::Split(collision(Priority::B)));
    assert_eq!(said.phases[..2], [(3, Waiting), (1, Cancelled)], "nobody is left who called about 1");
}

#[test]
fn a_change_of_a_joined_call_raises_the_other_as_well() {
    let mut test = Test::with_three();
    let said = test.say(2, CallChange::Updated(collision(Priority::A)));
    let phases = vec![(1, Assigned), (2, Merged)];
    assert_eq!((said.phases, said.merges), (phases, vec![(2, 1, Priority::A, Needs::ONE)]));
}

#[test]
fn what_is_no_patrols_matter_is_referred_and_can_be_taken_back() {
    let mut test = Test::new();
    test.step(0, &[here(0)]);
    let noise = facts(Category::Community, Priority::C, 0);
    let said = test.say(1, CallChange::Opened(noise));
    assert_eq!((said.phases, said.sent), (vec![(1, Referred)], vec![]));
    assert_eq!(said.referrals, [(1, Some(0))]);
    let said = test.say(1, CallChange::Updated(facts(Category::Disturbance, Priority::B, 0)));
    assert_eq!((said.phases, said.sent), (vec![(1, Waiting), (1, Assigned)], vec![1]));
    assert_eq!(said.seqs, [2, 4], "and one word about the assignment");
    assert_eq!(said.referrals, [(1, None)]);
    let said = test.say(1, CallChange::Updated(noise));
    assert_eq!((said.phases, said.seqs), (vec![(1, Referred)], vec![6]), "its unit is free");
    assert_eq!(said.referrals, [(1, Some(0))]);
    let said = test.say(2, CallChange::Opened(facts(Category::Help, Priority::B, 0)));
    assert_eq!(said.sent, [2], "and goes to the next");
    let said = test.say(1, CallChange::Cancelled);
    assert_eq!((said.phases, said.referrals), (vec![(1, Cancelled)], vec![(1, None)]));
    assert_eq!(test.say(1, CallChange::Updated(noise)).rejected, [Reason::CallClosed]);
}

#[test]
fn a_day_later_a_referred_call_is_forgotten() {
    let mut test = Test::new();
    let noise = facts(Category::Community, Priority::C, 0);
    test.say(1, CallChange::Opened(noise));
    test.step(24 * 3_600_000, &[call(2, CallChange::Opened(noise))]);
    assert_eq!(test.say(1, CallChange::Updated(noise)).rejected, [Reason::UnknownCall]);
    assert_eq!(test.say(2, CallChange::Updated(noise)).phases, [(2, Referred)]);
}

#[test]
fn when_the_one_that_stands_for_all_is_referred_the_others_are_calls_of_their_own() {
    let mut test = Test::with_three();
    let said = test.say(1, CallChange::Updated(facts(Category::Community, Priority::C, 0)));
    assert_eq!(said.phases[..3], [(2, Waiting), (3, Waiting), (1, Referred)]);
    assert_eq!(said.own, [2, 3], "whoever forgot them is told");
}

#[test]
fn after_a_restart_joined_calls_stay_joined() {
    let mut test = Test::new();
    let standing = Standing { phase: Waiting, attempts: 0, unit: None };
    let of_1 = [
        call(1, CallChange::Joined(collision(Priority::B), CallId(7))),
        call(7, CallChange::Restored(collision(Priority::B), standing)),
        call(7, CallChange::Withdrawn),
    ];
    assert_eq!(test.step(0, &of_1).phases, [(7, Waiting)]);
    assert_eq!(test.say(7, CallChange::Cancelled).rejected, [Reason::CallClosed], "it was withdrawn");
    assert_eq!(test.say(1, CallChange::Cancelled).phases, [(1, Cancelled), (7, Cancelled)]);
}
