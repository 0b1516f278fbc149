//! The surface of a process that follows in a cluster: health, measures, and sensor events. Calls, answers and what people
//! read are the leader's.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::Event;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::connections::{self, Places};
use super::intake::Intake;
use super::{Problem, ingest as lines};
use crate::config::HttpConfig;
use crate::door::{Arrival, Inbox};
use crate::health::Health;
use crate::ingest::{DeadLetters, Unfit, Validator, stream_of};
use crate::metrics::Metrics;

/// What it works with.
pub struct FollowerApp {
    /// The door.
    pub inbox: Inbox,
    /// Checks what comes in.
    pub validator: Validator,
    /// Where refused input goes.
    pub letters: Arc<DeadLetters>,
    /// Measures.
    pub metrics: Arc<Metrics>,
    /// Whether the engine lives.
    pub health: Arc<Health>,
    /// Settings.
    pub config: HttpConfig,
    /// Turns true when the process is to end.
    pub stop: watch::Receiver<bool>,
}

struct Follower {
    app: FollowerApp,
    intake: Intake,
}

/// Serves until the process is to end.
pub async fn serve_follower(listener: TcpListener, app: FollowerApp) -> io::Result<()> {
    let (stop, head, body_bytes) = (app.stop.clone(), Duration::from_secs(app.config.head_s), app.config.body_bytes);
    let places = Places::within_limit(0);
    let follower = Follower { intake: Intake::new(&app.config), app };
    let router = Router::new()
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .route("/api/ingest", post(ingest))
        .fallback(elsewhere)
        .layer(DefaultBodyLimit::max(body_bytes))
        .with_state(Arc::new(follower));
    connections::serve(listener, router, places.connections, head, stop).await
}

async fn healthz(State(follower): State<Arc<Follower>>) -> Response {
    let app = &follower.app;
    let complaint = app.health.complaint();
    let status = if complaint.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let (tick, lag_ms) = (app.health.last_tick(), app.health.lag_ms());
    (status, Json(json!({"ok": complaint.is_none(), "tick": tick, "lag_ms": lag_ms, "error": complaint})))
        .into_response()
}

async fn metrics(State(follower): State<Arc<Follower>>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], follower.app.metrics.render()).into_response()
}

async fn ingest(State(follower): State<Arc<Follower>>, request: Request) -> Result<Json<Value>, Problem> {
    let (app, now_ms) = (&follower.app, follower.app.inbox.now_ms());
    let held = follower.intake.lines(request, &app.metrics, &app.letters, now_ms).await?;
    let (mut events, mut rejected) = (Vec::new(), Vec::new());
    for (row, raw) in held.bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).enumerate() {
        match app.validator.event(raw, now_ms).and_then(|(event, _)| sensed(event)) {
            _ if raw.is_empty() => {}
            Ok(event) => events.push(event),
            Err(Unfit { reason, detail }) => {
                app.letters.bury(now_ms, stream_of(raw), reason, &detail, raw);
                rejected.push(json!({"line": row + 1, "reason": reason.as_str(), "detail": detail}));
            }
        }
    }
    let (accepted, refused) = (events.len(), rejected.len());
    app.inbox.send_async(Arrival { events, ..Arrival::default() }).await?;
    rejected.truncate(lines::TOLD);
    Ok(Json(json!({"accepted": accepted, "rejected": rejected, "rejected_total": refused})))
}

/// What a sensor saw; what the ledger keeps is refused here.
fn sensed(event: Event) -> Result<Event, Unfit> {
    match event {
        Event::Call(_) | Event::Ack(_) | Event::Unit(_) | Event::Case(_) | Event::Site(_) => Err(Unfit::new(
            Reason::NotTheLeader,
            "this process takes sensor events only; send it to process 0 of the cluster",
        )),
        sensed => Ok(sensed),
    }
}

async fn elsewhere() -> Problem {
    let detail = "this process follows in a cluster and serves /healthz, /metrics and POST /api/ingest of sensor events; all \
                  the rest is at process 0";
    Problem::new(StatusCode::MISDIRECTED_REQUEST, Reason::NotTheLeader.as_str(), detail)
}
