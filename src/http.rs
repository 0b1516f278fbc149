//! The HTTP, WebSocket and event-stream surface, as docs/api.md has it. It reads the board and the book, and hands what
//! people send to the door; it decides nothing.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use nanming_dataflows::network::City;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio_rustls::TlsAcceptor;

use crate::config::{HttpConfig, Secret};
use crate::door::Inbox;
use crate::health::Health;
use crate::ingest::{DeadLetters, Validator};
use crate::ledger::Book;
use crate::metrics::Metrics;
use crate::publish::{Acceptances, Board, RosterBoard, Terminals};

mod access;
mod board;
mod body;
mod calls;
mod city;
mod connections;
mod events;
mod follower;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzzing;
mod geojson;
mod guard;
mod ingest;
mod intake;
mod keys;
mod lines;
mod packed;
mod page;
mod problem;
mod rosters;
mod routes;
mod rules;
mod sensors;
mod sockets;
mod status;
mod travel;
mod viid;
mod wechat;

pub use access::Access;
pub use follower::{FollowerApp, serve_follower};
pub use problem::Problem;
pub use rules::{Proof, RULES, Rule};
pub use sensors::Sensors;
pub use travel::Travel;
pub use viid::Viid;
pub use wechat::Wechat;

/// Largest body that says something to a roster, bytes.
const ROSTER_BYTES: usize = 64 << 10;

/// What the surface works with.
pub struct App {
    /// The city.
    pub city: Arc<City>,
    /// Settings.
    pub config: HttpConfig,
    /// Who may do what.
    pub access: Arc<Access>,
    /// What takes connections with TLS, where they have it.
    pub tls: Option<TlsAcceptor>,
    /// Key of the tokens of terminals; none: they need no token.
    pub terminal_key: Option<Secret>,
    /// Key of the tokens of persons of rosters, where they need one.
    pub roster_key: Option<Secret>,
    /// The door.
    pub inbox: Inbox,
    /// The reading end of the ledger.
    pub book: Book,
    /// The live board.
    pub board: Arc<Board>,
    /// Terminals and desks.
    pub terminals: Arc<Terminals>,
    /// Callers who wait.
    pub acceptances: Arc<Acceptances>,
    /// Where refused input goes.
    pub letters: Arc<DeadLetters>,
    /// Checks what comes in.
    pub validator: Arc<Validator>,
    /// Measures.
    pub metrics: Arc<Metrics>,
    /// Where rosters stand, and who waits for them.
    pub rosters: Arc<RosterBoard>,
    /// The next number for a task.
    pub next_task: AtomicU64,
    /// Whether the engine lives.
    pub health: Arc<Health>,
    /// The next ID for a call whose sender gave none.
    pub next_call: AtomicU64,
    /// The WeChat account, where there is one.
    pub wechat: Option<Wechat>,
    /// Public travel information, where it is on.
    pub travel: Option<Arc<Travel>>,
    /// Turns true when the engine is to end.
    pub stop: watch::Receiver<bool>,
}

/// The app and what the surface itself holds.
pub(crate) struct Surface {
    pub(crate) app: App,
    pub(crate) maps: city::Maps,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) sensors: Arc<Sensors>,
}

/// Serves until the engine is to end and every connection has been closed in good order.
pub async fn serve(listener: TcpListener, app: App, viid: Option<Viid>) -> io::Result<()> {
    let (stop, patience, tls) = (app.stop.clone(), connections::Patience::of(&app.config), app.tls.clone());
    let places = connections::Places::within_limit(app.config.streams);
    let streams = Arc::new(Semaphore::new(places.streams));
    let told = (&app.letters, &app.metrics);
    let sensors = Sensors::new(&app.config, &app.city, app.inbox.clone(), &app.validator, told, viid);
    let (maps, sensors) = (city::Maps::default(), Arc::new(sensors));
    let surface = Arc::new(Surface { app, maps, streams: Arc::clone(&streams), sensors });
    connections::serve(listener, router(surface), (places.connections, patience), tls, stop).await?;
    // WebSockets are not the server's any more: each gives its place back when it has said goodbye.
    let _all_places = streams.acquire_many(places.streams as u32).await;
    Ok(())
}

fn router(surface: Arc<Surface>) -> Router {
    let body_bytes = surface.app.config.body_bytes;
    let (hosts, access) = (guard::Hosts::of(&surface.app.config), Arc::clone(&surface.app.access));
    let mut router = travel::routes(cameras(Router::new(), &surface.sensors), &surface);
    for (path, methods) in routes::routes() {
        router = router.route(path, methods);
    }
    for (path, methods) in rosters::routes() {
        router = router.route(path, methods.layer(DefaultBodyLimit::max(ROSTER_BYTES)));
    }
    router
        .fallback(page::page)
        .method_not_allowed_fallback(problem::wrong_method)
        .layer(DefaultBodyLimit::max(body_bytes))
        .layer(middleware::from_fn_with_state(access, access::admit))
        .layer(middleware::from_fn_with_state(hosts, guard::guard))
        .layer(middleware::map_response(guard::headers))
        .with_state(surface)
}

/// Adds the routes of cameras.
fn cameras<S: Clone + Send + Sync + 'static>(router: Router<S>, sensors: &Arc<Sensors>) -> Router<S> {
    let routes = viid::routes().into_iter();
    routes.fold(router, |router, (path, methods)| router.route(path, methods.with_state(Arc::clone(sensors))))
}
