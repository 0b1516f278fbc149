//! A small city with one field broken at a time: `City::check` finds it, or the engine and the world run with it.

use std::collections::BTreeMap;
use std::sync::Arc;

use nanming_dataflows::event::Batch;
use nanming_dataflows::network::City;
use nanming_simulators::town;
use nanming_simulators::world::{World, WorldSettings};
use serde_json::{Value, json};

use crate::engine::Engine;

/// Places of each kind of field that are broken.
const PLACES: usize = 2;

/// Fields by what they are, such as `/links//from`, each with the first places where they stand.
fn fields(of: &Value) -> BTreeMap<String, Vec<String>> {
    fn walk(value: &Value, kind: &str, place: &str, found: &mut BTreeMap<String, Vec<String>>) {
        let places = found.entry(kind.to_owned()).or_default();
        if places.len() < PLACES {
            places.push(place.to_owned());
        }
        match value {
            Value::Object(all) => {
                all.iter().for_each(|(key, v)| walk(v, &format!("{kind}/{key}"), &format!("{place}/{key}"), found));
            }
            Value::Array(all) => (0..)
                .zip(all)
                .for_each(|(row, v): (usize, _)| walk(v, &format!("{kind}/"), &format!("{place}/{row}"), found)),
            _ => {}
        }
    }
    let mut found = BTreeMap::new();
    walk(of, "", "", &mut found);
    found
}

/// The city with another value in a place, if that can be read as a city at all.
fn with(whole: &Value, place: &str, value: Value) -> Option<City> {
    let mut changed = whole.clone();
    *changed.pointer_mut(place)? = value;
    serde_json::from_value(changed).ok()
}

fn runs(city: City) -> bool {
    let city = Arc::new(city);
    let settings = WorldSettings { calls_scale: 2000.0, demand_scale: 3.0, ..WorldSettings::default() };
    let (mut tick, mut engine) = (settings.start_ms, Engine::start(&city, 1));
    let mut world = World::new(city, settings);
    (0..4).all(|_| {
        tick += 20_000;
        let mut batch = Batch::default();
        batch.extend(world.step(tick));
        engine.step(tick, batch).is_ok_and(|decisions| {
            world.obey(&decisions);
            true
        })
    })
}

#[test]
fn a_number_that_cannot_be_is_found_wherever_it_stands() {
    let whole = serde_json::to_value(town::small(1, 2, 1)).unwrap();
    let largest = [4_294_967_295_i64, 2_147_483_647, 65_535];
    for (kind, places) in fields(&whole) {
        for place in places.iter().filter(|place| whole.pointer(place).is_some_and(Value::is_number)) {
            let city = largest.iter().find_map(|n| with(&whole, place, json!(n))).unwrap();
            // A grid in which no unit lives may lie in a region of its own.
            let found =
                city.check().is_err() || (kind == "/grids//region" && city.units.iter().all(|u| u.region.0 == 0));
            assert!(found, "{place}");
        }
    }
}

#[test]
fn what_is_missing_or_twice_there_is_found_or_does_no_harm() {
    let whole = serde_json::to_value(town::small(1, 2, 1)).unwrap();
    let lists = |value: &Value| {
        let all = value.as_array().filter(|all| !all.is_empty());
        all.map_or(vec![], |all| vec![json!([]), json!(all[1..]), json!([&all[..], &all[..1]].concat())])
    };
    let mut harmless = 0;
    for place in fields(&whole).values().flatten() {
        let values = lists(whole.pointer(place).unwrap()).into_iter().chain([Value::Null]);
        for city in values.filter_map(|value| with(&whole, place, value)).filter(|city| city.check().is_ok()) {
            assert!(runs(city), "{place}");
            harmless += 1;
        }
    }
    assert!(harmless > 10, "an empty table of cameras is a city too");
}

#[test]
fn every_reference_is_looked_up() {
    type Break = fn(&mut City);
    let breaks: [(&str, Break); 6] = [
        ("head", |city| city.junctions[0].heads[0].movements[0].0 = 999_999),
        ("movement", |city| city.movements[3].signal = Some((nanming_dataflows::ids::JunctionId(0), 99))),
        ("matrix", |city| {
            city.junctions[0].conflicts = serde_json::from_value(json!({"heads": 6, "cells": []})).unwrap()
        }),
        ("stop", |city| city.bus_lines[0].stops[0].1 = 999_999_999),
        ("unit", |city| city.units[0].region.0 = 7),
        ("camera", |city| city.cameras[0].lane = None),
    ];
    for (what, breaks) in breaks {
        let mut city = town::small(1, 2, 1);
        breaks(&mut city);
        let said = city.check().unwrap_err().to_string();
        assert!(said.contains(what), "{what}: {said}");
    }
}

#[test]
fn days_of_the_calendar_are_dates_and_a_city_that_tells_none_has_none() {
    let city = City { holidays: vec![20_454], working_weekends: vec![20_456], ..town::small(1, 2, 1) };
    let mut file = serde_json::to_value(&city).unwrap();
    assert_eq!((&file["holidays"], &file["working_weekends"]), (&json!(["2026-01-01"]), &json!(["2026-01-03"])));
    assert_eq!(serde_json::from_value::<City>(file.clone()).unwrap(), city);
    assert!(city.check().is_ok());
    file["holidays"] = json!(["2026-02-30"]);
    let said = serde_json::from_value::<City>(file.clone()).unwrap_err().to_string();
    assert!(said.contains("'2026-02-30' is no date"), "{said}");
    let table = file.as_object_mut().unwrap();
    table.retain(|key, _| key != "holidays" && key != "working_weekends");
    assert_eq!(serde_json::from_value::<City>(file).unwrap(), town::small(1, 2, 1));
}
