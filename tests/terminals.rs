//! Dispatch terminals and desks.

use std::net::TcpStream;
use std::process::Command;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::handshake::HandshakeError;
use tokio_tungstenite::tungstenite::{self, Message};

use crate::running::{PATIENCE, Running, Socket};

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
    assert_eq!(answer(&mut terminal, id, "accept")["ok"], true, "it was taken before");
    let stale = answer(&mut terminal, id, "decline");
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
            assert_eq!(place, (&json!("A"), &json!("help"), true), "{frame}");
        }
        let status = frame["phase"].as_str().filter(|_| frame["type"] == "call_status");
        told.push(status.unwrap_or("an assignment").to_owned());
    }
    assert_eq!(told, ["waiting", "an assignment", "assigned"]);
    let mut late = city.socket("/ws/desk");
    let status = late.hear("call_status");
    assert_eq!(
        (&status["call"], &status["phase"], &status["category"]),
        (&json!(17), &json!("assigned"), &json!("help"))
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

/// A token of a unit for the key of [`with_key`], as the command prints it.
fn token(city: &Running, unit: &str) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
    let printed = command.args(["terminal-token", "--unit", unit]).current_dir(city.dir.path()).envs(KEY);
    let printed = printed.env("NANMING_CITY__FILE", "town.json").output().unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    String::from_utf8(printed.stdout).unwrap().trim().to_owned()
}

const KEY: [(&str, &str); 1] = [("NANMING_TERMINALS__KEY", "a long random text")];

/// Connects with a header; the status if it is refused.
fn connect(city: &Running, path: &str, header: (&'static str, &str)) -> Result<Socket, u16> {
    let mut request = format!("ws://{}{path}", city.address).into_client_request().unwrap();
    request.headers_mut().insert(header.0, header.1.parse().unwrap());
    let stream = TcpStream::connect(city.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    match tungstenite::client(request, stream) {
        Ok((socket, _)) => Ok(Socket(socket)),
        Err(HandshakeError::Failure(tungstenite::Error::Http(answer))) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_terminal_logs_in_with_the_token_of_its_unit_and_is_no_other() {
    let city = Running::start_with(&KEY);
    let (own, other) = (city.city.units[3].name.clone(), city.city.units[4].name.clone());
    let token = token(&city, &own);
    let bearer = format!("Bearer {token}");
    let mut headed = connect(&city, "/ws/terminal", ("authorization", &bearer)).unwrap();
    assert_eq!(headed.hear("current")["name"], own);
    let offer = format!("nanming.terminal, token.{token}");
    let mut offered = connect(&city, "/ws/terminal", ("sec-websocket-protocol", &offer)).unwrap();
    assert_eq!(offered.hear("current")["unit"], 3);
    let mut asked = city.socket("/ws/terminal");
    asked.say(&json!({"type": "login", "token": token}).to_string());
    assert_eq!(asked.hear("current")["unit"], 3);
    let of_other = format!("/ws/terminal?unit={other}");
    assert_eq!(connect(&city, &of_other, ("authorization", &bearer)).err(), Some(401));
    let forged = format!("{bearer}x");
    assert_eq!(connect(&city, "/ws/terminal", ("authorization", &forged)).err(), Some(401));
    for first in [json!({"type": "login", "token": "a.1.b"}), json!({"type": "ping"}), json!([])] {
        let mut wrong = city.socket(&of_other);
        wrong.say(&first.to_string());
        assert_eq!(wrong.hear("error")["type"], "error", "{first}");
        assert_eq!(closed_with(&mut wrong), 1008, "{first}");
    }
    assert!(city.measures("nanming_http_refusals_total{door=\"terminal\",reason=\"wrong_token\"} 2"));
    assert!(city.measures("nanming_http_refusals_total{door=\"terminal\",reason=\"wrong_unit\"} 1"));
    headed.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    city.post("/calls", &city.alarm(3, json!({})));
    let (shown, again) = (headed.hear("assignment"), asked.hear("assignment"));
    assert_eq!((&shown["unit"], &shown["id"]), (&json!(3), &again["id"]));
}

#[test]
fn a_terminal_that_comes_back_is_sent_what_it_missed_also_after_a_restart() {
    let city = Running::start();
    let mut terminal = city.terminal(3);
    terminal.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    city.post("/calls", &city.alarm(3, json!({"id": 17})));
    let first = terminal.hear("assignment");
    drop(terminal);
    let resume = |city: &Running, after: &Value| city.socket(&format!("/ws/terminal?unit=3&after={after}"));
    assert_eq!(resume(&city, &first["id"]).hear("current")["in_force"], json!(["17.1"]));
    let city = Running::start_in(city.kill(), &["--no-sim"]);
    let mut terminal = resume(&city, &first["id"]);
    let again = terminal.hear("assignment");
    assert_eq!(again["assignment"], "17.1");
    assert!(again["id"].as_u64() > first["id"].as_u64(), "{again}");
    assert_eq!(terminal.hear("current")["in_force"], json!(["17.1"]));
    assert_eq!(answer(&mut terminal, &json!("17.1"), "closed")["ok"], true);
    let city = Running::start_in(city.kill(), &["--no-sim"]);
    let mut terminal = resume(&city, &again["id"]);
    assert_eq!(terminal.hear("current")["in_force"], json!([]));
    assert_eq!(answer(&mut terminal, &json!("17.1"), "closed")["ok"], true, "taken before the restart");
}

#[test]
fn desks_are_told_who_is_connected_and_who_has_seen_its_task() {
    let city = Running::start();
    let mut desk = city.socket("/ws/desk");
    let mut terminal = city.terminal(3);
    assert_eq!(desk.hear("terminal")["connected"], true);
    terminal.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    city.post("/calls", &city.alarm(3, json!({"id": 17})));
    let id = terminal.hear("assignment")["id"].clone();
    terminal.say(&json!({"type": "seen", "id": id}).to_string());
    assert_eq!(desk.hear("seen"), json!({"type": "seen", "assignment": "17.1", "unit": 3}));
    terminal.say("{\"type\":\"ping\"}");
    assert!(terminal.hear("pong")["time_ms"].is_u64());
    drop(terminal);
    let gone = desk.hear("terminal");
    assert_eq!((&gone["unit"], &gone["connected"]), (&json!(3), &json!(false)));
}

#[test]
fn a_desk_is_told_why_a_unit_declines_its_own_task_and_no_others() {
    let city = Running::start();
    let mut desk = city.socket("/ws/desk");
    let (mut right, mut wrong) = (city.terminal(3), city.terminal(4));
    right.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    city.post("/calls", &city.alarm(3, json!({"id": 17})));
    let id = right.hear("assignment")["assignment"].clone();
    let decline = |why: &str| json!({"type": "ack", "assignment": id, "answer": "decline", "why": why}).to_string();
    wrong.say(&decline("not mine"));
    assert_eq!(wrong.hear("ack_result")["ok"], false);
    right.say(&decline("far"));
    assert_eq!(right.hear("ack_result")["ok"], true);
    assert_eq!(desk.hear("declines"), json!({"type": "declines", "assignment": "17.1", "unit": 3, "why": "far"}));
}
