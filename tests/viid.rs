//! Cameras by GA/T 1400, through the real port, with a client of the digest written here.

use md5::{Digest, Md5};
use serde_json::{Value, json};

use crate::running::{Answer, Port, Running, lines};

const DEVICE: &str = "52010000001180000001";
const REGISTER: &str = "/VIID/System/Register";

fn start() -> Running {
    Running::start_with(&[("NANMING_VIID__USERS", "{platform = \"secret\"}")])
}

fn md5(text: &str) -> String {
    Md5::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn register(city: &Port, authorization: Option<&str>) -> Answer {
    let body = json!({"RegisterObject": {"DeviceID": DEVICE}}).to_string();
    let mut headers = vec![("content-type", "application/VIID+JSON;charset=utf-8"), ("user-identify", DEVICE)];
    headers.extend(authorization.map(|value| ("authorization", value)));
    city.send("POST", REGISTER, &headers, body.as_bytes())
}

fn nonce(challenged: &Answer) -> String {
    let challenge = challenged.headers["www-authenticate"].to_str().unwrap();
    assert!(challenge.starts_with("Digest realm=\"nanming\", qop=\"auth\""), "{challenge}");
    challenge.split("nonce=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
}

fn authorization(nonce: &str, password: &str, qop: bool) -> String {
    let (secret, request) = (md5(&format!("platform:nanming:{password}")), md5(&format!("POST:{REGISTER}")));
    let (counted, response) = if qop {
        ("qop=auth, nc=00000001, cnonce=\"0a4f\", ", md5(&format!("{secret}:{nonce}:00000001:0a4f:auth:{request}")))
    } else {
        ("", md5(&format!("{secret}:{nonce}:{request}")))
    };
    format!(
        "Digest username=\"platform\", realm=\"nanming\", nonce=\"{nonce}\", uri=\"{REGISTER}\", {counted}\
         response=\"{response}\", algorithm=MD5"
    )
}

pub(crate) fn registered(city: &Port) {
    let nonce = nonce(&register(city, None));
    assert_eq!(register(city, Some(&authorization(&nonce, "secret", true))).status, 200);
}

pub(crate) fn vehicle(id: usize, camera: &str, more: Value) -> Value {
    let mut object = json!({
        "MotorVehicleID": format!("{id:048}"), "InfoKind": "1", "SourceID": "", "DeviceID": camera, "LaneNo": "1",
        "HasPlate": "1", "PlateClass": "02", "PlateColor": "5", "PlateNo": "贵A12345", "Speed": "40",
    });
    object.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    object
}

pub(crate) fn send(city: &Port, body: &str) -> Answer {
    city.send("POST", "/VIID/MotorVehicles", &[("user-identify", DEVICE)], body.as_bytes())
}

#[test]
fn a_device_registers_lives_and_sends_batches_of_which_the_good_are_taken() {
    let city = start();
    let challenged = register(&city.port, None);
    assert_eq!((challenged.status, &challenged.json["ResponseStatusObject"]["StatusCode"]), (401, &json!(4)));
    let answer = register(&city.port, Some(&authorization(&nonce(&challenged), "secret", true)));
    let status = &answer.json["ResponseStatusObject"];
    assert_eq!((answer.status, &status["StatusCode"], &status["Id"]), (200, &json!(0), &json!(DEVICE)));
    assert_eq!(status["LocalTime"].as_str().unwrap().len(), 14);
    let alive = json!({"KeepaliveObject": {"DeviceID": DEVICE}}).to_string();
    let keepalive = || city.send("POST", "/VIID/System/Keepalive", &[("user-identify", DEVICE)], alive.as_bytes());
    assert_eq!(keepalive().status, 200);
    assert!(city.measures("nanming_cameras_online 1"));

    let time = city.send("GET", "/VIID/System/Time", &[], b"").json["SystemTimeObject"].clone();
    assert_eq!(time["TimeZone"], "UTC+08:00");
    let now = time["LocalTime"].as_str().unwrap();
    let camera = city.city.cameras[0].name.as_str();
    let objects = [
        vehicle(1, camera, json!({"PassTime": now})),
        vehicle(2, camera, json!({"PassTime": now, "Speed": 400})),
        vehicle(3, "52019999991320000001", json!({"PassTime": now})),
        vehicle(4, camera, json!({"PassTime": "20200101000000"})),
        json!("what is this"),
        vehicle(6, camera, json!({"PassTime": now, "PlateNo": "", "Speed": ""})),
    ];
    let answer = send(&city.port, &json!({"MotorVehicleListObject": {"MotorVehicleObject": objects}}).to_string());
    assert_eq!(answer.headers["content-type"], "application/VIID+JSON; charset=UTF-8");
    let said = answer.json["ResponseStatusListObject"]["ResponseStatusObject"].as_array().unwrap();
    let codes: Vec<u64> = said.iter().map(|status| status["StatusCode"].as_u64().unwrap()).collect();
    assert_eq!((answer.status, codes), (200, vec![0, 1, 1, 1, 8, 0]), "{}", answer.text);
    assert_eq!(said[5]["Id"], format!("{:048}", 6));
    city.wait_for("passages", || city.measures("nanming_events_total{stream=\"passages\"} 2"));
    for reason in ["impossible_speed", "unknown_camera", "too_late", "malformed"] {
        assert!(city.measures(&format!("nanming_dead_letters_total{{reason=\"{reason}\",stream=\"passages\"}} 1")));
    }
    let kept = city.dir.path().join("dead_letters.jsonl");
    city.wait_for("letters", || lines(&kept).len() == 4);
    assert!(!std::fs::read_to_string(&kept).unwrap().contains("12345"), "no plate is kept");

    assert_eq!(
        city.send("POST", "/VIID/System/UnRegister", &[("user-identify", DEVICE)], alive.as_bytes()).status,
        200
    );
    assert_eq!((keepalive().status, send(&city.port, "{}").status), (401, 401));
    assert!(city.measures("nanming_cameras_online 0"));
}

#[test]
fn who_proves_nothing_is_refused_and_counted() {
    let city = start();
    assert_eq!(send(&city.port, "{}").status, 401);
    let fresh = nonce(&register(&city.port, None));
    assert_eq!(register(&city.port, Some(&authorization(&fresh, "wrong", true))).status, 401);
    assert_eq!(register(&city.port, Some("Basic cGxhdGZvcm06c2VjcmV0")).status, 401);
    let once = authorization(&fresh, "secret", true);
    assert_eq!(register(&city.port, Some(&once)).status, 200);
    let replayed = register(&city.port, Some(&once));
    assert_eq!(replayed.status, 401);
    assert!(replayed.headers["www-authenticate"].to_str().unwrap().contains("stale=true"));
    assert_eq!(
        register(&city.port, Some(&authorization(&nonce(&replayed), "secret", false))).status,
        200,
        "without qop"
    );
    assert_eq!(register(&city.port, Some(&authorization(&"0".repeat(64), "secret", true))).status, 401);
    for reason in ["wrong_digest", "replayed_nonce", "stale_nonce", "no_digest", "not_registered"] {
        let counted = format!("nanming_http_refusals_total{{door=\"viid\",reason=\"{reason}\"}} 1");
        assert!(city.measures(&counted), "{counted}");
    }
}

#[test]
fn what_is_no_batch_is_told_so_and_faces_are_never_taken() {
    let city = start();
    registered(&city.port);
    for (body, code) in [("{", 7), ("", 7), ("{\"MotorVehicleListObject\":{}}", 8), ("[]", 8), ("{\"x\":1}", 8)] {
        let answer = send(&city.port, body);
        assert_eq!((answer.status, &answer.json["ResponseStatusObject"]["StatusCode"]), (400, &json!(code)), "{body}");
    }
    let faces = city.send("POST", "/VIID/Faces", &[("user-identify", DEVICE)], b"{}");
    let why = faces.json["ResponseStatusObject"]["StatusString"].as_str().unwrap().to_owned();
    assert!(faces.status == 403 && why.contains("no face recognition"), "{why}");
    assert_eq!(city.send("POST", "/VIID/Persons", &[], b"{}").status, 403);
    assert!(city.measures("nanming_http_refusals_total{door=\"viid\",reason=\"no_face_recognition\"} 2"));
}

#[test]
fn a_device_that_misses_three_keepalives_is_offline() {
    let city =
        Running::start_with(&[("NANMING_VIID__USERS", "{platform = \"secret\"}"), ("NANMING_VIID__KEEPALIVE_S", "1")]);
    registered(&city.port);
    assert!(city.measures("nanming_cameras_online 1"));
    city.wait_for("silence", || city.measures("nanming_cameras_online 0"));
    assert_eq!(send(&city.port, "{}").status, 401);
}

#[test]
fn a_table_names_the_cameras_of_a_platform() {
    let dir = tempfile::tempdir().unwrap();
    let camera = nanming_simulators::town::small(2, 2, 1).cameras[0].name.clone();
    let rows = format!("[[camera]]\ntollgate = \"520100000001\"\nlane = 2\ncamera = \"{camera}\"\n");
    std::fs::write(dir.path().join("cameras.toml"), rows).unwrap();
    std::fs::write(
        dir.path().join("nanming.toml"),
        "[viid]\ncameras = \"cameras.toml\"\n[viid.users]\nplatform = \"secret\"\n",
    )
    .unwrap();
    let city = Running::start_in(dir, &["--no-sim"]);
    registered(&city.port);
    let now = city.send("GET", "/VIID/System/Time", &[], b"").json["SystemTimeObject"]["LocalTime"].clone();
    let at = |lane: u32| vehicle(1, "", json!({"PassTime": now, "TollgateID": "520100000001", "LaneNo": lane}));
    let answer =
        send(&city.port, &json!({"MotorVehicleListObject": {"MotorVehicleObject": [at(2), at(3)]}}).to_string());
    let codes = |n: usize| &answer.json["ResponseStatusListObject"]["ResponseStatusObject"][n]["StatusCode"];
    assert_eq!((codes(0), codes(1)), (&json!(0), &json!(1)), "{}", answer.text);
}

#[test]
fn without_users_the_service_is_off() {
    let city = Running::start();
    let answer = register(&city.port, None);
    assert_eq!((answer.status, &answer.json["error"]), (404, &json!("not_enabled")));
}
