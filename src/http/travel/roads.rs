//! Congestion by road.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use serde::Deserialize;

use super::shelf::Shelf;
use super::{Problem, Refusal, Surface, asked, gate};
use crate::travel::{AHEAD_MIN, Roads};

const JSON: &str = "application/json";
/// Longest part of a name that is looked for, characters.
const LONGEST: usize = 64;

/// What [`list`] is asked.
#[derive(Deserialize)]
pub(super) struct Wanted {
    q: Option<String>,
    r#in: Option<String>,
}

/// `GET /api/travel/roads?q=..&in=15`.
pub(super) async fn list(
    State(surface): State<Arc<Surface>>,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Refusal> {
    let travel = surface.app.travel.as_ref().ok_or_else(gate::off)?;
    let wanted = asked::query(wanted)?;
    let in_min = asked::minutes(wanted.r#in.as_deref(), &AHEAD_MIN)?;
    let q: String = wanted.q.unwrap_or_default().trim().chars().take(LONGEST).collect();
    let shelf = travel.filled()?;
    let rows = shelf.rows.get_or_try_init(|| {
        let shelf = Arc::clone(&shelf);
        travel.make(move || Arc::new(Roads::new(&shelf.picture)))
    });
    let (rows, time_ms) = (Arc::clone(rows.await?), shelf.picture.traffic.time_ms);
    let made = move |q: &str| rows.list(time_ms, q, in_min).to_string().into_bytes();
    if q.is_empty() {
        let row = AHEAD_MIN.iter().position(|min| *min == in_min).map_or(0, |at| at + 1);
        return travel.shelved(|shelf: &Shelf| &shelf.roads[row], (&headers, JSON), move |_| made("")).await;
    }
    travel.own((&headers, JSON), move || Ok(made(&q))).await
}

/// `GET /api/travel/roads/{name}`.
pub(super) async fn one(
    State(surface): State<Arc<Surface>>,
    headers: HeaderMap,
    name: Result<Path<String>, PathRejection>,
) -> Result<Response, Refusal> {
    let travel = surface.app.travel.as_ref().ok_or_else(gate::off)?;
    let (name, shelf) = (asked::named(name)?, travel.filled()?);
    let none = move |name: &str| {
        Problem::not_found(format!(
            "no road is called '{name}'; /api/travel/roads?q= finds roads by a part of their name"
        ))
    };
    let made =
        move || shelf.picture.road(&name).map(|road| road.to_string().into_bytes()).ok_or_else(|| none(&name).into());
    travel.own((&headers, JSON), made).await
}
