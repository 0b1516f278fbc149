//! One thing of the city at a time: what a click on the board shows.

use nanming_dataflows::decision::{Lead, LeadRecord};
use nanming_dataflows::ids::{JunctionId, LinkId};
use nanming_dataflows::network::{Head, Stage};
use nanming_dataflows::state::link::level_of_service;
use serde_json::{Value, json};

use super::state::State;
use crate::publish::{cover, kmh};

impl State {
    /// State and forecast of a link.
    pub fn link_page(&self, id: LinkId) -> Option<Value> {
        let link = self.city.links.get(id.index())?;
        let mut page = json!({
            "id": id, "name": link.name, "road": link.road, "lanes": link.lanes.len(),
            "length_m": link.length_mm / 1000, "free_kmh": kmh(link.free_speed_mm_s), "district": link.district,
            "time_ms": Value::Null, "forecast": [], "made_ms": Value::Null,
            "record": self.track.region(self.regions.of(id).0).iter().map(record).collect::<Vec<_>>(),
        });
        if let Some(now) = &self.links[id.index()] {
            let fields = json!({
                "time_ms": now.time_ms, "level": now.level as u8, "speed_kmh": kmh(now.speed_mm_s),
                "flow_veh_h": now.flow_veh_h, "queue_veh": f64::from(now.queue_milli_veh / 100) / 10.0,
                "density_veh_km": f64::from(now.density_milli_veh_km / 100) / 10.0,
                "travel_s": now.travel_ms as f64 / 1000.0, "observed": now.observed,
            });
            merge(&mut page, fields);
        }
        if let Some(forecast) = &self.forecasts[id.index()] {
            page["made_ms"] = forecast.time_ms.into();
            page["forecast"] = forecast.leads.iter().map(lead).collect();
        }
        Some(page)
    }

    /// Stages of a junction, and why this one.
    pub fn junction_page(&self, id: JunctionId) -> Option<Value> {
        let junction = self.city.junctions.get(id.index())?;
        let mut page = json!({
            "id": id, "name": junction.name, "stage": Value::Null, "wanted": Value::Null, "interval": "all_red",
            "since_ms": 0, "lamps": "", "reason": "start", "scores": [],
            "stages": junction.stages.iter().map(stage).collect::<Vec<_>>(),
            "heads": junction.heads.iter().map(|h| self.head(h)).collect::<Vec<_>>(),
        });
        if let Some(now) = &self.stages[id.index()] {
            let c = &now.command;
            let lamps: String = c.lamps.iter().map(|lamp| lamp.to_char()).collect();
            let fields = json!({
                "stage": c.stage, "wanted": c.stage, "interval": c.interval, "since_ms": now.since_ms, "lamps": lamps,
                "reason": c.reason,
            });
            merge(&mut page, fields);
        }
        if let Some(choice) = &self.choices[id.index()] {
            let scores: Vec<f64> = choice.scores_milli.iter().map(|s| *s as f64 / 1000.0).collect();
            merge(&mut page, json!({"wanted": choice.wanted, "reason": choice.reason, "scores": scores}));
        }
        Some(page)
    }

    /// The cover of every dispatch region that has had units.
    pub fn cover_map(&self) -> Value {
        let regions = self.cover.values().map(|state| cover::region(&self.city, state));
        json!({"time_ms": self.time_ms, "regions": regions.collect::<Vec<_>>()})
    }

    /// The forecast of the whole city for one lead time, min, and how good such forecasts were of late.
    pub fn forecast_map(&self, lead_min: u16) -> Value {
        let rows = self.forecasts.iter().flatten().filter_map(|forecast| {
            let lead = forecast.leads.iter().find(|l| l.lead_min == lead_min)?;
            let free = self.city.links[forecast.link.index()].free_speed_mm_s;
            let congested = f64::from(lead.congested_milli) / 1000.0;
            let speeds = [lead.speed_mm_s, lead.low_mm_s, lead.high_mm_s].map(kmh);
            Some(json!([
                forecast.link,
                level_of_service(lead.speed_mm_s, free) as u8,
                speeds[0],
                speeds[1],
                speeds[2],
                congested
            ]))
        });
        let links: Vec<Value> = rows.collect();
        let made_ms = self.forecasts.iter().flatten().map(|forecast| forecast.time_ms).max();
        let of_lead = self.track.city().iter().find(|lead| lead.lead_min == lead_min).map(record);
        json!({
            "time_ms": self.time_ms, "made_ms": made_ms, "lead_min": lead_min, "record": of_lead, "links": links,
        })
    }

    fn head(&self, head: &Head) -> Value {
        let Some(movement) = head.movements.first().map(|m| &self.city.movements[m.index()]) else {
            return json!({"from_link": Value::Null, "from_road": "", "turn": Value::Null});
        };
        let link = self.city.link_of(movement.from);
        json!({"from_link": link.id, "from_road": link.road, "turn": movement.turn})
    }
}

fn lead(l: &Lead) -> Value {
    json!({
        "lead_min": l.lead_min, "speed_kmh": kmh(l.speed_mm_s), "low_kmh": kmh(l.low_mm_s), "high_kmh": kmh(l.high_mm_s),
        "flow_veh_h": l.flow_veh_h, "congested": f64::from(l.congested_milli) / 1000.0, "onset": l.onset,
    })
}

/// Counts fade, and are told rounded.
fn record(l: &LeadRecord) -> Value {
    let places = |value: f64, places: f64| (value * places).round() / places;
    let share = |share: Option<f64>| share.map(|share| places(share, 10_000.0));
    json!({
        "lead_min": l.lead_min, "scored": l.forecasts.round(), "mae": share(l.mae()),
        "coverage80": share(l.coverage80()), "coverage95": share(l.coverage95()), "told": places(l.told, 10.0),
        "hits": places(l.hits, 10.0), "came": places(l.onsets, 10.0), "by_profile": l.by_profile,
    })
}

fn stage(s: &Stage) -> Value {
    let lights: String = s.lights.iter().map(|light| light.lamp().to_char()).collect();
    json!({
        "name": s.name, "lights": lights, "min_green_s": f64::from(s.min_green_ms) / 1000.0,
        "max_green_s": f64::from(s.max_green_ms) / 1000.0,
    })
}

fn merge(page: &mut Value, fields: Value) {
    if let (Value::Object(page), Value::Object(fields)) = (page, fields) {
        page.extend(fields);
    }
}
