//! What cameras of GA/T 1400.4 send, turned into passages. Vendors write the same thing in many ways: numbers as texts, ""
//! for what is absent, 0 and 1 for no and yes. All of them are read; what cannot be is refused object by object.

use serde::Deserialize;
use serde::de::{SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Unfit;
use nanming_dataflows::decision::Reason;

mod loose;
mod table;
mod time;
mod vehicle;

pub use loose::Loose;
pub use table::{CameraTable, TableError};
pub use time::{local_stamp, pass_time_ms};
pub use vehicle::{Checkpoint, passage};

/// Vehicles in one batch at most.
pub const MOST_OBJECTS: usize = 10_000;

/// The objects of a `MotorVehicles` batch, each as it was written.
#[derive(Debug, Default)]
pub struct Batch<'a>(pub Vec<&'a RawValue>);

/// Reads a batch; its objects are read one by one with [`passage`].
pub fn batch(body: &[u8]) -> Result<Batch<'_>, Unfit> {
    #[derive(Deserialize)]
    struct Envelope<'a> {
        #[serde(borrow, rename = "MotorVehicleListObject")]
        list: List<'a>,
    }
    #[derive(Deserialize)]
    struct List<'a> {
        #[serde(borrow, rename = "MotorVehicleObject")]
        objects: Batch<'a>,
    }
    let malformed = |error: serde_json::Error| Unfit::new(Reason::Malformed, error.to_string());
    super::line::object(body)?;
    serde_json::from_slice::<Envelope<'_>>(body).map(|envelope| envelope.list.objects).map_err(malformed)
}

/// The device that says something of itself: `{"RegisterObject":{"DeviceID":".."}}` and its like.
pub fn device_id(body: &[u8], object: &str) -> Result<String, Unfit> {
    #[derive(Deserialize)]
    struct Device {
        #[serde(default, rename = "DeviceID")]
        id: Loose,
    }
    let malformed = |error: serde_json::Error| Unfit::new(Reason::Malformed, error.to_string());
    super::line::object(body)?;
    let mut all: std::collections::HashMap<String, &RawValue> = serde_json::from_slice(body).map_err(malformed)?;
    let missing = || Unfit::new(Reason::Malformed, format!("'{object}' is missing"));
    let device: Device = serde_json::from_str(all.remove(object).ok_or_else(missing)?.get()).map_err(malformed)?;
    device.id.0.filter(|id| is_device_id(id)).ok_or_else(|| {
        Unfit::new(Reason::Malformed, format!("'{object}' needs a DeviceID of 20 digits, as in GB/T 28181"))
    })
}

/// Whether it has the form of a device's ID.
pub fn is_device_id(id: &str) -> bool {
    id.len() == 20 && id.bytes().all(|b| b.is_ascii_digit())
}

impl<'de: 'a, 'a> Deserialize<'de> for Batch<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Objects;
        impl<'de> Visitor<'de> for Objects {
            type Value = Vec<&'de RawValue>;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "a list of at most {MOST_OBJECTS} objects")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut objects = Vec::new();
                while let Some(object) = list.next_element()? {
                    if objects.len() == MOST_OBJECTS {
                        return Err(serde::de::Error::invalid_length(MOST_OBJECTS + 1, &self));
                    }
                    objects.push(object);
                }
                Ok(objects)
            }
        }
        deserializer.deserialize_seq(Objects).map(Batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_keeps_its_objects_apart_and_is_bounded() {
        let body = br#"{"MotorVehicleListObject":{"MotorVehicleObject":[{"a":1}, 7 ,"x"],"Other":{}},"More":[]}"#;
        let objects: Vec<&str> = batch(body).unwrap().0.into_iter().map(RawValue::get).collect();
        assert_eq!(objects, ["{\"a\":1}", "7", "\"x\""]);
        let long = |n: usize| {
            format!("{{\"MotorVehicleListObject\":{{\"MotorVehicleObject\":[{}]}}}}", vec!["{}"; n].join(","))
        };
        assert_eq!(batch(long(MOST_OBJECTS).as_bytes()).unwrap().0.len(), MOST_OBJECTS);
        for wrong in [long(MOST_OBJECTS + 1).as_str(), "", "[]", "{}", "[[[]]]", "{\"MotorVehicleListObject\":[]}"] {
            assert_eq!(batch(wrong.as_bytes()).unwrap_err().reason, Reason::Malformed);
        }
    }

    #[test]
    fn a_device_names_itself_with_20_digits() {
        let id = |body: &str| device_id(body.as_bytes(), "RegisterObject").map_err(|unfit| unfit.reason);
        let own = "52010000011315000000";
        assert_eq!(id(&format!("{{\"RegisterObject\":{{\"DeviceID\":\"{own}\",\"x\":[1]}}}}")).as_deref(), Ok(own));
        let unquoted = format!("{{\"RegisterObject\":{{\"DeviceID\":{own}}}}}");
        assert_eq!(id(&unquoted), Err(Reason::Malformed), "JSON numbers do not hold 20 digits");
        for wrong in ["{}", "[]", "{\"RegisterObject\":{\"DeviceID\":\"1\"}}", "{\"RegisterObject\":{}}", "\"x\""] {
            assert_eq!(id(wrong), Err(Reason::Malformed), "{wrong}");
        }
    }
}
