//! TLS to a real broker and log-in there, and what is said when one does not believe the other.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::json;

use super::broker::{Broker, PATIENCE};
use super::{JSON, call, phase, start, unit, waits};
use crate::running::{Port, Running};

const USER: &str = "nanming";
/// As `tests/kafka.sh` has it.
const PASSWORD: &str = "correct horse";
const WRONG: &str = "correct house";

fn settings<'a>(all: &[(&'a str, &str)]) -> Vec<(&'a str, String)> {
    all.iter().map(|(name, value)| (*name, (*value).to_owned())).collect()
}

/// A call comes in and its assignment goes out.
fn works(prefix: &str, settings: &[(&str, String)]) {
    let broker = Broker::shared();
    broker.make_topics(prefix);
    let settings: Vec<(&str, &str)> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let city = start(broker, prefix, tempfile::tempdir().unwrap(), &["--no-sim"], &settings);
    broker.write(&format!("{prefix}units"), [(JSON, unit(&city, 0).as_bytes())]);
    broker.write(&format!("{prefix}calls"), [(JSON, call(&city, 41).as_bytes())]);
    waits(&city, "an assignment", || phase(&city, 41) == "assigned");
    let sent = broker.read(&format!("{prefix}assignments"), |read| !read.is_empty());
    assert_eq!(sent[0].line["assignment"], "41.1");
    waits(&city, "word of it", || city.get("/healthz").1["kafka"] == "up");
}

#[test]
fn brokers_are_spoken_to_by_tls_with_a_certificate_of_the_engine() {
    let broker = Broker::shared();
    let brokers = format!("localhost:{}", broker.tls_ports().0);
    works(
        "tls.",
        &settings(&[
            ("NANMING_KAFKA__BROKERS", &brokers),
            ("NANMING_KAFKA__TLS_CA", &broker.pem("ca.pem")),
            ("NANMING_KAFKA__TLS_CERTIFICATE", &broker.pem("engine.pem")),
            ("NANMING_KAFKA__TLS_KEY", &broker.pem("engine.key")),
        ]),
    );
}

#[test]
fn the_engine_logs_in_with_either_hash() {
    let broker = Broker::shared();
    let brokers = format!("localhost:{}", broker.tls_ports().1);
    for (prefix, hash) in [("scram256.", "SCRAM-SHA-256"), ("scram512.", "SCRAM-SHA-512")] {
        works(
            prefix,
            &settings(&[
                ("NANMING_KAFKA__BROKERS", &brokers),
                ("NANMING_KAFKA__TLS_CA", &broker.pem("ca.pem")),
                ("NANMING_KAFKA__SASL", hash),
                ("NANMING_KAFKA__USER", USER),
                ("NANMING_KAFKA__PASSWORD", PASSWORD),
            ]),
        );
    }
}

/// An engine whose log is read while it runs.
struct Told {
    child: Child,
    lines: Receiver<String>,
    log: String,
    /// Degrees of a place in the city.
    place: (f64, f64),
    _dir: tempfile::TempDir,
}

impl Told {
    fn start(settings: &[(&str, &str)]) -> Told {
        let dir = tempfile::tempdir().unwrap();
        let city = Running::lay_out(dir.path());
        let place = city.units[0].post.to_lon_lat(city.origin).degrees();
        let mut child = Command::new(env!("CARGO_BIN_EXE_nanming"))
            .args(["run", "--no-sim", "--city", "town.json", "--listen", "127.0.0.1:0", "--ledger", "ledger.sqlite"])
            .current_dir(dir.path())
            .envs(settings.iter().copied())
            .env("NANMING_LOG", "debug")
            .env("NO_COLOR", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (log, (sender, lines)) = (BufReader::new(child.stderr.take().unwrap()), channel());
        std::thread::spawn(move || log.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Told { child, lines, log: String::new(), place, _dir: dir }
    }

    /// The next line that holds all of these.
    fn hears(&mut self, words: &[&str]) -> String {
        let until = Instant::now() + PATIENCE;
        loop {
            let left = until.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            let line = self.lines.recv_timeout(left).unwrap_or_else(|_| panic!("no word of {words:?}: {}", self.log));
            self.log += &line;
            self.log.push('\n');
            if words.iter().all(|word| line.contains(word)) {
                return line;
            }
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn who_is_not_believed_is_not_reached_and_the_city_goes_on() {
    let broker = Broker::shared();
    let (tls, sasl) = broker.tls_ports();
    let (tls, sasl) = (format!("localhost:{tls}"), format!("localhost:{sasl}"));
    let by_number = sasl.replace("localhost", "127.0.0.1");
    let (ca, other) = (broker.pem("ca.pem"), broker.pem("other.pem"));
    let no_broker: [(&str, &str, &str, &str, &str); 4] = [
        ("of another authority", &sasl, &other, PASSWORD, "certificate verify failed"),
        ("of another name", &by_number, &ca, PASSWORD, "certificate verify failed"),
        ("which wants a certificate", &tls, &ca, "", "why="),
        ("which wants another password", &sasl, &ca, WRONG, "uthentication failed"),
    ];
    for (what, brokers, ca, password, why) in no_broker {
        let reach =
            [("NANMING_KAFKA__BROKERS", brokers), ("NANMING_KAFKA__PREFIX", "unheard."), ("NANMING_KAFKA__TLS_CA", ca)];
        let log_in = [("NANMING_KAFKA__USER", USER), ("NANMING_KAFKA__PASSWORD", password)];
        let log_in = log_in.into_iter().filter(|_| !password.is_empty());
        let mut told = Told::start(&reach.into_iter().chain(log_in).collect::<Vec<_>>());
        let line = told.hears(&["the page is at http://"]);
        let port = Port::at(line.split_once("http://").unwrap().1.trim().parse().unwrap());
        told.hears(&["WARN", "Kafka is not reached", why]);
        let health = port.get("/healthz");
        assert_eq!((health.status, &health.json["kafka"]), (200, &json!("down")), "a broker {what}");
        assert_eq!(health.json["degraded"], true, "a broker {what}");
        let measures = port.get("/metrics").text;
        assert!(measures.contains("nanming_kafka_up 0\n") && measures.contains("nanming_kafka_configured 1\n"));
        let (lon, lat) = told.place;
        let alarm = json!({"id": 1, "priority": "A", "category": "help", "lon": lon, "lat": lat, "words": "救命"});
        let answer = port.send("POST", "/calls", &[], alarm.to_string().as_bytes());
        assert_eq!(answer.status, 201, "a broker {what}: {}", answer.text);
        assert!(password.is_empty() || !told.log.contains(password), "{}", told.log);
    }
}
