//! Rosters over HTTP: whose tasks are, what they answer, and what a kill leaves of it.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::running::Running;

/// Sites of the small town: two supervisors who can look after three sites each, and a desk.
const SITES: &str = r#"
name = "sites"
title = "建筑工地"
speed_km_h = 20
load_min = 15
move_min = 10
takes_findings = true
roles = [{ name = "supervisor", standing = true }, { name = "desk" }]
kinds = [{ name = "danger" }, { name = "dust" }]
[[ladder]]
role = "supervisor"
accept_min = 30
done_min = 480
[[ladder]]
role = "desk"
accept_min = 30
done_min = 480
[[points]]
from = "sites"
[[persons]]
role = "supervisor"
from = "supervisors"
points = 3
tasks = 2
[[persons]]
role = "desk"
placed = 1
tasks = 100
"#;

/// Starts in a directory, with the roster.
pub(crate) fn start_in(dir: TempDir, options: &[&str]) -> Running {
    std::fs::write(dir.path().join("sites.toml"), SITES).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
    command.env("NANMING_ROSTERS__FILES", "[\"sites.toml\"]");
    Running::start_as(command, dir, options)
}

fn start() -> Running {
    start_in(tempfile::tempdir().unwrap(), &["--no-sim"])
}

fn task(city: &Running, name: &str) -> Value {
    let (status, task) = city.get(&format!("/api/rosters/sites/tasks/{name}"));
    assert_eq!(status, 200, "{task}");
    task
}

fn raise(city: &Running, more: &Value) -> String {
    let mut body = json!({"kind": "dust", "point": city.city.sites[0].name});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (status, said) = city.post("/api/rosters/sites/tasks", &body.to_string());
    assert!(matches!(status, 200 | 201), "{said}");
    said["task"].as_str().unwrap().to_owned()
}

fn answer(city: &Running, name: &str, answer: &str) -> (u16, Value) {
    let task = task(city, name);
    let body = json!({"person": task["person"], "attempt": task["attempt"], "answer": answer});
    city.post(&format!("/api/rosters/sites/tasks/{name}/answer"), &body.to_string())
}

fn person(city: &Running, name: &Value) -> Value {
    let path: String = name.as_str().unwrap().bytes().map(|byte| format!("%{byte:02x}")).collect();
    city.get(&format!("/api/rosters/sites/persons/{path}")).1
}

#[test]
fn a_task_is_its_points_supervisors_and_its_life_is_told() {
    let city = start();
    city.wait_for("points", || city.get("/api/rosters/sites").1["persons"][0]["points"] != json!(0));
    let roster = city.get("/api/rosters/sites").1;
    let points = roster["persons"].as_array().unwrap().iter().map(|p| p["points"].as_u64().unwrap());
    assert_eq!(points.clone().sum::<u64>(), 4, "{roster}");
    assert!(points.max() <= Some(3));

    let name = raise(&city, &json!({"id": 7, "words": "扬尘很大", "pictures": ["p/1.jpg"]}));
    assert_eq!(name, "s7");
    assert_eq!(raise(&city, &json!({"id": 7})), name, "sent again it is the same task");
    let first = task(&city, &name);
    assert_eq!((&first["phase"], &first["given"]), (&json!("assigned"), &json!("standing")));
    assert_eq!((&first["words"], &first["pictures"]), (&json!("扬尘很大"), &json!(["p/1.jpg"])));
    assert_eq!(first["candidates"].as_array().unwrap().len(), 2, "both supervisors could have it");
    let mine = person(&city, &first["person"]);
    assert_eq!(mine["tasks"][0]["task"], json!(name));
    assert!(mine["points"].as_array().unwrap().iter().any(|p| p["point"] == json!(city.city.sites[0].name)));

    assert_eq!(answer(&city, &name, "accept").0, 200);
    assert_eq!(task(&city, &name)["phase"], "accepted");
    assert_eq!(answer(&city, &name, "accept").0, 200, "said again it is the same");
    assert_eq!(answer(&city, &name, "done").0, 200);
    assert_eq!(task(&city, &name)["phase"], "done");
    let (status, problem) = answer(&city, &name, "done");
    assert_eq!((status, &problem["error"]), (409, &json!("task_over")));
}

#[test]
fn what_cameras_find_is_a_task_and_found_again_it_stays_one() {
    let city = start();
    let now_ms = city.get("/healthz").1["city_ms"].as_u64().unwrap_or(0);
    let site = &city.city.sites[1].name;
    let found = |ms: u64, finding: &str| {
        let line = json!({"type": "site", "time_ms": now_ms + ms, "site": site, "finding": finding});
        assert_eq!(city.post("/api/ingest", &line.to_string()).0, 200);
    };
    let open = || city.get("/api/rosters/sites/tasks").1["open"].clone();
    found(1, "dust");
    city.wait_for("the task", || open().as_array().unwrap().len() == 1);
    found(2, "dust");
    found(3, "clean");
    city.wait_for("the second report", || open()[0]["reports"] == json!(2));
    let tasks = open();
    assert_eq!((tasks.as_array().unwrap().len(), &tasks[0]["point"]), (1, &json!(site)));
    assert!(city.measures("nanming_roster_open_tasks{roster=\"sites\"} 1"));
}

#[test]
fn who_is_absent_gets_nothing_and_loses_what_they_had() {
    let city = start();
    let name = raise(&city, &json!({}));
    let first = task(&city, &name)["person"].clone();
    let path: String = first.as_str().unwrap().bytes().map(|byte| format!("%{byte:02x}")).collect();
    let absence = format!("/api/rosters/sites/persons/{path}/absence");
    assert_eq!(city.post(&absence, "{\"hours\": 2}").0, 200);
    let moved = task(&city, &name);
    assert_eq!((&moved["phase"], &moved["given"]), (&json!("assigned"), &json!("least_cost")));
    assert_ne!(moved["person"], first);
    assert_eq!(city.post(&absence, "{}").0, 200);
    assert_eq!(task(&city, &name)["person"], moved["person"], "nobody is moved back for that");
    let over = city.post(&absence.replace("absence", "handover"), &json!({"to": moved["person"]}).to_string());
    assert_eq!((over.0, &over.1["error"]), (409, &json!("no_room")), "four sites, room for three");
}

#[test]
fn what_makes_no_sense_is_refused_with_a_reason() {
    let city = start();
    let tasks = "/api/rosters/sites/tasks";
    for (path, body, status, error) in [
        (tasks, "{", 400, "malformed"),
        (tasks, "{\"kind\":\"rust\",\"point\":\"x\"}", 422, "unknown_duty"),
        (tasks, "{\"kind\":\"dust\",\"point\":\"x\"}", 422, "unknown_duty"),
        (tasks, "{\"kind\":\"dust\"}", 400, "malformed"),
        (tasks, "{\"kind\":\"dust\",\"lon\":0,\"lat\":0}", 422, "outside_city"),
        ("/api/rosters/none/tasks", "{\"kind\":\"dust\",\"lon\":0,\"lat\":0}", 404, "not_found"),
        ("/api/rosters/sites/persons/none/absence", "{}", 404, "not_found"),
        (
            "/api/rosters/sites/tasks/t9/answer",
            "{\"person\":\"desk-0001\",\"attempt\":1,\"answer\":\"done\"}",
            404,
            "unknown_task",
        ),
    ] {
        let (got, answer) = city.post(path, body);
        assert_eq!((got, &answer["error"]), (status, &json!(error)), "{path} {body}: {answer}");
    }
}

#[test]
fn killed_and_started_again_a_roster_goes_on_where_it_was() {
    let city = start();
    let (told, accepted, done) =
        (raise(&city, &json!({"words": "一"})), raise(&city, &json!({})), raise(&city, &json!({"kind": "danger"})));
    assert_eq!(answer(&city, &accepted, "accept").0, 200);
    assert_eq!(answer(&city, &done, "done").0, 200);
    let before = [&told, &accepted].map(|name| task(&city, name));
    let duties = city.get("/api/rosters/sites").1["persons"].clone();

    let city = start_in(city.kill(), &["--no-sim"]);
    city.wait_for("the tasks", || city.get("/api/rosters/sites").1["open"] == json!(2));
    for (name, before) in [&told, &accepted].into_iter().zip(before) {
        let after = task(&city, name);
        for field in ["phase", "person", "attempt", "rung", "accept_by_ms", "done_by_ms", "words", "kind", "point"] {
            assert_eq!(after[field], before[field], "{field} of {name}");
        }
    }
    city.wait_for("the points", || city.get("/api/rosters/sites").1["persons"] == duties);
    assert_eq!(answer(&city, &told, "done").0, 200, "under the same attempt");
    assert_ne!(raise(&city, &json!({})), done, "a number is not given twice");
}

#[test]
fn a_file_that_makes_no_sense_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    Running::lay_out(dir.path());
    let says = |from: &str, to: &str| run_with(dir.path(), &SITES.replace(from, to));
    for (from, to, complaint) in [
        ("role = \"desk\"\nplaced", "role = \"desks\"\nplaced", "there is no role 'desks': add [[roles]]"),
        ("speed_km_h = 20", "speed = 20", "unknown field `speed`"),
        ("placed = 1", "name = \"小王\"", "'小王' has no place: add lon and lat"),
        ("from = \"supervisors\"", "from = \"teams\"", "persons have supervisors and units"),
        ("role = \"desk\"\nplaced = 1", "role = \"supervisor\"\nplaced = 1", "nobody is 'desk'"),
    ] {
        let said = says(from, to);
        assert!(said.contains(complaint), "{said}");
    }
}

fn run_with(dir: &Path, roster: &str) -> String {
    std::fs::write(dir.join("sites.toml"), roster).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
    let command = command.args(["run", "--city", "town.json", "--listen", "127.0.0.1:0", "--no-sim"]).current_dir(dir);
    let ended = command.env("NANMING_ROSTERS__FILES", "[\"sites.toml\"]").output().unwrap();
    assert!(!ended.status.success());
    String::from_utf8_lossy(&ended.stderr).into_owned()
}

/// Managers of grids who see to what is no matter for the police.
const COMMUNITY: &str = r#"
name = "community"
speed_km_h = 4
takes_calls = true
roles = [{ name = "manager", standing = true }]
kinds = [{ name = "call" }]
ladder = [{ role = "manager", accept_min = 15, done_min = 480 }]
points = [{ from = "sites" }]
persons = [{ role = "manager", placed = 2, points = 9, tasks = 9 }]
"#;

fn with_community(options: &[(&str, &str)]) -> Running {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("community.toml"), COMMUNITY).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
    command.env("NANMING_ROSTERS__FILES", "[\"community.toml\"]").envs(options.iter().copied());
    Running::start_as(command, dir, &["--no-sim"])
}

#[test]
fn a_call_that_is_no_matter_for_the_police_is_a_task_until_it_is_one() {
    let city = with_community(&[]);
    let noise = city.alarm(3, json!({"category": "community", "priority": "C", "words": "楼上装修噪音"}));
    let (status, answer) = city.post("/calls", &noise);
    assert_eq!((status, &answer["phase"]), (201, &json!("referred")), "{answer}");
    let call = answer["call"].clone();
    let page = || city.get(&format!("/calls/{call}")).1;
    let task = format!("/api/rosters/community/tasks/c{call}");
    city.wait_for("the task", || city.get(&task).1["phase"] == "assigned");
    let given = city.get(&task).1;
    assert_eq!((&given["phase"], &given["given"]), (&json!("assigned"), &json!("standing")), "{given}");
    assert_eq!(given["words"], "楼上装修噪音");
    assert_eq!(page()["task"]["person"], given["person"]);

    let mut terminal = city.terminal(3);
    terminal.report(city.post_of(3));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    assert_eq!(city.patch(&format!("/calls/{call}"), &json!({"category": "help", "priority": "A"})).0, 200);
    assert_eq!(terminal.hear("assignment")["call"], call);
    city.wait_for("the task to be over", || city.get(&task).1["phase"] == "cancelled");
    assert_eq!(city.patch(&format!("/calls/{call}"), &json!({"category": "community"})).0, 200);
    city.wait_for("the task again", || city.get(&task).1["phase"] == "assigned");
    let history = city.get(&format!("{task}/history")).1;
    let phases = history["history"].as_array().unwrap().iter().map(|word| word["phase"].as_str().unwrap());
    assert_eq!(phases.collect::<Vec<_>>(), ["assigned", "cancelled", "assigned"], "{history}");
    assert_eq!(city.get(&task).1["words"], "楼上装修噪音");
}

#[test]
fn with_a_key_a_person_sees_and_answers_only_what_is_theirs() {
    let city = with_community(&[("NANMING_ROSTERS__KEY", "a long random text")]);
    let token = |options: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
        command.args(["roster-token", "--roster", "community"]).args(options).current_dir(city.dir.path());
        command.env("NANMING_CITY__FILE", "town.json").env("NANMING_ROSTERS__FILES", "[\"community.toml\"]");
        let ended = command.env("NANMING_ROSTERS__KEY", "a long random text").output().unwrap();
        assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
        String::from_utf8(ended.stdout).unwrap().trim().to_owned()
    };
    let (desk, first, second) =
        (token(&[]), token(&["--person", "manager-0001"]), token(&["--person", "manager-0002"]));
    let api = "/api/rosters/community";
    let asked = |method: &str, path: &str, token: &str, body: &Value| {
        let bearer = format!("Bearer {token}");
        let head = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let answer = city.send(method, &format!("{api}{path}"), &head, body.as_bytes());
        (answer.status, answer.json)
    };
    let (status, problem) = city.get(&format!("{api}/tasks"));
    assert_eq!((status, &problem["error"]), (401, &json!("no_token")));
    assert_eq!(asked("GET", "/tasks", "a.1.b", &json!({})).1["error"], "wrong_token");

    let site = &city.city.sites[0].name;
    let raised = asked("POST", "/tasks", &first, &json!({"kind": "call", "point": site}));
    assert_eq!(raised.0, 201, "{}", raised.1);
    let task = format!("/tasks/{}", raised.1["task"].as_str().unwrap());
    let person = asked("GET", &task, &desk, &json!({})).1["person"].clone();
    let (own, other) = if person == "manager-0001" { (&first, &second) } else { (&second, &first) };
    let answer = json!({"person": person, "attempt": 1, "answer": "accept"});
    for (method, path, body) in [
        ("GET", task.clone(), json!({})),
        ("GET", format!("{task}/history"), json!({})),
        ("GET", format!("/persons/{}", person.as_str().unwrap()), json!({})),
        ("POST", format!("{task}/answer"), answer),
    ] {
        let refused = asked(method, &path, other, &body);
        assert_eq!((refused.0, &refused.1["error"]), (403, &json!("not_yours")), "{method} {path}");
        assert_eq!(asked(method, &path, own, &body).0, 200, "{method} {path}");
    }
    assert_eq!(asked("DELETE", &task, own, &json!({})).0, 403, "that is the desk's");
    let open = |token: &str| asked("GET", "/tasks", token, &json!({})).1["open"].as_array().unwrap().len();
    assert_eq!((open(own), open(other), open(&desk)), (1, 0, 1));
    assert_eq!(asked("GET", "", own, &json!({})).1["persons"].as_array().unwrap().len(), 1);
    assert_eq!(asked("DELETE", &task, &desk, &json!({})).0, 200);
}
