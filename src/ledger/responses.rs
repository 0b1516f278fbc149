//! When calls were answered, for the report: one row a call.

use nanming_dataflows::event::{CallPhase, Priority};
use rusqlite::Row;

use super::text::{int, unsigned, variant};
use super::{Book, LedgerError};

/// When a call reached what; ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Response {
    /// Its urgency now.
    pub priority: Priority,
    /// How far it is.
    pub phase: CallPhase,
    /// When it was raised.
    pub opened_ms: u64,
    /// When a unit was first sent.
    pub assigned_ms: Option<u64>,
    /// When a unit first accepted, and so departed.
    pub accepted_ms: Option<u64>,
    /// From the assignment that was first accepted to its acceptance.
    pub accepting_ms: Option<u64>,
    /// When a unit was first there.
    pub arrived_ms: Option<u64>,
}

impl Book {
    /// Calls raised from a time to before another, or all; oldest first.
    pub fn responses(&self, span: Option<(u64, u64)>) -> Result<Vec<Response>, LedgerError> {
        let (from, to) = span.unwrap_or((0, u64::MAX));
        let db = self.lock();
        let mut statement = db.prepare_cached(
            "WITH answers AS (
                SELECT k.call, k.answer, min(k.time_ms) AS time_ms, min(k.time_ms - a.time_ms) AS taken_ms
                FROM acks k JOIN assignments a ON a.call = k.call AND a.attempt = k.attempt
                WHERE k.refused = '' AND k.answer IN ('accept', 'arrived', 'closed') GROUP BY k.call, k.answer)
             SELECT c.priority, c.phase, c.opened_ms,
                (SELECT min(time_ms) FROM assignments WHERE call = c.id),
                (SELECT min(time_ms) FROM answers WHERE call = c.id),
                (SELECT taken_ms FROM answers WHERE call = c.id ORDER BY time_ms LIMIT 1),
                (SELECT min(time_ms) FROM answers WHERE call = c.id AND answer <> 'accept')
             FROM calls c WHERE c.opened_ms >= ? AND c.opened_ms < ? ORDER BY c.opened_ms, c.id",
        )?;
        let mut rows = statement.query([int(from), int(to)])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            found.push(response(row)?);
        }
        Ok(found)
    }
}

fn response(row: &Row<'_>) -> Result<Response, LedgerError> {
    let time = |column: usize| row.get::<_, Option<i64>>(column).map(|time| time.map(unsigned));
    Ok(Response {
        priority: variant(&row.get::<_, String>(0)?)?,
        phase: variant(&row.get::<_, String>(1)?)?,
        opened_ms: unsigned(row.get(2)?),
        assigned_ms: time(3)?,
        accepted_ms: time(4)?,
        accepting_ms: time(5)?,
        arrived_ms: time(6)?,
    })
}
