use super::*;
use crate::decision::{
    AssignmentPhase, CallPhase, CloseReason, EndReason, EscalationStep, Objection, PickReason, Reason, Shortfall,
};
use crate::event::{
    Answer, AssignmentId, CallEvent, CallFacts, Category, Event, Needs, Priority, Serving, Skill, Skills, Standing,
};
use crate::ids::{DistrictId, LaneId, NodeId};
use crate::network::{Grid, Lane, Link, Node, Unit};
use CallPhase::*;

const KM: i32 = 1_000_000;
/// As the rules have it where nothing is set.
const FREE_MS: u64 = 60_000;
const REMIND_MS: u64 = 30_000;
const SILENT_MS: u64 = 60_000;
const SUPERVISOR_MS: u64 = 180_000;
const LOST_ON_SCENE_MS: u64 = 900_000;

/// One street through places, both ways, at 10 m/s.
pub(crate) fn streets(places: &[Point]) -> City {
    let mut city = City::default();
    for (row, at) in places.iter().enumerate() {
        city.nodes.push(Node { id: NodeId::from_index(row), name: String::new(), at: *at, junction: None });
    }
    let pairs = (1..places.len()).flat_map(|row| [(row - 1, row), (row, row - 1)]);
    for (row, (from, to)) in pairs.enumerate() {
        let (id, lane) = (LinkId::from_index(row), LaneId::from_index(row));
        let length_mm = places[from].distance_mm(places[to]) as u32;
        let (from, to, shape) = (NodeId::from_index(from), NodeId::from_index(to), vec![places[from], places[to]]);
        let (name, road, district, free_speed_mm_s) = (String::new(), String::new(), DistrictId(0), 10_000);
        city.lanes.push(Lane { id: lane, name: String::new(), link: id, length_mm, motor: true, movements: vec![] });
        city.links.push(Link {
            id,
            name,
            road,
            from,
            to,
            length_mm,
            free_speed_mm_s,
            lanes: vec![lane],
            shape,
            district,
        });
    }
    city
}

fn at_km(km: i32) -> Point {
    Point { x_mm: km * KM, y_mm: 0 }
}

/// A street of 10 km; a grid and a region for each half of it; units 0 to 4 serve the first, 5 to 9 the second.
fn dispatch() -> Dispatch {
    let mut city = streets(&[0, 2, 4, 6, 8, 10].map(at_km));
    for row in 0..2_i32 {
        let (id, region) = (GridId(row as u16), RegionId(row as u16));
        let corner = |x, y| Point { x_mm: x, y_mm: y };
        let (min, max) = (corner((row * 5) * KM, -KM), corner((row * 5 + 5) * KM, KM));
        city.grids.push(Grid { id, name: String::new(), min, max, district: DistrictId(0), region });
    }
    for row in 0..10 {
        let grid = &city.grids[row / 5];
        let (id, grid, region) = (UnitId::from_index(row), grid.id, grid.region);
        let (name, post, shift_min) = (String::new(), at_km(row as i32), (0, 0));
        city.units.push(Unit { id, name, grid, region, post, shift_min, skills: Skills::default() });
    }
    Dispatch::new(&city)
}

/// A dispatch centre under test, and the time there.
struct Test {
    dispatch: Dispatch,
    calls: Calls,
    tick: Time,
}

/// What was said, in the order in which it was said.
#[derive(Debug, Default, PartialEq)]
struct Said {
    sent: Vec<(String, u32, PickReason)>,
    phases: Vec<(u64, CallPhase)>,
    reasons: Vec<CloseReason>,
    ended: Vec<(String, EndReason)>,
    escalated: Vec<(EscalationStep, Shortfall, Option<u32>)>,
    rejected: Vec<Reason>,
    errands: Vec<(u32, Option<Priority>)>,
}

impl Test {
    fn new() -> Self {
        Test { dispatch: dispatch(), calls: Calls::default(), tick: 1_000_000 }
    }

    /// The next tick, `after_ms` later, at which this is told.
    fn step(&mut self, after_ms: u64, news: &[DispatchNews]) -> Said {
        self.tick += after_ms;
        let now = |what: &DispatchNews| match *what {
            DispatchNews::Answered(ack) => DispatchNews::Answered(Ack { time_ms: self.tick, ..ack }),
            what => what,
        };
        let mut events: Vec<_> =
            news.iter().map(|what| (Centre, DispatchEvent { time_ms: self.tick, what: now(what) })).collect();
        events.sort_unstable();
        let mut out = Outbox::new();
        self.dispatch.step(Centre, &mut self.calls, self.tick, &events, &mut out);
        let mut said = Said::default();
        for word in out.said() {
            match word {
                DispatchSaid::Assignment(a) => said.sent.push((a.id.to_string(), a.unit.0, a.reason)),
                DispatchSaid::Status(s) => {
                    said.phases.push((s.call.0, s.phase));
                    said.reasons.extend(s.reason);
                }
                DispatchSaid::AssignmentStatus(s) => {
                    if let AssignmentPhase::Ended(why) = s.phase {
                        said.ended.push((s.id.to_string(), why));
                    }
                }
                DispatchSaid::Escalation(e) => said.escalated.push((e.step, e.why, e.unit.map(|u| u.0))),
                DispatchSaid::Errand(e) => said.errands.push((e.unit.0, e.to.map(|(priority, _)| priority))),
                DispatchSaid::Merged(_) | DispatchSaid::Referral(_) => {}
                DispatchSaid::Rejected(r) => said.rejected.push(r.reason),
            }
        }
        said
    }

    /// A call at 1 km to which unit 1 was sent, and which is as far as this.
    fn with_call(phase: CallPhase) -> Self {
        let mut test = Test::new();
        test.step(0, &[here(1, 1), opened(9, 1)]);
        for (reached, answer) in [(Accepted, Answer::Accept), (Arrived, Answer::Arrived)] {
            if phase >= reached {
                assert_eq!(test.step(1, &[answered(9, 1, 1, answer)]).phases, [(9, reached)]);
            }
        }
        test
    }

    fn phase(&self, call: u64) -> Option<CallPhase> {
        self.calls.open.get(&CallId(call)).map(|c| c.phase())
    }
}

fn postcard_copy(calls: &Calls) -> Calls {
    postcard::from_bytes(&postcard::to_stdvec(calls).unwrap()).unwrap()
}

fn here(unit: u32, km: i32) -> DispatchNews {
    DispatchNews::UnitHere(UnitId(unit), UnitPlace { at: at_km(km), available: true })
}

fn gone(unit: u32) -> DispatchNews {
    DispatchNews::UnitGone(UnitId(unit))
}

fn free(unit: u32) -> DispatchNews {
    DispatchNews::OnTask(UnitId(unit), false)
}

fn facts(km: i32, priority: Priority) -> CallFacts {
    CallFacts {
        priority,
        category: Category::Help,
        at: at_km(km),
        grid: GridId(if km < 5 { 0 } else { 1 }),
        needs: Needs::ONE,
    }
}

fn call(id: u64, change: CallChange) -> DispatchNews {
    DispatchNews::Call(CallId(id), change)
}

fn opened(id: u64, km: i32) -> DispatchNews {
    call(id, CallChange::Opened(facts(km, Priority::B)))
}

fn moved(id: u64, km: i32) -> DispatchNews {
    call(id, CallChange::Updated(facts(km, Priority::B)))
}

fn restored(id: u64, phase: CallPhase, unit: u32) -> DispatchNews {
    let standing = Standing { phase, attempts: 2, unit: Some(UnitId(unit)) };
    call(id, CallChange::Restored(facts(1, Priority::B), standing))
}

fn answered(id: u64, attempt: u16, unit: u32, answer: Answer) -> DispatchNews {
    let assignment = AssignmentId { call: CallId(id), attempt };
    DispatchNews::Answered(Ack { time_ms: 0, unit: UnitId(unit), assignment, answer })
}

fn sent(assignment: &str, unit: u32, reason: PickReason) -> (String, u32, PickReason) {
    (assignment.to_owned(), unit, reason)
}

#[test]
fn the_nearest_unit_of_the_region_goes_and_ends_the_call() {
    let mut test = Test::new();
    let said = test.step(0, &[here(0, 0), here(1, 3), here(5, 4), opened(9, 4)]);
    assert_eq!(said.sent, [sent("9.1", 1, PickReason::Nearest)]);
    assert_eq!(said.phases, [(9, Waiting), (9, Assigned)]);
    let answers = [Answer::Accept, Answer::Arrived, Answer::Closed].map(|a| answered(9, 1, 1, a));
    let phases: Vec<_> = answers.iter().flat_map(|a| test.step(1, &[*a]).phases).collect();
    assert_eq!(phases, [(9, Accepted), (9, Arrived), (9, Closed)]);
    assert_eq!(test.step(1, &[opened(10, 4)]).sent, [sent("10.1", 1, PickReason::Nearest)], "the unit is free again");
}

#[test]
fn a_unit_is_under_way_from_its_acceptance_until_it_arrives_or_is_released() {
    let mut test = Test::with_call(Assigned);
    assert_eq!(test.step(1, &[answered(9, 1, 1, Answer::Accept)]).errands, [(1, Some(Priority::B))]);
    let worse = call(9, CallChange::Updated(facts(2, Priority::A)));
    assert_eq!(test.step(1, &[worse]).errands, [(1, Some(Priority::A))], "to another place, more urgently");
    assert_eq!(test.step(1, &[answered(9, 1, 1, Answer::Arrived)]).errands, [(1, None)]);
    let mut test = Test::with_call(Accepted);
    assert_eq!(test.step(1, &[call(9, CallChange::Cancelled)]).errands, [(1, None)]);
    let mut test = Test::with_call(Assigned);
    let both = [Answer::Accept, Answer::Closed].map(|answer| answered(9, 1, 1, answer));
    assert_eq!(test.step(1, &both).errands, [(1, None)], "what holds at the end of the tick");
}

#[test]
fn what_is_said_of_a_call_in_one_tick_is_numbered_as_it_was_said() {
    let mut test = Test::with_call(Assigned);
    test.step(1, &[here(2, 2)]);
    let both = [answered(9, 1, 1, Answer::Accept), answered(9, 1, 1, Answer::Decline)];
    let events = both.map(|what| (Centre, DispatchEvent { time_ms: test.tick, what }));
    let mut out = Outbox::new();
    test.dispatch.step(Centre, &mut test.calls, test.tick, &events, &mut out);
    let statuses = |word| if let DispatchSaid::Status(s) = word { Some(s) } else { None };
    let mut statuses: Vec<_> = out.said().into_iter().filter_map(statuses).collect();
    statuses.sort_unstable();
    let phases: Vec<_> = statuses.iter().map(|s| (s.phase, s.unit)).collect();
    assert_eq!(phases, [(Accepted, Some(UnitId(1))), (Waiting, None), (Assigned, Some(UnitId(2)))]);
}

#[test]
fn a_unit_that_goes_on_reporting_that_it_is_on_no_task_is_free_again() {
    let mut test = Test::with_call(Arrived);
    assert_eq!(test.step(20 * 60_000, &[free(1)]), Said::default(), "its answer may be on its way");
    assert_eq!(test.step(FREE_MS - 1, &[free(1)]), Said::default());
    let said = test.step(1, &[free(1)]);
    assert_eq!((said.phases, said.reasons), (vec![(9, Closed)], vec![CloseReason::UnitFree]));
    assert_eq!(test.step(1, &[answered(9, 1, 1, Answer::Closed)]), Said::default(), "it says the same late");

    let mut test = Test::with_call(Accepted);
    test.step(1, &[here(2, 4), free(1)]);
    let said = test.step(FREE_MS, &[free(1)]);
    assert_eq!(said.sent, [sent("9.2", 2, PickReason::AfterLoss)], "the nearer unit did not do it");
    assert_eq!(test.step(1, &[opened(10, 1)]).sent, [sent("10.1", 1, PickReason::Nearest)]);
}

#[test]
fn a_unit_that_is_told_of_nothing_but_its_task_stays_on_it() {
    let mut test = Test::with_call(Arrived);
    let on_task = DispatchNews::OnTask(UnitId(1), true);
    for _ in 0..100 {
        assert_eq!(test.step(60_000, &[]), Said::default());
        assert_eq!(test.step(10_000, &[free(1)]), Said::default(), "a button pressed by mistake");
        assert_eq!(test.step(10_000, &[on_task]), Said::default());
    }
    let said = test.step(10_000, &[free(1), answered(9, 1, 1, Answer::Closed)]);
    assert_eq!((said.phases, said.reasons, said.rejected), (vec![(9, Closed)], vec![], vec![]));
}

#[test]
fn another_goes_when_a_unit_is_silent_or_out_of_service() {
    for (phase, news, after_ms, why) in [
        (Assigned, here(2, 4), SILENT_MS, PickReason::AfterSilence),
        (Assigned, gone(1), SILENT_MS, PickReason::AfterLoss),
        (Accepted, gone(1), SILENT_MS, PickReason::AfterLoss),
        (Arrived, gone(1), LOST_ON_SCENE_MS, PickReason::AfterLoss),
    ] {
        let mut test = Test::with_call(phase);
        test.step(0, &[here(2, 4), news]);
        let due = test.calls.open[&CallId(9)].crew[0].overdue_at(&test.dispatch.rules).unwrap();
        let said = test.step(due - test.tick - 1, &[]);
        assert!(
            said.sent.is_empty() && said.phases.is_empty() && due <= test.tick + 1 + after_ms,
            "{phase:?}: {said:?}"
        );
        assert_eq!(test.step(1, &[]).sent, [sent("9.2", 2, why)], "{phase:?}");
    }
}

#[test]
fn restored_calls_end_though_their_units_forgot_them() {
    for phase in [Assigned, Accepted, Arrived] {
        let mut test = Test::new();
        assert_eq!(test.step(0, &[restored(9, phase, 1)]).phases, [(9, phase)]);
        let said = test.step(1, &[here(1, 1), free(1)]);
        assert_eq!(said, Said::default(), "{phase:?}: the unit has time to answer");
        let said = test.step(FREE_MS, &[free(1)]);
        match phase {
            Arrived => assert_eq!((said.phases, said.reasons), (vec![(9, Closed)], vec![CloseReason::UnitFree])),
            Accepted => assert_eq!(said.sent[0].0, "9.3", "attempts go on"),
            _ => assert_eq!(
                (said.sent, said.escalated.len()),
                (vec![], 1),
                "it has still to answer, and nobody else is there"
            ),
        }
    }
    let mut test = Test::new();
    test.step(0, &[restored(9, Arrived, 1), here(2, 2)]);
    assert_eq!(test.step(LOST_ON_SCENE_MS, &[]).sent, [sent("9.3", 2, PickReason::AfterLoss)], "its unit never came");
}

#[test]
fn a_restored_call_of_an_unknown_or_engaged_unit_waits() {
    let mut test = Test::new();
    assert_eq!(test.step(0, &[restored(8, Arrived, 1), restored(9, Arrived, 1)]).phases, [(8, Arrived), (9, Waiting)]);
    assert_eq!(test.step(0, &[restored(10, Arrived, 99)]).phases, [(10, Waiting)]);
    let lost = CallFacts { grid: GridId(99), ..facts(1, Priority::A) };
    assert_eq!(test.step(0, &[call(11, CallChange::Opened(lost))]).rejected, [Reason::OutsideCity]);
}

#[test]
fn a_call_that_moves_to_another_region_keeps_its_unit_and_its_attempts() {
    let mut test = Test::with_call(Accepted);
    test.step(0, &[here(6, 6)]);
    let said = test.step(1, &[moved(9, 6)]);
    assert_eq!((said.phases, said.sent), (vec![(9, Accepted)], vec![]), "nobody else is sent");
    let said = test.step(1, &[answered(9, 1, 1, Answer::Decline)]);
    assert_eq!(said.sent, [sent("9.2", 6, PickReason::AfterDecline)], "now the region of its place serves it");

    let mut test = Test::new();
    test.step(0, &[here(6, 6), opened(9, 1)]);
    assert_eq!(test.step(1, &[moved(9, 6)]).sent, [sent("9.1", 6, PickReason::Nearest)]);
}

#[test]
fn what_speaks_of_a_call_that_is_over_is_told_so() {
    let mut test = Test::with_call(Arrived);
    test.step(1, &[answered(9, 1, 1, Answer::Closed)]);
    let said = test.step(1, &[moved(9, 6), call(9, CallChange::Cancelled), opened(9, 1)]);
    assert_eq!(said.rejected, [Reason::DuplicateCall, Reason::CallClosed, Reason::CallClosed]);
    assert_eq!(said.phases, []);
    let said = test.step(1, &[call(10, CallChange::Cancelled), answered(10, 1, 1, Answer::Accept)]);
    assert_eq!(said.rejected, [Reason::UnknownCall, Reason::UnknownAssignment]);
}

#[test]
fn an_open_call_is_never_forgotten_and_one_that_is_over_is_after_a_day() {
    const DAY_MS: u64 = 24 * 3_600_000;
    let mut test = Test::new();
    test.step(0, &[opened(8, 1), opened(9, 1), call(9, CallChange::Cancelled)]);
    test.step(3 * DAY_MS, &[opened(10, 1), call(10, CallChange::Cancelled)]);
    assert_eq!(test.phase(8), Some(Waiting));
    let said = test.step(0, &[call(8, CallChange::Cancelled), call(9, CallChange::Cancelled)]);
    assert_eq!((said.phases, said.rejected), (vec![(8, Cancelled)], vec![Reason::UnknownCall]));
}

#[test]
fn a_thing_said_twice_is_taken_once() {
    let mut test = Test::with_call(Arrived);
    let closed = answered(9, 1, 1, Answer::Closed);
    let said = test.step(1, &[closed, closed]);
    assert_eq!((said.phases, said.rejected), (vec![(9, Closed)], vec![]));
    assert_eq!(test.step(1, &[closed]), Said::default(), "the word that it was heard was lost");
    let other = answered(9, 1, 2, Answer::Closed);
    assert_eq!(test.step(1, &[other]).rejected, [Reason::StaleAssignment], "said by another");
}

#[test]
fn a_backlog_is_served_from_its_most_urgent_calls_and_planned_no_more_than_it_may_cost() {
    let mut test = Test::new();
    let urgent = |id| call(id, CallChange::Opened(facts(3, if id < 100 { Priority::C } else { Priority::A })));
    test.step(0, &(0..4_000).map(urgent).collect::<Vec<_>>());
    let said = test.step(1, &[here(1, 1), here(2, 2), here(3, 3)]);
    let mut calls: Vec<&str> = said.sent.iter().map(|(assignment, ..)| assignment.as_str()).collect();
    calls.sort_unstable();
    assert_eq!(calls, ["100.1", "101.1", "102.1"], "the most urgent and oldest");
    let look = test.calls.looks[&RegionId(0)];
    assert!(look.not_before_ms > test.tick && look.not_before_ms < test.tick + 200, "{look:?}");
    assert_eq!(test.step(1, &[here(4, 4)]).sent, [], "not yet");
    let wait_ms = look.not_before_ms - test.tick;
    assert_eq!(test.step(wait_ms, &[]).sent.len(), 1);
}

#[test]
fn a_unit_is_taken_for_a_more_urgent_call_and_another_goes_in_its_place() {
    let mut test = Test::with_call(Accepted);
    let life = call(10, CallChange::Opened(facts(0, Priority::A)));
    let said = test.step(20_000, &[life]);
    assert_eq!(said.sent, [sent("10.1", 1, PickReason::Preempting)]);
    assert_eq!(said.ended, [("9.1".into(), EndReason::Preempted)]);
    assert!(said.phases.contains(&(9, Waiting)), "{:?}", said.phases);
    let said = test.step(20_000, &[here(2, 2)]);
    assert_eq!(said.sent, [sent("9.2", 2, PickReason::AfterPreemption)]);
}

#[test]
fn a_unit_that_gets_free_much_nearer_takes_over_but_not_for_a_few_seconds() {
    for (km, takes_over) in [(3, false), (1, true)] {
        let mut test = Test::new();
        test.step(0, &[here(1, 4), opened(9, 0)]);
        test.step(1, &[answered(9, 1, 1, Answer::Accept)]);
        test.dispatch.rules.policy.change_ms = 150_000;
        assert_eq!(test.step(1, &[here(2, km)]).sent, [], "that is no hurry");
        let said = test.step(20_000, &[]);
        let expected = takes_over.then(|| sent("9.2", 2, PickReason::Sooner));
        assert_eq!(said.sent, Vec::from_iter(expected), "{km} km");
        let relieved = takes_over.then(|| ("9.1".to_owned(), EndReason::Relieved));
        assert_eq!(said.ended, Vec::from_iter(relieved));
    }
}

#[test]
fn who_declined_is_not_asked_again_and_the_supervisor_is_told() {
    let mut test = Test::new();
    test.step(0, &[here(1, 1), opened(9, 1)]);
    assert_eq!(test.step(1, &[answered(9, 1, 1, Answer::Decline)]).sent, []);
    let said = test.step(600_000, &[free(1)]);
    assert_eq!((said.sent, said.escalated), (vec![], vec![(EscalationStep::Supervisor, Shortfall::AllDeclined, None)]));
    assert_eq!(test.step(600_000, &[free(1)]), Said::default(), "told once");
    let said = test.step(1, &[answered(9, 1, 1, Answer::Decline)]);
    assert_eq!(said, Said::default(), "said again because the link was lost");
    assert_eq!(test.step(1, &[here(2, 2)]).sent, [sent("9.2", 2, PickReason::AfterDecline)]);
}

#[test]
fn a_silent_unit_is_reminded_then_replaced_then_the_supervisor_is_told() {
    let mut test = Test::with_call(Assigned);
    let silent = |step| vec![(step, Shortfall::Silence, Some(1))];
    assert_eq!(test.step(REMIND_MS, &[]).escalated, silent(EscalationStep::Reminded));
    let said = test.step(SILENT_MS - REMIND_MS, &[]);
    assert_eq!((said.escalated, said.phases), (silent(EscalationStep::SecondUnit), vec![(9, Assigned)]));
    assert_eq!(test.step(SUPERVISOR_MS - SILENT_MS, &[]).escalated, silent(EscalationStep::Supervisor));
    assert_eq!(test.step(SUPERVISOR_MS, &[]), Said::default(), "each step is climbed once");
    // It may still answer as long as nobody else is there.
    let mut late = Test { dispatch: dispatch(), calls: postcard_copy(&test.calls), tick: test.tick };
    assert_eq!(late.step(1, &[answered(9, 1, 1, Answer::Accept)]).phases, [(9, Accepted)]);
    assert_eq!(late.step(1, &[here(2, 2)]).sent, []);
    let said = test.step(1, &[here(2, 2)]);
    assert_eq!(
        (said.sent, said.ended),
        (vec![sent("9.2", 2, PickReason::AfterSilence)], vec![("9.1".into(), EndReason::Silent)])
    );
    assert_eq!(test.step(1, &[answered(9, 1, 1, Answer::Accept)]).rejected, [Reason::StaleAssignment]);
}

#[test]
fn a_call_that_needs_two_gets_two_and_is_over_when_the_last_has_left() {
    let mut test = Test::new();
    let two = CallFacts { needs: Needs { units: 2, ..Needs::ONE }, ..facts(1, Priority::A) };
    let said = test.step(0, &[here(1, 1), call(9, CallChange::Opened(two))]);
    assert_eq!(said.sent, [sent("9.1", 1, PickReason::Nearest)]);
    let said = test.step(1, &[here(2, 2), here(3, 3)]);
    assert_eq!(said.sent.len(), 1, "not more than it needs");
    test.step(1, &[answered(9, 1, 1, Answer::Arrived), answered(9, 2, 2, Answer::Accept)]);
    let said = test.step(1, &[answered(9, 1, 1, Answer::Closed)]);
    assert_eq!(
        (said.phases, said.ended, said.sent),
        (vec![(9, Accepted)], vec![("9.1".into(), EndReason::Done)], vec![])
    );
    assert_eq!(test.step(1, &[answered(9, 2, 2, Answer::Closed)]).phases, [(9, Closed)]);
    assert!(test.calls.engaged.is_empty());
}

#[test]
fn a_call_that_goes_on_lacking_a_unit_is_the_supervisors_too() {
    let mut test = Test::new();
    let two = CallFacts { needs: Needs { units: 2, ..Needs::ONE }, ..facts(1, Priority::A) };
    test.step(0, &[here(1, 1), call(9, CallChange::Opened(two))]);
    assert_eq!(test.step(1, &[answered(9, 1, 1, Answer::Accept)]).escalated, []);
    let said = test.step(SUPERVISOR_MS, &[]);
    assert_eq!(said.escalated, [(EscalationStep::Supervisor, Shortfall::NoUnit, None)]);
    assert_eq!(test.step(SUPERVISOR_MS, &[]).escalated, [], "told once");
}

#[test]
fn only_who_has_what_a_call_needs_is_sent() {
    let mut test = Test::new();
    test.dispatch.units[3].skills = [Skill::Armed, Skill::Car].into_iter().collect();
    let armed = Needs { skills: [Skill::Armed].into_iter().collect(), ..Needs::ONE };
    let armed = CallFacts { needs: armed, ..facts(1, Priority::A) };
    let elsewhere = DispatchNews::UnitHere(UnitId(3), UnitPlace { at: at_km(3), available: false });
    assert_eq!(test.step(0, &[here(1, 1), elsewhere, call(9, CallChange::Opened(armed))]).sent, []);
    let told = test.step(SUPERVISOR_MS, &[]).escalated;
    assert_eq!(told, [(EscalationStep::Supervisor, Shortfall::NoSkill, None)]);
    let mut out = Outbox::new();
    let news = [(Centre, DispatchEvent { time_ms: test.tick, what: here(3, 3) })];
    test.dispatch.step(Centre, &mut test.calls, test.tick, &news, &mut out);
    let sent =
        out.said().into_iter().find_map(|word| if let DispatchSaid::Assignment(a) = word { Some(a) } else { None });
    let candidates: Vec<_> = sent.unwrap().candidates.iter().map(|c| (c.unit.0, c.but)).collect();
    assert_eq!(candidates, [(3, None), (1, Some(Objection::LacksSkill))], "and why the nearer one was not");
}

#[test]
fn where_nobody_in_service_has_what_a_call_needs_whoever_is_there_goes() {
    let mut test = Test::new();
    let armed = Needs { skills: [Skill::Armed].into_iter().collect(), ..Needs::ONE };
    let armed = CallFacts { needs: armed, ..facts(1, Priority::A) };
    assert_eq!(test.step(0, &[here(1, 1), call(9, CallChange::Opened(armed))]).sent.len(), 1);
}

#[test]
fn a_unit_of_the_grid_goes_first_where_another_is_little_nearer() {
    for (km, unit) in [(3, 1), (1, 2)] {
        let mut test = Test::new();
        test.dispatch.units[2].grid = GridId(1);
        // Unit 1 of the grid is 4 km away, unit 2 of another one less: at 10 m/s a kilometre is 100 s.
        test.dispatch.rules.other_grid_ms = 150_000;
        let said = test.step(0, &[here(1, 4), here(2, km), opened(9, 0)]);
        assert_eq!(said.sent[0].1, unit, "{km} km");
    }
}

#[test]
fn a_desk_may_send_a_unit_from_another_call() {
    let mut test = Test::with_call(Accepted);
    test.step(1, &[opened(10, 3)]);
    let said = test.step(1, &[call(10, CallChange::Ordered(UnitId(1)))]);
    assert_eq!(said.sent, [sent("10.1", 1, PickReason::Ordered)]);
    assert_eq!(said.ended, [("9.1".into(), EndReason::Preempted)]);
    assert_eq!(test.step(1, &[here(2, 2)]).sent, [sent("9.2", 2, PickReason::AfterPreemption)]);
    let urgent = call(11, CallChange::Opened(facts(3, Priority::A)));
    let said = test.step(20_000, &[urgent]);
    assert_eq!(said.sent, [sent("11.1", 2, PickReason::Preempting)], "whom a desk sent is not taken off its way");
    let said = test.step(1, &[call(10, CallChange::Ordered(UnitId(2)))]);
    assert_eq!(said.sent, [sent("10.2", 2, PickReason::Ordered)]);
    assert!(said.ended.contains(&("11.1".into(), EndReason::Preempted)), "{:?}", said.ended);
    assert_eq!(test.step(1, &[call(10, CallChange::Ordered(UnitId(7)))]).rejected, [Reason::UnknownUnit]);
}

#[test]
fn a_restored_crew_goes_on() {
    let mut test = Test::new();
    let two = CallFacts { needs: Needs { units: 2, ..Needs::ONE }, ..facts(1, Priority::A) };
    let standing = Standing { phase: Arrived, attempts: 1, unit: Some(UnitId(1)) };
    let serving = Serving { unit: UnitId(2), attempt: 3, phase: Accepted, is_ordered: false };
    let news = [
        call(9, CallChange::Restored(two, standing)),
        call(9, CallChange::Serving(serving)),
        call(9, CallChange::Declined(UnitId(3))),
        call(9, CallChange::Attempts(4)),
    ];
    assert_eq!(test.step(0, &news).rejected, []);
    test.step(1, &[here(1, 1), here(2, 2), here(3, 1), here(4, 4)]);
    let said = test.step(1, &[answered(9, 3, 2, Answer::Decline)]);
    assert_eq!(said.sent, [sent("9.5", 4, PickReason::AfterDecline)], "unit 3 is not asked again");
}

#[test]
fn a_rejection_carries_the_event_as_it_came() {
    let mut test = Test::new();
    let what = call(9, CallChange::Cancelled);
    let mut out = Outbox::new();
    test.dispatch.step(Centre, &mut test.calls, 7, &[(Centre, DispatchEvent { time_ms: 5, what })], &mut out);
    let event = Event::Call(CallEvent { time_ms: 5, call: CallId(9), change: CallChange::Cancelled });
    assert!(matches!(&out.said()[..], [DispatchSaid::Rejected(r)] if r.event == event));
}
