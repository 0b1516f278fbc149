//! Real police calls laid over a recorded hour: those received in the same hours of the day, their places stretched from
//! the box that they span to the network's.

use std::path::Path;

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{CallChange, CallEvent, CallFacts, Category, Event, Needs, Priority};
use nanming_dataflows::ids::CallId;
use nanming_dataflows::network::City;

use super::ReplayError;
use super::rows::{DeadLetter, Row, number, table};
use super::stretch::{Stretch, Usual};
use super::tally::LeftOut;

const HOUR_MS: u64 = 3_600_000;

struct Call {
    call: CallId,
    day_ms: u64,
    priority: Priority,
    category: Category,
    at: (f64, f64),
}

/// Reads calls: those of the recording's hours of the day between `from` and `to`, ms. Why others are left out is counted.
pub(super) fn calls(
    city: &City,
    path: &Path,
    (from, to): (u64, u64),
    left_out: &mut LeftOut,
    dead: &mut Vec<DeadLetter>,
) -> Result<Vec<Event>, ReplayError> {
    let columns = ["id", "received_at", "description", "priority", "on_view", "lon", "lat"];
    let mut leave_out = |why| *left_out.entry(why).or_default() += 1;
    let mut rows = Vec::new();
    for Row { line, what } in table(path, "calls", &columns, dead, row)? {
        match what {
            Ok(call) => rows.push(Row { line, what: call }),
            Err(why) => leave_out(why),
        }
    }
    let rows = near_the_rest(rows, dead);
    let midnight_ms = local_midnight_ms(from, city.utc_offset_min);
    let stretch = Stretch::new(city, rows.iter().map(|row| row.what.at));
    let mut events = Vec::new();
    for Call { call, day_ms, priority, category, at } in rows.into_iter().map(|row| row.what) {
        let time_ms = u64::try_from(midnight_ms.saturating_add_unsigned(day_ms)).ok();
        let Some(time_ms) = time_ms.filter(|time_ms| (from..=to).contains(time_ms)) else {
            leave_out("other_hours");
            continue;
        };
        let at = stretch.place(at);
        let Some(grid) = city.grid_at(at) else {
            leave_out("no_grid");
            continue;
        };
        let change = CallChange::Opened(CallFacts { priority, category, at, grid, needs: Needs::ONE });
        events.push(Event::Call(CallEvent { time_ms, call, change }));
    }
    Ok(events)
}

/// Calls at places far from most others are dead letters: one of them would shift all the rest.
fn near_the_rest(rows: Vec<Row<Call>>, dead: &mut Vec<DeadLetter>) -> Vec<Row<Call>> {
    let usual = Usual::of(rows.iter().map(|row| row.what.at));
    let (near, far): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| usual.holds(row.what.at));
    dead.extend(far.into_iter().map(|Row { line, what: Call { at: (lon, lat), .. } }| DeadLetter {
        stream: "calls",
        line,
        reason: Reason::OutsideCity,
        detail: format!("lon {lon}, lat {lat} is far from the other calls"),
    }));
    near
}

/// When the local day began in which `time_ms` lies, ms since the Unix epoch; before it, east of Greenwich in the first day.
fn local_midnight_ms(time_ms: u64, utc_offset_min: i32) -> i64 {
    let local_ms = time_ms as i64 + i64::from(utc_offset_min) * 60_000;
    time_ms as i64 - local_ms.rem_euclid(24 * HOUR_MS as i64)
}

/// A row as a call, or why it is left out: where an officer saw it himself or no place is known.
fn row(cells: &[&str]) -> Result<Result<Call, &'static str>, (Reason, String)> {
    if cells[4] != "N" {
        return Ok(Err("not_from_callers"));
    }
    if cells[5].is_empty() || cells[6].is_empty() {
        return Ok(Err("no_place"));
    }
    let malformed = |what: &str| (Reason::Malformed, format!("'{what}' cannot be read"));
    let priority = match cells[3] {
        "A" => Priority::A,
        "B" => Priority::B,
        "C" => Priority::C,
        other => return Err(malformed(other)),
    };
    let call = cells[0].parse().map_err(|_| malformed(cells[0]))?;
    let day_ms = time_of_day_ms(cells[1]).ok_or_else(|| malformed(cells[1]))?;
    let at = (number(cells[5])?, number(cells[6])?);
    if at.0.abs() > 180.0 || at.1.abs() > 90.0 {
        return Err((Reason::OutOfRange, format!("lon {}, lat {} is no place on Earth", at.0, at.1)));
    }
    Ok(Ok(Call { call: CallId(call), day_ms, priority, category: category(cells[2]), at }))
}

/// ms into the day of a time such as `2026-01-05T17:46:25`.
fn time_of_day_ms(text: &str) -> Option<u64> {
    let (_, clock) = text.split_once(['T', ' '])?;
    let parts: Option<Vec<u64>> = clock.split(':').map(|p| p.parse().ok()).collect();
    match parts?.as_slice() {
        [h @ 0..=23, m @ 0..=59, s @ 0..=59] => Some(((h * 60 + m) * 60 + s) * 1000),
        _ => None,
    }
}

fn category(description: &str) -> Category {
    let has = |words: &[&str]| words.iter().any(|w| description.contains(w));
    if has(&["ACCIDENT", "COLLISION", "VEH ACC"]) {
        Category::Collision
    } else if has(&["BURGLARY", "ROBBERY", "THEFT", "STOLEN", "ASSAULT", "SHOOTING", "STABBING"]) {
        Category::Crime
    } else if has(&["FIGHT", "NOISE", "TRESPASS", "DISTURB"]) {
        Category::Disturbance
    } else if has(&["WELL BEING", "MENTALLY", "PERSON ATTEMPTING", "MISSING"]) {
        Category::Help
    } else {
        Category::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_local_day_begins_at_midnight_east_and_west_and_on_the_first_day() {
        const HOUR: i64 = 3_600_000;
        let noon_of_day_two_ms = 36 * HOUR as u64;
        assert_eq!(local_midnight_ms(noon_of_day_two_ms, 0), 24 * HOUR);
        assert_eq!(local_midnight_ms(noon_of_day_two_ms, 480), 16 * HOUR);
        assert_eq!(local_midnight_ms(noon_of_day_two_ms, -480), 32 * HOUR, "04:00 in the west");
        assert_eq!(local_midnight_ms(0, 480), -8 * HOUR);
        assert_eq!(local_midnight_ms(3 * HOUR as u64, -480), -16 * HOUR, "19:00 of the day before");
    }
}
