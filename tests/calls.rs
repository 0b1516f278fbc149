//! Alarm calls over HTTP, and what the ledger promises about them.

use std::process::Command;

use serde_json::json;

use crate::running::Running;

#[test]
fn an_alarm_is_accepted_once_and_can_be_read_changed_and_withdrawn() {
    let city = Running::start();
    let alarm = city.alarm(0, json!({"id": 17}));
    let (status, accepted) = city.post("/calls", &alarm);
    assert_eq!((status, &accepted["call"], &accepted["status"]), (201, &json!(17), &json!("accepted")), "{accepted}");
    assert_eq!(city.post("/calls", &alarm), (200, accepted.clone()), "the same alarm again is the same call");

    let (status, other) = city.post("/calls", &city.alarm(0, json!({"id": 17, "words": "other"})));
    assert_eq!((status, &other["error"]), (409, &json!("duplicate_call")));

    let (status, page) = city.get("/calls/17");
    assert_eq!(
        (status, &page["words"], &page["phase"], &page["grid"]),
        (200, &json!("救命"), &json!("waiting"), &accepted["grid"])
    );
    assert_eq!(city.patch("/calls/17", &json!({"priority": "C"})).0, 200);
    assert_eq!(city.get("/calls/17").1["priority"], "C");
    assert_eq!(city.delete("/calls/17").0, 200);
    assert_eq!(city.get("/calls/17").1["phase"], "cancelled");
    assert_eq!(city.delete("/calls/17").0, 409, "it is over");
    assert_eq!(city.post("/calls", &alarm).0, 200, "sent again it is still the same call");
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason_and_counted() {
    let city = Running::start();
    for (body, status, error) in [
        ("{".to_owned(), 400, "malformed"),
        ("{\"priority\":\"A\"}".to_owned(), 400, "malformed"),
        ("[17,\"A\",\"crime\",1,1,null,\"app\",null,\"\",[]]".to_owned(), 400, "malformed"),
        ("{\"priority\":\"A\",\"lon\":0,\"lat\":0}".to_owned(), 422, "outside_city"),
        ("{\"priority\":\"A\",\"lon\":999,\"lat\":0}".to_owned(), 422, "out_of_range"),
        (city.alarm(0, json!({"words": "x".repeat(100_000)})), 413, "too_large"),
    ] {
        let (got, answer) = city.post("/calls", &body);
        assert_eq!((got, &answer["error"]), (status, &json!(error)), "{answer}");
    }
    assert!(city.measures("nanming_dead_letters_total{reason=\"outside_city\",stream=\"calls\"} 1"));
    for path in ["/calls/99", "/calls/x"] {
        assert_eq!(city.get(path).0, 404);
    }
    assert_eq!(city.patch("/calls/99", &json!({"priority": "C"})).0, 404);
}

#[test]
fn an_alarm_with_a_key_is_one_call_however_often_it_is_sent() {
    let city = Running::start();
    let key =
        |key: &'static str, alarm: &str| city.send("POST", "/calls", &[("idempotency-key", key)], alarm.as_bytes());
    let alarm = city.alarm(0, json!({"channel": "app"}));
    let mut answers: Vec<(u16, u64)> = std::thread::scope(|scope| {
        let send = || {
            let answer = key("k-1", &alarm);
            (answer.status, answer.json["call"].as_u64().unwrap())
        };
        let senders: Vec<_> = (0..8).map(|_| scope.spawn(send)).collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    answers.sort_unstable();
    let call = answers[0].1;
    assert_eq!(answers[..7], vec![(200, call); 7]);
    assert_eq!(answers[7], (201, call));
    let other = key("k-1", &city.alarm(0, json!({"channel": "app", "words": "other"})));
    assert_eq!((other.status, &other.json["error"]), (409, &json!("duplicate_call")));
    let with_id = key("k-1", &city.alarm(0, json!({"channel": "app", "id": 4711})));
    assert_eq!((with_id.status, &with_id.json["error"]), (409, &json!("duplicate_call")));
    let another = key("k-2", &alarm);
    assert!(another.status == 201 && another.json["call"] != call, "{}", another.text);
    assert_eq!(key("white space", &alarm).status, 400);

    let city = Running::start_in(city.kill(), &["--no-sim"]);
    let again = city.send("POST", "/calls", &[("idempotency-key", "k-1")], alarm.as_bytes());
    assert_eq!((again.status, &again.json["call"]), (200, &json!(call)), "{}", again.text);
}

#[test]
fn a_caller_is_a_pseudonym_a_grid_a_place_and_pictures_are_told_by_name() {
    let city = Running::start();
    let alarm = json!({"priority": "B", "grid": 2, "caller": "138-0013-8000", "channel": "phone",
        "pictures": ["https://pictures.example/1.jpg", "media:7"]});
    let (status, accepted) = city.post("/calls", &alarm.to_string());
    assert_eq!((status, &accepted["grid"]), (201, &json!(2)), "{accepted}");
    let page = city.get(&format!("/calls/{}", accepted["call"])).1;
    assert_eq!((&page["grid"], &page["pictures"]), (&json!(2), &alarm["pictures"]), "{page}");
    assert_eq!(page["caller"].as_str().map(str::len), Some(16), "{page}");
    let refused = json!({"priority": "B", "grid": 99, "caller": "138-0013-8000"}).to_string();
    assert_eq!(city.post("/calls", &refused).0, 422);
    let moved = city.patch(&format!("/calls/{}", accepted["call"]), &json!({"grid": 1}));
    assert_eq!((moved.0, &moved.1["grid"]), (200, &json!(1)));
    assert_eq!(city.patch(&format!("/calls/{}", accepted["call"]), &json!({"caller": "1"})).0, 400);
    let kept = city.dir.path().join("dead_letters.jsonl");
    city.wait_for("letters", || crate::running::lines(&kept).len() == 2);
    let metrics = city.text("/metrics");
    for file in std::fs::read_dir(city.end().path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let text = String::from_utf8_lossy(&bytes).replace('-', "");
        assert!(!text.contains("13800138000"), "no file knows the caller");
    }
    assert!(!metrics.replace('-', "").contains("13800138000"));
}

#[test]
fn an_alarm_sent_by_many_at_once_is_one_call() {
    let city = Running::start();
    let alarm = city.alarm(0, json!({"id": 17}));
    let mut answers: Vec<u16> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..8).map(|_| scope.spawn(|| city.post("/calls", &alarm).0)).collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    answers.sort_unstable();
    assert_eq!(answers, [200, 200, 200, 200, 200, 200, 200, 201]);
    assert!(
        city.measures("nanming_calls_open{priority=\"A\"} 1")
            || city.measures("nanming_events_total{stream=\"calls\"} 1")
    );
}

#[test]
fn an_accepted_call_survives_kill_9_and_keeps_its_assignment() {
    let city = Running::start();
    let mut terminal = city.terminal(3);
    terminal.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    let call = city.post("/calls", &city.alarm(3, json!({}))).1["call"].clone();
    let assignment = terminal.hear("assignment");
    assert_eq!(assignment["call"], call);
    let waiting = city.post("/calls", &city.alarm(0, json!({}))).1["call"].clone();

    let city = Running::start_in(city.kill(), &["--no-sim"]);
    let page = city.get(&format!("/calls/{call}")).1;
    assert_eq!((&page["assignment"], &page["phase"]), (&assignment["assignment"], &json!("assigned")), "{page}");
    assert_eq!(city.get(&format!("/calls/{waiting}")).0, 200);
    let mut terminal = city.terminal(3);
    let again = terminal.hear("assignment");
    for key in ["assignment", "call", "unit", "priority", "category", "lon", "lat", "words", "time_ms"] {
        assert_eq!(again[key], assignment[key], "{key}");
    }
    let ack = json!({"type": "ack", "assignment": again["assignment"], "answer": "accept"});
    terminal.say(&ack.to_string());
    assert_eq!(terminal.hear("ack_result")["ok"], true, "the new engine knows the old assignment");
    let next = city.post("/calls", &city.alarm(0, json!({}))).1["call"].as_u64().unwrap();
    assert!(next > waiting.as_u64().unwrap(), "no ID is given twice");
}

#[test]
fn a_late_word_on_a_closed_call_is_a_dead_letter() {
    let city = Running::start();
    let mut terminal = city.terminal(3);
    terminal.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    city.post("/calls", &city.alarm(3, json!({"id": 17})));
    terminal.say(&json!({"type": "ack", "assignment": "17.1", "answer": "closed"}).to_string());
    assert_eq!(terminal.hear("ack_result")["ok"], true);
    let updated = city.alarm(0, json!({"type": "call", "call": 17, "change": "updated"}));
    let lines = [json!({"type": "call", "call": 17, "change": "cancelled"}).to_string(), updated].join("\n");
    let answer = city.post("/api/ingest", &lines).1;
    assert_eq!(answer["accepted"], 0, "{answer}");
    let reasons: Vec<&str> =
        answer["rejected"].as_array().unwrap().iter().map(|r| r["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["call_closed", "call_closed"]);
    let counted = "nanming_dead_letters_total{reason=\"call_closed\",stream=\"calls\"} 2";
    city.wait_for("count", || city.measures(counted));
    assert_eq!(city.get("/calls/17").1["phase"], "closed");
}

#[test]
fn a_call_that_waits_again_names_no_unit() {
    let city = Running::start();
    let mut terminal = city.terminal(3);
    terminal.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    city.post("/calls", &city.alarm(3, json!({"id": 17})));
    terminal.say(&json!({"type": "ack", "assignment": "17.1", "answer": "decline"}).to_string());
    assert_eq!(terminal.hear("ack_result")["ok"], true);
    let page = city.get("/calls/17").1;
    assert_eq!((&page["phase"], page.get("unit"), page.get("assignment")), (&json!("waiting"), None, None), "{page}");
    city.delete("/calls/17");
    assert_eq!(city.get("/calls/17").1["assignment"], "17.1", "the last, now that it is over");
}

#[test]
fn the_ledger_of_another_city_is_refused_with_what_to_do() {
    let city = Running::start();
    city.post("/calls", &city.alarm(0, json!({"id": 17})));
    let dir = city.kill();
    let mut other = nanming_simulators::town::small(2, 2, 1);
    other.units.pop();
    nanming::city_file::write(&other, &dir.path().join("other.json")).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
    command.args(["run", "--no-sim", "--city", "other.json", "--ledger", "ledger.sqlite", "--listen", "127.0.0.1:0"]);
    let done = command.current_dir(dir.path()).output().unwrap();
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(done.status.code() == Some(1) && said.contains("of another city") && said.contains("--ledger"), "{said}");
    let city = Running::start_in(dir, &["--no-sim"]);
    assert_eq!(city.get("/calls/17").0, 200);
}

#[test]
fn a_full_disk_refuses_calls_loudly_and_loses_none_that_was_accepted() {
    let mut limited = Command::new("sh");
    let program = env!("CARGO_BIN_EXE_nanming");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 400; exec \"$0\" \"$@\"", program]);
    let city = Running::start_as(limited, tempfile::tempdir().unwrap(), &["--no-sim"]);
    let mut accepted = Vec::new();
    let refused = loop {
        let (status, answer) = city.post("/calls", &city.alarm(0, json!({"words": "x".repeat(1500)})));
        match status {
            201 => accepted.push(answer["call"].as_u64().unwrap()),
            _ => break (status, answer),
        }
        assert!(accepted.len() < 2000, "the disk never filled");
    };
    assert_eq!(refused.0, 503, "{refused:?}");
    let (status, health) = city.get("/healthz");
    assert_eq!((status, &health["error"]), (503, &json!("ledger")));
    assert_eq!(city.post("/calls", &city.alarm(0, json!({}))).1["error"], "ledger_unavailable");
    assert!(!accepted.is_empty());

    let city = Running::start_in(city.kill(), &["--no-sim"]);
    for call in accepted {
        assert_eq!(city.get(&format!("/calls/{call}")).0, 200, "call {call}");
    }
}

#[test]
fn a_ledger_that_is_removed_under_the_engine_is_noticed_and_what_was_accepted_is_saved() {
    let city = Running::start();
    assert_eq!(city.post("/calls", &city.alarm(0, json!({"id": 17}))).0, 201);
    let ledger = city.dir.path().join("ledger.sqlite");
    std::fs::remove_file(&ledger).unwrap();
    let refused = city.post("/calls", &city.alarm(0, json!({"id": 18})));
    assert_eq!(refused.0, 503, "{refused:?}");
    let (status, health) = city.get("/healthz");
    assert_eq!((status, &health["error"]), (503, &json!("ledger")));
    city.wait_for("rescue", || saved(&city.dir).is_some());
    let dir = city.kill();
    for ending in ["-wal", "-shm"] {
        std::fs::remove_file(dir.path().join(format!("ledger.sqlite{ending}"))).unwrap();
    }
    std::fs::rename(saved(&dir).unwrap(), &ledger).unwrap();
    let city = Running::start_in(dir, &["--no-sim"]);
    assert_eq!((city.get("/calls/17").0, city.get("/calls/18").0), (200, 404));
}

#[test]
fn an_idle_engine_notices_too_that_its_ledger_is_gone() {
    let city = Running::start();
    std::fs::rename(city.dir.path().join("ledger.sqlite"), city.dir.path().join("elsewhere")).unwrap();
    city.wait_for("notice", || city.get("/healthz").0 == 503);
    std::fs::rename(city.dir.path().join("elsewhere"), city.dir.path().join("ledger.sqlite")).unwrap();
    city.wait_for("recovery", || city.get("/healthz").0 == 200);
    assert_eq!(city.post("/calls", &city.alarm(0, json!({"id": 18}))).0, 201);
}

/// The copy of the ledger that the engine made.
fn saved(dir: &tempfile::TempDir) -> Option<std::path::PathBuf> {
    let files = std::fs::read_dir(dir.path()).unwrap().map(|file| file.unwrap().path());
    files.into_iter().find(|file| file.to_string_lossy().contains("-saved-"))
}
