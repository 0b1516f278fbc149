//! Several live processes as one engine.

use std::io::Write;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use serde_json::json;

use crate::running::{Port, Running, address_in};
use crate::viid;

/// Where the search for a free port goes on: below the ports that the system gives to whoever asks for any.
static NEXT_PORT: AtomicU16 = AtomicU16::new(20_000);

/// An address that nobody has and that nobody else is given: not by this, nor by the system.
pub(crate) fn free_address() -> SocketAddr {
    loop {
        let port = NEXT_PORT.fetch_add(1, Ordering::Relaxed);
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return listener.local_addr().unwrap();
        }
    }
}

/// Addresses that are free, one for each process.
pub(crate) fn hosts(dir: &Path, processes: usize) -> PathBuf {
    let lines: Vec<String> = (0..processes).map(|_| free_address().to_string()).collect();
    let path = dir.join("hosts.txt");
    std::fs::write(&path, lines.join("\n")).unwrap();
    path
}

/// Options of the process that leads.
pub(crate) const LEADS: [&str; 5] = ["--no-sim", "--hosts", "hosts.txt", "--process", "0"];

/// A process that follows, and where it listens; it comes before the leader and waits for it.
pub(crate) fn follower(dir: &Path, settings: &[(&str, &str)]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
    command.envs(settings.iter().copied());
    command.args(["run", "--city", "town.json", "--listen", "127.0.0.1:0", "--no-sim"]);
    command.args(["--hosts", "hosts.txt", "--process", "1"]).current_dir(dir);
    command
        .env("NANMING_LOG", "info")
        .env("NO_COLOR", "1")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Two processes, and where the second one listens.
fn cluster(settings: &[(&str, &str)]) -> (Running, Child, Port) {
    let dir = tempfile::tempdir().unwrap();
    hosts(dir.path(), 2);
    Running::lay_out(dir.path());
    let mut second = follower(dir.path(), settings);
    let city = Running::start_in(dir, &LEADS);
    let address = address_in(second.stderr.take().unwrap(), "http://");
    (city, second, Port::at(address))
}

#[test]
fn what_a_follower_takes_the_leader_decides_on_and_what_is_durable_is_the_leaders() {
    let (city, mut second, port) = cluster(&[]);
    let camera = city.city.cameras.iter().find(|camera| camera.lane.is_some()).unwrap();
    let link = city.city.lanes[camera.lane.unwrap().0.index()].link;
    let sent = json!({"type": "passage", "camera": camera.name, "plate": "贵A12345", "speed_kmh": 40});
    let lines = [sent.to_string(), city.alarm(0, json!({"type": "call", "call": 17, "change": "opened"})).to_string()];
    let answer = port.send("POST", "/api/ingest", &[], lines.join("\n").as_bytes()).json;
    assert_eq!(
        (&answer["accepted"], &answer["rejected"][0]["reason"]),
        (&json!(1), &json!("not_the_leader")),
        "{answer}"
    );
    assert_eq!(port.send("POST", "/calls", &[], b"{}").status, 421);
    assert_eq!(port.get("/healthz").status, 200);
    city.wait_for("flow", || city.get(&format!("/api/links/{link}")).1["flow_veh_h"].as_f64() > Some(0.0));
    assert_eq!(city.post("/calls", &city.alarm(0, json!({"id": 18}))).0, 201, "the leader takes calls as ever");
    let (code, printed) = city.end_by("-INT");
    assert!(code == Some(0), "{printed}");
    assert!(second.wait().unwrap().success(), "the leader has ended, and so has the follower");
}

#[test]
fn a_follower_that_is_killed_ends_the_leader_and_all_start_again_from_the_ledger() {
    let (city, mut second, _) = cluster(&[]);
    assert_eq!(city.post("/calls", &city.alarm(0, json!({"id": 17}))).0, 201);
    second.kill().unwrap();
    second.wait().unwrap();
    let (code, dir) = city.ends_itself();
    assert_eq!(code, Some(1));
    hosts(dir.path(), 2);
    let mut second = follower(dir.path(), &[]);
    let city = Running::start_in(dir, &LEADS);
    assert_eq!(city.get("/calls/17").1["phase"], "waiting");
    city.kill();
    assert_eq!(second.wait().unwrap().code(), Some(1));
}

#[test]
fn a_follower_has_the_doors_for_sensors_with_their_keys_and_packings() {
    let settings = [("NANMING_HTTP__API_KEYS", "[\"a key\"]"), ("NANMING_VIID__USERS", "{platform = \"secret\"}")];
    let (city, mut second, port) = cluster(&settings);
    let camera = city.city.cameras[0].name.as_str();
    let line = json!({"type": "passage", "camera": camera, "plate": "贵A12345", "speed_kmh": 40}).to_string();
    let post = |headers: &[(&str, &str)], body: &[u8]| port.send("POST", "/api/ingest", headers, body);
    assert_eq!(post(&[], line.as_bytes()).status, 401);
    assert_eq!(post(&[("x-api-key", "another")], line.as_bytes()).status, 403);
    assert_eq!(post(&[("x-api-key", "a key"), ("origin", "http://elsewhere")], line.as_bytes()).status, 403);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(line.as_bytes()).unwrap();
    let packed = [
        ("identity", line.clone().into_bytes()),
        ("gzip", gzip.finish().unwrap()),
        ("zstd", zstd::encode_all(line.as_bytes(), 3).unwrap()),
    ];
    for (encoding, body) in &packed {
        let taken = post(&[("authorization", "Bearer a key"), ("content-encoding", encoding)], body);
        assert_eq!((taken.status, &taken.json["accepted"]), (200, &json!(1)), "{encoding}: {}", taken.text);
    }
    viid::registered(&port);
    let now = port.get("/VIID/System/Time").json["SystemTimeObject"]["LocalTime"].clone();
    let seen = viid::vehicle(1, camera, json!({"PassTime": now}));
    let sent = json!({"MotorVehicleListObject": {"MotorVehicleObject": [seen]}}).to_string();
    let said = viid::send(&port, &sent);
    let word = &said.json["ResponseStatusListObject"]["ResponseStatusObject"][0];
    assert_eq!((said.status, &word["StatusCode"]), (200, &json!(0)), "{}", said.text);
    assert_eq!(viid::send(&city.port, &sent).status, 404, "the leader was given no users");
    let measures = |line: &str| port.get("/metrics").text.lines().any(|l| l == line);
    city.wait_for("passages", || measures("nanming_events_total{stream=\"passages\"} 4"));
    assert!(measures("nanming_cameras_online 1"));
    assert!(measures("nanming_http_refusals_total{door=\"ingest\",reason=\"no_key\"} 1"));
    let _ = second.kill();
    let _ = second.wait();
}
