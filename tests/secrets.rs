//! No secret comes out where people look: log, dead letters, measures, `nanming config`.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Output, Stdio};

use nanming::config::Secret;
use nanming::login_token::{Claim, Purpose, sign};
use serde_json::json;

use crate::running::{Port, Running, Socket, address_in_kept};

const PASSWORD: &str = "SECRET-password-of-li";
const API_KEY: &str = "SECRET-api-key";

fn settings(hash: &str) -> String {
    // Who has no OpenSSL logs in nowhere.
    let brokers = if cfg!(feature = "kafka-tls") { "brokers = \"127.0.0.1:1\"" } else { "" };
    format!(
        r#"
[access]
key = "SECRET-access-key-of-32-bytes-or-more"
persons = {{ li = {{ role = "dispatcher", password = "{hash}" }} }}
[http]
api_keys = ["{API_KEY}"]
[ingest]
plate_key = "SECRET-plate-key"
caller_key = "SECRET-caller-key"
[viid]
users = {{ platform = "SECRET-viid" }}
[wechat]
token = "SECRET-wechat"
[terminals]
key = "SECRET-terminals"
[rosters]
key = "SECRET-rosters"
[gat1049]
listen = "127.0.0.1:0"
users = {{ platform = "SECRET-gat1049" }}
[kafka]
user = "nanming"
password = "SECRET-kafka"
{brokers}
[[webhooks]]
url = "http://127.0.0.1:1/calls"
secret = "SECRET-webhook"
"#
    )
}

fn nanming(dir: &std::path::Path, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_nanming")).args(args).current_dir(dir).output().unwrap()
}

fn token(key: &str, purpose: Purpose, who: &str) -> String {
    sign(&Secret::from(key.to_owned()), purpose, &Claim { who: who.into(), until_s: 1 << 40 })
}

#[test]
fn a_run_with_every_secret_tells_none_of_them() {
    let (dir, hash) = (tempfile::tempdir().unwrap(), nanming::password::hash(PASSWORD).unwrap());
    let city = Running::lay_out(dir.path());
    std::fs::write(dir.path().join("nanming.toml"), settings(&hash)).unwrap();
    let role = token("SECRET-access-key-of-32-bytes-or-more", Purpose::Role, "dispatcher/li");
    let terminal = token("SECRET-terminals", Purpose::Terminal, &city.units[0].name);
    let mut child = Command::new(env!("CARGO_BIN_EXE_nanming"))
        .args(["run", "--no-sim", "--city", "town.json", "--listen", "127.0.0.1:0", "--ledger", "ledger.sqlite"])
        .current_dir(dir.path())
        .env("NANMING_LOG", "trace")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (address, log) = address_in_kept(child.stderr.take().unwrap(), "page is at http://");
    let port = Port::at(address);
    let bearer = |token: &str| format!("Bearer {token}");

    let said = |answer: crate::running::Answer| answer.text;
    let mut told = String::new();
    let mut ask = |method: &str, path: &str, headers: &[(&str, &str)], body: &str| {
        let answer = port.send(method, path, headers, body.as_bytes());
        let status = answer.status;
        told += &said(answer);
        status
    };
    assert_eq!(ask("POST", "/login", &[], &json!({"name": "li", "password": "SECRET-wrong-one"}).to_string()), 401);
    assert_eq!(ask("POST", "/login", &[], "{\"name\":\"li\",\"password\":\"SECRET-half"), 400);
    assert_eq!(ask("POST", "/calls", &[("authorization", &bearer(&role))], "{"), 400);
    assert_eq!(ask("POST", "/api/ingest", &[("x-api-key", API_KEY)], "nonsense\n{\"type\":\"call\"}"), 200);
    assert_eq!(ask("POST", "/api/ingest", &[("x-api-key", "SECRET-nobody-s")], ""), 401);
    assert_eq!(ask("GET", "/api/cover", &[("cookie", &format!("nanming_role={role}"))], ""), 200);
    assert_eq!(ask("POST", "/VIID/System/Register", &[("authorization", "Digest SECRET-digest")], ""), 401);
    assert_eq!(ask("GET", "/wechat?signature=SECRET-signature&timestamp=1&nonce=2", &[], ""), 403);
    assert_eq!(
        ask(
            "GET",
            "/metrics",
            &[("authorization", &bearer(&token("SECRET-access-key-of-32-bytes-or-more", Purpose::Role, "auditor/a")))],
            ""
        ),
        200
    );
    let mut socket = Socket::to(address, "/ws/terminal");
    let login = json!({"type": "login", "token": terminal}).to_string();
    socket.say(&login);
    socket.say(&login);
    assert_eq!(socket.hear("error")["reason"], "logged_in");
    let mut stranger = Socket::to(address, "/ws/terminal");
    stranger.say("{\"type\":\"login\",\"token\":\"SECRET-token\"}");
    assert_eq!(stranger.hear("error")["reason"], "wrong_token");
    let welcome = port.send("POST", "/login", &[], json!({"name": "li", "password": PASSWORD}).to_string().as_bytes());
    let given = welcome.json["token"].as_str().unwrap().to_owned();

    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let mut printed = String::new();
    child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
    child.wait().unwrap();
    let log = log.join().unwrap();
    assert!(log.contains("logged in"), "the log is there: {log}");
    let letters = std::fs::read_to_string(dir.path().join("dead_letters.jsonl")).unwrap();
    assert!(letters.contains("nonsense"), "{letters}");
    let config = nanming(dir.path(), &["config"]);
    let config = String::from_utf8(config.stdout).unwrap();
    assert!(config.contains("# persons is set"), "{config}");
    for (what, text) in
        [("log", &log), ("answers", &told), ("output", &printed), ("dead letters", &letters), ("config", &config)]
    {
        for secret in ["SECRET", hash.as_str(), role.as_str(), terminal.as_str(), given.as_str()] {
            let line = text.lines().find(|line| line.contains(secret));
            assert_eq!(line, None, "{what} tells a secret");
        }
    }
}

#[test]
fn tokens_and_hashes_are_made_by_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("nanming.toml"), "[access]\nkey = \"the key of roles, of 32 bytes or more\"\n")
        .unwrap();
    let run = |line: &str| {
        let output = nanming(dir.path(), &line.split(' ').collect::<Vec<_>>());
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        (output.status.code(), out.trim().to_owned(), err)
    };
    let (code, made, said) = run("role-token --role dispatcher --who li --minutes 480");
    assert_eq!(code, Some(0), "{said}");
    let key = Secret::from("the key of roles, of 32 bytes or more".to_owned());
    assert_eq!(nanming::login_token::verify(&key, Purpose::Role, &made, 0).unwrap().who, "dispatcher/li");
    for (line, why) in [
        ("role-token --role unit --who P1", "terminal-token"),
        ("role-token --role staff --who a", "roster-token"),
        ("role-token --role citizen --who a", "needs no token"),
        ("role-token --role auditor --who a --minutes 1441", "1440 min at most"),
    ] {
        let (code, _, said) = run(line);
        assert!(code == Some(1) && said.contains(why), "{line}: {said}");
    }
    assert_eq!(run("role-token --role admin --who a").0, Some(2));
    let mut child = Command::new(env!("CARGO_BIN_EXE_nanming"))
        .arg("password")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"correct horse battery\n").unwrap();
    let output = child.wait_with_output().unwrap();
    let hash = String::from_utf8(output.stdout).unwrap();
    assert!(nanming::password::is(hash.trim(), "correct horse battery"), "{hash}");
}

#[test]
fn files_of_the_engine_are_for_its_account_and_its_group() {
    let city = Running::start_in(tempfile::tempdir().unwrap(), &["--record", "recording", "--jsonl", "decisions"]);
    let dir = city.end();
    let mut seen = 0;
    let mut places = vec![dir.path().to_owned()];
    while let Some(place) = places.pop() {
        for entry in std::fs::read_dir(place).unwrap().map(Result::unwrap) {
            let (path, about) = (entry.path(), entry.metadata().unwrap());
            if path.ends_with("town.json") {
                continue;
            }
            assert_eq!(about.permissions().mode() & 0o027, 0, "{}", path.display());
            seen += 1;
            if about.is_dir() {
                places.push(path);
            }
        }
    }
    assert!(seen > 6, "{seen} files");
}
