//! Whether a city hangs together: run on every city that comes in, so that no view needs to doubt an index or a length.
//!
//! Every ID is in its table, what names each other agrees on it, and numbers are small enough to be added up in mm and ms.
//! `src/city_file/tests.rs` breaks each field of a small city in turn.

use super::{City, ConflictMatrix, Light, Point};

mod assets;
mod days;
mod dispatch;
mod rosters;
mod signals;
mod streets;

/// The longest length, and the farthest place from the origin along an axis, mm: 1,000 km.
const REACH_MM: u32 = 1_000_000_000;
/// The longest time of a signal or a headway, ms.
const DAY_MS: u32 = 86_400_000;
/// The most time that a bus may get in a cycle, ms.
const BUS_MS: u32 = 60_000;
/// Minutes of a day.
const DAY_MIN: u16 = 1_440;

/// What is wrong with a city, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CityError(pub String);

impl std::fmt::Display for CityError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CityError {}

impl City {
    /// Checks every reference, every length and time, every stage and every plan. Errors name the first row that is wrong.
    pub fn check(&self) -> Result<(), CityError> {
        let at = || format!("city {}", self.name);
        let (lon, lat) = self.origin.degrees();
        need(lon.abs() <= 180.0 && lat.abs() < 90.0, at, "has its origin at no place on Earth")?;
        need(self.utc_offset_min.unsigned_abs() <= DAY_MIN.into(), at, "is more than a day off UTC")?;
        need(self.signal_priority.bus_ms <= BUS_MS, at, "helps a bus by more than a minute in a cycle (bus_ms)")?;
        days::check(self)?;
        streets::check(self)?;
        signals::check(self)?;
        assets::check(self)?;
        dispatch::check(self)?;
        rosters::check(self)
    }
}

/// The first pair of heads that `lights` let go although they conflict, if any.
pub(crate) fn crossing_greens(conflicts: &ConflictMatrix, lights: &[Light]) -> Option<(usize, usize)> {
    let yields = |head: usize| lights[head] == Light::Permissive;
    let heads = || (0..lights.len()).filter(|head| lights[*head].is_green());
    let mut pairs = heads().flat_map(|a| heads().filter(move |b| *b > a).map(move |b| (a, b)));
    pairs.find(|&(a, b)| conflicts.get(a, b).forbids(yields(a), yields(b)))
}

/// Whether each ID is its row.
fn dense(what: &str, ids: impl Iterator<Item = usize>) -> Result<(), CityError> {
    match ids.enumerate().find(|(row, id)| row != id) {
        Some((row, id)) => Err(CityError(format!("{what} {id} stands in row {row}: IDs must be dense"))),
        None => Ok(()),
    }
}

fn need(holds: bool, at: impl Fn() -> String, complaint: &str) -> Result<(), CityError> {
    if holds { Ok(()) } else { Err(CityError(format!("{} {complaint}", at()))) }
}

/// Whether a place is near enough to reckon with.
fn near(place: Point) -> bool {
    place.x_mm.unsigned_abs() <= REACH_MM && place.y_mm.unsigned_abs() <= REACH_MM
}

fn is_length(mm: u32) -> bool {
    (1..=REACH_MM).contains(&mm)
}

/// Whether a span of the local day has its ends in the day.
fn in_day((from, to): (u16, u16)) -> bool {
    from <= DAY_MIN && to <= DAY_MIN
}
