use super::super::tests::{assigned, in_new_file, opened, record};
use super::*;
use crate::ledger::export::export;

fn written() -> (tempfile::TempDir, std::path::PathBuf) {
    let (dir, path, mut ledger) = in_new_file();
    let mut first = record(9, vec![opened(17), opened(18)], Default::default());
    first.notes[0].1.words = "打13800138000，车牌贵A12345".into();
    ledger.commit(&[first]).unwrap();
    ledger.commit(&[record(10, vec![], assigned(17, 1, 11))]).unwrap();
    drop(ledger);
    (dir, path)
}

#[test]
fn each_relation_that_is_broken_is_told_with_its_call() {
    let (_dir, path) = written();
    let db = Connection::open(&path).unwrap();
    assert_eq!(check(&db, &path).unwrap(), [""; 0]);
    for (damage, told) in [
        ("DELETE FROM calls WHERE id = 17", "an assignment of a call that is not there: call 17"),
        ("DELETE FROM calls WHERE id = 18", "history of a call that is not there: call 18"),
        ("INSERT INTO escalations VALUES (5, 1, 'reminded', 'silence', NULL, NULL)", "an escalation of a call"),
        ("INSERT INTO acks VALUES (1, 17, 9, 11, 'accept', '')", "an answer that was taken"),
        ("DELETE FROM assignments", "a call whose attempt is not there: call 17"),
        ("UPDATE calls SET unit = NULL WHERE id = 17", "a call that a unit serves, without a unit: call 17"),
        ("UPDATE assignments SET unit = 12", "a call whose unit is not that of its assignment: call 17"),
        ("DELETE FROM call_history WHERE phase = 'assigned'", "a call whose history does not end where it is: call 17"),
        ("UPDATE calls SET phase = 'merged' WHERE id = 18", "a merged call without the call"),
        ("UPDATE calls SET joined = 99 WHERE id = 18", "a call merged into one that is not there: call 18"),
        ("UPDATE calls SET phase = 'closed' WHERE id = 17", "a call that is over, with a unit still on it: call 17"),
        ("UPDATE assignments SET phase = 'ended'", "with no assignment in force: call 17"),
        (
            "INSERT INTO roster_history VALUES (3, 1, 'done', '', 1, '', '[]')",
            "history of a task that is not there: task 3",
        ),
        ("UPDATE calls SET words = ''", "the audit log does not agree"),
    ] {
        let (_dir, path) = written();
        let db = Connection::open(&path).unwrap();
        db.execute(damage, []).unwrap();
        let wrong = check(&db, &path).unwrap();
        assert!(wrong.iter().any(|wrong| wrong.contains(told)), "{damage}: {wrong:?}");
    }
}

#[test]
fn an_export_has_every_row_but_no_key_number_or_plate() {
    let (dir, path) = written();
    let (db, out) = (Connection::open(&path).unwrap(), dir.path().join("out"));
    let tables = export(&db, &out).unwrap();
    let rows = |name: &str| tables.iter().find(|(table, _)| table == name).map(|(_, rows)| *rows);
    assert_eq!([rows("calls"), rows("assignments"), rows("audit")], [Some(2), Some(1), Some(3)]);
    let read = |name: &str| std::fs::read_to_string(out.join(name)).unwrap();
    let first: serde_json::Value = serde_json::from_str(read("calls.jsonl").lines().next().unwrap()).unwrap();
    assert_eq!((&first["id"], &first["words"]), (&17.into(), &"打***，车牌***".into()));
    assert!(first.get("key").is_none() && first.get("content").is_none(), "{first}");
    let again = export(&db, &out).unwrap_err();
    assert!(again.to_string().contains("calls.jsonl") || again.to_string().contains("jsonl"), "{again}");
}
