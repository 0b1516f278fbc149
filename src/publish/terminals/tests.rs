use std::time::Instant;

use nanming_dataflows::decision::{Assignment, CallPhase, CallStatus, Candidate, Decisions, PickReason};
use nanming_dataflows::event::*;
use nanming_dataflows::ids::{CallId, GridId, UnitId};
use nanming_dataflows::network::Point;
use serde_json::Value;

use super::*;

const FACTS: CallFacts =
    CallFacts { priority: Priority::A, category: Category::Help, at: Point { x_mm: 0, y_mm: 0 }, grid: GridId(0) };

fn terminals() -> Arc<Terminals> {
    let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
    let metrics = Arc::new(Metrics::new(&city));
    Arc::new(Terminals::new(city, metrics, Arc::default(), Duty::default(), None))
}

fn record(calls: Vec<CallEvent>, acks: Vec<Ack>, decisions: Decisions) -> Arc<TickRecord> {
    let (closed_at, counts) = (Instant::now(), Batch::default().counts());
    Arc::new(TickRecord { tick: 1, closed_at, counts, calls, acks, units: vec![], notes: vec![], decisions })
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
        candidates: vec![Candidate { eta_ms: 60_000, unit: UnitId(unit) }],
        reason: PickReason::Nearest,
    };
    let calls = vec![status(CallPhase::Waiting, None), status(CallPhase::Assigned, Some((id(attempt), UnitId(unit))))];
    Decisions { assignments: vec![assignment], calls, ..Decisions::default() }
}

fn status(phase: CallPhase, with: Option<(AssignmentId, UnitId)>) -> CallStatus {
    let (assignment, unit) = (with.map(|w| w.0), with.map(|w| w.1));
    CallStatus { call: CallId(7), time_ms: 1, phase, priority: Priority::A, grid: GridId(0), assignment, unit }
}

fn heard(line: &mut Line) -> Vec<(String, String)> {
    let frame = |text: Arc<str>| {
        let frame: Value = serde_json::from_str(&text).unwrap();
        (frame["type"].as_str().unwrap().to_owned(), frame["assignment"].as_str().unwrap().to_owned())
    };
    std::iter::from_fn(|| line.frames.try_recv().ok()).map(frame).collect()
}

fn told(kind: &str, assignment: &str) -> (String, String) {
    (kind.into(), assignment.into())
}

#[test]
fn another_unit_takes_over_and_the_first_is_told_unless_it_declined() {
    for declined in [false, true] {
        let terminals = terminals();
        let mut sink = Arc::clone(&terminals);
        let (mut first, mut second) = (terminals.connect(UnitId(1)), terminals.connect(UnitId(2)));
        sink.take(&record(opened(), vec![], assigned(1, 1)));
        let decline = Ack { time_ms: 1, unit: UnitId(1), assignment: id(1), answer: Answer::Decline };
        sink.take(&record(vec![], if declined { vec![decline] } else { vec![] }, assigned(2, 2)));
        let after = if declined { told("ack_result", "7.1") } else { told("withdrawn", "7.1") };
        assert_eq!(heard(&mut first), [told("assignment", "7.1"), after]);
        assert_eq!(heard(&mut second), [told("assignment", "7.2")]);
    }
}

#[test]
fn who_connects_is_told_what_is_in_force_and_no_more() {
    let terminals = terminals();
    let mut sink = Arc::clone(&terminals);
    sink.take(&record(opened(), vec![], assigned(1, 1)));
    assert_eq!(heard(&mut terminals.connect(UnitId(1))), [told("assignment", "7.1")]);
    assert_eq!(heard(&mut terminals.connect(UnitId(2))), []);
    let closed = status(CallPhase::Closed, Some((id(1), UnitId(1))));
    sink.take(&record(vec![], vec![], Decisions { calls: vec![closed], ..Decisions::default() }));
    assert_eq!(heard(&mut terminals.connect(UnitId(1))), []);
}

#[test]
fn an_assignment_that_comes_again_is_not_sent_again() {
    let terminals = terminals();
    let mut sink = Arc::clone(&terminals);
    let mut line = terminals.connect(UnitId(1));
    sink.take(&record(opened(), vec![], assigned(1, 1)));
    sink.take(&record(vec![], vec![], assigned(1, 1)));
    assert_eq!(heard(&mut line), [told("assignment", "7.1")]);
}

#[test]
fn one_that_does_not_read_is_cut_off_and_the_rest_goes_on() {
    let terminals = terminals();
    let mut sink = Arc::clone(&terminals);
    let (mut slow, mut quick) = (terminals.connect(UnitId(1)), terminals.connect(UnitId(1)));
    let ack = Ack { time_ms: 1, unit: UnitId(1), assignment: id(1), answer: Answer::Accept };
    for _ in 0..TERMINAL_QUEUE + 1 {
        sink.take(&record(vec![], vec![ack], Decisions::default()));
        assert_eq!(heard(&mut quick).len(), 1);
    }
    assert_eq!(heard(&mut slow).len(), TERMINAL_QUEUE);
    assert!(matches!(slow.frames.try_recv(), Err(mpsc::error::TryRecvError::Disconnected)));
}

#[test]
fn a_unit_is_manned_from_its_first_terminal_to_its_last() {
    let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
    let metrics = Arc::new(Metrics::new(&city));
    let (manning, manned) = crossbeam_channel::unbounded();
    let terminals = Arc::new(Terminals::new(city, metrics, Arc::default(), Duty::default(), Some(manning)));
    let (one, two) = (terminals.connect(UnitId(1)), terminals.connect(UnitId(1)));
    drop(one);
    drop(two);
    assert_eq!(manned.try_iter().collect::<Vec<_>>(), [(UnitId(1), true), (UnitId(1), false)]);
}
