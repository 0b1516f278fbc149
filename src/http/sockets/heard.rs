//! What terminals say: answers to assignments, and reports.

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{Ack, Answer, AssignmentId, Event, UnitStatus};
use nanming_dataflows::ids::UnitId;
use serde::Deserialize;
use serde_json::json;

use super::super::App;
use crate::door::Arrival;
use crate::ingest::Unfit;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    Ack { assignment: AssignmentId, answer: Answer },
    Report { lon: f64, lat: f64, status: UnitStatus },
}

/// Hands what a unit's terminal says to the door; while the door is full, the terminal is not read. An error is the frame
/// that tells the terminal.
pub(super) async fn hear(app: &App, unit: UnitId, text: &[u8]) -> Result<(), String> {
    let now_ms = app.inbox.now_ms();
    let event = match understand(app, unit, text, now_ms) {
        Ok(event) => event,
        Err((stream, unfit)) => {
            app.letters.bury(now_ms, stream, unfit.reason, &unfit.detail, text);
            return Err(error(unfit.reason.as_str(), &unfit.detail));
        }
    };
    let sent = app.inbox.send_async(Arrival { events: vec![event], ..Arrival::default() }).await;
    sent.map_err(|closed| error("shutting_down", &closed.to_string()))
}

fn understand(app: &App, unit: UnitId, text: &[u8], time_ms: u64) -> Result<Event, (&'static str, Unfit)> {
    let said = serde_json::from_slice(text).map_err(|e| ("acks", Unfit::new(Reason::Malformed, e.to_string())))?;
    match said {
        Said::Ack { assignment, answer } => Ok(Event::Ack(Ack { time_ms, unit, assignment, answer })),
        Said::Report { lon, lat, status } => {
            let report = app.validator.report(unit, lon, lat, status, time_ms);
            report.map(Event::Unit).map_err(|unfit| ("units", unfit))
        }
    }
}

fn error(reason: &str, detail: &str) -> String {
    json!({"type": "error", "reason": reason, "detail": detail}).to_string()
}
