//! People at venues: counts in at the ingest door, what is made of them out on the board, in the metrics and in the files.

use serde_json::{Value, json};

use crate::board::events;
use crate::running::{Running, lines};

/// What the board shows of a venue.
fn shown(city: &Running, venue: usize) -> Option<Value> {
    let crowds = events(city, None, 1).remove(0).2["crowds"].take();
    crowds.as_array()?.iter().find(|row| row[0] == venue).cloned()
}

#[test]
fn counts_become_a_surge_on_the_board_in_the_measures_and_in_the_files() {
    // At night venues empty by themselves.
    let options = ["--no-sim", "--jsonl", "decisions", "--start", "12:00"];
    let city = Running::start_in(tempfile::tempdir().unwrap(), &options);
    let [hall, market] = [0, 2].map(|row: usize| &city.city.venues[row]);
    let [few, full] = [market.capacity / 10, hall.capacity * 9 / 10];
    let body = [
        json!({"type": "gate", "venue": hall.name, "interval_s": 60, "entered": full, "left": 0}),
        json!({"type": "gate", "venue": 2, "interval_s": 60, "entered": few + 5, "left": 5}),
        json!({"type": "gate", "venue": "nowhere", "interval_s": 60, "entered": 1}),
        json!({"type": "gate", "venue": 2, "interval_s": 0, "entered": 1}),
    ];
    let answer = city.post("/api/ingest", &body.map(|line| line.to_string()).join("\n")).1;
    let told: Vec<_> = answer["rejected"].as_array().unwrap().iter().map(|r| (&r["line"], &r["reason"])).collect();
    assert_eq!(told, [(&json!(3), &json!("unknown_name")), (&json!(4), &json!("out_of_range"))], "{answer}");
    assert!(city.measures("nanming_dead_letters_total{reason=\"unknown_name\",stream=\"gates\"} 1"));

    city.wait_for("crowds", || shown(&city, 0).is_some() && shown(&city, 2).is_some());
    let [hall_now, market_now] = [0, 2].map(|row| shown(&city, row).unwrap());
    assert_eq!((&hall_now[1], &hall_now[4], &hall_now[3]), (&json!(full), &json!(1), &json!(0.9)), "{hall_now}");
    assert_eq!((&market_now[1], &market_now[4]), (&json!(few), &json!(0)), "{market_now}");
    assert_eq!(hall_now[5].as_array().unwrap().len(), 12);
    // Figures and measures are told by others than who tells of venues, a little later.
    city.wait_for("the figure", || events(&city, None, 1)[0].2["figures"]["surges"] == 1);
    for (what, people, surge) in [(hall, full, 1), (market, few, 0)] {
        let line = |name: &str, value: u32| format!("nanming_crowd_{name}{{venue=\"{}\"}} {value}", what.name);
        city.wait_for("people", || city.measures(&line("people", people)));
        city.wait_for("whether it is a surge", || city.measures(&line("surge", surge)));
    }
    city.wait_for("the count of surges", || city.measures("nanming_crowd_surges_total 1"));
    let file = city.dir.path().join("decisions/crowds.jsonl");
    let written = || lines(&file).iter().any(|line| line["venue"] == hall.name.as_str() && line["surge"] == true);
    city.wait_for("the file", || file.exists() && written());
}

#[test]
fn the_simulated_city_counts_its_people_with_cameras_and_at_gates() {
    let city = Running::start_in(tempfile::tempdir().unwrap(), &["--start", "19:30", "--speed", "10"]);
    let count = city.city.venues.len();
    city.wait_for("every venue", || (0..count).all(|row| shown(&city, row).is_some_and(|venue| venue[1].is_u64())));
    city.wait_for("gates", || !city.measures("nanming_events_total{stream=\"gates\"} 0"));
    assert!(!city.measures("nanming_events_total{stream=\"crowds\"} 0"));
}
