//! What terminals and desks are sent: JSON text frames, as docs/api.md has them.

use std::collections::BTreeSet;

use nanming_dataflows::decision::{Assignment, CallStatus, CoverState, Escalation, Reason};
use nanming_dataflows::event::{Ack, AssignmentId, CallFacts};
use nanming_dataflows::ids::UnitId;
use nanming_dataflows::network::City;
use serde_json::json;

use super::cover;
use super::duty::{OpenCall, Withdrawal};

/// A unit is sent to a call.
pub(super) fn assignment(city: &City, id: u64, a: &Assignment, call: &OpenCall) -> String {
    let (lon, lat) = call.facts.at.to_lon_lat(city.origin).degrees();
    json!({
        "type": "assignment", "id": id, "assignment": a.id, "call": a.call, "unit": a.unit, "priority": call.facts.priority,
        "category": call.facts.category, "lon": lon, "lat": lat, "words": call.words, "eta_s": a.eta_ms / 1000,
        "phase": call.phase_of(a.id), "time_ms": a.time_ms,
    })
    .to_string()
}

/// A unit has not answered yet: the assignment again, as a reminder.
pub(super) fn reminder(id: u64, a: &Assignment, call: &OpenCall) -> String {
    json!({
        "type": "reminder", "id": id, "assignment": a.id, "call": a.call, "unit": a.unit, "priority": call.facts.priority,
        "words": call.words, "time_ms": a.time_ms,
    })
    .to_string()
}

/// A call is not served as it should be.
pub(super) fn escalation(e: &Escalation) -> String {
    json!({
        "type": "escalation", "call": e.call, "step": e.step, "why": e.why, "assignment": e.assignment, "unit": e.unit,
        "time_ms": e.time_ms,
    })
    .to_string()
}

/// A terminal that connected has been sent all that it missed; what is in force, and nothing else.
pub(super) fn current(id: u64, unit: UnitId, name: &str, in_force: &BTreeSet<AssignmentId>) -> String {
    json!({"type": "current", "id": id, "unit": unit, "name": name, "in_force": in_force}).to_string()
}

/// A unit's terminal says that it has shown an assignment.
pub(super) fn seen(assignment: AssignmentId, unit: UnitId) -> String {
    json!({"type": "seen", "assignment": assignment, "unit": unit}).to_string()
}

/// A unit declines, and says why.
pub(super) fn declines(assignment: AssignmentId, unit: UnitId, why: &str) -> String {
    json!({"type": "declines", "assignment": assignment, "unit": unit, "why": why}).to_string()
}

/// The first terminal of a unit connected, or its last one left.
pub(super) fn terminal(unit: UnitId, connected: bool) -> String {
    json!({"type": "terminal", "unit": unit, "connected": connected}).to_string()
}

/// It need not go any more.
pub(super) fn withdrawn(id: u64, assignment: AssignmentId, unit: UnitId, why: Withdrawal) -> String {
    let reason = match why {
        Withdrawal::Cancelled => "cancelled",
        Withdrawal::Reassigned => "reassigned",
        Withdrawal::Preempted => "preempted",
        Withdrawal::Closed => "closed",
    };
    json!({"type": "withdrawn", "id": id, "assignment": assignment, "unit": unit, "reason": reason}).to_string()
}

/// Its answer was taken, or refused.
pub(super) fn ack_result(id: u64, ack: &Ack, refused: Option<Reason>) -> String {
    let mut frame = json!({
        "type": "ack_result", "id": id, "assignment": ack.assignment, "answer": ack.answer, "ok": refused.is_none(),
    });
    if let Some(reason) = refused {
        frame["reason"] = reason.as_str().into();
    }
    frame.to_string()
}

/// Who had better wait elsewhere in a dispatch region, all of them.
pub(super) fn cover_advice(city: &City, state: &CoverState) -> String {
    let mut frame = cover::region(city, state);
    frame["type"] = "cover_advice".into();
    frame.to_string()
}

/// A call reached a phase; its place and category where they are known.
pub(super) fn call_status(city: &City, s: &CallStatus, facts: Option<&CallFacts>) -> String {
    let mut frame = json!({
        "type": "call_status", "call": s.call, "time_ms": s.time_ms, "phase": s.phase, "priority": s.priority,
        "grid": s.grid, "assignment": s.assignment, "unit": s.unit, "lacking": s.lacking,
    });
    if let Some(facts) = facts {
        let (lon, lat) = facts.at.to_lon_lat(city.origin).degrees();
        frame["category"] = json!(facts.category);
        (frame["lon"], frame["lat"]) = (lon.into(), lat.into());
    }
    if let Some(reason) = s.reason {
        frame["reason"] = json!(reason);
    }
    frame.to_string()
}
