//! Kafka in and out, over a real broker that `tests/kafka.sh` starts.

use std::process::Command;

use nanming::ingest::protobuf::{VERSION, v1};
use prost::Message;
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::running::Running;

pub(crate) mod broker;
mod out;
mod spread;
#[cfg(feature = "kafka-tls")]
mod tls;
use broker::{Broker, wait_for};

const JSON: &str = "application/json";
const PROTOBUF: &str = "application/x-protobuf";

/// A city that listens to the topics of a prefix, and writes to them.
fn city(broker: &Broker, prefix: &str, dir: TempDir, speed: &str) -> Running {
    let settings = [("NANMING_KAFKA__MESSAGE_BYTES", "4096")];
    start(broker, prefix, dir, &["--no-sim", "--speed", speed], &settings)
}

fn start(broker: &Broker, prefix: &str, dir: TempDir, options: &[&str], settings: &[(&str, &str)]) -> Running {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
    command
        .env("NANMING_KAFKA__BROKERS", broker.address())
        .env("NANMING_KAFKA__GROUP", prefix)
        .env("NANMING_KAFKA__PREFIX", prefix)
        .envs(settings.iter().copied());
    Running::start_as(command, dir, options)
}

fn waits(city: &Running, what: &str, holds: impl FnMut() -> bool) {
    wait_for(what, holds, || {
        city.text("/metrics")
            .lines()
            .filter(|l| l.contains("kafka") && !l.starts_with('#'))
            .collect::<Vec<_>>()
            .join("\n")
    });
}

fn unit(city: &Running, unit: usize) -> String {
    let (lon, lat) = city.post_of(unit);
    let name = &city.city.units[unit].name;
    json!({"type": "unit", "unit": name, "lon": lon, "lat": lat, "status": "ready"}).to_string()
}

fn call(city: &Running, id: u64) -> String {
    city.alarm(0, json!({"type": "call", "call": id}))
}

fn phase(city: &Running, id: u64) -> Value {
    city.get(&format!("/calls/{id}")).1["phase"].clone()
}

#[test]
fn events_come_in_as_json_and_protobuf_and_decisions_go_out_under_their_keys() {
    let broker = Broker::shared();
    broker.make_topics("both.");
    let city = city(broker, "both.", tempfile::tempdir().unwrap(), "1");
    let heads = city.city.junctions[1].stages[0].lights.iter().map(|light| light.lamp().to_char());
    let junction = city.city.junctions[1].name.clone();
    let shows = json!({"type": "signal", "junction": junction, "mode": "centre", "lamps": heads.collect::<String>()});
    broker.write("both.units", [(JSON, unit(&city, 0).as_bytes()), ("", unit(&city, 3).as_bytes())]);
    waits(&city, "units", || city.measures("nanming_units_available 2"));
    let several = [call(&city, 41), String::new(), call(&city, 42)].join("\n");
    broker.write("both.calls", [(JSON, several.as_bytes())]);
    broker.write("both.flows", [(JSON, shows.to_string().as_bytes())]);
    broker.write("both.passages", [(PROTOBUF, &passages(&city).encode_to_vec()[..])]);
    waits(&city, "passages", || city.measures("nanming_events_total{stream=\"passages\"} 3"));

    let sent = broker.read("both.assignments", |read| read.len() == 2);
    let grid = city.get("/calls/41").1["grid"].to_string();
    let of_41 = sent.iter().find(|read| read.line["call"] == 41).unwrap();
    assert_eq!((&of_41.key, of_41.content_type.as_str()), (&grid, JSON));
    assert_eq!((&of_41.line["priority"], &of_41.line["words"]), (&json!("A"), &json!("救命")));
    let signals = broker.read("both.signals", |read| !read.is_empty());
    assert_eq!((&signals[0].key, &signals[0].line["junction"]), (&junction, &json!(junction)));

    let ack = v1::Ack {
        unit: of_41.line["unit"].as_str().unwrap().into(),
        assignment: of_41.line["assignment"].as_str().unwrap().into(),
        answer: "accept".into(),
        time_ms: 0,
    };
    let batch = v1::Batch { version: VERSION, acks: vec![ack], ..v1::Batch::default() };
    broker.write("both.acks", [(PROTOBUF, &batch.encode_to_vec()[..])]);
    waits(&city, "the answer", || phase(&city, 41) == "accepted");
    let up = city.get("/healthz").1;
    assert_eq!((&up["kafka"], &up["degraded"]), (&json!("up"), &json!(false)));
    for line in ["nanming_kafka_up 1", "nanming_kafka_consumed_messages_total{stream=\"calls\"} 1"] {
        waits(&city, line, || city.measures(line));
    }
    waits(&city, "lag", || city.measures("nanming_kafka_lag_messages{stream=\"calls\"} 0"));

    let _another = self::city(broker, "both.", tempfile::tempdir().unwrap(), "1");
    waits(&city, "word that it is shut out", || city.get("/healthz").1["kafka"] == "down");
}

fn passages(city: &Running) -> v1::Batch {
    let columns = v1::Passages {
        devices: vec![city.city.cameras[0].name.clone()],
        camera: vec![0, 0, 0],
        base_ms: city.get("/healthz").1["tick"].as_u64().unwrap(),
        offset_ms: vec![0, -10, -20],
        plate: vec!["贵A12345".into(), String::new(), "贵A12346".into()],
        speed_mm_s: vec![12_000; 3],
        ..v1::Passages::default()
    };
    v1::Batch { version: VERSION, passages: Some(columns), ..v1::Batch::default() }
}

#[test]
fn bad_messages_become_dead_letters_with_their_place_and_the_partition_goes_on() {
    let broker = Broker::shared();
    broker.make_topics("bad.");
    let city = city(broker, "bad.", tempfile::tempdir().unwrap(), "30");
    let newer = v1::Batch { version: 2, ..passages(&city) }.encode_to_vec();
    let unknown = json!({"type": "passage", "camera": "nowhere", "plate": "贵A12345", "speed_kmh": 40}).to_string();
    let mut class = passages(&city);
    class.passages.as_mut().unwrap().vehicle_class = vec![0, 99, 0];
    let (class, large) = (class.encode_to_vec(), vec![b' '; 5_000]);
    let good = passages(&city).encode_to_vec();
    let messages: [(&str, &[u8]); 10] = [
        (JSON, b"{"),
        (PROTOBUF, &newer),
        ("text/csv", b"1,2,3"),
        (JSON, unknown.as_bytes()),
        ("", b""),
        (JSON, &large),
        (PROTOBUF, b"\xff\xff\xff\xff"),
        (PROTOBUF, &class),
        (PROTOBUF, &good),
        (PROTOBUF, &good),
    ];
    broker.write("bad.passages", messages);
    waits(&city, "the good ones", || city.measures("nanming_events_total{stream=\"passages\"} 8"));
    let letters = broker.read("bad.dead-letters", |read| read.len() == 8);
    let mut told: Vec<(&str, &str)> = letters
        .iter()
        .map(|letter| (letter.line["detail"].as_str().unwrap(), letter.line["reason"].as_str().unwrap()))
        .map(|(detail, reason)| (detail.split_once(": ").unwrap().0, reason))
        .collect();
    told.sort_unstable();
    let expected = [
        ("bad.passages[0]@0", "malformed"),
        ("bad.passages[0]@1", "malformed"),
        ("bad.passages[0]@2", "malformed"),
        ("bad.passages[0]@3", "malformed"),
        ("bad.passages[1]@0", "unknown_version"),
        ("bad.passages[1]@1", "unknown_camera"),
        ("bad.passages[1]@2", "too_large"),
        ("bad.passages[1]@3", "malformed"),
    ];
    assert_eq!(told, expected);
    assert!(letters.iter().all(|letter| !letter.line.to_string().contains("12345")), "{letters:#?}");
    assert!(city.measures("nanming_kafka_unreadable_messages_total{stream=\"passages\"} 6"));
    assert!(city.measures("nanming_dead_letters_total{reason=\"unknown_version\",stream=\"passages\"} 1"));
    let forecasts = broker.read("bad.forecasts", |read| !read.is_empty());
    assert_eq!(forecasts[0].key, forecasts[0].line["link"].as_str().unwrap());
}

#[test]
fn a_kill_in_the_middle_of_a_stream_of_calls_loses_none_and_doubles_none() {
    const CALLS: u64 = 600;
    let broker = Broker::shared();
    broker.make_topics("kill.");
    let mut city = city(broker, "kill.", tempfile::tempdir().unwrap(), "1");
    let messages: Vec<String> =
        (0..CALLS / 3).map(|n| [1, 2, 3].map(|row| call(&city, 3 * n + row)).join("\n")).collect();
    broker.write("kill.units", [(JSON, unit(&city, 0).as_bytes())]);
    let in_ledger = |city: &Running| -> i64 {
        let book = Connection::open(city.dir.path().join("ledger.sqlite")).unwrap();
        book.query_row("SELECT count(*) FROM calls", [], |row| row.get(0)).unwrap()
    };
    for (row, sent) in messages.chunks(messages.len() / 4).enumerate() {
        broker.write("kill.calls", sent.iter().map(|lines| (JSON, lines.as_bytes())));
        let some = row as i64 * CALLS as i64 / 4 + 10;
        waits(&city, "some calls", || in_ledger(&city) >= some);
        city = self::city(broker, "kill.", city.kill(), "1");
    }
    waits(&city, "all calls", || in_ledger(&city) == CALLS as i64);
    let book = Connection::open(city.dir.path().join("ledger.sqlite")).unwrap();
    let opened: i64 = book
        .query_row("SELECT count(*) FROM call_history WHERE phase = 'waiting' AND changed = ''", [], |row| row.get(0))
        .unwrap();
    assert_eq!(opened, CALLS as i64, "each was opened once");
    waits(&city, "the end of the topic", || city.measures("nanming_kafka_lag_messages{stream=\"calls\"} 0"));
    let letters = std::fs::read_to_string(city.dir.path().join("dead_letters.jsonl")).unwrap();
    assert!(!letters.contains("duplicate_call"), "none came twice: {letters}");
    assert!(city.measures("nanming_ledger_conflicts_total 0"));
    let mut decided = book.prepare("SELECT call || '.' || attempt FROM assignments").unwrap();
    let decided: Vec<String> = decided.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(!decided.is_empty());
    broker.read("kill.assignments", |read| decided.iter().all(|id| read.iter().any(|r| r.line["assignment"] == **id)));
}

#[test]
fn without_a_broker_the_city_goes_on_and_catches_up_when_it_is_back() {
    let mut broker = Broker::down();
    let city = city(&broker, "away.", tempfile::tempdir().unwrap(), "1");
    waits(&city, "word of it", || city.get("/healthz").1["kafka"] == "down");
    let health = city.get("/healthz");
    assert_eq!((health.0, &health.1["ok"], &health.1["degraded"]), (200, &json!(true), &json!(true)));
    assert!(city.measures("nanming_kafka_up 0") && city.measures("nanming_kafka_configured 1"));

    broker.start();
    broker.make_topics("away.");
    broker.write("away.units", [(JSON, unit(&city, 0).as_bytes())]);
    waits(&city, "the unit", || city.measures("nanming_units_available 1"));
    waits(&city, "the broker", || city.measures("nanming_kafka_up 1"));
    broker.write("away.passages", [(PROTOBUF, &passages(&city).encode_to_vec()[..])]);
    waits(&city, "passages", || city.measures("nanming_events_total{stream=\"passages\"} 3"));

    broker.kill();
    waits(&city, "word of it", || city.measures("nanming_kafka_up 0"));
    assert_eq!(city.post("/calls", &city.alarm(0, json!({"id": 7}))).0, 201, "calls are taken all the same");
    waits(&city, "an assignment", || phase(&city, 7) == "assigned");

    broker.start();
    let sent = broker.read("away.assignments", |read| !read.is_empty());
    assert_eq!(sent[0].line["assignment"], "7.1", "it waited in the ledger");
    broker.write("away.passages", [(PROTOBUF, &passages(&city).encode_to_vec()[..])]);
    waits(&city, "more passages", || city.measures("nanming_events_total{stream=\"passages\"} 6"));
    waits(&city, "the broker", || city.measures("nanming_kafka_up 1"));
    broker.kill();
    assert_eq!(city.interrupt().0, Some(0), "it ends in good order without a broker too");
}
