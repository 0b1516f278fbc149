//! Decoders of events, for [`crate::fuzzing`].

use std::sync::LazyLock;

use prost::Message as _;

use super::alarm::{MAX_PICTURES, MAX_WORDS};
use super::line::Line;
use super::protobuf::{VERSION, v1};
use super::viid::{self, CameraTable};
use super::{AlarmJson, Taken, Unfit, dead_letters, scan, sensed, stream_of};
use crate::call_content::content_hash;
use crate::fuzzing::{CITY, NOW_MS, VALIDATOR, assert_known, assert_says, assert_told};

/// Batches of JSON Lines, by HTTP and from Kafka.
pub(crate) fn lines(bytes: &[u8]) {
    let mut lines = 0;
    let taken = VALIDATOR.json_lines(bytes, NOW_MS, &mut |stream, unfit, raw| {
        lines += 1;
        bury(stream, unfit, raw);
    });
    assert!(taken.events.len() + lines <= bytes.split(|byte| *byte == b'\n').count());
    check(&taken);
    for raw in bytes.split(|byte| *byte == b'\n') {
        let _any_stream = stream_of(raw);
        if let Some(read) = scan::passage(raw) {
            let Ok(Line::Passage(slow)) = serde_json::from_slice(raw) else { panic!("{}", raw.escape_ascii()) };
            assert_eq!(format!("{read:?}"), format!("{slow:?}"));
        }
    }
}

/// Messages of Kafka in Protobuf.
pub(crate) fn protobuf(bytes: &[u8]) {
    check(&VALIDATOR.protobuf(bytes, NOW_MS, &mut |stream, unfit, raw| bury(stream, unfit, raw)));
    if let Ok(batch) = v1::Batch::decode(bytes) {
        let once = batch.encode_to_vec();
        let twice = v1::Batch::decode(&once[..]).map(|batch| batch.encode_to_vec());
        assert_eq!(twice.as_ref(), Ok(&once));
    }
}

/// Alarms, and changes of them.
pub(crate) fn alarm(bytes: &[u8]) {
    let Some(json) = told(AlarmJson::read(bytes)) else { return };
    if let Some(alarm) = told(VALIDATOR.alarm(json.clone())) {
        assert_eq!(CITY.grid_at(alarm.facts.at), Some(alarm.facts.grid));
        assert!(alarm.note.words.chars().count() <= MAX_WORDS && alarm.note.pictures.len() <= MAX_PICTURES);
        assert_eq!(content_hash(&alarm.facts, &alarm.note), content_hash(&alarm.facts, &alarm.note));
        told(json.change(&CITY, alarm.facts));
    }
}

/// Batches of cameras.
pub(crate) fn vehicles(bytes: &[u8]) {
    static TABLE: LazyLock<CameraTable> = LazyLock::new(|| CameraTable::plain(CITY.clone(), Some("5201".into())));
    for raw in told(viid::batch(bytes)).unwrap_or_default().0 {
        let (_, read) = viid::passage(raw.get(), &TABLE, &VALIDATOR, NOW_MS);
        if let Some(passage) = told(read) {
            assert_known(&nanming_dataflows::event::Event::Passage(passage));
        }
    }
}

/// What devices say of themselves.
pub(crate) fn device(bytes: &[u8]) {
    for object in ["RegisterObject", "UnRegisterObject", "KeepaliveObject", "MotorVehicleListObject"] {
        if let Some(id) = told(viid::device_id(bytes, object)) {
            assert!(viid::is_device_id(&id));
        }
    }
    let text = String::from_utf8_lossy(bytes);
    for offset_min in [480, -720, 0] {
        if let Some(time_ms) = viid::pass_time_ms(&text, offset_min) {
            let _any_stamp = viid::local_stamp(time_ms, offset_min);
        }
    }
}

fn told<T>(read: Result<T, Unfit>) -> Option<T> {
    read.map_err(|unfit| assert_told(Err(unfit))).ok()
}

/// A dead letter is a line of JSON, not longer than two kilobytes of text.
fn bury(stream: &str, unfit: Unfit, raw: &[u8]) {
    let line = dead_letters::line(NOW_MS, stream, unfit.reason, &unfit.detail, raw);
    let letter: Option<serde_json::Value> = assert_says(serde_json::from_str(&line));
    assert!(
        letter.is_some_and(|letter| letter["raw"].as_str().is_some_and(|raw| raw.len() <= 1024))
            && !line.contains('\n')
    );
    assert_told(Err(unfit));
}

fn check(taken: &Taken) {
    for event in &taken.events {
        assert_known(event);
        assert_told(sensed(event));
    }
    assert!(taken.notes.iter().all(|(_, note)| note.words.chars().count() <= MAX_WORDS));
}

/// The lines of the handbook, with names of the small town where that needs them to be known.
pub(crate) fn line_seeds() -> Vec<Vec<u8>> {
    let (lon, lat) = CITY.units[0].post.to_lon_lat(CITY.origin).degrees();
    let lamps =
        format!("\"junction\":0,\"mode\":\"centre\",\"lamps\":\"{}\"", "r".repeat(CITY.junctions[0].heads.len()));
    let handbook = include_str!("../../docs/events.md").lines().filter(|line| line.starts_with("{\"type\""));
    let lines: Vec<String> = handbook
        .map(|line| {
            line.replace("52010000011315000000", &CITY.cameras[0].name)
                .replace("106.62,\"lat\":26.6356", &format!("{lon},\"lat\":{lat}"))
                .replace("106.6201976,\"lat\":26.6356625", &format!("{lon},\"lat\":{lat}"))
                .replace("\"P0012\"", "0")
                .replace("\"贵阳北站\"", "0")
                .replace("\"南明区\"", "0")
                .replace("\"1路\"", "0")
                .replace("\"文昌工地0001\"", "0")
                .replace("\"junction\":\"n0_1\",\"stage\"", "\"junction\":0,\"stage\"")
                .replace("\"junction\":\"n0_1\",\"mode\":\"centre\",\"lamps\":\"grrGGrgrrGGr\"", &lamps)
        })
        .collect();
    lines.iter().map(|line| line.clone().into_bytes()).chain([lines.join("\n").into_bytes()]).collect()
}

pub(crate) const ALARMS: [&str; 4] = [
    r#"{"id":17,"priority":"A","category":"crime","lon":106.62,"lat":26.63,"channel":"phone","words":"救命"}"#,
    r#"{"priority":"B","grid":2,"caller":"13800138000","pictures":["https://x/1","media:7"],"channel":"app"}"#,
    r#"{"grid":1,"words":"有人打架, 有刀","needs":{"units":2}}"#,
    r#"{"priority":"C"}"#,
];

/// A batch of two vehicles.
pub(crate) fn vehicle_seed() -> String {
    let object = format!(
        r#"{{"MotorVehicleID":"1","InfoKind":1,"DeviceID":"{}","TollgateID":"","LaneNo":"01","HasPlate":"1",
        "PlateNo":"贵A12345","PlateClass":"02","Speed":"43.2","VehicleClass":"K33","PassTime":"20260106080000",
        "SubImageList":{{"SubImageInfoObject":[{{"Data":"AAAA"}}]}}}}"#,
        CITY.cameras[0].name
    );
    format!(r#"{{"MotorVehicleListObject":{{"MotorVehicleObject":[{object},{object}]}}}}"#)
}

/// What devices say of themselves, and a time as they write it.
pub(crate) const DEVICES: [&str; 3] = [
    r#"{"RegisterObject":{"DeviceID":"52010000011315000000"}}"#,
    r#"{"KeepaliveObject":{"DeviceID":"52010000011315000000"}}"#,
    "20260106120000",
];

pub(crate) fn protobuf_seeds() -> Vec<Vec<u8>> {
    let city = &CITY;
    let (lon, lat) = city.units[0].post.to_lon_lat(city.origin).degrees();
    let (unit, device) = (city.units[0].name.clone(), city.cameras[0].name.clone());
    let passages = v1::Passages {
        devices: vec![device.clone()],
        camera: vec![0, 0],
        base_ms: NOW_MS,
        offset_ms: vec![0, -40],
        speed_mm_s: vec![12_000, 0],
        vehicle_class: vec![1, 6],
        ..v1::Passages::default()
    };
    let plates = v1::Passages { plate: vec!["贵A12345".into(), String::new()], ..passages.clone() };
    let batch = v1::Batch { version: VERSION, passages: Some(passages), ..v1::Batch::default() };
    let all = v1::Batch {
        passages: Some(plates),
        flows: vec![v1::Flow { device: device.clone(), interval_ms: 60_000, vehicles: 14, ..v1::Flow::default() }],
        crowds: vec![v1::Crowd { device, people: 9, time_ms: NOW_MS }],
        gates: vec![v1::Gate { venue: city.venues[1].name.clone(), interval_ms: 60_000, ..v1::Gate::default() }],
        weather: vec![v1::Weather { rain_mm_h_milli: 2_500, visibility_m: Some(80), ..v1::Weather::default() }],
        calls: vec![v1::Call {
            call: 7,
            priority: "A".into(),
            lon: Some(lon),
            lat: Some(lat),
            words: "救命".into(),
            ..v1::Call::default()
        }],
        units: vec![v1::Unit { unit: unit.clone(), lon, lat, status: "ready".into(), time_ms: NOW_MS }],
        acks: vec![v1::Ack { unit, assignment: "7.1".into(), answer: "accept".into(), time_ms: NOW_MS }],
        ..batch.clone()
    };
    vec![batch.encode_to_vec(), all.encode_to_vec()]
}
