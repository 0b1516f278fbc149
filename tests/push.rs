//! Push over bad links: terminals die in the middle of it, say things twice and in the wrong order, and all go at once.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use futures_util::{SinkExt, StreamExt};
use nanming_dataflows::network::City;
use nanming_simulators::sumo_net::with_units;
use nanming_simulators::town;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{WebSocketStream, client_async};

use crate::running::Running;

const TERMINALS: usize = 500;
const CALLS: u64 = 60;
/// Calls that are raised while nobody is connected.
const UNHEARD: u64 = 20;

/// How a unit behaves, by its number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// Its link dies when it is told, before it can answer; it comes back.
    Dies,
    /// Says everything twice.
    Twice,
    /// Says things in the wrong order.
    Disorderly,
    Declines,
    /// Arrives, and stays.
    Stays,
}

impl Manner {
    fn of(unit: usize) -> Manner {
        [Manner::Dies, Manner::Twice, Manner::Disorderly, Manner::Declines, Manner::Stays][unit % 5]
    }

    fn answers(self) -> &'static [&'static str] {
        match self {
            Manner::Dies => &["accept", "arrived", "closed"],
            Manner::Twice => &["accept", "accept", "arrived", "arrived", "closed", "closed"],
            Manner::Disorderly => &["arrived", "accept", "closed", "accept"],
            Manner::Declines => &["decline", "decline"],
            Manner::Stays => &["accept", "arrived"],
        }
    }
}

/// What terminals were told: by unit, each frame by its ID.
#[derive(Default)]
struct Told {
    frames: BTreeMap<usize, BTreeMap<u64, Value>>,
    /// Answers that were refused, by reason.
    refused: BTreeMap<String, usize>,
}

impl Told {
    /// Takes a frame of a unit; whether it is new.
    fn take(&mut self, unit: usize, frame: &Value) -> bool {
        if frame["type"] == "ack_result" {
            if let Some(reason) = frame["reason"].as_str() {
                *self.refused.entry(reason.into()).or_default() += 1;
            }
            return true;
        }
        let Some(id) = frame["id"].as_u64().filter(|_| frame["type"] != "current") else { return true };
        assert_eq!(frame["unit"], json!(unit), "somebody else's: {frame}");
        let known = self.frames.entry(unit).or_default().insert(id, frame.clone());
        known.inspect(|known| assert_eq!(known["assignment"], frame["assignment"], "one ID, two frames")).is_none()
    }

    fn last(&self, unit: usize) -> u64 {
        self.frames.get(&unit).and_then(|frames| frames.keys().next_back().copied()).unwrap_or_default()
    }

    /// Assignments that arrived at the terminals of a unit.
    fn assignments(&self) -> BTreeSet<(usize, String)> {
        let of = |(unit, frames): (&usize, &BTreeMap<u64, Value>)| {
            let assigned = frames.values().filter(|frame| frame["type"] == "assignment");
            assigned.map(|frame| (*unit, frame["assignment"].as_str().unwrap().to_owned())).collect::<Vec<_>>()
        };
        self.frames.iter().flat_map(of).collect()
    }
}

/// Terminals of all units.
struct Terminals {
    address: SocketAddr,
    city: City,
    told: Arc<Mutex<Told>>,
}

impl Terminals {
    /// Connects all.
    fn connect(self: &Arc<Self>, runtime: &Runtime) -> Vec<JoinHandle<()>> {
        (0..TERMINALS).map(|unit| runtime.spawn(Arc::clone(self).serve(unit))).collect()
    }

    async fn serve(self: Arc<Self>, unit: usize) {
        while self.session(unit).await {}
    }

    /// Until its link dies; whether it comes back.
    async fn session(&self, unit: usize) -> bool {
        let after = self.told.lock().unwrap().last(unit);
        let url = format!("ws://{}/ws/terminal?unit={unit}&after={after}", self.address);
        let stream = TcpStream::connect(self.address).await.unwrap();
        let (mut socket, _) = client_async(url, stream).await.unwrap();
        let (lon, lat) = self.city.units[unit].post.to_lon_lat(self.city.origin).degrees();
        say(&mut socket, &json!({"type": "report", "lon": lon, "lat": lat, "status": "ready"})).await;
        while let Some(Ok(message)) = socket.next().await {
            let Message::Text(text) = message else { continue };
            let frame: Value = serde_json::from_str(&text).unwrap();
            let is_new = self.told.lock().unwrap().take(unit, &frame);
            if frame["type"] != "assignment" {
                continue;
            }
            if is_new && Manner::of(unit) == Manner::Dies {
                return true;
            }
            for answer in Manner::of(unit).answers() {
                say(&mut socket, &json!({"type": "ack", "assignment": frame["assignment"], "answer": answer})).await;
            }
            // One that is nobody's business here.
            say(&mut socket, &json!({"type": "ack", "assignment": "999999.1", "answer": "accept"})).await;
        }
        false
    }
}

async fn say(socket: &mut WebSocketStream<TcpStream>, frame: &Value) {
    let _it_may_have_ended = socket.send(Message::text(frame.to_string())).await;
}

fn city() -> City {
    let mut city = town::small(2, 2, 1);
    let more = TERMINALS - city.units.len();
    with_units(&mut city, more, 1);
    city.units.iter_mut().for_each(|unit| unit.shift_min = (0, 0));
    city
}

fn raise(running: &Running, city: &City, calls: std::ops::Range<u64>) {
    for call in calls {
        let post = city.units[(call * 37) as usize % TERMINALS].post;
        let (lon, lat) = post.to_lon_lat(city.origin).degrees();
        let alarm = json!({"id": call, "priority": "B", "lon": lon, "lat": lat, "words": "救命"});
        assert_eq!(running.post("/calls", &alarm.to_string()).0, 201);
    }
}

/// Whether a call is closed, or in the hands of one that stays.
fn is_settled(page: &Value) -> bool {
    let stays = page["unit"]["id"].as_u64().is_some_and(|unit| Manner::of(unit as usize) == Manner::Stays);
    page["phase"] == "closed" || (page["phase"] == "arrived" && stays)
}

#[test]
fn over_bad_links_every_call_has_one_unit_and_nothing_is_lost_or_somebody_elses() {
    let (dir, city) = (tempfile::tempdir().unwrap(), city());
    nanming::city_file::write(&city, &dir.path().join("town.json")).unwrap();
    let running = Running::start_in(dir, &["--no-sim"]);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let told = Arc::<Mutex<Told>>::default();
    let terminals = Arc::new(Terminals { address: running.address, city: city.clone(), told: Arc::clone(&told) });
    let links = terminals.connect(&runtime);
    running.wait_for("units", || running.measures(&format!("nanming_units_available {TERMINALS}")));
    raise(&running, &city, 1..CALLS + 1);
    let page = |call: u64| running.get(&format!("/calls/{call}")).1;
    running.wait_for("answers", || (1..CALLS + 1).all(|call| is_settled(&page(call))));

    links.iter().for_each(JoinHandle::abort);
    running.wait_for("silence", || running.measures("nanming_terminals_connected 0"));
    raise(&running, &city, CALLS + 1..CALLS + UNHEARD + 1);
    let _links = terminals.connect(&runtime);
    let all = || (1..CALLS + UNHEARD + 1).map(page);
    running.wait_for("what was missed", || all().all(|page| is_settled(&page)));

    let (mut held, told) = (BTreeSet::new(), told.lock().unwrap());
    let arrived = told.assignments();
    for page in all() {
        let unit = page["unit"]["id"].as_u64().unwrap() as usize;
        if page["phase"] == "arrived" {
            assert!(held.insert(unit), "one unit on two calls: {page}");
        }
        let mut sent = BTreeSet::new();
        for line in page["history"].as_array().unwrap().iter().filter(|line| line["phase"] == "assigned") {
            let assignment = line["assignment"].as_str().unwrap().to_owned();
            let to = (line["unit"].as_u64().unwrap_or(unit as u64) as usize, assignment.clone());
            assert!(arrived.contains(&to), "{to:?} was never told: {page}");
            assert!(sent.insert(assignment), "one assignment to two: {page}");
        }
        assert_eq!(
            sent.len() as u64,
            arrived.iter().filter(|(_, a)| a.starts_with(&format!("{}.", page["call"]))).count() as u64
        );
    }
    let reasons: Vec<&str> = told.refused.keys().map(String::as_str).collect();
    assert!(reasons.contains(&"unknown_assignment"), "{reasons:?}");
    assert!(running.measures("nanming_ledger_conflicts_total 0"));
}
