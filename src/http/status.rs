//! Whether the engine lives, its measures, and the description of this surface.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::{Sensors, Surface};
use crate::health::Health;

/// The OpenAPI description.
pub(super) const OPENAPI: &str = include_str!("openapi.json");

/// `GET /healthz`.
pub(super) async fn healthz(State(surface): State<Arc<Surface>>) -> Response {
    of(&surface.app.health)
}

/// How the engine is.
pub(super) fn of(health: &Health) -> Response {
    let mut body = json!({"ok": true, "tick": health.last_tick(), "lag_ms": health.lag_ms()});
    if let Some(reached) = health.kafka() {
        body["kafka"] = if reached { "up" } else { "down" }.into();
        body["degraded"] = (!reached).into();
    }
    match health.complaint() {
        None => Json(body).into_response(),
        Some(complaint) => {
            body["ok"] = false.into();
            body["error"] = complaint.into();
            (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
        }
    }
}

/// `GET /metrics`.
pub(super) async fn metrics(State(surface): State<Arc<Surface>>) -> Response {
    measures(&surface.sensors)
}

/// The measures of a process.
pub(super) fn measures(sensors: &Sensors) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], sensors.measured()).into_response()
}

/// `GET /openapi.json`.
pub(super) async fn openapi() -> Response {
    ([(CONTENT_TYPE, "application/json")], OPENAPI).into_response()
}
