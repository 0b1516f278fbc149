//! Sensor events from outside.

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

fn row(told: &Value) -> (u64, &str) {
    (told["line"].as_u64().unwrap(), told["reason"].as_str().unwrap())
}
