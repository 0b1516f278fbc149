//! Alarm calls: raised, read, changed, withdrawn. "Accepted" is said after the ledger's commit, and not before.
//!
//! A sender's own ID or key for an alarm makes it one call however often it is sent: an alarm is looked for among those on
//! their way and in the book, and gets its ID and is announced in one step.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{CallChange, CallEvent, CallFacts, CallPhase, Category, Event};
use nanming_dataflows::ids::CallId;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::body::Whole;
use super::problem::status_of;
use super::{App, Problem, Surface};
use crate::call_content::content_hash;
use crate::call_json;
use crate::door::{Arrival, CallNote};
use crate::ingest::alarm::reason;
use crate::ingest::{Alarm, AlarmJson, NameOrId, Unfit};
use crate::ledger::CallPage;
use crate::publish::Outcome;
use crate::publish::acceptances::Expected;

/// So long a caller waits for the commit.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest key of a sender.
const MAX_KEY: usize = 128;

/// What became of an alarm that was not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is in the ledger since this tick.
    Now(u64),
    /// It was there already, with the same content, since this tick.
    Before(u64),
}

/// An alarm that is announced, and perhaps on its way already.
pub(super) struct Announced {
    event: CallEvent,
    content: [u8; 32],
    note: Option<CallNote>,
    outcome: oneshot::Receiver<Outcome>,
    joined: bool,
}

/// `POST /calls`.
pub(super) async fn post(
    State(surface): State<Arc<Surface>>,
    headers: HeaderMap,
    Whole(body): Whole,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let (app, posted) = (&surface.app, Instant::now());
    let key = headers.get("idempotency-key").map(|key| key.as_bytes());
    let alarm = read(app, &body, |json| {
        let mut alarm = app.validator.alarm(json)?;
        alarm.note.key = sender_key(key)?;
        Ok(alarm)
    })?;
    let facts = alarm.facts;
    let (call, taken) = raise(app, alarm).await.inspect_err(|problem| refused(app, problem, &body))?;
    app.metrics.call_accepted(posted.elapsed());
    let (status, tick) = match taken {
        Taken::Now(tick) => (StatusCode::CREATED, tick),
        Taken::Before(tick) => (StatusCode::OK, tick),
    };
    let mut answer = said(call, "accepted", facts, tick);
    if let Some(page) = set_aside(app, call)? {
        answer.0["phase"] = json!(page.phase);
        answer.0["into"] = json!(page.into);
    }
    Ok((status, answer))
}

/// The page of a call for which no unit of its own comes: its caller is told so at once.
pub(super) fn set_aside(app: &App, call: CallId) -> Result<Option<CallPage>, Problem> {
    Ok(app.book.page(call)?.filter(|page| page.phase.is_set_aside()))
}

/// `Idempotency-Key`, kept apart from the keys of other ways in; "" where there is none.
fn sender_key(key: Option<&[u8]>) -> Result<String, Unfit> {
    let Some(key) = key else { return Ok(String::new()) };
    let fits = (1..=MAX_KEY).contains(&key.len()) && key.iter().all(u8::is_ascii_graphic);
    let complaint = || format!("Idempotency-Key is 1 to {MAX_KEY} visible ASCII characters");
    let key = std::str::from_utf8(key).ok().filter(|_| fits);
    key.map(|key| format!("http:{key}")).ok_or_else(|| Unfit::new(Reason::Malformed, complaint()))
}

/// Makes an alarm a call, under the ID that it has, that its key stands for, or a new one.
pub(super) async fn raise(app: &App, alarm: Alarm) -> Result<(CallId, Taken), Problem> {
    let announced = {
        let _one_at_a_time = app.acceptances.naming();
        let call = name(app, &alarm)?;
        let event = CallEvent { time_ms: app.inbox.now_ms(), call, change: CallChange::Opened(alarm.facts) };
        announce(app, event, Some(alarm.note))?
    };
    let call = announced.event.call;
    Ok((call, confirmed(app, announced).await?))
}

fn name(app: &App, alarm: &Alarm) -> Result<CallId, Problem> {
    let key = &alarm.note.key;
    let known = match app.acceptances.call_of_key(key) {
        None if !key.is_empty() => app.book.call_of_key(key)?,
        on_its_way => on_its_way,
    };
    match (alarm.id, known) {
        (Some(id), Some(known)) if id != known => {
            let detail = format!("the Idempotency-Key stands for call {known}; send this alarm with a key of its own");
            Err(Problem::new(StatusCode::CONFLICT, Reason::DuplicateCall.as_str(), detail))
        }
        (Some(call), _) | (None, Some(call)) => Ok(call),
        (None, None) => free_id(app),
    }
}

/// `GET /calls/{id}`.
pub(super) async fn get(State(surface): State<Arc<Surface>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let (app, page) = (&surface.app, find(&surface.app, &id)?);
    let mut answer = call_json::call(Some(&app.city), &page);
    if let Some(task) = super::rosters::of_call(app, page.call) {
        answer["task"] = task;
    }
    Ok(Json(answer))
}

/// `GET /calls/{id}/explain`.
pub(super) async fn explain(
    State(surface): State<Arc<Surface>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let (app, call) = (&surface.app, find(&surface.app, &id)?.call);
    let story = crate::explain::explain(&app.book, call, Some(&app.city))?;
    Ok(Json(json!(story)))
}

/// `GET /calls/{id}/eido`.
pub(super) async fn eido(State(surface): State<Arc<Surface>>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    Ok(Json(crate::eido::incident(&surface.app.city, &find(&surface.app, &id)?)))
}

/// `PATCH /calls/{id}`.
pub(super) async fn patch(
    State(surface): State<Arc<Surface>>,
    Path(id): Path<String>,
    Whole(body): Whole,
) -> Result<Json<Value>, Problem> {
    let app = &surface.app;
    let page = find_open(app, &id)?;
    let (facts, why) = read(app, &body, |mut json| {
        let why = reason(json.reason.take())?;
        Ok((json.change(&app.city, page.facts)?, why))
    })?;
    let tick = change(app, &page, CallChange::Updated(facts), why).await?;
    Ok(said(page.call, "updated", facts, tick))
}

/// `DELETE /calls/{id}`.
pub(super) async fn delete(
    State(surface): State<Arc<Surface>>,
    Path(id): Path<String>,
    Query(asked): Query<Why>,
) -> Result<Json<Value>, Problem> {
    let app = &surface.app;
    let page = find_open(app, &id)?;
    if page.withdrawn {
        return Err(over(&id));
    }
    let why = reason(asked.reason)?;
    let tick = change(app, &page, CallChange::Cancelled, why).await?;
    Ok(said(page.call, "cancelled", page.facts, tick))
}

/// `POST /calls/{id}/split`: it was merged by mistake.
pub(super) async fn split(
    State(surface): State<Arc<Surface>>,
    Path(id): Path<String>,
    Query(asked): Query<Why>,
) -> Result<Json<Value>, Problem> {
    let app = &surface.app;
    let page = find(app, &id)?;
    if page.phase != CallPhase::Merged {
        let detail = format!("call {id} is not merged into another, or no more");
        return Err(Problem::new(StatusCode::CONFLICT, "not_merged", detail));
    }
    let why = reason(asked.reason)?;
    let tick = change(app, &page, CallChange::Split(page.facts), why).await?;
    Ok(said(page.call, "split", page.facts, tick))
}

/// `POST /calls/{id}/units`: a desk sends a unit, whatever else it was to do.
pub(super) async fn order(
    State(surface): State<Arc<Surface>>,
    Path(id): Path<String>,
    Whole(body): Whole,
) -> Result<Json<Value>, Problem> {
    let app = &surface.app;
    let page = find_open(app, &id)?;
    let Order { unit, reason: why } = serde_json::from_slice(&body).map_err(|e| {
        Problem::new(StatusCode::BAD_REQUEST, "malformed", format!("{e}; {{\"unit\":\"P0012\"}} is read"))
    })?;
    let unit = app.validator.names().unit(&unit).map_err(|unfit| refused_unit(&unfit))?;
    let tick = change(app, &page, CallChange::Ordered(unit), reason(why)?).await?;
    Ok(said(page.call, "ordered", page.facts, tick))
}

fn refused_unit(unfit: &Unfit) -> Problem {
    Problem::new(status_of(unfit.reason), unfit.reason.as_str(), unfit.detail.clone())
}

/// Whom a desk sends, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Order {
    pub(super) unit: NameOrId,
    pub(super) reason: Option<String>,
}

/// Why a call is changed, in a request without a body.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Why {
    reason: Option<String>,
}

/// Has a call changed. Of one that is set aside, or is to be, the words go along: whoever may have to see to it now does not
/// have them.
async fn change(app: &App, page: &CallPage, change: CallChange, why: String) -> Result<u64, Problem> {
    let is_referred = matches!(change, CallChange::Updated(facts) if facts.category == Category::Community);
    let is_elsewhere = is_referred || page.phase.is_set_aside();
    let words = if is_elsewhere { page.note.words.clone() } else { String::new() };
    let note = CallNote { words, why, ..CallNote::default() };
    let event = CallEvent { time_ms: app.inbox.now_ms(), call: page.call, change };
    let (Taken::Now(tick) | Taken::Before(tick)) = submit(app, event, Some(note)).await?;
    Ok(tick)
}

/// Hands a call event to the door and waits until its tick is in the ledger.
pub(super) async fn submit(app: &App, event: CallEvent, note: Option<CallNote>) -> Result<Taken, Problem> {
    let announced = announce(app, event, note)?;
    confirmed(app, announced).await
}

/// Announces a call event before anybody looks into the book: an alarm with the same ID is seen on its way or in the
/// book, whenever it commits.
fn announce(app: &App, event: CallEvent, note: Option<CallNote>) -> Result<Announced, Problem> {
    if !app.health.takes_calls() {
        return Err(Problem::unavailable(
            "ledger_unavailable",
            "the ledger cannot be written: raise the alarm another way",
        ));
    }
    let content = match (&event.change, &note) {
        (CallChange::Opened(facts), Some(note)) => content_hash(facts, note),
        (CallChange::Opened(facts), None) => content_hash(facts, &CallNote::default()),
        _ => [0; 32],
    };
    let (outcome, joined) = match app.acceptances.expect(&event, content, note.as_ref().map_or("", |note| &note.key)) {
        Expected::New(outcome) => (outcome, false),
        Expected::Joined(outcome) => (outcome, true),
        Expected::Conflict => return Err(duplicate(event.call)),
    };
    Ok(Announced { event, content, note, outcome, joined })
}

/// Sends what is announced, unless it is on its way or in the book, and waits until its tick is in the ledger.
async fn confirmed(app: &App, announced: Announced) -> Result<Taken, Problem> {
    let Announced { event, content, note, outcome, joined } = announced;
    if !joined {
        let unsent = app.acceptances.unsent(event);
        if let Some(tick) = known(app, &event, &content)? {
            unsent.known(tick);
            return Ok(Taken::Before(tick));
        }
        send(app, event, note).await?;
        unsent.sent();
    }
    let unsure = || {
        let detail =
            format!("call {} is not confirmed yet; ask GET /calls/{0}, or send it again with that id", event.call);
        Problem::unavailable("not_confirmed", detail)
    };
    match tokio::time::timeout(PATIENCE, outcome).await {
        Ok(Ok(Outcome { refused: Some(reason), .. })) => Err(engine_refused(event.call, reason)),
        Ok(Ok(Outcome { tick, refused: None })) if joined => Ok(Taken::Before(tick)),
        Ok(Ok(Outcome { tick, refused: None })) => Ok(Taken::Now(tick)),
        Ok(Err(_)) | Err(_) => Err(unsure()),
    }
}

async fn send(app: &App, event: CallEvent, note: Option<CallNote>) -> Result<(), Problem> {
    let notes = note.map(|note| (event.call, note)).into_iter().collect();
    let arrival = Arrival { events: vec![Event::Call(event)], notes, ..Arrival::default() };
    let sent = tokio::time::timeout(PATIENCE, app.inbox.send_async(arrival)).await;
    match sent {
        Ok(sent) => sent.map_err(Problem::from),
        Err(_) => Err(Problem::unavailable("busy", "the engine is behind: raise the alarm another way, or again")),
    }
}

/// The tick that took this very alarm before, if one did; an error when its ID stands for another.
fn known(app: &App, event: &CallEvent, content: &[u8; 32]) -> Result<Option<u64>, Problem> {
    if !matches!(event.change, CallChange::Opened(_)) {
        return Ok(None);
    }
    match app.book.page(event.call)? {
        Some(page) if page.content == content => Ok(Some(page.tick)),
        Some(_) => Err(duplicate(event.call)),
        None => Ok(None),
    }
}

/// An ID that no call has, neither in the book nor on its way: those of senders may lie ahead of ours.
fn free_id(app: &App) -> Result<CallId, Problem> {
    loop {
        let call = CallId(app.next_call.fetch_add(1, Ordering::Relaxed));
        if app.acceptances.posted(call).is_none() && app.book.page(call)?.is_none() {
            return Ok(call);
        }
    }
}

fn read<T>(app: &App, body: &[u8], sense: impl FnOnce(AlarmJson) -> Result<T, Unfit>) -> Result<T, Problem> {
    let now_ms = app.inbox.now_ms();
    let made = AlarmJson::read(body).and_then(sense);
    made.map_err(|unfit| {
        app.letters.bury(now_ms, "calls", unfit.reason, &unfit.detail, body);
        unfit.into()
    })
}

/// Counts an alarm that this surface refused. What the engine refused, it counted itself.
fn refused(app: &App, problem: &Problem, body: &[u8]) {
    if problem.error() == Reason::DuplicateCall.as_str() {
        app.letters.bury(app.inbox.now_ms(), "calls", Reason::DuplicateCall, problem.detail(), body);
    }
}

fn find(app: &App, id: &str) -> Result<CallPage, Problem> {
    let unknown =
        || Problem::new(StatusCode::NOT_FOUND, Reason::UnknownCall.as_str(), format!("there is no call {id}"));
    let call = id.parse().map(CallId).map_err(|_| unknown())?;
    // Asked before the book is: what waits for the ledger now may be in it a moment later.
    let is_complete = app.health.takes_calls();
    app.book.page(call)?.ok_or_else(|| match is_complete {
        true => unknown(),
        false => Problem::unavailable("ledger_unavailable", "the ledger fails now: ask again when it works"),
    })
}

fn find_open(app: &App, id: &str) -> Result<CallPage, Problem> {
    let page = find(app, id)?;
    let is_over = page.phase.is_over() && !page.phase.is_set_aside();
    if is_over { Err(over(id)) } else { Ok(page) }
}

fn over(id: &str) -> Problem {
    Problem::new(StatusCode::CONFLICT, Reason::CallClosed.as_str(), format!("call {id} is over"))
}

fn said(call: CallId, status: &str, facts: CallFacts, tick: u64) -> Json<Value> {
    Json(json!({"call": call, "status": status, "grid": facts.grid, "tick": tick}))
}

fn duplicate(call: CallId) -> Problem {
    let detail = format!(
        "call {call} exists with other content; send yours without its id and key, or change that one with PATCH"
    );
    Problem::new(StatusCode::CONFLICT, Reason::DuplicateCall.as_str(), detail)
}

fn engine_refused(call: CallId, reason: Reason) -> Problem {
    Problem::new(status_of(reason), reason.as_str(), format!("call {call} does not take this in the state it is in"))
}
