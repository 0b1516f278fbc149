//! Decisions as messages: a line of JSON each, as in the files of decisions.

use nanming_dataflows::decision::{LinkForecast, SignalCommand};
use nanming_dataflows::network::City;
use rdkafka::message::{Header, OwnedHeaders};
use serde_json::json;

use crate::ledger::Assigned;
use crate::publish::jsonl;

/// What a message holds.
pub(super) fn headers() -> OwnedHeaders {
    OwnedHeaders::new_with_capacity(1).insert(Header { key: "content-type", value: Some("application/json") })
}

/// An order to a controller.
pub(super) fn signal(city: &City, command: &SignalCommand) -> String {
    jsonl::signal(city, command).to_string()
}

/// What is expected of a link.
pub(super) fn forecast(city: &City, made: &LinkForecast) -> String {
    jsonl::forecast(city, made).to_string()
}

/// A unit is sent to a call: what a terminal must show.
pub(super) fn assignment(city: &City, made: &Assigned) -> String {
    let mut line = jsonl::assignment(city, &made.assignment);
    let (lon, lat) = made.facts.at.to_lon_lat(city.origin).degrees();
    line["category"] = json!(made.facts.category);
    line["grid"] = json!(made.facts.grid);
    line["lon"] = lon.into();
    line["lat"] = lat.into();
    line["words"] = made.words.clone().into();
    line.to_string()
}
