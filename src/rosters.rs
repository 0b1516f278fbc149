//! Rosters from their files: TOML, one a roster, with persons and points there, in a CSV beside it, or taken from the city.
//! `docs/rosters.md` shows one.

use std::path::{Path, PathBuf};

use nanming_dataflows::ids::RosterId;
use nanming_dataflows::network::{City, Role, Roster, Rung, TaskKind};

use crate::config::Config;

mod file;
mod number;
mod people;
mod rows;
use file::{RosterFile, RungFile};
pub use number::{MOST_SENT, OWN_TASKS, task_name, task_of, task_sent};

/// Those of the generated reference city.
const REFERENCE: [(&str, &str); 4] = [
    ("sites.toml", include_str!("../simulators/rosters/sites.toml")),
    ("community.toml", include_str!("../simulators/rosters/community.toml")),
    ("fraud.toml", include_str!("../simulators/rosters/fraud.toml")),
    ("cleaning.toml", include_str!("../simulators/rosters/cleaning.toml")),
];

/// Rosters that a city can have.
const MOST_ROSTERS: usize = 64;
/// Steps of a ladder.
const MOST_RUNGS: usize = 16;
/// Kinds and roles of a roster.
const MOST_KINDS: usize = 100;

/// A roster that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RosterError {
    /// The file cannot be read.
    #[error("roster {0}: {1}")]
    File(PathBuf, std::io::Error),
    /// It is not TOML, or holds an unknown key or a wrong type.
    #[error("roster {0}: {1}")]
    Toml(PathBuf, Box<toml::de::Error>),
    /// It makes no sense.
    #[error("roster {0}: {1}")]
    Value(PathBuf, String),
}

/// Gives a city its rosters: those of the files in the configuration, or those of the reference city where that runs.
pub fn apply(config: &Config, city: &mut City) -> Result<(), RosterError> {
    match (config.rosters.files.as_slice(), &config.city.file) {
        ([], None) => reference(city, config.city.seed),
        (files, _) => load(city, files),
    }
}

/// Gives a city the rosters of these files.
pub fn load(city: &mut City, files: &[PathBuf]) -> Result<(), RosterError> {
    for path in files {
        let text = std::fs::read_to_string(path).map_err(|error| RosterError::File(path.clone(), error))?;
        add(city, path, &text, 1)?;
    }
    Ok(())
}

/// Gives a city the rosters of the reference city, with the persons and points that `seed` places.
pub fn reference(city: &mut City, seed: u64) -> Result<(), RosterError> {
    REFERENCE.into_iter().try_for_each(|(name, text)| add(city, Path::new(name), text, seed))
}

fn add(city: &mut City, path: &Path, text: &str, seed: u64) -> Result<(), RosterError> {
    let file: RosterFile = toml::from_str(text).map_err(|error| RosterError::Toml(path.into(), Box::new(error)))?;
    let roster = made(city, &file, path, seed).map_err(|why| RosterError::Value(path.into(), why))?;
    city.rosters.push(roster);
    Ok(())
}

fn made(city: &City, file: &RosterFile, path: &Path, seed: u64) -> Result<Roster, String> {
    named(city, file)?;
    let roles: Vec<Role> =
        file.roles.iter().map(|role| Role { name: role.name.clone(), is_standing: role.standing }).collect();
    let ladder = rungs(&roles, &file.ladder)?;
    let mut kinds = Vec::new();
    for kind in &file.kinds {
        let ladder = if kind.ladder.is_empty() { ladder.clone() } else { rungs(&roles, &kind.ladder)? };
        if ladder.is_empty() {
            return Err(format!("kind '{}' has no ladder, and the file has none for all: add [[ladder]]", kind.name));
        }
        kinds.push(TaskKind { name: kind.name.clone(), ladder });
    }
    let points = people::points(city, file, path, seed)?;
    let persons = people::persons(city, file, &roles, path, seed)?;
    let roster = Roster {
        id: RosterId::from_index(city.rosters.len()),
        name: file.name.clone(),
        title: file.title.clone().unwrap_or_else(|| file.name.clone()),
        roles,
        kinds,
        persons,
        points,
        speed_mm_s: (within("speed_km_h", file.speed_km_h, 0.5, 200.0)? / 0.0036).round() as u32,
        detour_milli: (within("detour", file.detour, 1.0, 10.0)? * 1000.0).round() as u32,
        load_ms: minutes("load_min", file.load_min)?,
        move_ms: minutes("move_min", file.move_min)?,
        long_absence_ms: (within("long_absence_h", file.long_absence_h, 0.0, 8760.0)? * 3_600_000.0) as u64,
        takes_findings: file.takes_findings,
        takes_calls: file.takes_calls,
    };
    manned(&roster)?;
    Ok(roster)
}

fn named(city: &City, file: &RosterFile) -> Result<(), String> {
    let is_word = |name: &str| {
        !name.is_empty()
            && name.len() <= 32
            && name.bytes().all(|b| b == b'_' || b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    let names =
        [&file.name].into_iter().chain(file.roles.iter().map(|r| &r.name)).chain(file.kinds.iter().map(|k| &k.name));
    for name in names {
        if !is_word(name) {
            return Err(format!("'{name}' must be 1 to 32 of a-z, 0-9 and _"));
        }
    }
    unique("role", file.roles.iter().map(|role| role.name.as_str()))?;
    unique("kind", file.kinds.iter().map(|kind| kind.name.as_str()))?;
    if city.rosters.iter().any(|roster| roster.name == file.name) {
        return Err(format!("there is a roster '{}' already", file.name));
    }
    if city.rosters.len() >= MOST_ROSTERS || file.roles.len() > MOST_KINDS || file.kinds.len() > MOST_KINDS {
        return Err(format!("at most {MOST_ROSTERS} rosters, and {MOST_KINDS} roles and kinds in each"));
    }
    Ok(())
}

/// No name twice.
fn unique<'a>(what: &str, names: impl Iterator<Item = &'a str>) -> Result<(), String> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(format!("{what} '{name}' stands there twice"));
        }
    }
    Ok(())
}

/// Whether somebody can be given each task, and points have roles that look after them.
fn manned(roster: &Roster) -> Result<(), String> {
    for kind in &roster.kinds {
        let has = |rung: &Rung| roster.persons.iter().any(|person| person.role == rung.role);
        if let Some(empty) = kind.ladder.iter().find(|rung| !has(rung)) {
            let role = &roster.roles[usize::from(empty.role)].name;
            return Err(format!("nobody is '{role}', who is to take '{}': add [[persons]] with this role", kind.name));
        }
    }
    if roster.kinds.is_empty() {
        return Err("there is no kind of task: add [[kinds]]".into());
    }
    unique("person", roster.persons.iter().map(|person| person.name.as_str()))?;
    unique("point", roster.points.iter().map(|point| point.name.as_str()))
}

fn rungs(roles: &[Role], ladder: &[RungFile]) -> Result<Vec<Rung>, String> {
    if ladder.len() > MOST_RUNGS {
        return Err(format!("a ladder has at most {MOST_RUNGS} steps"));
    }
    let rung = |step: &RungFile| {
        let role = role_row(roles, &step.role)?;
        let (accept_ms, done_ms) = (minutes("accept_min", step.accept_min)?, minutes("done_min", step.done_min)?);
        if accept_ms == 0 || done_ms == 0 {
            return Err("accept_min and done_min must be above 0".into());
        }
        Ok(Rung { role, accept_ms, done_ms, by_shift_end: step.by_shift_end })
    };
    ladder.iter().map(rung).collect()
}

fn role_row(roles: &[Role], name: &str) -> Result<u8, String> {
    let row = roles.iter().position(|role| role.name == name);
    row.map(|row| row as u8).ok_or_else(|| format!("there is no role '{name}': add [[roles]] with this name"))
}

fn minutes(name: &str, value: f64) -> Result<u64, String> {
    within(name, value, 0.0, 525_600.0).map(|minutes| (minutes * 60_000.0).round() as u64)
}

fn within(name: &str, value: f64, least: f64, most: f64) -> Result<f64, String> {
    if (least..=most).contains(&value) { Ok(value) } else { Err(format!("{name} must be from {least} to {most}")) }
}

#[cfg(test)]
mod tests;
