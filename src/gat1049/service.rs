//! The service: platforms are taken in, heard and told until the end.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nanming_dataflows::event::Event;
use nanming_dataflows::ids::JunctionId;
use nanming_dataflows::network::City;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, watch};
use tokio::time::{interval, sleep, timeout};

use super::client::Client;
use super::crosses::Notice;
use super::message::{Fault, Object, Split};
use super::{Crosses, Topic, numbers};
use crate::clock::Clock;
use crate::config::{Gat1049Config, Secret};
use crate::controllers::Fleet;
use crate::door::{Arrival, Inbox};
use crate::ingest::random_key;
use crate::metrics::Metrics;

/// Between two looks at what has changed.
const BEAT: Duration = Duration::from_secs(1);
/// Between two looks at whether a stage stands that a platform waits for.
const LOOK: Duration = Duration::from_millis(100);
/// After the system took no connection the next try comes so much later.
const BREATH: Duration = Duration::from_millis(100);
/// Changes that may wait for a slow platform.
const WAITING: usize = 64;
/// A platform takes what it is sent within so long, and logs in within as long.
const PATIENCE: Duration = Duration::from_secs(10);

/// What all platforms are served from.
pub struct Desk {
    pub(super) city: Arc<City>,
    pub(super) fleet: Option<Arc<Fleet>>,
    pub(super) users: BTreeMap<String, Secret>,
    pub(super) system: String,
    pub(super) version: String,
    pub(super) lock_max_s: u64,
    pub(super) lock_wait_s: u64,
    pub(super) agency: String,
    clock: Clock,
    pub(super) crosses: Arc<Crosses>,
    pub(super) metrics: Arc<Metrics>,
}

impl Desk {
    /// As configured.
    pub fn new(
        config: &Gat1049Config,
        (city, clock): (Arc<City>, Clock),
        fleet: Option<Arc<Fleet>>,
        crosses: Arc<Crosses>,
        metrics: Arc<Metrics>,
    ) -> Desk {
        let Gat1049Config { users, system, version, agency, lock_max_s, lock_wait_s, .. } = config.clone();
        Desk { city, fleet, users, system, version, lock_max_s, lock_wait_s, agency, clock, crosses, metrics }
    }

    /// The junction that an object names.
    pub(super) fn junction(&self, asked: &Object) -> Result<JunctionId, Fault> {
        self.junction_named(&asked.name, asked.field("CrossID").unwrap_or_default())
    }

    pub(super) fn junction_named(&self, object: &str, id: &str) -> Result<JunctionId, Fault> {
        let found = numbers::junction(&self.agency, &self.city, id);
        found.ok_or_else(|| Fault::new(object, "SDE_Failure", format!("the city has no CrossID '{id}'")))
    }

    /// What is asked for by name.
    pub(super) fn get(&self, asked: &Object) -> Result<Object, Fault> {
        let name = asked.field("ObjName").unwrap_or_default();
        let none = |why: String| Fault::new(name, "SDE_Failure", why);
        let topic = Topic::named(name).ok_or_else(|| none(format!("'{name}' is not told here")))?;
        let junction = self.junction_named(name, asked.field("ID").unwrap_or_default())?;
        self.crosses.now(topic, junction).ok_or_else(|| none("nothing is known of it yet".into()))
    }

    /// What is known now of some junctions; none: of all.
    pub(super) fn all_now(&self, topics: &[Topic], only: Option<&BTreeSet<JunctionId>>) -> Vec<Notice> {
        let junctions = self.city.junctions.iter().map(|junction| junction.id);
        let wanted = junctions.filter(|junction| only.is_none_or(|only| only.contains(junction)));
        let of = |junction| {
            topics.iter().filter_map(move |topic| {
                let object = self.crosses.now(*topic, junction)?;
                Some(Notice { topic: *topic, junction, object })
            })
        };
        wanted.flat_map(of).collect()
    }

    pub(super) fn seq(&self, count: u32) -> String {
        numbers::seq(&self.city, self.now_ms(), count)
    }

    /// City time, ms.
    pub(super) fn now_ms(&self) -> u64 {
        self.clock.now_ms()
    }
}

/// The service.
pub struct Service {
    desk: Arc<Desk>,
    inbox: Inbox,
    listener: std::net::TcpListener,
    heartbeat: Duration,
    traffic_ms: u64,
    places: Arc<Semaphore>,
    stop: watch::Receiver<bool>,
}

impl Service {
    /// On an address that is listened on already.
    pub fn new(
        desk: Desk,
        inbox: Inbox,
        listener: std::net::TcpListener,
        config: &Gat1049Config,
        stop: watch::Receiver<bool>,
    ) -> Service {
        let (heartbeat, traffic_ms) = (Duration::from_secs(config.heartbeat_s), config.traffic_s * 1000);
        let (desk, places) = (Arc::new(desk), Arc::new(Semaphore::new(config.platforms)));
        Service { desk, inbox, listener, heartbeat, traffic_ms, places, stop }
    }

    /// Serves until the end.
    pub async fn run(self) -> io::Result<()> {
        self.listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(self.listener)?;
        let (news, _) = broadcast::channel::<Arc<Vec<Notice>>>(WAITING);
        let (mut beat, mut stop) = (interval(BEAT), self.stop.clone());
        loop {
            tokio::select! {
                taken = listener.accept() => {
                    let Ok((socket, peer)) = taken else {
                        // As when no file is left.
                        sleep(BREATH).await;
                        continue;
                    };
                    // Who finds no place is hung up on.
                    let Ok(place) = Arc::clone(&self.places).try_acquire_owned() else {
                        tracing::warn!(%peer, "one command platform too many: see gat1049.platforms");
                        continue;
                    };
                    let (desk, news, stop) = (Arc::clone(&self.desk), news.subscribe(), self.stop.clone());
                    let (heartbeat, inbox) = (self.heartbeat, self.inbox.clone());
                    tokio::spawn(async move {
                        let metrics = Arc::clone(&desk.metrics);
                        metrics.controllers.platforms(1);
                        serve((desk, inbox), socket, news, heartbeat, stop, place).await;
                        metrics.controllers.platforms(-1);
                    });
                }
                _ = beat.tick() => {
                    let notices = self.desk.crosses.beat(self.desk.clock.now_ms(), self.traffic_ms);
                    if !notices.is_empty() {
                        // Nobody may be there to hear it.
                        let _ = news.send(Arc::new(notices));
                    }
                }
                _ = stop.changed() => return Ok(()),
            }
        }
    }
}

async fn serve(
    (desk, inbox): (Arc<Desk>, Inbox),
    mut socket: TcpStream,
    mut news: broadcast::Receiver<Arc<Vec<Notice>>>,
    heartbeat: Duration,
    mut stop: watch::Receiver<bool>,
    _place: OwnedSemaphorePermit,
) {
    let (mut client, mut split, mut bytes) = (Client::default(), Split::default(), [0; 8192]);
    let (mut beats, began, mut heard) = (interval(heartbeat.min(PATIENCE)), Instant::now(), Instant::now());
    let (mut beaten, mut looks) = (Instant::now(), interval(LOOK));
    loop {
        let out: Vec<Vec<u8>> = tokio::select! {
            read = socket.read(&mut bytes) => {
                let Some(n) = read.ok().filter(|n| *n > 0) else { return };
                let Some(messages) = split.take(&bytes[..n]) else { return };
                heard = Instant::now();
                messages.iter().flat_map(|text| client.hear(&desk, text)).collect()
            }
            notices = news.recv() => match notices {
                Ok(notices) => client.notify(&desk, &notices),
                // It does not keep up: it may begin anew.
                Err(_) => return,
            },
            _ = beats.tick() => {
                let is_gone = heard.elapsed() > 3 * heartbeat;
                let is_nobody = !client.is_logged_in() && began.elapsed() > PATIENCE;
                if is_gone || is_nobody {
                    return;
                }
                let is_due = client.is_logged_in() && beaten.elapsed() >= heartbeat;
                is_due.then(|| {
                    beaten = Instant::now();
                    client.heartbeat(&desk)
                }).into_iter().collect()
            }
            _ = looks.tick(), if client.is_waiting() => client.look(&desk),
            _ = stop.changed() => return,
        };
        let events: Vec<Event> = client.holds().into_iter().map(Event::Hold).collect();
        if !events.is_empty() && inbox.send_async(Arrival { events, ..Arrival::default() }).await.is_err() {
            return;
        }
        let out = out.concat();
        let is_sent = matches!(timeout(PATIENCE, socket.write_all(&out)).await, Ok(Ok(())));
        if !is_sent || client.is_guessing() {
            return;
        }
    }
}

/// A token that nobody can guess.
pub(super) fn token() -> String {
    random_key().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
