//! A batch of events in Protobuf: `proto/nanming/v1/events.proto`. Rows of it are checked like lines of JSON; what is wrong
//! with one row is no other row's business. A message that cannot be read, or is of another version, is refused whole.

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{Event, Needs, Skill};
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::de::value::StrDeserializer;

use super::line::{AckLine, CallLine, CallStep, CrowdLine, FlowLine, GateLine, NameOrId, UnitLine, WeatherLine};
use super::validate::Valid;
use super::{Refuse, Taken, Unfit, Validator};

mod masked;
mod passages;

/// The messages, made from the schema.
#[allow(missing_docs, unreachable_pub)]
pub mod v1 {
    include!(concat!(env!("OUT_DIR"), "/nanming.v1.rs"));
}

/// The version of the schema.
pub const VERSION: u32 = 1;

/// What every version of the schema begins with: read first, so that a later one is known as such and not as garbage.
#[derive(Clone, PartialEq, Message)]
struct Versioned {
    #[prost(uint32, tag = "1")]
    version: u32,
}

impl Validator {
    /// Reads a message; `now_ms` is the city's clock.
    pub fn protobuf(&self, raw: &[u8], now_ms: u64, refuse: &mut Refuse<'_>) -> Taken {
        match read(raw) {
            Ok(batch) => self.batch(batch, now_ms, refuse),
            Err(unfit) => {
                refuse("unknown", unfit, masked::hex(raw).as_bytes());
                Taken::default()
            }
        }
    }

    fn batch(&self, batch: v1::Batch, now_ms: u64, refuse: &mut Refuse<'_>) -> Taken {
        let mut taken = Taken::default();
        if let Some(columns) = batch.passages {
            passages::read(self, columns, now_ms, &mut taken, refuse);
        }
        let mut rows = Rows { taken: &mut taken, refuse };
        batch.flows.into_iter().for_each(|row| rows.take("flows", row, |row| self.flow_row(row, now_ms)));
        batch.crowds.into_iter().for_each(|row| rows.take("crowds", row, |row| self.crowd_row(row, now_ms)));
        batch.gates.into_iter().for_each(|row| rows.take("gates", row, |row| self.gate_row(row, now_ms)));
        batch.weather.into_iter().for_each(|row| rows.take("weather", row, |row| self.weather_row(row, now_ms)));
        batch.calls.into_iter().for_each(|row| rows.take("calls", row, |row| self.call_row(row, now_ms)));
        batch.units.into_iter().for_each(|row| rows.take("units", row, |row| self.unit_row(row, now_ms)));
        batch.acks.into_iter().for_each(|row| rows.take("acks", row, |row| self.ack_row(row, now_ms)));
        taken
    }

    fn flow_row(&self, row: &v1::Flow, now_ms: u64) -> Result<Valid, Unfit> {
        let line = FlowLine {
            time_ms: time(row.time_ms),
            camera: row.device.clone(),
            interval_s: f64::from(row.interval_ms) / 1000.0,
            vehicles: row.vehicles,
            speed_kmh: f64::from(row.speed_mm_s) * 0.0036,
            occupancy: f64::from(row.occupancy_milli) / 1000.0,
        };
        Ok((Event::Flow(self.flow(&line, now_ms)?), None))
    }

    fn crowd_row(&self, row: &v1::Crowd, now_ms: u64) -> Result<Valid, Unfit> {
        let line = CrowdLine { time_ms: time(row.time_ms), camera: row.device.clone(), people: row.people };
        Ok((Event::Crowd(self.crowd(&line, now_ms)?), None))
    }

    fn gate_row(&self, row: &v1::Gate, now_ms: u64) -> Result<Valid, Unfit> {
        let line = GateLine {
            time_ms: time(row.time_ms),
            venue: NameOrId::Name(row.venue.clone()),
            interval_s: f64::from(row.interval_ms) / 1000.0,
            entered: row.entered,
            left: row.left,
        };
        Ok((Event::Gate(self.gate(&line, now_ms)?), None))
    }

    fn weather_row(&self, row: &v1::Weather, now_ms: u64) -> Result<Valid, Unfit> {
        let line = WeatherLine {
            time_ms: time(row.time_ms),
            district: Some(&row.district).filter(|name| !name.is_empty()).map(|name| NameOrId::Name(name.clone())),
            rain_mm_h: f64::from(row.rain_mm_h_milli) / 1000.0,
            visibility_m: row.visibility_m.map(f64::from),
        };
        Ok((Event::Weather(self.weather(&line, now_ms)?), None))
    }

    fn call_row(&self, row: &v1::Call, now_ms: u64) -> Result<Valid, Unfit> {
        let change = match v1::CallChange::try_from(row.change) {
            Ok(v1::CallChange::Opened) => CallStep::Opened,
            Ok(v1::CallChange::Updated) => CallStep::Updated,
            Ok(v1::CallChange::Cancelled) => CallStep::Cancelled,
            Err(_) => return Err(Unfit::new(Reason::Malformed, format!("change {} is none of 0 to 2", row.change))),
        };
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let line = CallLine {
            time_ms: time(row.time_ms),
            call: row.call,
            change,
            priority: text(&row.priority).map(|_| word("priority", &row.priority)).transpose()?,
            category: text(&row.category).map(|_| word("category", &row.category)).transpose()?,
            lon: row.lon,
            lat: row.lat,
            grid: row.grid,
            needs: row.needs.as_ref().map(needs).transpose()?,
            channel: text(&row.channel),
            caller: text(&row.caller),
            words: text(&row.words),
            pictures: Some(row.pictures.clone()).filter(|pictures| !pictures.is_empty()),
        };
        self.call(line, now_ms)
    }

    fn unit_row(&self, row: &v1::Unit, now_ms: u64) -> Result<Valid, Unfit> {
        let line = UnitLine {
            time_ms: time(row.time_ms),
            unit: NameOrId::Name(row.unit.clone()),
            lon: row.lon,
            lat: row.lat,
            status: word("status", &row.status)?,
        };
        Ok((Event::Unit(self.unit(&line, now_ms)?), None))
    }

    fn ack_row(&self, row: &v1::Ack, now_ms: u64) -> Result<Valid, Unfit> {
        let line = AckLine {
            time_ms: time(row.time_ms),
            unit: NameOrId::Name(row.unit.clone()),
            assignment: word("assignment", &row.assignment)?,
            answer: word("answer", &row.answer)?,
        };
        Ok((Event::Ack(self.ack(&line, now_ms)?), None))
    }
}

struct Rows<'a, 'b> {
    taken: &'a mut Taken,
    refuse: &'a mut Refuse<'b>,
}

impl Rows<'_, '_> {
    fn take<R: Serialize>(&mut self, stream: &str, row: R, check: impl FnOnce(&R) -> Result<Valid, Unfit>) {
        match check(&row) {
            Ok(valid) => self.taken.take(valid),
            Err(unfit) => (self.refuse)(stream, unfit, &serde_json::to_vec(&row).unwrap_or_default()),
        }
    }
}

fn read(raw: &[u8]) -> Result<v1::Batch, Unfit> {
    let malformed = |error: prost::DecodeError| Unfit::new(Reason::Malformed, error.to_string());
    match Versioned::decode(raw).map_err(malformed)?.version {
        VERSION => v1::Batch::decode(raw).map_err(malformed),
        other => Err(Unfit::new(
            Reason::UnknownVersion,
            format!("the message is of version {other} of its schema, this engine reads {VERSION}"),
        )),
    }
}

/// No number of units stands for one.
fn needs(row: &v1::Needs) -> Result<Needs, Unfit> {
    let too_many = |_| Unfit::new(Reason::OutOfRange, format!("a call cannot need {} units", row.units));
    let units = u8::try_from(row.units.max(1)).map_err(too_many)?;
    let skills: Result<Vec<Skill>, Unfit> = row.skills.iter().map(|skill| word("skill", skill)).collect();
    Ok(Needs { units, skills: skills?.into() })
}

/// 0 stands for now.
fn time(time_ms: u64) -> Option<u64> {
    Some(time_ms).filter(|time_ms| *time_ms != 0)
}

/// A value by the word for it, as in JSON.
fn word<T: DeserializeOwned>(what: &str, word: &str) -> Result<T, Unfit> {
    let deserializer = StrDeserializer::<serde::de::value::Error>::new(word);
    T::deserialize(deserializer).map_err(|error| Unfit::new(Reason::Malformed, format!("{what}: {error}")))
}

#[cfg(test)]
mod tests;
