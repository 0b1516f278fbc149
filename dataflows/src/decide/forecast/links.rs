//! The forecasters of a region's links.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::calendar::Slot;
use super::features::Outside;
use super::panel::{Ahead, Learned, Settings, ZeroRule};
use super::profile::Profile;
use super::score::Step;
use super::{ForecastRegion, LEADS_MIN, LinkMean, Regions, STEP_MS};
use crate::Time;
use crate::decision::{ForecastRecord, Lead, LeadRecord, LinkForecast};
use crate::ids::{LinkId, VenueId};
use crate::keyed::{Machine, Outbox};
use crate::network::City;

/// Flow is usual by the quarter of an hour.
const QUARTER_MS: u64 = 900_000;
const QUARTERS: usize = 96;
/// What is not usual of a flow fades by this every five minutes.
const FLOW_FADE: f32 = 0.95;
/// Speeds that are told, as shares of free flow.
const TOLD: (f32, f32) = (0.01, 1.2);

/// What a region's forecasters are told. Ordered by time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ForecastEvent {
    /// When, ms.
    pub time_ms: u64,
    /// What.
    pub what: Known,
}

/// What became known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Known {
    /// Incidents on a link: so many more (or fewer).
    Incident(LinkId, i64),
    /// So many people are expected to leave a venue near a link within half an hour.
    Crowd {
        /// Which link.
        link: LinkId,
        /// Which venue.
        venue: VenueId,
        /// How many.
        people: u32,
    },
    /// What a link did in an interval.
    Mean(LinkMean),
    /// Rain in a region's district or in the city.
    Rain {
        /// Whether the report is of the district.
        of_district: bool,
        /// Rain, 1/1000 mm/h.
        rain_mm_h_milli: u32,
        /// Whether that is so from now on, or no longer.
        holds: bool,
    },
}

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
    quarters: Settings,
}

/// What is remembered of a region.
#[derive(Default, Serialize, Deserialize)]
pub struct Region {
    learned: Learned,
    links: Vec<LinkFacts>,
    /// Rain that was reported of the city, 1/1000 mm/h, and of the district.
    of_city: Option<u32>,
    of_district: Option<u32>,
}

/// What is remembered of a link beside what its panel has learned.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct LinkFacts {
    /// Whether it was ever observed.
    seen: bool,
    incidents: i64,
    leaving: BTreeMap<VenueId, u32>,
    flow: Profile,
    flow_veh_h: f32,
}

impl Forecasts {
    /// For the regions of a city.
    pub fn new(city: Arc<City>, regions: Arc<Regions>) -> Self {
        let settings = Settings {
            step_ms: STEP_MS,
            horizons: LEADS_MIN.len(),
            utc_offset_min: city.utc_offset_min,
            zero: ZeroRule::Value,
            holidays: city.holidays.clone(),
            working_days: city.working_weekends.clone(),
            first_slot_min: 0,
            slots_per_day: (86_400_000 / STEP_MS) as usize,
            reference: Some(1.0),
            without: Vec::new(),
        };
        let quarters = Settings { step_ms: QUARTER_MS, slots_per_day: QUARTERS, ..settings.clone() };
        let near = (0..regions.members.len()).map(|region| regions.near(ForecastRegion(region as u32))).collect();
        Forecasts { city, regions, near, settings, quarters }
    }
}

impl Machine for Forecasts {
    type Key = ForecastRegion;
    type Event = ForecastEvent;
    type State = Region;
    type Out = ForecastSaid;

    fn name(&self) -> &'static str {
        "forecasts"
    }

    fn step(
        &self,
        id: ForecastRegion,
        region: &mut Region,
        tick: Time,
        events: &[(ForecastRegion, ForecastEvent)],
        out: &mut Outbox<ForecastSaid>,
    ) {
        let members = self.regions.members(id);
        region.links.resize(members.len(), LinkFacts::default());
        let mut row: Option<(Time, Vec<Option<f32>>)> = None;
        for (_, event) in events {
            match event.what {
                Known::Incident(link, more) => region.links[self.regions.row(link)].incidents += more,
                Known::Crowd { link, venue, people } => {
                    let leaving = &mut region.links[self.regions.row(link)].leaving;
                    if people > 0 {
                        leaving.insert(venue, people)
                    } else {
                        leaving.remove(&venue)
                    };
                }
                Known::Rain { of_district, rain_mm_h_milli, holds } => {
                    let held = if of_district { &mut region.of_district } else { &mut region.of_city };
                    if holds {
                        *held = Some(rain_mm_h_milli);
                    } else {
                        held.take_if(|held| *held == rain_mm_h_milli);
                    }
                }
                Known::Mean(LinkMean { link, from_ms, mean }) => {
                    // A row is of one interval: after a gap in ticks, of the newest.
                    if row.as_ref().is_none_or(|(newest_ms, _)| from_ms > *newest_ms) {
                        row = Some((from_ms, vec![None; members.len()]));
                    }
                    let (Some((newest_ms, values)), Some((speed_milli, flow_veh_h))) = (&mut row, mean) else {
                        continue;
                    };
                    if from_ms == *newest_ms {
                        values[self.regions.row(link)] = Some(speed_milli as f32 / 1000.0);
                        let quarter = self.quarters.slot_at(from_ms);
                        region.links[self.regions.row(link)].pass(quarter, flow_veh_h as f32);
                    }
                }
            }
        }
        let Some((from_ms, values)) = row else { return };
        let outside = region.outside();
        let ahead = region.learned.step(&self.settings, &self.near[id.0 as usize], from_ms, &values, &outside);
        for ((link, facts), ahead) in members.iter().zip(&region.links).zip(ahead.chunks(LEADS_MIN.len())) {
            if facts.seen {
                out.emit(ForecastSaid::Link(self.told(*link, facts, tick, from_ms, ahead)));
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
        let quarter = |ms: Time| facts.flow.at(self.quarters.slot_at(ms)).mean;
        let unusual = facts.flow_veh_h - quarter(from_ms);
        let lead = |(row, (&lead_min, ahead)): (usize, (&u16, &Ahead))| {
            let rows = row as u64 + 1;
            let flow = quarter(from_ms + rows * STEP_MS) + FLOW_FADE.powi(rows as i32) * unusual;
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

impl Region {
    /// What is told of its links from outside them.
    fn outside(&self) -> Vec<Outside> {
        let rain_mm_h = self.of_district.or(self.of_city).map_or(0.0, |milli| milli as f32 / 1000.0);
        self.links.iter().map(|link| link.outside(rain_mm_h)).collect()
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
    fn pass(&mut self, quarter: Slot, flow_veh_h: f32) {
        self.seen = true;
        self.flow.learn(QUARTERS, quarter, flow_veh_h, false);
        self.flow_veh_h = flow_veh_h;
    }

    fn outside(&self, rain_mm_h: f32) -> Outside {
        let leaving: u32 = self.leaving.values().sum();
        Outside { incidents: self.incidents.max(0) as f32, rain_mm_h, crowd: leaving as f32 / 1000.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rain_is_told_of_every_link_of_a_region_and_that_of_its_district_goes_before() {
        let at = |x_mm| crate::network::Point { x_mm, y_mm: 0 };
        let city = Arc::new(crate::decide::dispatch::tests::streets(&[at(0), at(500_000)]));
        let machine = Forecasts::new(Arc::clone(&city), Arc::new(Regions::new(&city)));
        let (mut region, id) = (Region::default(), ForecastRegion(0));
        let mut rain = |said: &[(bool, u32, bool)]| {
            let known = said.iter().map(|&(of_district, rain_mm_h_milli, holds)| {
                (id, ForecastEvent { time_ms: 7, what: Known::Rain { of_district, rain_mm_h_milli, holds } })
            });
            let mut known: Vec<_> = known.collect();
            known.sort_unstable();
            machine.step(id, &mut region, 7, &known, &mut Outbox::new());
            region.outside().iter().map(|outside| outside.rain_mm_h).collect::<Vec<_>>()
        };
        assert_eq!(rain(&[]), [0.0, 0.0]);
        assert_eq!(rain(&[(false, 2_500, true)]), [2.5, 2.5]);
        assert_eq!(rain(&[(true, 0, true)]), [0.0, 0.0], "it is dry in the district");
        assert_eq!(rain(&[(false, 2_500, false), (false, 1_000, true)]), [0.0, 0.0]);
        assert_eq!(rain(&[(true, 0, false)]), [1.0, 1.0]);
        assert_eq!(rain(&[(false, 1_000, false), (false, 4_000, true)]), [4.0, 4.0]);
        assert_eq!(rain(&[(false, 4_000, false)]), [0.0, 0.0]);
    }
}
