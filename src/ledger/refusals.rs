//! Which of a tick's events the engine refused: it says so by the event itself, and the same may have been said twice.

use std::collections::BTreeMap;

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{Ack, CallEvent, Event, RosterEvent};

use crate::door::TickRecord;

/// The call events of a tick, and why each was refused, if it was.
pub(crate) fn calls(record: &TickRecord) -> impl Iterator<Item = (&CallEvent, Option<Reason>)> {
    each(record, &record.calls, |event| if let Event::Call(e) = event { Some(e) } else { None })
}

/// The answers of a tick, and why each was refused, if it was.
pub(crate) fn acks(record: &TickRecord) -> impl Iterator<Item = (&Ack, Option<Reason>)> {
    each(record, &record.acks, |event| if let Event::Ack(e) = event { Some(e) } else { None })
}

/// What rosters were told at a tick, and why each was refused, if it was.
pub(crate) fn rosters(record: &TickRecord) -> impl Iterator<Item = (&RosterEvent, Option<Reason>)> {
    each(record, &record.rosters, |event| if let Event::Roster(e) = event { Some(e) } else { None })
}

/// Of events that are alike the first can have been taken: those refused are the last.
fn each<'a, E: Ord>(
    record: &'a TickRecord,
    events: &'a [E],
    of: fn(&Event) -> Option<&E>,
) -> impl Iterator<Item = (&'a E, Option<Reason>)> {
    let mut reasons = vec![None; events.len()];
    let mut refused = record.decisions.rejected.iter().filter_map(|r| Some((of(&r.event)?, r.reason))).peekable();
    if refused.peek().is_some() {
        let mut rows: BTreeMap<&E, Vec<usize>> = BTreeMap::new();
        events.iter().enumerate().for_each(|(row, event)| rows.entry(event).or_default().push(row));
        for (event, reason) in refused {
            if let Some(row) = rows.get_mut(event).and_then(Vec::pop) {
                reasons[row] = Some(reason);
            }
        }
    }
    events.iter().zip(reasons)
}
