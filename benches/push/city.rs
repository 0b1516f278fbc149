//! The city under test: a process of its own.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nanming_dataflows::network;
use nanming_simulators::guiyang;
use nanming_simulators::sumo_net::with_units;

/// Where time goes, by the names of the city's metrics.
const STAGES: [&str; 4] = [
    "nanming_tick_latency_seconds",
    "nanming_ledger_commit_seconds",
    "nanming_assignment_push_seconds",
    "nanming_call_accept_seconds",
];

pub(crate) struct City {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) agent: ureq::Agent,
    /// Posts of its units, degrees.
    pub(crate) posts: Vec<(f64, f64)>,
    _dir: tempfile::TempDir,
}

/// How often something was done, and how long it took in all.
pub(crate) struct Stage {
    pub(crate) name: &'static str,
    pub(crate) count: f64,
    pub(crate) sum_s: f64,
}

impl City {
    /// The reference city with so many units, without a simulator.
    pub(crate) fn start(units: usize) -> City {
        let (dir, city) = (tempfile::tempdir().expect("a temporary directory"), with(units));
        nanming::city_file::write(&city, &dir.path().join("city.json")).expect("room on the disk");
        let address = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
        let log = std::fs::File::create(dir.path().join("log")).expect("a file");
        let child = Command::new(env!("CARGO_BIN_EXE_nanming"))
            .args(["run", "--no-sim", "--city", "city.json", "--ledger", "ledger.sqlite"])
            .args(["--listen", &address.to_string()])
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("nanming starts");
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(10))).build();
        let posts = city.units.iter().take(units).map(|u| u.post.to_lon_lat(city.origin).degrees()).collect();
        let city = City { child, address, agent: config.into(), posts, _dir: dir };
        city.wait_for("an answer", || city.get("/healthz").is_some());
        city
    }

    /// Waits until so many units, or all but a few, can be sent.
    pub(crate) fn wait_until_free(&self, units: usize) {
        let free = || self.measure("nanming_units_available").is_some_and(|n| n >= units as f64 * 0.99);
        self.wait_for("units", free);
    }

    pub(crate) fn stages(&self) -> Vec<Stage> {
        let text = self.get("/metrics").expect("metrics");
        let of = |name: &str| value(&text, name).unwrap_or_default();
        let stage = |name| Stage { name, count: of(&format!("{name}_count")), sum_s: of(&format!("{name}_sum")) };
        STAGES.map(stage).into_iter().collect()
    }

    fn measure(&self, name: &str) -> Option<f64> {
        value(&self.get("/metrics")?, name)
    }

    fn get(&self, path: &str) -> Option<String> {
        self.agent.get(self.url(path)).call().ok()?.body_mut().read_to_string().ok()
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    fn wait_for(&self, what: &str, holds: impl Fn() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < Duration::from_secs(60), "{what} did not come");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for City {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn with(units: usize) -> network::City {
    let mut city = guiyang::generate(1);
    let more = units.saturating_sub(city.units.len());
    with_units(&mut city, more, 1);
    city.units.iter_mut().for_each(|unit| unit.shift_min = (0, 0));
    city.check().expect("a city that makes sense");
    city
}

fn value(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.parse().ok()
}
