//! What a tick leaves in the book.

use nanming_dataflows::Time;
use nanming_dataflows::decision::{Assignment, CallStatus, Decisions, Reason, SignalCommand};
use nanming_dataflows::event::{Ack, CallChange, CallEvent, CallFacts, Event};
use rusqlite::{Transaction, params};

use super::LedgerError;
use super::text::{int, word};
use crate::call_content::content_hash;
use crate::door::{CallNote, TickRecord};

/// Writes the calls, answers, assignments and phases of one tick.
pub(super) fn tick(to: &Transaction<'_>, record: &TickRecord) -> Result<(), LedgerError> {
    for event in &record.calls {
        if refusal(&record.decisions, &Event::Call(*event)).is_none() {
            call(to, event, record)?;
        }
    }
    for assignment in &record.decisions.assignments {
        self::assignment(to, assignment)?;
    }
    for status in &record.decisions.calls {
        phase(to, status)?;
    }
    for ack in &record.acks {
        self::ack(to, ack, refusal(&record.decisions, &Event::Ack(*ack)))?;
    }
    Ok(())
}

/// Why the engine refused an event of this tick, if it did.
pub(crate) fn refusal(decisions: &Decisions, event: &Event) -> Option<Reason> {
    decisions.rejected.iter().find(|r| r.event == *event).map(|r| r.reason)
}

fn call(to: &Transaction<'_>, event: &CallEvent, record: &TickRecord) -> Result<(), LedgerError> {
    match event.change {
        CallChange::Opened(facts) => {
            let note = record.notes.iter().find(|(call, _)| *call == event.call).map(|(_, note)| note);
            opened(to, event, &facts, note.unwrap_or(&CallNote::default()), record.tick)
        }
        CallChange::Updated(facts) => updated(to, event, &facts),
        CallChange::Cancelled | CallChange::Restored(..) => Ok(()),
    }
}

/// A call that is in the book already stays as it is.
fn opened(
    to: &Transaction<'_>,
    event: &CallEvent,
    facts: &CallFacts,
    note: &CallNote,
    tick: Time,
) -> Result<(), LedgerError> {
    let new = to
        .prepare_cached("INSERT OR IGNORE INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', NULL, NULL, ?)")?
        .execute(params![
            int(event.call.0),
            int(event.time_ms),
            word(&facts.priority)?,
            word(&facts.category)?,
            facts.at.x_mm,
            facts.at.y_mm,
            facts.grid.0,
            note.words,
            note.channel,
            content_hash(facts, note).as_slice(),
            int(tick),
        ])?;
    if new > 0 {
        to.prepare_cached("INSERT INTO call_history VALUES (?, ?, 'waiting', NULL, NULL)")?
            .execute(params![int(event.call.0), int(event.time_ms)])?;
    }
    Ok(())
}

fn updated(to: &Transaction<'_>, event: &CallEvent, facts: &CallFacts) -> Result<(), LedgerError> {
    to.prepare_cached("UPDATE calls SET priority = ?, category = ?, x_mm = ?, y_mm = ?, grid = ? WHERE id = ?")?
        .execute(params![
            word(&facts.priority)?,
            word(&facts.category)?,
            facts.at.x_mm,
            facts.at.y_mm,
            facts.grid.0,
            int(event.call.0),
        ])?;
    Ok(())
}

fn assignment(to: &Transaction<'_>, a: &Assignment) -> Result<(), LedgerError> {
    let candidates = serde_json::to_string(&a.candidates).map_err(|e| LedgerError::Corrupt(e.to_string()))?;
    to.prepare_cached("INSERT OR IGNORE INTO assignments VALUES (?, ?, ?, ?, ?, ?, ?, ?)")?.execute(params![
        int(a.call.0),
        a.id.attempt,
        a.unit.0,
        int(a.time_ms),
        word(&a.priority)?,
        int(a.eta_ms),
        candidates,
        word(&a.reason)?,
    ])?;
    Ok(())
}

/// A phase is history only where it differs from the one before.
fn phase(to: &Transaction<'_>, status: &CallStatus) -> Result<(), LedgerError> {
    let (call, phase) = (int(status.call.0), word(&status.phase)?);
    let (attempt, unit) = (status.assignment.map(|a| a.attempt), status.unit.map(|u| u.0));
    let changed = to
        .prepare_cached(
            "UPDATE calls SET phase = ?2, attempt = ?3, unit = ?4
             WHERE id = ?1 AND NOT (phase = ?2 AND attempt IS ?3 AND unit IS ?4)",
        )?
        .execute(params![call, phase, attempt, unit])?;
    if changed > 0 {
        to.prepare_cached("INSERT INTO call_history VALUES (?, ?, ?, ?, ?)")?.execute(params![
            call,
            int(status.time_ms),
            phase,
            attempt,
            unit
        ])?;
    }
    Ok(())
}

fn ack(to: &Transaction<'_>, ack: &Ack, refused: Option<Reason>) -> Result<(), LedgerError> {
    to.prepare_cached("INSERT INTO acks VALUES (?, ?, ?, ?, ?, ?)")?.execute(params![
        int(ack.time_ms),
        int(ack.assignment.call.0),
        ack.assignment.attempt,
        ack.unit.0,
        word(&ack.answer)?,
        refused.map_or("", Reason::as_str),
    ])?;
    Ok(())
}

/// Writes signal commands as one row, and drops those that are older than `keep_ms`.
pub(super) fn signals<'a>(
    to: &Transaction<'_>,
    commands: impl Iterator<Item = &'a SignalCommand>,
    keep_ms: u64,
) -> Result<(), LedgerError> {
    let commands: Vec<&SignalCommand> = commands.collect();
    let Some(last_ms) = commands.iter().map(|c| c.at_ms).max() else { return Ok(()) };
    let blob = postcard::to_stdvec(&commands).map_err(|e| LedgerError::Corrupt(e.to_string()))?;
    to.prepare_cached("INSERT INTO signal_commands VALUES (?, ?)")?.execute(params![int(last_ms), blob])?;
    to.prepare_cached("DELETE FROM signal_commands WHERE from_ms < ?")?
        .execute([int(last_ms.saturating_sub(keep_ms))])?;
    Ok(())
}

/// Notes how far the book goes.
pub(super) fn last_tick(to: &Transaction<'_>, tick: Time) -> Result<(), LedgerError> {
    to.prepare_cached("INSERT OR REPLACE INTO meta VALUES ('last_tick', ?)")?.execute([int(tick)])?;
    Ok(())
}
