//! Rosters: tasks raised and answered, absence and hand-over told, and where all stands. "Accepted" is said after the
//! ledger's commit, and not before.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{MethodRouter, get, post};
use nanming_dataflows::decide::roster::task_of_call;
use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{Event, RosterChange, RosterEvent};
use nanming_dataflows::ids::{CallId, PersonId, TaskId};
use nanming_dataflows::network::Roster;
use serde_json::{Value, json};

use super::body::Whole;
use super::problem::status_of;
use super::{App, Problem, Surface, page};
use crate::door::{Arrival, CallNote};
use crate::publish::Outcome;
use crate::publish::rosters::TaskPage;
use crate::rosters::{task_name, task_of};

mod answer;
mod login;
pub(super) mod read;
use login::{Who, enter};
use read::{AbsenceJson, AnswerJson, HandoverJson, PlaceJson, TaskJson};

/// So long a sender waits for the commit.
const PATIENCE: Duration = Duration::from_secs(5);

type Said = Result<Json<Value>, Problem>;

/// Paths with their methods.
pub(super) fn routes() -> Vec<(&'static str, MethodRouter<Arc<Surface>>)> {
    vec![
        ("/roster", get(page::roster)),
        ("/api/rosters", get(all)),
        ("/api/rosters/{roster}", get(one)),
        ("/api/rosters/{roster}/tasks", get(tasks).post(raise)),
        ("/api/rosters/{roster}/tasks/{task}", get(task).delete(cancel)),
        ("/api/rosters/{roster}/tasks/{task}/history", get(history)),
        ("/api/rosters/{roster}/tasks/{task}/answer", post(answered)),
        ("/api/rosters/{roster}/persons/{person}", get(person)),
        ("/api/rosters/{roster}/persons/{person}/absence", post(absence)),
        ("/api/rosters/{roster}/persons/{person}/handover", post(handover)),
        ("/api/rosters/{roster}/persons/{person}/place", post(place)),
    ]
}

/// `GET /api/rosters`.
async fn all(State(surface): State<Arc<Surface>>, headers: HeaderMap) -> Said {
    let app = &surface.app;
    let rosters = login::rosters(app, &headers)?.into_iter();
    let rosters = rosters.map(|roster| app.rosters.read(roster.id, |state| answer::brief(roster, state)));
    Ok(Json(json!({"rosters": rosters.collect::<Vec<_>>()})))
}

/// `GET /api/rosters/{roster}`.
async fn one(State(surface): State<Arc<Surface>>, headers: HeaderMap, Path(name): Path<String>) -> Said {
    let app = &surface.app;
    let (roster, who) = enter(app, &headers, &name)?;
    let now_ms = app.inbox.now_ms();
    state(app, roster, |state| answer::roster(roster, state, who, now_ms))
}

/// `GET /api/rosters/{roster}/tasks`: those that are open, and those done lately.
async fn tasks(State(surface): State<Arc<Surface>>, headers: HeaderMap, Path(name): Path<String>) -> Said {
    let app = &surface.app;
    let (roster, who) = enter(app, &headers, &name)?;
    state(app, roster, |state| {
        let page = |page: &TaskPage| answer::task(&app.city, roster, page);
        let sees = |page: &&TaskPage| who.sees(page.said.standing.person);
        let open: Vec<Value> = state.open.values().filter(sees).map(page).collect();
        let over: Vec<Value> = state.over.iter().rev().filter(sees).map(page).collect();
        json!({"open": open, "over": over})
    })
}

/// `GET /api/rosters/{roster}/tasks/{task}`.
async fn task(
    State(surface): State<Arc<Surface>>,
    headers: HeaderMap,
    Path((name, id)): Path<(String, String)>,
) -> Said {
    let app = &surface.app;
    let (roster, who) = enter(app, &headers, &name)?;
    let page = seen(app, roster, who, &id)?;
    Ok(Json(answer::task(&app.city, roster, &page)))
}

/// `GET /api/rosters/{roster}/tasks/{task}/history`: every word about a task, from the ledger.
async fn history(
    State(surface): State<Arc<Surface>>,
    headers: HeaderMap,
    Path((name, id)): Path<(String, String)>,
) -> Said {
    let app = &surface.app;
    let (roster, who) = enter(app, &headers, &name)?;
    let id = task_id(&id)?;
    let words = app.book.task_history(&roster.name, id)?;
    let sees = words.iter().any(|word| who.sees(find_person(roster, &word.person).ok()));
    if words.is_empty() {
        return Err(unknown(id));
    }
    if !sees {
        who.desk()?;
    }
    Ok(Json(json!({"task": task_name(id), "history": words})))
}

/// `GET /api/rosters/{roster}/persons/{person}`: what a person looks after and has to do.
async fn person(
    State(surface): State<Arc<Surface>>,
    headers: HeaderMap,
    Path((name, person)): Path<(String, String)>,
) -> Said {
    let app = &surface.app;
    let (roster, person) = enter_as(app, &headers, &name, &person)?;
    state(app, roster, |state| answer::person(&app.city, roster, state, person))
}

/// `POST /api/rosters/{roster}/tasks`.
async fn raise(
    State(surface): State<Arc<Surface>>,
    headers: HeaderMap,
    Path(name): Path<String>,
    Whole(body): Whole,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let app = &surface.app;
    let (roster, _) = enter(app, &headers, &name)?;
    let raised = read::object::<TaskJson>(&body)?.raised(&app.city, roster, app.validator.callers())?;
    let fresh = || TaskId(app.next_task.fetch_add(1, Ordering::Relaxed));
    let task = raised.task.unwrap_or_else(fresh);
    let sent = submit(app, roster, RosterChange::Raised(task, raised.facts), Some((task, raised.note))).await;
    match sent {
        Ok(tick) => Ok((StatusCode::CREATED, accepted(task, tick))),
        // Sent again with its number it stays one task.
        Err(problem) if problem.error() == Reason::DuplicateTask.as_str() => {
            let before = page(app, roster, task).ok().filter(|page| page.said.facts == raised.facts).ok_or(problem)?;
            Ok((StatusCode::OK, accepted(task, before.said.time_ms)))
        }
        Err(problem) => Err(problem),
    }
}

/// `DELETE /api/rosters/{roster}/tasks/{task}`.
async fn cancel(
    State(surface): State<Arc<Surface>>,
    headers: HeaderMap,
    Path((name, id)): Path<(String, String)>,
) -> Said {
    let app = &surface.app;
    let (roster, who) = enter(app, &headers, &name)?;
    who.desk()?;
    let id = task_id(&id)?;
    submit(app, roster, RosterChange::Cancelled(id), None).await.map(|tick| accepted(id, tick))
}

/// `POST /api/rosters/{roster}/tasks/{task}/answer`.
async fn answered(
    State(surface): State<Arc<Surface>>,
    headers: HeaderMap,
    Path((name, id)): Path<(String, String)>,
    Whole(body): Whole,
) -> Said {
    let app = &surface.app;
    let (roster, who) = enter(app, &headers, &name)?;
    let id = task_id(&id)?;
    let json: AnswerJson = read::object(&body)?;
    let person = find_person(roster, &json.person)?;
    who.is(person)?;
    let answer = json.answer()?;
    submit(app, roster, RosterChange::Answered(id, json.attempt, person, answer), None)
        .await
        .map(|tick| accepted(id, tick))
}

/// `POST /api/rosters/{roster}/persons/{person}/absence`.
async fn absence(
    State(surface): State<Arc<Surface>>,
    headers: HeaderMap,
    Path((name, person)): Path<(String, String)>,
    Whole(body): Whole,
) -> Said {
    let app = &surface.app;
    let (roster, person) = enter_as(app, &headers, &name, &person)?;
    let (from_ms, until_ms) = read::object::<AbsenceJson>(&body)?.span(app.inbox.now_ms())?;
    let tick = submit(app, roster, RosterChange::Absent(person, from_ms, until_ms), None).await?;
    Ok(Json(json!({"status": "accepted", "from_ms": from_ms, "until_ms": until_ms, "tick": tick})))
}

/// `POST /api/rosters/{roster}/persons/{person}/handover`.
async fn handover(
    State(surface): State<Arc<Surface>>,
    headers: HeaderMap,
    Path((name, person)): Path<(String, String)>,
    Whole(body): Whole,
) -> Said {
    let app = &surface.app;
    let (roster, from) = enter_as(app, &headers, &name, &person)?;
    let json: HandoverJson = read::object(&body)?;
    let to = json.to.map(|to| find_person(roster, &to)).transpose()?;
    let tick = submit(app, roster, RosterChange::HandedOver(from, to), None).await?;
    Ok(Json(json!({"status": "accepted", "tick": tick})))
}

/// `POST /api/rosters/{roster}/persons/{person}/place`.
async fn place(
    State(surface): State<Arc<Surface>>,
    headers: HeaderMap,
    Path((name, person)): Path<(String, String)>,
    Whole(body): Whole,
) -> Said {
    let app = &surface.app;
    let (roster, person) = enter_as(app, &headers, &name, &person)?;
    let at = read::object::<PlaceJson>(&body)?.at(&app.city)?;
    let tick = submit(app, roster, RosterChange::Here(person, at), None).await?;
    Ok(Json(json!({"status": "accepted", "tick": tick})))
}

/// A roster and one of its persons, for whom the sender may speak.
fn enter_as<'a>(
    app: &'a App,
    headers: &HeaderMap,
    name: &str,
    person: &str,
) -> Result<(&'a Roster, PersonId), Problem> {
    let (roster, who) = enter(app, headers, name)?;
    let person = find_person(roster, person)?;
    who.is(person)?;
    Ok((roster, person))
}

/// Hands what a roster is told to the door and waits until its tick is in the ledger: the tick.
async fn submit(
    app: &App,
    roster: &Roster,
    change: RosterChange,
    note: Option<(TaskId, CallNote)>,
) -> Result<u64, Problem> {
    if !app.health.takes_calls() {
        return Err(Problem::unavailable("ledger_unavailable", "the ledger cannot be written: tell them another way"));
    }
    let event = RosterEvent { time_ms: app.inbox.now_ms(), roster: roster.id, change };
    let outcome = app.rosters.expect(&event);
    let notes = note.map(|(task, note)| (CallId(task.0), note)).into_iter().collect();
    let arrival = Arrival { events: vec![Event::Roster(event)], notes, ..Arrival::default() };
    match tokio::time::timeout(PATIENCE, app.inbox.send_async(arrival)).await {
        Ok(sent) => sent?,
        Err(_) => return Err(Problem::unavailable("busy", "the engine is behind: send it again")),
    }
    match tokio::time::timeout(PATIENCE, outcome).await {
        Ok(Ok(Outcome { tick, refused: None })) => Ok(tick),
        Ok(Ok(Outcome { refused: Some(reason), .. })) => Err(refused(reason)),
        Ok(Err(_)) | Err(_) => {
            Err(Problem::unavailable("not_confirmed", "it is not confirmed yet: ask for its task, or send it again"))
        }
    }
}

fn refused(reason: Reason) -> Problem {
    let detail = match reason {
        Reason::DuplicateTask => "a task with this id exists with other content; send yours without its id",
        Reason::TaskOver => "the task is over",
        Reason::UnknownTask => "there is no such task in this roster",
        Reason::NotYourTask => "the task is not, or no longer, this person's: ask for their tasks again",
        Reason::NoRoom => {
            "the other is away, or cannot look after so many points: hand over to nobody, and the best ones get them"
        }
        _ => "the roster has no such person, point or kind, or they are of different roles",
    };
    Problem::new(status_of(reason), reason.as_str(), detail)
}

fn accepted(task: TaskId, tick: u64) -> Json<Value> {
    Json(json!({"task": task_name(task), "status": "accepted", "tick": tick}))
}

fn find<'a>(app: &'a App, name: &str) -> Result<&'a Roster, Problem> {
    let known = app.city.rosters.iter().find(|roster| roster.name == name);
    known.ok_or_else(|| Problem::not_found(format!("there is no roster '{name}'; GET /api/rosters names them")))
}

/// A person by name.
fn find_person(roster: &Roster, name: &str) -> Result<PersonId, Problem> {
    let known = roster.persons.iter().find(|person| person.name == name).map(|person| person.id);
    known.ok_or_else(|| {
        Problem::not_found(format!("there is no '{name}' in the roster; GET /api/rosters/{} names all", roster.name))
    })
}

fn task_id(name: &str) -> Result<TaskId, Problem> {
    task_of(name).ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, Reason::UnknownTask.as_str(), format!("'{name}' is no task, such as t17"))
    })
}

fn page(app: &App, roster: &Roster, id: TaskId) -> Result<TaskPage, Problem> {
    let found = app.rosters.read(roster.id, |state| {
        let over = || state.over.iter().rev().find(|page| page.said.task == id);
        state.open.get(&id).or_else(over).cloned()
    });
    found.flatten().ok_or_else(|| unknown(id))
}

fn unknown(id: TaskId) -> Problem {
    let detail = format!("there is no task {} in this roster, or it was over long ago", task_name(id));
    Problem::new(StatusCode::NOT_FOUND, Reason::UnknownTask.as_str(), detail)
}

/// The page of a task that may be shown to who asks.
fn seen(app: &App, roster: &Roster, who: Who, name: &str) -> Result<TaskPage, Problem> {
    let page = page(app, roster, task_id(name)?)?;
    page.said.standing.person.map_or_else(|| who.desk(), |person| who.is(person)).map(|()| page)
}

/// The task that a call is, where it is no matter for the police and was not over long ago.
pub(super) fn of_call(app: &App, call: CallId) -> Option<Value> {
    let roster = app.city.rosters.iter().find(|roster| roster.takes_calls)?;
    let page = page(app, roster, task_of_call(call)).ok()?;
    Some(answer::brief_task(roster, &page))
}

fn state(app: &App, roster: &Roster, read: impl FnOnce(&crate::publish::rosters::RosterState) -> Value) -> Said {
    app.rosters.read(roster.id, read).map(Json).ok_or_else(|| Problem::not_found("there is no such roster"))
}
