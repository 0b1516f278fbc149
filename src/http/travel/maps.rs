//! Congestion of all links, and what is in the way.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use nanming_dataflows::decide::forecast::LEADS_MIN;
use serde::Deserialize;

use super::shelf::Shelf;
use super::{Refusal, Surface, asked, gate};

const JSON: &str = "application/json";

/// What [`congestion`] and [`levels`] are asked.
#[derive(Deserialize)]
pub(super) struct Wanted {
    r#in: Option<String>,
}

/// `GET /api/travel/congestion.geojson?in=15`.
pub(super) async fn congestion(
    State(surface): State<Arc<Surface>>,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Refusal> {
    let travel = surface.app.travel.as_ref().ok_or_else(gate::off)?;
    let in_min = asked::minutes(asked::query(wanted)?.r#in.as_deref(), &LEADS_MIN)?;
    let make = move |shelf: &Shelf| crate::travel::congestion(&shelf.picture, in_min).to_string().into_bytes();
    let step = usize::from(in_min / 5);
    travel.shelved(|shelf| &shelf.congestion[step], (&headers, "application/geo+json"), make).await
}

/// `GET /api/travel/levels?in=15`.
pub(super) async fn levels(
    State(surface): State<Arc<Surface>>,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Refusal> {
    let travel = surface.app.travel.as_ref().ok_or_else(gate::off)?;
    let in_min = asked::minutes(asked::query(wanted)?.r#in.as_deref(), &LEADS_MIN)?;
    let make = move |shelf: &Shelf| crate::travel::levels(&shelf.picture, in_min).to_string().into_bytes();
    let step = usize::from(in_min / 5);
    travel.shelved(|shelf| &shelf.levels[step], (&headers, JSON), make).await
}

/// `GET /api/travel/city`.
pub(super) async fn city(State(surface): State<Arc<Surface>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let travel = surface.app.travel.as_ref().ok_or_else(gate::off)?;
    let make = |shelf: &Shelf| crate::travel::city(&shelf.picture).to_string().into_bytes();
    travel.shelved(|shelf| &shelf.city, (&headers, JSON), make).await
}

/// `GET /api/travel/incidents`.
pub(super) async fn incidents(State(surface): State<Arc<Surface>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let travel = surface.app.travel.as_ref().ok_or_else(gate::off)?;
    let make = |shelf: &Shelf| crate::travel::incidents(&shelf.picture).to_string().into_bytes();
    travel.shelved(|shelf| &shelf.incidents, (&headers, JSON), make).await
}
