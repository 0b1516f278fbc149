//! Passages, column by column. Each camera of a message is looked up once.

use nanming_dataflows::decision::Reason;
use nanming_dataflows::event::{Event, Passage, VehicleClass};
use nanming_dataflows::ids::{CameraId, VehicleId};
use serde_json::json;

use super::v1::{self, Passages};
use crate::ingest::validate::MAX_SPEED_MM_S;
use crate::ingest::{Refuse, Taken, Unfit, Validator};

/// Reads the rows.
pub(super) fn read(validator: &Validator, of: Passages, now_ms: u64, taken: &mut Taken, refuse: &mut Refuse<'_>) {
    if let Err(unfit) = of.check() {
        let shape = json!({"passages": of.camera.len(), "devices": of.devices.len()});
        return refuse("passages", unfit, shape.to_string().as_bytes());
    }
    let cameras: Vec<_> = of.devices.iter().map(|device| validator.passage_camera(device)).collect();
    taken.events.reserve(of.camera.len());
    for row in 0..of.camera.len() {
        match of.passage(row, &cameras, validator, now_ms) {
            Ok(passage) => taken.events.push(Event::Passage(passage)),
            Err(unfit) => refuse("passages", unfit, of.show(row).as_bytes()),
        }
    }
}

impl Passages {
    /// Whether the columns fit together.
    fn check(&self) -> Result<(), Unfit> {
        let rows = self.camera.len();
        let lengths = [
            ("offset_ms", self.offset_ms.len(), false),
            ("speed_mm_s", self.speed_mm_s.len(), false),
            ("vehicle", self.vehicle.len(), true),
            ("plate", self.plate.len(), true),
            ("vehicle_class", self.vehicle_class.len(), true),
        ];
        match lengths.into_iter().find(|(_, length, may_lack)| *length != rows && !(*may_lack && *length == 0)) {
            Some((column, length, _)) => Err(Unfit::new(
                Reason::Malformed,
                format!("column {column} has {length} rows, camera has {rows}: they must be as many"),
            )),
            None => Ok(()),
        }
    }

    fn passage(
        &self,
        row: usize,
        cameras: &[Result<CameraId, Unfit>],
        validator: &Validator,
        now_ms: u64,
    ) -> Result<Passage, Unfit> {
        let device = self.camera[row] as usize;
        let outside =
            || Unfit::new(Reason::UnknownCamera, format!("row {device} of {} devices: there is none", cameras.len()));
        let camera = cameras.get(device).ok_or_else(outside)?.clone()?;
        let speed_mm_s = self.speed_mm_s[row];
        if f64::from(speed_mm_s) > MAX_SPEED_MM_S {
            return Err(Unfit::new(Reason::ImpossibleSpeed, format!("no vehicle drives {speed_mm_s} mm/s here")));
        }
        let time_ms = validator.fresh(Some(self.time_ms(row)?), now_ms)?;
        Ok(Passage {
            time_ms,
            camera,
            vehicle: self.vehicle(row, time_ms, validator),
            speed_mm_s,
            class: class(self.vehicle_class.get(row).copied().unwrap_or_default())?,
        })
    }

    fn time_ms(&self, row: usize) -> Result<u64, Unfit> {
        let offset_ms = i64::from(self.offset_ms[row]);
        let before = || Unfit::new(Reason::OutOfRange, format!("{offset_ms} ms from base_ms there is no time"));
        self.base_ms.checked_add_signed(offset_ms).ok_or_else(before)
    }

    /// A plate goes no further.
    fn vehicle(&self, row: usize, time_ms: u64, validator: &Validator) -> VehicleId {
        match (self.vehicle.get(row), self.plate.get(row)) {
            (Some(pseudonym), _) => VehicleId(*pseudonym),
            (None, Some(plate)) => validator.plates().vehicle_at(plate, time_ms),
            (None, None) => VehicleId(0),
        }
    }

    /// A row as it reads, without its plate.
    fn show(&self, row: usize) -> String {
        let device = self.devices.get(self.camera[row] as usize);
        json!({"camera": device, "base_ms": self.base_ms, "offset_ms": self.offset_ms[row],
               "speed_mm_s": self.speed_mm_s[row], "class": self.vehicle_class.get(row)})
        .to_string()
    }
}

fn class(number: i32) -> Result<VehicleClass, Unfit> {
    Ok(match v1::VehicleClass::try_from(number) {
        Ok(v1::VehicleClass::Car) => VehicleClass::Car,
        Ok(v1::VehicleClass::Bus) => VehicleClass::Bus,
        Ok(v1::VehicleClass::Truck) => VehicleClass::Truck,
        Ok(v1::VehicleClass::Motorcycle) => VehicleClass::Motorcycle,
        Ok(v1::VehicleClass::Taxi) => VehicleClass::Taxi,
        Ok(v1::VehicleClass::Emergency) => VehicleClass::Emergency,
        Ok(v1::VehicleClass::Other) => VehicleClass::Other,
        Err(_) => return Err(Unfit::new(Reason::Malformed, format!("class {number} is none of 0 to 6"))),
    })
}
