//! Every decoder of what comes from outside against damaged input: never a panic, always an event that the city knows or a
//! refusal that says why. Run for seconds with every `cargo test`; `PROPTEST_CASES=1000000` runs them for long.

use std::sync::{Arc, LazyLock};

use nanming_dataflows::event::{CallChange, Event};
use nanming_dataflows::network::City;
use nanming_simulators::damage::damaged;
use proptest::prelude::*;

use crate::ingest::validate::MAX_SPEED_MM_S;
use crate::ingest::viid::{self, CameraTable};
use crate::ingest::{AlarmJson, Callers, Plates, Unfit, Validator, wechat};

const NOW_MS: u64 = 1_767_657_600_000;

static CITY: LazyLock<Arc<City>> = LazyLock::new(|| Arc::new(nanming_simulators::town::small(2, 2, 1)));
static VALIDATOR: LazyLock<Validator> =
    LazyLock::new(|| Validator::new(Arc::clone(&CITY), Plates::new("key"), Callers::new("key"), 5_000, 600_000));

/// A refusal says why.
pub(crate) fn assert_told(read: Result<(), Unfit>) {
    if let Err(unfit) = read {
        assert!(!unfit.detail.is_empty(), "{unfit:?}");
    }
}

fn cases(default: u32) -> ProptestConfig {
    match std::env::var("PROPTEST_CASES") {
        Ok(_) => ProptestConfig::default(),
        Err(_) => ProptestConfig::with_cases(default),
    }
}

/// What an event names is in the city, and its numbers are such as can be.
fn assert_known(event: &Event) {
    let city = &CITY;
    match event {
        Event::Passage(p) => {
            assert!(p.camera.index() < city.cameras.len() && f64::from(p.speed_mm_s) <= MAX_SPEED_MM_S);
            assert!((NOW_MS - 600_000..=NOW_MS + 5_000).contains(&p.time_ms));
        }
        Event::Flow(f) => assert!(f.camera.index() < city.cameras.len() && f.occupancy_milli <= 1000),
        Event::Crowd(c) => assert!(c.camera.index() < city.cameras.len()),
        Event::Gate(g) => assert!(g.venue.index() < city.venues.len() && g.interval_ms <= 3_600_000),
        Event::Weather(w) => {
            assert!(w.district.is_none_or(|of| of.index() < city.districts.len()) && w.rain_mm_h_milli <= 500_000);
        }
        Event::Unit(u) => assert!(u.unit.index() < city.units.len()),
        Event::Ack(a) => assert!(a.unit.index() < city.units.len()),
        Event::Signal(s) => assert_eq!(s.lamps.len(), city.junctions[s.junction.index()].heads.len()),
        Event::Bus(b) => assert!(b.line.index() < city.bus_lines.len() && b.link.index() < city.links.len()),
        Event::Violation(v) => assert!(v.camera.index() < city.cameras.len()),
        Event::Case(c) => assert!(c.by.index() < city.units.len()),
        Event::Roster(e) => assert!(e.roster.index() < city.rosters.len()),
        Event::Site(s) => assert!(s.site.index() < city.sites.len()),
        Event::Hold(h) => {
            let stages = city.junctions[h.junction.index()].stages.len();
            assert!(h.stage.is_none_or(|stage| usize::from(stage) < stages) && h.until_ms <= h.time_ms + 3_600_000);
        }
        Event::Call(c) => {
            if let CallChange::Opened(facts) | CallChange::Updated(facts) = c.change {
                assert_eq!(city.grid_at(facts.at), Some(facts.grid));
            }
        }
    }
}

/// The lines of the handbook, with names of the small town where that needs them to be known.
static LINES: LazyLock<Vec<String>> = LazyLock::new(|| {
    let (lon, lat) = CITY.units[0].post.to_lon_lat(CITY.origin).degrees();
    let lamps =
        format!("\"junction\":0,\"mode\":\"centre\",\"lamps\":\"{}\"", "r".repeat(CITY.junctions[0].heads.len()));
    let handbook = include_str!("../docs/events.md").lines().filter(|line| line.starts_with("{\"type\""));
    handbook
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
        .collect()
});

const ALARMS: [&str; 3] = [
    r#"{"id":17,"priority":"A","category":"crime","lon":106.62,"lat":26.63,"channel":"phone","words":"救命"}"#,
    r#"{"priority":"B","grid":2,"caller":"13800138000","pictures":["https://x/1","media:7"],"channel":"app"}"#,
    r#"{"priority":"C"}"#,
];

static BATCH: LazyLock<String> = LazyLock::new(|| {
    let object = format!(
        r#"{{"MotorVehicleID":"1","InfoKind":1,"DeviceID":"{}","TollgateID":"","LaneNo":"01","HasPlate":"1",
        "PlateNo":"贵A12345","PlateClass":"02","Speed":"43.2","VehicleClass":"K33","PassTime":"20260106080000",
        "SubImageList":{{"SubImageInfoObject":[{{"Data":"AAAA"}}]}}}}"#,
        CITY.cameras[0].name
    );
    format!(r#"{{"MotorVehicleListObject":{{"MotorVehicleObject":[{object},{object}]}}}}"#)
});

const MESSAGES: [&str; 2] = [
    "<xml><ToUserName><![CDATA[gh_1]]></ToUserName><FromUserName><![CDATA[oX1]]></FromUserName><CreateTime>1</CreateTime>\
     <MsgType><![CDATA[text]]></MsgType><Content><![CDATA[有人]]></Content><MsgId>7</MsgId></xml>",
    "<xml><ToUserName>gh_1</ToUserName><FromUserName>oX1</FromUserName><MsgType>location</MsgType><Location_X>26.5\
     </Location_X><Location_Y>106.6</Location_Y><Scale>1</Scale><Label>x</Label><MsgId>8</MsgId></xml>",
];

proptest! {
    #![proptest_config(cases(3000))]

    #[test]
    fn a_damaged_line_is_an_event_or_a_dead_letter(row in 0..LINES.len(), seed: u64) {
        match VALIDATOR.event(&damaged(LINES[row].as_bytes(), seed), NOW_MS) {
            Ok((event, _)) => assert_known(&event),
            Err(unfit) => assert_told(Err(unfit)),
        }
    }

    #[test]
    fn a_damaged_alarm_is_a_call_or_refused(row in 0..ALARMS.len(), seed: u64) {
        let bytes = damaged(ALARMS[row].as_bytes(), seed);
        let read = || AlarmJson::read(&bytes);
        match read().and_then(|json| VALIDATOR.alarm(json)) {
            Ok(alarm) => {
                prop_assert_eq!(CITY.grid_at(alarm.facts.at), Some(alarm.facts.grid));
                prop_assert!(alarm.note.words.chars().count() <= 2000 && alarm.note.pictures.len() <= 9);
                read().and_then(|json| json.change(&CITY, alarm.facts)).map_or_else(|u| assert_told(Err(u)), drop);
            }
            Err(unfit) => assert_told(Err(unfit)),
        }
    }

    #[test]
    fn a_damaged_batch_is_read_object_by_object(seed: u64) {
        let table = CameraTable::plain(Arc::clone(&CITY), Some("5201".into()));
        let bytes = damaged(BATCH.as_bytes(), seed);
        match viid::batch(&bytes) {
            Ok(batch) => {
                for raw in batch.0 {
                    match viid::passage(raw.get(), &table, &VALIDATOR, NOW_MS).1 {
                        Ok(passage) => assert_known(&Event::Passage(passage)),
                        Err(unfit) => assert_told(Err(unfit)),
                    }
                }
            }
            Err(unfit) => assert_told(Err(unfit)),
        }
        assert_told(viid::device_id(&bytes, "MotorVehicleListObject").map(drop));
    }

    #[test]
    fn a_damaged_message_is_read_or_refused(row in 0..MESSAGES.len(), seed: u64) {
        let read = wechat::read(&damaged(MESSAGES[row].as_bytes(), seed));
        if let Ok(message) = &read {
            // What goes back is a message too, whatever came.
            let back = wechat::reply(message, "收到", 1).replace("</xml>", "<MsgId>1</MsgId></xml>");
            prop_assert!(wechat::read(back.as_bytes()).is_ok(), "{}", back);
        }
        assert_told(read.map(drop));
    }

    #[test]
    fn a_damaged_time_is_a_time_or_none(seed: u64) {
        let text = damaged(b"20260106120000", seed);
        let _never_a_panic = viid::pass_time_ms(&String::from_utf8_lossy(&text), 480);
    }
}

#[test]
fn what_is_damaged_here_is_good_before() {
    for line in LINES.iter() {
        assert!(
            VALIDATOR.event(line.as_bytes(), NOW_MS).is_ok() || line.contains("\"crowd\"") || line.contains("\"bus\""),
            "{line}"
        );
    }
    let table = CameraTable::plain(Arc::clone(&CITY), None);
    let batch = viid::batch(BATCH.as_bytes()).unwrap();
    assert!(batch.0.iter().all(|raw| viid::passage(raw.get(), &table, &VALIDATOR, NOW_MS).1.is_ok()));
    assert!(MESSAGES.iter().all(|message| wechat::read(message.as_bytes()).is_ok()));
}
