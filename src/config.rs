//! Configuration: defaults, then a TOML file, then environment variables that name a table (`NANMING_HTTP__LISTEN`: two
//! underscores step into it), then the command line. An unknown key is an error, never ignored; other variables that begin
//! with `NANMING_` are somebody else's.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::DateTime;
use figment::Figment;
use figment::providers::{Env, Format, Serialized, Toml};
use nanming_dataflows::network::{City, DispatchRules};
use serde::{Deserialize, Serialize};

use crate::ingest::Plates;
use crate::recording::Bounds;

mod access;
mod classification;
mod controllers;
mod doors;
mod gat1049;
pub mod kafka;
mod secret;
mod shown;
mod signals;
mod terminals;
mod travel;
pub use access::{AccessConfig, PersonConfig};
pub use classification::ClassificationConfig;
mod webhooks;
pub use controllers::ControllersConfig;
pub use doors::{ViidConfig, WechatConfig};
pub use gat1049::Gat1049Config;
pub use kafka::KafkaConfig;
pub use secret::Secret;
pub use signals::SignalsConfig;
pub use terminals::TerminalsConfig;
pub use travel::TravelConfig;
pub use webhooks::WebhookConfig;

/// The file that is read when it exists and none is named.
pub const DEFAULT_FILE: &str = "nanming.toml";
/// Worker threads that make sense.
pub const WORKERS: RangeInclusive<usize> = 1..=64;
/// Demand against the usual that makes sense.
pub const DEMAND: RangeInclusive<f64> = 0.0..=20.0;
/// Patrol units that can be placed.
pub const UNITS: RangeInclusive<usize> = 0..=10_000;
/// Largest `clock.speed`.
const MAX_SPEED: f64 = 1000.0;
/// Patrol units that are placed for the simulator in a city that has none.
const SIMULATED_UNITS: usize = 20;

/// Everything that can be set.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Which city.
    pub city: CityConfig,
    /// The city's clock.
    pub clock: ClockConfig,
    /// The embedded simulator.
    pub simulator: SimulatorConfig,
    /// How lights are timed.
    pub signals: SignalsConfig,
    /// The engine.
    pub engine: EngineConfig,
    /// The HTTP surface.
    pub http: HttpConfig,
    /// Who may do what.
    pub access: AccessConfig,
    /// The ledger.
    pub ledger: LedgerConfig,
    /// What comes in from outside.
    pub ingest: IngestConfig,
    /// How alarms are understood.
    pub classification: ClassificationConfig,
    /// How calls are dispatched, in place of what the city's file says.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispatch: Option<DispatchRules>,
    /// Cameras that speak GA/T 1400.
    pub viid: ViidConfig,
    /// The WeChat official account.
    pub wechat: WechatConfig,
    /// Dispatch terminals.
    pub terminals: TerminalsConfig,
    /// Kafka, in and out.
    pub kafka: KafkaConfig,
    /// Signal controllers.
    pub controllers: ControllersConfig,
    /// Command platforms.
    pub gat1049: Gat1049Config,
    /// What travellers are told.
    pub travel: TravelConfig,
    /// Receivers of what becomes of calls.
    pub webhooks: Vec<WebhookConfig>,
    /// Files that go out.
    pub output: OutputConfig,
    /// The recording of what passes the door.
    pub record: RecordConfig,
    /// Who sees to what besides patrol units.
    pub rosters: RostersConfig,
    /// How long what is written stays.
    pub retention: RetentionConfig,
}

/// Which city runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CityConfig {
    /// A SUMO `.net.xml`, or a `.json` that `nanming city` wrote. None: the generated reference city.
    pub file: Option<PathBuf>,
    /// Seed of the generated city (1).
    pub seed: u64,
    /// Patrol units to place in a city that has none, as those from SUMO. None: 20 while the simulator runs, else none.
    pub units: Option<usize>,
}

impl Default for CityConfig {
    fn default() -> Self {
        CityConfig { file: None, seed: 1, units: None }
    }
}

/// The city's clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ClockConfig {
    /// `now`, or a local time of day such as `07:30` (`now`).
    pub start: String,
    /// How many times as fast as the wall clock (1.0). With outside feeds leave it at 1.
    pub speed: f64,
}

impl Default for ClockConfig {
    fn default() -> Self {
        ClockConfig { start: "now".into(), speed: 1.0 }
    }
}

/// The embedded simulator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SimulatorConfig {
    /// Whether it feeds the city (true).
    pub enabled: bool,
    /// Seed of its traffic and calls (1).
    pub seed: u64,
    /// Demand against the usual (1.0).
    pub demand: f64,
}

impl Default for SimulatorConfig {
    fn default() -> Self {
        SimulatorConfig { enabled: true, seed: 1, demand: 1.0 }
    }
}

/// The engine.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineConfig {
    /// Timely worker threads (1).
    pub workers: usize,
    /// Arrivals that may wait at the door before sources are held back (1024).
    pub inbox: usize,
}

impl Default for EngineConfig {
    fn default() -> Self {
        EngineConfig { workers: 1, inbox: 1024 }
    }
}

/// The HTTP surface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpConfig {
    /// Address and port (`127.0.0.1:8080`: this machine only; elsewhere only with `access.key`, and with TLS or behind a proxy).
    pub listen: SocketAddr,
    /// Host names that requests may carry besides the listening address; others are refused, so that no page
    /// elsewhere can talk to the engine through someone's browser.
    pub hosts: Vec<String>,
    /// Largest request body, bytes (8 MiB; calls are held to 64 KiB).
    pub body_bytes: usize,
    /// Largest body once it is unpacked from gzip or zstd, bytes (64 MiB).
    pub unpacked_bytes: usize,
    /// Event streams, terminals and desks open at once (4096), or a third of what the system's limit of open files allows.
    pub streams: usize,
    /// The head of a request must be there within so long, s (120: longer than clients keep idle connections, so that none
    /// sends an alarm on one that is just being closed). Connections that say nothing end as well.
    pub head_s: u64,
    /// The body of a request must be there within so long, s (30).
    pub body_s: u64,
    /// Keys of which `POST /api/ingest` must carry one; none: it asks for none. With `access.key` each is that of a caller
    /// channel, camera platform and gateway of units.
    pub api_keys: Vec<Secret>,
    /// PEM file of the certificate, the engine's own first; none: no TLS.
    pub tls_certificate: Option<PathBuf>,
    /// PEM file of its private key, unencrypted.
    pub tls_key: Option<PathBuf>,
    /// A handshake of TLS must be done within so long, s (10).
    pub handshake_s: u64,
    /// Whether a proxy with TLS stands before the engine (false): others reach it then, wherever it listens.
    pub behind_proxy: bool,
}

impl Default for HttpConfig {
    fn default() -> Self {
        HttpConfig {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            hosts: Vec::new(),
            body_bytes: 8 << 20,
            unpacked_bytes: 64 << 20,
            streams: 4096,
            head_s: 120,
            body_s: 30,
            api_keys: Vec::new(),
            tls_certificate: None,
            tls_key: None,
            handshake_s: 10,
            behind_proxy: false,
        }
    }
}

/// The ledger.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerConfig {
    /// The SQLite file (`nanming.sqlite` in the working directory).
    pub path: PathBuf,
    /// Signal commands are kept so long, hours of city time (24). Calls are kept.
    pub signal_hours: u64,
}

impl Default for LedgerConfig {
    fn default() -> Self {
        LedgerConfig { path: "nanming.sqlite".into(), signal_hours: 24 }
    }
}

/// What comes in from outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IngestConfig {
    /// Events further ahead of the city's clock than this are refused, ms (5000).
    pub future_ms: u64,
    /// What sensors and units say further behind the city's clock than this is refused, ms (600000). No window reaches
    /// back so far. Calls, answers, steps of cases and reports on sites are never too late.
    pub late_ms: u64,
    /// Key of the hash that stands for a plate; empty: a new random key at each start, so that nobody can link
    /// vehicles over restarts.
    pub plate_key: Secret,
    /// Keys of that hash for later times, oldest first: each is used for what happened from its time on.
    pub plate_keys: Vec<PlateKey>,
    /// Key of the hash that stands for a caller; empty: a new random key at each start.
    pub caller_key: Secret,
    /// Directory of `dead_letters.jsonl`; none: that of the ledger.
    pub dead_letters: Option<PathBuf>,
}

impl Default for IngestConfig {
    fn default() -> Self {
        IngestConfig {
            future_ms: 5_000,
            late_ms: 600_000,
            plate_key: Secret::default(),
            plate_keys: Vec::new(),
            caller_key: Secret::default(),
            dead_letters: None,
        }
    }
}

/// A key of plates, and from when on it is used.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlateKey {
    /// Such as `2026-07-01T03:30:00+08:00`: at the quietest hour.
    pub from: String,
    /// The key.
    pub key: Secret,
}

impl IngestConfig {
    /// The pseudonyms of plates.
    pub fn plates(&self) -> Result<Plates, ConfigError> {
        let wrong = |what: &str| Err(ConfigError::Value(format!("ingest.plate_keys: {what}")));
        let (mut plates, mut last) = (Plates::new(self.plate_key.expose()), 0);
        for PlateKey { from, key } in &self.plate_keys {
            let time =
                DateTime::parse_from_rfc3339(from).ok().and_then(|time| u64::try_from(time.timestamp_millis()).ok());
            match time {
                None => return wrong("write each time as 2026-07-01T03:30:00+08:00"),
                Some(time) if time <= last => return wrong("each time must be later than the one before"),
                Some(_) if key.expose().is_empty() => return wrong("a key must not be empty"),
                Some(time) => (plates, last) = (plates.then(time, key.expose()), time),
            }
        }
        Ok(plates)
    }
}

/// How long what is written stays. Recordings stay for `record.keep_hours`, signal commands for `ledger.signal_hours`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RetentionConfig {
    /// Calls that are over, with all about them, and tasks that are done, days of city time (1095); 0: for ever.
    pub calls_days: u32,
    /// Lines of JSON Lines files and dead letters, days (30); 0: as long as their files are below their size.
    pub files_days: u32,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        RetentionConfig { calls_days: 1_095, files_days: 30 }
    }
}

impl RetentionConfig {
    /// At this age a file is put aside, and one put aside is removed: no line stays for longer than twice that.
    pub fn file_age(&self) -> Option<Duration> {
        (self.files_days > 0).then(|| Duration::from_secs(u64::from(self.files_days) * 43_200))
    }
}

/// Files that go out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutputConfig {
    /// Directory of `signals.jsonl`, `plans.jsonl`, `forecasts.jsonl`, `crowds.jsonl`, `venue_forecasts.jsonl` and
    /// `assignments.jsonl`, gone on with at each start; none: they are not written.
    pub jsonl: Option<PathBuf>,
    /// Each of them is put aside at this size, MiB (256), and one older is kept.
    pub file_mib: u64,
}

impl Default for OutputConfig {
    fn default() -> Self {
        OutputConfig { jsonl: None, file_mib: 256 }
    }
}

/// Who sees to what besides patrol units.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RostersConfig {
    /// Files of rosters, one each. None: the four of the generated reference city while that runs, else no roster.
    pub files: Vec<PathBuf>,
    /// Key of the tokens that persons and desks of rosters ask with (`nanming roster-token`); none: whoever asks may say who
    /// it is.
    pub key: Secret,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It does not parse, or holds an unknown key or a wrong type.
    #[error("configuration: {}", shown::complaint(.0))]
    Figment(#[from] Box<figment::Error>),
    /// The file named cannot be read.
    #[error("configuration file {0}: {1}")]
    File(PathBuf, std::io::Error),
    /// A value out of its range.
    #[error("configuration: {0}")]
    Value(String),
}

/// Reads defaults, `file` (or [`DEFAULT_FILE`] if it exists) and the environment.
pub fn load(file: Option<&Path>) -> Result<Config, ConfigError> {
    let tables = tables();
    let of_a_table = move |name: &str| tables.iter().any(|table| name.starts_with(&format!("{table}__")));
    let variables = Env::prefixed("NANMING_").filter(move |name| of_a_table(&name.as_str().to_lowercase())).split("__");
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    let path = file.unwrap_or(Path::new(DEFAULT_FILE));
    match std::fs::File::open(path).and_then(|mut file| std::io::copy(&mut file, &mut std::io::sink())) {
        Ok(_) => figment = figment.merge(Toml::file_exact(path)),
        Err(error) if file.is_none() && error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(ConfigError::File(path.into(), error)),
    }
    let config: Config = figment.merge(variables).extract().map_err(Box::new)?;
    config.check()?;
    Ok(config)
}

/// Names of the tables.
fn tables() -> Vec<String> {
    match toml::Value::try_from(Config::default()) {
        Ok(toml::Value::Table(tables)) => tables.into_iter().map(|(name, _)| name).collect(),
        _ => Vec::new(),
    }
}

/// The recording of what passes the door.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RecordConfig {
    /// Its directory. None: nothing is recorded.
    pub dir: Option<PathBuf>,
    /// A segment of it is ended at this size, MiB (256), or after an hour.
    pub file_mib: u64,
    /// Segments older than this are deleted, hours of city time (72).
    pub keep_hours: u64,
}

impl Default for RecordConfig {
    fn default() -> Self {
        RecordConfig { dir: None, file_mib: 256, keep_hours: 72 }
    }
}

impl RecordConfig {
    /// The bounds of the recording.
    pub fn bounds(&self) -> Bounds {
        Bounds { segment_bytes: self.file_mib << 20, keep_ms: Some(self.keep_hours * 3_600_000) }
    }
}

impl Config {
    /// Directory of `dead_letters.jsonl`.
    pub fn dead_letters(&self) -> &Path {
        let beside = self.ledger.path.parent().filter(|dir| !dir.as_os_str().is_empty());
        self.ingest.dead_letters.as_deref().or(beside).unwrap_or(Path::new("."))
    }

    /// Sets the rules of a city's dispatch, where they are set here.
    pub fn apply_dispatch(&self, city: &mut City) -> Result<(), ConfigError> {
        let Some(rules) = &self.dispatch else { return Ok(()) };
        city.dispatch = rules.clone();
        city.check().map_err(|error| ConfigError::Value(error.to_string()))
    }

    /// Patrol units to place when the city has none.
    pub fn units(&self) -> usize {
        self.city.units.unwrap_or(if self.simulator.enabled { SIMULATED_UNITS } else { 0 })
    }

    /// Key of the tokens of terminals, where they need one: their own, or that of roles.
    pub fn terminal_key(&self) -> Option<&Secret> {
        Some(&self.terminals.key).filter(|key| !key.expose().is_empty()).or(self.access.key())
    }

    /// Key of the tokens of persons of rosters, where they need one: their own, or that of roles.
    pub fn roster_key(&self) -> Option<&Secret> {
        Some(&self.rosters.key).filter(|key| !key.expose().is_empty()).or(self.access.key())
    }

    /// Every secret, by the name of its setting.
    fn secrets(&self) -> impl Iterator<Item = (&'static str, &Secret)> {
        let keys = [
            ("ingest.plate_key", &self.ingest.plate_key),
            ("ingest.caller_key", &self.ingest.caller_key),
            ("wechat.token", &self.wechat.token),
            ("terminals.key", &self.terminals.key),
            ("rosters.key", &self.rosters.key),
            ("access.key", &self.access.key),
            ("kafka.password", &self.kafka.password),
        ];
        let lists = self.http.api_keys.iter().map(|key| ("http.api_keys", key));
        let platforms = self.gat1049.users.values().map(|password| ("gat1049.users", password));
        let cameras = self.viid.users.values().map(|password| ("viid.users", password));
        let receivers = self.webhooks.iter().map(|webhook| ("webhooks.secret", &webhook.secret));
        let later = self.ingest.plate_keys.iter().map(|key| ("ingest.plate_keys", &key.key));
        keys.into_iter().chain(later).chain(receivers).chain(lists).chain(cameras).chain(platforms)
    }

    /// Checks ranges that types do not.
    pub fn check(&self) -> Result<(), ConfigError> {
        let need = |holds: bool, complaint: String| if holds { Ok(()) } else { Err(ConfigError::Value(complaint)) };
        let within = |name: &str, value: usize, range: RangeInclusive<usize>| {
            need(range.contains(&value), format!("{name} must be from {} to {}", range.start(), range.end()))
        };
        ClockConfig::check_speed(self.clock.speed).map_err(|e| ConfigError::Value(format!("clock.speed {e}")))?;
        let demand = format!("simulator.demand must be from {} to {}", DEMAND.start(), DEMAND.end());
        need(DEMAND.contains(&self.simulator.demand), demand)?;
        within("engine.workers", self.engine.workers, WORKERS)?;
        within("city.units", self.city.units.unwrap_or(0), UNITS)?;
        within("engine.inbox", self.engine.inbox, 1..=1_000_000)?;
        within("http.streams", self.http.streams, 1..=1_000_000)?;
        need(self.http.body_bytes >= 1024, "http.body_bytes must be at least 1024".into())?;
        need(self.http.unpacked_bytes >= 1024, "http.unpacked_bytes must be at least 1024".into())?;
        need((1..=3600).contains(&self.http.head_s), "http.head_s must be from 1 to 3600".into())?;
        need((1..=3600).contains(&self.http.body_s), "http.body_s must be from 1 to 3600".into())?;
        need(self.output.file_mib > 0, "output.file_mib must be above 0".into())?;
        need((1..=1 << 20).contains(&self.record.file_mib), "record.file_mib must be from 1 to 1048576".into())?;
        let hours = "record.keep_hours must be from 1 to 1000000";
        need((1..=1_000_000).contains(&self.record.keep_hours), hours.into())?;
        self.ingest.plates()?;
        let days = [self.retention.calls_days, self.retention.files_days].into_iter().all(|days| days <= 36_500);
        need(days, "retention.calls_days and retention.files_days must be from 0 to 36500".into())?;
        self.viid.check()?;
        for (name, secret) in self.secrets() {
            let redacted = format!(
                "{name} is '(redacted)', which is no key: an older `nanming config` printed it in place of one. Write \
                 the key itself, or leave the line out"
            );
            need(!secret.is_redacted(), redacted)?;
        }
        let users = self.viid.users.values().chain(self.gat1049.users.values());
        let empty = self.http.api_keys.iter().chain(users).any(|key| key.expose().is_empty());
        need(!empty, "http.api_keys, viid.users and gat1049.users must not hold empty secrets".into())?;
        need((1..=3600).contains(&self.http.handshake_s), "http.handshake_s must be from 1 to 3600".into())?;
        let both = "http.tls_certificate and http.tls_key go together: set both, or neither";
        need(self.http.tls_certificate.is_some() == self.http.tls_key.is_some(), both.into())?;
        self.access.check()?;
        self.kafka.check()?;
        self.controllers.check()?;
        self.gat1049.check()?;
        self.travel.check()?;
        self.webhooks.iter().try_for_each(WebhookConfig::check)?;
        self.clock.start_minute().map(|_| ())
    }
}

impl ClockConfig {
    /// Whether the city's clock can run so fast; a complaint if not.
    pub fn check_speed(speed: f64) -> Result<(), String> {
        if speed > 0.0 && speed <= MAX_SPEED { Ok(()) } else { Err(format!("must be above 0, at most {MAX_SPEED}")) }
    }

    /// The minute of the local day to start at; none: now.
    pub fn start_minute(&self) -> Result<Option<u16>, ConfigError> {
        if self.start == "now" {
            return Ok(None);
        }
        let parse = || {
            let (hour, minute) = self.start.split_once(':')?;
            let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
            (hour < 24 && minute < 60).then_some(hour * 60 + minute)
        };
        let complaint = || ConfigError::Value(format!("clock.start '{}' is neither 'now' nor like 07:30", self.start));
        parse().map(Some).ok_or_else(complaint)
    }
}

#[cfg(test)]
mod tests;
