//! Several live processes as one engine.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;

use crate::running::{Running, address_in};

/// Addresses that were free a moment ago, one for each process.
pub(crate) fn hosts(dir: &Path, processes: usize) -> PathBuf {
    let free: Vec<_> = (0..processes).map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let lines: Vec<String> = free.iter().map(|listener| listener.local_addr().unwrap().to_string()).collect();
    let path = dir.join("hosts.txt");
    std::fs::write(&path, lines.join("\n")).unwrap();
    path
}

/// A process that follows, and where it listens; it comes before the leader and waits for it.
fn follower(dir: &Path) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
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

fn cluster() -> (Running, Child, ureq::Agent, String) {
    let dir = tempfile::tempdir().unwrap();
    hosts(dir.path(), 2);
    Running::lay_out(dir.path());
    let mut second = follower(dir.path());
    let city = Running::start_in(dir, &["--no-sim", "--hosts", "hosts.txt", "--process", "0"]);
    let address = address_in(second.stderr.take().unwrap(), "http://");
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    (city, second, config.into(), format!("http://{address}"))
}

#[test]
fn what_a_follower_takes_the_leader_decides_on_and_what_is_durable_is_the_leaders() {
    let (city, mut second, agent, address) = cluster();
    let camera = city.city.cameras.iter().find(|camera| camera.lane.is_some()).unwrap();
    let link = city.city.lanes[camera.lane.unwrap().0.index()].link;
    let sent = json!({"type": "passage", "camera": camera.name, "plate": "贵A12345", "speed_kmh": 40});
    let lines = [sent.to_string(), city.alarm(0, json!({"type": "call", "call": 17, "change": "opened"})).to_string()];
    let mut answer = agent.post(format!("{address}/api/ingest")).send(lines.join("\n")).unwrap();
    let answer: serde_json::Value = answer.body_mut().read_json().unwrap();
    assert_eq!(
        (&answer["accepted"], &answer["rejected"][0]["reason"]),
        (&json!(1), &json!("not_the_leader")),
        "{answer}"
    );
    assert_eq!(agent.post(format!("{address}/calls")).send("{}").unwrap().status(), 421);
    assert_eq!(agent.get(format!("{address}/healthz")).call().unwrap().status(), 200);
    city.wait_for("flow", || city.get(&format!("/api/links/{link}")).1["flow_veh_h"].as_f64() > Some(0.0));
    assert_eq!(city.post("/calls", &city.alarm(0, json!({"id": 18}))).0, 201, "the leader takes calls as ever");
    let (code, printed) = city.end_by("-INT");
    assert!(code == Some(0), "{printed}");
    assert!(second.wait().unwrap().success(), "the leader has ended, and so has the follower");
}

#[test]
fn a_follower_that_is_killed_ends_the_leader_and_all_start_again_from_the_ledger() {
    let (city, mut second, ..) = cluster();
    assert_eq!(city.post("/calls", &city.alarm(0, json!({"id": 17}))).0, 201);
    second.kill().unwrap();
    second.wait().unwrap();
    let (code, dir) = city.ends_itself();
    assert_eq!(code, Some(1));
    hosts(dir.path(), 2);
    let mut second = follower(dir.path());
    let city = Running::start_in(dir, &["--no-sim", "--hosts", "hosts.txt", "--process", "0"]);
    assert_eq!(city.get("/calls/17").1["phase"], "waiting");
    city.kill();
    assert_eq!(second.wait().unwrap().code(), Some(1));
}
