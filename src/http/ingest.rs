//! `POST /api/ingest`: events as JSON Lines, as they are or packed. Good lines are taken whatever the bad ones are. Calls
//! among them are answered after their commit, like every call.

use std::sync::Arc;

use axum::Extension;
use axum::Json;
use axum::extract::{Request, State};
use futures_util::future::join_all;
use nanming_dataflows::event::Event;
use serde_json::{Value, json};

use super::access::Asker;
use super::calls::submit;
use super::lines::may_send;
use super::{App, Problem, Surface};
use crate::door::Arrival;
use crate::ingest::validate::Valid;
use crate::ingest::{Unfit, stream_of};

/// Rejections told of one request; all are counted.
pub(super) const TOLD: usize = 1000;

/// What a body holds.
#[derive(Default)]
struct Sorted {
    events: Vec<Event>,
    calls: Vec<(usize, Valid)>,
    rejected: Vec<Value>,
    refused: usize,
}

/// Takes a body.
pub(super) async fn post(
    State(surface): State<Arc<Surface>>,
    Extension(asker): Extension<Asker>,
    request: Request,
) -> Result<Json<Value>, Problem> {
    let app = &surface.app;
    let held = surface.sensors.intake.lines(request, &app.metrics, &app.letters, app.inbox.now_ms()).await?;
    let (checked, bytes) = (Arc::clone(&surface), held.bytes.clone());
    let sorted = tokio::task::spawn_blocking(move || sort(&checked.app, &asker, &bytes)).await;
    drop(held);
    let mut sorted = sorted.map_err(|_| Problem::broken("the body could not be checked"))?;
    let mut accepted = sorted.events.len();
    if !sorted.events.is_empty() {
        app.inbox.send_async(Arrival { events: std::mem::take(&mut sorted.events), ..Arrival::default() }).await?;
    }
    let answers =
        join_all(std::mem::take(&mut sorted.calls).into_iter().map(|(line, valid)| call(app, line, valid))).await;
    for (line, answer) in answers {
        match answer {
            Ok(()) => accepted += 1,
            Err(problem) => sorted.tell(line, problem.error(), problem.detail()),
        }
    }
    Ok(Json(json!({"accepted": accepted, "rejected": sorted.rejected, "rejected_total": sorted.refused})))
}

async fn call(app: &App, line: usize, (event, note): Valid) -> (usize, Result<(), Problem>) {
    let Event::Call(event) = event else { return (line, Ok(())) };
    (line, submit(app, event, note.map(|(_, note)| note)).await.map(|_| ()))
}

fn sort(app: &App, asker: &Asker, body: &[u8]) -> Sorted {
    let (mut sorted, now_ms) = (Sorted::default(), app.inbox.now_ms());
    for (row, raw) in body.split(|byte| *byte == b'\n').enumerate() {
        let raw = raw.trim_ascii();
        if raw.is_empty() {
            continue;
        }
        match app.validator.event(raw, now_ms) {
            Ok((event, _)) if let Err(problem) = may_take(app, asker, &event) => {
                app.metrics.http_refused("ingest", problem.error());
                sorted.tell(row + 1, problem.error(), problem.detail());
            }
            Ok(valid @ (Event::Call(_), _)) => sorted.calls.push((row + 1, valid)),
            Ok((event, _)) => sorted.events.push(event),
            Err(Unfit { reason, detail }) => {
                app.letters.bury(now_ms, stream_of(raw), reason, &detail, raw);
                sorted.tell(row + 1, reason.as_str(), &detail);
            }
        }
    }
    sorted
}

/// Whether an event is its sender's, and not one call too many.
fn may_take(app: &App, asker: &Asker, event: &Event) -> Result<(), Problem> {
    may_send(asker, event)?;
    let raised = if matches!(event, Event::Call(_)) { app.access.raises(asker) } else { Ok(()) };
    raised.map_err(|refused| refused.problem())
}

impl Sorted {
    fn tell(&mut self, line: usize, reason: &str, detail: &str) {
        self.refused += 1;
        if self.rejected.len() < TOLD {
            self.rejected.push(json!({"line": line, "reason": reason, "detail": detail}));
        }
    }
}
