//! Which lines of `POST /api/ingest` a role may send: one way in, and each sender says what is theirs to say.

use axum::http::StatusCode;
use nanming_dataflows::event::{CallChange, Event};

use super::Problem;
use super::access::Asker;
use crate::roles::Role::{self, *};

/// The reason of lines that are not their sender's.
pub(super) const NOT_YOURS: &str = "not_your_role";

/// Whether somebody may send an event.
pub(super) fn may_send(asker: &Asker, event: &Event) -> Result<(), Problem> {
    let senders = senders(event);
    if asker.has(senders) {
        return Ok(());
    }
    let names: Vec<&str> = senders.iter().map(|role| role.as_str()).collect();
    let detail = format!("such a line of {} is sent by: {}", event.stream(), names.join(", "));
    Err(Problem::new(StatusCode::FORBIDDEN, NOT_YOURS, detail))
}

fn senders(event: &Event) -> &'static [Role] {
    match event {
        Event::Call(call) if matches!(call.change, CallChange::Opened(_)) => &[CallerChannel, Dispatcher],
        Event::Call(_) => &[Dispatcher],
        Event::Hold(_) => &[TrafficOperator],
        // By a system that speaks for all units, with a key of http.api_keys; a unit itself by its terminal.
        Event::Unit(_) | Event::Ack(_) => &[Unit],
        Event::Roster(_) => &[],
        _ => &[CameraPlatform],
    }
}
