use std::sync::Arc;

use nanming_dataflows::ids::VehicleId;
use nanming_dataflows::network::CameraKind;
use nanming_simulators::town;

use super::v1::{Ack, Batch, Call, Crowd, Flow, Gate, Passages, Unit, Weather};
use super::*;
use crate::ingest::{Callers, Plates};

const NOW_MS: u64 = 1_767_657_600_000;

fn validator() -> Validator {
    Validator::new(Arc::new(town::small(2, 2, 1)), Plates::new("key"), Callers::new("key"), 5_000, 600_000)
}

/// What was taken, and of what was not the stream, the reason and how it reads.
fn read(raw: &[u8]) -> (Taken, Vec<(String, Reason, String)>) {
    let mut refused = Vec::new();
    let mut refuse = |stream: &str, unfit: Unfit, raw: &[u8]| {
        refused.push((stream.to_owned(), unfit.reason, String::from_utf8_lossy(raw).into_owned()));
    };
    let taken = validator().protobuf(raw, NOW_MS, &mut refuse);
    (taken, refused)
}

fn passages() -> Passages {
    let city = town::small(2, 2, 1);
    Passages {
        devices: vec![city.cameras[0].name.clone(), "nowhere".into()],
        camera: vec![0, 0, 1, 0, 9, 0],
        base_ms: NOW_MS,
        offset_ms: vec![0, -40, 0, 0, 0, 6_000],
        speed_mm_s: vec![12_000, 0, 0, 80_000, 0, 0],
        vehicle_class: vec![1, 6, 0, 0, 0, 0],
        ..Passages::default()
    }
}

fn of(passages: Passages) -> Batch {
    Batch { version: VERSION, passages: Some(passages), ..Batch::default() }
}

#[test]
fn good_rows_are_taken_and_bad_ones_told_one_by_one() {
    let plates = ["贵A12345", "", "贵A12345", "贵A12345", "", ""].map(String::from).to_vec();
    let (taken, refused) = read(&of(Passages { plate: plates, ..passages() }).encode_to_vec());
    let rows: Vec<_> =
        taken.events.iter().filter_map(|e| if let Event::Passage(p) = e { Some(p) } else { None }).collect();
    let plain: Vec<_> = rows.iter().map(|p| (p.time_ms, p.speed_mm_s, p.class as u8)).collect();
    assert_eq!(plain, [(NOW_MS, 12_000, 1), (NOW_MS - 40, 0, 6)]);
    assert_eq!(rows[0].vehicle, Plates::new("key").vehicle("贵A12345"));
    assert_eq!(rows[1].vehicle, VehicleId(0));
    let reasons: Vec<_> = refused.iter().map(|r| (r.0.as_str(), r.1)).collect();
    let expected = [Reason::UnknownCamera, Reason::ImpossibleSpeed, Reason::UnknownCamera, Reason::FromTheFuture];
    assert_eq!(reasons, expected.map(|reason| ("passages", reason)));
    assert!(refused[0].2.contains("nowhere") && refused.iter().all(|r| !r.2.contains("12345")), "{refused:?}");
}

#[test]
fn the_other_streams_are_checked_as_json_is() {
    let city = town::small(2, 2, 1);
    let (lon, lat) = city.units[0].post.to_lon_lat(city.origin).degrees();
    let (unit, device) = (city.units[0].name.clone(), city.cameras[0].name.clone());
    let call =
        Call {
            call: 7, priority: "A".into(), lon: Some(lon), lat: Some(lat), words: "救命".into(), ..Call::default()
        };
    let ack = Ack { unit: unit.clone(), assignment: "7.1".into(), answer: "accept".into(), time_ms: 5 };
    let place = Unit { unit, lon, lat, status: "ready".into(), time_ms: NOW_MS };
    let flow = Flow { device, interval_ms: 60_000, vehicles: 14, ..Flow::default() };
    let counts = |kind: CameraKind| Crowd {
        device: city.cameras.iter().find(|camera| camera.kind == kind).unwrap().name.clone(),
        people: 9,
        time_ms: NOW_MS,
    };
    let gate = Gate { venue: city.venues[1].name.clone(), interval_ms: 60_000, entered: 7, ..Gate::default() };
    let district = city.districts[0].name.clone();
    let weather = Weather { district, rain_mm_h_milli: 2_500, ..Weather::default() };
    let batch = Batch {
        version: VERSION,
        weather: vec![weather.clone(), Weather { rain_mm_h_milli: 500_001, ..weather }, Weather::default()],
        crowds: vec![counts(CameraKind::Crowd), counts(CameraKind::StopLine)],
        gates: vec![gate.clone(), Gate { venue: "nowhere".into(), ..gate }],
        flows: vec![flow.clone(), Flow { interval_ms: 0, ..flow.clone() }],
        calls: vec![call.clone(), Call { change: 7, ..call.clone() }, Call { priority: "Z".into(), ..call }],
        units: vec![place.clone(), Unit { status: "asleep".into(), ..place.clone() }, Unit { lat: f64::NAN, ..place }],
        acks: vec![ack.clone(), Ack { assignment: "seven".into(), ..ack.clone() }, Ack { unit: "P9".into(), ..ack }],
        ..Batch::default()
    };
    let (taken, refused) = read(&batch.encode_to_vec());
    let streams: Vec<_> = taken.events.iter().map(Event::stream).collect();
    assert_eq!(streams, ["flows", "crowds", "gates", "weather", "weather", "calls", "units", "acks"]);
    assert_eq!(taken.events[0].time_ms(), NOW_MS, "0 stands for now");
    assert_eq!((taken.notes[0].0.0, taken.notes[0].1.words.as_str()), (7, "救命"));
    let reasons: Vec<_> = refused.iter().map(|r| (r.0.as_str(), r.1.as_str())).collect();
    let expected = [
        ("flows", "out_of_range"),
        ("crowds", "wrong_camera_kind"),
        ("gates", "unknown_name"),
        ("weather", "out_of_range"),
        ("calls", "malformed"),
        ("calls", "malformed"),
        ("units", "malformed"),
        ("units", "out_of_range"),
        ("acks", "malformed"),
        ("acks", "unknown_unit"),
    ];
    assert_eq!(reasons, expected);
}

#[test]
fn a_message_that_cannot_be_read_is_refused_whole_and_shows_no_text() {
    let good = of(Passages { plate: vec!["ABC99".into(); 6], ..passages() });
    let newer = Batch { version: 2, ..good.clone() }.encode_to_vec();
    let cut = &good.encode_to_vec()[..20];
    let uneven = of(Passages { speed_mm_s: vec![1], ..passages() }).encode_to_vec();
    for (raw, stream, reason) in [
        (&newer[..], "unknown", Reason::UnknownVersion),
        (&[][..], "unknown", Reason::UnknownVersion),
        (cut, "unknown", Reason::Malformed),
        (b"{\"type\":\"passage\",\"plate\":\"ABC99\"}", "unknown", Reason::Malformed),
        (&uneven, "passages", Reason::Malformed),
    ] {
        let (taken, refused) = read(raw);
        assert!(taken.events.is_empty());
        assert_eq!(refused.len(), 1);
        assert_eq!((refused[0].0.as_str(), refused[0].1), (stream, reason));
        assert!(!refused[0].2.contains("ABC99") && !refused[0].2.contains("4142"), "{refused:?}");
    }
}

proptest::proptest! {
    #[test]
    fn no_bytes_make_it_panic(raw: Vec<u8>, cut: proptest::sample::Index, flip: u8) {
        read(&raw);
        let mut good = of(passages()).encode_to_vec();
        let row = cut.index(good.len());
        good[row] ^= flip;
        read(&good);
        read(&good[..row]);
    }
}
