//! Decisions as messages: a line of JSON each, as in the files of decisions, or a message of
//! `proto/nanming/v1/decisions.proto` with the same names and values.

use std::sync::Arc;

use nanming_dataflows::decision::{LinkForecast, SignalCommand};
use nanming_dataflows::network::City;
use prost::Message;
use rdkafka::message::{Header, OwnedHeaders};
use serde_json::json;

use crate::config::kafka::MessageFormat;
use crate::ledger::Assigned;
use crate::publish::jsonl;

mod protobuf;

/// How decisions of a city are written.
pub(super) struct Render {
    pub(super) city: Arc<City>,
    pub(super) format: MessageFormat,
}

impl Render {
    /// What a decision's message holds.
    pub(super) fn headers(&self) -> OwnedHeaders {
        content_type(match self.format {
            MessageFormat::Json => "application/json",
            MessageFormat::Protobuf => "application/x-protobuf",
        })
    }

    /// An order to a controller.
    pub(super) fn signal(&self, command: &SignalCommand) -> Vec<u8> {
        match self.format {
            MessageFormat::Json => line(&jsonl::signal(&self.city, command)),
            MessageFormat::Protobuf => protobuf::signal(&self.city, command).encode_to_vec(),
        }
    }

    /// What is expected of a link.
    pub(super) fn forecast(&self, made: &LinkForecast) -> Vec<u8> {
        match self.format {
            MessageFormat::Json => line(&jsonl::forecast(&self.city, made)),
            MessageFormat::Protobuf => protobuf::forecast(&self.city, made).encode_to_vec(),
        }
    }

    /// A unit is sent to a call: what a terminal must show.
    pub(super) fn assignment(&self, made: &Assigned) -> Vec<u8> {
        match self.format {
            MessageFormat::Json => line(&self.assignment_line(made)),
            MessageFormat::Protobuf => protobuf::assignment(&self.city, made).encode_to_vec(),
        }
    }

    fn assignment_line(&self, made: &Assigned) -> serde_json::Value {
        let mut line = jsonl::assignment(&self.city, &made.assignment);
        let (lon, lat) = made.facts.at.to_lon_lat(self.city.origin).degrees();
        line["category"] = json!(made.facts.category);
        line["grid"] = json!(made.facts.grid);
        line["needs_units"] = json!(made.facts.needs.units);
        line["needs_skills"] = json!(made.facts.needs.skills);
        line["lon"] = lon.into();
        line["lat"] = lat.into();
        line["words"] = made.words.clone().into();
        line
    }
}

/// Of a message that is always JSON.
pub(super) fn json_headers() -> OwnedHeaders {
    content_type("application/json")
}

fn content_type(value: &str) -> OwnedHeaders {
    OwnedHeaders::new_with_capacity(1).insert(Header { key: "content-type", value: Some(value) })
}

fn line(value: &serde_json::Value) -> Vec<u8> {
    value.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use nanming_dataflows::decision::{Assignment, Candidate, Interval, Lead, PickReason, StageReason};
    use nanming_dataflows::event::{AssignmentId, CallFacts, Category, Lamp, Needs, Priority, Skill};
    use nanming_dataflows::ids::{CallId, GridId, JunctionId, LinkId, UnitId};
    use rdkafka::message::Headers;
    use serde_json::Value;

    use super::*;
    use crate::ingest::protobuf::v1;

    fn town() -> (Render, Render) {
        let city = Arc::new(nanming_simulators::town::small(2, 2, 1));
        let render = |format| Render { city: Arc::clone(&city), format };
        (render(MessageFormat::Json), render(MessageFormat::Protobuf))
    }

    /// Both say the same, in the same words.
    fn same<M: Message + Default + serde::Serialize>(json: &[u8], protobuf: &[u8]) {
        let decoded = serde_json::to_value(M::decode(protobuf).unwrap()).unwrap();
        assert_eq!(decoded, serde_json::from_slice::<Value>(json).unwrap());
    }

    #[test]
    fn protobuf_has_the_names_and_values_of_json() {
        let (json, protobuf) = town();
        let command = SignalCommand {
            junction: JunctionId(1),
            at_ms: 1_767_657_600_000,
            stage: 2,
            interval: Interval::AllRed,
            lamps: vec![Lamp::Red, Lamp::Protected],
            reason: StageReason::MinGreen,
        };
        same::<v1::Signal>(&json.signal(&command), &protobuf.signal(&command));
        let lead = |lead_min| Lead {
            lead_min,
            speed_mm_s: 11_234,
            low_mm_s: 9_999,
            high_mm_s: 0,
            flow_veh_h: 612,
            congested_milli: 17,
            onset: lead_min == 10,
        };
        let forecast = LinkForecast { link: LinkId(3), time_ms: 1_767_657_600_001, leads: vec![lead(5), lead(10)] };
        same::<v1::Forecast>(&json.forecast(&forecast), &protobuf.forecast(&forecast));
        let unit = &json.city.units[0];
        let assignment = Assignment {
            id: AssignmentId { call: CallId(4711), attempt: 2 },
            call: CallId(4711),
            unit: UnitId(0),
            time_ms: 1_767_657_600_002,
            priority: Priority::A,
            eta_ms: 61_999,
            candidates: vec![
                Candidate { eta_ms: 61_999, unit: UnitId(0), but: None },
                Candidate { eta_ms: 70_000, unit: UnitId(1), but: None },
            ],
            reason: PickReason::AfterDecline,
        };
        let facts = CallFacts {
            priority: Priority::A,
            category: Category::Crime,
            at: unit.post,
            grid: GridId(1),
            needs: Needs { units: 2, skills: [Skill::Armed].into_iter().collect() },
        };
        let made = Assigned { assignment, facts, words: "救命".into() };
        same::<v1::Assignment>(&json.assignment(&made), &protobuf.assignment(&made));
        let told = protobuf.headers();
        assert_eq!(told.get(0).value, Some(&b"application/x-protobuf"[..]));
    }
}
