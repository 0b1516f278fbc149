//! Decisions in Protobuf, beside the same ones in files of JSON.

use nanming::ingest::protobuf::v1;
use prost::Message;
use serde::Serialize;
use serde_json::{Value, json};

use super::broker::{Broker, Read};
use super::{JSON, PROTOBUF, call, passages, start, unit, waits};
use crate::running::lines;

/// A message as JSON would have it.
fn decoded<M: Message + Default + Serialize>(read: &Read) -> Value {
    assert_eq!(read.content_type, PROTOBUF);
    serde_json::to_value(M::decode(&read.payload[..]).unwrap()).unwrap()
}

#[test]
fn decisions_in_protobuf_say_what_those_in_json_say() {
    let broker = Broker::shared();
    broker.make_topics("proto.");
    let options = ["--no-sim", "--speed", "30", "--jsonl", "out"];
    let city =
        start(broker, "proto.", tempfile::tempdir().unwrap(), &options, &[("NANMING_KAFKA__FORMAT_OUT", "protobuf")]);
    let heads = city.city.junctions[1].stages[0].lights.iter().map(|light| light.lamp().to_char());
    let junction = city.city.junctions[1].name.clone();
    let shows = json!({"type": "signal", "junction": junction, "mode": "centre", "lamps": heads.collect::<String>()});
    broker.write("proto.units", [(JSON, unit(&city, 0).as_bytes())]);
    waits(&city, "the unit", || city.measures("nanming_units_available 1"));
    broker.write("proto.calls", [(JSON, call(&city, 41).as_bytes())]);
    broker.write("proto.passages", [(PROTOBUF, &passages(&city).encode_to_vec()[..])]);
    broker.write("proto.flows", [(JSON, shows.to_string().as_bytes()), (JSON, b"{")]);

    let sent = broker.read("proto.assignments", |read| !read.is_empty());
    let signals = broker.read("proto.signals", |read| !read.is_empty());
    let forecasts = broker.read("proto.forecasts", |read| !read.is_empty());
    let letters = broker.read("proto.dead-letters", |read| !read.is_empty());
    let call = city.get("/calls/41").1;
    let kept = city.end();
    let written = |file: &str| lines(&kept.path().join("out").join(file));

    // Junctions lie in partitions of their own: in what order they are read is open.
    let signal = decoded::<v1::Signal>(&signals[0]);
    assert!(written("signals.jsonl").contains(&signal), "{signal}");
    let forecast = decoded::<v1::Forecast>(&forecasts[0]);
    assert!(written("forecasts.jsonl").contains(&forecast), "{forecast}");
    assert!(!forecast["leads"].as_array().unwrap().is_empty(), "{forecast}");
    let assigned = decoded::<v1::Assignment>(&sent[0]);
    for (name, value) in written("assignments.jsonl")[0].as_object().unwrap() {
        assert_eq!(assigned[name], *value, "{name}");
    }
    for name in ["grid", "category", "lon", "lat", "words"] {
        assert_eq!(assigned[name], call[name], "{name} of {call}");
    }
    assert_eq!((letters[0].content_type.as_str(), &letters[0].line["reason"]), (JSON, &json!("malformed")));
}
