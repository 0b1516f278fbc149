//! Webhooks: a receiver that refuses, goes away and comes back is told everything, in order, signed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use nanming::webhooks::signature;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::running::{Running, Socket};

const SECRET: &str = "a long random text";

/// A receiver that refuses so many first, and keeps what it takes.
struct Receiver {
    address: SocketAddr,
    heard: Arc<Mutex<Heard>>,
}

#[derive(Default)]
struct Heard {
    refuses: usize,
    taken: Vec<Value>,
    refused: Vec<Value>,
}

impl Receiver {
    fn start(refuses: usize) -> Receiver {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, heard) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Heard::default())));
        heard.lock().unwrap().refuses = refuses;
        let shared = Arc::clone(&heard);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let heard = Arc::clone(&shared);
                std::thread::spawn(move || while answer(&stream, &heard).is_some() {});
            }
        });
        Receiver { address, heard }
    }

    /// Types and subjects of what it has taken, each event once, in the order in which they came.
    fn taken(&self) -> Vec<(String, String)> {
        let mut taken = self.heard.lock().unwrap().taken.clone();
        let mut known = std::collections::BTreeSet::new();
        taken.retain(|event| known.insert(event["id"].as_str().unwrap().to_owned()));
        let word =
            |event: &Value, key: &str| event[key].as_str().unwrap().trim_start_matches("nanming.call.").to_owned();
        taken.iter().map(|event| (word(event, "subject"), word(event, "type"))).collect()
    }
}

/// Answers one request; none when the connection has ended.
fn answer(mut stream: &TcpStream, heard: &Mutex<Heard>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let (mut headers, mut line) = (std::collections::BTreeMap::new(), String::new());
    while reader.read_line(&mut line).ok()? > 0 && line.trim() != "" {
        if let Some((name, value)) = line.trim().split_once(": ") {
            headers.insert(name.to_ascii_lowercase(), value.to_owned());
        }
        line.clear();
    }
    let mut body = vec![0; headers.get("content-length")?.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).unwrap();
    let (id, at) = (&headers["webhook-id"], headers["webhook-timestamp"].parse().unwrap());
    assert_eq!(headers["webhook-signature"], signature(&SECRET.to_owned().into(), id, at, &body));
    let event: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((&event["id"], &event["specversion"]), (&json!(id), &json!("1.0")));
    let mut heard = heard.lock().unwrap();
    let status = if heard.refuses > 0 {
        heard.refuses -= 1;
        heard.refused.push(event);
        "503 Service Unavailable"
    } else {
        heard.taken.push(event);
        "204 No Content"
    };
    stream.write_all(format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n").as_bytes()).ok()
}

fn configured(receiver: SocketAddr, more: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let toml = format!("[[webhooks]]\nurl = \"http://{receiver}/calls\"\nsecret = \"{SECRET}\"\n{more}\n");
    std::fs::write(dir.path().join("nanming.toml"), toml).unwrap();
    dir
}

fn told(subject: u64, kinds: &[&str]) -> Vec<(String, String)> {
    kinds.iter().map(|kind| (subject.to_string(), (*kind).to_owned())).collect()
}

fn ready(city: &Running) -> Socket {
    let mut terminal = city.terminal(3);
    terminal.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    terminal
}

fn answer_with(terminal: &mut Socket, assignment: &Value, answer: &str) {
    terminal.say(&json!({"type": "ack", "assignment": assignment, "answer": answer}).to_string());
    assert_eq!(terminal.hear("ack_result")["ok"], true);
}

#[test]
fn a_receiver_is_told_all_in_order_though_it_refuses_and_over_a_restart() {
    let receiver = Receiver::start(2);
    let city = Running::start_in(configured(receiver.address, ""), &["--no-sim"]);
    let mut terminal = ready(&city);
    city.post("/calls", &city.alarm(3, json!({"id": 17})));
    let id = terminal.hear("assignment")["assignment"].clone();
    answer_with(&mut terminal, &id, "accept");
    let first = told(17, &["waiting", "assigned", "accepted"]);
    city.wait_for("events", || receiver.taken() == first);
    {
        let heard = receiver.heard.lock().unwrap();
        assert!(heard.refused.iter().all(|event| event["id"] == heard.taken[0]["id"]), "the first is tried again");
        let data = &heard.taken[1]["data"];
        assert_eq!(
            (&data["unit"]["id"], &data["assignment"], &data["words"]),
            (&json!(3), &json!("17.1"), &json!("救命"))
        );
    }
    assert!(city.measures("nanming_webhook_failures_total 2"));
    // Away: calls are taken all the same, and what it missed comes over a restart.
    receiver.heard.lock().unwrap().refuses = usize::MAX;
    answer_with(&mut terminal, &id, "closed");
    assert_eq!(city.post("/calls", &city.alarm(3, json!({"id": 18}))).0, 201);
    assert_eq!(city.delete("/calls/18").0, 200);
    let city = Running::start_in(city.kill(), &["--no-sim"]);
    receiver.heard.lock().unwrap().refuses = 0;
    let after = receiver.taken().len();
    let missed = told(17, &["closed"]).into_iter().chain(told(18, &["waiting", "assigned", "cancelled"]));
    let all: Vec<_> = first.into_iter().chain(missed).collect();
    city.wait_for("what was missed", || receiver.taken().len() >= all.len());
    assert_eq!((receiver.taken(), after), (all, 3));
}

#[test]
fn it_is_told_of_its_units_and_kinds_alone_and_what_it_never_takes_is_given_up_and_counted() {
    let receiver = Receiver::start(2);
    let name = nanming_simulators::town::small(2, 2, 1).units[3].name.clone();
    let more = format!("units = [\"{name}\"]\nkinds = [\"assigned\", \"withdrawn\"]\ntries = 2");
    let city = Running::start_in(configured(receiver.address, &more), &["--no-sim"]);
    let mut terminal = ready(&city);
    city.post("/calls", &city.alarm(3, json!({"id": 17})));
    let id = terminal.hear("assignment")["assignment"].clone();
    answer_with(&mut terminal, &id, "decline");
    city.wait_for("events", || receiver.taken() == told(17, &["withdrawn"]));
    assert!(city.measures("nanming_webhook_dead_events_total 1") && city.measures("nanming_webhook_events_total 1"));
}

#[test]
fn a_webhook_that_makes_no_sense_is_refused_at_the_start() {
    for (more, complaint) in [("kinds = [\"all\"]", "no kind all"), ("units = [\"nobody\"]", "no unit nobody")] {
        let dir = configured("127.0.0.1:1".parse().unwrap(), more);
        Running::lay_out(dir.path());
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_nanming"));
        let run = command.args(["run", "--no-sim", "--city", "town.json", "--listen", "127.0.0.1:0"]);
        let ended = run.current_dir(dir.path()).output().unwrap();
        let said = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert!(!ended.status.success() && said.contains(complaint), "{said}");
    }
}
