//! Alerts for other systems: a feed, and a CAP message for each.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::shelf::Shelf;
use super::{Problem, Refusal, Surface, asked, gate};
use crate::travel::{atom, cap};

/// `GET /api/travel/alerts.atom`.
pub(super) async fn feed(State(surface): State<Arc<Surface>>, headers: HeaderMap) -> Result<Response, Refusal> {
    let travel = surface.app.travel.as_ref().ok_or_else(gate::off)?;
    let voice = travel.voice.clone();
    let make = move |shelf: &Shelf| {
        let picture = &shelf.picture;
        atom::feed(&voice, &picture.streets, &picture.notices, picture.traffic.time_ms).into_bytes()
    };
    travel.shelved(|shelf| &shelf.alerts, (&headers, "application/atom+xml"), make).await
}

/// `GET /api/travel/alerts/{id}`.
pub(super) async fn one(
    State(surface): State<Arc<Surface>>,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
) -> Result<Response, Refusal> {
    let travel = surface.app.travel.as_ref().ok_or_else(gate::off)?;
    let (id, shelf, voice) = (asked::named(id)?, travel.filled()?, travel.voice.clone());
    let gone = || Problem::not_found("no such alert stands; /api/travel/alerts.atom lists those that do");
    let make = move || {
        let (streets, notices) = (&shelf.picture.streets, &shelf.picture.notices);
        let notice = notices.iter().find(|notice| notice.id(&streets.city.name) == id).ok_or_else(gone)?;
        Ok(cap::message(&voice, streets, notice).into_bytes())
    };
    travel.own((&headers, atom::CAP_MIME), make).await
}
