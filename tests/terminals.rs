//! Dispatch terminals and desks.

use serde_json::{Value, json};

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
