use std::sync::Arc;

use nanming_dataflows::decision::{Decisions, SignalChoice, StageReason};
use nanming_dataflows::event::Batch;
use nanming_simulators::damage::damaged;
use proptest::prelude::*;

use super::*;
use crate::clock::Clock;
use crate::config::Gat1049Config;
use crate::door::TickRecord;
use crate::gat1049::Crosses;
use crate::metrics::Metrics;
use crate::publish::Sink;

const NOW_MS: u64 = 1_767_657_600_000;

/// A city without controllers of its own: three seconds after its start.
fn desk() -> Desk {
    let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
    let users = [("ticp".to_owned(), crate::config::Secret::from("secret".to_owned()))].into();
    let config = Gat1049Config { users, ..Gat1049Config::default() };
    let crosses = Arc::new(Crosses::new(Arc::clone(&city), None, config.agency.clone()));
    crosses.beat(NOW_MS, 1_000);
    let (clock, metrics) = (Clock::starting_at(NOW_MS, 1.0), Arc::new(Metrics::new(&city)));
    Desk::new(&config, (city, clock), None, crosses, metrics)
}

fn request(token: &str, name: &str, objects: Vec<Object>) -> Vec<u8> {
    let operations = vec![Operation { order: "1".into(), name: name.into(), objects }];
    let (from, to, seq) = ("TICP".into(), "UTCS".into(), "7".into());
    Message { token: token.into(), from, to, kind: Kind::Request, seq, operations }.write("2.0")
}

fn user(password: &str) -> Object {
    Object::of("SDO_User", [Object::text("UserName", "ticp"), Object::text("Pwd", password)])
}

fn say(client: &mut Client, desk: &Desk, text: &[u8]) -> Vec<Message> {
    client.hear(desk, text).iter().map(|answer| Message::read(answer).unwrap()).collect()
}

/// Kind and words of an error.
fn fault(answers: &[Message]) -> (String, String) {
    assert_eq!((answers.len(), answers[0].kind), (1, Kind::Error));
    let error = &answers[0].operations[0].objects[0];
    (error.field("ErrType").unwrap().into(), error.field("ErrDesc").unwrap().into())
}

fn logged_in(desk: &Desk) -> (Client, String) {
    let mut client = Client::default();
    let answers = say(&mut client, desk, &request("", "Login", vec![user("secret")]));
    assert_eq!((answers[0].kind, answers[0].seq.as_str(), answers[0].to.as_str()), (Kind::Response, "7", "TICP"));
    let token = answers[0].token.clone();
    assert_eq!(token.len(), 32);
    (client, token)
}

#[test]
fn only_who_logs_in_with_the_password_is_served() {
    let (desk, mut client) = (desk(), Client::default());
    let subscribe = |token: &str| request(token, "Subscribe", Vec::new());
    assert_eq!(fault(&say(&mut client, &desk, &subscribe(""))).0, "SDE_Token");
    assert_eq!(fault(&say(&mut client, &desk, &request("", "Login", vec![user("x")]))).0, "SDE_Pwd");
    assert_eq!(fault(&say(&mut client, &desk, &request("", "Login", vec![user("")]))).0, "SDE_Pwd");
    let nobody = Object::of("SDO_User", [Object::text("UserName", "x")]);
    assert_eq!(fault(&say(&mut client, &desk, &request("", "Login", vec![nobody]))).0, "SDE_UserName");
    assert_eq!(fault(&say(&mut client, &desk, &subscribe(""))).0, "SDE_Token");
    assert!(client.is_guessing(), "three times");
    let (mut client, token) = logged_in(&desk);
    assert_eq!(fault(&say(&mut client, &desk, &subscribe("another"))).0, "SDE_Token");
    assert_eq!(say(&mut client, &desk, &subscribe(&token))[0].kind, Kind::Response);
    say(&mut client, &desk, &request(&token, "Logout", Vec::new()));
    assert_eq!(fault(&say(&mut client, &desk, &subscribe(&token))).0, "SDE_Token");
}

#[test]
fn one_message_holds_no_more_guesses_than_a_connection() {
    let (desk, mut client) = (desk(), Client::default());
    let login = |password| Operation { order: "1".into(), name: "Login".into(), objects: vec![user(password)] };
    let operations = ["a", "b", "c", "secret"].map(login).into();
    let (token, from, to, seq) = (String::new(), "TICP".into(), "UTCS".into(), "7".into());
    let message = Message { token, from, to, kind: Kind::Request, seq, operations }.write("2.0");
    let answers = say(&mut client, &desk, &message);
    assert!(answers.len() == 4 && answers.iter().all(|answer| answer.kind == Kind::Error), "{answers:?}");
    assert!(client.is_guessing() && !client.is_logged_in());
    assert!(fault(&say(&mut client, &desk, &request("", "Login", vec![user("secret")]))).1.contains("too many"));
}

#[test]
fn what_a_platform_asks_for_again_and_again_takes_no_memory_without_end() {
    let desk = desk();
    let (mut client, token) = logged_in(&desk);
    let report = || {
        let what = [Object::text("Cmd", "Start"), Object::text("Type", "CrossState")];
        Object::of("CrossReportCtrl", what)
    };
    let answers = say(&mut client, &desk, &request(&token, "Set", (0..500).map(|_| report()).collect()));
    assert_eq!((answers.len(), answers[1].operations[0].objects.len()), (2, desk.city.junctions.len()));
    for _ in 0..50 {
        assert_eq!(say(&mut client, &desk, &request(&token, "Set", vec![stage(2)])), []);
    }
    assert!(fault(&say(&mut client, &desk, &request(&token, "Set", vec![stage(2)]))).1.contains("too many locks"));
    assert_eq!(client.holds().len(), 50);
    let operation = Operation { order: "1".into(), name: "Subscribe".into(), objects: Vec::new() };
    let (from, to, seq) = ("TICP".into(), "UTCS".into(), "7".into());
    let message = Message { token, from, to, kind: Kind::Request, seq, operations: vec![operation; 21] };
    assert!(fault(&say(&mut client, &desk, &message.write("2.0"))).1.contains("21 operations"));
}

#[test]
fn who_subscribes_is_told_what_is_known_and_then_what_changes() {
    let desk = desk();
    let (mut client, token) = logged_in(&desk);
    let entity = Object::of("SDO_MsgEntity", [Object::text("ObjName", "CrossState")]);
    let answers = say(&mut client, &desk, &request(&token, "Subscribe", vec![entity]));
    assert_eq!((answers.len(), answers[1].kind), (2, Kind::Push));
    let told: Vec<_> =
        answers[1].operations[0].objects.iter().map(|o| (o.field("CrossID"), o.field("Value"))).collect();
    assert_eq!((told.len(), told[0]), (4, (Some("520100800001"), Some("Online"))));
    let notice = |topic| Notice { topic, junction: JunctionId(0), object: Object::text("x", "") };
    assert_eq!(client.notify(&desk, &[notice(Topic::Stage)]).len(), 0, "nobody asked for it");
    assert_eq!(client.notify(&desk, &[notice(Topic::State), notice(Topic::State)]).len(), 1);

    let only = Object::of("CrossIDList", [Object::text("CrossID", "520100800002")]);
    let report = [Object::text("Cmd", "Start"), Object::text("Type", "CrossState"), only];
    say(&mut client, &desk, &request(&token, "Set", vec![Object::of("CrossReportCtrl", report)]));
    assert_eq!(client.notify(&desk, &[notice(Topic::State)]).len(), 0, "of the second junction only");
    let beat = Message::read(&client.heartbeat(&desk)).unwrap();
    assert_eq!((beat.kind, beat.operations[0].objects[0].name.as_str()), (Kind::Push, "SDO_HeartBeat"));
}

#[test]
fn what_cannot_be_done_is_answered_with_a_reason() {
    let desk = desk();
    let (mut client, token) = logged_in(&desk);
    let lock = |id: &str| {
        Object::of(
            "LockFlowDirection",
            [Object::text("CrossID", id), Object::text("LockStageNo", 1), Object::text("Duration", 301)],
        )
    };
    for (operation, object, told) in [
        ("Set", lock("520100800001"), "at most"),
        ("Set", lock("520100800009"), "no CrossID"),
        ("Set", Object::text("PlanParam", ""), "timed by the engine"),
        ("Get", Object::of("TSCCmd", [Object::text("ObjName", "SysInfo")]), "not told here"),
        (
            "Get",
            Object::of("TSCCmd", [Object::text("ObjName", "CrossStage"), Object::text("ID", "520100800001")]),
            "yet",
        ),
        ("Subscribe", Object::of("SDO_MsgEntity", [Object::text("ObjName", "x")]), "no subscription"),
        ("Dance", Object::text("x", ""), "not served"),
    ] {
        let (kind, why) = fault(&say(&mut client, &desk, &request(&token, operation, vec![object])));
        assert!(kind.starts_with("SDE_") && why.contains(told), "{kind} {why}");
    }
}

/// What a tick says of the first junction: that a stage is held, and what the engine chose.
fn tick(desk: &Desk, holds: &[StageHold], (stage, wanted, reason): (u16, u16, StageReason)) {
    let choice = SignalChoice { junction: JunctionId(0), time_ms: 0, stage, wanted, reason, scores_milli: Vec::new() };
    let decisions = Decisions { choices: vec![choice], ..Decisions::default() };
    let batch = Batch { holds: holds.to_vec(), ..Batch::default() };
    let record = TickRecord { decisions, ..TickRecord::closing(NOW_MS, &batch) };
    Arc::clone(&desk.crosses).take(&Arc::new(record));
}

fn stage(number: u16) -> Object {
    Object::of("LockFlowDirection", [Object::text("CrossID", "520100800001"), Object::text("LockStageNo", number)])
}

#[test]
fn a_lock_is_answered_when_its_stage_stands_and_not_before() {
    let desk = desk();
    let (mut client, token) = logged_in(&desk);
    assert_eq!(say(&mut client, &desk, &request(&token, "Set", vec![stage(2)])).len(), 0);
    let holds = client.holds();
    let [hold] = holds.as_slice() else { panic!("{holds:?}") };
    assert_eq!((hold.stage, hold.until_ms - hold.time_ms, hold.by.as_str()), (Some(1), 300_000, "ticp"));
    let answers = |client: &mut Client| {
        let answers = client.look(&desk);
        answers.iter().map(|answer| Message::read(answer).unwrap()).collect::<Vec<_>>()
    };
    tick(&desk, &[], (1, 1, StageReason::Hold));
    assert_eq!(answers(&mut client).len(), 0, "by whom it is held is not known yet");
    tick(&desk, &holds, (0, 1, StageReason::Hold));
    assert_eq!(answers(&mut client).len(), 0, "it is on its way");
    tick(&desk, &[], (1, 1, StageReason::Hold));
    let told = answers(&mut client);
    assert_eq!((told.len(), told[0].kind, told[0].seq.as_str()), (1, Kind::Response, "7"));
    assert!(!client.is_waiting());
    let unlock = Object::of("UnlockFlowDirection", [Object::text("CrossID", "520100800001")]);
    assert_eq!(say(&mut client, &desk, &request(&token, "Set", vec![unlock]))[0].kind, Kind::Response);
    assert_eq!(client.holds().iter().map(|hold| hold.stage).collect::<Vec<_>>(), [None]);
}

#[test]
fn a_lock_that_does_not_hold_is_answered_by_an_error_and_let_go() {
    let mut desk = desk();
    let (mut client, token) = logged_in(&desk);
    desk.lock_wait_s = 0;
    let mut later = say(&mut client, &desk, &request(&token, "Set", vec![stage(1)]));
    later.extend(client.look(&desk).iter().map(|answer| Message::read(answer).unwrap()));
    assert!(fault(&later).1.contains("does not stand"), "{later:?}");
    assert_eq!(client.holds().iter().map(|hold| hold.stage).collect::<Vec<_>>(), [Some(0), None]);

    desk.lock_wait_s = 60;
    say(&mut client, &desk, &request(&token, "Set", vec![stage(2)]));
    let holds = client.holds();
    let other = StageHold { time_ms: holds[0].time_ms + 1, by: "desk".into(), ..holds[0].clone() };
    tick(&desk, &[holds[0].clone(), other], (1, 1, StageReason::Hold));
    let told = client.look(&desk).iter().map(|answer| Message::read(answer).unwrap()).collect::<Vec<_>>();
    assert!(fault(&told).1.contains("somebody has held another"), "{told:?}");
    assert_eq!(client.holds(), [], "which is not for this one to end");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn damaged_messages_are_answered_or_passed_over(seed: u64) {
        let desk = desk();
        let (mut client, token) = logged_in(&desk);
        let lock = [Object::text("CrossID", "520100800001"), Object::text("Duration", 30), Object::text("Entrance", 1)];
        let text = request(&token, "Set", vec![Object::of("LockFlowDirection", lock)]);
        for answer in client.hear(&desk, &damaged(&text, seed)) {
            prop_assert!(Message::read(&answer).is_ok());
        }
    }
}
