//! Who and what a roster has: named one by one, read from a CSV, taken from the city, or placed beside its streets.

use std::path::Path;

use nanming_dataflows::ids::{PersonId, PointId, SiteId};
use nanming_dataflows::network::{City, DutyPoint, LonLat, Person, Point, Role};

use super::file::{PersonsFile, PointsFile, RosterFile};
use super::{role_row, rows};

/// Persons or points that a roster can have.
const MOST: usize = 1_000_000;

/// Somebody or something with a name and a place.
struct Placed {
    name: String,
    at: Point,
    site: Option<SiteId>,
}

/// Where they come from.
struct Source<'a> {
    what: &'static str,
    name: Option<&'a str>,
    place: (Option<f64>, Option<f64>),
    from: Option<&'a str>,
    csv: Option<&'a Path>,
    placed: Option<usize>,
    /// What those placed are called: this and a number.
    stem: &'a str,
}

/// The points of a roster.
pub(super) fn points(city: &City, file: &RosterFile, path: &Path, seed: u64) -> Result<Vec<DutyPoint>, String> {
    let mut found = Vec::new();
    for (row, group) in file.points.iter().enumerate() {
        let PointsFile { name, lon, lat, from, csv, placed } = group;
        let what = "points";
        let (name, from, csv) = (name.as_deref(), from.as_deref(), csv.as_deref());
        let source = Source { what, name, place: (*lon, *lat), from, csv, placed: *placed, stem: "point" };
        let group = all(city, &source, path, seed ^ row as u64);
        found.extend(group.map_err(|why| format!("[[points]] {}: {why}", row + 1))?);
    }
    bounded(&found)?;
    let point =
        |(row, p): (usize, Placed)| DutyPoint { id: PointId::from_index(row), name: p.name, at: p.at, site: p.site };
    Ok(found.into_iter().enumerate().map(point).collect())
}

/// The persons of a roster.
pub(super) fn persons(
    city: &City,
    file: &RosterFile,
    roles: &[Role],
    path: &Path,
    seed: u64,
) -> Result<Vec<Person>, String> {
    let mut persons = Vec::new();
    for (row, group) in file.persons.iter().enumerate() {
        let wrong = |why: String| format!("[[persons]] {}: {why}", row + 1);
        let role = role_row(roles, &group.role).map_err(wrong)?;
        let shift_min = shift(group.shift.as_deref()).map_err(wrong)?;
        let found = all(city, &source(group), path, seed ^ (1_000 + row as u64)).map_err(wrong)?;
        bounded(&found)?;
        for (nth, Placed { name, at, .. }) in found.into_iter().enumerate() {
            let id = PersonId::from_index(persons.len());
            let (points, tasks) = (group.points.at(nth), group.tasks);
            persons.push(Person { id, name, role, at, points, tasks, shift_min });
        }
    }
    Ok(persons)
}

fn source(group: &PersonsFile) -> Source<'_> {
    let PersonsFile { role, name, lon, lat, from, csv, placed, .. } = group;
    let (name, from, csv) = (name.as_deref(), from.as_deref(), csv.as_deref());
    Source { what: "persons", name, place: (*lon, *lat), from, csv, placed: *placed, stem: role }
}

fn bounded(found: &[Placed]) -> Result<(), String> {
    if found.len() <= MOST { Ok(()) } else { Err(format!("more than {MOST} of them")) }
}

fn all(city: &City, source: &Source<'_>, path: &Path, seed: u64) -> Result<Vec<Placed>, String> {
    match (source.name, source.from, source.csv, source.placed) {
        (Some(name), None, None, None) => Ok(vec![one(city, name, source.place)?]),
        (None, Some(from), None, None) => of_city(city, source.what, from),
        (None, None, Some(csv), None) => {
            let beside = path.parent().unwrap_or(Path::new(".")).join(csv);
            let one = |(name, lon, lat): (String, f64, f64)| one(city, &name, (Some(lon), Some(lat)));
            rows::read(&beside)?.into_iter().map(one).collect()
        }
        (None, None, None, Some(count)) if count <= MOST => Ok(beside_streets(city, source.stem, count, seed)),
        _ => Err("needs one of name (with lon and lat), from, csv or placed, and no two of them".into()),
    }
}

fn one(city: &City, name: &str, place: (Option<f64>, Option<f64>)) -> Result<Placed, String> {
    let (Some(lon), Some(lat)) = place else { return Err(format!("'{name}' has no place: add lon and lat")) };
    let at = LonLat::from_degrees(lon, lat).to_point(city.origin);
    match city.grid_at(at) {
        Some(_) => Ok(Placed { name: name.into(), at, site: None }),
        None => Err(format!("'{name}' at lon {lon}, lat {lat} is outside every patrol grid of the city")),
    }
}

fn of_city(city: &City, what: &str, from: &str) -> Result<Vec<Placed>, String> {
    let placed = |name: &str, at, site| Placed { name: name.into(), at, site };
    match (what, from) {
        ("points", "sites") => Ok(city.sites.iter().map(|s| placed(&s.name, s.at, Some(s.id))).collect()),
        ("persons", "units") => Ok(city.units.iter().map(|u| placed(&u.name, u.post, None)).collect()),
        ("persons", "supervisors") => {
            Ok(city.supervisors.iter().map(|s| placed(&s.name, among_their_sites(city, s.id.index()), None)).collect())
        }
        _ => Err(format!("from = \"{from}\" is not known: points have sites, persons have supervisors and units")),
    }
}

/// The middle of the sites that a supervisor watched so far.
fn among_their_sites(city: &City, supervisor: usize) -> Point {
    let sites: Vec<Point> = city.sites.iter().filter(|s| s.supervisor.index() == supervisor).map(|s| s.at).collect();
    let mean = |sum: i64| (sum / sites.len().max(1) as i64) as i32;
    Point {
        x_mm: mean(sites.iter().map(|at| i64::from(at.x_mm)).sum()),
        y_mm: mean(sites.iter().map(|at| i64::from(at.y_mm)).sum()),
    }
}

/// Places at the middle of links that the seed draws (splitmix64).
fn beside_streets(city: &City, stem: &str, count: usize, seed: u64) -> Vec<Placed> {
    let place = |row: usize| {
        let at = match city.links.len() {
            0 => Point::default(),
            links => {
                let shape = &city.links[(drawn(seed, row as u64) % links as u64) as usize].shape;
                shape[shape.len() / 2]
            }
        };
        Placed { name: format!("{stem}-{:04}", row + 1), at, site: None }
    };
    (0..count).map(place).collect()
}

fn drawn(seed: u64, row: u64) -> u64 {
    let x = seed.wrapping_mul(0xa076_1d64_78bd_642f).wrapping_add(row.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// From, to in minutes of the day.
fn shift(text: Option<&str>) -> Result<(u16, u16), String> {
    let Some(text) = text else { return Ok((0, 0)) };
    let minute = |time: &str| {
        let (hour, minute) = time.split_once(':')?;
        let (hour, minute) = (hour.parse::<u16>().ok()?, minute.parse::<u16>().ok()?);
        (hour < 24 && minute < 60).then_some(hour * 60 + minute)
    };
    let span = text.split_once('-').and_then(|(from, to)| Some((minute(from.trim())?, minute(to.trim())?)));
    span.ok_or_else(|| format!("shift '{text}' is not like \"08:00-18:00\""))
}
