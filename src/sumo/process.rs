//! A SUMO of our own: started with a free port, connected to, and ended with us.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use nanming_simulators::traci::{Client, TraciError};
use tempfile::TempDir;

use super::SumoError;
use super::find::home;
use super::scenario::Scenario;

/// So long a SUMO may load its files.
const LOADING: Duration = Duration::from_secs(600);
/// One that hung up has so long to say why.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A running SUMO.
pub(super) struct Sumo {
    child: Child,
    dir: TempDir,
}

impl Sumo {
    /// Starts one, and connects when it has loaded the scenario.
    pub(super) fn start(
        program: &Path,
        scenario: &Scenario,
        seed: u64,
        interrupted: &AtomicBool,
    ) -> Result<(Sumo, Client), SumoError> {
        let dir = tempfile::tempdir()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = Command::new(program);
        command.arg("-c").arg(&scenario.config);
        command.args(["--remote-port", &port.to_string(), "--seed", &seed.to_string()]);
        command.args(["--begin", &scenario.begin_s.to_string(), "--end", &scenario.end_s.to_string()]);
        // Nobody vanishes from a jam, and who has not arrived counts.
        command.args(["--time-to-teleport", "-1", "--no-step-log", "true", "--no-warnings", "true"]);
        command.arg("--tripinfo-output").arg(trips(&dir));
        command.args(["--tripinfo-output.write-unfinished", "true", "--tripinfo-output.write-undeparted", "true"]);
        if let Some(home) = home(program).filter(|_| std::env::var_os("SUMO_HOME").is_none()) {
            command.env("SUMO_HOME", home);
        }
        let said = File::create(dir.path().join("said"))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        let child = command.spawn().map_err(|source| SumoError::Start(program.to_path_buf(), source))?;
        let mut sumo = Sumo { child, dir };
        let began = Instant::now();
        let waits = || sumo.is_running() && began.elapsed() < LOADING && !interrupted.load(Ordering::Relaxed);
        let client = Client::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), waits);
        match client {
            Ok(client) => Ok((sumo, client)),
            Err(_) if interrupted.load(Ordering::Relaxed) => Err(SumoError::Interrupted),
            Err(error) => Err(sumo.failed(error)),
        }
    }

    fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// What went wrong, in SUMO's words where it has some.
    pub(super) fn failed(&mut self, error: TraciError) -> SumoError {
        let began = Instant::now();
        while matches!(error, TraciError::Io(_)) && self.is_running() && began.elapsed() < LAST_WORDS {
            std::thread::sleep(Duration::from_millis(5));
        }
        let said = std::fs::read_to_string(self.dir.path().join("said")).unwrap_or_default();
        let said: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).take(5).collect();
        SumoError::Talk(error, if said.is_empty() { String::new() } else { format!("; it says: {}", said.join(" ")) })
    }

    /// Waits for its end after the connection was closed; the trips that it wrote.
    pub(super) fn end(&mut self) -> Result<String, SumoError> {
        self.child.wait()?;
        Ok(std::fs::read_to_string(trips(&self.dir))?)
    }
}

impl Drop for Sumo {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = (self.child.kill(), self.child.wait());
    }
}

fn trips(dir: &TempDir) -> PathBuf {
    dir.path().join("trips.xml")
}
