//! A `nanming` that is killed and started again in the same directory.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::running::PATIENCE;

/// Where it answers now, nowhere while it is down; and how long it has lived. All clones show the same.
#[derive(Clone, Default)]
pub(crate) struct Where(Arc<Mutex<Lives>>);

#[derive(Default)]
struct Lives {
    begun: usize,
    address: Option<SocketAddr>,
    /// Since when this one lives, and how long those before it did.
    since: Option<Instant>,
    before: Duration,
}

impl Where {
    pub(crate) fn now(&self) -> Option<SocketAddr> {
        self.0.lock().unwrap().address
    }

    /// All its lives together, each from its start to its end. It stands still while there is none.
    pub(crate) fn lived(&self) -> Duration {
        let lives = self.0.lock().unwrap();
        lives.before + lives.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// The next life begins: its number.
    fn begins(&self) -> usize {
        let mut lives = self.0.lock().unwrap();
        (lives.begun, lives.since) = (lives.begun + 1, Some(Instant::now()));
        lives.begun
    }

    fn up(&self, life: usize, address: SocketAddr) {
        let mut lives = self.0.lock().unwrap();
        if lives.begun == life && lives.since.is_some() {
            lives.address = Some(address);
        }
    }

    fn down(&self) {
        let mut lives = self.0.lock().unwrap();
        lives.address = None;
        let lived = lives.since.take().map_or(Duration::ZERO, |since| since.elapsed());
        lives.before += lived;
    }
}

pub(crate) struct Victim {
    pub(crate) dir: TempDir,
    pub(crate) at: Where,
    settings: Vec<(String, String)>,
    options: Vec<String>,
    child: Option<Child>,
    agent: ureq::Agent,
    log: Arc<Mutex<Vec<String>>>,
    started: Instant,
}

impl Victim {
    /// One that is not started yet, with settings as environment variables and options of `run`.
    pub(crate) fn new(dir: TempDir, settings: Vec<(String, String)>, options: &[&str]) -> Victim {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        let (at, log) = (Where::default(), Arc::default());
        let options = options.iter().map(|&option| option.to_owned()).collect();
        Victim { dir, at, settings, options, child: None, agent: config.into(), log, started: Instant::now() }
    }

    /// Starts it, with more settings for this life.
    pub(crate) fn start(&mut self, more: &[(&str, &str)]) {
        assert!(self.child.is_none(), "it lives");
        let life = self.at.begins();
        self.started = Instant::now();
        let mut child = Command::new(env!("CARGO_BIN_EXE_nanming"))
            .args(["run", "--listen", "127.0.0.1:0", "--ledger", "ledger.sqlite"])
            .args(&self.options)
            .current_dir(self.dir.path())
            .envs(self.settings.iter().map(|(name, value)| (name, value)))
            .envs(more.iter().copied())
            .env("NANMING_LOG", "info")
            .env("NO_COLOR", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let (at, log) = (self.at.clone(), Arc::clone(&self.log));
        std::thread::spawn(move || {
            for line in lines {
                if let Some((_, address)) = line.split_once("http://") {
                    address.trim().parse().into_iter().for_each(|address| at.up(life, address));
                }
                log.lock().unwrap().push(line);
            }
        });
        self.child = Some(child);
    }

    /// Waits until it is healthy, which it is with its first tick; the time since its start.
    pub(crate) fn wait_until_healthy(&mut self) -> Duration {
        self.wait_for("health", |victim| {
            assert!(victim.has_ended().is_none(), "it ended: {}", victim.last_words());
            victim.get("/healthz").is_some_and(|(status, _)| status == 200)
        });
        self.started.elapsed()
    }

    /// Tries until it holds.
    pub(crate) fn wait_for(&mut self, what: &str, mut holds: impl FnMut(&mut Victim) -> bool) {
        let began = Instant::now();
        while !holds(self) {
            assert!(began.elapsed() < PATIENCE, "{what} did not come: {}", self.last_words());
            std::thread::park_timeout(Duration::from_millis(2));
        }
    }

    pub(crate) fn get(&self, path: &str) -> Option<(u16, String)> {
        let mut answer = self.agent.get(format!("http://{}{path}", self.at.now()?)).call().ok()?;
        Some((answer.status().as_u16(), answer.body_mut().read_to_string().ok()?))
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        self.at.down();
    }

    /// From now on it gets so much memory beyond what it has, kB, and no more.
    pub(crate) fn allow(&self, more_kb: u64) {
        let process = self.child.as_ref().unwrap().id().to_string();
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
        let has_kb = status.lines().find_map(|line| line.strip_prefix("VmData:")?.trim().strip_suffix(" kB")).unwrap();
        let most = (has_kb.parse::<u64>().unwrap() + more_kb) * 1_024;
        let done = Command::new("prlimit").args(["--pid", &process, &format!("--data={most}")]).status();
        assert!(done.unwrap().success());
    }

    /// How it ended, if it has: its exit code, else its signal.
    pub(crate) fn has_ended(&mut self) -> Option<(Option<i32>, Option<i32>)> {
        let status = self.child.as_mut()?.try_wait().unwrap()?;
        self.child = None;
        self.at.down();
        Some((status.code(), status.signal()))
    }

    /// Waits for its own end.
    pub(crate) fn wait_for_its_end(&mut self, what: &str) -> (Option<i32>, Option<i32>) {
        let mut end = None;
        self.wait_for(what, |victim| {
            end = victim.has_ended();
            end.is_some()
        });
        end.unwrap()
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// What it said in all its lives with these words in it.
    pub(crate) fn lines_with(&self, words: &str) -> Vec<String> {
        self.log.lock().unwrap().iter().filter(|line| line.contains(words)).cloned().collect()
    }

    pub(crate) fn last_words(&self) -> String {
        let log = self.log.lock().unwrap();
        log[log.len().saturating_sub(30)..].join("\n")
    }
}

impl Drop for Victim {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _it_may_have_ended = child.kill();
            let _ = child.wait();
        }
    }
}
