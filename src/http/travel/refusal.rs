//! What went wrong, as `application/problem+json` (RFC 9457): public answers are read by programs that know nothing of ours.

use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::Problem;

/// An answer that is an error.
pub(in crate::http) struct Refusal {
    problem: Problem,
    after_s: Option<u64>,
}

impl Refusal {
    /// One that may go well after some seconds.
    pub(super) fn after(problem: Problem, after_s: u64) -> Refusal {
        Refusal { problem, after_s: Some(after_s) }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Refusal {
        Refusal { problem, after_s: None }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, error) = (self.problem.status(), self.problem.error());
        let body = json!({
            "type": format!("urn:nanming:problem:{error}"), "title": error.replace('_', " "), "status": status.as_u16(),
            "detail": self.problem.detail(), "error": error,
        });
        let headers = [(CONTENT_TYPE, "application/problem+json"), (CACHE_CONTROL, "no-store")];
        let mut response = (status, headers, body.to_string()).into_response();
        if let Some(after_s) = self.after_s {
            response.headers_mut().insert(RETRY_AFTER, after_s.into());
        }
        response
    }
}
