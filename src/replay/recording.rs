//! What is played: the events of a recording in the order of their times, and the span of time that they cover.
//!
//! One wrong time must not make the hour years. A recording is one stretch of time: passages in which gaps of more than six
//! hours lie are parted there, and the part with the most of them is played.

use std::sync::Arc;

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::Event;
use nanming_dataflows::network::City;

use super::rows::{DeadLetter, Row, passages, signals};
use super::tally::LeftOut;
use super::{ReplayArgs, ReplayError, calls};

/// A longer time without a passage parts a recording, ms.
const GAP_MS: u64 = 6 * 3_600_000;

/// The recording.
pub(super) struct Recording {
    /// In the order of their times.
    pub(super) events: Vec<Event>,
    /// Times of the first and of the last passage, ms.
    pub(super) span: (u64, u64),
    /// Rows of calls that are not played though nothing is wrong with them.
    pub(super) calls_left_out: LeftOut,
}

impl Recording {
    /// Reads the files; what is wrong in them goes to the dead letters.
    pub(super) fn read(
        args: &ReplayArgs,
        city: &Arc<City>,
        dead: &mut Vec<DeadLetter>,
    ) -> Result<Recording, ReplayError> {
        let path = args.passages.clone().unwrap_or_default();
        let rows = passages(city, &path, dead)?;
        let Some(span) = longest_stretch(rows.iter().map(|row| row.what.time_ms()).collect()) else {
            let dead_letters = args.out.join("dead_letters.jsonl");
            return Err(ReplayError::Empty { passages: path, dead_letters });
        };
        let mut events = within("passages", span, rows, dead);
        if let Some(path) = &args.signals {
            let near = (span.0.saturating_sub(GAP_MS), span.1 + GAP_MS);
            events.extend(within("signals", near, signals(city, path, dead)?, dead));
        }
        let mut calls_left_out = LeftOut::default();
        if let Some(path) = &args.calls {
            events.extend(calls::calls(city, path, span, &mut calls_left_out, dead)?);
        }
        events.sort_by_key(Event::time_ms);
        Ok(Recording { events, span, calls_left_out })
    }
}

/// Begin and end of the part, between gaps, in which the most of these times lie; of parts alike the first. None of none.
fn longest_stretch(mut times_ms: Vec<u64>) -> Option<(u64, u64)> {
    times_ms.sort_unstable();
    let parts = times_ms.chunk_by(|before, after| after - before <= GAP_MS);
    let longest = parts.rev().max_by_key(|part| part.len())?;
    Some((*longest.first()?, *longest.last()?))
}

/// The events within a span; the others are dead letters.
fn within(stream: &'static str, span: (u64, u64), rows: Vec<Row<Event>>, dead: &mut Vec<DeadLetter>) -> Vec<Event> {
    let (near, far): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| (span.0..=span.1).contains(&row.what.time_ms()));
    dead.extend(far.into_iter().map(|Row { line, what }| DeadLetter {
        stream,
        line,
        reason: Reason::OutOfRange,
        detail: format!("time {} s lies more than 6 h from the rest of the recording", what.time_ms() as f64 / 1000.0),
    }));
    near.into_iter().map(|row| row.what).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_far_from_the_rest_do_not_stretch_a_recording() {
        let hour = |n: u64| n * 3_600_000;
        let times = vec![hour(17), 1_000, hour(16), u64::MAX, hour(16) + 5, hour(24) + 1];
        assert_eq!(longest_stretch(times), Some((hour(16), hour(17))));
        assert_eq!(longest_stretch(vec![hour(16), hour(22), hour(28)]), Some((hour(16), hour(28))), "no gap is longer");
        assert_eq!(longest_stretch(vec![hour(40), 7]), Some((7, 7)));
        assert_eq!(longest_stretch(vec![]), None);
    }
}
