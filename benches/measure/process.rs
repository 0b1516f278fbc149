//! A `nanming run` in a process and a directory of its own, as its neighbours see it.

use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// It answers within this after its start, also on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) agent: ureq::Agent,
    pub(crate) dir: tempfile::TempDir,
}

impl Process {
    /// Starts `nanming run` with these arguments and settings of the environment, and waits until it answers.
    pub(crate) fn start(dir: tempfile::TempDir, arguments: &[&str], settings: &[(&str, &str)]) -> Process {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr()).expect("a free port");
        let log = std::fs::File::create(dir.path().join("log")).expect("a file");
        let child = Command::new(env!("CARGO_BIN_EXE_nanming"))
            .args(["run", "--ledger", "ledger.sqlite", "--listen", &address.to_string()])
            .args(arguments)
            .envs(settings.iter().copied())
            .current_dir(dir.path())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("nanming starts");
        let config = ureq::Agent::config_builder().timeout_global(Some(Duration::from_secs(10))).build();
        let process = Process { child, address, agent: config.into(), dir };
        process.wait_for("an answer", || process.get("/healthz").is_some());
        process
    }

    pub(crate) fn get(&self, path: &str) -> Option<String> {
        self.agent.get(self.url(path)).call().ok()?.body_mut().read_to_string().ok()
    }

    /// A measure by its name with its labels.
    pub(crate) fn measure(&self, name: &str) -> Option<f64> {
        value(&self.get("/metrics")?, name)
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn wait_for(&self, what: &str, holds: impl Fn() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < PATIENCE, "{what} did not come");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// CPU time of the process so far, s.
    pub(crate) fn cpu_s(&self) -> f64 {
        super::cpu_s_of(&self.id().to_string())
    }

    pub(crate) fn resident_mb(&self) -> f64 {
        super::status_mb(&self.id().to_string(), "VmRSS:")
    }

    /// What it holds itself: pages of files that are mapped come and go as the system likes.
    pub(crate) fn own_mb(&self) -> f64 {
        super::status_mb(&self.id().to_string(), "RssAnon:")
    }

    /// Files and sockets that it holds open.
    pub(crate) fn open_files(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.id())).map_or(0, Iterator::count)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a page of measures says of one.
pub(crate) fn value(page: &str, name: &str) -> Option<f64> {
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
    line.parse().ok()
}
