//! A SUMO of our own: started with a free port, connected to, and ended with us.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nanming_simulators::traci::{Client, TraciError};
use tempfile::TempDir;

use super::SumoError;
use super::find::home;
use super::runs::Ending;
use super::scenario::Scenario;

/// So long a SUMO may load its files.
const LOADING: Duration = Duration::from_secs(600);
/// Names of its outputs.
const TRIPS: &str = "trips.xml";
const SUMMARY: &str = "summary.xml";
/// One that hung up has so long to say why.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// A running SUMO.
pub(super) struct Sumo {
    child: Child,
    dir: TempDir,
    /// What the names of its outputs begin with.
    prefix: String,
}

/// What it wrote.
pub(super) struct Outputs {
    /// Its trips.
    pub(super) trips: String,
    /// Its summary of each step.
    pub(super) summary: String,
}

impl Sumo {
    /// Starts one, and connects when it has loaded the scenario. Where it is one of many, what the scenario itself has it write
    /// bears its seed: none writes over another's.
    pub(super) fn start(
        program: &Path,
        scenario: &Scenario,
        seed: u64,
        is_one_of_many: bool,
        ending: &Ending<'_>,
    ) -> Result<(Sumo, Client), SumoError> {
        let dir = tempfile::tempdir()?;
        let prefix = if is_one_of_many { format!("seed-{seed}.") } else { String::new() };
        let port = free_port()?;
        let mut command = Command::new(program);
        command.arg("-c").arg(&scenario.config);
        command.args(["--remote-port", &port.to_string(), "--seed", &seed.to_string()]);
        command.args(["--begin", &scenario.begin_s.to_string(), "--end", &scenario.end_s.to_string()]);
        // Nobody vanishes from a jam, and who has not arrived counts.
        command.args(["--time-to-teleport", "-1", "--no-step-log", "true", "--no-warnings", "true"]);
        command.arg("--tripinfo-output").arg(dir.path().join(TRIPS));
        command.args(["--tripinfo-output.write-unfinished", "true", "--tripinfo-output.write-undeparted", "true"]);
        command.arg("--summary-output").arg(dir.path().join(SUMMARY));
        if is_one_of_many {
            command.args(["--output-prefix", &prefix]);
        }
        if let Some(home) = home(program).filter(|_| std::env::var_os("SUMO_HOME").is_none()) {
            command.env("SUMO_HOME", home);
        }
        let said = File::create(dir.path().join("said"))?;
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        // Ctrl-C is for us: we end it.
        command.process_group(0);
        let child = command.spawn().map_err(|source| SumoError::Start(program.to_path_buf(), source))?;
        let mut sumo = Sumo { child, dir, prefix };
        let began = Instant::now();
        let waits = || sumo.is_running() && began.elapsed() < LOADING && !ending.is_now();
        let client = Client::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)), waits);
        match client {
            Ok(client) => Ok((sumo, client)),
            Err(_) if ending.is_now() => Err(SumoError::Interrupted),
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

    /// Waits for its end after the connection was closed; what it wrote.
    pub(super) fn end(&mut self) -> Result<Outputs, SumoError> {
        self.child.wait()?;
        let read = |name| std::fs::read_to_string(self.dir.path().join(format!("{}{name}", self.prefix)));
        Ok(Outputs { trips: read(TRIPS)?, summary: read(SUMMARY)? })
    }
}

impl Drop for Sumo {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = (self.child.kill(), self.child.wait());
    }
}

/// A port that nobody listens on, and that no other SUMO of ours was given.
fn free_port() -> std::io::Result<u16> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        // Thousands of runs later they are given again.
        if given.len() > 10_000 {
            given.clear();
        }
        if given.insert(port) {
            return Ok(port);
        }
    }
}
