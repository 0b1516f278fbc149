//! What a tick leaves in the book. What is there already with other content should never be written again: the new row
//! then takes its place, for it is what people were told, and the conflict is logged and counted.

use nanming_dataflows::Time;
use nanming_dataflows::decision::{
    Assignment, AssignmentPhase, AssignmentStatus, CallStatus, Escalation, Merge, Reason, SignalCommand,
};
use nanming_dataflows::event::{Ack, CallChange, CallEvent, CallFacts, CallPhase, StageHold};
use nanming_dataflows::ids::CallId;
use rusqlite::{OptionalExtension, Transaction, params};

use super::restart::FACTS;
use super::text::{int, to_json, word};
use super::{Changed, LedgerError, refusals};
use crate::call_content::content_hash;
use crate::door::{CallNote, TickRecord};
use crate::fail;
use crate::offsets::Offsets;

/// Writes the calls, answers, assignments, phases and stages held of one tick. How many of them were in conflict with the book.
pub(super) fn tick(to: &Transaction<'_>, record: &TickRecord) -> Result<u64, LedgerError> {
    let mut conflicts = 0;
    for (event, _) in refusals::calls(record).filter(|(_, refused)| refused.is_none()) {
        conflicts += u64::from(!call(to, event, record)?);
    }
    fail::point("ledger.after_calls");
    for assignment in &record.decisions.assignments {
        conflicts += u64::from(!self::assignment(to, assignment)?);
    }
    fail::point("ledger.after_assignments");
    for status in &record.decisions.assignment_statuses {
        assignment_phase(to, status)?;
    }
    fail::point("ledger.after_assignment_phases");
    for merge in &record.decisions.merges {
        self::merge(to, merge)?;
    }
    fail::point("ledger.after_merges");
    for status in &record.decisions.calls {
        phase(to, status, why(record, status.call))?;
    }
    fail::point("ledger.after_call_phases");
    for escalation in &record.decisions.escalations {
        self::escalation(to, escalation)?;
    }
    fail::point("ledger.after_escalations");
    for (ack, refused) in refusals::acks(record) {
        self::ack(to, ack, refused)?;
    }
    fail::point("ledger.after_acks");
    for hold in &record.holds {
        self::hold(to, hold)?;
    }
    fail::point("ledger.after_holds");
    Ok(conflicts)
}

fn hold(to: &Transaction<'_>, hold: &StageHold) -> Result<(), LedgerError> {
    let StageHold { time_ms, junction, stage, until_ms, by } = hold;
    to.prepare_cached("INSERT OR REPLACE INTO holds VALUES (?, ?, ?, ?, ?)")?.execute(params![
        junction.0,
        int(*time_ms),
        stage,
        int(*until_ms),
        by
    ])?;
    Ok(())
}

/// False: another call with this ID was in the book.
fn call(to: &Transaction<'_>, event: &CallEvent, record: &TickRecord) -> Result<bool, LedgerError> {
    match event.change {
        CallChange::Opened(facts) => {
            opened(to, event, &facts, note(record, event.call).unwrap_or(&CallNote::default()), record.tick)
        }
        CallChange::Updated(facts) => updated(to, event, &facts, why(record, event.call)).map(|()| true),
        CallChange::Cancelled => cancelled(to, event, record).map(|()| true),
        CallChange::Restored(..)
        | CallChange::Split(_)
        | CallChange::Joined(..)
        | CallChange::Withdrawn
        | CallChange::Serving(_)
        | CallChange::Declined(_)
        | CallChange::Done(_)
        | CallChange::Attempts(_)
        | CallChange::Ordered(_) => Ok(true),
    }
}

fn opened(
    to: &Transaction<'_>,
    event: &CallEvent,
    facts: &CallFacts,
    note: &CallNote,
    tick: Time,
) -> Result<bool, LedgerError> {
    let is_new = to.prepare_cached("DELETE FROM calls WHERE id = ?")?.execute([int(event.call.0)])? == 0;
    if !is_new {
        tracing::error!(call = %event.call, "the ledger had another call with this ID; the new one takes its place");
    }
    to.prepare_cached(
        "INSERT INTO calls VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', NULL, NULL, ?, ?, ?, ?,
                                                   ?, ?, ?, NULL, 0)",
    )?
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
        note.key,
        note.caller,
        to_json(&note.pictures)?,
        facts.needs.units,
        to_json(&facts.needs.skills)?,
        note.classified.as_ref().map(to_json).transpose()?.unwrap_or_default(),
    ])?;
    to.prepare_cached("INSERT INTO call_history VALUES (?, ?, 'waiting', NULL, NULL, '', '', '')")?
        .execute(params![int(event.call.0), int(event.time_ms)])?;
    Ok(is_new)
}

/// What changes is history too.
fn updated(to: &Transaction<'_>, event: &CallEvent, facts: &CallFacts, why: &str) -> Result<(), LedgerError> {
    if let Some(changed) = change(to, event.call, facts)? {
        changed_line(to, event.call, event.time_ms, &changed, why)?;
    }
    Ok(())
}

/// Makes these the facts of a call; what that changed.
fn change(to: &Transaction<'_>, call: CallId, facts: &CallFacts) -> Result<Option<Changed>, LedgerError> {
    let before = to
        .prepare_cached(&format!("SELECT {FACTS} FROM calls WHERE id = ?"))?
        .query_row([int(call.0)], |row| Ok(super::restart::facts(row, 0)))
        .optional()?
        .transpose()?;
    to.prepare_cached(&format!("UPDATE calls SET ({FACTS}) = (?, ?, ?, ?, ?, ?, ?) WHERE id = ?"))?.execute(
        params![
            word(&facts.priority)?,
            word(&facts.category)?,
            facts.at.x_mm,
            facts.at.y_mm,
            facts.grid.0,
            facts.needs.units,
            to_json(&facts.needs.skills)?,
            int(call.0),
        ],
    )?;
    Ok(before.and_then(|before| Changed::between(&before, facts)))
}

/// A line of history where no phase was reached.
fn changed_line(
    to: &Transaction<'_>,
    call: CallId,
    time_ms: u64,
    changed: &Changed,
    why: &str,
) -> Result<(), LedgerError> {
    to.prepare_cached(
        "INSERT INTO call_history SELECT id, ?2, phase, attempt, unit, '', ?3, ?4 FROM calls WHERE id = ?1",
    )?
    .execute(params![int(call.0), int(time_ms), to_json(changed)?, why])?;
    Ok(())
}

/// One of several callers withdrew: the call goes on for the others, or its end is told by its status.
fn cancelled(to: &Transaction<'_>, event: &CallEvent, record: &TickRecord) -> Result<(), LedgerError> {
    let is_end = |s: &CallStatus| s.call == event.call && s.phase == CallPhase::Cancelled;
    if record.decisions.calls.iter().any(is_end) {
        return Ok(());
    }
    to.prepare_cached("UPDATE calls SET withdrawn = 1 WHERE id = ?")?.execute([int(event.call.0)])?;
    let changed = Changed { withdrawn: true, ..Changed::default() };
    changed_line(to, event.call, event.time_ms, &changed, why(record, event.call))
}

/// A call joins another, which may have become more urgent by it, or need more; or it is one of its own again.
fn merge(to: &Transaction<'_>, merge: &Merge) -> Result<(), LedgerError> {
    let joined = merge.into.map(|into| int(into.0));
    let is_new = to
        .prepare_cached("UPDATE calls SET joined = ?1 WHERE id = ?2 AND joined IS NOT ?1")?
        .execute(params![joined, int(merge.call.0)])?
        > 0;
    let Some(into) = merge.into else { return Ok(()) };
    let raised = change(to, into, &merge.facts)?;
    if !is_new && raised.is_none() {
        return Ok(());
    }
    let joined = is_new.then_some(merge.call);
    changed_line(to, into, merge.time_ms, &Changed { joined, ..raised.unwrap_or_default() }, "")
}

/// What is kept beside a call event of a tick.
fn note(record: &TickRecord, call: CallId) -> Option<&CallNote> {
    record.notes.iter().find(|(of, _)| *of == call).map(|(_, note)| note)
}

/// Why somebody changed a call at a tick; empty where nothing was said.
fn why(record: &TickRecord, call: CallId) -> &str {
    let mut reasons = record.notes.iter().filter(|(of, _)| *of == call).map(|(_, note)| note.why.as_str());
    reasons.find(|why| !why.is_empty()).unwrap_or_default()
}

/// False: the book had an assignment with this ID.
fn assignment(to: &Transaction<'_>, a: &Assignment) -> Result<bool, LedgerError> {
    let candidates = to_json(&a.candidates)?;
    let is_new = to
        .prepare_cached("DELETE FROM assignments WHERE call = ? AND attempt = ?")?
        .execute(params![int(a.call.0), a.id.attempt])?
        == 0;
    if !is_new {
        tracing::error!(assignment = %a.id, "the ledger had another assignment with this ID; the new one takes its place");
    }
    to.prepare_cached(
        "INSERT INTO assignments (call, attempt, unit, time_ms, priority, eta_ms, candidates, reason)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        int(a.call.0),
        a.id.attempt,
        a.unit.0,
        int(a.time_ms),
        word(&a.priority)?,
        int(a.eta_ms),
        candidates,
        word(&a.reason)?,
    ])?;
    Ok(is_new)
}

fn assignment_phase(to: &Transaction<'_>, status: &AssignmentStatus) -> Result<(), LedgerError> {
    let (phase, ended) = match status.phase {
        AssignmentPhase::Ended(why) => ("ended".to_owned(), Some(why)),
        phase => (word(&phase)?, None),
    };
    let ended_ms = ended.map(|_| int(status.time_ms));
    to.prepare_cached(
        "UPDATE assignments SET phase = ?, ended = ?, ended_ms = ? WHERE call = ? AND attempt = ? AND phase <> 'ended'",
    )?
    .execute(params![
        phase,
        ended.as_ref().map(word).transpose()?.unwrap_or_default(),
        ended_ms,
        int(status.id.call.0),
        status.id.attempt,
    ])?;
    Ok(())
}

fn escalation(to: &Transaction<'_>, e: &Escalation) -> Result<(), LedgerError> {
    to.prepare_cached("INSERT INTO escalations VALUES (?, ?, ?, ?, ?, ?)")?.execute(params![
        int(e.call.0),
        int(e.time_ms),
        word(&e.step)?,
        word(&e.why)?,
        e.assignment.map(|a| a.attempt),
        e.unit.map(|u| u.0),
    ])?;
    Ok(())
}

/// A phase is history only where it differs from the one before.
fn phase(to: &Transaction<'_>, status: &CallStatus, why: &str) -> Result<(), LedgerError> {
    let (call, phase) = (int(status.call.0), word(&status.phase)?);
    let (attempt, unit) = (status.assignment.map(|a| a.attempt), status.unit.map(|u| u.0));
    let changed = to
        .prepare_cached(
            "UPDATE calls SET phase = ?2, attempt = ?3, unit = ?4
             WHERE id = ?1 AND NOT (phase = ?2 AND attempt IS ?3 AND unit IS ?4)",
        )?
        .execute(params![call, phase, attempt, unit])?;
    if changed > 0 {
        let reason = status.reason.as_ref().map(word).transpose()?.unwrap_or_default();
        to.prepare_cached("INSERT INTO call_history VALUES (?, ?, ?, ?, ?, ?, '', ?)")?.execute(params![
            call,
            int(status.time_ms),
            phase,
            attempt,
            unit,
            reason,
            // What somebody wished has a reason: its end, and that it is a call of its own again.
            if status.phase == CallPhase::Cancelled || status.phase == CallPhase::Waiting { why } else { "" },
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

/// Signal commands written as one row.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wrote {
    /// So many.
    pub(super) commands: usize,
    /// The time of the last one, ms.
    pub(super) last_ms: i64,
    /// Rows before this time were dropped, ms.
    pub(super) expired_before_ms: i64,
}

/// Writes signal commands as one row, and drops those that are older than `keep_ms`. None: there were none.
pub(super) fn signals<'a>(
    to: &Transaction<'_>,
    commands: impl Iterator<Item = &'a SignalCommand>,
    keep_ms: u64,
) -> Result<Option<Wrote>, LedgerError> {
    let commands: Vec<&SignalCommand> = commands.collect();
    let Some(last_ms) = commands.iter().map(|c| c.at_ms).max() else { return Ok(None) };
    let expired_before_ms = int(last_ms.saturating_sub(keep_ms));
    let blob = postcard::to_stdvec(&commands).map_err(|e| LedgerError::Corrupt(e.to_string()))?;
    to.prepare_cached("INSERT INTO signal_commands VALUES (?, ?)")?.execute(params![int(last_ms), blob])?;
    to.prepare_cached("DELETE FROM signal_commands WHERE from_ms < ?")?.execute([expired_before_ms])?;
    Ok(Some(Wrote { commands: commands.len(), last_ms: int(last_ms), expired_before_ms }))
}

/// Notes how far topics are read.
pub(super) fn offsets(to: &Transaction<'_>, read: &Offsets) -> Result<(), LedgerError> {
    for ((topic, partition), next) in read.iter() {
        to.prepare_cached("INSERT OR REPLACE INTO offsets VALUES (?, ?, ?)")?
            .execute(params![&**topic, partition, next])?;
    }
    Ok(())
}

/// Notes how far the book goes.
pub(super) fn last_tick(to: &Transaction<'_>, tick: Time) -> Result<(), LedgerError> {
    to.prepare_cached("INSERT OR REPLACE INTO meta VALUES ('last_tick', ?)")?.execute([int(tick)])?;
    Ok(())
}
