//! Public travel information, as docs/travel.md has it: no key is asked for, every answer may be cached, and pages of other
//! sites may read it.
//!
//! What the public asks can hold up nobody else: an address asks so often and no more, what all ask alike is made once, and
//! what is made is made by one thread at a time, none of those that serve requests.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::get;
use nanming_dataflows::network::City;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::{Problem, Surface, page};
use crate::config::TravelConfig;
use crate::publish::Board;
use crate::travel::cap::Voice;
use crate::travel::limit::Limit;
use crate::travel::{Notices, Picture, Streets, Traffic, Watch};

mod alerts;
pub(super) mod asked;
pub(super) mod gate;
mod maps;
mod refusal;
mod roads;
mod shelf;
mod trips;
pub(super) use gate::client;
use refusal::Refusal;
use shelf::Shelf;

/// Whoever waits longer than this for something to be made is asked to come again.
const PATIENCE: Duration = Duration::from_secs(3);

/// Links that are read while the board is held.
const AT_A_TIME: usize = 256;

/// What travellers are told, and how often they may ask.
pub struct Travel {
    streets: Arc<Streets>,
    voice: Voice,
    config: TravelConfig,
    limit: Mutex<Limit>,
    began: Instant,
    /// Of who makes something.
    turn: Arc<Semaphore>,
    eyes: Mutex<(Watch, Notices)>,
    shelf: RwLock<Arc<Shelf>>,
}

impl Travel {
    /// For a city, real or not; none if it is off.
    pub fn new(config: &TravelConfig, city: &Arc<City>, is_real: bool) -> Option<Arc<Travel>> {
        if !config.enabled {
            return None;
        }
        let streets = Arc::new(Streets::new(Arc::clone(city)));
        Some(Arc::new(Travel {
            shelf: RwLock::new(Arc::new(Shelf::empty(Arc::clone(&streets)))),
            streets,
            voice: Voice { sender: config.sender.clone(), is_real },
            limit: Mutex::new(Limit::new(config.requests_per_minute)),
            config: config.clone(),
            began: Instant::now(),
            turn: Arc::new(Semaphore::new(1)),
            eyes: Mutex::default(),
        }))
    }

    /// Takes a new picture of the board, a few links at a time, so that no tick waits for it.
    pub fn look(&self, board: &Board) {
        let (time_ms, collisions) = board.read(|state| (state.time_ms(), state.collisions()));
        let all = self.streets.city.links.len();
        let some = |first| board.read(|state| state.outlooks(first..(first + AT_A_TIME).min(all), time_ms));
        let traffic = Traffic { time_ms, links: (0..all).step_by(AT_A_TIME).flat_map(some).collect() };
        let mut eyes = self.eyes.lock().unwrap_or_else(PoisonError::into_inner);
        let incidents = eyes.0.look(&self.streets, &traffic, &collisions);
        let notices = eyes.1.bring_up(traffic.time_ms, &incidents);
        let picture = Picture { streets: Arc::clone(&self.streets), traffic, incidents, notices };
        *self.shelf.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Shelf::new(picture));
    }

    /// Takes a picture every few seconds; at the start each second, until there is something to see.
    pub async fn keep_looking(self: Arc<Self>, board: Arc<Board>) {
        let mut seconds = interval(Duration::from_secs(1));
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        for second in 0.. {
            seconds.tick().await;
            if second % self.config.refresh_s == 0 || !self.shelf().is_filled() {
                let (travel, board) = (Arc::clone(&self), Arc::clone(&board));
                // A panic is in the log already; the next look may do better.
                let _ = spawn_blocking(move || travel.look(&board)).await;
            }
        }
    }

    fn shelf(&self) -> Arc<Shelf> {
        Arc::clone(&self.shelf.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The shelf, once there is something on it.
    fn filled(&self) -> Result<Arc<Shelf>, Refusal> {
        let shelf = self.shelf();
        let starting = || Problem::unavailable("starting", "the engine has just started; ask again in a second");
        if shelf.is_filled() { Ok(shelf) } else { Err(Refusal::after(starting(), 1)) }
    }

    /// Takes a token of an address; if there is none, after how many seconds there is one.
    fn take_token(&self, address: IpAddr) -> Result<(), u64> {
        let now_ms = self.began.elapsed().as_millis() as u64;
        self.limit.lock().unwrap_or_else(PoisonError::into_inner).take(address, now_ms)
    }

    /// Makes something when it is its turn, beside the threads that serve requests.
    async fn make<T: Send + 'static>(&self, job: impl FnOnce() -> T + Send + 'static) -> Result<T, Refusal> {
        let busy = || Refusal::after(Problem::unavailable("busy", "too many ask at once; ask again in a moment"), 2);
        let Ok(Ok(turn)) = timeout(PATIENCE, Arc::clone(&self.turn).acquire_owned()).await else { return Err(busy()) };
        let made = spawn_blocking(move || {
            let _turn = turn;
            job()
        });
        made.await.map_err(|_| Problem::broken("this could not be made; the engine's log says why").into())
    }
}

/// The routes, each with its name in the measures.
pub(super) const PATHS: [(&str, &str); 10] = [
    ("/travel", "page"),
    ("/api/travel/city", "city"),
    ("/api/travel/roads", "roads"),
    ("/api/travel/roads/{name}", "road"),
    ("/api/travel/congestion.geojson", "congestion"),
    ("/api/travel/levels", "levels"),
    ("/api/travel/time", "time"),
    ("/api/travel/incidents", "incidents"),
    ("/api/travel/alerts.atom", "alerts"),
    ("/api/travel/alerts/{id}", "alert"),
];

/// Adds the routes.
pub(super) fn routes(router: Router<Arc<Surface>>, surface: &Arc<Surface>) -> Router<Arc<Surface>> {
    let methods = [
        get(page::travel),
        get(maps::city),
        get(roads::list),
        get(roads::one),
        get(maps::congestion),
        get(maps::levels),
        get(trips::time),
        get(maps::incidents),
        get(alerts::feed),
        get(alerts::one),
    ];
    PATHS.into_iter().zip(methods).fold(router, |router, ((path, name), methods)| {
        router.route(path, methods.route_layer(from_fn_with_state((Arc::clone(surface), name), gate::gate)))
    })
}
