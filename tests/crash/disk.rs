//! A ledger on a disk that is full, read only, slow, or loses what it took.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::books::Books;
use super::callers::Callers;
use super::told::{Told, Words};
use super::victim::Victim;
use crate::running::{PATIENCE, Running, Socket};

/// City time against the wall's: signals are ordered often.
const SPEED: &str = "20";

/// A city on a disk that can be made to fail.
struct City {
    victim: Victim,
    fault: PathBuf,
    unit: (f64, f64),
}

impl City {
    fn start() -> City {
        let dir = tempfile::tempdir().unwrap();
        let city = Running::lay_out(dir.path());
        let (shim, fault) = (compiled(dir.path()), dir.path().join("fault"));
        let settings = [("LD_PRELOAD", &shim), ("FAULT", &fault)];
        let settings = settings.map(|(name, path)| (name.to_owned(), path.to_str().unwrap().to_owned())).to_vec();
        let mut victim = Victim::new(dir, settings, &["--city", "town.json", "--no-sim", "--speed", SPEED]);
        victim.start(&[]);
        victim.wait_until_healthy();
        let unit = city.units[3].post.to_lon_lat(city.origin).degrees();
        City { victim, fault, unit }
    }

    /// From now on the disk fails so.
    fn fail(&self, how: &str) {
        std::fs::write(&self.fault, how).unwrap();
    }

    fn mend(&self) {
        std::fs::remove_file(&self.fault).unwrap();
    }

    /// Raises an alarm under an ID: status and answer.
    fn raise(&self, id: u64) -> (u16, Value) {
        let (lon, lat) = self.unit;
        let alarm = json!({"id": id, "priority": "A", "category": "help", "lon": lon, "lat": lat, "words": "救命"});
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        let url = format!("http://{}/calls", self.victim.at.now().unwrap());
        let mut answer = ureq::Agent::from(config).post(url).send(alarm.to_string()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap())
    }

    /// The terminal of the unit at whose post alarms are raised; all know that it is there.
    fn terminal(&mut self) -> Socket {
        let mut terminal = Socket::connect(self.victim.at.now().unwrap(), "/ws/terminal?unit=3");
        terminal.report(self.unit);
        self.victim.wait_for("unit", |victim| count(victim, "nanming_units_available ") == 1);
        terminal
    }

    fn wait_for_status(&mut self, wanted: u16) {
        self.victim.wait_for("health", |victim| victim.get("/healthz").is_some_and(|(status, _)| status == wanted));
    }

    /// Signals are ordered now, whatever the disk does.
    fn signals_go_on(&mut self) {
        let before = count(&self.victim, "nanming_signal_commands_total");
        self.victim.wait_for("signals", |victim| count(victim, "nanming_signal_commands_total") > before + 3);
    }
}

/// The sum of a measure.
fn count(victim: &Victim, measure: &str) -> u64 {
    let text = victim.get("/metrics").map(|(_, text)| text).unwrap_or_default();
    let values = text.lines().filter(|line| line.starts_with(measure)).filter_map(|line| line.rsplit(' ').next());
    values.filter_map(|value| value.parse::<f64>().ok()).sum::<f64>() as u64
}

/// The library that stands before the disk, made by the C compiler that building the engine needs too.
fn compiled(dir: &Path) -> PathBuf {
    let (source, shim) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/shim.c"), dir.join("shim.so"));
    let compiler = std::env::var_os("CC").unwrap_or("cc".into());
    let done = Command::new(compiler).args(["-shared", "-fPIC", "-O1", "-o"]).args([&shim, &source]).status().unwrap();
    assert!(done.success());
    shim
}

#[test]
fn on_a_disk_that_takes_nothing_nobody_is_told_and_all_goes_on_when_it_does_again() {
    for how in ["full", "readonly"] {
        let mut city = City::start();
        let mut terminal = city.terminal();
        assert_eq!(city.raise(1).0, 201);
        assert_eq!(terminal.hear("assignment")["call"], 1);
        city.fail(how);
        let (status, answer) = city.raise(2);
        assert_eq!((status, &answer["error"]), (503, &json!("not_confirmed")), "{how}: {answer}");
        city.wait_for_status(503);
        let (status, answer) = city.raise(3);
        assert_eq!((status, &answer["error"]), (503, &json!("ledger_unavailable")), "{how}: {answer}");
        city.signals_go_on();
        assert!(count(&city.victim, "nanming_ledger_commit_failures_total") > 0);
        assert_eq!(city.victim.get("/calls/2").unwrap().0, 404, "{how}: it is in no book");
        assert_eq!(count(&city.victim, "nanming_ledger_distrusted"), 0, "nothing is lost");

        city.mend();
        city.wait_for_status(200);
        assert_eq!(city.raise(2).0, 200, "{how}: it was taken at last");
        assert_eq!(city.raise(3).0, 201, "{how}: it was refused at once");
        city.victim.kill();
        let books = Books::read(city.victim.path());
        assert_eq!(books.complaints(&Words::default(), &Books::default()), [""; 0], "{how}");
        assert_eq!(books.calls.len(), 3, "{how}");
    }
}

#[test]
fn after_a_sync_that_failed_the_engine_writes_no_more_and_the_next_one_goes_on() {
    let mut city = City::start();
    assert_eq!(city.raise(1).0, 201);
    city.fail("sync");
    assert_eq!(city.raise(2).0, 503);
    city.victim.wait_for("distrust", |victim| count(victim, "nanming_ledger_distrusted") == 1);
    city.wait_for_status(503);
    city.signals_go_on();
    assert_eq!(city.victim.has_ended(), None, "while the disk fails another engine would find no ledger");
    city.mend();
    assert_eq!(city.victim.wait_for_its_end("the end"), (Some(1), None), "whoever watches over it starts it again");
    city.victim.wait_for("why", |victim| victim.last_words().contains("start it again with the same ledger"));
    city.victim.start(&[]);
    city.victim.wait_until_healthy();
    assert!(matches!(city.raise(2).0, 200 | 201));
    assert_eq!(city.raise(1).0, 200);
}

/// The kernel's own way: pages that it could not write are taken for clean, and only one sync says so.
#[test]
fn pages_that_the_system_dropped_are_written_again_from_the_log() {
    let mut city = City::start();
    let (told, town) = (Told::default(), Running::lay_out(city.victim.path()));
    let callers = Callers::start(&city.victim.at, &told, &town, 3, 4, Duration::from_millis(2));
    city.victim.wait_for("calls", |_| told.words().accepted.len() > 50);
    city.fail("eat");
    assert_eq!(city.victim.wait_for_its_end("the end"), (Some(1), None));
    let before = told.words().accepted.len();
    city.victim.start(&[]);
    city.victim.wait_until_healthy();
    city.victim.wait_for("calls again", |_| told.words().accepted.len() > before + 50);
    callers.end();
    city.victim.kill();
    let (books, words) = (Books::read(city.victim.path()), told.words());
    assert_eq!(books.complaints(&words, &Books::default()), [""; 0]);
    assert_eq!(words.complaints, [""; 0]);
}

#[test]
fn on_a_slow_disk_callers_wait_and_signals_do_not() {
    const SLOW: Duration = Duration::from_secs(2);
    let mut city = City::start();
    city.signals_go_on();
    city.fail(&format!("slow {}", SLOW.as_millis()));
    let began = Instant::now();
    let status = std::thread::scope(|scope| {
        let raised = scope.spawn(|| city.raise(1).0);
        let before = count(&city.victim, "nanming_signal_commands_total");
        let mut more = 0;
        while !raised.is_finished() {
            more = count(&city.victim, "nanming_signal_commands_total") - before;
        }
        assert!(more > 0, "{more}");
        raised.join().unwrap()
    });
    assert!(status == 201 && began.elapsed() >= SLOW, "{status} after {:?}", began.elapsed());
    city.mend();
    assert_eq!(city.victim.get("/healthz").unwrap().0, 200);
}
