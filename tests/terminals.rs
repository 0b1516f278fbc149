//! Dispatch terminals and desks.

use serde_json::{Value, json};

use tokio_tungstenite::tungstenite::Message;

use crate::running::{Running, Socket};

fn answer(terminal: &mut Socket, assignment: &Value, answer: &str) -> Value {
    terminal.say(&json!({"type": "ack", "assignment": assignment, "answer": answer}).to_string());
    terminal.hear("ack_result")
}

#[test]
fn an_assignment_is_pushed_answered_and_followed_to_its_end() {
    let city = Running::start();
    let (mut terminal, mut desk) = (city.terminal(3), city.socket("/ws/desk"));
    terminal.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    let call = city.post("/calls", &city.alarm(3, json!({}))).1["call"].clone();
    let frame = terminal.hear("assignment");
    assert_eq!((&frame["call"], &frame["unit"], &frame["words"]), (&call, &json!(3), &json!("救命")));
    assert_eq!(desk.hear("assignment")["assignment"], frame["assignment"]);
    let id = &frame["assignment"];
    for (said, phase) in [("accept", "accepted"), ("arrived", "arrived"), ("closed", "closed")] {
        assert_eq!(answer(&mut terminal, id, said)["ok"], true, "{said}");
        assert_eq!(city.get(&format!("/calls/{call}")).1["phase"], phase);
    }
    let stale = answer(&mut terminal, id, "accept");
    assert_eq!(stale["ok"], false, "{stale}");
    let page = city.get(&format!("/calls/{call}")).1;
    let phases: Vec<&str> = page["history"].as_array().unwrap().iter().map(|h| h["phase"].as_str().unwrap()).collect();
    assert_eq!(phases, ["waiting", "assigned", "accepted", "arrived", "closed"]);
}

#[test]
fn wrong_answers_are_told_why_and_counted() {
    let city = Running::start();
    let (mut right, mut wrong) = (city.terminal(3), city.terminal(4));
    right.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    city.post("/calls", &city.alarm(3, json!({})));
    let id = right.hear("assignment")["assignment"].clone();
    let refused = answer(&mut wrong, &id, "accept");
    assert_eq!((&refused["ok"], &refused["reason"]), (&json!(false), &json!("not_your_assignment")));
    assert_eq!(answer(&mut wrong, &json!("999.1"), "accept")["ok"], false);
    wrong.say("{");
    assert_eq!(wrong.hear("error")["reason"], "malformed");
    wrong.say("{\"type\":\"report\",\"lon\":0,\"lat\":0,\"status\":\"ready\"}");
    assert_eq!(wrong.hear("error")["reason"], "outside_city");
    let counted = "nanming_dead_letters_total{reason=\"not_your_assignment\",stream=\"acks\"} 1";
    city.wait_for("count", || city.measures(counted));
}

#[test]
fn a_withdrawn_call_withdraws_its_assignment() {
    let city = Running::start();
    let mut terminal = city.terminal(3);
    terminal.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    let call = city.post("/calls", &city.alarm(3, json!({}))).1["call"].clone();
    let id = terminal.hear("assignment")["assignment"].clone();
    assert_eq!(city.delete(&format!("/calls/{call}")).0, 200);
    let withdrawn = terminal.hear("withdrawn");
    assert_eq!((&withdrawn["assignment"], &withdrawn["reason"]), (&id, &json!("cancelled")));
}

#[test]
fn an_unknown_unit_cannot_connect() {
    let city = Running::start();
    let (status, answer) = city.get("/ws/terminal?unit=nobody");
    assert_eq!((status, &answer["error"]), (422, &json!("unknown_unit")));
}

/// The code with which the other end closes.
fn closed_with(socket: &mut Socket) -> u16 {
    loop {
        if let Message::Close(frame) = socket.0.read().unwrap() {
            return frame.unwrap().code.into();
        }
    }
}

#[test]
fn frames_that_nobody_can_take_are_answered_and_counted() {
    let city = Running::start();
    let mut terminal = city.terminal(3);
    terminal.0.send(Message::binary(vec![1, 2, 3])).unwrap();
    assert_eq!(terminal.hear("error")["reason"], "malformed");
    terminal.say("[\"ack\",\"1.1\",\"accept\"]");
    assert_eq!(terminal.hear("error")["reason"], "malformed");
    let mut desk = city.socket("/ws/desk");
    desk.say("{}");
    assert_eq!(desk.hear("error")["reason"], "malformed");
    assert!(city.measures("nanming_dead_letters_total{reason=\"malformed\",stream=\"acks\"} 3"));
    for bytes in [20_000, 1_000_000] {
        let mut terminal = city.terminal(3);
        // One that is far too large may be cut off while it is still sent.
        let _ = terminal.0.send(Message::text("x".repeat(bytes)));
        if bytes < 50_000 {
            assert_eq!(closed_with(&mut terminal), 1009, "{bytes}");
        } else {
            city.wait_for("end", || terminal.0.read().is_err());
        }
    }
    terminal.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
}

#[test]
fn a_desk_begins_with_what_is_open_and_hears_of_calls_in_order() {
    let city = Running::start();
    let mut terminal = city.terminal(3);
    terminal.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    let mut desk = city.socket("/ws/desk");
    city.post("/calls", &city.alarm(3, json!({"id": 17})));
    let mut told = Vec::new();
    while told.last().is_none_or(|last| last != "assigned") {
        let Message::Text(text) = desk.0.read().unwrap() else { continue };
        let frame: Value = serde_json::from_str(&text).unwrap();
        if frame["type"] == "call_status" {
            let place = (&frame["priority"], &frame["category"], frame["lon"].is_number());
            assert_eq!(place, (&json!("A"), &json!("crime"), true), "{frame}");
        }
        told.push(frame["phase"].as_str().unwrap_or("an assignment").to_owned());
    }
    assert_eq!(told, ["waiting", "an assignment", "assigned"]);
    let mut late = city.socket("/ws/desk");
    let status = late.hear("call_status");
    assert_eq!(
        (&status["call"], &status["phase"], &status["category"]),
        (&json!(17), &json!("assigned"), &json!("crime"))
    );
    assert_eq!(late.hear("assignment")["assignment"], "17.1");
}

#[test]
fn what_is_no_websocket_is_told_so_in_json() {
    let city = Running::start();
    for path in ["/ws/desk", "/ws/terminal?unit=3", "/ws/terminal?unit=1&unit=2", "/api/forecast?lead=5&lead=10"] {
        let answer = city.send("GET", path, &[], b"");
        assert!(answer.status >= 400 && answer.json["error"].is_string(), "{path}: {}", answer.text);
    }
    let upgrade = [("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "12")];
    let answer = city.send("GET", "/ws/desk", &upgrade, b"");
    assert_eq!((answer.status, &answer.json["error"]), (400, &json!("no_websocket")), "{}", answer.text);
}
