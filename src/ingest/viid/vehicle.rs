//! A `MotorVehicleObject`, read leniently, as a line of the passage stream.

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{Passage, VehicleClass};
use serde::Deserialize;

use super::super::line::PassageLine;
use super::super::{Unfit, Validator};
use super::{CameraTable, Loose, pass_time_ms};

/// Where a vehicle was seen, in the sender's names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// `DeviceID`.
    pub device: String,
    /// `TollgateID`; empty where none is told.
    pub tollgate: String,
    /// `LaneNo`.
    pub lane: Option<u32>,
}

/// What is written in place of a plate that was not read.
const NO_PLATES: [&str; 9] = ["无车牌", "无牌", "无牌车", "未识别", "未知", "车牌", "无", "unknown", "noplate"];

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct VehicleObject {
    #[serde(rename = "MotorVehicleID")]
    id: Loose,
    #[serde(rename = "DeviceID")]
    device: Loose,
    #[serde(rename = "TollgateID")]
    tollgate: Loose,
    lane_no: Loose,
    has_plate: Loose,
    plate_no: Loose,
    plate_class: Loose,
    vehicle_class: Loose,
    speed: Loose,
    pass_time: Loose,
    appear_time: Loose,
    disappear_time: Loose,
}

/// The passage that an object tells of, and the object's ID (empty where it has none). `now_ms`: the city's clock.
pub fn passage(raw: &str, table: &CameraTable, validator: &Validator, now_ms: u64) -> (String, Result<Passage, Unfit>) {
    let read = super::super::line::object(raw.as_bytes()).and_then(|()| {
        serde_json::from_str::<VehicleObject>(raw).map_err(|e| Unfit::new(Reason::Malformed, e.to_string()))
    });
    match read {
        Ok(object) => {
            let id = object.id.text().unwrap_or_default().chars().take(64).collect();
            (id, object.passage(table, validator, now_ms))
        }
        Err(unfit) => (String::new(), Err(unfit)),
    }
}

impl VehicleObject {
    fn passage(&self, table: &CameraTable, validator: &Validator, now_ms: u64) -> Result<Passage, Unfit> {
        let seen = self.checkpoint()?;
        let line = PassageLine {
            time_ms: Some(self.time_ms(validator.utc_offset_min())?),
            camera: table.name(&seen).into(),
            plate: self.plate().into(),
            speed_kmh: self.speed_kmh()?,
            class: class(self.vehicle_class.text().unwrap_or_default(), self.plate_class.text().unwrap_or_default()),
        };
        validator.passage(&line, now_ms)
    }

    fn checkpoint(&self) -> Result<Checkpoint, Unfit> {
        let (device, tollgate) = (self.device.text().unwrap_or_default(), self.tollgate.text().unwrap_or_default());
        if device.is_empty() && tollgate.is_empty() {
            return Err(Unfit::new(Reason::Malformed, "DeviceID is missing"));
        }
        Ok(Checkpoint { device: device.into(), tollgate: tollgate.into(), lane: self.lane_no.ordinal() })
    }

    fn time_ms(&self, utc_offset_min: i32) -> Result<u64, Unfit> {
        let times = [&self.pass_time, &self.appear_time, &self.disappear_time];
        let text = times.into_iter().find_map(Loose::text);
        let text = text.ok_or_else(|| Unfit::new(Reason::Malformed, "PassTime is missing"))?;
        pass_time_ms(text, utc_offset_min).ok_or_else(|| {
            Unfit::new(Reason::Malformed, "PassTime is neither yyyyMMddHHmmss in local time nor 13 digits of ms")
        })
    }

    /// "" where none was read.
    fn plate(&self) -> &str {
        let text = self.plate_no.text().unwrap_or_default();
        let none = self.has_plate.is_no() || NO_PLATES.iter().any(|none| text.eq_ignore_ascii_case(none));
        if none { "" } else { text }
    }

    /// 0 where none was measured.
    fn speed_kmh(&self) -> Result<f64, Unfit> {
        let wrong = |_| Unfit::new(Reason::Malformed, "Speed is not a number of km/h");
        self.speed.number().transpose().map_err(wrong).map(Option::unwrap_or_default)
    }
}

/// By the kind of plate where that says it, else by the first letters of GA/T 16.4: K passenger (K1, K2 large and medium),
/// H and Q lorries, M motorcycles.
fn class(vehicle_class: &str, plate_class: &str) -> VehicleClass {
    if plate_class == "23" {
        return VehicleClass::Emergency;
    }
    match vehicle_class.as_bytes() {
        [b'K', b'1' | b'2', ..] => VehicleClass::Bus,
        [] | [b'K' | b'X', ..] => VehicleClass::Car,
        [b'H' | b'Q' | b'B' | b'G', ..] => VehicleClass::Truck,
        [b'M', ..] => VehicleClass::Motorcycle,
        _ => VehicleClass::Other,
    }
}

#[cfg(test)]
mod tests;
