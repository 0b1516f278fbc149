//! What the service answers: `ResponseStatusObject`s, alone or in a list, and the time.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::{Value, json};

use super::super::Sensors;
use crate::ingest::viid::local_stamp;

const MIME: &str = "application/VIID+JSON; charset=UTF-8";

/// The codes of the standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    Ok = 0,
    Refused = 1,
    Busy = 2,
    Invalid = 4,
    BadFormat = 7,
    BadContent = 8,
}

/// One `ResponseStatusObject`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Word {
    id: String,
    #[serde(rename = "RequestURL")]
    request_url: &'static str,
    status_code: u8,
    status_string: String,
    local_time: String,
}

impl Word {
    /// About a thing of a request.
    pub(super) fn new(door: &Sensors, request_url: &'static str, id: &str) -> Word {
        let local_time = local_stamp(door.inbox.now_ms(), door.city.utc_offset_min);
        Word { id: id.into(), request_url, status_code: 0, status_string: String::new(), local_time }
    }

    /// What became of it.
    pub(super) fn says(self, code: Code, why: &str) -> Word {
        Word { status_code: code as u8, status_string: why.chars().take(200).collect(), ..self }
    }

    /// As a whole answer.
    pub(super) fn alone(self, status: StatusCode) -> Response {
        answer(status, &json!({"ResponseStatusObject": self}))
    }
}

/// The answer to a batch: a word for each object, in its order.
pub(super) fn list(said: Vec<Word>) -> Response {
    answer(StatusCode::OK, &json!({"ResponseStatusListObject": {"ResponseStatusObject": said}}))
}

/// The city's local time. `TimeMode` 1: by the network.
pub(super) fn time(server: &str, local_time: &str, utc_offset_min: i32) -> Response {
    let (sign, ahead) = if utc_offset_min < 0 { ('-', -utc_offset_min) } else { ('+', utc_offset_min) };
    let zone = format!("UTC{sign}{:02}:{:02}", ahead / 60, ahead % 60);
    let time = json!({"VIIDServerID": server, "TimeMode": "1", "LocalTime": local_time, "TimeZone": zone});
    answer(StatusCode::OK, &json!({"SystemTimeObject": time}))
}

fn answer(status: StatusCode, body: &Value) -> Response {
    (status, [(CONTENT_TYPE, MIME)], body.to_string()).into_response()
}
