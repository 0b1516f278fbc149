//! What terminals say: answers to assignments, and reports.

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{Ack, Answer, AssignmentId, Event, UnitStatus};
use nanming_dataflows::ids::UnitId;
use serde::Deserialize;
use serde_json::json;

use super::super::App;
use crate::door::Arrival;
use crate::ingest::{Unfit, Validator, object};

/// Characters of a reason that are passed on.
const WHY: usize = 100;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said {
    Ack {
        assignment: AssignmentId,
        answer: Answer,
        why: Option<String>,
    },
    Report {
        lon: f64,
        lat: f64,
        status: UnitStatus,
    },
    Seen {
        id: u64,
    },
    Ping,
    /// By somebody who is logged in already.
    Login {},
}

/// What a frame comes to.
pub(in crate::http) enum Meant {
    /// With why a unit declines, if it says so.
    ToTheDoor(Event, Option<String>),
    Seen(u64),
    Ping,
    Login,
}

/// Hands what a unit's terminal says to the door; while the door is full, the terminal is not read. What is to be answered at
/// once.
pub(super) async fn hear(app: &App, unit: UnitId, text: &[u8]) -> Option<String> {
    let now_ms = app.inbox.now_ms();
    match understand(&app.validator, unit, text, now_ms) {
        Ok(Meant::ToTheDoor(event, why)) => {
            if let (Event::Ack(ack), Some(why)) = (&event, why) {
                app.terminals.declines(ack, &why);
            }
            let sent = app.inbox.send_async(Arrival { events: vec![event], ..Arrival::default() }).await;
            sent.err().map(|closed| error("shutting_down", &closed.to_string()))
        }
        Ok(Meant::Seen(id)) => {
            app.terminals.seen(unit, id);
            None
        }
        Ok(Meant::Ping) => Some(json!({"type": "pong", "time_ms": now_ms}).to_string()),
        // It holds a token, which is nothing for the dead letters.
        Ok(Meant::Login) => Some(error("logged_in", "this terminal is logged in already")),
        Err((stream, unfit)) => {
            app.letters.bury(now_ms, stream, unfit.reason, &unfit.detail, text);
            Some(error(unfit.reason.as_str(), &unfit.detail))
        }
    }
}

/// Counts a frame that nobody can take; the frame that tells its sender.
pub(super) fn unreadable(app: &App, detail: &str, bytes: &[u8]) -> String {
    app.letters.bury(app.inbox.now_ms(), "acks", Reason::Malformed, detail, bytes);
    error(Reason::Malformed.as_str(), detail)
}

fn read(text: &[u8]) -> Result<Said, Unfit> {
    object(text)?;
    serde_json::from_slice(text).map_err(|e| Unfit::new(Reason::Malformed, e.to_string()))
}

pub(in crate::http) fn understand(
    validator: &Validator,
    unit: UnitId,
    text: &[u8],
    time_ms: u64,
) -> Result<Meant, (&'static str, Unfit)> {
    match read(text).map_err(|unfit| ("acks", unfit))? {
        Said::Ack { assignment, answer, why } => {
            let why = why.filter(|_| answer == Answer::Decline).map(|why| why.chars().take(WHY).collect());
            Ok(Meant::ToTheDoor(Event::Ack(Ack { time_ms, unit, assignment, answer }), why))
        }
        Said::Report { lon, lat, status } => {
            let report = validator.report(unit, lon, lat, status, time_ms);
            report.map(|report| Meant::ToTheDoor(Event::Unit(report), None)).map_err(|unfit| ("units", unfit))
        }
        Said::Seen { id } => Ok(Meant::Seen(id)),
        Said::Ping => Ok(Meant::Ping),
        Said::Login {} => Ok(Meant::Login),
    }
}

pub(in crate::http) fn error(reason: &str, detail: &str) -> String {
    json!({"type": "error", "reason": reason, "detail": detail}).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::fuzzing::FRAMES;

    #[test]
    fn the_frames_are_read_as_they_are() {
        assert!(FRAMES.iter().all(|frame| read(frame.as_bytes()).is_ok()));
    }
}
