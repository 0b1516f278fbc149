//! What people say to rosters, in JSON.

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{DeclineReason, TaskAnswer, TaskFacts};
use nanming_dataflows::ids::{PointId, TaskId};
use nanming_dataflows::network::{City, LonLat, Point, Roster};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::door::CallNote;
use crate::ingest::{Callers, Unfit};
use crate::rosters::{MOST_SENT, task_sent};

/// Longest words, and a name of a picture, bytes; most pictures.
const WORDS: usize = 4_000;
const PICTURE: usize = 500;
const PICTURES: usize = 9;
/// Longest absence that is told, ms: ten years.
const LONGEST_MS: u64 = 10 * 365 * 86_400_000;

/// A JSON object.
pub(in crate::http) fn object<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unfit> {
    serde_json::from_slice(body).map_err(|error| Unfit::new(Reason::Malformed, error.to_string()))
}

/// A task.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct TaskJson {
    /// The sender's number for it: sent again it stays one.
    id: Option<u64>,
    kind: String,
    /// Name of the point.
    point: Option<String>,
    lon: Option<f64>,
    lat: Option<f64>,
    words: Option<String>,
    /// Where pictures are, or their IDs elsewhere. They are never fetched.
    pictures: Option<Vec<String>>,
    /// Who reports it: only a pseudonym is kept.
    caller: Option<String>,
    channel: Option<String>,
}

/// A task that makes sense.
pub(in crate::http) struct Raised {
    pub(super) task: Option<TaskId>,
    pub(in crate::http) facts: TaskFacts,
    pub(in crate::http) note: CallNote,
}

impl TaskJson {
    pub(in crate::http) fn raised(self, city: &City, roster: &Roster, callers: &Callers) -> Result<Raised, Unfit> {
        let kind = roster.kinds.iter().position(|kind| kind.name == self.kind).ok_or_else(|| {
            let known: Vec<&str> = roster.kinds.iter().map(|kind| kind.name.as_str()).collect();
            Unfit::new(Reason::UnknownDuty, format!("kind '{}' is none of {}", self.kind, known.join(", ")))
        })?;
        let (at, point) = self.place(city, roster)?;
        let facts = TaskFacts { kind: kind as u8, at, point };
        let task = self.id.map(|id| task_sent(id).ok_or_else(|| too_large(id))).transpose()?;
        let caller = self.caller.map(|caller| callers.pseudonym(&caller)).unwrap_or_default();
        let (words, pictures) = (self.words.unwrap_or_default(), self.pictures.unwrap_or_default());
        let channel = self.channel.unwrap_or_default();
        let fits = words.len() <= WORDS
            && channel.len() <= PICTURE
            && pictures.len() <= PICTURES
            && pictures.iter().all(|picture| picture.len() <= PICTURE);
        if !fits {
            let detail =
                format!("words have at most {WORDS} bytes; there are at most {PICTURES} pictures of {PICTURE}");
            return Err(Unfit::new(Reason::OutOfRange, detail));
        }
        Ok(Raised { task, facts, note: CallNote { words, channel, caller, pictures, ..CallNote::default() } })
    }

    /// At the point that is named, or at the place told; the point is then the nearest one.
    fn place(&self, city: &City, roster: &Roster) -> Result<(Point, Option<PointId>), Unfit> {
        if let Some(name) = &self.point {
            let point = roster.points.iter().find(|point| point.name == *name);
            let unknown = || Unfit::new(Reason::UnknownDuty, format!("the roster has no point '{name}'"));
            return point.map(|point| (point.at, Some(point.id))).ok_or_else(unknown);
        }
        let missing = || Unfit::new(Reason::Malformed, "'point', or 'lon' and 'lat', is missing".to_owned());
        let at = in_city(city, self.lon.ok_or_else(missing)?, self.lat.ok_or_else(missing)?)?;
        let nearest = roster.points.iter().min_by_key(|point| (point.at.distance_mm(at), point.id));
        Ok((at, nearest.map(|point| point.id)))
    }
}

fn too_large(id: u64) -> Unfit {
    Unfit::new(Reason::OutOfRange, format!("id {id} must be below {MOST_SENT}"))
}

fn in_city(city: &City, lon: f64, lat: f64) -> Result<Point, Unfit> {
    if !(lon.abs() <= 180.0 && lat.abs() <= 90.0) {
        return Err(Unfit::new(Reason::OutOfRange, format!("lon {lon}, lat {lat} is no place")));
    }
    let at = LonLat::from_degrees(lon, lat).to_point(city.origin);
    let outside = || Unfit::new(Reason::OutsideCity, format!("lon {lon}, lat {lat} is outside every patrol grid"));
    city.grid_at(at).map(|_| at).ok_or_else(outside)
}

/// An answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct AnswerJson {
    pub(super) person: String,
    pub(super) attempt: u16,
    answer: String,
    reason: Option<DeclineReason>,
}

impl AnswerJson {
    pub(in crate::http) fn answer(&self) -> Result<TaskAnswer, Unfit> {
        match self.answer.as_str() {
            "told" => Ok(TaskAnswer::Told),
            "accept" => Ok(TaskAnswer::Accept),
            "done" => Ok(TaskAnswer::Done),
            "decline" => Ok(TaskAnswer::Decline(self.reason.unwrap_or_default())),
            other => {
                let detail = format!("answer '{other}' is none of told, accept, done, decline");
                Err(Unfit::new(Reason::Malformed, detail))
            }
        }
    }
}

/// An absence, from now or a time on, until a time or for so many hours; none of these: not absent any more.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct AbsenceJson {
    from_ms: Option<u64>,
    until_ms: Option<u64>,
    hours: Option<f64>,
}

impl AbsenceJson {
    pub(in crate::http) fn span(&self, now_ms: u64) -> Result<(u64, u64), Unfit> {
        let from_ms = self.from_ms.unwrap_or(now_ms);
        let until_ms = match (self.until_ms, self.hours) {
            (Some(until_ms), None) => until_ms,
            (None, Some(hours)) if hours.is_finite() && hours >= 0.0 => {
                from_ms.saturating_add((hours.min(1e6) * 3_600_000.0) as u64)
            }
            (None, None) => from_ms,
            _ => return Err(Unfit::new(Reason::Malformed, "give until_ms or hours, not both".to_owned())),
        };
        if (from_ms..=from_ms.saturating_add(LONGEST_MS)).contains(&until_ms) && from_ms <= now_ms + LONGEST_MS {
            Ok((from_ms, until_ms))
        } else {
            Err(Unfit::new(
                Reason::OutOfRange,
                "an absence ends after it begins, and lasts ten years at most".to_owned(),
            ))
        }
    }
}

/// To whom all goes; nobody: to whoever is best.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct HandoverJson {
    pub(super) to: Option<String>,
}

/// Where a person is.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct PlaceJson {
    lon: f64,
    lat: f64,
}

impl PlaceJson {
    pub(in crate::http) fn at(&self, city: &City) -> Result<Point, Unfit> {
        in_city(city, self.lon, self.lat)
    }
}
