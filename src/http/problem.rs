//! What went wrong with a request, as the caller reads it: `{"error": "<reason>", "detail": "<what to do>"}`.

use axum::Json;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use nanming_dataflows::decision::Reason;
use serde_json::json;

use crate::door::Closed;
use crate::ingest::Unfit;
use crate::ledger::LedgerError;

/// An answer that is an error.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    error: &'static str,
    detail: String,
}

impl Problem {
    /// With a status, a reason and what to do.
    pub fn new(status: StatusCode, error: &'static str, detail: impl Into<String>) -> Problem {
        Problem { status, error, detail: detail.into() }
    }
    /// There is no such thing.
    pub fn not_found(detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::NOT_FOUND, "not_found", detail)
    }
    /// Something here went wrong that should not.
    pub fn broken(detail: &str) -> Problem {
        Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "broken", detail)
    }
    /// The engine does not take this now.
    pub fn unavailable(error: &'static str, detail: impl Into<String>) -> Problem {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, error, detail)
    }
    /// The status.
    pub fn status(&self) -> StatusCode {
        self.status
    }
    /// The reason as a word.
    pub fn error(&self) -> &'static str {
        self.error
    }
    /// What to do.
    pub fn detail(&self) -> &str {
        &self.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(json!({"error": self.error, "detail": self.detail}))).into_response()
    }
}

/// The status that fits a reason.
pub(super) fn status_of(reason: Reason) -> StatusCode {
    match reason {
        Reason::Malformed => StatusCode::BAD_REQUEST,
        Reason::UnknownCall | Reason::UnknownAssignment | Reason::UnknownTask => StatusCode::NOT_FOUND,
        Reason::DuplicateCall | Reason::CallClosed | Reason::StaleAssignment => StatusCode::CONFLICT,
        Reason::DuplicateTask | Reason::TaskOver | Reason::NoRoom => StatusCode::CONFLICT,
        Reason::NotYourAssignment | Reason::NotYourTask => StatusCode::FORBIDDEN,
        _ => StatusCode::UNPROCESSABLE_ENTITY,
    }
}

impl From<Unfit> for Problem {
    fn from(unfit: Unfit) -> Problem {
        Problem::new(status_of(unfit.reason), unfit.reason.as_str(), unfit.detail)
    }
}

impl From<Closed> for Problem {
    fn from(closed: Closed) -> Problem {
        Problem::unavailable("shutting_down", format!("{closed}; send it again to the engine that takes over"))
    }
}

impl From<LedgerError> for Problem {
    fn from(error: LedgerError) -> Problem {
        tracing::error!(%error, "the ledger cannot be read");
        Problem::unavailable("ledger_unavailable", "the ledger cannot be read; the engine's log says why")
    }
}

impl From<BytesRejection> for Problem {
    fn from(rejection: BytesRejection) -> Problem {
        match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "the body is too large: send it in parts")
            }
            status => Problem::new(status, "malformed", rejection.body_text()),
        }
    }
}

/// The path is right and the method is not.
pub(super) async fn wrong_method() -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", "see /openapi.json for the methods of this path")
}
