//! Recorded calls.

use std::collections::BTreeMap;
use std::path::Path;

use chrono::{NaiveDate, NaiveDateTime};
use nanming_dataflows::event::Priority;

use super::DispatchEvalError;
use super::travel::Place;
use crate::gzip;

/// A degree of latitude, km. Those of longitude and latitude count as whole kilometres, as in the reference replay.
const KM_PER_DEGREE: f64 = 111.2;
/// Nobody stays shorter or longer at a call, s.
const ON_SCENE_S: [f64; 2] = [60.0, 7_200.0];
/// A day of so small a share of the busiest day's calls is not covered by the record.
const COVERED: usize = 10;
const NEEDED: [&str; 7] = ["received_at", "entry_at", "onscene_at", "close_at", "priority", "lon", "lat"];

/// Calls that are replayed, in the order in which they were received.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// When each was received, s after the first.
    pub(super) received_s: Vec<f64>,
    /// When each is known to dispatch, s.
    pub(super) ready_s: Vec<f64>,
    /// How urgent each is.
    pub(super) priority: Vec<Priority>,
    /// How long a unit stays, s.
    pub(super) on_scene_s: Vec<f64>,
    /// Where each is.
    pub(super) place: Vec<Place>,
    /// Lengths of a degree of longitude and one of latitude, m.
    pub(super) m_per_degree: [f64; 2],
    /// The district of each, where the table has one.
    pub(super) district: Vec<String>,
}

struct Row {
    received: NaiveDateTime,
    entry: NaiveDateTime,
    on_scene_s: Option<f64>,
    priority: Priority,
    lon: f64,
    lat: f64,
    district: String,
}

impl Calls {
    /// Reads calls: those that somebody raised (`on_view` is `N`), with a place, of an agency; from a day on.
    pub fn read(path: &Path, from: Option<NaiveDate>, agency: &str) -> Result<Calls, DispatchEvalError> {
        let mut rows = rows(path, agency)?;
        let first = from.or_else(|| first_covered(&rows)).unwrap_or_default();
        rows.retain(|row| row.received.date() >= first);
        rows.sort_by_key(|row| row.received);
        let Some(start) = rows.first().map(|row| row.received) else {
            let what = format!(
                "no call of agency '{agency}' that a caller raised (on_view N) and that has a place is left; look at --from and --agency"
            );
            return Err(DispatchEvalError::NoCalls(path.into(), what));
        };
        Ok(Calls::new(&rows, start))
    }

    fn new(rows: &[Row], start: NaiveDateTime) -> Calls {
        let latitude = rows.iter().map(|row| row.lat).sum::<f64>() / rows.len() as f64;
        let m_per_degree = [latitude.to_radians().cos(), 1.0].map(|share| (KM_PER_DEGREE * share).round() * 1e3);
        let [lon_m, lat_m] = m_per_degree;
        let since = |time: NaiveDateTime| (time - start).as_seconds_f64();
        let usual = [Priority::A, Priority::B, Priority::C].map(|priority| median(rows, priority));
        let on_scene =
            |row: &Row| row.on_scene_s.unwrap_or(usual[row.priority as usize]).clamp(ON_SCENE_S[0], ON_SCENE_S[1]);
        Calls {
            received_s: rows.iter().map(|row| since(row.received)).collect(),
            ready_s: rows.iter().map(|row| since(row.entry)).collect(),
            priority: rows.iter().map(|row| row.priority).collect(),
            on_scene_s: rows.iter().map(on_scene).collect(),
            place: rows.iter().map(|row| [row.lon * lon_m, row.lat * lat_m]).collect(),
            m_per_degree,
            district: rows.iter().map(|row| row.district.clone()).collect(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.place.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.place.is_empty()
    }
}

/// The usual time on the scene of calls of a priority, s.
fn median(rows: &[Row], priority: Priority) -> f64 {
    let mut times: Vec<f64> =
        rows.iter().filter(|row| row.priority == priority).filter_map(|row| row.on_scene_s).collect();
    times.sort_unstable_by(f64::total_cmp);
    let middle = |half: usize| times.get(half).copied().unwrap_or(ON_SCENE_S[0]);
    (middle(times.len().saturating_sub(1) / 2) + middle(times.len() / 2)) / 2.0
}

/// The first day that the record covers: before it there are calls that stayed open for long.
fn first_covered(rows: &[Row]) -> Option<NaiveDate> {
    let mut days: BTreeMap<NaiveDate, usize> = BTreeMap::new();
    rows.iter().for_each(|row| *days.entry(row.received.date()).or_default() += 1);
    let busiest = days.values().max().copied()?;
    days.into_iter().find(|(_, calls)| calls * COVERED >= busiest).map(|(day, _)| day)
}

fn rows(path: &Path, agency: &str) -> Result<Vec<Row>, DispatchEvalError> {
    let failed = |source| DispatchEvalError::File { path: path.into(), source };
    let wrong = |line, what| DispatchEvalError::Content { path: path.into(), line, what };
    let mut reader = csv::Reader::from_reader(gzip::open(path).map_err(failed)?);
    let unread = |error: csv::Error| match error.position().map(csv::Position::line) {
        Some(line) => wrong(line, format!("{error}; each row needs a cell for each column, in UTF-8")),
        None => failed(std::io::Error::other(error)),
    };
    let columns = columns(reader.headers().map_err(unread)?).map_err(|what| wrong(1, what))?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(unread)?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.extend(row(&record, &columns, agency).map_err(|what| wrong(line, what))?);
    }
    Ok(rows)
}

fn columns(header: &csv::StringRecord) -> Result<BTreeMap<String, usize>, String> {
    let name = |(n, name): (usize, &str)| (name.trim_start_matches('\u{feff}').trim().to_owned(), n);
    let columns: BTreeMap<String, usize> = header.iter().enumerate().map(name).collect();
    match NEEDED.iter().find(|needed| !columns.contains_key(**needed)) {
        None => Ok(columns),
        Some(missing) => {
            Err(format!("there is no column '{missing}'; the first line has to name {}", NEEDED.join(", ")))
        }
    }
}

/// A call, unless it is none to replay.
fn row(record: &csv::StringRecord, columns: &BTreeMap<String, usize>, agency: &str) -> Result<Option<Row>, String> {
    let cell = |name: &str| columns.get(name).and_then(|n| record.get(*n)).map(str::trim);
    let filled = |name: &str| cell(name).filter(|text| !text.is_empty());
    let is_ours = cell("agency").is_none_or(|of| of == agency) && cell("on_view").is_none_or(|seen| seen == "N");
    let (Some(lon), Some(lat), true) = (filled("lon"), filled("lat"), is_ours) else { return Ok(None) };
    let time = |name: &str| filled(name).map(|text| time(name, text)).transpose();
    let needed = |name: &str| time(name)?.ok_or_else(|| format!("{name} is empty: a call needs it"));
    let seconds = match (time("onscene_at")?, time("close_at")?) {
        (Some(arrived), Some(closed)) => Some((closed - arrived).as_seconds_f64()),
        _ => None,
    };
    Ok(Some(Row {
        received: needed("received_at")?,
        entry: needed("entry_at")?,
        on_scene_s: seconds,
        priority: priority(cell("priority").unwrap_or_default())?,
        lon: degrees("lon", lon)?,
        lat: degrees("lat", lat)?,
        district: cell("police_district").unwrap_or_default().to_owned(),
    }))
}

fn time(name: &str, text: &str) -> Result<NaiveDateTime, String> {
    let formats = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"];
    let found = formats.iter().find_map(|format| NaiveDateTime::parse_from_str(text, format).ok());
    found.ok_or_else(|| format!("{name} '{text}' is no time; write it as 2026-01-15T08:30:00"))
}

fn priority(text: &str) -> Result<Priority, String> {
    match text {
        "A" => Ok(Priority::A),
        "B" => Ok(Priority::B),
        "C" => Ok(Priority::C),
        _ => Err(format!("priority '{text}' is none of A, B, C")),
    }
}

fn degrees(name: &str, text: &str) -> Result<f64, String> {
    let degrees = text.parse().ok().filter(|degrees: &f64| degrees.abs() <= 180.0);
    degrees.ok_or_else(|| format!("{name} '{text}' is no number of degrees"))
}
