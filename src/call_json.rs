//! A call's page as JSON, for the API and for its story.

use nanming_dataflows::ids::UnitId;
use nanming_dataflows::network::{City, Point};
use serde_json::{Value, json};

use crate::ledger::{CallPage, Changed, HistoryLine, Joined};

/// What `GET /calls/{id}` says. Without its city a call has no longitude and latitude, and units no names.
pub(crate) fn call(city: Option<&City>, page: &CallPage) -> Value {
    let (lon, lat) = degrees(city, page.facts.at);
    let history: Vec<Value> = page.history.iter().map(|line| history(city, page, line)).collect();
    let mut answer = json!({
        "call": page.call, "phase": page.phase, "priority": page.facts.priority, "category": page.facts.category,
        "needs": page.facts.needs,
        "lon": lon, "lat": lat, "grid": page.facts.grid, "opened_ms": page.opened_ms, "words": page.note.words,
        "channel": page.note.channel, "candidates": [], "history": history,
    });
    if !page.note.caller.is_empty() {
        answer["caller"] = json!(page.note.caller);
    }
    if !page.note.pictures.is_empty() {
        answer["pictures"] = json!(page.note.pictures);
    }
    if let Some(classified) = &page.note.classified {
        answer["classified"] = json!(classified);
    }
    if let Some(into) = page.into {
        answer["into"] = json!(into);
    }
    if page.withdrawn {
        answer["withdrawn"] = true.into();
    }
    if !page.joined.is_empty() {
        answer["joined"] = page.joined.iter().map(joined).collect();
    }
    if let Some(a) = &page.assignment {
        let candidate = |c: &nanming_dataflows::decision::Candidate| json!({"unit": c.unit, "name": name(city, c.unit), "eta_s": c.eta_ms / 1000});
        answer["assignment"] = json!(a.id);
        answer["unit"] = json!({"id": a.unit, "name": name(city, a.unit)});
        answer["eta_s"] = (a.eta_ms / 1000).into();
        answer["reason"] = json!(a.reason);
        answer["candidates"] = a.candidates.iter().map(candidate).collect();
    }
    answer
}

/// Another caller about the same incident.
fn joined(call: &Joined) -> Value {
    let Joined { call, opened_ms, phase, caller, words } = call;
    json!({"call": call, "opened_ms": opened_ms, "phase": phase, "caller": caller, "words": words})
}

fn history(city: Option<&City>, page: &CallPage, line: &HistoryLine) -> Value {
    let mut answer = json!({"time_ms": line.time_ms, "phase": line.phase});
    if let Some(unit) = line.unit {
        answer["unit"] = json!(unit);
    }
    if let Some(reason) = line.reason {
        answer["reason"] = json!(reason);
    }
    if !line.note.is_empty() {
        answer["note"] = line.note.as_str().into();
    }
    if let Some(attempt) = line.attempt {
        answer["assignment"] = json!(format!("{}.{attempt}", page.call));
    }
    if let Some(what) = &line.changed {
        answer["changed"] = changed(city, what);
    }
    answer
}

fn changed(city: Option<&City>, what: &Changed) -> Value {
    let mut answer = json!({});
    if let Some(priority) = what.priority {
        answer["priority"] = json!(priority);
    }
    if let Some(category) = what.category {
        answer["category"] = json!(category);
    }
    if let Some(needs) = what.needs {
        answer["needs"] = json!(needs);
    }
    if let Some(joined) = what.joined {
        answer["joined"] = json!(joined);
    }
    if what.withdrawn {
        answer["withdrawn"] = true.into();
    }
    if let Some(at) = what.at {
        let (lon, lat) = degrees(city, at);
        (answer["lon"], answer["lat"]) = (lon.into(), lat.into());
    }
    answer
}

fn name(city: Option<&City>, unit: UnitId) -> &str {
    city.and_then(|city| city.units.get(unit.index())).map_or("", |unit| &unit.name)
}

fn degrees(city: Option<&City>, at: Point) -> (Option<f64>, Option<f64>) {
    city.map(|city| at.to_lon_lat(city.origin).degrees()).unzip()
}
