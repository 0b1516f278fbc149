//! The machine's clock is set while the city runs.

use serde_json::json;

use super::faulty::{City, count};

const DAY_S: i64 = 24 * 3600;

/// City time goes on by some seconds, while the wall does.
fn goes_on(city: &mut City) {
    let before = city.count("nanming_city_time_seconds");
    city.victim.wait_for("time", |victim| count(victim, "nanming_city_time_seconds") >= before + 2);
}

/// A call is served: by a terminal that connects now, for units that have said nothing for a day are out of service.
fn serves(city: &mut City, call: u64) {
    let mut terminal = city.terminal();
    assert_eq!(city.raise(call).0, 201);
    let told = terminal.hear("assignment");
    assert_eq!(told["call"], call);
    for answer in ["accept", "arrived", "closed"] {
        terminal.say(&json!({"type": "ack", "assignment": told["assignment"], "answer": answer}).to_string());
        assert_eq!(terminal.hear("ack_result")["ok"], true, "{answer}");
    }
}

#[test]
fn a_clock_that_leaps_a_day_ahead_and_is_set_right_again_stops_nothing() {
    let mut city = City::start("1");
    serves(&mut city, 1);
    let (before, jumps) = (city.count("nanming_city_time_seconds"), city.count("nanming_clock_jumps_total"));
    city.set_clock(DAY_S);
    city.victim.wait_for("the leap", |victim| count(victim, "nanming_clock_jumps_total") == jumps + 1);
    city.victim.wait_for("time", |victim| count(victim, "nanming_city_time_seconds") >= before + DAY_S as u64);
    assert_eq!(city.count("nanming_clock_ahead_seconds"), 0);
    goes_on(&mut city);
    serves(&mut city, 2);

    city.set_clock(0);
    let ahead = |victim: &_| count(victim, "nanming_clock_ahead_seconds");
    city.victim.wait_for("being ahead", |victim| ahead(victim) > DAY_S as u64 - 60);
    goes_on(&mut city);
    serves(&mut city, 3);
    assert_eq!(city.victim.get("/healthz").unwrap().0, 200);

    // The next engine goes on after the last tick, and is not behind by a day.
    city.victim.kill();
    city.victim.start(&[]);
    city.victim.wait_until_healthy();
    city.victim.wait_for("time", |victim| count(victim, "nanming_city_time_seconds") >= before + DAY_S as u64);
    goes_on(&mut city);
    serves(&mut city, 4);
}

#[test]
fn a_clock_that_is_set_back_an_hour_stops_nothing() {
    let mut city = City::start("1");
    serves(&mut city, 1);
    let before = city.count("nanming_city_time_seconds");
    city.set_clock(-3600);
    city.victim.wait_for("being ahead", |victim| count(victim, "nanming_clock_ahead_seconds") > 3_500);
    goes_on(&mut city);
    serves(&mut city, 2);
    let now = city.count("nanming_city_time_seconds");
    assert!((before..before + 300).contains(&now), "it never runs backwards: {before} and {now}");
}
