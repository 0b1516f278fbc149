//! An alarm from a person: `POST /calls`, or a `call` line in a stream.

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{CallFacts, Category, Needs, Priority};
use nanming_dataflows::ids::{CallId, GridId};
use nanming_dataflows::network::{City, LonLat, Point};
use serde::Deserialize;

use super::callers::MAX_CALLER;
use super::{Callers, Unfit};
use crate::classify::{Classifier, Told};
use crate::door::CallNote;

/// Longest words kept, characters.
pub const MAX_WORDS: usize = 2000;
/// Longest reason of a change, characters.
const MAX_REASON: usize = 300;
/// Most pictures of a call.
pub const MAX_PICTURES: usize = 9;
/// The longest reference to a picture, characters.
const MAX_REFERENCE: usize = 512;
/// The largest call ID: those above are the simulator's.
const MAX_ID: u64 = (1 << 40) - 1;
/// Units that a call may need.
const UNITS: std::ops::RangeInclusive<u8> = 1..=20;
/// Ways in which a call comes.
const CHANNELS: [&str; 4] = ["phone", "wechat", "app", "desk"];

/// An alarm as it is sent. All is optional, so that the same shape serves changes.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AlarmJson {
    /// The sender's ID for it.
    pub id: Option<u64>,
    /// Urgency.
    pub priority: Option<Priority>,
    /// Kind.
    pub category: Option<Category>,
    /// Longitude, degrees.
    pub lon: Option<f64>,
    /// Latitude, degrees.
    pub lat: Option<f64>,
    /// The patrol grid, where no place is known: its middle is the place.
    pub grid: Option<u32>,
    /// Who has to come.
    pub needs: Option<Needs>,
    /// How it came in.
    pub channel: Option<String>,
    /// Who called, as a number or an account: only a pseudonym of it is kept.
    pub caller: Option<String>,
    /// What the caller said.
    pub words: Option<String>,
    /// Where pictures are, or their IDs elsewhere. They are never fetched.
    pub pictures: Option<Vec<String>>,
    /// Why a call is changed or withdrawn.
    pub reason: Option<String>,
}

/// An alarm that makes sense.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarm {
    /// The sender's ID for it.
    pub id: Option<CallId>,
    /// What the engine needs.
    pub facts: CallFacts,
    /// What the ledger keeps beside it.
    pub note: CallNote,
}

impl AlarmJson {
    /// Reads the body of a request.
    pub fn read(body: &[u8]) -> Result<AlarmJson, Unfit> {
        super::object(body)?;
        serde_json::from_slice(body).map_err(|e| Unfit::new(Reason::Malformed, e.to_string()))
    }

    /// A new alarm: its place must be there. Urgency, kind and needs that its sender does not tell are those of its words.
    pub fn alarm(self, city: &City, callers: &Callers, rules: &Classifier) -> Result<Alarm, Unfit> {
        let missing = |what: &str| Unfit::new(Reason::Malformed, format!("'{what}' is missing"));
        let (at, grid) = self.place(city)?.ok_or_else(|| missing("lon, lat or grid"))?;
        if self.reason.is_some() {
            return Err(Unfit::new(Reason::Malformed, "a new alarm has 'words'; a 'reason' is that of a change"));
        }
        let words = words(self.words)?;
        let needs = self.needs.map(needs).transpose()?;
        let told = Told { priority: self.priority, category: self.category, needs };
        let (priority, category, needs, classified) = rules.classify(&words, told);
        Ok(Alarm {
            id: self.id.map(call_id).transpose()?,
            facts: CallFacts { priority, category, at, grid, needs },
            note: CallNote {
                words,
                channel: channel(self.channel)?,
                caller: caller(self.caller, callers)?,
                pictures: pictures(self.pictures)?,
                classified,
                ..CallNote::default()
            },
        })
    }

    /// What `known` becomes where this says something else. A call keeps its ID, its words and its channel.
    pub fn change(self, city: &City, known: CallFacts) -> Result<CallFacts, Unfit> {
        let fixed = [self.words.is_some(), self.channel.is_some(), self.caller.is_some(), self.pictures.is_some()];
        if self.id.is_some() || fixed.contains(&true) {
            return Err(Unfit::new(Reason::Malformed, "only priority, category, place and needs of a call can change"));
        }
        let (at, grid) = self.place(city)?.unwrap_or((known.at, known.grid));
        let (priority, category) = (self.priority.unwrap_or(known.priority), self.category.unwrap_or(known.category));
        let needs = self.needs.map(needs).transpose()?.unwrap_or(known.needs);
        Ok(CallFacts { priority, category, at, grid, needs })
    }

    /// The place, where one is told, and its grid.
    fn place(&self, city: &City) -> Result<Option<(Point, GridId)>, Unfit> {
        match (self.lon, self.lat, self.grid) {
            (None, None, None) => Ok(None),
            (Some(lon), Some(lat), None) => place_in_grid(city, lon, lat).map(Some),
            (None, None, Some(grid)) => middle_of(city, grid).map(Some),
            (_, _, None) => Err(Unfit::new(Reason::Malformed, "lon and lat go together")),
            _ => Err(Unfit::new(Reason::Malformed, "the place is told as lon and lat, or as a grid, not as both")),
        }
    }
}

/// Why a call is changed or withdrawn, as whoever does so tells it; empty where nothing is told.
pub fn reason(reason: Option<String>) -> Result<String, Unfit> {
    let reason = reason.unwrap_or_default();
    if reason.chars().count() > MAX_REASON {
        return Err(Unfit::new(Reason::OutOfRange, format!("a reason is longer than {MAX_REASON} characters")));
    }
    Ok(reason)
}

/// A call ID in its range.
pub fn call_id(id: u64) -> Result<CallId, Unfit> {
    if (1..=MAX_ID).contains(&id) {
        Ok(CallId(id))
    } else {
        Err(Unfit::new(Reason::OutOfRange, format!("a call ID is from 1 to {MAX_ID}")))
    }
}

/// A place from degrees.
pub fn place(city: &City, lon: f64, lat: f64) -> Result<Point, Unfit> {
    if !((-180.0..=180.0).contains(&lon) && (-90.0..=90.0).contains(&lat)) {
        return Err(Unfit::new(Reason::OutOfRange, format!("lon {lon}, lat {lat} is no place on Earth")));
    }
    Ok(LonLat::from_degrees(lon, lat).to_point(city.origin))
}

fn middle_of(city: &City, grid: u32) -> Result<(Point, GridId), Unfit> {
    let unknown = || Unfit::new(Reason::OutsideCity, format!("{} has no patrol grid {grid}", city.name));
    let grid = city.grids.get(grid as usize).ok_or_else(unknown)?;
    let middle = |a: i32, b: i32| (i64::from(a) + i64::from(b)).div_euclid(2) as i32;
    let (min, max) = (grid.min, grid.max);
    Ok((Point { x_mm: middle(min.x_mm, max.x_mm), y_mm: middle(min.y_mm, max.y_mm) }, grid.id))
}

fn place_in_grid(city: &City, lon: f64, lat: f64) -> Result<(Point, GridId), Unfit> {
    let at = place(city, lon, lat)?;
    let outside =
        || Unfit::new(Reason::OutsideCity, format!("lon {lon}, lat {lat} lies in no patrol grid of {}", city.name));
    Ok((at, city.grid_at(at).ok_or_else(outside)?))
}

/// Needs that can be met.
fn needs(needs: Needs) -> Result<Needs, Unfit> {
    if UNITS.contains(&needs.units) {
        return Ok(needs);
    }
    let detail = format!("a call needs {} to {} units, not {}", UNITS.start(), UNITS.end(), needs.units);
    Err(Unfit::new(Reason::OutOfRange, detail))
}

fn words(words: Option<String>) -> Result<String, Unfit> {
    let words = words.unwrap_or_default();
    if words.chars().count() > MAX_WORDS {
        return Err(Unfit::new(Reason::OutOfRange, format!("words are longer than {MAX_WORDS} characters")));
    }
    Ok(words)
}

fn channel(channel: Option<String>) -> Result<String, Unfit> {
    let channel = channel.unwrap_or_else(|| "app".into());
    if !CHANNELS.contains(&channel.as_str()) {
        return Err(Unfit::new(Reason::Malformed, format!("channel '{channel}' is none of {}", CHANNELS.join(", "))));
    }
    Ok(channel)
}

fn caller(caller: Option<String>, callers: &Callers) -> Result<String, Unfit> {
    let caller = caller.unwrap_or_default();
    if caller.chars().count() > MAX_CALLER {
        return Err(Unfit::new(Reason::OutOfRange, format!("a caller is longer than {MAX_CALLER} characters")));
    }
    Ok(callers.pseudonym(&caller))
}

fn pictures(pictures: Option<Vec<String>>) -> Result<Vec<String>, Unfit> {
    let pictures = pictures.unwrap_or_default();
    let is_short = |reference: &String| (1..=MAX_REFERENCE).contains(&reference.chars().count());
    if pictures.len() > MAX_PICTURES || !pictures.iter().all(is_short) {
        let detail = format!("at most {MAX_PICTURES} pictures, each named by 1 to {MAX_REFERENCE} characters");
        return Err(Unfit::new(Reason::OutOfRange, detail));
    }
    if pictures.iter().any(|reference| reference.chars().any(|c| c.is_control() || c.is_whitespace())) {
        return Err(Unfit::new(Reason::Malformed, "pictures are told by address or ID, without spaces"));
    }
    Ok(pictures)
}

#[cfg(test)]
mod tests {
    use nanming_dataflows::event::Skill;

    use super::*;

    fn city() -> City {
        nanming_simulators::town::small(2, 2, 1)
    }

    fn read(text: &str) -> Result<Alarm, Unfit> {
        AlarmJson::read(text.as_bytes())?.alarm(&city(), &Callers::new("key"), &Classifier::built_in().unwrap())
    }

    fn body(rest: &str) -> String {
        let city = city();
        let (lon, lat) = city.units[0].post.to_lon_lat(city.origin).degrees();
        format!("{{\"priority\":\"A\",\"lon\":{lon},\"lat\":{lat}{rest}}}")
    }

    #[test]
    fn an_alarm_in_the_city_is_taken() {
        let alarm = read(&body(",\"id\":7,\"words\":\"救命\"")).unwrap();
        assert_eq!(
            (alarm.id, alarm.facts.priority, alarm.note.channel.as_str()),
            (Some(CallId(7)), Priority::A, "app")
        );
        assert!(alarm.facts.at.distance_mm(city().units[0].post) < 100);
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_reason() {
        for (text, reason) in [
            ("{".to_owned(), Reason::Malformed),
            ("{\"priority\":\"A\"}".to_owned(), Reason::Malformed),
            (body(",\"reason\":\"x\""), Reason::Malformed),
            ("{\"priority\":\"Z\",\"lon\":1,\"lat\":2}".to_owned(), Reason::Malformed),
            (body(",\"colour\":\"red\""), Reason::Malformed),
            (body(",\"channel\":\"pigeon\""), Reason::Malformed),
            (body(",\"id\":0"), Reason::OutOfRange),
            ("[7,\"A\",null,1,2,null,null,null]".to_owned(), Reason::Malformed),
            (body(",\"grid\":0"), Reason::Malformed),
            (body(",\"needs\":{\"units\":0}"), Reason::OutOfRange),
            (body(",\"needs\":{\"units\":21}"), Reason::OutOfRange),
            (body(",\"needs\":{\"units\":300}"), Reason::Malformed),
            (body(",\"needs\":{\"skills\":[\"wings\"]}"), Reason::Malformed),
            (body(",\"needs\":{\"men\":2}"), Reason::Malformed),
            ("{\"priority\":\"A\",\"grid\":99}".to_owned(), Reason::OutsideCity),
            ("{\"priority\":\"A\",\"grid\":-1}".to_owned(), Reason::Malformed),
            (body(&format!(",\"caller\":\"{}\"", "1".repeat(65))), Reason::OutOfRange),
            (body(&format!(",\"pictures\":{:?}", vec!["x"; 10])), Reason::OutOfRange),
            (body(",\"pictures\":[\"\"]"), Reason::OutOfRange),
            (body(",\"pictures\":[\"a b\"]"), Reason::Malformed),
            ("{\"priority\":\"A\",\"lon\":500,\"lat\":2}".to_owned(), Reason::OutOfRange),
            ("{\"priority\":\"A\",\"lon\":0,\"lat\":0}".to_owned(), Reason::OutsideCity),
        ] {
            assert_eq!(read(&text).unwrap_err().reason, reason, "{text}");
        }
    }

    #[test]
    fn what_is_not_told_is_read_from_the_words() {
        let alarm = read("{\"grid\":1,\"words\":\"有人持枪\"}").unwrap();
        assert_eq!(
            (alarm.facts.priority, alarm.facts.category, alarm.facts.needs.units),
            (Priority::A, Category::Crime, 3)
        );
        assert_eq!(alarm.note.classified.unwrap().rule, "firearm");
        let told = read("{\"grid\":1,\"words\":\"有人持枪\",\"priority\":\"C\",\"category\":\"other\"}").unwrap();
        assert_eq!(
            (told.facts.priority, told.facts.category, told.facts.needs),
            (Priority::C, Category::Other, Needs::ONE)
        );
        assert_eq!(told.note.classified, None);
    }

    #[test]
    fn a_grid_stands_for_its_middle_and_a_caller_for_a_pseudonym() {
        let alarm = read("{\"priority\":\"B\",\"grid\":1,\"caller\":\"13800138000\",\"pictures\":[\"https://x/1\"]}");
        let (alarm, city) = (alarm.unwrap(), city());
        assert_eq!((alarm.facts.grid, city.grid_at(alarm.facts.at)), (GridId(1), Some(GridId(1))));
        assert_eq!(alarm.note.caller, Callers::new("key").pseudonym("13800138000"));
        assert_eq!(alarm.note.pictures, ["https://x/1"]);
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let known = read(&body(",\"needs\":{\"units\":2,\"skills\":[\"armed\"]}")).unwrap().facts;
        assert_eq!(known.needs, Needs { units: 2, skills: [Skill::Armed].into_iter().collect() });
        let fewer = AlarmJson::read(b"{\"needs\":{}}").unwrap().change(&city(), known).unwrap();
        assert_eq!(fewer, CallFacts { needs: Needs::ONE, ..known });
        let change = AlarmJson::read(b"{\"priority\":\"C\"}").unwrap().change(&city(), known).unwrap();
        assert_eq!(change, CallFacts { priority: Priority::C, ..known });
        assert!(AlarmJson::read(b"{\"lon\":1}").unwrap().change(&city(), known).is_err());
    }
}
