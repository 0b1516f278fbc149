//! The audit log and the ledger's commands over a real city: what agrees, what is found, what is refused.

use std::path::Path;
use std::process::{Command, Output};

use chrono::{TimeDelta, Utc};
use rusqlite::Connection;
use serde_json::json;

use crate::running::Running;

/// A command in the city's directory.
fn nanming(dir: &Path, command: &str) -> Output {
    let mut run = Command::new(env!("CARGO_BIN_EXE_nanming"));
    run.args(command.split(' ')).args(["--ledger", "ledger.sqlite", "--city", "town.json"]).current_dir(dir);
    run.output().unwrap()
}

/// What a command that does well prints.
fn printed(dir: &Path, command: &str) -> String {
    let out = nanming(dir, command);
    assert!(out.status.success(), "{command}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// What a command that fails says; its exit code is 1.
fn complaint(dir: &Path, command: &str) -> String {
    let out = nanming(dir, command);
    assert_eq!(out.status.code(), Some(1), "{command}: {}", String::from_utf8_lossy(&out.stdout));
    String::from_utf8(out.stderr).unwrap()
}

/// A call that a unit has accepted, beside one that was withdrawn and one that nobody serves.
fn after_some_work() -> Running {
    let city = Running::start();
    let mut terminal = city.terminal(3);
    terminal.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    let words = json!({"id": 7, "words": "call back 13800138000", "caller": "13900139000", "channel": "app"});
    assert_eq!(city.post("/calls", &city.alarm(3, words)).0, 201);
    let assignment = terminal.hear("assignment")["assignment"].clone();
    terminal.say(&json!({"type": "ack", "assignment": assignment, "answer": "accept"}).to_string());
    terminal.hear("ack_result");
    assert_eq!(city.post("/calls", &city.alarm(0, json!({"id": 8, "category": "crime"}))).0, 201);
    assert_eq!(city.delete("/calls/8").0, 200);
    assert_eq!(city.post("/calls", &city.alarm(1, json!({"id": 9, "category": "crime"}))).0, 201);
    city
}

#[test]
fn the_log_of_a_running_city_agrees_also_after_it_was_killed_and_tells_of_a_call() {
    let city = after_some_work();
    assert!(printed(city.dir.path(), "audit verify").contains("records"));
    assert!(printed(city.dir.path(), "ledger verify").contains("agree"));
    let told = printed(city.dir.path(), "audit show --call 7");
    for word in ["raised", "assigned", "answered"] {
        assert!(told.contains(&format!("\"what\":\"{word}\"")), "{told}");
    }
    assert!(!told.contains("13800138000") && !told.contains("13900139000"), "{told}");
    assert!(printed(city.dir.path(), "audit show --call 8").contains("\"what\":\"withdrawn\""));
    assert!(complaint(city.dir.path(), "audit show --call 99").contains("no such record"));

    let dir = city.kill();
    let city = Running::start_in(dir, &["--no-sim"]);
    let dir = city.end();
    assert!(printed(dir.path(), "audit verify").contains("agree"));
    assert!(printed(dir.path(), "ledger verify").contains("agree"));
    assert_eq!(printed(dir.path(), "audit show --kind start").lines().count(), 2);
}

#[test]
fn what_is_altered_cut_or_rewritten_is_found_with_its_record() {
    let dir = after_some_work().end();
    let anchor = dir.path().join("kept-elsewhere");
    std::fs::write(&anchor, printed(dir.path(), "audit root")).unwrap();
    assert!(printed(dir.path(), "audit verify --anchor kept-elsewhere").contains("1 exported roots"));
    let ledger = dir.path().join("ledger.sqlite");
    let damage = |sql: &str| Connection::open(&ledger).unwrap().execute_batch(sql).unwrap();

    damage("UPDATE assignments SET unit = unit + 1");
    let found = complaint(dir.path(), "audit verify");
    assert!(found.contains("record ") && found.contains("assignments with key 7, 1 were changed"), "{found}");
    assert!(complaint(dir.path(), "ledger verify").contains("things wrong"));
    damage("UPDATE assignments SET unit = unit - 1");
    assert!(printed(dir.path(), "audit verify").contains("agree"), "it was put back");

    damage("DELETE FROM audit WHERE seq = (SELECT max(seq) FROM audit)");
    assert!(complaint(dir.path(), "audit verify").contains("were removed"));
    assert!(complaint(dir.path(), "audit verify --anchor kept-elsewhere").contains("are gone"));
    assert!(complaint(dir.path(), "audit verify --anchor nowhere").contains("there is no file nowhere"));
}

#[test]
fn what_is_old_is_pruned_when_no_engine_runs_and_the_rest_is_exported() {
    let city = after_some_work();
    let day = |hours: i64| (Utc::now() + TimeDelta::hours(hours)).date_naive();
    // Local time is eight hours ahead.
    let pruning = &format!("ledger prune --before {} --by me", day(8 + 24));
    assert!(complaint(city.dir.path(), pruning).contains("in use"));
    let typo = format!("ledger prune --before {} --by me", day(8 + 48));
    assert!(complaint(city.dir.path(), &typo).contains("is still to come"));
    let dir = city.end();
    let out = printed(dir.path(), pruning);
    assert!(out.contains("removed 1 calls"), "{out}");
    assert!(
        printed(dir.path(), "audit verify").contains("agree") && printed(dir.path(), "ledger verify").contains("agree")
    );
    assert!(printed(dir.path(), "audit show --call 8").contains("\"by\":\"me\""));

    printed(dir.path(), "ledger export --out out");
    let calls = std::fs::read_to_string(dir.path().join("out/calls.jsonl")).unwrap();
    assert!(calls.contains("\"id\":7") && calls.contains("\"id\":9") && !calls.contains("\"id\":8"), "{calls}");
    for file in std::fs::read_dir(dir.path().join("out")).unwrap() {
        let text = std::fs::read_to_string(file.unwrap().path()).unwrap();
        assert!(!text.contains("13800138000") && !text.contains("13900139000"), "{text}");
    }
    let city = Running::start_in(dir, &["--no-sim"]);
    assert_eq!((city.get("/calls/7").0, city.get("/calls/8").0), (200, 404));
}

#[test]
fn what_rosters_are_told_and_decide_is_in_the_log_too() {
    let city = crate::rosters::start_in(tempfile::tempdir().unwrap(), &["--no-sim"]);
    let site = city.city.sites[0].name.clone();
    let raised = json!({"kind": "dust", "point": site, "id": 7}).to_string();
    let (status, task) = city.post("/api/rosters/sites/tasks", &raised);
    assert!(matches!(status, 200 | 201), "{task}");
    let task = city.get("/api/rosters/sites/tasks/s7").1;
    let done = json!({"person": task["person"], "attempt": task["attempt"], "answer": "done"}).to_string();
    assert_eq!(city.post("/api/rosters/sites/tasks/s7/answer", &done).0, 200);
    let dir = city.end();
    let told = printed(dir.path(), "audit show --kind tick");
    for word in ["task_raised", "task_answered", "task_is", "duty_is"] {
        assert!(told.contains(&format!("\"what\":\"{word}\"")), "{word} is not in {told}");
    }
    assert!(printed(dir.path(), "ledger verify").contains("agree"));
    for damage in [
        "UPDATE roster_tasks SET person = 'somebody else'",
        "UPDATE roster_history SET reason = 'x'",
        "UPDATE roster_duties SET person = '' WHERE person <> ''",
        "INSERT INTO roster_absences VALUES ('sites', 'x', 1, 2)",
    ] {
        let ledger = Connection::open(dir.path().join("ledger.sqlite")).unwrap();
        let undone = ledger.unchecked_transaction().unwrap();
        assert!(undone.execute(damage, []).unwrap() > 0, "{damage}");
        let found = nanming::ledger::audit::verify::of_one_writer(&undone, &[]).unwrap();
        assert!(found.is_err(), "{damage}");
    }
}
