//! Travel times between two places.

use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Deserialize;

use super::{Problem, Refusal, Surface, asked, gate};
use crate::travel::{TripError, trip};

/// What [`time`] is asked.
#[derive(Deserialize)]
pub(super) struct Wanted {
    from: Option<String>,
    to: Option<String>,
    depart: Option<String>,
}

/// `GET /api/travel/time?from=lon,lat&to=lon,lat&depart=30`.
pub(super) async fn time(
    State(surface): State<Arc<Surface>>,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Refusal> {
    let travel = surface.app.travel.as_ref().ok_or_else(gate::off)?;
    let (wanted, shelf) = (asked::query(wanted)?, travel.filled()?);
    let (from, to) = (asked::place("from", wanted.from.as_deref())?, asked::place("to", wanted.to.as_deref())?);
    let depart_ms = asked::departure(wanted.depart.as_deref(), shelf.picture.traffic.time_ms)?;
    let make = move || {
        let trip = trip(&shelf.picture, from, to, depart_ms)?;
        Ok(trip.shown(&shelf.picture).to_string().into_bytes())
    };
    travel.own((&headers, "application/json"), make).await
}

impl From<TripError> for Refusal {
    fn from(error: TripError) -> Refusal {
        let word = match error {
            TripError::TooFar(..) => "too_far",
            TripError::NoWay => "no_way",
        };
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, word, error.to_string()).into()
    }
}
