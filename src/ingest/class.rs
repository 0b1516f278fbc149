//! Classes of vehicles by the names that simulators and tables give them.

use nanming_dataflows::event::VehicleClass;

/// Of SUMO's vehicle classes those that drive in traffic, and the names of our own, as `POST /api/ingest` has them.
pub(crate) fn vehicle_class(name: &str) -> Option<VehicleClass> {
    Some(match name {
        "passenger" | "private" | "car" | "hov" | "evehicle" | "vip" => VehicleClass::Car,
        "bus" | "coach" => VehicleClass::Bus,
        "truck" | "trailer" | "delivery" => VehicleClass::Truck,
        "motorcycle" | "moped" => VehicleClass::Motorcycle,
        "taxi" => VehicleClass::Taxi,
        "emergency" | "authority" | "army" => VehicleClass::Emergency,
        "other" | "ignoring" | "bicycle" | "scooter" | "tram" | "custom1" | "custom2" => VehicleClass::Other,
        _ => return None,
    })
}
