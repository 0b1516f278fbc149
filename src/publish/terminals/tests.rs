use nanming_dataflows::decision::{
    Assignment, AssignmentPhase, AssignmentStatus, CallPhase, CallStatus, Candidate, CloseReason, Decisions, EndReason,
    Merge, PickReason, Reason, Rejected,
};
use nanming_dataflows::event::*;
use nanming_dataflows::ids::{CallId, GridId, UnitId};
use nanming_dataflows::network::Point;
use serde_json::Value;

use super::*;
use crate::door::CallNote;

const FACTS: CallFacts = CallFacts {
    priority: Priority::A,
    category: Category::Help,
    at: Point { x_mm: 0, y_mm: 0 },
    grid: GridId(0),
    needs: Needs::ONE,
};

const STANDING: Standing = Standing { phase: CallPhase::Accepted, attempts: 1, unit: Some(UnitId(1)) };

fn terminals() -> Arc<Terminals> {
    let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
    let metrics = Arc::new(Metrics::new(&city));
    Arc::new(Terminals::new(city, metrics, Arc::default(), Duty::default(), None))
}

fn record(calls: Vec<CallEvent>, acks: Vec<Ack>, decisions: Decisions) -> Arc<TickRecord> {
    Arc::new(TickRecord { calls, acks, decisions, ..TickRecord::closing(1, &Batch::default()) })
}

fn id(attempt: u16) -> AssignmentId {
    AssignmentId { call: CallId(7), attempt }
}

fn opened() -> Vec<CallEvent> {
    vec![CallEvent { time_ms: 1, call: CallId(7), change: CallChange::Opened(FACTS) }]
}

fn assigned(attempt: u16, unit: u32) -> Decisions {
    let assignment = Assignment {
        id: id(attempt),
        call: CallId(7),
        unit: UnitId(unit),
        time_ms: 1,
        priority: Priority::A,
        eta_ms: 60_000,
        candidates: vec![Candidate { eta_ms: 60_000, unit: UnitId(unit), but: None }],
        reason: PickReason::Nearest,
    };
    let calls = vec![status(CallPhase::Waiting, None), status(CallPhase::Assigned, Some((id(attempt), UnitId(unit))))];
    Decisions { assignments: vec![assignment], calls, ..Decisions::default() }
}

fn status(phase: CallPhase, with: Option<(AssignmentId, UnitId)>) -> CallStatus {
    let (assignment, unit) = (with.map(|w| w.0), with.map(|w| w.1));
    let (priority, grid, seq, reason) = (Priority::A, GridId(0), phase as u32, None);
    CallStatus { call: CallId(7), time_ms: 1, seq, phase, reason, priority, grid, assignment, unit, lacking: 0 }
}

/// The first assignment ended so.
fn ended(why: EndReason) -> Vec<AssignmentStatus> {
    let phase = AssignmentPhase::Ended(why);
    vec![AssignmentStatus { id: id(1), seq: 9, unit: UnitId(1), time_ms: 1, phase }]
}

/// Frames about assignments, with their IDs: they increase.
fn heard_with_ids(line: &mut Line) -> Vec<(u64, (String, String))> {
    let frames = std::iter::from_fn(|| line.frames.try_recv().ok());
    let frames = frames.map(|text| serde_json::from_str::<Value>(&text).unwrap());
    let frames: Vec<Value> = frames.filter(|frame| frame["type"] != "current").collect();
    let word = |frame: &Value, key: &str| frame[key].as_str().unwrap().to_owned();
    let frame = |frame: &Value| (frame["id"].as_u64().unwrap(), (word(frame, "type"), word(frame, "assignment")));
    let heard: Vec<_> = frames.iter().map(frame).collect();
    assert!(heard.is_sorted_by(|one, next| one.0 < next.0), "{heard:?}");
    heard
}

fn heard(line: &mut Line) -> Vec<(String, String)> {
    heard_with_ids(line).into_iter().map(|(_, said)| said).collect()
}

/// What is in force, as the last frame of those that a terminal is sent first has it.
fn in_force(line: &mut Line) -> Value {
    let frames = std::iter::from_fn(|| line.frames.try_recv().ok());
    let last: Value = serde_json::from_str(&frames.last().unwrap()).unwrap();
    assert_eq!(last["type"], "current", "{last}");
    last["in_force"].clone()
}

fn told(kind: &str, assignment: &str) -> (String, String) {
    (kind.into(), assignment.into())
}

#[test]
fn another_unit_takes_over_and_the_first_is_told_unless_it_declined() {
    for declined in [false, true] {
        let terminals = terminals();
        let mut sink = Arc::clone(&terminals);
        let (mut first, mut second) = (terminals.connect(UnitId(1), 0), terminals.connect(UnitId(2), 0));
        sink.take(&record(opened(), vec![], assigned(1, 1)));
        let decline = Ack { time_ms: 1, unit: UnitId(1), assignment: id(1), answer: Answer::Decline };
        let why = if declined { EndReason::Declined } else { EndReason::Silent };
        let next = Decisions { assignment_statuses: ended(why), ..assigned(2, 2) };
        sink.take(&record(vec![], if declined { vec![decline] } else { vec![] }, next));
        let after = if declined { told("ack_result", "7.1") } else { told("withdrawn", "7.1") };
        assert_eq!(heard(&mut first), [told("assignment", "7.1"), after]);
        assert_eq!(heard(&mut second), [told("assignment", "7.2")]);
    }
}

#[test]
fn one_that_accepts_and_declines_in_one_tick_leaves_the_next_in_force() {
    let terminals = terminals();
    let mut sink = Arc::clone(&terminals);
    let (mut first, mut second) = (terminals.connect(UnitId(1), 0), terminals.connect(UnitId(2), 0));
    sink.take(&record(opened(), vec![], assigned(1, 1)));
    let ack = |answer| Ack { time_ms: 1, unit: UnitId(1), assignment: id(1), answer };
    let word = |seq, status| CallStatus { seq, ..status };
    let mut decisions = Decisions { assignment_statuses: ended(EndReason::Declined), ..assigned(2, 2) };
    decisions.calls = vec![
        word(3, status(CallPhase::Accepted, Some((id(1), UnitId(1))))),
        word(4, status(CallPhase::Waiting, None)),
        word(5, status(CallPhase::Assigned, Some((id(2), UnitId(2))))),
    ];
    decisions.sort();
    sink.take(&record(vec![], vec![ack(Answer::Accept), ack(Answer::Decline)], decisions));
    assert_eq!(heard(&mut first), [told("assignment", "7.1"), told("ack_result", "7.1"), told("ack_result", "7.1")]);
    assert_eq!(heard(&mut second), [told("assignment", "7.2")]);
    assert_eq!(heard(&mut terminals.connect(UnitId(2), 0)), [told("assignment", "7.2")]);
}

#[test]
fn the_unit_of_a_call_that_changes_is_told_again() {
    let terminals = terminals();
    let mut sink = Arc::clone(&terminals);
    let mut line = terminals.connect(UnitId(1), 0);
    sink.take(&record(opened(), vec![], assigned(1, 1)));
    let worse = CallFacts { priority: Priority::C, ..FACTS };
    let updated = CallEvent { time_ms: 2, call: CallId(7), change: CallChange::Updated(worse) };
    sink.take(&record(vec![updated], vec![], Decisions::default()));
    let priority = |frame: Arc<str>| serde_json::from_str::<Value>(&frame).unwrap()["priority"].clone();
    let told: Vec<Value> = std::iter::from_fn(|| line.frames.try_recv().ok()).skip(1).map(priority).collect();
    assert_eq!(told, ["A", "C"]);
}

#[test]
fn a_unit_is_told_that_its_call_was_closed_unless_it_said_so_itself() {
    for reason in [None, Some(CloseReason::UnitFree)] {
        let terminals = terminals();
        let mut sink = Arc::clone(&terminals);
        let mut line = terminals.connect(UnitId(1), 0);
        sink.take(&record(opened(), vec![], assigned(1, 1)));
        let closed = CallStatus { reason, ..status(CallPhase::Closed, Some((id(1), UnitId(1)))) };
        let why = if reason.is_some() { EndReason::UnitFree } else { EndReason::Done };
        let over = Decisions { calls: vec![closed], assignment_statuses: ended(why), ..Decisions::default() };
        sink.take(&record(vec![], vec![], over));
        let withdrawn = reason.map(|_| told("withdrawn", "7.1"));
        assert_eq!(heard(&mut line), [told("assignment", "7.1")].into_iter().chain(withdrawn).collect::<Vec<_>>());
    }
}

#[test]
fn who_answers_twice_is_told_twice_that_it_was_taken_but_another_answer_may_be_refused() {
    let terminals = terminals();
    let mut sink = Arc::clone(&terminals);
    let mut line = terminals.connect(UnitId(1), 0);
    let said = |answer| Ack { time_ms: 1, unit: UnitId(1), assignment: id(1), answer };
    let refused = |ack| Rejected { time_ms: 1, reason: Reason::StaleAssignment, event: Event::Ack(ack) };
    let (closed, declined) = (said(Answer::Closed), said(Answer::Decline));
    let rejected = vec![refused(closed), refused(declined)];
    sink.take(&record(vec![], vec![closed, closed, declined], Decisions { rejected, ..Decisions::default() }));
    let frames = std::iter::from_fn(|| line.frames.try_recv().ok()).skip(1);
    let frames: Vec<Value> = frames.map(|frame| serde_json::from_str::<Value>(&frame).unwrap()["ok"].clone()).collect();
    assert_eq!(frames, [true, true, false]);
}

#[test]
fn a_call_that_is_its_own_again_reaches_its_unit_with_its_words() {
    let terminals = terminals();
    let mut sink = Arc::clone(&terminals);
    let mut line = terminals.connect(UnitId(1), 0);
    let merged = Decisions { calls: vec![status(CallPhase::Merged, None)], ..Decisions::default() };
    let note = CallNote { words: "救命".into(), ..CallNote::default() };
    let raised = Arc::unwrap_or_clone(record(opened(), vec![], merged));
    sink.take(&Arc::new(TickRecord { notes: vec![(CallId(7), note)], ..raised }));
    let own = Merge { call: CallId(7), time_ms: 2, into: None, facts: FACTS };
    sink.take(&record(vec![], vec![], Decisions { merges: vec![own], ..assigned(1, 1) }));
    let frames = std::iter::from_fn(|| line.frames.try_recv().ok()).skip(1);
    let words: Vec<Value> =
        frames.map(|frame| serde_json::from_str::<Value>(&frame).unwrap()["words"].clone()).collect();
    assert_eq!(words, ["救命"]);
}

#[test]
fn who_connects_is_told_what_is_in_force_and_no_more() {
    let terminals = terminals();
    let mut sink = Arc::clone(&terminals);
    sink.take(&record(opened(), vec![], assigned(1, 1)));
    assert_eq!(heard(&mut terminals.connect(UnitId(1), 0)), [told("assignment", "7.1")]);
    assert_eq!(heard(&mut terminals.connect(UnitId(2), 0)), []);
    let closed = status(CallPhase::Closed, Some((id(1), UnitId(1))));
    sink.take(&record(vec![], vec![], Decisions { calls: vec![closed], ..Decisions::default() }));
    assert_eq!(heard(&mut terminals.connect(UnitId(1), 0)), []);
}

#[test]
fn who_was_away_is_sent_what_it_missed_and_what_is_in_force() {
    let terminals = terminals();
    let mut sink = Arc::clone(&terminals);
    let mut line = terminals.connect(UnitId(1), 0);
    sink.take(&record(opened(), vec![], assigned(1, 1)));
    let seen = heard_with_ids(&mut line)[0].0;
    drop(line);
    assert_eq!(heard(&mut terminals.connect(UnitId(1), seen)), [told("assignment", "7.1")], "in force in any case");
    let next = Decisions { assignment_statuses: ended(EndReason::Silent), ..assigned(2, 2) };
    sink.take(&record(vec![], vec![], next));
    assert_eq!(heard(&mut terminals.connect(UnitId(1), seen)), [told("withdrawn", "7.1")]);
    assert_eq!(heard(&mut terminals.connect(UnitId(1), seen + 1)), []);
    assert_eq!(in_force(&mut terminals.connect(UnitId(1), seen)), Value::from(Vec::<String>::new()));
    assert_eq!(in_force(&mut terminals.connect(UnitId(2), 0)), Value::from(vec!["7.2"]));
    assert_eq!(heard(&mut terminals.connect(UnitId(2), u64::MAX)), [told("assignment", "7.2")], "of another ledger");
}

#[test]
fn ids_go_on_over_a_restart_and_answers_taken_before_it_are_not_refused() {
    let first = terminals();
    let mut line = first.connect(UnitId(1), 0);
    Arc::clone(&first).take(&record(opened(), vec![], assigned(1, 1)));
    let before = heard_with_ids(&mut line)[0].0;
    let restored = CallEvent { time_ms: 1, call: CallId(7), change: CallChange::Restored(FACTS, STANDING) };
    let in_force =
        crate::ledger::InForce { assignment: assigned(1, 1).assignments.remove(0), phase: CallPhase::Accepted };
    let duty = Duty::restored(&[(restored, Default::default())], &[in_force]);
    let accepted = Ack { time_ms: 1, unit: UnitId(1), assignment: id(1), answer: Answer::Accept };
    let (city, metrics) = (Arc::clone(&first.city), Arc::clone(&first.metrics));
    let second = Arc::new(Terminals::new(city, metrics, Arc::default(), duty, None).going_on(1, &[accepted]));
    let mut line = second.connect(UnitId(1), before);
    let again = heard_with_ids(&mut line);
    assert_eq!(again[0].1, told("assignment", "7.1"));
    assert!(again[0].0 > before);
    let rejected = vec![Rejected { time_ms: 2, reason: Reason::StaleAssignment, event: Event::Ack(accepted) }];
    let decisions = Decisions { rejected, ..Decisions::default() };
    Arc::clone(&second).take(&record(vec![], vec![accepted], decisions));
    let frame: Value = serde_json::from_str(&line.frames.try_recv().unwrap()).unwrap();
    assert_eq!((&frame["type"], &frame["ok"]), (&"ack_result".into(), &true.into()));
    assert!(frame["id"].as_u64().unwrap() > again[0].0);
}

#[test]
fn a_desk_is_told_who_has_seen_its_assignment_once_and_who_is_connected() {
    let terminals = terminals();
    let (_, mut desk) = terminals.desk();
    let mut line = terminals.connect(UnitId(1), 0);
    Arc::clone(&terminals).take(&record(opened(), vec![], assigned(1, 1)));
    let shown = heard_with_ids(&mut line)[0].0;
    for id in [shown - 1, shown, shown, u64::MAX] {
        terminals.seen(UnitId(1), id);
    }
    drop(line);
    let frames = of_desk(std::iter::from_fn(|| desk.try_recv().ok()));
    let of = |kind: &str| frames.iter().filter(|frame| frame.starts_with(kind)).count();
    assert_eq!((of("seen"), of("terminal")), (1, 2), "{frames:?}");
}

#[test]
fn an_assignment_that_comes_again_is_not_sent_again() {
    let terminals = terminals();
    let mut sink = Arc::clone(&terminals);
    let mut line = terminals.connect(UnitId(1), 0);
    sink.take(&record(opened(), vec![], assigned(1, 1)));
    sink.take(&record(vec![], vec![], assigned(1, 1)));
    assert_eq!(heard(&mut line), [told("assignment", "7.1")]);
}

#[test]
fn one_that_does_not_read_is_cut_off_and_the_rest_goes_on() {
    let terminals = terminals();
    let mut sink = Arc::clone(&terminals);
    let (mut slow, mut quick) = (terminals.connect(UnitId(1), 0), terminals.connect(UnitId(1), 0));
    assert_eq!((heard(&mut slow), heard(&mut quick)), (vec![], vec![]));
    let ack = Ack { time_ms: 1, unit: UnitId(1), assignment: id(1), answer: Answer::Accept };
    for _ in 0..TERMINAL_QUEUE + 1 {
        sink.take(&record(vec![], vec![ack], Decisions::default()));
        assert_eq!(heard(&mut quick).len(), 1);
    }
    assert_eq!(heard(&mut slow).len(), TERMINAL_QUEUE);
    assert!(matches!(slow.frames.try_recv(), Err(mpsc::error::TryRecvError::Disconnected)));
}

fn of_desk(frames: impl IntoIterator<Item = Arc<str>>) -> Vec<String> {
    let said = |text: Arc<str>| {
        let frame: Value = serde_json::from_str(&text).unwrap();
        let phase = frame["phase"].as_str().unwrap_or_default().to_owned();
        frame["type"].as_str().unwrap().to_owned() + " " + &phase
    };
    frames.into_iter().map(said).collect()
}

#[test]
fn a_desk_hears_that_a_call_waits_before_it_is_assigned() {
    let terminals = terminals();
    let mut sink = Arc::clone(&terminals);
    let (now, mut desk) = terminals.desk();
    assert!(now.is_empty());
    sink.take(&record(opened(), vec![], assigned(1, 1)));
    let heard = of_desk(std::iter::from_fn(|| desk.try_recv().ok()));
    assert_eq!(heard, ["call_status waiting", "assignment assigned", "call_status assigned"]);
}

#[test]
fn a_desk_that_connects_is_told_what_is_open_and_in_force() {
    let terminals = terminals();
    let mut sink = Arc::clone(&terminals);
    sink.take(&record(opened(), vec![], assigned(1, 1)));
    let (now, _) = terminals.desk();
    let status: Value = serde_json::from_str(&now[0]).unwrap();
    assert_eq!((&status["category"], &status["priority"]), (&"help".into(), &"A".into()), "{status}");
    assert!(status["lon"].is_number() && status["lat"].is_number(), "{status}");
    assert_eq!(of_desk(now), ["call_status assigned", "assignment assigned"]);
    let closed = status_of_closed();
    sink.take(&record(vec![], vec![], Decisions { calls: vec![closed], ..Decisions::default() }));
    assert!(terminals.desk().0.is_empty());
}

fn status_of_closed() -> CallStatus {
    status(CallPhase::Closed, Some((id(1), UnitId(1))))
}

#[test]
fn after_a_restart_a_desk_is_told_what_the_ledger_has() {
    let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
    let metrics = Arc::new(Metrics::new(&city));
    let restored = CallEvent { time_ms: 1, call: CallId(7), change: CallChange::Restored(FACTS, STANDING) };
    let assignment = assigned(1, 1).assignments.remove(0);
    let in_force = crate::ledger::InForce { assignment, phase: CallPhase::Accepted };
    let duty = Duty::restored(&[(restored, Default::default())], &[in_force]);
    let terminals = Arc::new(Terminals::new(city, metrics, Arc::default(), duty, None));
    assert_eq!(of_desk(terminals.desk().0), ["call_status accepted", "assignment accepted"]);
}

#[test]
fn a_unit_is_manned_from_its_first_terminal_to_its_last() {
    let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
    let metrics = Arc::new(Metrics::new(&city));
    let (manning, manned) = crossbeam_channel::unbounded();
    let terminals = Arc::new(Terminals::new(city, metrics, Arc::default(), Duty::default(), Some(manning)));
    let (one, two) = (terminals.connect(UnitId(1), 0), terminals.connect(UnitId(1), 0));
    drop(one);
    drop(two);
    assert_eq!(manned.try_iter().collect::<Vec<_>>(), [(UnitId(1), true), (UnitId(1), false)]);
}
