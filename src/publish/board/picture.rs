//! The state, or what changed in it, in the shape of `/api/events`.

use nanming_dataflows::decision::{
    CrowdState, GridLoad, Interval, LinkState, SignalCommand, StageReason, VenueForecast, VenueLead,
};
use nanming_dataflows::ids::CallId;
use serde_json::{Value, json};

use super::state::{CallNow, Changed, State, UnitNow};
use crate::publish::kmh;

impl State {
    /// Everything that is known.
    pub(super) fn everything(&self) -> Value {
        let mut all = Changed {
            links: (0..self.links.len()).collect(),
            junctions: (0..self.stages.len()).collect(),
            units: (0..self.units.len()).collect(),
            calls: self.calls.keys().copied().collect(),
            closed: Default::default(),
            grids: (0..self.grids.len()).collect(),
            onsets: true,
            venues: (0..self.crowds.len()).collect(),
        };
        self.picture(&mut all)
    }

    /// What changed since this was last asked.
    pub(super) fn changes(&mut self) -> Value {
        let mut changed = std::mem::take(&mut self.changed);
        self.picture(&mut changed)
    }

    fn picture(&self, of: &mut Changed) -> Value {
        let links: Vec<Value> = of.links.iter().filter_map(|row| self.links[*row].as_ref().map(link)).collect();
        let stages = of.junctions.iter().filter_map(|row| self.stages[*row].as_ref());
        let junctions: Vec<Value> = stages.map(|stage| junction(&stage.command)).collect();
        let units = of.units.iter().filter_map(|row| self.units.get(*row)?.as_ref().map(|u| self.unit_row(*row, u)));
        let calls = of.calls.iter().filter_map(|id| self.calls.get(id).map(|call| self.call_row(*id, call)));
        let grids: Vec<Value> = of.grids.iter().map(|row| grid(&self.grids[*row])).collect();
        let crowds: Vec<Value> = of.venues.iter().filter_map(|row| self.crowd(*row)).collect();
        let mut picture = json!({
            "time_ms": self.time_ms, "links": links, "junctions": junctions, "grids": grids, "crowds": crowds,
            "units": units.collect::<Vec<_>>(), "calls": calls.collect::<Vec<_>>(), "closed": of.closed,
        });
        if of.onsets {
            picture["onsets"] = self.onsets.keys().map(|o| json!([o.link, o.lead_min])).collect();
        }
        picture
    }

    fn crowd(&self, row: usize) -> Option<Value> {
        Some(crowd(self.crowds[row].as_ref()?, self.venue_forecasts[row].as_ref()))
    }

    fn unit_row(&self, row: usize, unit: &UnitNow) -> Value {
        let (lon, lat) = unit.at.to_lon_lat(self.city.origin).degrees();
        let status = if unit.silent { json!("silent") } else { json!(unit.status) };
        json!([row, lon, lat, status, unit.assignment, self.manned[row]])
    }

    fn call_row(&self, id: CallId, call: &CallNow) -> Value {
        let (lon, lat) = call.facts.at.to_lon_lat(self.city.origin).degrees();
        let mut row = json!({
            "call": id, "phase": call.phase, "priority": call.facts.priority, "category": call.facts.category,
            "lon": lon, "lat": lat, "opened_ms": call.opened_ms,
        });
        let mut add = |key: &str, value: Option<Value>| {
            if let Some(value) = value {
                row[key] = value;
            }
        };
        add("unit", call.unit.map(|unit| json!(unit)));
        add("assignment", call.assignment.map(|a| json!(a)));
        add("eta_s", call.eta_s.map(Value::from));
        row
    }
}

fn link(l: &LinkState) -> Value {
    json!([l.link, l.level as u8, kmh(l.speed_mm_s), l.flow_veh_h, f64::from(l.queue_milli_veh / 100) / 10.0])
}

fn junction(c: &SignalCommand) -> Value {
    json!([c.junction, c.stage, interval(c.interval), reason(c.reason)])
}

fn grid(load: &GridLoad) -> Value {
    json!([load.grid, load.open_calls, load.available_units, load.closed_last_hour])
}

/// People, and those who are expected, are null where nobody counts them any more.
fn crowd(c: &CrowdState, forecast: Option<&VenueForecast>) -> Value {
    let people = c.observed.then_some(c.people);
    let lead = |l: &VenueLead| json!([l.lead_min, l.people, l.low, l.high]);
    let expected = forecast.filter(|_| c.observed).map(|made| made.leads.iter().map(lead).collect::<Vec<_>>());
    let share = f64::from(c.capacity_share_milli) / 1000.0;
    json!([c.venue, people, c.usual, share, u8::from(c.surge), c.outflow, expected])
}

fn interval(interval: Interval) -> u8 {
    match interval {
        Interval::Green => 0,
        Interval::Yellow => 1,
        Interval::AllRed => 2,
    }
}

fn reason(reason: StageReason) -> Value {
    json!(reason)
}
