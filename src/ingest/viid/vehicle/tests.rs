use std::sync::Arc;

use nanming_dataflows::ids::VehicleId;
use nanming_dataflows::network::CameraKind;
use serde_json::{Value, json};

use super::*;
use crate::ingest::{Callers, Plates};

const NOON_MS: u64 = 1_767_672_000_000; // 2026-01-06 12:00:00 in Guiyang

struct Gate {
    table: CameraTable,
    validator: Validator,
    device: String,
}

fn gate() -> Gate {
    let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
    let device = city.cameras.iter().find(|c| c.kind == CameraKind::StopLine).unwrap().name.clone();
    let validator = Validator::new(Arc::clone(&city), Plates::new("key"), Callers::new("key"), 5_000, 600_000);
    Gate { table: CameraTable::plain(city, None), validator, device }
}

impl Gate {
    /// What becomes of a usual object with something else in it.
    fn read(&self, other: Value) -> Result<Passage, Reason> {
        let mut object = json!({
            "MotorVehicleID": "1".repeat(48), "InfoKind": 1, "SourceID": "2".repeat(41), "DeviceID": self.device,
            "TollgateID": "", "LaneNo": 1, "HasPlate": "1", "PlateClass": "02", "PlateColor": "5",
            "PlateNo": "贵A12345", "Speed": 43.2, "PassTime": "20260106120000", "VehicleClass": "K33",
        });
        object.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        passage(&object.to_string(), &self.table, &self.validator, NOON_MS).1.map_err(|unfit| unfit.reason)
    }
}

#[test]
fn vendors_write_one_passage_in_many_ways() {
    let gate = gate();
    let usual = gate.read(json!({})).unwrap();
    assert_eq!((usual.time_ms, usual.speed_mm_s, usual.class), (NOON_MS, 12_000, VehicleClass::Car));
    assert_eq!(usual.vehicle, Plates::new("key").vehicle("贵A12345"));
    for same in [
        json!({"Speed": "43.2"}),
        json!({"PassTime": "1767672000000"}),
        json!({"PassTime": 1_767_672_000_000_u64}),
        json!({"PassTime": "", "AppearTime": "20260106120000"}),
        json!({"HasPlate": true, "LaneNo": "01"}),
        json!({"HasPlate": ""}),
        json!({"SubImageList": "{\"SubImageInfoObject\":[]}"}),
        json!({"SubImageList": [{"Data": "x".repeat(10_000)}]}),
        json!({"VehicleClass": null}),
    ] {
        assert_eq!(gate.read(same.clone()), Ok(usual), "{same}");
    }
}

#[test]
fn what_is_not_read_or_measured_is_left_out() {
    let gate = gate();
    for plate in
        [json!({"PlateNo": "无车牌"}), json!({"PlateNo": ""}), json!({"HasPlate": 0}), json!({"PlateNo": null})]
    {
        assert_eq!(gate.read(plate.clone()).unwrap().vehicle, VehicleId(0), "{plate}");
    }
    assert_eq!(gate.read(json!({"Speed": ""})).unwrap().speed_mm_s, 0);
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    let gate = gate();
    for (wrong, reason) in [
        (json!({"Speed": 400}), Reason::ImpossibleSpeed),
        (json!({"Speed": "-1"}), Reason::ImpossibleSpeed),
        (json!({"Speed": "NaN"}), Reason::ImpossibleSpeed),
        (json!({"Speed": "fast"}), Reason::Malformed),
        (json!({"PassTime": "20260106130000"}), Reason::FromTheFuture),
        (json!({"PassTime": "20260106110000"}), Reason::TooLate),
        (json!({"PassTime": "yesterday"}), Reason::Malformed),
        (json!({"PassTime": ""}), Reason::Malformed),
        (json!({"DeviceID": "", "TollgateID": ""}), Reason::Malformed),
        (json!({"DeviceID": "99999999991320000001"}), Reason::UnknownCamera),
    ] {
        assert_eq!(gate.read(wrong.clone()), Err(reason), "{wrong}");
    }
    for raw in ["7", "[]", "null", "\"x\"", "{\"Speed\":1,\"Speed\":2}"] {
        assert_eq!(
            passage(raw, &gate.table, &gate.validator, NOON_MS).1.unwrap_err().reason,
            Reason::Malformed,
            "{raw}"
        );
    }
}

#[test]
fn classes_go_by_plate_and_kind() {
    for (kind, plate, is) in [
        ("K11", "01", VehicleClass::Bus),
        ("K33", "02", VehicleClass::Car),
        ("", "", VehicleClass::Car),
        ("H11", "01", VehicleClass::Truck),
        ("M21", "07", VehicleClass::Motorcycle),
        ("K33", "23", VehicleClass::Emergency),
        ("Z71", "", VehicleClass::Other),
    ] {
        assert_eq!(class(kind, plate), is, "{kind} {plate}");
    }
}
