use nanming_dataflows::decision::{
    AssignmentPhase, AssignmentStatus, CallPhase, Decisions, EndReason, Escalation, EscalationStep, Interval, Merge,
    Shortfall, SignalCommand, StageReason,
};
use nanming_dataflows::event::{Ack, Answer, AssignmentId, Batch, CallChange, CallEvent, FlowReading, StageHold};
use nanming_dataflows::ids::{CallId, CameraId, JunctionId, UnitId};
use rusqlite::types::Value;

use super::super::tests::{assigned, city, ended, in_new_file, opened, record, status};
use super::super::{Ledger, TickRecord};
use super::taken::{Played, Replayed};
use super::verify::{Checked, Finding};
use super::*;
use crate::door::Taken;
use crate::ledger::prune::{Pruned, prune};

/// A day's work: two calls, one of which is merged, answers, an escalation, a stage held, commands.
fn work() -> Vec<TickRecord> {
    let id = AssignmentId { call: CallId(17), attempt: 1 };
    let (step, why) = (EscalationStep::Reminded, Shortfall::Silence);
    let told = Escalation { call: CallId(17), seq: 6, time_ms: 3_000, step, why, assignment: Some(id), unit: None };
    let accepted = AssignmentStatus { id, seq: 7, unit: UnitId(11), time_ms: 3_100, phase: AssignmentPhase::Accepted };
    let mut answered = record(12, vec![], Decisions { assignment_statuses: vec![accepted], ..Decisions::default() });
    answered.decisions.calls = vec![status(17, CallPhase::Accepted, Some((id, 11)))];
    answered.acks = vec![Ack { time_ms: 3_100, unit: UnitId(11), assignment: id, answer: Answer::Accept }; 2];
    answered.holds =
        vec![StageHold { time_ms: 9, junction: JunctionId(0), stage: Some(1), until_ms: 50, by: "desk".into() }];
    let CallChange::Opened(facts) = opened(18).change else { panic!() };
    let merge = Merge { call: CallId(18), time_ms: 2_900, into: Some(CallId(17)), facts };
    let merged =
        Decisions { merges: vec![merge], calls: vec![status(18, CallPhase::Merged, None)], ..Decisions::default() };
    let escalated = Decisions { escalations: vec![told], ..Decisions::default() };
    let mut moved = record(15, vec![], Decisions::default());
    moved.decisions.commands = vec![command(40)];
    moved.calls = vec![CallEvent { time_ms: 5, call: CallId(17), change: CallChange::Ordered(UnitId(4)) }];
    vec![
        record(9, vec![opened(17)], Decisions::default()),
        record(10, vec![], assigned(17, 1, 11)),
        record(11, vec![opened(18)], merged),
        answered,
        record(13, vec![], escalated),
        moved,
    ]
}

fn command(at_ms: u64) -> SignalCommand {
    let (junction, interval, reason) = (JunctionId(0), Interval::Green, StageReason::Plan);
    SignalCommand { junction, at_ms, stage: 0, interval, lamps: vec![], reason }
}

/// A file after a day's work.
fn worked() -> (tempfile::TempDir, std::path::PathBuf) {
    let (dir, path, mut ledger) = in_new_file();
    for tick in work() {
        ledger.commit(&[tick]).unwrap();
    }
    drop(ledger);
    (dir, path)
}

/// A tick that took readings of a detector, whose decisions are durable if it raised a call.
fn took(tick: u64, vehicles: &[u32], calls: Vec<CallEvent>) -> TickRecord {
    let (camera, interval_ms, speed_mm_s, occupancy_milli) = (CameraId(0), 1_000, 0, 0);
    let flow = |vehicles: &u32| FlowReading {
        time_ms: tick,
        camera,
        interval_ms,
        vehicles: *vehicles,
        speed_mm_s,
        occupancy_milli,
    };
    let batch = Batch { flows: vehicles.iter().map(flow).collect(), calls, ..Batch::default() };
    TickRecord { taken: Taken::of(tick, &batch), ..TickRecord::closing(tick, &batch) }
}

/// Two lives: of the first the last tick is lost, the second begins with tick 20.
struct Lives {
    _dir: tempfile::TempDir,
    db: Connection,
    ticks: Vec<Played>,
}

impl Lives {
    fn lived() -> Lives {
        let (dir, path, mut ledger) = in_new_file();
        let first =
            [took(10, &[1], vec![]), took(11, &[2], vec![opened(17)]), took(12, &[], vec![]), took(13, &[3], vec![])];
        let lost = took(14, &[9, 9], vec![]);
        let second = [took(20, &[4], vec![]), took(21, &[], vec![]), took(22, &[5], vec![])];
        for tick in &first {
            ledger.commit(std::slice::from_ref(tick)).unwrap();
        }
        ledger.flush().unwrap();
        assert_eq!(ledger.last_tick().unwrap(), Some(13), "an engine that starts now begins behind it");
        drop(ledger);
        let mut ledger = Ledger::open(&path, 24, &city()).unwrap();
        ledger.commit(&second).unwrap();
        ledger.flush().unwrap();
        let played = |record: &TickRecord| Played {
            tick: record.tick,
            left_out: 0,
            starts: [10, 20].contains(&record.tick),
            taken: record.taken.unwrap(),
        };
        let ticks = first.iter().chain([&lost]).chain(&second).map(played).collect();
        Lives { _dir: dir, db: Connection::open(&path).unwrap(), ticks }
    }

    fn replay(&self, ticks: &[Played]) -> Result<Replayed, Finding> {
        let span = (ticks[0].tick, ticks[ticks.len() - 1].tick);
        taken::replay::<LedgerError>(&self.db, ticks.iter().map(|tick| Ok(*tick)), span).unwrap()
    }

    /// The recording with something done to it.
    fn altered(&self, alter: impl FnOnce(&mut Vec<Played>)) -> Result<Replayed, Finding> {
        let mut ticks = self.ticks.clone();
        alter(&mut ticks);
        self.replay(&ticks)
    }
}

#[test]
fn what_the_door_took_agrees_with_a_recording_of_it() {
    let lives = Lives::lived();
    let ends: Vec<i64> = of_kind(&lives.db, "taken").unwrap().iter().map(|record| record.tick).collect();
    assert_eq!(ends, [11, 13, 22], "until a call, until the end, and in the next life");
    assert!(verified(&lives.db).is_ok());
    let whole = Replayed { records: 3, events: 6, unvouched: (1, 2), ..Replayed::default() };
    assert_eq!(lives.replay(&lives.ticks), Ok(whole), "for what a killed engine could not write no record vouches");
    let part =
        |records, events, unrecorded, unvouched| Ok(Replayed { records, events, unrecorded, foreign: 0, unvouched });
    assert_eq!(lives.replay(&lives.ticks[..4]), part(2, 4, 1, (0, 0)));
    assert_eq!(lives.replay(&lives.ticks[1..]), part(2, 3, 1, (2, 4)), "of one only the end is there");
    // Killed before it was on the disk; and a disk that was too slow.
    assert_eq!(lives.altered(|ticks| drop(ticks.drain(3..5))), part(2, 5, 1, (0, 0)));
    let slow = |ticks: &mut Vec<Played>| {
        ticks.remove(0);
        ticks[0].left_out = 1;
    };
    assert_eq!(lives.altered(slow), part(2, 3, 1, (2, 4)));
    let between = |ticks: &mut Vec<Played>| {
        ticks.remove(6);
        ticks[6].left_out = 1;
    };
    assert_eq!(lives.altered(between), part(2, 4, 1, (1, 2)));
}

#[test]
fn a_recording_that_was_altered_is_found_by_the_record_of_its_ticks() {
    let lives = Lives::lived();
    let records = of_kind(&lives.db, "taken").unwrap();
    let seq_of = |tick: u64| records.iter().find(|record| record.tick as u64 >= tick).map(|record| record.seq);
    let other = |tick: u64| took(tick, &[77], vec![]).taken.unwrap();
    for row in [0, 1, 2, 3, 5, 6, 7] {
        let tick = lives.ticks[row].tick;
        let found = |alter: &dyn Fn(&mut Vec<Played>)| {
            let finding = lives.altered(|ticks| alter(ticks)).unwrap_err();
            assert_eq!((finding.seq, finding.more), (seq_of(tick), 0), "tick {tick}: {finding}");
        };
        found(&|ticks| ticks[row].taken = other(tick));
        found(&|ticks| (ticks[row].taken, ticks[row].left_out) = (other(tick), 1));
        found(&|ticks| ticks[row].starts ^= true);
        if row != 0 && row != 7 {
            found(&|ticks| {
                ticks.remove(row);
            });
        }
    }
}

fn verified(db: &Connection) -> Result<Checked, Finding> {
    verify::of_one_writer(db, &[]).unwrap()
}

/// What verification says after some damage, which is then undone.
fn damaged(db: &Connection, damage: impl FnOnce(&Connection)) -> Result<Checked, Finding> {
    let undone = db.unchecked_transaction().unwrap();
    damage(&undone);
    verified(&undone)
}

#[test]
fn each_tick_has_its_record_and_all_agrees() {
    let (_dir, path) = worked();
    let db = Connection::open(&path).unwrap();
    let checked = verified(&db).unwrap();
    assert_eq!((checked.records, checked.anchors), (8, 0), "a start, six ticks, commands");
    assert!(checked.rows > 10, "{checked}");
    let of_it = of_call(&db, 17).unwrap();
    let told: String = of_it.iter().map(Record::line).collect();
    for word in ["raised", "assigned", "merged", "answered", "escalated", "ordered"] {
        assert!(told.contains(&format!("\"what\":\"{word}\"")), "{word} is not in {told}");
    }
    assert!(!told.contains("拿着刀") && !told.contains("x_mm"), "{told}");
    assert_eq!(of_call(&db, 1).unwrap(), []);
    assert_eq!(of_call(&db, 18).unwrap().len(), 1);
}

#[test]
fn any_change_of_any_byte_of_any_record_is_found_at_that_record() {
    let (_dir, path) = worked();
    let db = Connection::open(&path).unwrap();
    let records: Vec<Record> = all(&db);
    for record in &records {
        let seq = record.seq;
        let mut flips = Vec::new();
        for (column, bytes) in [("kind", &record.kind), ("body", &record.body)] {
            // Each byte by another bit, so that all bits are flipped somewhere.
            flips.extend((0..bytes.len()).map(|at| {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << (at % 7);
                (column, Value::Text(String::from_utf8_lossy(&changed).into_owned()))
            }));
        }
        flips.extend((0..32).map(|at| {
            let mut changed = record.hash.clone();
            changed[at] ^= 1 << (at % 8);
            ("hash", Value::Blob(changed))
        }));
        flips.extend((0..62).map(|bit| ("tick", Value::Integer(record.tick ^ 1 << bit))));
        for (column, value) in flips {
            let found = damaged(&db, |db| {
                db.execute(&format!("UPDATE audit SET {column} = ? WHERE seq = ?"), params![value, seq]).unwrap();
            });
            assert_eq!(found.expect_err(column).seq, Some(seq), "{column} {value:?}");
        }
    }
    assert!(verified(&db).is_ok(), "damage was undone");
}

#[test]
fn a_record_removed_put_elsewhere_or_numbered_anew_is_found() {
    let (_dir, path) = worked();
    let db = Connection::open(&path).unwrap();
    let last = all(&db).len() as i64;
    for first in 1..=last {
        let gone = damaged(&db, |db| {
            db.execute("DELETE FROM audit WHERE seq = ?", [first]).unwrap();
        });
        assert!(gone.is_err(), "without record {first}");
        let closed_up = damaged(&db, |db| {
            db.execute("DELETE FROM audit WHERE seq = ?", [first]).unwrap();
            (first..last).for_each(|seq| {
                db.execute("UPDATE audit SET seq = ?1 WHERE seq = ?1 + 1", [seq]).unwrap();
            });
        });
        assert!(closed_up.is_err(), "record {first} taken out, the others closed up");
        for second in first + 1..=last {
            let swapped = damaged(&db, |db| {
                for (from, to) in [(first, 0), (second, first), (0, second)] {
                    db.execute("UPDATE audit SET seq = ? WHERE seq = ?", [to, from]).unwrap();
                }
            });
            assert_eq!(swapped.unwrap_err().seq, Some(first), "{first} and {second} swapped");
        }
    }
}

#[test]
fn a_tail_that_was_cut_is_found() {
    let (_dir, path) = worked();
    let db = Connection::open(&path).unwrap();
    let lines = roots::days(&db, 1, 480).unwrap();
    let last = all(&db).len() as i64;
    assert_eq!((lines.len(), lines[0].first, lines[0].last), (1, 1, last));
    assert_eq!(verify::of_one_writer(&db, &lines).unwrap().unwrap().anchors, 1);
    for kept in 0..last {
        let cut = |db: &Connection| {
            db.execute("DELETE FROM audit WHERE seq > ?", [kept]).unwrap();
        };
        assert!(damaged(&db, cut).is_err(), "{kept} records kept");
        // By somebody who knows what the ledger notes, and cuts the tables to fit: what was exported tells.
        let undone = db.unchecked_transaction().unwrap();
        cut(&undone);
        Head::of(&undone).unwrap().note(&undone).unwrap();
        let found = verify::of_one_writer(&undone, &lines).unwrap().unwrap_err();
        assert!(found.what.contains("are gone"), "{found}");
    }
}

#[test]
fn a_chain_written_anew_is_found_by_what_was_exported() {
    let (_dir, path) = worked();
    let db = Connection::open(&path).unwrap();
    let lines = roots::days(&db, 1, 480).unwrap();
    let records = all(&db);
    db.execute("DELETE FROM audit", []).unwrap();
    let mut head = Head::default();
    let forged = db.unchecked_transaction().unwrap();
    for record in &records {
        let body = String::from_utf8(record.body.clone()).unwrap().replace("nearest", "ordered");
        let hash = hash(&head.hash, record.seq, record.tick, &record.kind, body.as_bytes());
        let kind = String::from_utf8(record.kind.clone()).unwrap();
        forged
            .execute(
                "INSERT INTO audit VALUES (?, ?, ?, ?, ?)",
                params![record.seq, record.tick, kind, body, hash.as_slice()],
            )
            .unwrap();
        head = Head { seq: record.seq, hash };
    }
    head.note(&forged).unwrap();
    assert!(verify::of_one_writer(&forged, &[]).unwrap().is_ok(), "in itself it agrees");
    let found = verify::of_one_writer(&forged, &lines).unwrap().unwrap_err();
    assert!(found.what.contains("rewritten"), "{found}");
}

#[test]
fn a_row_changed_removed_or_put_in_is_found_in_every_column_of_every_table() {
    let (_dir, path) = worked();
    let db = Connection::open(&path).unwrap();
    let mut changes = 0;
    for table in rows::TABLES {
        for rowid in ids(&db, table) {
            let by = row_condition(table, &rowid);
            for (column, is_text) in columns(&db, table.name) {
                let other = match (column.as_str(), is_text) {
                    ("commands" | "content", _) => "x'00'".into(),
                    (_, true) => format!("{column} || 'x'"),
                    (_, false) => format!("coalesce({column}, 0) + 1000"),
                };
                let found = damaged(&db, |db| {
                    db.execute(&format!("UPDATE {} SET {column} = {other} WHERE {by}", table.name), []).unwrap();
                });
                assert!(found.is_err(), "{}.{column} changed", table.name);
                changes += 1;
            }
            let gone = damaged(&db, |db| {
                db.execute(&format!("DELETE FROM {} WHERE {by}", table.name), []).unwrap();
            });
            assert!(gone.is_err(), "a row of {} removed", table.name);
        }
    }
    assert!(changes > 80, "{changes}");
    for put in [
        "INSERT INTO acks SELECT * FROM acks LIMIT 1",
        "INSERT INTO assignments SELECT call, 9, unit, time_ms, priority, eta_ms, candidates, reason, phase, ended, ended_ms
         FROM assignments",
        "INSERT INTO call_history SELECT * FROM call_history LIMIT 1",
        "INSERT INTO escalations SELECT * FROM escalations",
    ] {
        let found = damaged(&db, |db| {
            db.execute(put, []).unwrap();
        });
        assert!(found.is_err(), "{put}");
    }
}

#[test]
fn what_a_failed_transaction_said_is_not_in_the_chain() {
    let (_dir, path, mut ledger) = in_new_file();
    let ticks = work();
    let full = "CREATE TRIGGER full BEFORE INSERT ON escalations BEGIN SELECT RAISE(ABORT, 'disk full'); END";
    ledger.db.execute_batch(full).unwrap();
    assert!(ledger.commit(&ticks).is_err());
    ledger.db.execute_batch("DROP TRIGGER full").unwrap();
    ledger.commit(&ticks).unwrap();
    ledger.commit(&ticks).unwrap();
    drop(ledger);
    assert_eq!(verified(&Connection::open(&path).unwrap()).unwrap().records, 8, "each tick once");
}

#[test]
fn a_ledger_from_before_the_chain_is_adopted_and_damage_to_that_is_found() {
    let (_dir, path) = worked();
    let db = Connection::open(&path).unwrap();
    db.execute_batch("DROP TABLE audit; DELETE FROM meta WHERE key LIKE 'audit%'; PRAGMA user_version = 8").unwrap();
    drop(db);
    drop(Ledger::open(&path, 24, &city()).unwrap());
    let db = Connection::open(&path).unwrap();
    assert_eq!(verified(&db).unwrap().records, 2, "what was adopted, and the start");
    let found = damaged(&db, |db| {
        db.execute("UPDATE assignments SET unit = unit + 1", []).unwrap();
    });
    assert_eq!(found.unwrap_err().seq, Some(1));
}

#[test]
fn a_chain_that_is_gone_is_not_adopted_anew() {
    let (_dir, path) = worked();
    Connection::open(&path).unwrap().execute("DELETE FROM audit", []).unwrap();
    drop(Ledger::open(&path, 24, &city()).unwrap());
    let db = Connection::open(&path).unwrap();
    assert!(all(&db)[0].line().contains("\"intact\":false"));
    assert!(verified(&db).unwrap_err().what.contains("no record tells of"));
}

#[test]
fn a_ledger_from_before_the_chain_is_adopted_by_who_prunes_it_first() {
    let (_dir, path) = worked();
    let old = "DROP TABLE audit; DELETE FROM meta WHERE key LIKE 'audit%'; PRAGMA user_version = 8";
    Connection::open(&path).unwrap().execute_batch(old).unwrap();
    prune(&path, 5, "me").unwrap();
    drop(Ledger::open(&path, 24, &city()).unwrap());
    assert_eq!(verified(&Connection::open(&path).unwrap()).unwrap().records, 3, "adopted, pruned, started");
}

#[test]
fn a_start_on_a_chain_that_was_cut_says_so() {
    let (_dir, path) = worked();
    Connection::open(&path).unwrap().execute("DELETE FROM audit WHERE seq > 5", []).unwrap();
    drop(Ledger::open(&path, 24, &city()).unwrap());
    let db = Connection::open(&path).unwrap();
    let last = all(&db).pop().unwrap().line();
    assert!(last.contains("\"intact\":false"), "{last}");
}

#[test]
fn a_chain_cut_under_a_running_engine_is_found() {
    let (_dir, path, mut ledger) = in_new_file();
    let mut ticks = work().into_iter();
    ledger.commit(&[ticks.next().unwrap()]).unwrap();
    let other = Connection::open(&path).unwrap();
    other.execute("DELETE FROM audit WHERE seq > 1", []).unwrap();
    ledger.commit(&[ticks.next().unwrap()]).unwrap();
    let found = verified(&other).unwrap_err();
    assert!(found.seq == Some(2) && found.what.contains("missing"), "{found}");
}

#[test]
fn commands_that_are_too_old_go_and_the_chain_knows() {
    let (_dir, path, mut ledger) = in_new_file();
    let hour = 3_600_000;
    for (n, at_ms) in [hour, 20 * hour, 30 * hour, 60 * hour].into_iter().enumerate() {
        let mut tick = record(n as u64 + 1, vec![opened(n as u64)], Decisions::default());
        tick.decisions.commands = vec![command(at_ms)];
        ledger.commit(&[tick]).unwrap();
    }
    drop(ledger);
    let db = Connection::open(&path).unwrap();
    let left: i64 = db.query_row("SELECT count(*) FROM signal_commands", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 1);
    verified(&db).unwrap();
    let found = damaged(&db, |db| {
        db.execute("DELETE FROM signal_commands", []).unwrap();
    });
    assert!(found.is_err());
}

#[test]
fn a_day_that_has_ended_is_exported_once() {
    let (dir, path, mut ledger) = in_new_file();
    let file = dir.path().join("roots");
    let day = 86_400_000;
    let read = || roots::read(&file).unwrap();
    ledger.commit(&[record(day, vec![opened(1)], Decisions::default())]).unwrap();
    ledger.commit(&[record(day + 1, vec![opened(2)], Decisions::default())]).unwrap();
    let db = Connection::open(&path).unwrap();
    assert_eq!(roots::export(&db, &file, 0).unwrap(), 0, "it has not ended");
    ledger.commit(&[record(4 * day, vec![opened(3)], Decisions::default())]).unwrap();
    ledger.commit(&[record(5 * day, vec![opened(4)], Decisions::default())]).unwrap();
    assert_eq!(roots::export(&db, &file, 0).unwrap(), 2, "a day without records has no line");
    assert_eq!(roots::export(&db, &file, 0).unwrap(), 0);
    let spans: Vec<_> = read().iter().map(|line| (line.day.to_string(), line.first, line.last)).collect();
    let expected = [("1970-01-02", 1, 3), ("1970-01-05", 4, 4)];
    assert_eq!(spans, expected.map(|(day, first, last)| (day.to_owned(), first, last)));
    assert_eq!(verify::of_one_writer(&db, &read()).unwrap().unwrap().anchors, 2);
}

#[test]
fn what_is_pruned_is_told_and_nothing_else_may_go() {
    let (_dir, path, mut ledger) = in_new_file();
    for tick in work() {
        ledger.commit(&[tick]).unwrap();
    }
    let refused = prune(&path, 10_000, "me").unwrap_err();
    assert!(refused.to_string().contains("in use"), "{refused}");
    let id = AssignmentId { call: CallId(17), attempt: 1 };
    let mut closed = record(20, vec![opened(30), opened(31)], Decisions::default());
    closed.decisions.calls = vec![status(17, CallPhase::Closed, Some((id, 11))), status(18, CallPhase::Closed, None)];
    closed.decisions.assignment_statuses = ended(id, 11, EndReason::Done);
    ledger.commit(&[closed]).unwrap();
    ledger.commit(&[record(21, vec![opened(32)], Decisions::default())]).unwrap();
    drop(ledger);

    let nothing = prune(&path, 1_900, "me").unwrap();
    assert_eq!(nothing.calls, [0; 0], "they were closed later");
    let pruned = prune(&path, 100_000, "me").unwrap();
    let expected = Pruned {
        by: "me".into(),
        before_ms: 100_000,
        calls: vec![18, 17],
        tasks: vec![],
        holds: vec![],
        signals_before_ms: 100_000,
    };
    assert_eq!(Pruned { holds: vec![], ..pruned }, expected, "30 to 32 are open");
    let db = Connection::open(&path).unwrap();
    let checked = verified(&db).unwrap();
    assert_eq!(checked.rows, 6, "three calls with a line each: {checked}");
    for damage in [
        "DELETE FROM calls WHERE id = 30",
        "DELETE FROM call_history WHERE call = 31",
        "INSERT INTO acks VALUES (3100, 17, 1, 11, 'accepted', '')",
        "DELETE FROM audit WHERE kind = 'prune'",
    ] {
        let found = damaged(&db, |db| {
            db.execute(damage, []).unwrap();
        });
        assert!(found.is_err(), "{damage}");
    }
    let told: String = of_call(&db, 18).unwrap().iter().map(Record::line).collect();
    assert!(told.contains("\"by\":\"me\""), "{told}");
}

fn all(db: &Connection) -> Vec<Record> {
    let mut statement = db.prepare("SELECT seq, tick, kind, body, hash FROM audit ORDER BY seq").unwrap();
    statement.query_map([], Record::read).unwrap().map(Result::unwrap).collect()
}

/// Columns of a table, and whether they hold text.
fn columns(db: &Connection, table: &str) -> Vec<(String, bool)> {
    let mut statement = db.prepare(&format!("PRAGMA table_info({table})")).unwrap();
    let column = |row: &Row<'_>| Ok((row.get(1)?, row.get::<_, String>(2)? == "TEXT"));
    statement.query_map([], column).unwrap().map(Result::unwrap).collect()
}

/// The rows of a table by what tells them apart.
fn ids(db: &Connection, table: &rows::Table) -> Vec<Vec<i64>> {
    let key = if has_rowid(table) { "rowid, 0" } else { key(table) };
    let mut statement = db.prepare(&format!("SELECT {key} FROM {}", table.name)).unwrap();
    statement.query_map([], |row| Ok(vec![row.get(0)?, row.get(1)?])).unwrap().map(Result::unwrap).collect()
}

fn row_condition(table: &rows::Table, id: &[i64]) -> String {
    if has_rowid(table) { format!("rowid = {}", id[0]) } else { format!("({}) = ({}, {})", key(table), id[0], id[1]) }
}

fn has_rowid(table: &rows::Table) -> bool {
    !matches!(table.word, "assignment" | "hold" | "duty" | "absence")
}

fn key(table: &rows::Table) -> &'static str {
    match table.word {
        "assignment" => "call, attempt",
        "hold" => "junction, time_ms",
        // Names: none in these tests.
        _ => "0, 0",
    }
}

#[test]
fn a_log_that_was_removed_is_missed_whatever_is_removed_with_it_and_the_engine_starts() {
    let also = "; DELETE FROM meta WHERE key LIKE 'audit%'";
    for removed in
        ["DROP TABLE audit", "DELETE FROM audit"].iter().flat_map(|sql| ["", also].map(|also| format!("{sql}{also}")))
    {
        let (_dir, path) = worked();
        Connection::open(&path).unwrap().execute_batch(&removed).unwrap();
        drop(Ledger::open(&path, 24, &city()).unwrap());
        let db = Connection::open(&path).unwrap();
        assert!(of_kind(&db, "start").unwrap()[0].line().contains("\"intact\":false"), "{removed}");
        assert!(verified(&db).is_err(), "{removed}");
    }
}
