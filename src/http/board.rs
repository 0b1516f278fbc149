//! Single things of the live board.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use nanming_dataflows::decide::forecast::LEADS_MIN;
use nanming_dataflows::ids::{JunctionId, LinkId};
use serde::Deserialize;
use serde_json::Value;

use super::{Problem, Surface};

/// `GET /api/links/{id}`.
pub(super) async fn link(State(surface): State<Arc<Surface>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let page = number(&id).and_then(|id| surface.app.board.read(|state| state.link_page(LinkId(id))));
    page.map(Json).ok_or_else(|| Problem::not_found(format!("the city has no link {id}")))
}

/// `GET /api/junctions/{id}`.
pub(super) async fn junction(
    State(surface): State<Arc<Surface>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let page = number(&id).and_then(|id| surface.app.board.read(|state| state.junction_page(JunctionId(id))));
    page.map(Json).ok_or_else(|| Problem::not_found(format!("the city has no junction {id}")))
}

/// What [`forecast`] is asked.
#[derive(Deserialize)]
pub(super) struct Wanted {
    lead: Option<String>,
}

/// `GET /api/forecast?lead=15`.
pub(super) async fn forecast(
    State(surface): State<Arc<Surface>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(wanted) = wanted.map_err(|e| Problem::new(e.status(), "malformed", e.body_text()))?;
    let text = wanted.lead.as_deref().unwrap_or("15");
    let lead = text.parse().ok().filter(|lead| LEADS_MIN.contains(lead));
    let complaint = || Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "out_of_range", "lead is 5, 10, .. 60 minutes");
    let lead = lead.ok_or_else(complaint)?;
    Ok(Json(surface.app.board.read(|state| state.forecast_map(lead))))
}

/// `GET /api/cover`.
pub(super) async fn cover(State(surface): State<Arc<Surface>>) -> Json<Value> {
    Json(surface.app.board.read(|state| state.cover_map()))
}

fn number(text: &str) -> Option<u32> {
    text.parse().ok()
}
