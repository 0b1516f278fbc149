//! The engine is given no more memory than it has.

use serde_json::json;

use super::victim::Victim;
use crate::running::{PATIENCE, Running};

/// What it may take beyond what it has, kB.
const MORE_KB: u64 = 12_000;
/// Vehicles that nobody has seen before, in a body: each is remembered.
const VEHICLES: u64 = 1_000;
/// Bodies at most: many times what it has room for.
const MOST: u64 = 2_000;

#[test]
fn an_engine_that_is_given_no_more_memory_ends_and_has_lost_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let city = Running::lay_out(dir.path());
    let mut victim = Victim::new(dir, vec![], &["--city", "town.json", "--no-sim"]);
    victim.start(&[]);
    victim.wait_until_healthy();
    let config = ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build();
    let agent = ureq::Agent::from(config);
    let post = |victim: &Victim, path: &str, body: String| {
        let url = format!("http://{}{path}", victim.at.now()?);
        Some(agent.post(url).send(body).ok()?.status().as_u16())
    };
    let (lon, lat) = city.units[0].post.to_lon_lat(city.origin).degrees();
    let raise = |victim: &Victim, id: u64| {
        let alarm = json!({"id": id, "priority": "B", "category": "help", "lon": lon, "lat": lat, "words": "救命"});
        post(victim, "/calls", alarm.to_string())
    };
    assert_eq!(raise(&victim, 1), Some(201));

    victim.allow(MORE_KB);
    let mut accepted = vec![1];
    let end = (2..MOST).find_map(|n| {
        let passage = |vehicle: u64| {
            let (camera, plate) = (&city.cameras[vehicle as usize % 20].name, n * VEHICLES + vehicle);
            json!({"type": "passage", "camera": camera, "plate": format!("贵{plate:06}"), "speed_kmh": 40}).to_string()
        };
        // Answers that never come are those of an engine that ends.
        let _ = post(&victim, "/api/ingest", (0..VEHICLES).map(passage).collect::<Vec<_>>().join("\n"));
        accepted.extend(raise(&victim, n).filter(|status| matches!(status, 200 | 201)).map(|_| n));
        victim.has_ended()
    });
    let end = end.expect("it ends");
    assert_ne!(end, (Some(0), None), "nobody would start it again: {}", victim.last_words());

    victim.start(&[]);
    victim.wait_until_healthy();
    for call in accepted {
        assert_eq!(victim.get(&format!("/calls/{call}")).unwrap().0, 200, "call {call} is lost");
    }
}
