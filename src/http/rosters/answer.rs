//! Where rosters stand, as JSON.

use std::collections::BTreeMap;

use nanming_dataflows::decision::{PersonCandidate, RosterTask};
use nanming_dataflows::event::TaskPhase;
use nanming_dataflows::ids::{PersonId, PointId};
use nanming_dataflows::network::{City, Point, Roster};
use serde_json::{Value, json};

use super::login::Who;
use crate::publish::rosters::{RosterState, TaskPage};
use crate::rosters::task_name;

/// A roster in a line.
pub(super) fn brief(roster: &Roster, state: &RosterState) -> Value {
    let count = |holds: fn(&RosterTask) -> bool| state.open.values().filter(|page| holds(&page.said)).count();
    json!({
        "roster": roster.name, "title": roster.title, "persons": roster.persons.len(), "points": roster.points.len(),
        "open": state.open.len(), "waiting": count(|said| said.standing.phase == TaskPhase::Waiting),
        "overdue": count(|said| said.standing.is_overdue),
        "kinds": roster.kinds.iter().map(|kind| &kind.name).collect::<Vec<_>>(),
    })
}

/// A roster with its persons; a person sees no other.
pub(super) fn roster(roster: &Roster, state: &RosterState, who: Who, now_ms: u64) -> Value {
    let mut tasks: BTreeMap<PersonId, usize> = BTreeMap::new();
    state
        .open
        .values()
        .filter_map(|page| page.said.standing.person)
        .for_each(|who| *tasks.entry(who).or_default() += 1);
    let mut points: BTreeMap<PersonId, usize> = BTreeMap::new();
    state.duties.values().for_each(|who| *points.entry(*who).or_default() += 1);
    let person = |person: &nanming_dataflows::network::Person| {
        let count = |of: &BTreeMap<PersonId, usize>| of.get(&person.id).copied().unwrap_or(0);
        let absent = state.absences.get(&person.id).filter(|(_, until)| *until > now_ms);
        let mut answer = json!({
            "person": person.name, "role": role(roster, person.role), "points": count(&points), "tasks": count(&tasks),
        });
        if let Some((from_ms, until_ms)) = absent {
            answer["absent"] = json!({"from_ms": from_ms, "until_ms": until_ms});
        }
        answer
    };
    let mut answer = brief(roster, state);
    let shown = roster.persons.iter().filter(|person| who.sees(Some(person.id)));
    answer["persons"] = shown.map(person).collect();
    answer["point_names"] = roster.points.iter().map(|point| point.name.as_str()).collect();
    answer
}

/// What a person looks after and has to do, what is due first.
pub(super) fn person(city: &City, roster: &Roster, state: &RosterState, id: PersonId) -> Value {
    let mut open: Vec<&TaskPage> = state.open.values().filter(|page| page.said.standing.person == Some(id)).collect();
    open.sort_by_key(|page| (page.said.standing.done_by_ms, page.said.task));
    let duties = state.duties.iter().filter(|(_, who)| **who == id);
    let duty = |((role_row, point), _): (&(u8, PointId), &PersonId)| json!({"point": point_name(roster, *point), "role": role(roster, *role_row)});
    let mut answer = json!({
        "person": person_name(roster, id), "roster": roster.name, "title": roster.title,
        "role": roster.person(id).map(|person| role(roster, person.role)),
        "tasks": open.into_iter().map(|page| task(city, roster, page)).collect::<Vec<_>>(),
        "points": duties.map(duty).collect::<Vec<_>>(),
    });
    if let Some((from_ms, until_ms)) = state.absences.get(&id) {
        answer["absent"] = json!({"from_ms": from_ms, "until_ms": until_ms});
    }
    answer
}

/// A task on the page of the call that it was.
pub(super) fn brief_task(roster: &Roster, page: &TaskPage) -> Value {
    let RosterTask { task, standing, .. } = &page.said;
    let mut answer = json!({"roster": roster.name, "task": task_name(*task), "phase": standing.phase});
    if let Some(person) = standing.person {
        answer["person"] = json!(person_name(roster, person));
    }
    answer
}

/// All that is known of a task.
pub(super) fn task(city: &City, roster: &Roster, page: &TaskPage) -> Value {
    let said = &page.said;
    let standing = &said.standing;
    let (lon, lat) = degrees(city, said.facts.at);
    let mut answer = json!({
        "task": task_name(said.task), "kind": roster.kinds.get(usize::from(said.facts.kind)).map(|kind| &kind.name),
        "lon": lon, "lat": lat, "raised_ms": said.raised_ms, "phase": standing.phase, "attempt": standing.attempt,
        "rung": standing.rung, "accept_by_ms": standing.accept_by_ms, "done_by_ms": standing.done_by_ms,
        "overdue": standing.is_overdue, "reports": standing.reports, "reason": said.reason.word(),
        "words": page.note.words, "pictures": page.note.pictures, "candidates": [],
    });
    if let Some(point) = said.facts.point {
        answer["point"] = json!(point_name(roster, point));
    }
    if let Some(person) = standing.person {
        answer["person"] = json!(person_name(roster, person));
    }
    if let Some(given) = &page.given {
        answer["given"] = json!(given.reason.word());
        answer["candidates"] = given.candidates.iter().map(|c| candidate(roster, c)).collect();
    }
    answer
}

fn candidate(roster: &Roster, c: &PersonCandidate) -> Value {
    json!({"person": person_name(roster, c.person), "travel_s": c.travel_ms / 1000, "tasks": c.tasks, "cost_s": c.cost_ms / 1000})
}

fn degrees(city: &City, at: Point) -> (f64, f64) {
    at.to_lon_lat(city.origin).degrees()
}

fn role(roster: &Roster, row: u8) -> &str {
    roster.roles.get(usize::from(row)).map_or("", |role| &role.name)
}

fn person_name(roster: &Roster, id: PersonId) -> &str {
    roster.person(id).map_or("", |person| &person.name)
}

fn point_name(roster: &Roster, id: PointId) -> &str {
    roster.point(id).map_or("", |point| &point.name)
}
