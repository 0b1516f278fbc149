//! The surface of a process that follows in a cluster: health, measures, and sensor events. Calls, answers and what people
//! read are the leader's.

use std::io;
use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Extension, Json, Router, middleware};
use nanming_dataflows::decision::Reason;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;

use super::access::{self, Access, Asker};
use super::connections::{self, Patience, Places};
use super::lines::may_send;
use super::{Problem, Sensors, cameras, guard, ingest as lines, status};
use crate::door::Arrival;
use crate::health::Health;
use crate::ingest::{Unfit, sensed, stream_of};

/// What it works with.
pub struct FollowerApp {
    /// The doors for sensors.
    pub sensors: Sensors,
    /// Who may do what.
    pub access: Arc<Access>,
    /// What takes connections with TLS, where they have it.
    pub tls: Option<TlsAcceptor>,
    /// Whether the engine lives.
    pub health: Arc<Health>,
    /// Turns true when the process is to end.
    pub stop: watch::Receiver<bool>,
}

struct Follower {
    sensors: Arc<Sensors>,
    health: Arc<Health>,
}

/// Serves until the process is to end.
pub async fn serve_follower(listener: TcpListener, app: FollowerApp) -> io::Result<()> {
    let FollowerApp { sensors, access, tls, health, stop } = app;
    let (patience, body_bytes) = (Patience::of(&sensors.config), sensors.config.body_bytes);
    let (places, hosts) = (Places::within_limit(0), guard::Hosts::of(&sensors.config));
    let follower = Follower { sensors: Arc::new(sensors), health };
    let router = cameras(Router::new(), &follower.sensors)
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .route("/api/ingest", post(ingest))
        .fallback(elsewhere)
        .layer(DefaultBodyLimit::max(body_bytes))
        .layer(middleware::from_fn_with_state(access, access::admit))
        .layer(middleware::from_fn_with_state(hosts, guard::guard))
        .layer(middleware::map_response(guard::headers))
        .with_state(Arc::new(follower));
    connections::serve(listener, router, (places.connections, patience), tls, stop).await
}

async fn healthz(State(follower): State<Arc<Follower>>) -> Response {
    status::of(&follower.health)
}

async fn metrics(State(follower): State<Arc<Follower>>) -> Response {
    status::measures(&follower.sensors)
}

async fn ingest(
    State(follower): State<Arc<Follower>>,
    Extension(asker): Extension<Asker>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let (door, now_ms) = (&follower.sensors, follower.sensors.inbox.now_ms());
    let held = door.intake.lines(request, &door.metrics, &door.letters, now_ms).await?;
    let (mut events, mut rejected) = (Vec::new(), Vec::new());
    for (row, raw) in held.bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).enumerate() {
        match door.validator.event(raw, now_ms).and_then(|(event, _)| sensed(&event).map(|()| event)) {
            _ if raw.is_empty() => {}
            Ok(event) if let Err(problem) = may_send(&asker, &event) => {
                door.metrics.http_refused("ingest", problem.error());
                rejected.push(json!({"line": row + 1, "reason": problem.error(), "detail": problem.detail()}));
            }
            Ok(event) => events.push(event),
            Err(Unfit { reason, detail }) => {
                door.letters.bury(now_ms, stream_of(raw), reason, &detail, raw);
                rejected.push(json!({"line": row + 1, "reason": reason.as_str(), "detail": detail}));
            }
        }
    }
    let (accepted, refused) = (events.len(), rejected.len());
    door.inbox.send_async(Arrival { events, ..Arrival::default() }).await?;
    rejected.truncate(lines::TOLD);
    Ok(Json(json!({"accepted": accepted, "rejected": rejected, "rejected_total": refused})))
}

async fn elsewhere() -> Problem {
    let detail = "this process follows in a cluster and serves /healthz, /metrics, /VIID/ and POST /api/ingest of sensor \
                  events; all the rest is at process 0";
    Problem::new(StatusCode::MISDIRECTED_REQUEST, Reason::NotTheLeader.as_str(), detail)
}
