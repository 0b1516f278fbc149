//! A step of a call as CloudEvents.

use chrono::{DateTime, SecondsFormat};
use nanming_dataflows::event::AssignmentId;
use nanming_dataflows::ids::UnitId;
use nanming_dataflows::network::City;
use serde_json::{Value, json};

use crate::config::WebhookConfig;
use crate::ledger::Step;

/// Whom a receiver asks about, and of what.
pub(super) struct Wanted {
    units: Vec<UnitId>,
    kinds: Vec<String>,
}

impl Wanted {
    /// Units by their call signs; an error names one that the city does not have.
    pub(super) fn of(config: &WebhookConfig, city: &City) -> Result<Wanted, String> {
        let named = |name: &str| city.units.iter().find(|unit| unit.name == name).map(|unit| unit.id);
        let units =
            config.units.iter().map(|name| named(name).ok_or_else(|| name.clone())).collect::<Result<_, _>>()?;
        Ok(Wanted { units, kinds: config.kinds.clone() })
    }

    fn wants(&self, kind: &str, unit: Option<UnitId>) -> bool {
        let of_unit = self.units.is_empty() || unit.is_some_and(|unit| self.units.contains(&unit));
        of_unit && (self.kinds.is_empty() || self.kinds.iter().any(|wanted| wanted == kind))
    }
}

/// What is told of a step: events with their IDs.
pub(super) fn events(city: &City, wanted: &Wanted, step: &Step) -> Vec<(String, String)> {
    let kind = if step.changed { "changed" } else { step.phase.as_str() };
    let lost = step.before.filter(|(unit, _)| step.unit != Some(*unit));
    let lost = lost.map(|(unit, attempt)| ("withdrawn", Some(unit), Some(attempt)));
    let said = lost.into_iter().chain([(kind, step.unit, step.attempt)]);
    let wanted = said.filter(|(kind, unit, _)| wanted.wants(kind, *unit));
    let event = |(kind, unit, attempt): (&str, _, _)| {
        let id = format!("{}-{kind}", step.number);
        let event = event(city, step, &id, kind, (unit, attempt));
        (id, event.to_string())
    };
    wanted.map(event).collect()
}

fn event(city: &City, step: &Step, id: &str, kind: &str, (unit, attempt): (Option<UnitId>, Option<u16>)) -> Value {
    let time = i64::try_from(step.time_ms).ok().and_then(DateTime::from_timestamp_millis).unwrap_or_default();
    let (lon, lat) = step.facts.at.to_lon_lat(city.origin).degrees();
    let mut data = json!({
        "call": step.call, "priority": step.facts.priority, "category": step.facts.category, "lon": lon, "lat": lat,
        "grid": step.facts.grid, "words": step.words,
    });
    if let Some(unit) = unit.and_then(|unit| city.units.get(unit.index())) {
        data["unit"] = json!({"id": unit.id, "name": unit.name});
    }
    if let Some(attempt) = attempt {
        data["assignment"] = json!(AssignmentId { call: step.call, attempt });
    }
    if let Some(eta_ms) = step.eta_ms.filter(|_| kind == "assigned") {
        data["eta_s"] = (eta_ms / 1000).into();
    }
    if !step.reason.is_empty() {
        data["reason"] = step.reason.as_str().into();
    }
    json!({
        "specversion": "1.0", "id": id, "source": format!("/nanming/{}", city.name), "type": format!("nanming.call.{kind}"),
        "subject": step.call.to_string(), "time": time.to_rfc3339_opts(SecondsFormat::Millis, true),
        "datacontenttype": "application/json", "data": data,
    })
}
