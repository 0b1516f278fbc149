//! Real police calls laid over a recorded hour: those received in the same hours of the day, their places stretched from
//! the box that they span to the network's.

use std::path::Path;

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{CallChange, CallEvent, CallFacts, Category, Event, Priority};
use nanming_dataflows::ids::CallId;
use nanming_dataflows::network::{City, Point};

use super::ReplayError;
use super::rows::{DeadLetter, number, table};

const HOUR_MS: u64 = 3_600_000;

struct Row {
    call: CallId,
    day_ms: u64,
    priority: Priority,
    category: Category,
    at: (f64, f64),
}

/// Reads calls and adds those of the recording's hours of the day between `from` and `to`, ms.
pub(super) fn calls(
    city: &City,
    path: &Path,
    (from, to): (u64, u64),
    events: &mut Vec<Event>,
    dead: &mut Vec<DeadLetter>,
) -> Result<(), ReplayError> {
    let columns = ["id", "received_at", "description", "priority", "on_view", "lon", "lat"];
    let rows: Vec<Option<Row>> = table(path, "calls", &columns, dead, row)?;
    let rows: Vec<Row> = rows.into_iter().flatten().collect();
    let midnight_ms = local_midnight_ms(from, city.utc_offset_min);
    let boxed = Stretch::new(city, &rows);
    for row in rows {
        let at = boxed.place(row.at);
        let time_ms = midnight_ms.saturating_add_unsigned(row.day_ms);
        let Some(time_ms) = u64::try_from(time_ms).ok().filter(|time_ms| (from..=to).contains(time_ms)) else {
            continue;
        };
        if let Some(grid) = city.grid_at(at) {
            let facts = CallFacts { priority: row.priority, category: row.category, at, grid };
            events.push(Event::Call(CallEvent { time_ms, call: row.call, change: CallChange::Opened(facts) }));
        }
    }
    Ok(())
}

/// When the local day began in which `time_ms` lies, ms since the Unix epoch; before it, east of Greenwich in the first day.
fn local_midnight_ms(time_ms: u64, utc_offset_min: i32) -> i64 {
    let local_ms = time_ms as i64 + i64::from(utc_offset_min) * 60_000;
    time_ms as i64 - local_ms.rem_euclid(24 * HOUR_MS as i64)
}

/// A row as a call; none where an officer saw it himself or no place is known.
fn row(cells: &[&str]) -> Result<Option<Row>, (Reason, String)> {
    if cells[4] != "N" || cells[5].is_empty() || cells[6].is_empty() {
        return Ok(None);
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
    Ok(Some(Row { call: CallId(call), day_ms, priority, category: category(cells[2]), at }))
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

/// From the box of the calls to the box of the network.
struct Stretch {
    from: [(f64, f64); 2],
    to: [Point; 2],
}

impl Stretch {
    fn new(city: &City, rows: &[Row]) -> Self {
        let span = |pick: fn(&Row) -> f64| {
            rows.iter().map(pick).fold((f64::MAX, f64::MIN), |(low, high), x| (low.min(x), high.max(x)))
        };
        let xs = city.nodes.iter().map(|n| n.at.x_mm);
        let ys = city.nodes.iter().map(|n| n.at.y_mm);
        let low = Point { x_mm: xs.clone().min().unwrap_or(0), y_mm: ys.clone().min().unwrap_or(0) };
        let high = Point { x_mm: xs.max().unwrap_or(0), y_mm: ys.max().unwrap_or(0) };
        Stretch { from: [span(|r| r.at.0), span(|r| r.at.1)], to: [low, high] }
    }

    fn place(&self, (lon, lat): (f64, f64)) -> Point {
        let [low, high] = self.to;
        let along = |(a, b): (f64, f64), x: f64| if b > a { (x - a) / (b - a) } else { 0.5 };
        let between = |a: i32, b: i32, share: f64| a + (f64::from(b - a) * share).round() as i32;
        Point {
            x_mm: between(low.x_mm, high.x_mm, along(self.from[0], lon)),
            y_mm: between(low.y_mm, high.y_mm, along(self.from[1], lat)),
        }
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
