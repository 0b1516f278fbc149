//! Who may do what, over the real port: every operation of the description with every role, as docs/security.md has it.

use std::collections::BTreeMap;
use std::io::Read;
use std::time::{SystemTime, UNIX_EPOCH};

use nanming::config::Secret;
use nanming::http::RULES;
use nanming::login_token::{Claim, Purpose, sign};
use nanming::roles::Role;
use serde_json::{Value, json};

use crate::running::{Answer, PATIENCE, Running};

pub(crate) const KEY: &str = "the key of roles, of 32 bytes or more";
const API_KEY: &str = "the key of a sender";
const TABLE: &str = include_str!("../docs/security.md");

/// A city with roles, and everything that is off without a setting.
fn start(more: &[(&str, &str)]) -> Running {
    let settings = [
        ("NANMING_ACCESS__KEY", KEY),
        ("NANMING_HTTP__API_KEYS", "[\"the key of a sender\"]"),
        ("NANMING_VIID__USERS", "{platform = \"secret\"}"),
        ("NANMING_WECHAT__TOKEN", "a token"),
    ];
    Running::start_with(&[&settings[..], more].concat())
}

fn token_by(key: &str, purpose: Purpose, who: &str, for_s: i64) -> String {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claim = Claim { who: who.into(), until_s: now_s.saturating_add_signed(for_s) };
    sign(&Secret::from(key.to_owned()), purpose, &claim)
}

pub(crate) fn token(role: Role, for_s: i64) -> String {
    token_of(KEY, role, for_s)
}

fn token_of(key: &str, role: Role, for_s: i64) -> String {
    match role {
        Role::Unit => token_by(key, Purpose::Terminal, "P0001", for_s),
        Role::Staff => token_by(key, Purpose::Roster, "sites", for_s),
        role => token_by(key, Purpose::Role, &format!("{}/li", role.as_str()), for_s),
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn asked(city: &Running, method: &str, path: &str, token: &str, body: &str) -> Answer {
    city.send(method, path, &[("authorization", &bearer(token))], body.as_bytes())
}

/// The status and the reason of an answer; of a stream only the status, for it does not end.
fn outcome(city: &Running, method: &str, path: &str, shown: Option<&str>) -> (u16, String) {
    let mut request = ureq::http::Request::builder().method(method).uri(city.url(path));
    if let Some(shown) = shown {
        request = request.header("authorization", bearer(shown));
    }
    let config = ureq::Agent::config_builder().http_status_as_error(false).build();
    let mut answer = ureq::Agent::from(config).run(request.body(()).unwrap()).unwrap();
    let status = answer.status().as_u16();
    let is_refused = matches!(status, 401 | 403);
    let text = if is_refused { answer.body_mut().read_to_string().unwrap() } else { String::new() };
    let said: Value = serde_json::from_str(&text).unwrap_or_default();
    (status, said["error"].as_str().unwrap_or_default().to_owned())
}

/// What a route wants of a role.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Cell {
    Denied,
    Allowed,
    Own,
}

/// Rows of the table of docs/security.md that begins with operations, by operation.
fn table() -> BTreeMap<(String, String), Vec<Cell>> {
    let mut rows = BTreeMap::new();
    let rows_told =
        TABLE.lines().skip_while(|line| !line.starts_with("| operation |")).take_while(|line| !line.is_empty());
    for line in rows_told.filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let operations = cells[0].split('`').skip(1).step_by(2).filter_map(|span| span.split_once(' '));
        let cell = |cell: &&str| match *cell {
            "x" => Cell::Allowed,
            "own" => Cell::Own,
            "" => Cell::Denied,
            other => panic!("'{other}' in {line}"),
        };
        let said: Vec<Cell> = cells[1..].iter().map(cell).collect();
        assert_eq!(said.len(), Role::ALL.len(), "{line}");
        for (method, path) in operations.filter(|(_, path)| path.starts_with('/')) {
            let before = rows.insert((method.to_owned(), path.to_owned()), said.clone());
            assert!(before.is_none(), "{method} {path} stands there twice");
        }
    }
    rows
}

fn described(city: &Running) -> Vec<(String, String)> {
    let description = asked(city, "GET", "/openapi.json", &token(Role::Auditor, 600), "").json;
    let mut all = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        let methods = methods.as_object().unwrap().keys().filter(|method| *method != "parameters");
        all.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
    }
    all
}

/// A path with something in place of its parameters.
fn filled(path: &str) -> String {
    let parts = path.split('/').map(|part| match part {
        "{id}" => "0",
        "{roster}" => "sites",
        "{task}" => "t1",
        "{person}" => "S001",
        "{name}" => "none",
        part => part,
    });
    parts.collect::<Vec<_>>().join("/")
}

const DENIALS: [&str; 5] = ["no_token", "wrong_token", "expired_token", "not_your_role", "no_rule"];

#[test]
fn every_operation_is_open_to_its_roles_and_to_nobody_else() {
    let city = start(&[]);
    let (table, described) = (table(), described(&city));
    assert_eq!(table.len(), RULES.len());
    let header = TABLE.lines().find(|line| line.starts_with("| operation")).unwrap();
    let columns: Vec<&str> = header.trim_matches('|').split('|').skip(1).map(str::trim).collect();
    assert_eq!(columns, Role::ALL.map(Role::as_str), "the columns are the roles");
    let mut tried = 0;
    for (method, path) in &described {
        let row = table.get(&(method.clone(), path.clone()));
        let row = row.unwrap_or_else(|| panic!("{method} {path} is not in the table of docs/security.md"));
        let filled = filled(path);
        let outcome = |shown: Option<&str>| outcome(&city, method, &filled, shown);
        let is_own = row.contains(&Cell::Own);
        let is_open = row[Role::ALL.iter().position(|role| *role == Role::Citizen).unwrap()] == Cell::Allowed;
        for (role, cell) in Role::ALL.into_iter().zip(row) {
            let token = token(role, 600);
            let shown = Some(token.as_str()).filter(|_| role != Role::Citizen);
            let (status, reason) = outcome(shown);
            let is_denied = matches!(status, 401 | 403) && DENIALS.contains(&reason.as_str());
            let wanted = match cell {
                _ if is_own => continue,
                Cell::Allowed => !is_denied && !matches!(status, 404 if reason == "no_rule"),
                Cell::Denied if role == Role::Citizen => (status, reason.as_str()) == (401, "no_token"),
                Cell::Denied => (status, reason.as_str()) == (403, "not_your_role"),
                Cell::Own => unreachable!(),
            };
            assert!(wanted, "{method} {path} as {}: {cell:?}, and {status} {reason}", role.as_str());
            tried += 1;
        }
        let forged = [
            (token_of("another key, of 32 bytes or more too", Role::Dispatcher, 600), "wrong_token"),
            (token(Role::Dispatcher, 600).replacen('.', "x.", 1), "wrong_token"),
            (token_by(KEY, Purpose::Role, "admin/li", 600), "wrong_token"),
            ("nonsense".to_owned(), "wrong_token"),
        ];
        let expired = Role::ALL.map(|role| (token(role, -1), "expired_token"));
        for (shown, why) in forged.into_iter().chain(expired).filter(|_| !is_own) {
            let (status, reason) = outcome(Some(&shown));
            let wanted =
                if is_open { !DENIALS.contains(&reason.as_str()) } else { (status, reason.as_str()) == (401, why) };
            assert!(wanted, "{method} {path} with {why}: {status} {reason}");
            tried += 1;
        }
        if is_own && path != "/ws/terminal" {
            let all = Role::ALL.map(|role| token(role, 600));
            for shown in all.iter().map(|token| Some(token.as_str())).chain([None, Some("nonsense"), Some(API_KEY)]) {
                let (status, _) = outcome(shown);
                assert!(matches!(status, 401 | 403), "{method} {path}: {status}");
                tried += 1;
            }
        }
    }
    assert!(tried > 1000, "{tried}");
}

#[test]
fn what_no_rule_names_is_nobody_s() {
    let city = start(&[]);
    let as_dispatcher = |method: &str, path: &str| {
        let answer = asked(&city, method, path, &token(Role::Dispatcher, 600), "");
        (answer.status, answer.json["error"].as_str().unwrap_or_default().to_owned())
    };
    for (method, path) in [("PUT", "/calls"), ("DELETE", "/api/city"), ("PATCH", "/healthz"), ("POST", "/metrics")] {
        assert_eq!(as_dispatcher(method, path), (403, "no_rule".into()), "{method} {path}");
    }
    assert_eq!(as_dispatcher("GET", "/calls/0/secrets").0, 404);
    assert_eq!(as_dispatcher("POST", "/index.html").0, 404);
}

#[test]
fn a_terminal_comes_in_by_the_token_of_its_unit_alone() {
    let city = start(&[]);
    let unit = city.city.units[3].name.clone();
    let mut terminal = city.socket("/ws/terminal");
    terminal.say(&json!({"type": "login", "token": token_by(KEY, Purpose::Terminal, &unit, 600)}).to_string());
    terminal.say("{\"type\":\"ping\"}");
    terminal.hear("pong");
    for other in [
        token(Role::Dispatcher, 600),
        token(Role::Staff, 600),
        API_KEY.into(),
        token_by(KEY, Purpose::Terminal, &unit, -1),
    ] {
        let mut stranger = city.socket("/ws/terminal");
        stranger.say(&json!({"type": "login", "token": other}).to_string());
        assert!(["wrong_token", "expired_token"].contains(&stranger.hear("error")["reason"].as_str().unwrap()));
        let (status, _) = outcome(&city, "GET", "/ws/terminal", Some(&other));
        assert_eq!(status, 401);
    }
}

#[test]
fn each_line_is_its_sender_s() {
    let city = start(&[]);
    let (lon, lat) = city.post_of(0);
    let camera = &city.city.cameras[0].name;
    let junction = &city.city.junctions[0].name;
    let unit = &city.city.units[0].name;
    let lines = [
        json!({"type": "call", "call": 7, "priority": "A", "category": "help", "lon": lon, "lat": lat}),
        json!({"type": "hold", "junction": junction, "stage": 0, "for_s": 60, "by": "li"}),
        json!({"type": "unit", "unit": unit, "lon": lon, "lat": lat, "status": "ready"}),
        json!({"type": "passage", "camera": camera, "plate": "A1", "speed_kmh": 30.0}),
        json!({"type": "call", "call": 7, "change": "cancelled"}),
    ];
    let body: Vec<String> = lines.iter().map(Value::to_string).collect();
    let taken = |shown: &str| {
        let answer = asked(&city, "POST", "/api/ingest", shown, &body.join("\n"));
        assert_eq!(answer.status, 200, "{}", answer.text);
        let rejected = answer.json["rejected"].as_array().unwrap().iter();
        let theirs: Vec<u64> = rejected
            .inspect(|r| assert_eq!(r["reason"], "not_your_role"))
            .map(|r| r["line"].as_u64().unwrap())
            .collect();
        (1..=5).filter(|line| !theirs.contains(line)).collect::<Vec<u64>>()
    };
    assert_eq!(taken(&token(Role::CallerChannel, 600)), [1]);
    assert_eq!(taken(&token(Role::Dispatcher, 600)), [1, 5]);
    assert_eq!(taken(&token(Role::TrafficOperator, 600)), [2]);
    assert_eq!(taken(&token(Role::CameraPlatform, 600)), [4]);
    assert_eq!(taken(API_KEY), [1, 3, 4]);
}

#[test]
fn people_log_in_with_a_password_and_stay_as_long_as_they_may() {
    let hash = nanming::password::hash("correct horse battery").unwrap();
    let persons = format!("{{li = {{role = \"auditor\", password = \"{hash}\"}}}}");
    let city = start(&[("NANMING_ACCESS__PERSONS", &persons)]);
    let log_in = |name: &str, password: &str, headers: &[(&str, &str)]| {
        let body = json!({"name": name, "password": password}).to_string();
        city.send("POST", "/login", headers, body.as_bytes())
    };
    assert_eq!(
        log_in("li", "correct horse battery", &[("origin", "http://evil.example")]).json["error"],
        "cross_origin"
    );
    assert_eq!(city.send("POST", "/login", &[], b"li").json["error"], "malformed");
    for (name, password) in [("li", "wrong horse battery"), ("wang", "correct horse battery"), ("li", "")] {
        let refused = log_in(name, password, &[]);
        assert_eq!((refused.status, &refused.json["error"]), (401, &json!("wrong_password")));
        assert!(!refused.headers.contains_key("set-cookie"));
    }
    let welcome = log_in("li", "correct horse battery", &[]);
    assert_eq!((welcome.status, &welcome.json["role"]), (200, &json!("auditor")), "{}", welcome.text);
    let cookie = welcome.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.contains("HttpOnly; SameSite=Strict") && !cookie.contains("Secure"), "{cookie}");
    let kept = cookie.split(';').next().unwrap();
    assert_eq!(city.send("GET", "/api/cover", &[("cookie", kept)], b"").status, 200);
    assert_eq!(asked(&city, "GET", "/api/cover", welcome.json["token"].as_str().unwrap(), "").status, 200);
    assert_eq!(city.send("DELETE", "/calls/1", &[("cookie", kept)], b"").json["error"], "not_your_role");
    let gone = city.send("POST", "/logout", &[("cookie", kept)], b"");
    assert!(gone.headers["set-cookie"].to_str().unwrap().starts_with("nanming_role=; Path=/; Max-Age=0"));

    let tries = std::iter::repeat_with(|| log_in("li", "wrong horse battery", &[]));
    let limited = tries.take(20).find(|answer| answer.status == 429).expect("guesses are limited");
    assert!(limited.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    assert_eq!(log_in("li", "correct horse battery", &[]).status, 429, "the right one too");
}

#[test]
fn whoever_watches_is_told_no_more_when_their_token_ends() {
    let city = start(&[]);
    let patient = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).build();
    let request = ureq::Agent::from(patient).get(city.url("/api/events"));
    let answer = request.header("authorization", bearer(&token(Role::Auditor, 3))).call().unwrap();
    let mut told = Vec::new();
    // It ends by itself; one that went on would end in an error.
    answer.into_body().into_reader().read_to_end(&mut told).unwrap();
    assert!(String::from_utf8(told).unwrap().contains("event: snapshot"));
}

#[test]
fn without_a_key_there_are_no_roles() {
    let city = Running::start();
    assert_eq!(city.get("/api/cover").0, 200);
    let (status, answer) = city.post("/login", "{\"name\":\"li\",\"password\":\"x\"}");
    assert_eq!((status, &answer["error"]), (404, &json!("not_enabled")));
}

#[test]
fn a_caller_channel_that_floods_is_held_back_whichever_way_it_comes() {
    let city = start(&[("NANMING_ACCESS__CALLS_PER_MINUTE", "2")]);
    let channel = token(Role::CallerChannel, 600);
    let (lon, lat) = city.post_of(0);
    let line =
        |call: u64| json!({"type": "call", "call": call, "priority": "C", "category": "help", "lon": lon, "lat": lat});
    let body: Vec<String> = (1..=3).map(|call| line(call).to_string()).collect();
    let answer = asked(&city, "POST", "/api/ingest", &channel, &body.join("\n")).json;
    assert_eq!(answer["accepted"], 2, "{answer}");
    assert_eq!(
        (&answer["rejected"][0]["line"], &answer["rejected"][0]["reason"]),
        (&json!(3), &json!("too_many_requests"))
    );
    let held = asked(&city, "POST", "/calls", &channel, &city.alarm(0, json!({})));
    assert_eq!(held.status, 429, "{}", held.text);
    assert!(held.headers["retry-after"].to_str().unwrap().parse::<u64>().unwrap() > 0);
    assert_eq!(asked(&city, "POST", "/calls", &token(Role::Dispatcher, 600), &city.alarm(0, json!({}))).status, 201);
}

#[test]
fn platforms_and_wechat_come_in_by_proofs_of_their_own() {
    let city = start(&[]);
    assert_eq!(crate::viid::send(&city.port, "{}").status, 401, "nobody has registered");
    crate::viid::registered(&city.port);
    assert_eq!(crate::viid::send(&city.port, "{}").status, 400, "it is let in, and told what is wrong");
    let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs().to_string();
    let signed = |token: &str| {
        let signature = nanming::ingest::wechat::signature(token, &time, "n");
        city.port.get(&format!("/wechat?signature={signature}&timestamp={time}&nonce=n&echostr=hello"))
    };
    assert_eq!(signed("another token").status, 403);
    assert_eq!(signed("a token").text, "hello");
}
