//! Debian's Prometheus beside a running engine, with the scrape config and the rules of the repository.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::running::{PATIENCE, Running, address_in};

/// A file of `grafana/`.
pub(super) fn grafana(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("grafana").join(path)
}

/// A program of Debian's package `prometheus`.
pub(super) fn program(name: &str) -> Command {
    let found = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(found.is_ok(), "{name} is missing: install Debian's package prometheus, as tests/run.sh does");
    Command::new(name)
}

/// A Prometheus with a directory of its own.
pub(super) struct Prometheus {
    child: Child,
    address: SocketAddr,
    agent: ureq::Agent,
    _dir: TempDir,
}

impl Prometheus {
    /// Scrapes the engine each second.
    pub(super) fn watching(city: &Running) -> Prometheus {
        let dir = tempfile::tempdir().unwrap();
        let config = std::fs::read_to_string(grafana("prometheus.yml")).unwrap();
        let config =
            config.replace("127.0.0.1:8080", &city.address.to_string()).replace("interval: 5s", "interval: 1s");
        std::fs::write(dir.path().join("prometheus.yml"), config).unwrap();
        std::os::unix::fs::symlink(grafana("rules"), dir.path().join("rules")).unwrap();
        let mut child = program("prometheus")
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.listen-address=127.0.0.1:0"])
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let address = address_in(child.stderr.take().unwrap(), "msg=\"Listening on\" address=");
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        let prometheus = Prometheus { child, address, agent: config.into(), _dir: dir };
        let ready = || prometheus.agent.get(format!("http://{address}/-/ready")).call().unwrap().status() == 200;
        city.wait_for("Prometheus", ready);
        prometheus
    }

    /// The `data` of an answer, or why there is none.
    pub(super) fn ask(&self, path: &str, asked: &[(&str, &str)]) -> Result<Value, String> {
        let url = format!("http://{}/api/v1/{path}", self.address);
        let mut answer = self.agent.get(url).query_pairs(asked.iter().copied()).call().map_err(|e| e.to_string())?;
        let mut answer: Value = answer.body_mut().read_json().map_err(|e| e.to_string())?;
        if answer["status"] == "success" { Ok(answer["data"].take()) } else { Err(answer["error"].to_string()) }
    }

    /// What an expression is now: labels and value of each of its series.
    pub(super) fn now(&self, expression: &str) -> Result<Vec<(Value, f64)>, String> {
        let data = self.ask("query", &[("query", expression)])?;
        let series = data["result"].as_array().ok_or("no vector")?;
        Ok(series.iter().map(|s| (s["metric"].clone(), s["value"][1].as_str().unwrap().parse().unwrap())).collect())
    }

    /// Sum of an expression's series; none where there is no series.
    pub(super) fn sum(&self, expression: &str) -> Option<f64> {
        let series = self.now(expression).unwrap_or_else(|error| panic!("{expression}: {error}"));
        (!series.is_empty()).then(|| series.iter().map(|(_, value)| value).sum())
    }

    /// Values of a label of a measure.
    pub(super) fn values(&self, measure: &str, label: &str) -> Vec<String> {
        let data = self.ask(&format!("label/{label}/values"), &[("match[]", measure)]).unwrap();
        data.as_array().unwrap().iter().map(|value| value.as_str().unwrap().into()).collect()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _ = self.child.wait();
    }
}
