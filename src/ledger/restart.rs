//! What a new engine must be told of the time before it.

use std::ops::Range;

use nanming_dataflows::Time;
use nanming_dataflows::decision::{Assignment, CallPhase, Candidate};
use nanming_dataflows::event::{
    Ack, AssignmentId, CallChange, CallEvent, CallFacts, Needs, Serving, Skill, StageHold, Standing,
};
use nanming_dataflows::ids::{CallId, GridId, JunctionId, UnitId};
use nanming_dataflows::network::Point;
use rusqlite::{OptionalExtension, Row};

use super::text::{int, json, unsigned, variant};
use super::{Ledger, LedgerError};
use crate::door::CallNote;
use crate::offsets::Offsets;

/// Phases in which a call is still somebody's business.
pub(super) const OPEN: &str = "('waiting', 'assigned', 'accepted', 'arrived')";
/// Calls that were referred can be taken back for so long, ms.
const REFERRED_MS: u64 = 24 * 3_600_000;

/// Columns of the facts of a call, in the order in which [`facts`] reads them.
pub(super) const FACTS: &str = "priority, category, x_mm, y_mm, grid, needs_units, needs_skills";

/// Answers of the time before that a new engine is told of.
const ANSWERS: i64 = 10_000;

/// An assignment that holds: its call, and how far it is.
#[derive(Clone, Debug, PartialEq)]
pub struct InForce {
    /// The assignment as it was decided.
    pub assignment: Assignment,
    /// How far it is.
    pub phase: CallPhase,
}

impl Ledger {
    /// Open calls with what is known of them now and where they stand, by ID, as the events that restore them; and those
    /// that were merged into them, or referred of late.
    pub fn open_calls(&self) -> Result<Vec<(CallEvent, CallNote)>, LedgerError> {
        let since_ms = self.last_tick()?.unwrap_or(0).saturating_sub(REFERRED_MS);
        let sql = format!(
            "SELECT id, opened_ms, {FACTS}, words, channel, phase, unit,
                    coalesce(attempt, (SELECT max(attempt) FROM assignments WHERE call = id), 0), caller, pictures, key, rule,
                    joined, withdrawn
             FROM calls
             WHERE phase IN {OPEN} OR phase = 'merged' OR (phase = 'referred' AND opened_ms > ?) ORDER BY id"
        );
        let mut statement = self.db.prepare(&sql)?;
        let mut rows = statement.query([int(since_ms)])?;
        let mut calls = Vec::new();
        while let Some(row) = rows.next()? {
            let (call, time_ms) = (CallId(unsigned(row.get(0)?)), unsigned(row.get(1)?));
            let note = note(row, 9, 14)?;
            let (facts, standing) = (facts(row, 2)?, standing(row, 11)?);
            self.roster.check(call, &facts, &standing)?;
            let into = row.get::<_, Option<i64>>(18)?.map(|id| CallId(unsigned(id)));
            let change = match into.filter(|_| standing.phase == CallPhase::Merged) {
                Some(into) => CallChange::Joined(facts, into),
                None => CallChange::Restored(facts, standing),
            };
            calls.push((CallEvent { time_ms, call, change }, note));
            if row.get(19)? {
                calls.push((CallEvent { time_ms, call, change: CallChange::Withdrawn }, CallNote::default()));
            }
        }
        Ok(calls)
    }

    /// What else there was about open calls: further units on them, and those who declined, as the events that restore it.
    pub fn crews(&self) -> Result<Vec<CallEvent>, LedgerError> {
        let sql = format!(
            "SELECT c.id, c.opened_ms, a.unit, a.attempt, a.phase, a.ended, a.reason = 'ordered', a.attempt IS c.attempt,
                    a.attempt = (SELECT max(attempt) FROM assignments WHERE call = c.id)
             FROM calls c JOIN assignments a ON a.call = c.id WHERE c.phase IN {OPEN} ORDER BY c.id, a.attempt"
        );
        let mut statement = self.db.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut events = Vec::new();
        while let Some(row) = rows.next()? {
            let (call, time_ms) = (CallId(unsigned(row.get(0)?)), unsigned(row.get(1)?));
            let (unit, attempt) = (self.roster.unit(call, row.get(2)?)?, row.get(3)?);
            let (is_ordered, is_lead, is_last): (bool, bool, bool) = (row.get(6)?, row.get(7)?, row.get(8)?);
            let change = match row.get::<_, String>(5)?.as_str() {
                "declined" => Some(CallChange::Declined(unit)),
                "done" | "unit_free" => Some(CallChange::Done(unit)),
                "" if (is_ordered || !is_lead) && row.get::<_, String>(4)? != "ended" => {
                    let phase = variant(&row.get::<_, String>(4)?)?;
                    Some(CallChange::Serving(Serving { unit, attempt, phase, is_ordered }))
                }
                _ => None,
            };
            let count = (is_last && !is_lead).then_some(CallChange::Attempts(attempt));
            events.extend(change.into_iter().chain(count).map(|change| CallEvent { time_ms, call, change }));
        }
        Ok(events)
    }

    /// The last word on each junction at which a stage is held beyond a time, ms, by junction.
    pub fn holds_in_force(&self, now_ms: u64) -> Result<Vec<StageHold>, LedgerError> {
        let mut statement = self.db.prepare(
            "SELECT junction, time_ms, stage, until_ms, by FROM holds h WHERE stage IS NOT NULL AND until_ms > ?
             AND time_ms = (SELECT max(time_ms) FROM holds WHERE junction = h.junction) ORDER BY junction",
        )?;
        let hold = |row: &Row<'_>| {
            let (time_ms, until_ms) = (unsigned(row.get(1)?), unsigned(row.get(3)?));
            Ok(StageHold { time_ms, junction: JunctionId(row.get(0)?), stage: row.get(2)?, until_ms, by: row.get(4)? })
        };
        Ok(statement.query_map([int(now_ms)], hold)?.collect::<Result<_, _>>()?)
    }

    /// Assignments in force, by call.
    pub fn assignments_in_force(&self) -> Result<Vec<InForce>, LedgerError> {
        let sql = format!(
            "SELECT a.call, a.attempt, a.unit, a.time_ms, a.priority, a.eta_ms, a.candidates, a.reason, a.phase
             FROM calls c JOIN assignments a ON a.call = c.id
             WHERE c.phase IN {OPEN} AND a.phase <> 'ended' ORDER BY a.call, a.attempt"
        );
        let mut statement = self.db.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(InForce { assignment: assignment(row)?, phase: variant(&row.get::<_, String>(8)?)? });
        }
        Ok(found)
    }

    /// The latest answers that were taken: one that comes again is told so.
    pub fn answers_taken(&self) -> Result<Vec<Ack>, LedgerError> {
        let mut statement = self.db.prepare(
            "SELECT time_ms, call, attempt, unit, answer FROM
                (SELECT rowid AS n, * FROM acks WHERE refused = '' ORDER BY n DESC LIMIT ?) ORDER BY n",
        )?;
        let mut rows = statement.query([ANSWERS])?;
        let mut taken = Vec::new();
        while let Some(row) = rows.next()? {
            let assignment = AssignmentId { call: CallId(unsigned(row.get(1)?)), attempt: row.get(2)? };
            let (time_ms, unit) = (unsigned(row.get(0)?), UnitId(row.get(3)?));
            taken.push(Ack { time_ms, unit, assignment, answer: variant(&row.get::<_, String>(4)?)? });
        }
        Ok(taken)
    }

    /// The first ID after all calls in the book that have one of `range`: its start if there are none. Ranges are kept
    /// apart because the IDs of people's calls, of senders and of the simulator grow side by side.
    pub fn next_call_id(&self, range: Range<u64>) -> Result<CallId, LedgerError> {
        let sql = "SELECT max(id) FROM calls WHERE id >= ? AND id < ?";
        let last: Option<i64> = self.db.query_row(sql, [int(range.start), int(range.end)], |row| row.get(0))?;
        Ok(CallId(last.map_or(range.start, |id| unsigned(id) + 1)))
    }

    /// How far topics are read.
    pub fn offsets(&self) -> Result<Offsets, LedgerError> {
        let mut statement = self.db.prepare("SELECT topic, partition, next FROM offsets")?;
        let rows = statement.query_map([], |row| Ok(((row.get::<_, String>(0)?.into(), row.get(1)?), row.get(2)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// The last tick in the book; a new engine starts after it.
    pub fn last_tick(&self) -> Result<Option<Time>, LedgerError> {
        Ok(self.meta("last_tick")?.map(unsigned))
    }

    /// A number that the ledger keeps about itself.
    pub(super) fn meta(&self, key: &str) -> Result<Option<i64>, LedgerError> {
        Ok(self.db.query_row("SELECT value FROM meta WHERE key = ?", [key], |row| row.get(0)).optional()?)
    }
}

/// Where a call stands, from the columns phase, unit, attempts, the first of which is `from`.
fn standing(row: &Row<'_>, from: usize) -> Result<Standing, LedgerError> {
    Ok(Standing {
        phase: variant(&row.get::<_, String>(from)?)?,
        unit: row.get::<_, Option<u32>>(from + 1)?.map(UnitId),
        attempts: row.get(from + 2)?,
    })
}

/// What was said and how it came in, from the columns words, channel from `from`, and caller, pictures, key, rule from
/// `more`.
pub(super) fn note(row: &Row<'_>, from: usize, more: usize) -> Result<CallNote, LedgerError> {
    let (pictures, rule): (String, String) = (row.get(more + 1)?, row.get(more + 3)?);
    Ok(CallNote {
        words: row.get(from)?,
        channel: row.get(from + 1)?,
        caller: row.get(more)?,
        pictures: json(&pictures)?,
        key: row.get(more + 2)?,
        classified: Some(rule).filter(|rule| !rule.is_empty()).map(|rule| json(&rule)).transpose()?,
        why: String::new(),
    })
}

/// Facts from the columns [`FACTS`], the first of which is `from`.
pub(super) fn facts(row: &Row<'_>, from: usize) -> Result<CallFacts, LedgerError> {
    Ok(CallFacts {
        priority: variant(&row.get::<_, String>(from)?)?,
        category: variant(&row.get::<_, String>(from + 1)?)?,
        at: Point { x_mm: row.get(from + 2)?, y_mm: row.get(from + 3)? },
        grid: GridId(row.get(from + 4)?),
        needs: Needs {
            units: row.get(from + 5)?,
            skills: json::<Vec<Skill>>(&row.get::<_, String>(from + 6)?)?.into(),
        },
    })
}

/// An assignment from the columns of its table, in order.
pub(super) fn assignment(row: &Row<'_>) -> Result<Assignment, LedgerError> {
    let call = CallId(unsigned(row.get(0)?));
    let candidates: Vec<Candidate> = json(&row.get::<_, String>(6)?)?;
    Ok(Assignment {
        id: AssignmentId { call, attempt: row.get(1)? },
        call,
        unit: UnitId(row.get(2)?),
        time_ms: unsigned(row.get(3)?),
        priority: variant(&row.get::<_, String>(4)?)?,
        eta_ms: unsigned(row.get(5)?),
        candidates,
        reason: variant(&row.get::<_, String>(7)?)?,
    })
}
