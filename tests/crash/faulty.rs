//! A city whose disk and clock can be made to go wrong, by a shim between the engine and the C library.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::victim::Victim;
use crate::running::{PATIENCE, Running, Socket};

/// A city on a disk that can be made to fail, with a clock that can be moved.
pub(crate) struct City {
    pub(crate) victim: Victim,
    fault: PathBuf,
    clock: PathBuf,
    unit: (f64, f64),
}

impl City {
    pub(crate) fn start(speed: &str) -> City {
        let dir = tempfile::tempdir().unwrap();
        let city = Running::lay_out(dir.path());
        let (shim, fault) = (compiled(dir.path()), dir.path().join("fault"));
        let clock = dir.path().join("clock");
        let settings = [("LD_PRELOAD", &shim), ("FAULT", &fault), ("CLOCK", &clock)];
        let settings = settings.map(|(name, path)| (name.to_owned(), path.to_str().unwrap().to_owned())).to_vec();
        let mut victim = Victim::new(dir, settings, &["--city", "town.json", "--no-sim", "--speed", speed]);
        victim.start(&[]);
        victim.wait_until_healthy();
        let unit = city.units[3].post.to_lon_lat(city.origin).degrees();
        City { victim, fault, clock, unit }
    }

    /// From now on the disk fails so.
    pub(crate) fn fail(&self, how: &str) {
        std::fs::write(&self.fault, how).unwrap();
    }

    pub(crate) fn mend(&self) {
        std::fs::remove_file(&self.fault).unwrap();
    }

    /// The machine's clock is set to be so far from right, s.
    pub(crate) fn set_clock(&self, ahead_s: i64) {
        let new = self.clock.with_extension("new");
        std::fs::write(&new, ahead_s.to_string()).unwrap();
        std::fs::rename(new, &self.clock).unwrap();
    }

    /// The sum of a measure.
    pub(crate) fn count(&self, measure: &str) -> u64 {
        count(&self.victim, measure)
    }

    /// Raises an alarm under an ID: status and answer.
    pub(crate) fn raise(&self, id: u64) -> (u16, Value) {
        let (lon, lat) = self.unit;
        let alarm = json!({"id": id, "priority": "A", "category": "help", "lon": lon, "lat": lat, "words": "救命"});
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        let url = format!("http://{}/calls", self.victim.at.now().unwrap());
        let mut answer = ureq::Agent::from(config).post(url).send(alarm.to_string()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        (answer.status().as_u16(), serde_json::from_str(&text).unwrap())
    }

    /// The terminal of the unit at whose post alarms are raised; all know that it is there.
    pub(crate) fn terminal(&mut self) -> Socket {
        let mut terminal = Socket::to(self.victim.at.now().unwrap(), "/ws/terminal?unit=3");
        terminal.report(self.unit);
        self.victim.wait_for("unit", |victim| count(victim, "nanming_units_available ") == 1);
        terminal
    }

    pub(crate) fn wait_for_status(&mut self, wanted: u16) {
        self.victim.wait_for("health", |victim| victim.get("/healthz").is_some_and(|(status, _)| status == wanted));
    }

    /// Signals are ordered now, whatever the disk does.
    pub(crate) fn signals_go_on(&mut self) {
        let before = count(&self.victim, "nanming_signal_commands_total");
        self.victim.wait_for("signals", |victim| count(victim, "nanming_signal_commands_total") > before + 3);
    }
}

/// The sum of a measure.
pub(crate) fn count(victim: &Victim, measure: &str) -> u64 {
    let text = victim.get("/metrics").map(|(_, text)| text).unwrap_or_default();
    let values = text.lines().filter(|line| line.starts_with(measure)).filter_map(|line| line.rsplit(' ').next());
    values.filter_map(|value| value.parse::<f64>().ok()).sum::<f64>() as u64
}

/// The library that stands before the disk, made by the C compiler that building the engine needs too.
pub(crate) fn compiled(dir: &Path) -> PathBuf {
    let (source, shim) = (Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/crash/shim.c"), dir.join("shim.so"));
    let compiler = std::env::var_os("CC").unwrap_or("cc".into());
    let done = Command::new(compiler).args(["-shared", "-fPIC", "-O1", "-o"]).args([&shim, &source]).status().unwrap();
    assert!(done.success());
    shim
}
