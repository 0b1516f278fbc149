//! Rosters: persons, points and ladders.

use super::super::{City, Roster, Rung};
use super::{CityError, dense, need};

/// The longest deadline, and the longest load and change of hands, ms: a year.
const YEAR_MS: u64 = 366 * 86_400_000;

/// Whether every roster hangs together.
pub(super) fn check(city: &City) -> Result<(), CityError> {
    dense("roster", city.rosters.iter().map(|roster| roster.id.index()))?;
    city.rosters.iter().try_for_each(roster)
}

fn roster(roster: &Roster) -> Result<(), CityError> {
    let at = || format!("roster {}", roster.name);
    dense("person", roster.persons.iter().map(|person| person.id.index()))?;
    dense("point", roster.points.iter().map(|point| point.id.index()))?;
    need(roster.speed_mm_s > 0, at, "has persons who do not move (speed_mm_s)")?;
    need(roster.load_ms.max(roster.move_ms) <= YEAR_MS, at, "counts more than a year of travel (load_ms, move_ms)")?;
    let has_role = |role: u8| usize::from(role) < roster.roles.len();
    need(roster.persons.iter().all(|person| has_role(person.role)), at, "has a person of a role that it lacks")?;
    let is_sound = |ladder: &[Rung]| {
        let bounded = |ms: u64| (1..=YEAR_MS).contains(&ms);
        let rung = |r: &Rung| has_role(r.role) && bounded(r.accept_ms) && bounded(r.done_ms);
        (1..=16).contains(&ladder.len()) && ladder.iter().all(rung)
    };
    need(roster.kinds.len() <= 100, at, "has more than 100 kinds of task")?;
    need(
        roster.kinds.iter().all(|kind| is_sound(&kind.ladder)),
        at,
        "has a kind whose ladder is empty, longer than 16 steps, of a role that it lacks or with a deadline beyond a year",
    )
}
