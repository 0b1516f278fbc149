//! A call as an incident for other centres: JSON with the field names of the Emergency Incident Data Object
//! (NENA-STA-021), where it has them. Values are those of this engine: the registries that the standard points to are not
//! used, so a receiver maps words and not names. Statuses of units bear the codes of GA/T 974.39 beside their words.

use chrono::{DateTime, FixedOffset, SecondsFormat};
use nanming_dataflows::event::{CallPhase, Priority, UnitStatus};
use nanming_dataflows::network::City;
use serde_json::{Value, json};

use crate::ledger::{CallPage, HistoryLine, Joined};

/// The incident.
pub fn incident(city: &City, page: &CallPage) -> Value {
    let time = |ms| time(ms, city.utc_offset_min);
    let last_ms = page.history.last().map_or(page.opened_ms, |line| line.time_ms);
    json!({
        "$id": format!("urn:nanming:{}:call:{}", city.name, page.call),
        "eidoVersion": "1.0",
        "issuingElementIdentification": format!("nanming.{}", city.name),
        "lastUpdateTimeStamp": time(last_ms),
        "incidentComponent": {
            "incidentTrackingIdentifier": page.call.to_string(),
            "internalIncidentId": page.call.to_string(),
            "incidentTypeCommonRegistryText": page.facts.category,
            "incidentTypeInternalText": page.note.classified.as_ref().map(|classified| &classified.rule),
            "incidentStatusCommonRegistryText": [page.phase],
            "incidentCommonPriorityNumber": priority(page.facts.priority),
            "incidentPriorityInternalText": page.facts.priority,
            "beatOrDispatchGroupText": city.grids.get(page.facts.grid.index()).map(|grid| &grid.name),
            "incidentCreatedTimeStamp": time(page.opened_ms),
            "lastUpdateTimeStamp": time(last_ms),
        },
        "callComponent": calls(page).into_iter().map(|(id, at_ms)| json!({
            "$id": id, "direction": "incoming", "callStartTimestamp": time(at_ms),
        })).collect::<Vec<_>>(),
        "locationComponent": [location(city, page)],
        "emergencyResourceComponent": resource(city, page, &time).into_iter().collect::<Vec<_>>(),
        "notesComponent": notes(page, &time),
        "mergeComponent": page.joined.iter().map(|joined| json!({
            "incidentTrackingIdentifier": joined.call.to_string(), "status": joined.phase,
        })).collect::<Vec<_>>(),
    })
}

/// Greater is less urgent, from 1.
fn priority(priority: Priority) -> u8 {
    match priority {
        Priority::A => 1,
        Priority::B => 2,
        Priority::C => 3,
    }
}

/// All calls about it, its own first.
fn calls(page: &CallPage) -> Vec<(String, u64)> {
    let others = page.joined.iter().map(|joined| (joined.call.to_string(), joined.opened_ms));
    std::iter::once((page.call.to_string(), page.opened_ms)).chain(others).collect()
}

fn location(city: &City, page: &CallPage) -> Value {
    let (lon, lat) = page.facts.at.to_lon_lat(city.origin).degrees();
    json!({
        "locationTypeDescriptionRegistryText": "Incident",
        "locationByValue": {"type": "Point", "coordinates": [lon, lat]},
        "locationDescriptionText": city.grids.get(page.facts.grid.index()).map(|grid| &grid.name),
    })
}

/// The unit in charge, as far as it is with this call.
fn resource(city: &City, page: &CallPage, time: &impl Fn(u64) -> String) -> Option<Value> {
    let made = page.assignment.as_ref()?;
    let status = match page.phase {
        CallPhase::Assigned => UnitStatus::TurnedOut,
        CallPhase::Accepted => UnitStatus::OnTheWay,
        CallPhase::Arrived => UnitStatus::OnScene,
        _ => UnitStatus::Returning,
    };
    Some(json!({
        "emergencyResourceTypeCommonRegistryText": "police",
        "emergencyResourceName": city.units.get(made.unit.index()).map(|unit| &unit.name),
        "primaryUnitStatusRegistryText": status,
        "unitStatusInternal": [{"standard": "GA/T 974.39", "code": status.code()}],
        "eta": time(made.time_ms + made.eta_ms),
    }))
}

/// What callers said, and why somebody changed something.
fn notes(page: &CallPage, time: &impl Fn(u64) -> String) -> Vec<Value> {
    let note = |at_ms: u64, words: &str| json!({"notesActionComments": words, "notesDateTimeStamp": time(at_ms)});
    let own = std::iter::once((page.opened_ms, page.note.words.as_str()));
    let others = page.joined.iter().map(|Joined { opened_ms, words, .. }| (*opened_ms, words.as_str()));
    let reasons = page.history.iter().map(|HistoryLine { time_ms, note, .. }| (*time_ms, note.as_str()));
    own.chain(others).chain(reasons).filter(|(_, words)| !words.is_empty()).map(|(at, words)| note(at, words)).collect()
}

/// RFC 3339, in local time with its offset.
fn time(ms: u64, utc_offset_min: i32) -> String {
    let offset = FixedOffset::east_opt(utc_offset_min * 60);
    let time = i64::try_from(ms).ok().and_then(DateTime::from_timestamp_millis);
    let local = offset.zip(time).map(|(offset, time)| time.with_timezone(&offset));
    local.map_or_else(String::new, |time| time.to_rfc3339_opts(SecondsFormat::Millis, false))
}
