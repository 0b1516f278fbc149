//! The forecasters of a region's links.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::calendar::Slot;
use super::panel::{Ahead, Learned, Settings};
use super::profile::Profile;
use super::score::Step;
use super::{ForecastRegion, ForecastRow, LEADS_MIN, Regions, STEP_MS};
use crate::Time;
use crate::decision::{ForecastRecord, Lead, LeadRecord, LinkForecast};
use crate::ids::LinkId;
use crate::keyed::{Kind, Machine, Outbox};
use crate::network::City;

/// Flow is usual by the half hour.
const HALF_HOUR_MS: u64 = 1_800_000;
const HALF_HOURS: usize = 48;
/// What is not usual of a flow fades by this every five minutes.
const FLOW_FADE: f32 = 0.95;
/// Speeds that are told, as shares of free flow.
const TOLD: (f32, f32) = (0.01, 1.2);

/// What the forecasters say.
#[derive(Clone, Debug, PartialEq)]
pub enum ForecastSaid {
    /// A link's forecast.
    Link(LinkForecast),
    /// How good a region's forecasts were.
    Record(ForecastRecord),
}

/// The machine of forecasts.
pub struct Forecasts {
    city: Arc<City>,
    regions: Arc<Regions>,
    near: Vec<Vec<Vec<usize>>>,
    settings: Settings,
    half_hours: Settings,
}

/// What is remembered of a region.
#[derive(Default, Serialize, Deserialize)]
pub struct Region {
    learned: Learned,
    links: Vec<LinkFacts>,
}

/// What is remembered of a link beside what its panel has learned.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct LinkFacts {
    /// Whether it was ever observed.
    seen: bool,
    flow: Profile,
    flow_veh_h: f32,
}

impl Forecasts {
    /// For the regions of a city.
    pub fn new(city: Arc<City>, regions: Arc<Regions>) -> Self {
        let settings = Settings::of(&city, Some(1.0), true);
        let half_hours = Settings { step_ms: HALF_HOUR_MS, slots_per_day: HALF_HOURS, ..settings.clone() };
        let near = (0..regions.members.len()).map(|region| regions.near(ForecastRegion(region as u32))).collect();
        Forecasts { city, regions, near, settings, half_hours }
    }
}

impl Machine for Forecasts {
    type Key = ForecastRegion;
    type Event = ForecastRow;
    type State = Region;
    type Out = ForecastSaid;

    fn kind(&self) -> Kind {
        Kind::Learned
    }

    fn name(&self) -> &'static str {
        "forecasts"
    }

    fn step(
        &self,
        id: ForecastRegion,
        region: &mut Region,
        tick: Time,
        rows: &[(ForecastRegion, ForecastRow)],
        out: &mut Outbox<ForecastSaid>,
    ) {
        let members = self.regions.members(id);
        region.links.resize(members.len(), LinkFacts::default());
        for (_, row) in rows {
            let half_hour = self.half_hours.slot_at(row.from_ms);
            for (facts, mean) in region.links.iter_mut().zip(&row.means) {
                mean.iter().for_each(|(_, flow_veh_h)| facts.pass(half_hour, *flow_veh_h as f32));
            }
            let speeds: Vec<Option<f32>> =
                row.means.iter().map(|mean| mean.map(|(milli, _)| milli as f32 / 1000.0)).collect();
            let (near, outside) = (&self.near[id.0 as usize], row.outside());
            let ahead = region.learned.step(&self.settings, near, row.from_ms, &speeds, &outside);
            for ((link, facts), ahead) in members.iter().zip(&region.links).zip(ahead.chunks(LEADS_MIN.len())) {
                if facts.seen {
                    out.emit(ForecastSaid::Link(self.told(*link, facts, tick, row.from_ms, ahead)));
                }
            }
        }
        if let Some(score) = region.learned.score() {
            let leads = LEADS_MIN.iter().zip(score.steps()).enumerate();
            let leads = leads.map(|(row, (lead, step))| record(*lead, step, region.learned.by_profile(row))).collect();
            out.emit(ForecastSaid::Record(ForecastRecord { region: id.0, time_ms: tick, leads }));
        }
    }
}

impl Forecasts {
    fn told(&self, link: LinkId, facts: &LinkFacts, tick: Time, from_ms: Time, ahead: &[Ahead]) -> LinkForecast {
        let free = self.city.links[link.index()].free_speed_mm_s as f32;
        let mm_s = |share: f32| (share.clamp(TOLD.0, TOLD.1) * free) as u32;
        let half_hour = |ms: Time| facts.flow.at(self.half_hours.slot_at(ms)).mean;
        let unusual = facts.flow_veh_h - half_hour(from_ms);
        let lead = |(row, (&lead_min, ahead)): (usize, (&u16, &Ahead))| {
            let rows = row as u64 + 1;
            let flow = half_hour(from_ms + rows * STEP_MS) + FLOW_FADE.powi(rows as i32) * unusual;
            Lead {
                lead_min,
                speed_mm_s: mm_s(ahead.expected),
                low_mm_s: mm_s(ahead.low80),
                high_mm_s: mm_s(ahead.high80),
                flow_veh_h: flow.max(0.0) as u32,
                congested_milli: (ahead.congested * 1000.0) as u16,
                onset: ahead.onset,
            }
        };
        LinkForecast { link, time_ms: tick, leads: LEADS_MIN.iter().zip(ahead).enumerate().map(lead).collect() }
    }
}

fn record(lead_min: u16, step: &Step, by_profile: usize) -> LeadRecord {
    let forecasts = step.errors.count;
    let of = |mean: f64| if forecasts > 0.0 { mean * forecasts } else { 0.0 };
    LeadRecord {
        lead_min,
        forecasts,
        absolute: of(step.errors.mae()),
        within80: of(step.coverage80()),
        within95: of(step.coverage95()),
        told: step.onsets.told(),
        hits: step.onsets.hits(),
        onsets: step.onsets.events(),
        by_profile: by_profile as u32,
    }
}

impl LinkFacts {
    fn pass(&mut self, half_hour: Slot, flow_veh_h: f32) {
        self.seen = true;
        self.flow.learn(HALF_HOURS, half_hour, flow_veh_h, false);
        self.flow_veh_h = flow_veh_h;
    }
}
