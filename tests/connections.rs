//! Connections that say nothing, or not all.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Instant;

use serde_json::json;

use crate::running::{PATIENCE, Running};

/// What comes back until the other end closes.
fn rest(mut stream: TcpStream) -> String {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut text = String::new();
    let _it_may_be_reset = stream.read_to_string(&mut text);
    text
}

#[test]
fn idle_connections_make_way_for_an_alarm() {
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 128; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_nanming")]);
    let city = Running::start_as(limited, tempfile::tempdir().unwrap(), &["--no-sim"]);
    let mut idle: Vec<TcpStream> = (0..300).map(|_| TcpStream::connect(city.address).unwrap()).collect();
    for stream in idle.iter_mut().skip(150) {
        // Half a head is as good as none. Some have been ended already.
        let _ = stream.write_all(b"POST /calls HTTP/1.1\r\nhost: x");
    }
    let began = Instant::now();
    for _ in 0..5 {
        assert_eq!(city.post("/calls", &city.alarm(0, json!({}))).0, 201);
    }
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
}

#[test]
fn sockets_and_streams_cannot_take_every_place() {
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 128; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_nanming")]);
    let city = Running::start_as(limited, tempfile::tempdir().unwrap(), &["--no-sim"]);
    let open = |_| {
        let mut stream = TcpStream::connect(city.address).unwrap();
        stream.write_all(b"GET /api/events HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut status = [0; 12];
        stream.read_exact(&mut status).unwrap();
        (stream, status == *b"HTTP/1.1 200")
    };
    let streams: Vec<(TcpStream, bool)> = (0..50).map(open).collect();
    assert_eq!(streams.iter().filter(|(_, open)| *open).count(), 26);
    assert_eq!(city.post("/calls", &city.alarm(0, json!({}))).0, 201);
}

#[test]
fn a_head_or_body_that_does_not_come_ends_its_request() {
    let city = Running::start_with(&[("NANMING_HTTP__HEAD_S", "1"), ("NANMING_HTTP__BODY_S", "1")]);
    let begin = |text: &str| {
        let mut stream = TcpStream::connect(city.address).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    };
    let (silent, half) = (begin(""), begin("POST /calls HTTP/1.1\r\nhost: 127.0.0.1\r\n"));
    let head = |path: &str| format!("POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: 100\r\n\r\n{{\"pri");
    let bodies = ["/calls", "/api/ingest"].map(|path| begin(&head(path)));
    for body in bodies {
        let answer = rest(body);
        assert!(answer.starts_with("HTTP/1.1 408") && answer.contains("too_slow"), "{answer}");
    }
    assert!(!rest(silent).contains("200") && !rest(half).contains("200"));
    assert_eq!(city.post("/calls", &city.alarm(0, json!({}))).0, 201);
}
