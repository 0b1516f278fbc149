//! Decisions as messages of `proto/nanming/v1/decisions.proto`.

use nanming_dataflows::decision::{Lead, LinkForecast, SignalCommand};
use nanming_dataflows::ids::UnitId;
use nanming_dataflows::network::City;
use serde::Serialize;

use crate::ingest::protobuf::v1;
use crate::ledger::Assigned;
use crate::publish::kmh;

/// An order to a controller.
pub(super) fn signal(city: &City, command: &SignalCommand) -> v1::Signal {
    v1::Signal {
        t_ms: command.at_ms,
        junction: city.junctions[command.junction.index()].name.clone(),
        stage: command.stage.into(),
        interval: word(&command.interval),
        state: command.lamps.iter().map(|lamp| lamp.to_char()).collect(),
        reason: word(&command.reason),
    }
}

/// What is expected of a link.
pub(super) fn forecast(city: &City, made: &LinkForecast) -> v1::Forecast {
    let lead = |lead: &Lead| v1::Lead {
        min: lead.lead_min.into(),
        kmh: kmh(lead.speed_mm_s),
        low_kmh: kmh(lead.low_mm_s),
        high_kmh: kmh(lead.high_mm_s),
        veh_h: lead.flow_veh_h,
        p_congested: f64::from(lead.congested_milli) / 1000.0,
        onset: lead.onset,
    };
    v1::Forecast {
        t_ms: made.time_ms,
        link: city.links[made.link.index()].name.clone(),
        leads: made.leads.iter().map(lead).collect(),
    }
}

/// A unit is sent to a call.
pub(super) fn assignment(city: &City, made: &Assigned) -> v1::Assignment {
    let Assigned { assignment, facts, words } = made;
    let unit = |unit: UnitId| city.units[unit.index()].name.clone();
    let (lon, lat) = facts.at.to_lon_lat(city.origin).degrees();
    let candidates = assignment.candidates.iter();
    v1::Assignment {
        t_ms: assignment.time_ms,
        assignment: assignment.id.to_string(),
        call: assignment.call.0,
        unit: unit(assignment.unit),
        priority: word(&assignment.priority),
        eta_s: assignment.eta_ms / 1000,
        reason: word(&assignment.reason),
        candidates: candidates.map(|c| v1::Candidate { unit: unit(c.unit), eta_s: c.eta_ms / 1000 }).collect(),
        category: word(&facts.category),
        grid: facts.grid.0.into(),
        lon,
        lat,
        words: words.clone(),
        needs_units: facts.needs.units.into(),
        needs_skills: Vec::from(facts.needs.skills).iter().map(word).collect(),
    }
}

/// As it is in JSON, where each of these is a word.
fn word(variant: &impl Serialize) -> String {
    let json = serde_json::to_value(variant).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}
