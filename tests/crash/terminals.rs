//! Terminals of all units: each logs in with its token, comes back when its link dies, and says each answer until it is taken.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use nanming::clock::wall_ms;
use nanming::config::Secret;
use nanming::login_token::{Claim, Purpose, sign};
use nanming_dataflows::network::City;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::{WebSocketStream, client_async};

use super::told::Told;
use super::victim::Where;
use crate::envelope::below;

/// The key of their tokens.
pub(crate) const KEY: &str = "terminals of a city that is killed often";
/// Of so many assignments one is declined, and at one the link dies.
const OF: usize = 15;

/// How busy they are.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    /// Between two looks at what is to be said.
    pub(crate) look: Duration,
    /// A unit reports every so many.
    pub(crate) report: u32,
    /// Who finds nobody tries again after so long.
    pub(crate) retry: Duration,
}

struct Shared {
    at: Where,
    told: Told,
    city: City,
    pace: Pace,
}

/// What a unit has to say, by assignment, first things first.
type Tasks = BTreeMap<String, VecDeque<&'static str>>;

struct Terminal {
    shared: Arc<Shared>,
    unit: usize,
    token: String,
    random: ChaCha8Rng,
    after: u64,
    tasks: Tasks,
}

/// Connects all. They end with the runtime.
pub(crate) fn connect(at: &Where, told: &Told, city: &City, seed: u64, pace: Pace) -> Runtime {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let shared = Arc::new(Shared { at: at.clone(), told: told.clone(), city: city.clone(), pace });
    let key: Secret = serde_json::from_value(json!(KEY)).unwrap();
    for unit in 0..city.units.len() {
        let claim = Claim { who: city.units[unit].name.clone(), until_s: wall_ms() / 1000 + 24 * 3600 };
        let token = sign(&key, Purpose::Terminal, &claim);
        let random = ChaCha8Rng::seed_from_u64(seed ^ ((unit as u64) << 16));
        let shared = Arc::clone(&shared);
        let mut terminal = Terminal { shared, unit, token, random, after: 0, tasks: Tasks::new() };
        runtime.spawn(async move {
            loop {
                terminal.session().await;
                tokio::time::sleep(pace.retry).await;
            }
        });
    }
    runtime
}

impl Terminal {
    /// Until its link dies.
    async fn session(&mut self) -> Option<()> {
        let address = self.shared.at.now()?;
        let url = format!("ws://{address}/ws/terminal?after={}", self.after);
        let mut request = url.into_client_request().ok()?;
        request.headers_mut().insert("authorization", format!("Bearer {}", self.token).parse().ok()?);
        let (mut socket, _) = client_async(request, TcpStream::connect(address).await.ok()?).await.ok()?;
        let mut looks = 0;
        loop {
            match tokio::time::timeout(self.shared.pace.look, socket.next()).await {
                Ok(Some(Ok(Message::Text(text)))) => {
                    let frame = serde_json::from_str(&text).unwrap();
                    if !self.hear(&frame) {
                        return None;
                    }
                }
                Ok(Some(Ok(_))) => {}
                Ok(None | Some(Err(_))) => return None,
                Err(_) => {
                    if looks % self.shared.pace.report == 0 {
                        self.report(&mut socket).await?;
                    }
                    self.answer(&mut socket).await?;
                    looks += 1;
                }
            }
        }
    }

    /// Whether the link lives on.
    fn hear(&mut self, frame: &Value) -> bool {
        let name = frame["assignment"].as_str().unwrap_or_default();
        self.after = self.after.max(frame["id"].as_u64().unwrap_or_default());
        match frame["type"].as_str() {
            Some("assignment") if self.shared.told.assigned(self.unit as u64, frame) => {
                let declines = below(&mut self.random, OF) == 0;
                let all: &[&str] = if declines { &["decline"] } else { &["accept", "arrived", "closed"] };
                self.tasks.insert(name.to_owned(), all.iter().copied().collect());
                below(&mut self.random, OF) > 0
            }
            Some("withdrawn") => {
                self.tasks.remove(name);
                true
            }
            Some("ack_result") => {
                self.taken(name, frame["answer"].as_str().unwrap_or_default(), frame["ok"] == true);
                true
            }
            _ => true,
        }
    }

    fn taken(&mut self, name: &str, answer: &str, ok: bool) {
        let Some(left) = self.tasks.get_mut(name) else { return };
        if ok && left.front() == Some(&answer) {
            let said = left.pop_front().unwrap();
            self.shared.told.words().answers.insert((name.to_owned(), said));
        }
        // What is refused is somebody else's by now.
        if !ok || left.is_empty() {
            self.tasks.remove(name);
        }
    }

    async fn answer(&self, socket: &mut WebSocketStream<TcpStream>) -> Option<()> {
        for (name, left) in &self.tasks {
            let said = json!({"type": "ack", "assignment": name, "answer": left.front()?});
            socket.send(Message::text(said.to_string())).await.ok()?;
        }
        Some(())
    }

    async fn report(&self, socket: &mut WebSocketStream<TcpStream>) -> Option<()> {
        let post = self.shared.city.units[self.unit].post;
        let (lon, lat) = post.to_lon_lat(self.shared.city.origin).degrees();
        let status = match self.tasks.values().next().and_then(VecDeque::front) {
            None | Some(&"decline") => "ready",
            Some(&"closed") => "on_scene",
            Some(_) => "on_the_way",
        };
        let report = json!({"type": "report", "lon": lon, "lat": lat, "status": status});
        socket.send(Message::text(report.to_string())).await.ok()
    }
}
