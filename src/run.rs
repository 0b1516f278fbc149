//! `nanming run`: the live city. Sources feed the door, the door the engine, the ledger keeps every tick, and what it has
//! kept goes to the sinks.
//!
//! Threads: `door` drives the engine's workers, `ledger` commits, `sinks` publishes, `simulator` plays the city, and two
//! of tokio's serve HTTP. The end goes the same way as the data: sources stop, the door finishes its ticks, the ledger
//! commits them, the sinks get the rest, and sockets are closed with a going-away frame.
//!
//! A thread that ends, however it ends, ends the run: what would be left is a city half alive, and whoever watches over the
//! process could not see that it is to be started again.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{Builder, JoinHandle};

use crossbeam_channel::{Sender, bounded};
use nanming_dataflows::event::{Event, RosterEvent, StageHold};
use nanming_dataflows::ids::CallId;
use nanming_dataflows::keyed::Kind;
use nanming_dataflows::network::City;
use nanming_simulators::sumo_net::with_units;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use crate::classify::Classifier;
use crate::clock::{Clock, next_local_minute, wall_ms};
use crate::cluster::{Cluster, ClusterError};
use crate::config::{Config, ConfigError};
use crate::door::{self, Arrival, Exits, Inbox, TickRecord};
use crate::engine::{Engine, Stopped};
use crate::health::Health;
use crate::http::{Access, App, Travel, Viid, Wechat};
use crate::ingest::{Callers, DeadLetters, Validator};
use crate::ledger::{Book, Keeper, Kept, Ledger, LedgerError, RestoredRosters, keep};
use crate::metrics::Metrics;
use crate::publish::{Acceptances, Board, Bus, Duty, Files, Letters, Responses, RosterBoard, Street, Terminals};
use crate::recording::{Recorder, RecordingError, Writer};
use crate::retention::Retention;
use crate::snapshots::{Keeping, Opened, Restored, Snapshots};

mod controllers;
mod exposure;
mod follower;
mod kafka;
mod simulator;
mod surface;
mod webhooks;
use controllers::Outside;
use kafka::{Kafka, Sources};
use simulator::Ears;

/// Finished ticks that may wait for the ledger, and committed ones for the sinks, before the engine is held back.
const TICKS: usize = 2_048;
/// IDs that the engine gives to calls whose senders gave none.
pub(crate) const OWN_CALLS: std::ops::Range<u64> = 1..1 << 32;

/// Why a run fails.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The configuration makes no sense.
    #[error(transparent)]
    Config(#[from] crate::config::ConfigError),
    /// The rules by which alarms are understood make no sense.
    #[error(transparent)]
    Rules(#[from] crate::classify::RulesError),
    /// The city cannot be had.
    #[error(transparent)]
    City(#[from] crate::city_file::CityFileError),
    /// A roster makes no sense.
    #[error(transparent)]
    Roster(#[from] crate::rosters::RosterError),
    /// The ledger cannot be had.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The recording cannot be written.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The table of cameras makes no sense.
    #[error(transparent)]
    Cameras(#[from] crate::ingest::viid::TableError),
    /// The table of controllers makes no sense.
    #[error(transparent)]
    Controllers(#[from] Box<crate::controllers::TableError>),
    /// Two would answer for one junction.
    #[error(
        "controllers.table and the simulator, which has controllers of its own, cannot be used together: run with --no-sim, or \
         without the table"
    )]
    TwoStreets,
    /// A webhook makes no sense.
    #[error(transparent)]
    Webhook(#[from] crate::webhooks::OpenError),
    /// Kafka cannot be used so.
    #[error(transparent)]
    Kafka(#[from] crate::kafka::ClientError),
    /// Others could reach it who should not.
    #[error(transparent)]
    Exposed(#[from] exposure::Exposed),
    /// The certificate cannot be used.
    #[error(transparent)]
    Tls(#[from] crate::tls::TlsError),
    /// The address is taken or not ours.
    #[error("cannot listen on {0}: {1}; choose another with --listen 127.0.0.1:PORT")]
    Listen(std::net::SocketAddr, std::io::Error),
    /// A file, thread or socket cannot be made.
    #[error("{0}: {1}")]
    Io(&'static str, std::io::Error),
    /// The processes cannot come together.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A worker of the engine died.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// The ledger's disk lost something.
    #[error(
        "a sync of the ledger failed, so this engine ended itself once the disk worked again; nobody was told of what was not \
         written: start it again with the same ledger, which a service manager does by itself"
    )]
    Distrusted,
    /// A place to fail at makes no sense.
    #[error(transparent)]
    FailAt(#[from] crate::fail::Unknown),
    /// A thread died.
    #[error("the {0} thread panicked; the log above says where")]
    Panicked(&'static str),
    /// The end came before the ledger could commit.
    #[error("the last ticks could not be committed to the ledger; nobody was told of them")]
    Uncommitted,
}

/// What every part shares.
struct Shared {
    city: Arc<City>,
    rules: Arc<Classifier>,
    clock: Clock,
    metrics: Arc<Metrics>,
    health: Arc<Health>,
    letters: Arc<DeadLetters>,
    acceptances: Arc<Acceptances>,
    end: End,
}

/// Runs the city until it is interrupted, alone or as one process of a cluster.
pub fn run(config: &Config, cluster: Option<&Cluster>) -> Result<(), RunError> {
    crate::fail::arm()?;
    exposure::check(config)?;
    let tls = crate::tls::acceptor(&config.http)?;
    let mut city = city(config)?;
    set_rules(config, &mut city)?;
    crate::rosters::apply(config, &mut city)?;
    let listener = TcpListener::bind(config.http.listen).map_err(|e| RunError::Listen(config.http.listen, e))?;
    if cluster.is_some_and(|cluster| cluster.processes() > 1) && config.ingest.plate_key.expose().is_empty() {
        tracing::warn!(
            "ingest.plate_key is not set: each process of the cluster hashes plates with a key of its own, so a vehicle is \
             another one in each; set it to the same long random text in all"
        );
    }
    cluster.into_iter().for_each(Cluster::end_with_the_others);
    match cluster {
        Some(cluster) if !cluster.leads() => follower::follow(config, cluster, Arc::new(city), (listener, tls)),
        _ => run_city(config, cluster, Arc::new(city), (listener, tls)),
    }
}

/// The city of a configuration, with units.
pub fn city(config: &Config) -> Result<City, RunError> {
    let mut city = crate::city_file::load(config.city.file.as_deref(), config.city.seed)?;
    if city.units.is_empty() {
        with_units(&mut city, config.units(), 1);
    }
    Ok(city)
}

/// Sets how a city's lights are timed, its calls merged and dispatched. Its recording is played by the same rules.
pub(crate) fn set_rules(config: &Config, city: &mut City) -> Result<(), RunError> {
    config.signals.apply(city)?;
    config.classification.apply(city)?;
    Ok(config.apply_dispatch(city)?)
}

fn run_city(
    config: &Config,
    cluster: Option<&Cluster>,
    city: Arc<City>,
    (listener, tls): (TcpListener, Option<TlsAcceptor>),
) -> Result<(), RunError> {
    let ledger = Ledger::open(&config.ledger.path, config.ledger.signal_hours, &city)?;
    let last_tick = ledger.last_tick()?.unwrap_or(0);
    let writer = recording(config, &city)?;
    // A recording tells of each start of an engine, but not of what it knew: a recorded city begins anew, so that the recording
    // plays as it was.
    let before = if writer.is_none() { Some(snapshots(config, cluster, &city)?) } else { None };
    // Killed in between, a city has recorded ticks, or has snapshots of them, that its ledger never got: it goes on after them.
    let kept_to =
        writer.as_ref().and_then(Writer::last_tick).max(before.as_ref().map(|before| before.opened.found.tick));
    let known_to = kept_to.unwrap_or(0).max(last_tick);
    let clock = Clock::starting_at(start_ms(config, &city, known_to)?, config.clock.speed);
    let shared = share(config, city, clock)?;
    let _retention = {
        let clock = shared.clock.clone();
        Retention::start(config, ledger.trust(), last_tick, move || clock.now_ms())
            .map_err(|e| RunError::Io("retention", e))?
    };
    let (inbox, arrivals) = door::open(shared.clock.clone(), config.engine.inbox);
    let (ears, heard) = simulator::ears(config.simulator.enabled);
    let RestoredRosters { events, notes, .. } = rosters_before(&ledger, inbox.now_ms())?;
    let (facts, restored) = facts(&shared.city, &ledger, events, inbox.now_ms())?;
    if !facts.is_empty() {
        // The door was opened a moment ago and has room for one. They come before anything that is said of them.
        let _ = inbox.send_first(Arrival { events: facts, ..Arrival::default() });
    }
    let tasks = RosterBoard::new(&shared.city, notes);
    let app = App { tls, ..app(config, &shared, &ledger, inbox.clone(), &ears, (restored, tasks))? };
    let viid = Viid::new(&config.viid, &shared.city)?;
    let street = shared.street(&ears);
    let mut remembered = before.map(|before| before.go_on(shared.clock.start_ms(), &shared.metrics)).transpose()?;
    let known = ledger.offsets()?;
    let seen = remembered.as_ref().map(|known| &known.start.read);
    let sources = Sources { config, shared: &shared, inbox: &inbox, validator: &app.validator, cluster };
    let kafka = Kafka::start(&sources, (&known, seen, last_tick))?;
    let (bus, signals, feeds) = kafka::attach(kafka, bus(config, &shared, &app, ears)?);
    let outside = Outside::start(config, &shared, &inbox)?;
    let mut street = street.also_to(signals).also_to_fleet(outside.fleet.clone());
    let (bus, hooks) = webhooks::attach(config, &shared, &inbox, &known, outside.attach(bus))?;

    let (records, finished) = bounded(TICKS);
    let (committed, kept) = bounded(TICKS);
    let first = shared.clock.start_ms();
    let recorder = writer.map(|writer| Recorder::start(writer, Arc::clone(&shared.metrics))).transpose();
    let mut recorder = recorder.map_err(|e| RunError::Io("recorder", e))?;
    if cluster.is_some() && recorder.is_some() {
        tracing::warn!("only what arrives at this process is recorded: sensor events of the others are not");
    }
    let states = remembered.as_mut().map(|known| std::mem::take(&mut known.start.states)).unwrap_or_default();
    let mut engine = Engine::start_in(cluster, &shared.city, config.engine.workers, states)?;
    let (mut snapshots, remembering) = remembered.map(|known| (known.snapshots, known.keeping)).unzip();
    engine.tell(known.bookmarks());
    let keeper = keeper(&shared, ledger, finished, committed);
    let keeping = shared.start("ledger", move || keep(keeper))?;
    let publishing = shared.start("sinks", move || bus.run(&kept))?;
    let driving = shared.start("door", {
        let (clock, metrics) = (shared.clock.clone(), Arc::clone(&shared.metrics));
        move || {
            let recorder = recorder.as_mut();
            let exits = Exits { street: &mut street, records: &records, recorder, snapshots: snapshots.as_mut() };
            door::live(engine, clock, first, &arrivals, exits, &metrics)
        }
    })?;
    let simulating = heard.map(|heard| simulator::start(config, &shared, inbox.clone(), heard)).transpose()?;
    drop(inbox);
    announce(config, &shared.city, &listener);
    let served = surface::serve(listener, (app, viid), &shared);
    shared.end.come();
    // All are waited for before anything is told: who is well finishes its work.
    let simulated = simulating.map_or(Ok(()), |thread| joined("simulator", thread));
    let (driven, is_kept) = (joined("door", driving), joined("ledger", keeping));
    remembering.map_or(Ok(()), |thread| joined("snapshots", thread))?;
    joined("sinks", publishing)
        .and(simulated)
        .and(kafka::ended(feeds))
        .and(webhooks::ended(hooks))
        .and(outside.ended())?;
    driven??;
    served.map_err(|e| RunError::Io("http", e))?;
    match is_kept? {
        Kept::All => {}
        Kept::NotAll => return Err(RunError::Uncommitted),
        Kept::Distrusted => return Err(RunError::Distrusted),
    }
    let (ticks, events, p99_ms) =
        (shared.metrics.ticks_total(), shared.metrics.events_total(), shared.metrics.tick_p99_ms());
    let ledger = config.ledger.path.display();
    // All is kept: it is no failure when nobody reads this.
    let _ = crate::cli::out(format_args!(
        "{ticks} ticks, {events} events, tick p99 {p99_ms:.1} ms; the ledger is {ledger}\n"
    ));
    Ok(())
}

/// What the engine before this one remembered.
struct Before {
    opened: Opened,
    /// What machines are asked to save.
    kind: Kind,
    /// Whether vehicles go by the same names as before: those of plates change with the key.
    knows_vehicles: bool,
}

/// What this one starts with, and who keeps what it remembers.
struct Known {
    start: Restored,
    snapshots: Snapshots,
    keeping: Keeping,
}

/// The snapshots of this process: in a directory beside the ledger, for each process its own. Processes of a cluster save at
/// different ticks; of what they remember, only what was learned fits together.
fn snapshots(config: &Config, cluster: Option<&Cluster>, city: &City) -> Result<Before, RunError> {
    let process = cluster.map_or(0, Cluster::process);
    let ending = if process == 0 { "snapshots".to_owned() } else { format!("{process}.snapshots") };
    let opened = Opened::in_dir(&config.ledger.path.with_extension(ending), city);
    let kind = if cluster.is_some() { Kind::Learned } else { Kind::Seen };
    let knows_vehicles = config.simulator.enabled || !config.ingest.plate_key.expose().is_empty();
    Ok(Before { opened: opened.map_err(|e| RunError::Io("snapshots", e))?, kind, knows_vehicles })
}

impl Before {
    /// What of it is good for an engine that begins at `start_ms`.
    fn go_on(mut self, start_ms: u64, metrics: &Arc<Metrics>) -> Result<Known, RunError> {
        let found = std::mem::take(&mut self.opened.found);
        let start = found.for_start(if self.kind == Kind::Learned { u64::MAX } else { start_ms });
        let start = if self.knows_vehicles { start } else { start.without(&["sightings", "links"]) };
        if !start.states.is_empty() {
            let age_s = (start_ms != u64::MAX).then(|| start_ms.saturating_sub(start.tick) / 1000);
            tracing::info!(states = start.states.len(), age_s, "the engine goes on with what it knew");
        }
        let (snapshots, keeping) =
            self.opened.keep(&start, self.kind, Arc::clone(metrics)).map_err(|e| RunError::Io("snapshots", e))?;
        Ok(Known { start, snapshots, keeping })
    }
}

/// What a thread had to say in the end.
fn joined<T>(name: &'static str, thread: JoinHandle<T>) -> Result<T, RunError> {
    thread.join().map_err(|_| RunError::Panicked(name))
}

/// How everybody is told that all is to end: a flag for threads, a watch for tasks.
#[derive(Clone)]
struct End {
    flag: Arc<AtomicBool>,
    stopping: watch::Sender<bool>,
}

impl End {
    fn come(&self) {
        self.flag.store(true, Ordering::Relaxed);
        self.stopping.send_replace(true);
    }
}

/// Held by a thread: its end, panic or not, is everybody's.
struct EndsAll(End);

impl Drop for EndsAll {
    fn drop(&mut self) {
        self.0.come();
    }
}

impl Shared {
    fn start<T: Send + 'static>(
        &self,
        name: &'static str,
        body: impl FnOnce() -> T + Send + 'static,
    ) -> Result<JoinHandle<T>, RunError> {
        let ends_all = EndsAll(self.end.clone());
        let run = move || {
            let _ends_all = ends_all;
            body()
        };
        Builder::new().name(name.into()).spawn(run).map_err(|e| RunError::Io(name, e))
    }

    fn street(&self, ears: &Ears) -> Street {
        let (city, metrics) = (Arc::clone(&self.city), Arc::clone(&self.metrics));
        Street::new(city, metrics, self.clock.clone(), ears.controllers.clone())
    }
}

/// City time at the start, ms: never before the last tick known.
fn start_ms(config: &Config, city: &City, known_to: u64) -> Result<u64, RunError> {
    let earliest_ms = wall_ms().max(known_to);
    let ahead_s = known_to.saturating_sub(wall_ms()) / 1000;
    if ahead_s > 0 {
        tracing::warn!(
            ahead_s,
            "what is kept is ahead of this machine's clock, as after a fast run: city time goes on from there, and events of \
             today are late for it; for a city of today take another ledger with --ledger FILE (and another --record)"
        );
    }
    let Some(minute) = config.clock.start_minute()? else { return Ok(earliest_ms) };
    let start_ms = next_local_minute(earliest_ms, minute, city.utc_offset_min);
    tracing::info!(in_min = (start_ms - earliest_ms) / 60_000, "city time begins at the next {}", config.clock.start);
    Ok(start_ms)
}

fn share(config: &Config, city: Arc<City>, clock: Clock) -> Result<Shared, RunError> {
    let metrics = Arc::new(Metrics::new(&city));
    let letters = DeadLetters::open(Some(config.dead_letters()), config.retention.file_age(), Arc::clone(&metrics));
    Ok(Shared {
        letters: Arc::new(letters.map_err(|e| RunError::Io("dead letters", e))?),
        city,
        rules: Arc::new(config.classification.rules()?),
        clock,
        metrics,
        health: Arc::default(),
        acceptances: Arc::default(),
        end: End { flag: Arc::default(), stopping: watch::Sender::new(false) },
    })
}

/// Calls that were open when the ledger was last written, stages that are held, and what rosters knew: facts that go back
/// through the door; and what terminals are told.
fn facts(city: &City, ledger: &Ledger, rosters: Vec<RosterEvent>, now_ms: u64) -> Result<(Vec<Event>, Duty), RunError> {
    let (calls, in_force) = (ledger.open_calls()?, ledger.assignments_in_force()?);
    if !calls.is_empty() {
        tracing::info!(calls = calls.len(), assignments = in_force.len(), "open calls are taken up again");
    }
    let mut events: Vec<Event> = calls.iter().map(|(call, _)| Event::Call(*call)).collect();
    events.extend(ledger.crews()?.into_iter().map(Event::Call));
    let holds = ledger.holds_in_force(now_ms)?;
    let fits = |hold: &StageHold| {
        let junction = city.junctions.get(hold.junction.index());
        junction.zip(hold.stage).is_some_and(|(junction, stage)| usize::from(stage) < junction.stages.len())
    };
    let (held, strange): (Vec<StageHold>, Vec<StageHold>) = holds.into_iter().partition(fits);
    if !strange.is_empty() {
        tracing::warn!(holds = strange.len(), "stages were held that the city does not have any more");
    }
    if !held.is_empty() {
        tracing::info!(holds = held.len(), "stages are held on");
    }
    events.extend(held.into_iter().map(Event::Hold));
    events.extend(rosters.into_iter().map(Event::Roster));
    Ok((events, Duty::restored(&calls, &in_force)))
}

/// Tasks, points and absences of rosters, as the facts that go back through the door, and the words of tasks, for the board.
fn rosters_before(ledger: &Ledger, now_ms: u64) -> Result<RestoredRosters, RunError> {
    let restored = ledger.rosters(now_ms)?;
    if restored.strange > 0 {
        tracing::warn!(
            restored.strange,
            "the ledger has tasks, points or absences of rosters that name what these do not have any more"
        );
    }
    if !restored.notes.is_empty() {
        tracing::info!(tasks = restored.notes.len(), "open tasks of rosters are taken up again");
    }
    Ok(restored)
}

/// What comes in is checked by this.
fn validator(config: &Config, shared: &Shared) -> Result<Validator, ConfigError> {
    let settings = &config.ingest;
    let (plates, callers) = (settings.plates()?, Callers::new(settings.caller_key.expose()));
    let validator = Validator::new(Arc::clone(&shared.city), plates, callers, settings.future_ms, settings.late_ms);
    Ok(validator.with_rules(Arc::clone(&shared.rules)))
}

fn app(
    config: &Config,
    shared: &Shared,
    ledger: &Ledger,
    inbox: Inbox,
    ears: &Ears,
    (duty, rosters): (Duty, RosterBoard),
) -> Result<App, RunError> {
    let (city, metrics) = (&shared.city, &shared.metrics);
    let CallId(next_call) = ledger.next_call_id(OWN_CALLS)?;
    let (acceptances, manning) = (Arc::clone(&shared.acceptances), ears.manning.clone());
    let board = Arc::new(Board::new(Arc::clone(city), Arc::clone(metrics), Arc::clone(&shared.letters)));
    let terminals = Terminals::new(Arc::clone(city), Arc::clone(metrics), acceptances, duty, manning);
    let taken = ledger.answers_taken()?;
    Ok(App {
        city: Arc::clone(city),
        config: config.http.clone(),
        access: Access::new(config, metrics),
        tls: None,
        terminal_key: config.terminal_key().cloned(),
        roster_key: config.roster_key().cloned(),
        inbox,
        book: Book::open(&config.ledger.path)?,
        board: Arc::clone(&board),
        terminals: Arc::new(terminals.going_on(shared.clock.start_ms(), &taken).shown_on(board)),
        acceptances: Arc::clone(&shared.acceptances),
        letters: Arc::clone(&shared.letters),
        validator: Arc::new(validator(config, shared)?),
        metrics: Arc::clone(metrics),
        health: Arc::clone(&shared.health),
        rosters: Arc::new(rosters),
        next_task: AtomicU64::new(ledger.next_task_id(crate::rosters::OWN_TASKS)?),
        next_call: AtomicU64::new(next_call),
        wechat: Wechat::new(&config.wechat),
        travel: Travel::new(&config.travel, city, !config.simulator.enabled && config.clock.speed == 1.0),
        stop: shared.end.stopping.subscribe(),
    })
}

/// The sinks; whom people wait for come first. Terminals come before callers, who are asked when an alarm was posted.
fn bus(config: &Config, shared: &Shared, app: &App, ears: Ears) -> Result<Bus, RunError> {
    let metrics = Arc::clone(&shared.metrics);
    let mut bus = Bus::default()
        .with(Arc::clone(&app.terminals))
        .with(Arc::clone(&shared.acceptances))
        .with(Arc::clone(&app.rosters))
        .with(ears)
        .with(move |record: &Arc<TickRecord>| metrics.decided(&record.decisions))
        .with(Responses::new(Arc::clone(&shared.metrics)))
        .with(Letters(Arc::clone(&shared.letters)))
        .with(Arc::clone(&app.board));
    if let Some(dir) = &config.output.jsonl {
        let bound = config.output.file_mib << 20;
        let files = Files::append(dir, &shared.city, bound, config.retention.file_age());
        bus = bus.with(files.map_err(|e| RunError::Io("JSON Lines files", e))?);
    }
    Ok(bus)
}

/// What records the ticks, if they are to be recorded.
fn recording(config: &Config, city: &City) -> Result<Option<Writer>, RecordingError> {
    let Some(dir) = &config.record.dir else { return Ok(None) };
    Writer::open(dir, city, concat!("nanming run ", env!("CARGO_PKG_VERSION")), config.record.bounds()).map(Some)
}

fn keeper(
    shared: &Shared,
    ledger: Ledger,
    records: crossbeam_channel::Receiver<TickRecord>,
    committed: Sender<Arc<TickRecord>>,
) -> Keeper {
    let (health, metrics, stop) =
        (Arc::clone(&shared.health), Arc::clone(&shared.metrics), Arc::clone(&shared.end.flag));
    Keeper { ledger, records, committed, health, metrics, stop }
}

fn announce(config: &Config, city: &City, listener: &TcpListener) {
    let address = listener.local_addr().unwrap_or(config.http.listen);
    let (junctions, cameras, units) = (city.junctions.len(), city.cameras.len(), city.units.len());
    tracing::info!(city = city.name, junctions, cameras, units, "the city runs; Ctrl-C ends it");
    tracing::info!("the page is at {}://{address}", exposure::scheme(config));
    exposure::warn(config);
}

#[cfg(test)]
mod tests;
