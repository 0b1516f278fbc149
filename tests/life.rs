//! The life of a call, from its words to its place in the books: the real command, its door and its ledger.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::running::Running;

fn nanming(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nanming")).args(args).output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// An alarm at a unit's post of which only the words and what `more` says are told.
fn alarm(city: &Running, unit: usize, words: &str, more: Value) -> Value {
    let (lon, lat) = city.post_of(unit);
    let mut alarm = json!({"lon": lon, "lat": lat, "words": words});
    alarm.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (status, answer) = city.post("/calls", &alarm.to_string());
    assert_eq!(status, 201, "{answer}");
    answer
}

fn page(city: &Running, call: &Value) -> Value {
    city.get(&format!("/calls/{call}")).1
}

#[test]
fn words_become_category_priority_and_needs_and_the_rule_is_kept() {
    let city = Running::start();
    let call = alarm(&city, 0, "有人持枪", json!({}))["call"].clone();
    let gun = page(&city, &call);
    assert_eq!((&gun["priority"], &gun["category"]), (&json!("A"), &json!("crime")), "{gun}");
    assert_eq!(gun["needs"], json!({"units": 3, "skills": ["armed"]}));
    assert_eq!((&gun["classified"]["rule"], &gun["classified"]["phrase"]), (&json!("firearm"), &json!("持枪")));
    let told = alarm(&city, 0, "有人持枪", json!({"priority": "C", "category": "other", "needs": {"units": 1}}));
    let told = page(&city, &told["call"]);
    assert_eq!((&told["priority"], &told["category"], told.get("classified")), (&json!("C"), &json!("other"), None));
    let unknown = page(&city, &alarm(&city, 0, "???", json!({}))["call"]);
    assert_eq!((&unknown["priority"], &unknown["classified"]["rule"]), (&json!("B"), &json!("unclassified")));
    assert!(city.measures("nanming_calls_classified_total{rule=\"firearm\"} 1"));
    let (status, _) = city.patch(&format!("/calls/{call}"), &json!({"needs": {"units": 2}, "reason": "一人已离开"}));
    assert_eq!(status, 200);
    assert_eq!(city.patch(&format!("/calls/{call}"), &json!({"needs": {"units": 21}})).0, 422);
    let city = Running::start_in(city.kill(), &["--no-sim"]);
    let gun = page(&city, &call);
    assert_eq!(gun["needs"], json!({"units": 2, "skills": []}));
    let last = &gun["history"][1];
    assert_eq!((&last["changed"]["needs"], &last["note"]), (&gun["needs"], &json!("一人已离开")), "{gun}");
}

#[test]
fn what_the_community_settles_is_referred_and_can_be_taken_back() {
    let city = Running::start();
    let answer = alarm(&city, 0, "楼上装修噪音", json!({}));
    let call = answer["call"].clone();
    assert_eq!(answer["phase"], "referred", "the caller is told: {answer}");
    let city = Running::start_in(city.kill(), &["--no-sim"]);
    assert_eq!(page(&city, &call)["phase"], "referred");
    let mut terminal = city.terminal(3);
    terminal.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    let change = json!({"category": "disturbance", "priority": "A", "reason": "打起来了"});
    assert_eq!(city.patch(&format!("/calls/{call}"), &change).0, 200);
    let assignment = terminal.hear("assignment");
    assert_eq!((&assignment["call"], &assignment["words"]), (&call, &json!("楼上装修噪音")));
}

#[test]
fn callers_about_one_incident_are_one_call_with_all_of_them_kept() {
    let city = Running::start();
    let raise = |words: &str, caller: &str, more: Value| {
        let mut more = more;
        more["caller"] = caller.into();
        alarm(&city, 0, words, more)
    };
    let first = raise("两车追尾", "1", json!({"priority": "C"}))["call"].clone();
    let second = raise("有人被车撞了", "2", json!({}));
    assert_eq!((&second["phase"], &second["into"]), (&json!("merged"), &first), "{second}");
    let third = raise("路口撞车", "3", json!({"category": "collision"}));
    assert_eq!(third["into"], first);
    let help = raise("救命", "4", json!({}));
    assert_eq!(help.get("phase"), None, "whoever asks for help is served: {help}");
    let one = page(&city, &first);
    assert_eq!((&one["priority"], &one["needs"]["units"]), (&json!("A"), &json!(2)), "it is raised: {one}");
    let words: Vec<&str> = one["joined"].as_array().unwrap().iter().map(|j| j["words"].as_str().unwrap()).collect();
    assert_eq!(words, ["有人被车撞了", "路口撞车"]);
    assert_eq!(one["joined"][0]["caller"].as_str().map(str::len), Some(16), "a pseudonym");

    assert_eq!(city.delete(&format!("/calls/{first}")).0, 200);
    assert_eq!(page(&city, &first)["phase"], "waiting", "it goes on for the others");
    assert_eq!(city.delete(&format!("/calls/{first}")).0, 409);
    let city = Running::start_in(city.kill(), &["--no-sim"]);
    let (second, third) = (&second["call"], &third["call"]);
    let split = city.send("POST", &format!("/calls/{third}/split?reason=other%20street"), &[], b"");
    assert_eq!((split.status, &split.json["status"]), (200, &json!("split")), "{}", split.text);
    let again = city.send("POST", &format!("/calls/{third}/split"), &[], b"");
    assert_eq!((again.status, &again.json["error"]), (409, &json!("not_merged")));
    let own = page(&city, third);
    assert_eq!((&own["phase"], own.get("into")), (&json!("waiting"), None), "{own}");
    assert_eq!(own["history"].as_array().unwrap().last().unwrap()["note"], "other street");
    assert_eq!(city.delete(&format!("/calls/{second}?reason=done")).0, 200);
    assert_eq!(page(&city, &first)["phase"], "cancelled", "nobody is left who called about it");
    assert_eq!(page(&city, third)["phase"], "waiting");
}

#[test]
fn merging_can_be_switched_off() {
    let city = Running::start_with(&[("NANMING_CLASSIFICATION__MERGE", "false")]);
    alarm(&city, 0, "两车追尾", json!({}));
    assert_eq!(alarm(&city, 0, "两车追尾", json!({})).get("phase"), None);
}

#[test]
fn classify_says_which_rule_fires_and_bad_rules_are_refused_with_their_line() {
    let done = nanming(&["classify", "有人持刀抢劫"]);
    let text = said(&done);
    assert!(text.contains("crime") && text.contains("rule 'knife' (line") && text.contains("\"持刀\""), "{text}");
    let json: Value = serde_json::from_str(&said(&nanming(&["classify", "--json", "stray", "dog"]))).unwrap();
    assert_eq!((&json["rule"], &json["category"]), (&json!("stray_animal"), &json!("community")));
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("rules.toml");
    std::fs::write(&file, "[[rule]]\nname = \"x\"\nwords = [\"a\"]\ncategory = \"crime\"\npriority = \"A\"\n").unwrap();
    let path = file.to_str().unwrap();
    let mut run = Command::new(env!("CARGO_BIN_EXE_nanming"));
    run.args(["run", "--no-sim", "--listen", "127.0.0.1:0"]).env("NANMING_CLASSIFICATION__FILE", path);
    for refused in [nanming(&["classify", "--rules", path, "x"]), run.current_dir(dir.path()).output().unwrap()] {
        let complaint = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{complaint}");
        assert!(complaint.contains("line 3") && complaint.contains("1 characters"), "{complaint}");
    }
}

#[test]
fn the_books_tell_why_a_call_went_as_it_did_and_how_fast() {
    let city = Running::start();
    let mut terminal = city.terminal(3);
    terminal.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    let call = alarm(&city, 3, "有人打架", json!({"channel": "phone"}))["call"].clone();
    let assignment = terminal.hear("assignment")["assignment"].clone();
    for answer in ["accept", "arrived"] {
        terminal.say(&json!({"type": "ack", "assignment": assignment, "answer": answer}).to_string());
        assert_eq!(terminal.hear("ack_result")["ok"], true);
    }
    alarm(&city, 0, "路灯不亮", json!({}));
    let (status, told) = city.get(&format!("/calls/{call}/explain"));
    assert_eq!(status, 200, "{told}");
    let steps: Vec<&str> = told["steps"].as_array().unwrap().iter().map(|s| s["what"].as_str().unwrap()).collect();
    assert_eq!(steps[..2], ["phase", "assigned"], "{told}");
    let sent = &told["steps"][1];
    assert_eq!((&sent["became"], &sent["candidates"][0]["name"]), (&json!("arrived"), &sent["unit"]["name"]), "{told}");

    let (ledger, town) = (city.dir.path().join("ledger.sqlite"), city.dir.path().join("town.json"));
    let books = ["--ledger", ledger.to_str().unwrap(), "--city", town.to_str().unwrap()];
    let id = call.to_string();
    let beside = nanming(&[&["explain", &id, "--json"][..], &books].concat());
    assert_eq!(serde_json::from_str::<Value>(&said(&beside)).unwrap(), told, "beside the running city");
    let text = said(&nanming(&[&["explain", &id][..], &books].concat()));
    assert!(text.contains("classified by rule 'fight' by \"打架\"") && text.contains("is sent"), "{text}");
    assert_eq!(nanming(&[&["explain", "99"][..], &books].concat()).status.code(), Some(1));

    let report: Value = serde_json::from_str(&said(&nanming(&[&["report", "--json"][..], &books].concat()))).unwrap();
    assert_eq!((&report["calls"], &report["referred"]), (&json!(2), &json!(1)), "{report}");
    assert_eq!((&report["acknowledged"]["within_30s"], &report["acknowledged"]["count"]), (&json!(1.0), &json!(1)));
    assert_eq!((&report["arrived"][1]["count"], &report["arrived"][1]["within_8min"]), (&json!(1), &json!(1.0)));
    let long_ago = nanming(&[&["report", "--json", "--day", "2001-01-01"][..], &books].concat());
    assert_eq!(serde_json::from_str::<Value>(&said(&long_ago)).unwrap()["calls"], 0);
    city.wait_for("measure", || city.measures("nanming_call_reached_seconds_count{priority=\"B\"} 1"));

    let incident = city.get(&format!("/calls/{call}/eido")).1;
    let resource = &incident["emergencyResourceComponent"][0];
    assert_eq!(resource["unitStatusInternal"][0], json!({"standard": "GA/T 974.39", "code": 22}), "{incident}");
    assert_eq!(incident["incidentComponent"]["incidentTrackingIdentifier"], json!(id));
    assert_eq!(incident["notesComponent"][0]["notesActionComments"], "有人打架");
}
