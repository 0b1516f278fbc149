use nanming_dataflows::decision::{
    Assignment, AssignmentPhase, AssignmentStatus, CallPhase, CallStatus, Candidate, CloseReason, Decisions, EndReason,
    Escalation, EscalationStep, Merge, PickReason, Reason, Rejected, Shortfall,
};
use nanming_dataflows::event::*;
use nanming_dataflows::ids::*;
use nanming_dataflows::network::{City, Point};

use super::*;
use crate::door::CallNote;

const FACTS: CallFacts = CallFacts {
    priority: Priority::A,
    category: Category::Crime,
    at: Point { x_mm: -5, y_mm: 7 },
    grid: GridId(3),
    needs: Needs::ONE,
};

pub(crate) fn city() -> City {
    nanming_simulators::town::small(2, 2, 1)
}

pub(crate) fn opened(call: u64) -> CallEvent {
    CallEvent { time_ms: 1_000 + call, call: CallId(call), change: CallChange::Opened(FACTS) }
}

pub(crate) fn note() -> CallNote {
    CallNote {
        words: "他拿着刀".into(),
        channel: "phone".into(),
        caller: "0123456789abcdef".into(),
        pictures: vec!["https://x/1".into()],
        key: "k".into(),
        ..CallNote::default()
    }
}

pub(crate) fn record(tick: u64, calls: Vec<CallEvent>, decisions: Decisions) -> TickRecord {
    let notes = calls.iter().map(|c| (c.call, note())).collect();
    TickRecord { calls, notes, decisions, ..TickRecord::closing(tick, &Batch::default()) }
}

pub(crate) fn assigned(call: u64, attempt: u16, unit: u32) -> Decisions {
    let id = AssignmentId { call: CallId(call), attempt };
    let candidates = vec![Candidate { eta_ms: 60_000, unit: UnitId(unit), but: None }];
    let assignment = Assignment {
        id,
        call: CallId(call),
        unit: UnitId(unit),
        time_ms: 2_000,
        priority: Priority::A,
        eta_ms: 60_000,
        candidates,
        reason: PickReason::Nearest,
    };
    Decisions {
        assignments: vec![assignment],
        calls: vec![status(call, CallPhase::Assigned, Some((id, unit)))],
        ..Decisions::default()
    }
}

pub(crate) fn status(call: u64, phase: CallPhase, with: Option<(AssignmentId, u32)>) -> CallStatus {
    CallStatus {
        call: CallId(call),
        time_ms: 2_000,
        seq: 1,
        phase,
        reason: None,
        priority: FACTS.priority,
        grid: FACTS.grid,
        assignment: with.map(|w| w.0),
        unit: with.map(|w| UnitId(w.1)),
        lacking: 0,
    }
}

/// An assignment ended so.
pub(crate) fn ended(id: AssignmentId, unit: u32, why: EndReason) -> Vec<AssignmentStatus> {
    let phase = AssignmentPhase::Ended(why);
    vec![AssignmentStatus { id, seq: 9, unit: UnitId(unit), time_ms: 2_500, phase }]
}

pub(crate) fn in_new_file() -> (tempfile::TempDir, PathBuf, Ledger) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ledger.sqlite");
    let ledger = Ledger::open(&path, 24, &city()).unwrap();
    (dir, path, ledger)
}

#[test]
fn what_was_committed_is_there_after_a_restart() {
    let (_dir, path, mut ledger) = in_new_file();
    let both =
        [record(10, vec![opened(17), opened(18)], Decisions::default()), record(11, vec![], assigned(17, 1, 11))];
    assert!(ledger.commit(&both).unwrap());
    drop(ledger);

    let ledger = Ledger::open(&path, 24, &city()).unwrap();
    assert_eq!(ledger.next_call_id(1..100).unwrap(), CallId(19));
    assert_eq!(ledger.next_call_id(100..200).unwrap(), CallId(100));
    assert_eq!(ledger.last_tick().unwrap(), Some(11));
    let standing = |phase, attempts, unit| CallChange::Restored(FACTS, Standing { phase, attempts, unit });
    let calls: Vec<_> = ledger.open_calls().unwrap().into_iter().map(|(c, n)| (c.call.0, c.change, n)).collect();
    let first = (17, standing(CallPhase::Assigned, 1, Some(UnitId(11))), note());
    assert_eq!(calls, [first, (18, standing(CallPhase::Waiting, 0, None), note())]);
    let in_force = ledger.assignments_in_force().unwrap();
    assert_eq!(in_force.len(), 1);
    assert_eq!(
        (in_force[0].assignment.clone(), in_force[0].phase),
        (assigned(17, 1, 11).assignments[0].clone(), CallPhase::Assigned)
    );
}

#[test]
fn a_crew_and_who_declined_are_known_after_a_restart() {
    let (_dir, _path, mut ledger) = in_new_file();
    let id = |attempt| AssignmentId { call: CallId(17), attempt };
    let phase =
        |attempt, unit, phase| AssignmentStatus { id: id(attempt), seq: 5, unit: UnitId(unit), time_ms: 1, phase };
    let mut both = assigned(17, 1, 11);
    both.assignments.extend([assigned(17, 2, 4), assigned(17, 3, 5)].into_iter().flat_map(|d| d.assignments));
    both.assignment_statuses = vec![phase(2, 4, AssignmentPhase::Accepted)];
    both.assignment_statuses.extend(ended(id(3), 5, EndReason::Declined));
    let (step, why) = (EscalationStep::Supervisor, Shortfall::Silence);
    let call = CallId(17);
    both.escalations = vec![Escalation { call, seq: 6, time_ms: 1, step, why, assignment: None, unit: None }];
    ledger.commit(&[record(10, vec![opened(17)], both)]).unwrap();
    let crews: Vec<CallChange> = ledger.crews().unwrap().iter().map(|event| event.change).collect();
    let serving = Serving { unit: UnitId(4), attempt: 2, phase: CallPhase::Accepted, is_ordered: false };
    assert_eq!(crews, [CallChange::Serving(serving), CallChange::Declined(UnitId(5)), CallChange::Attempts(3)]);
    assert_eq!(ledger.assignments_in_force().unwrap().len(), 2);
    let told: i64 = ledger.db.query_row("SELECT count(*) FROM escalations", [], |row| row.get(0)).unwrap();
    assert_eq!(told, 1);
}

#[test]
fn a_closed_call_does_not_come_back_but_keeps_its_page() {
    let (_dir, path, mut ledger) = in_new_file();
    let id = AssignmentId { call: CallId(17), attempt: 1 };
    let closed = Decisions { calls: vec![status(17, CallPhase::Closed, Some((id, 11)))], ..Decisions::default() };
    ledger.commit(&[record(10, vec![opened(17)], assigned(17, 1, 11)), record(11, vec![], closed)]).unwrap();
    assert!(ledger.open_calls().unwrap().is_empty());
    assert!(ledger.assignments_in_force().unwrap().is_empty());

    let page = Book::open(&path).unwrap().page(CallId(17)).unwrap().unwrap();
    assert_eq!((page.phase, page.tick, page.note), (CallPhase::Closed, 10, note()));
    assert_eq!(page.assignment.unwrap().unit, UnitId(11));
    let phases: Vec<CallPhase> = page.history.iter().map(|h| h.phase).collect();
    assert_eq!(phases, [CallPhase::Waiting, CallPhase::Assigned, CallPhase::Closed]);
    assert_eq!(Book::open(&path).unwrap().page(CallId(99)).unwrap(), None);
}

#[test]
fn a_refused_call_is_not_in_the_book() {
    let (_dir, path, mut ledger) = in_new_file();
    let event = opened(17);
    let refused = Rejected { time_ms: 1, reason: Reason::DuplicateCall, event: Event::Call(event) };
    let decisions = Decisions { rejected: vec![refused], ..Decisions::default() };
    ledger.commit(&[record(10, vec![event], decisions)]).unwrap();
    assert_eq!(Book::open(&path).unwrap().page(CallId(17)).unwrap(), None);
}

#[test]
fn a_tick_without_anything_durable_costs_no_transaction() {
    let (_dir, _path, mut ledger) = in_new_file();
    assert!(!ledger.commit(&[record(10, vec![], Decisions::default())]).unwrap());
    assert_eq!(ledger.last_tick().unwrap(), None);
}

#[test]
fn a_failed_commit_leaves_nothing_and_works_when_it_is_tried_again() {
    let (_dir, path, mut ledger) = in_new_file();
    let ticks = [record(10, vec![opened(17)], Decisions::default())];
    ledger
        .db
        .execute_batch("CREATE TRIGGER full BEFORE INSERT ON call_history BEGIN SELECT RAISE(ABORT, 'disk full'); END")
        .unwrap();
    assert!(ledger.commit(&ticks).is_err());
    assert_eq!(Book::open(&path).unwrap().page(CallId(17)).unwrap(), None);
    ledger.db.execute_batch("DROP TRIGGER full").unwrap();
    assert!(ledger.commit(&ticks).unwrap());
    assert_eq!(Book::open(&path).unwrap().page(CallId(17)).unwrap().unwrap().tick, 10);
}

#[test]
fn only_one_process_writes_a_ledger() {
    let (_dir, path, _ledger) = in_new_file();
    assert!(matches!(Ledger::open(&path, 24, &city()), Err(LedgerError::InUse(_))));
}

#[test]
fn a_file_of_another_version_is_refused() {
    let (_dir, path, ledger) = in_new_file();
    ledger.db.pragma_update(None, "user_version", 99).unwrap();
    drop(ledger);
    assert!(matches!(Ledger::open(&path, 24, &city()), Err(LedgerError::Version { found: 99, .. })));
}

#[test]
fn the_ledger_of_another_city_is_refused() {
    let (_dir, path, ledger) = in_new_file();
    drop(ledger);
    assert!(Ledger::open(&path, 24, &city()).is_ok());
    let mut other = city();
    other.cameras.pop();
    assert!(Ledger::open(&path, 24, &other).is_ok(), "cameras are not in it");
    other.grids.pop();
    let refused = Ledger::open(&path, 24, &other).err().unwrap();
    assert!(matches!(refused, LedgerError::OtherCity(_)) && refused.to_string().contains("--ledger"), "{refused}");
}

#[test]
fn a_ledger_of_a_version_before_is_taken_over_where_its_calls_fit_the_city() {
    let eighth = "DROP TABLE audit; DELETE FROM meta WHERE key LIKE 'audit%';";
    let seventh = "DROP TABLE roster_tasks; DROP TABLE roster_history; DROP TABLE roster_duties;
                   DROP TABLE roster_absences;";
    let sixth = "DROP INDEX calls_by_joined; DROP INDEX calls_by_opened; ALTER TABLE call_history DROP COLUMN note;
                 ALTER TABLE calls DROP COLUMN needs_units; ALTER TABLE calls DROP COLUMN needs_skills;
                 ALTER TABLE calls DROP COLUMN rule; ALTER TABLE calls DROP COLUMN joined;
                 ALTER TABLE calls DROP COLUMN withdrawn; ALTER TABLE assignments DROP COLUMN phase;
                 ALTER TABLE assignments DROP COLUMN ended; ALTER TABLE assignments DROP COLUMN ended_ms;
                 DROP TABLE escalations;";
    let fifth = "DROP TABLE holds;";
    let fourth = "DROP TABLE offsets; DROP INDEX assignments_by_time;";
    let third = "DROP INDEX calls_by_key; ALTER TABLE calls DROP COLUMN key; ALTER TABLE calls DROP COLUMN caller;
                 ALTER TABLE calls DROP COLUMN pictures;";
    let second = "ALTER TABLE call_history DROP COLUMN changed;";
    let first = "ALTER TABLE call_history DROP COLUMN reason;";
    let all = [eighth, seventh, sixth, fifth, fourth, third, second, first];
    for version in 1..=8 {
        let (_dir, path, mut ledger) = in_new_file();
        ledger.commit(&[record(10, vec![opened(17)], assigned(17, 1, 11))]).unwrap();
        let steps = all[..9 - version].concat();
        let before = format!("{steps} DELETE FROM meta WHERE key = 'city'; PRAGMA user_version = {version}");
        ledger.db.execute_batch(&before).unwrap();
        drop(ledger);
        let mut smaller = city();
        smaller.grids.pop();
        assert!(matches!(Ledger::open(&path, 24, &smaller), Err(LedgerError::OtherCity(_))), "it has no grid 3");
        let mut ledger = Ledger::open(&path, 24, &city()).unwrap();
        assert_eq!(ledger.assignments_in_force().unwrap().len(), 1, "of version {version}");
        let closed = CallStatus { reason: Some(CloseReason::UnitFree), ..status(17, CallPhase::Closed, None) };
        ledger.commit(&[record(11, vec![], Decisions { calls: vec![closed], ..Decisions::default() })]).unwrap();
        let page = Book::open(&path).unwrap().page(CallId(17)).unwrap().unwrap();
        let reasons: Vec<_> = page.history.iter().map(|line| line.reason).collect();
        assert_eq!(reasons, [None, None, Some(CloseReason::UnitFree)]);
        let caller = if version < 4 { String::new() } else { note().caller };
        assert_eq!((page.note.words, page.note.caller), (note().words, caller));
    }
}

#[test]
fn a_call_is_found_by_its_senders_key() {
    let (_dir, path, mut ledger) = in_new_file();
    ledger.commit(&[record(10, vec![opened(17)], Decisions::default())]).unwrap();
    let book = Book::open(&path).unwrap();
    assert_eq!(book.call_of_key("k").unwrap(), Some(CallId(17)));
    assert_eq!(book.call_of_key("other").unwrap(), None);
}

#[test]
fn how_far_topics_are_read_goes_with_what_was_read_and_otherwise_waits_a_second() {
    let (_dir, path, mut ledger) = in_new_file();
    let calls = |next| Offsets::of(("calls".into(), 0), next);
    let read = |tick, calls, offsets| TickRecord { offsets, ..record(tick, calls, Decisions::default()) };
    assert!(!ledger.commit(&[read(10, vec![], Offsets::of(("passages".into(), 3), 8))]).unwrap(), "no sync for it");
    assert!(ledger.offsets().unwrap().is_empty());
    assert!(ledger.commit(&[read(11, vec![opened(17)], calls(5)), read(12, vec![], calls(6))]).unwrap());
    let known = ledger.offsets().unwrap();
    assert_eq!((known.next("calls", 0), known.next("passages", 3)), (Some(6), Some(8)));
    ledger.commit(&[read(13, vec![], calls(7))]).unwrap();
    ledger.waiting_since = ledger.waiting_since.and_then(|since| since.checked_sub(RIDES_WAIT));
    assert!(ledger.commit(&[read(14, vec![], Offsets::default())]).unwrap(), "a second has passed");
    assert_eq!(ledger.offsets().unwrap(), {
        let mut all = known;
        all.set(("calls".into(), 0), 7);
        all
    });
    ledger.commit(&[read(15, vec![], calls(9))]).unwrap();
    ledger.flush().unwrap();
    drop(ledger);
    let reopened = Ledger::open(&path, 24, &city()).unwrap();
    assert_eq!(reopened.offsets().unwrap().next("calls", 0), Some(9), "the end writes what waits");
}

#[test]
fn assignments_are_read_in_the_order_of_their_ticks_with_what_their_units_must_know() {
    let (_dir, path, mut ledger) = in_new_file();
    let at = |tick, call, attempt| {
        let mut decisions = assigned(call, attempt, 11);
        decisions.assignments[0].time_ms = tick;
        record(tick, if attempt == 1 { vec![opened(call)] } else { vec![] }, decisions)
    };
    ledger.commit(&[at(10, 18, 1), at(11, 17, 1), at(12, 18, 2)]).unwrap();
    let book = Book::open(&path).unwrap();
    let ids = |after| -> Vec<String> {
        book.assigned_after(after).unwrap().iter().map(|made| made.assignment.id.to_string()).collect()
    };
    assert_eq!(ids(0), ["18.1", "17.1", "18.2"]);
    assert_eq!(ids(11), ["18.2"]);
    assert!(ids(12).is_empty());
    let made = book.assigned_after(11).unwrap().remove(0);
    assert_eq!((made.facts, made.words), (FACTS, note().words));
}

#[test]
fn what_is_changed_about_a_call_is_in_its_history() {
    let (_dir, path, mut ledger) = in_new_file();
    ledger.commit(&[record(10, vec![opened(17)], assigned(17, 1, 11))]).unwrap();
    let change = |time_ms, facts| CallEvent { time_ms, call: CallId(17), change: CallChange::Updated(facts) };
    let needs = Needs { units: 3, skills: [Skill::Dog].into_iter().collect() };
    let worse = CallFacts { priority: Priority::C, at: Point { x_mm: 1, y_mm: 2 }, needs, ..FACTS };
    ledger.commit(&[record(11, vec![change(3_000, worse), change(4_000, worse)], Decisions::default())]).unwrap();
    let page = Book::open(&path).unwrap().page(CallId(17)).unwrap().unwrap();
    let changed = Changed { priority: Some(Priority::C), at: Some(worse.at), needs: Some(needs), ..Changed::default() };
    let lines: Vec<_> = page.history.iter().map(|line| (line.time_ms, line.phase, line.changed)).collect();
    let phases = [(1_017, CallPhase::Waiting, None), (2_000, CallPhase::Assigned, None)];
    assert_eq!(lines[..2], phases);
    assert_eq!(page.facts, worse);
    assert_eq!(lines[2..], [(3_000, CallPhase::Assigned, Some(changed))], "said twice, it changed once");
}

/// What an operator or a cleaner may do to the files of a running ledger.
fn away(path: &Path, ending: &str) -> PathBuf {
    let name = |ending: &str| PathBuf::from(format!("{}{ending}", path.display()));
    let elsewhere = name("-elsewhere");
    std::fs::rename(name(ending), &elsewhere).unwrap();
    elsewhere
}

#[test]
fn a_ledger_whose_file_was_removed_takes_nothing_and_is_saved_beside() {
    for (ending, replaced) in [("", false), ("", true), ("-wal", false)] {
        let (dir, path, mut ledger) = in_new_file();
        ledger.commit(&[record(10, vec![opened(17)], Decisions::default())]).unwrap();
        std::fs::remove_file(away(&path, ending)).unwrap();
        if replaced {
            std::fs::write(&path, "another").unwrap();
        }
        assert!(matches!(ledger.commit(&[]), Err(LedgerError::Gone { .. })), "also when there is nothing to write");
        let refused = ledger.commit(&[record(11, vec![opened(18)], Decisions::default())]).unwrap_err().to_string();
        let saved = std::fs::read_dir(dir.path()).unwrap().map(|f| f.unwrap().path());
        let saved: Vec<PathBuf> = saved.filter(|f| f.to_string_lossy().contains("-saved-")).collect();
        assert_eq!(saved.len(), 1, "once");
        assert!(refused.contains(&saved[0].display().to_string()), "{refused}");
        drop(ledger);
        for ending in ["-wal", "-shm"] {
            let _it_may_be_gone = std::fs::remove_file(format!("{}{ending}", path.display()));
        }
        std::fs::rename(&saved[0], &path).unwrap();
        let open = Ledger::open(&path, 24, &city()).unwrap().open_calls().unwrap();
        assert_eq!(open.iter().map(|(call, _)| call.call.0).collect::<Vec<_>>(), [17], "{ending}");
    }
}

#[test]
fn a_ledger_that_is_put_back_goes_on_and_writes_nothing_twice() {
    let (_dir, path, mut ledger) = in_new_file();
    let ticks = [record(10, vec![opened(17)], assigned(17, 1, 11))];
    ledger.commit(&ticks).unwrap();
    let elsewhere = away(&path, "");
    assert!(ledger.commit(&ticks).is_err());
    std::fs::rename(elsewhere, &path).unwrap();
    ledger.commit(&ticks).unwrap();
    ledger.commit(&[record(11, vec![opened(18)], Decisions::default())]).unwrap();
    assert_eq!((ledger.take_conflicts(), ledger.open_calls().unwrap().len()), (0, 2));
}

#[test]
fn what_was_said_last_in_a_tick_is_what_a_restart_finds() {
    let (_dir, path, mut ledger) = in_new_file();
    ledger.commit(&[record(10, vec![opened(17)], assigned(17, 1, 11))]).unwrap();
    let id = AssignmentId { call: CallId(17), attempt: 1 };
    let word = |seq, phase, with| CallStatus { seq, ..status(17, phase, with) };
    let calls = vec![word(4, CallPhase::Waiting, None), word(3, CallPhase::Accepted, Some((id, 11)))];
    let assignment_statuses = ended(id, 11, EndReason::Declined);
    let mut decisions = Decisions { calls, assignment_statuses, ..Decisions::default() };
    decisions.sort();
    ledger.commit(&[record(11, vec![], decisions)]).unwrap();
    let page = Book::open(&path).unwrap().page(CallId(17)).unwrap().unwrap();
    assert_eq!((page.phase, page.assignment), (CallPhase::Waiting, None), "nobody is on it: the unit declined");
    assert!(ledger.assignments_in_force().unwrap().is_empty());
    let cancelled = Decisions { calls: vec![status(17, CallPhase::Cancelled, None)], ..Decisions::default() };
    ledger.commit(&[record(12, vec![], cancelled)]).unwrap();
    let page = Book::open(&path).unwrap().page(CallId(17)).unwrap().unwrap();
    assert_eq!(page.assignment.map(|a| a.id), Some(id), "of a call that is over, the last");
}

#[test]
fn an_id_that_is_given_twice_is_counted_and_the_new_call_is_kept() {
    let (_dir, path, mut ledger) = in_new_file();
    let over = Decisions { calls: vec![status(17, CallPhase::Closed, None)], ..Decisions::default() };
    ledger.commit(&[record(10, vec![opened(17)], assigned(17, 1, 11)), record(11, vec![], over)]).unwrap();
    assert_eq!(ledger.take_conflicts(), 0);
    ledger.commit(&[record(99, vec![opened(17)], assigned(17, 1, 4))]).unwrap();
    assert_eq!((ledger.take_conflicts(), ledger.take_conflicts()), (2, 0), "the call and its assignment");
    let page = Book::open(&path).unwrap().page(CallId(17)).unwrap().unwrap();
    assert_eq!((page.tick, page.phase, page.assignment.unwrap().unit), (99, CallPhase::Assigned, UnitId(4)));
    assert_eq!(ledger.open_calls().unwrap().len(), 1);
}

#[test]
fn of_two_answers_that_are_alike_the_second_is_refused() {
    let (_dir, _path, mut ledger) = in_new_file();
    let assignment = AssignmentId { call: CallId(17), attempt: 1 };
    let ack = Ack { time_ms: 2_000, unit: UnitId(11), assignment, answer: Answer::Closed };
    let rejected = vec![Rejected { time_ms: 11, reason: Reason::StaleAssignment, event: Event::Ack(ack) }];
    let twice =
        TickRecord { acks: vec![ack, ack], ..record(11, vec![], Decisions { rejected, ..Decisions::default() }) };
    ledger.commit(&[twice]).unwrap();
    let mut statement = ledger.db.prepare("SELECT refused FROM acks ORDER BY rowid").unwrap();
    let refused: Vec<String> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert_eq!(refused, ["", "stale_assignment"]);
}

#[test]
fn stages_that_are_held_are_known_after_a_restart_until_they_are_let_go_or_over() {
    let (_dir, path, mut ledger) = in_new_file();
    let hold = |junction, time_ms, stage, until_ms| StageHold {
        time_ms,
        junction: JunctionId(junction),
        stage,
        until_ms,
        by: "desk".into(),
    };
    let said = [hold(0, 1, Some(1), 90), hold(1, 1, Some(1), 90), hold(2, 1, Some(0), 50), hold(0, 2, Some(2), 80)];
    let of =
        |tick, holds: &[StageHold]| TickRecord { holds: holds.to_vec(), ..record(tick, vec![], Decisions::default()) };
    assert!(ledger.commit(&[of(10, &said), of(11, &[hold(1, 3, None, 0)])]).unwrap(), "before anybody is told");
    drop(ledger);
    assert_eq!(Ledger::open(&path, 24, &city()).unwrap().holds_in_force(50).unwrap(), [hold(0, 2, Some(2), 80)]);
}

#[test]
fn merges_are_in_the_book_with_what_they_raised_and_a_restart_finds_them() {
    let (_dir, path, mut ledger) = in_new_file();
    let needs = Needs { units: 3, skills: [Skill::Armed].into_iter().collect() };
    let raised = CallFacts { needs, ..FACTS };
    let merged = Decisions {
        merges: vec![Merge { call: CallId(18), time_ms: 3_000, into: Some(CallId(17)), facts: raised }],
        calls: vec![status(18, CallPhase::Merged, None)],
        ..Decisions::default()
    };
    ledger.commit(&[record(10, vec![opened(17)], Decisions::default()), record(11, vec![opened(18)], merged)]).unwrap();
    let say = |time_ms, call, change| CallEvent { time_ms, call: CallId(call), change };
    let withdrawn = say(4_000, 17, CallChange::Cancelled);
    ledger.commit(&[record(12, vec![withdrawn], Decisions::default())]).unwrap();
    let book = Book::open(&path).unwrap();
    let page = book.page(CallId(17)).unwrap().unwrap();
    let joined: Vec<_> = page.joined.iter().map(|j| (j.call.0, j.phase, j.caller.as_str())).collect();
    assert_eq!((page.facts, page.withdrawn, page.phase), (raised, true, CallPhase::Waiting));
    assert_eq!(joined, [(18, CallPhase::Merged, "0123456789abcdef")]);
    let changes: Vec<_> = page.history.iter().filter_map(|line| line.changed).collect();
    let by_joining = Changed { needs: Some(needs), joined: Some(CallId(18)), ..Changed::default() };
    assert_eq!(changes, [by_joining, Changed { withdrawn: true, ..Changed::default() }]);
    drop(ledger);
    let mut ledger = Ledger::open(&path, 24, &city()).unwrap();
    let restored: Vec<_> = ledger.open_calls().unwrap().into_iter().map(|(c, _)| (c.call.0, c.change)).collect();
    let waiting = Standing { phase: CallPhase::Waiting, attempts: 0, unit: None };
    let expected = [
        (17, CallChange::Restored(raised, waiting)),
        (17, CallChange::Withdrawn),
        (18, CallChange::Joined(FACTS, CallId(17))),
    ];
    assert_eq!(restored, expected);
    let split = say(5_000, 18, CallChange::Split(FACTS));
    let merges = vec![Merge { call: CallId(18), time_ms: 5_000, into: None, facts: FACTS }];
    let own = Decisions { calls: vec![status(18, CallPhase::Waiting, None)], merges, ..Decisions::default() };
    ledger.commit(&[record(13, vec![split], own)]).unwrap();
    assert!(book.page(CallId(17)).unwrap().unwrap().joined.is_empty());
    assert_eq!(book.page(CallId(18)).unwrap().unwrap().into, None);
}

#[test]
fn why_somebody_changed_or_withdrew_a_call_is_in_its_history() {
    let (_dir, path, mut ledger) = in_new_file();
    ledger.commit(&[record(10, vec![opened(17)], Decisions::default())]).unwrap();
    let said = |tick, change, why: &str, decisions| {
        let event = CallEvent { time_ms: tick, call: CallId(17), change };
        let note = CallNote { why: why.into(), ..CallNote::default() };
        TickRecord { notes: vec![(CallId(17), note)], ..record(tick, vec![event], decisions) }
    };
    let calmer = CallFacts { priority: Priority::C, ..FACTS };
    let over = Decisions { calls: vec![status(17, CallPhase::Cancelled, None)], ..Decisions::default() };
    ledger
        .commit(&[
            said(11, CallChange::Updated(calmer), "他走了", Decisions::default()),
            said(12, CallChange::Cancelled, "误报", over),
        ])
        .unwrap();
    let page = Book::open(&path).unwrap().page(CallId(17)).unwrap().unwrap();
    let notes: Vec<&str> = page.history.iter().map(|line| line.note.as_str()).collect();
    assert_eq!(notes, ["", "他走了", "误报"]);
}

#[test]
fn the_report_takes_first_answers_that_were_taken() {
    let (_dir, path, mut ledger) = in_new_file();
    ledger.commit(&[record(10, vec![opened(17), opened(18)], assigned(17, 1, 11))]).unwrap();
    let id = AssignmentId { call: CallId(17), attempt: 1 };
    let ack = |time_ms, answer| Ack { time_ms, unit: UnitId(11), assignment: id, answer };
    let stale = ack(2_100, Answer::Accept);
    let rejected = vec![Rejected { time_ms: 11, reason: Reason::StaleAssignment, event: Event::Ack(stale) }];
    let acks = vec![stale, ack(2_500, Answer::Accept), ack(9_000, Answer::Arrived), ack(9_900, Answer::Closed)];
    let tick = TickRecord { acks, ..record(11, vec![], Decisions { rejected, ..Decisions::default() }) };
    ledger.commit(&[tick]).unwrap();
    let book = Book::open(&path).unwrap();
    let found = book.responses(None).unwrap();
    assert_eq!(
        (found[0].accepted_ms, found[0].accepting_ms, found[0].arrived_ms),
        (Some(2_500), Some(500), Some(9_000))
    );
    assert_eq!((found[1].assigned_ms, found[1].accepted_ms), (None, None));
    assert_eq!(book.responses(Some((1_018, 2_000))).unwrap().len(), 1);
}

#[test]
fn the_story_has_what_became_of_each_assignment_and_who_was_told() {
    let (_dir, path, mut ledger) = in_new_file();
    let id = AssignmentId { call: CallId(17), attempt: 1 };
    let ended = AssignmentPhase::Ended(EndReason::Silent);
    let statuses = vec![AssignmentStatus { id, seq: 2, unit: UnitId(11), time_ms: 62_000, phase: ended }];
    let (step, why) = (EscalationStep::SecondUnit, Shortfall::Silence);
    let (assignment, unit) = (Some(id), Some(UnitId(11)));
    let told = vec![Escalation { call: CallId(17), seq: 3, time_ms: 62_000, step, why, assignment, unit }];
    let later = Decisions { assignment_statuses: statuses, escalations: told, ..Decisions::default() };
    ledger.commit(&[record(10, vec![opened(17)], assigned(17, 1, 11)), record(11, vec![], later)]).unwrap();
    let book = Book::open(&path).unwrap();
    let attempts = book.attempts(CallId(17)).unwrap();
    assert_eq!((attempts[0].phase, attempts[0].ended_ms), (Some(ended), Some(62_000)));
    assert_eq!(book.escalations(CallId(17)).unwrap(), [Escalated { time_ms: 62_000, step, why, unit }]);
    assert!(book.is_of(&city()).unwrap());
}

#[test]
fn what_acts_by_itself_in_a_ledger_is_found_and_taken_away() {
    let (_dir, path, ledger) = in_new_file();
    drop(ledger);
    let db = Connection::open(&path).unwrap();
    db.execute_batch("CREATE TRIGGER \"a \"\"b\" AFTER INSERT ON calls BEGIN DELETE FROM calls; END").unwrap();
    assert_eq!(check::check(&db, &path).unwrap(), ["a trigger that nanming does not make: a \"b"]);
    let mut ledger = Ledger::open(&path, 24, &city()).unwrap();
    ledger.commit(&[record(10, vec![opened(17)], Decisions::default())]).unwrap();
    assert_eq!((ledger.open_calls().unwrap().len(), check::check(&db, &path).unwrap().len()), (1, 0));
}

#[test]
fn a_name_that_leads_to_the_ledger_is_the_ledger() {
    let (dir, path, ledger) = in_new_file();
    let link = dir.path().join("link");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    assert!(matches!(Ledger::open(&link, 24, &city()), Err(LedgerError::InUse(_))));
    drop(ledger);
    let mut ledger = Ledger::open(&link, 24, &city()).unwrap();
    assert!(ledger.commit(&[record(10, vec![opened(17)], Decisions::default())]).unwrap());
}
