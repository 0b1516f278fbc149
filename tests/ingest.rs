//! Sensor events from outside.

use std::io::Write;

use serde_json::{Value, json};

use crate::running::{Running, lines};

#[test]
fn good_lines_are_taken_and_bad_ones_told_counted_and_kept_without_plates() {
    let city = Running::start();
    let camera = city.city.cameras[0].name.clone();
    let future_ms = city.get("/healthz").1["tick"].as_u64().unwrap() + 3_600_000;
    let body = [
        json!({"type": "passage", "camera": camera, "plate": "贵A12345", "speed_kmh": 40}).to_string(),
        "{".into(),
        json!({"type": "passage", "camera": "nowhere", "plate": "贵A12345", "speed_kmh": 40}).to_string(),
        json!({"type": "passage", "camera": camera, "plate": "贵A12345", "speed_kmh": 400}).to_string(),
        json!({"type": "passage", "camera": camera, "speed_kmh": 40, "time_ms": future_ms}).to_string(),
        json!({"type": "crowd", "camera": camera, "people": 4}).to_string(),
        String::new(),
        city.alarm(0, json!({"type": "call", "call": 5})),
    ]
    .join("\n");
    let (status, answer) = city.post("/api/ingest", &body);
    assert_eq!((status, &answer["accepted"]), (200, &json!(2)), "{answer}");
    let told: Vec<(u64, &str)> = answer["rejected"].as_array().unwrap().iter().map(row).collect();
    let reasons = ["malformed", "unknown_camera", "impossible_speed", "from_the_future", "wrong_camera_kind"];
    assert_eq!(told, (2..).zip(reasons).collect::<Vec<_>>());
    assert_eq!(city.get("/calls/5").0, 200, "a call among them is in the ledger");
    assert!(city.measures("nanming_dead_letters_total{reason=\"unknown_camera\",stream=\"passages\"} 1"));
    city.wait_for("passage", || city.measures("nanming_events_total{stream=\"passages\"} 1"));

    let kept = city.dir.path().join("dead_letters.jsonl");
    city.wait_for("letters", || lines(&kept).len() == 5);
    let text = std::fs::read_to_string(&kept).unwrap();
    assert!(!text.contains("12345") && text.contains("nowhere"), "{text}");
}

#[test]
fn weather_of_the_city_and_its_districts_is_taken_and_what_cannot_be_is_told() {
    let city = Running::start();
    let district = &city.city.districts[0].name;
    let body = [
        json!({"type": "weather", "rain_mm_h": 12.5, "visibility_m": 800}),
        json!({"type": "weather", "rain_mm_h": 0, "district": district}),
        json!({"type": "weather", "rain_mm_h": 3, "district": "nowhere"}),
        json!({"type": "weather", "rain_mm_h": 501}),
        json!({"type": "weather", "rain_mm_h": 1, "visibility_m": -5}),
        json!({"type": "weather", "district": district}),
    ];
    let (status, answer) = city.post("/api/ingest", &body.map(|line| line.to_string()).join("\n"));
    assert_eq!((status, &answer["accepted"]), (200, &json!(2)), "{answer}");
    let told: Vec<(u64, &str)> = answer["rejected"].as_array().unwrap().iter().map(row).collect();
    assert_eq!(told, [(3, "unknown_name"), (4, "out_of_range"), (5, "out_of_range"), (6, "malformed")], "{answer}");
    let details = answer["rejected"].as_array().unwrap().iter().map(|told| told["detail"].as_str().unwrap());
    let details = details.collect::<Vec<_>>().join("; ");
    assert!(details.contains("no district 'nowhere'") && details.contains("rain_mm_h 501"), "{details}");
    city.wait_for("weather", || city.measures("nanming_events_total{stream=\"weather\"} 2"));
    assert!(city.measures("nanming_dead_letters_total{reason=\"unknown_name\",stream=\"weather\"} 1"));
}

fn row(told: &Value) -> (u64, &str) {
    (told["line"].as_u64().unwrap(), told["reason"].as_str().unwrap())
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn passage(city: &Running) -> String {
    json!({"type": "passage", "camera": city.city.cameras[0].name, "speed_kmh": 40}).to_string()
}

#[test]
fn bodies_come_packed_and_bombs_are_refused() {
    let city = Running::start_with(&[("NANMING_HTTP__UNPACKED_BYTES", "100000")]);
    let lines = [passage(&city), passage(&city)].join("\n");
    let zstd = |plain: &[u8]| zstd::encode_all(plain, 3).unwrap();
    for (encoding, body) in [("gzip", gzip(lines.as_bytes())), ("zstd", zstd(lines.as_bytes()))] {
        let answer = city.send("POST", "/api/ingest", &[("content-encoding", encoding)], &body);
        assert_eq!((answer.status, &answer.json["accepted"]), (200, &json!(2)), "{encoding}: {}", answer.text);
    }
    let zeros = vec![b' '; 50_000_000];
    for (encoding, body) in [("gzip", gzip(&zeros)), ("zstd", zstd(&zeros))] {
        let answer = city.send("POST", "/api/ingest", &[("content-encoding", encoding)], &body);
        assert_eq!((answer.status, &answer.json["error"]), (413, &json!("too_large")), "{encoding}");
        let torn = city.send("POST", "/api/ingest", &[("content-encoding", encoding)], &body[..body.len() / 2]);
        assert!(torn.status == 400 || torn.status == 413, "{encoding}: {}", torn.text);
        let plain = city.send("POST", "/api/ingest", &[("content-encoding", encoding)], lines.as_bytes());
        assert_eq!((plain.status, &plain.json["error"]), (400, &json!("malformed")), "{encoding}");
    }
    assert!(city.measures("nanming_dead_letters_total{reason=\"malformed\",stream=\"unknown\"} 2"));
    assert_eq!(city.send("POST", "/api/ingest", &[("content-encoding", "br")], b"x").status, 415);
    assert_eq!(city.post("/api/ingest", &lines).1["accepted"], 2, "the next goes on");
}

#[test]
fn a_key_is_asked_for_where_there_are_any() {
    let city = Running::start_with(&[("NANMING_HTTP__API_KEYS", "[\"one\", \"two\"]")]);
    let line = passage(&city);
    let send = |headers: &[(&str, &str)]| city.send("POST", "/api/ingest", headers, line.as_bytes()).status;
    assert_eq!(send(&[]), 401);
    assert_eq!(send(&[("x-api-key", "three")]), 403);
    assert_eq!(send(&[("x-api-key", "two")]), 200);
    assert_eq!(send(&[("authorization", "Bearer one")]), 200);
    assert!(city.measures("nanming_http_refusals_total{door=\"ingest\",reason=\"wrong_key\"} 1"));
    assert!(city.measures("nanming_http_refusals_total{door=\"ingest\",reason=\"no_key\"} 1"));
    assert_eq!(city.post("/calls", &city.alarm(0, json!({}))).0, 201, "people need none");
}

#[test]
fn what_is_too_late_is_a_dead_letter() {
    let city = Running::start();
    let now_ms = city.get("/healthz").1["tick"].as_u64().unwrap();
    let at = |time_ms: u64| {
        let mut line: Value = serde_json::from_str(&passage(&city)).unwrap();
        line["time_ms"] = time_ms.into();
        line.to_string()
    };
    let answer = city.post("/api/ingest", &[at(now_ms - 590_000), at(now_ms - 700_000)].join("\n")).1;
    assert_eq!((&answer["accepted"], row(&answer["rejected"][0])), (&json!(1), (2, "too_late")), "{answer}");
    assert!(city.measures("nanming_dead_letters_total{reason=\"too_late\",stream=\"passages\"} 1"));
}
