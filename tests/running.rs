//! A running `nanming`, and how to talk to it.

use std::io::{BufRead, BufReader, Read};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nanming_dataflows::network::City;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

/// Nothing here may take longer.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A process with a small city and a directory of its own.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: SocketAddr,
    pub(crate) city: City,
    agent: ureq::Agent,
    pub(crate) port: Port,
    pub(crate) dir: TempDir,
}

impl Running {
    /// Without a simulator: what happens comes from the test.
    pub(crate) fn start() -> Running {
        Running::start_in(tempfile::tempdir().unwrap(), &["--no-sim"])
    }

    /// Without a simulator, with settings as environment variables.
    pub(crate) fn start_with(settings: &[(&str, &str)]) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
        command.envs(settings.iter().copied());
        Running::start_as(command, tempfile::tempdir().unwrap(), &["--no-sim"])
    }

    /// In a directory of an earlier run.
    pub(crate) fn start_in(dir: TempDir, options: &[&str]) -> Running {
        Running::start_as(Command::new(env!("CARGO_BIN_EXE_nanming")), dir, options)
    }

    /// By a command that ends with the program's name.
    pub(crate) fn start_as(mut command: Command, dir: TempDir, options: &[&str]) -> Running {
        let city = Running::lay_out(dir.path());
        let mut child = command
            .args(["run", "--city", "town.json", "--listen", "127.0.0.1:0", "--ledger", "ledger.sqlite"])
            .args(options)
            .current_dir(dir.path())
            .env("NANMING_LOG", "info")
            .env("NO_COLOR", "1")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let address = address_in(child.stderr.take().unwrap(), "http://");
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        let running = Running { child, address, city, agent: config.into(), port: Port::at(address), dir };
        running.wait_for("health", || running.get("/healthz").0 == 200);
        running
    }

    /// Writes the small city into a directory, if it is not there: another process may be reading it.
    pub(crate) fn lay_out(dir: &Path) -> City {
        let (city, path) = (nanming_simulators::town::small(2, 2, 1), dir.join("town.json"));
        if !path.exists() {
            nanming::city_file::write(&city, &path).unwrap();
        }
        city
    }

    /// Tries until it holds.
    pub(crate) fn wait_for(&self, what: &str, mut holds: impl FnMut() -> bool) {
        let began = Instant::now();
        while !holds() {
            assert!(began.elapsed() < PATIENCE, "{what} did not come");
            std::thread::yield_now();
            std::thread::park_timeout(Duration::from_millis(20));
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        answer(self.agent.get(self.url(path)).call())
    }

    pub(crate) fn text(&self, path: &str) -> String {
        self.agent.get(self.url(path)).call().unwrap().body_mut().read_to_string().unwrap()
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> (u16, Value) {
        answer(self.agent.post(self.url(path)).send(body))
    }

    /// Any request.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.port.send(method, path, headers, body)
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(self.agent.patch(self.url(path)).send(body.to_string()))
    }

    pub(crate) fn delete(&self, path: &str) -> (u16, Value) {
        answer(self.agent.delete(self.url(path)).call())
    }

    /// Whether a line stands in the metrics.
    pub(crate) fn measures(&self, line: &str) -> bool {
        self.text("/metrics").lines().any(|l| l == line)
    }

    /// Degrees of a unit's post: a place in the city.
    pub(crate) fn post_of(&self, unit: usize) -> (f64, f64) {
        self.city.units[unit].post.to_lon_lat(self.city.origin).degrees()
    }

    /// An alarm at a unit's post.
    pub(crate) fn alarm(&self, unit: usize, more: Value) -> String {
        let (lon, lat) = self.post_of(unit);
        let mut alarm = json!({"priority": "A", "category": "help", "lon": lon, "lat": lat, "words": "救命"});
        alarm.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        alarm.to_string()
    }

    /// Connects a terminal.
    pub(crate) fn terminal(&self, unit: usize) -> Socket {
        self.socket(&format!("/ws/terminal?unit={unit}"))
    }

    pub(crate) fn socket(&self, path: &str) -> Socket {
        Socket::connect(self.address, path)
    }

    /// `kill -9`; the directory stays.
    pub(crate) fn kill(mut self) -> TempDir {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::mem::replace(&mut self.dir, tempfile::tempdir().unwrap())
    }

    /// `kill -9`, also of one that has ended.
    pub(crate) fn kill_in_place(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Waits for its own end; the exit code.
    pub(crate) fn wait(&mut self) -> Option<i32> {
        self.child.wait().unwrap().code()
    }

    /// Ctrl-C; the directory stays.
    pub(crate) fn end(mut self) -> TempDir {
        let dir = std::mem::replace(&mut self.dir, tempfile::tempdir().unwrap());
        assert_eq!(self.interrupt().0, Some(0));
        dir
    }

    /// Ctrl-C; the exit code and what was printed.
    pub(crate) fn interrupt(self) -> (Option<i32>, String) {
        self.end_by("-INT")
    }

    /// Its own end; the exit code, and the directory, which stays.
    pub(crate) fn ends_itself(mut self) -> (Option<i32>, TempDir) {
        let code = self.child.wait().unwrap().code();
        (code, std::mem::replace(&mut self.dir, tempfile::tempdir().unwrap()))
    }

    /// A signal that ends it; the exit code and what was printed.
    pub(crate) fn end_by(mut self, signal: &str) -> (Option<i32>, String) {
        self.signal(signal);
        let mut printed = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut printed).unwrap();
        (self.child.wait().unwrap().code(), printed)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _it_may_have_ended = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where a process answers, whoever started it.
pub(crate) struct Port {
    address: SocketAddr,
    agent: ureq::Agent,
}

impl Port {
    pub(crate) fn at(address: SocketAddr) -> Port {
        let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
        Port { address, agent: config.into() }
    }

    /// Any request.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let uri = format!("http://{}{path}", self.address);
        let mut request = ureq::http::Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut answer = self.agent.run(request.body(body).unwrap()).unwrap();
        let text = answer.body_mut().read_to_string().unwrap();
        let json = serde_json::from_str(&text).unwrap_or_default();
        Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), json, text }
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }
}

/// What came of a request.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: ureq::http::HeaderMap,
    pub(crate) json: Value,
    pub(crate) text: String,
}

/// A WebSocket that speaks JSON.
pub(crate) struct Socket(pub(crate) WebSocket<TcpStream>);

impl Socket {
    pub(crate) fn connect(address: SocketAddr, path: &str) -> Socket {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Socket(tungstenite::client(format!("ws://{address}{path}"), stream).unwrap().0)
    }

    pub(crate) fn say(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    /// The next frame of a type; others are passed over.
    pub(crate) fn hear(&mut self, kind: &str) -> Value {
        loop {
            let message = self.0.read().unwrap_or_else(|error| panic!("no frame {kind}: {error}"));
            if let Message::Text(text) = message {
                let frame: Value = serde_json::from_str(&text).unwrap();
                if frame["type"] == kind {
                    return frame;
                }
            }
        }
    }

    pub(crate) fn report(&mut self, (lon, lat): (f64, f64)) {
        self.say(&json!({"type": "report", "lon": lon, "lat": lat, "status": "ready"}).to_string());
    }
}

fn answer(answer: Result<ureq::http::Response<ureq::Body>, ureq::Error>) -> (u16, Value) {
    let mut answer = answer.unwrap();
    let text = answer.body_mut().read_to_string().unwrap();
    (answer.status().as_u16(), serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// Reads the log until it tells the address after a mark, and goes on reading so that the process never waits for us.
pub(crate) fn address_in(log: impl Read + Send + 'static, mark: &str) -> SocketAddr {
    let mut lines = BufReader::new(log).lines().map_while(Result::ok);
    let mut seen = Vec::new();
    let address = lines.by_ref().find_map(|line| {
        let found = line.split_once(mark).map(|(_, rest)| rest.trim().parse().unwrap());
        seen.push(line);
        found
    });
    std::thread::spawn(move || lines.for_each(drop));
    address.unwrap_or_else(|| panic!("no address in the log: {seen:#?}"))
}

/// Lines of a file.
pub(crate) fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
