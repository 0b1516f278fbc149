//! What travellers are told, and what they are not.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};

use crate::running::{Answer, PATIENCE, Running};

#[path = "../src/travel/cap/rules.rs"]
mod rules;

/// A city whose travel information is made anew each second.
fn start(more: &[(&str, &str)]) -> Running {
    let city = Running::start_with(&[&[("NANMING_TRAVEL__REFRESH_S", "1")], more].concat());
    city.wait_for("a first look", || get(&city, "city").status != 503);
    city
}

fn get(city: &Running, what: &str) -> Answer {
    city.send("GET", &format!("/api/travel/{what}"), &[], b"")
}

fn header<'a>(answer: &'a Answer, name: &str) -> &'a str {
    answer.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// Degrees of the middle of a link.
fn on(city: &Running, link: usize) -> String {
    let shape = &city.city.links[link].shape;
    let (lon, lat) = shape[shape.len() / 2].to_lon_lat(city.city.origin).degrees();
    format!("{lon},{lat}")
}

fn incidents(city: &Running) -> Vec<Value> {
    get(city, "incidents").json["incidents"].as_array().cloned().unwrap_or_default()
}

/// IDs of the alerts on the feed.
fn alerts(city: &Running) -> Vec<String> {
    let feed = get(city, "alerts.atom").text;
    feed.split("href=\"alerts/").skip(1).map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
}

#[test]
fn every_route_may_be_kept_read_elsewhere_and_asked_for_again_in_vain() {
    let city = start(&[]);
    let (from, to) = (on(&city, 0), on(&city, city.city.links.len() - 1));
    let road = city.city.links.iter().find(|l| !l.road.is_empty()).unwrap().road.clone();
    let encoded: String = road.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let routes = [
        ("city".into(), "application/json"),
        ("roads".into(), "application/json"),
        (format!("roads?q={encoded}&in=30"), "application/json"),
        (format!("roads/{encoded}"), "application/json"),
        ("congestion.geojson?in=15".into(), "application/geo+json"),
        ("levels?in=60".into(), "application/json"),
        (format!("time?from={from}&to={to}&depart=30"), "application/json"),
        ("incidents".into(), "application/json"),
        ("alerts.atom".into(), "application/atom+xml"),
    ];
    for (route, mime) in &routes {
        let answer = get(&city, route);
        assert_eq!((answer.status, header(&answer, "content-type")), (200, *mime), "{route}: {}", answer.text);
        assert_eq!(header(&answer, "cache-control"), "public, max-age=1", "{route}");
        assert_eq!(header(&answer, "access-control-allow-origin"), "*", "{route}");
        assert_eq!(header(&answer, "cross-origin-resource-policy"), "cross-origin", "{route}");
        assert!(!header(&answer, "etag").is_empty(), "{route}");
    }
    // What does not change with time is not sent twice.
    let etag = header(&get(&city, "city"), "etag").to_owned();
    let path = "/api/travel/city";
    let again = city.send("GET", path, &[("if-none-match", &etag)], b"");
    assert_eq!((again.status, again.text.as_str()), (304, ""));
    let foreign = city.send("GET", path, &[("origin", "https://news.example")], b"");
    assert_eq!(foreign.status, 200, "pages of other sites may read");
    let mut stream = TcpStream::connect(city.address).unwrap();
    let ask = "GET /api/travel/congestion.geojson HTTP/1.1\r\nhost: 127.0.0.1\r\naccept-encoding: gzip\r\nconnection: close\r\n\r\n";
    stream.write_all(ask.as_bytes()).unwrap();
    let mut packed = Vec::new();
    stream.read_to_end(&mut packed).unwrap();
    assert!(String::from_utf8_lossy(&packed).contains("content-encoding: gzip"), "gzip where it is asked for");
    assert_eq!(get(&city, "roads").json["total"], get(&city, "roads?q=").json["total"]);
    assert_eq!(get(&city, &format!("roads?q={encoded}")).json["roads"][0]["name"], road.as_str());
    assert!(city.text("/travel").contains("<html"));
    assert!(city.measures("nanming_travel_requests_total{route=\"road\",status=\"200\"} 1"));
}

#[test]
fn what_cannot_be_told_is_refused_with_what_to_do() {
    let city = start(&[]);
    let place = on(&city, 0);
    for (asked, status, error) in [
        ("roads/nowhere".into(), 404, "not_found"),
        ("roads?in=20".into(), 422, "out_of_range"),
        ("congestion.geojson?in=7".into(), 422, "out_of_range"),
        ("levels?in=65".into(), 422, "out_of_range"),
        ("alerts/nothing".into(), 404, "not_found"),
        ("time".into(), 400, "malformed"),
        (format!("time?from={place}&to=here"), 400, "malformed"),
        (format!("time?from={place}&to=26.6,106.7"), 422, "out_of_range"),
        (format!("time?from={place}&to=107.9,26.6"), 422, "too_far"),
        (format!("time?from={place}&to={place}&depart=999"), 422, "out_of_range"),
        (format!("time?from={place}&to={place}&depart=2020-01-01T00:00:00%2B08:00"), 422, "out_of_range"),
        (format!("time?from={place}&to={place}&depart=soon"), 400, "malformed"),
    ] {
        let answer = get(&city, &asked);
        assert_eq!((answer.status, &answer.json["error"]), (status, &json!(error)), "{asked}: {}", answer.text);
        assert_eq!(header(&answer, "content-type"), "application/problem+json", "{asked}");
        assert_eq!(answer.json["status"], status);
        assert!(answer.json["detail"].as_str().unwrap().len() > 20, "{}", answer.text);
        assert_eq!(header(&answer, "access-control-allow-origin"), "*");
    }
    let off = Running::start_with(&[("NANMING_TRAVEL__ENABLED", "false")]);
    for path in ["/api/travel/roads", "/travel", "/travel.html"] {
        assert_eq!(off.get(path).0, 404, "{path}");
    }
}

#[test]
fn who_asks_too_often_is_told_when_to_come_again_and_others_are_served() {
    let city = Running::start_with(&[
        ("NANMING_TRAVEL__REQUESTS_PER_MINUTE", "5"),
        ("NANMING_TRAVEL__PROXIES", "[\"127.0.0.1\"]"),
    ]);
    let ask = |client: &str| city.send("GET", "/api/travel/incidents", &[("x-forwarded-for", client)], b"");
    let statuses: Vec<u16> = (0..6).map(|_| ask("192.0.2.1").status).collect();
    assert!(statuses[..5].iter().all(|status| *status != 429) && statuses[5] == 429, "{statuses:?}");
    let refused = ask("192.0.2.1");
    assert_eq!((refused.status, &refused.json["error"]), (429, &json!("too_many_requests")));
    assert!((1..=12).contains(&header(&refused, "retry-after").parse::<u64>().unwrap()));
    assert_ne!(ask("1.1.1.1, 192.0.2.2").status, 429, "another");
    assert_eq!(ask("192.0.2.9, 192.0.2.1").status, 429, "what a client writes before the proxy does not help it");
    assert_eq!(city.get("/healthz").0, 200);
    assert_eq!(city.post("/calls", &city.alarm(0, json!({}))).0, 201);
    assert!(city.measures("nanming_travel_limited_total 3"));
}

#[test]
fn of_calls_nothing_shows_but_the_street_of_a_collision() {
    let city = start(&[]);
    let (lon, lat) = city.post_of(5);
    let (lon, lat) = (lon + 0.000_333, lat + 0.000_222);
    let private = json!({"priority": "B", "category": "crime", "words": "盗窃 secret", "caller": "13800000001"});
    let collision =
        json!({"category": "collision", "words": "两车相撞 secret", "caller": "13800000002", "lon": lon, "lat": lat});
    assert_eq!(city.post("/calls", &city.alarm(3, private)).0, 201);
    let call = city.post("/calls", &city.alarm(5, collision.clone())).1["call"].clone();
    assert_eq!(city.post("/calls", &city.alarm(5, collision)).0, 201, "another saw it too");
    city.wait_for("the collision", || !incidents(&city).is_empty());
    let told = incidents(&city);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!((&told[0]["kind"], &told[0]["confirmed"]), (&json!("collision"), &json!(false)));
    let keys: Vec<&str> = told[0].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(keys, ["at", "confirmed", "heading", "id", "kind", "links", "road", "since_ms"]);
    assert_eq!(told[0]["since_ms"].as_u64().unwrap() % 60_000, 0, "to the minute");
    let alerts = alerts(&city);
    let mut seen: Vec<String> =
        ["incidents", "alerts.atom", "roads", "congestion.geojson", "city"].map(|what| get(&city, what).text).to_vec();
    seen.extend(alerts.iter().map(|id| get(&city, &format!("alerts/{id}")).text));
    for text in &seen {
        for hidden in
            ["secret", "1380000", "盗窃", "crime", "caller", "\"call\"", &format!("{lon:.5}"), &format!("{lat:.5}")]
        {
            assert!(!text.contains(hidden), "{hidden} in {text}");
        }
    }
    // A call that turns out to be something else is no collision any more.
    for id in [call.as_u64().unwrap(), call.as_u64().unwrap() + 1] {
        assert_eq!(city.patch(&format!("/calls/{id}"), &json!({"category": "help"})).0, 200);
    }
    city.wait_for("the end of it", || incidents(&city).is_empty());
}

#[test]
fn an_alert_is_a_cap_message_that_is_updated_and_taken_back() {
    let city = start(&[("NANMING_TRAVEL__SENDER", "traffic.example")]);
    let mut terminal = city.terminal(5);
    terminal.report(city.post_of(5));
    city.wait_for("unit", || city.measures("nanming_units_available 1"));
    let call = city.post("/calls", &city.alarm(5, json!({"category": "collision"}))).1["call"].as_u64().unwrap();
    let message = |mark: &str| {
        let mut text = String::new();
        city.wait_for(mark, || {
            let all: Vec<String> = alerts(&city).iter().map(|id| get(&city, &format!("alerts/{id}")).text).collect();
            text = all.into_iter().find(|text| text.contains(mark)).unwrap_or_default();
            !text.is_empty()
        });
        rules::check_message(&text);
        text
    };
    let first = message("<msgType>Alert</msgType>");
    assert!(first.contains("<sender>traffic.example</sender>") && first.contains("<status>Actual</status>"), "{first}");
    assert!(first.contains("<certainty>Likely</certainty>") && first.contains("+08:00"), "{first}");
    let id = first.split("<identifier>").nth(1).unwrap().split('<').next().unwrap().to_owned();
    let assignment = terminal.hear("assignment")["assignment"].clone();
    for answer in ["accept", "arrived"] {
        terminal.say(&json!({"type": "ack", "assignment": assignment, "answer": answer}).to_string());
        assert_eq!(terminal.hear("ack_result")["ok"], true);
    }
    let update = message("<msgType>Update</msgType>");
    assert!(update.contains(&format!("<references>traffic.example,{id},")), "{update}");
    assert!(update.contains("<certainty>Observed</certainty>"), "{update}");
    assert_eq!(city.delete(&format!("/calls/{call}")).0, 200);
    let cancel = message("<msgType>Cancel</msgType>");
    assert!(cancel.contains("<responseType>AllClear</responseType>"), "{cancel}");
    let feed = get(&city, "alerts.atom").text;
    let feed = roxmltree::Document::parse(&feed).unwrap();
    assert!(feed.root_element().has_tag_name(("http://www.w3.org/2005/Atom", "feed")));
}

#[test]
fn a_simulated_city_tells_speeds_and_trips_and_calls_its_alerts_exercises() {
    // Forecasts are made as the five minutes of the clock end; the public may not ask as often as a test does meanwhile.
    let settings = ["--start", "08:04", "--speed", "10"];
    let mut command = Command::new(env!("CARGO_BIN_EXE_nanming"));
    command.env("NANMING_TRAVEL__REFRESH_S", "1");
    let city = Running::start_as(command, tempfile::tempdir().unwrap(), &settings);
    let forecasts = || city.get("/api/forecast?lead=30").1["links"].take();
    city.wait_for("a forecast", || forecasts().as_array().is_some_and(|links| !links.is_empty()));
    city.wait_for("a forecast of roads", || {
        let roads = get(&city, "roads?in=30").json;
        roads["roads"].as_array().is_some_and(|roads| roads.iter().any(|r| r["expected"][1]["in_min"] == 30))
    });
    let roads = get(&city, "roads").json;
    for road in roads["roads"].as_array().unwrap() {
        for then in road["expected"].as_array().unwrap() {
            let [low, speed, high] = ["low_kmh", "speed_kmh", "high_kmh"].map(|key| then[key].as_f64().unwrap());
            assert!(low <= speed && speed <= high, "{road}");
        }
    }
    let trip = get(&city, &format!("time?from={}&to={}", on(&city, 0), on(&city, city.city.links.len() - 1))).json;
    let [low, minutes, high] = ["low_minutes", "minutes", "high_minutes"].map(|key| trip[key].as_f64().unwrap());
    assert!(0.0 < minutes && low <= minutes && minutes <= high, "{trip}");
    let levels = get(&city, "levels").json["levels"].as_str().unwrap().to_owned();
    assert!(levels.len() == city.city.links.len() && levels.contains(|c: char| c.is_ascii_digit()), "{levels}");
    assert_eq!(city.post("/calls", &city.alarm(1, json!({"category": "collision"}))).0, 201);
    city.wait_for("its alert", || !alerts(&city).is_empty());
    for id in alerts(&city) {
        let text = get(&city, &format!("alerts/{id}")).text;
        if !text.is_empty() {
            rules::check_message(&text);
            assert!(text.contains("<status>Exercise</status>"), "{text}");
        }
    }
}

#[test]
fn the_public_cannot_keep_an_alarm_out() {
    let mut limited = Command::new("sh");
    limited.args(["-c", "ulimit -n 128; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_nanming")]);
    let city = Running::start_as(limited, tempfile::tempdir().unwrap(), &["--no-sim"]);
    // They ask for what is large, and do not read it.
    let ask = |_| {
        let mut stream = TcpStream::connect(city.address).unwrap();
        let _it_may_have_been_ended = stream.write_all(
            b"GET /api/travel/congestion.geojson HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\nGET /api/travel/roads HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n",
        );
        stream
    };
    let crowd: Vec<TcpStream> = (0..300).map(ask).collect();
    let began = Instant::now();
    for _ in 0..5 {
        assert_eq!(city.post("/calls", &city.alarm(0, json!({}))).0, 201);
    }
    assert!(began.elapsed().as_secs() < 5, "{:?}", began.elapsed());
    let mut last = crowd.into_iter().next_back().unwrap();
    last.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut status = [0; 12];
    let _it_made_way = last.read(&mut status);
}
