//! Forecast of speed and flow 5 to 60 min ahead: what is usual at the time of day, and what a region's links, each other's
//! neighbours and the link itself make of what is not. Learns from the stream as it serves.
//!
//! Every five minutes [`Means`] folds a link's states to one value, [`Rows`] puts a region's values into a row with what is
//! told of its links from outside, and [`Forecasts`] learns from it and forecasts anew. Speeds are shares of the free-flow speed inside. Knows nothing about files, or how forecasts
//! are shown.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::decision::{CrowdState, LinkState};
use crate::event::WeatherReport;
use crate::ids::{DistrictId, LinkId};
use crate::keyed::{Key, spread as spread_out};
use crate::network::City;
use crate::relation::Upsert;

mod calendar;
mod congestion;
mod features;
mod free;
mod links;
mod local;
mod means;
mod neighbours;
mod normal;
mod onsets;
mod origins;
pub mod panel;
pub mod parts;
mod pooled;
mod profile;
mod rows;
pub mod score;
mod series;
mod spread;
#[cfg(test)]
mod tests;
mod venues;
pub use links::{ForecastSaid, Forecasts};
pub use means::{LinkMean, Means, Observed};
pub use rows::{ForecastEvent, ForecastRow, Known, Rows};
pub use venues::{PeopleNow, VenueForecasts, VenueGroup, people_now};

/// Lead times, min.
pub const LEADS_MIN: [u16; 12] = [5, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60];
/// A link below this share of its free-flow speed is congested.
pub const CONGESTED_SHARE: f64 = 0.5;
/// Changes with what saved states look like: a count for what no length tells, and the lengths of tables in them.
pub const LAYOUT: [usize; 6] = [1, features::ALL, features::OWN, spread::BINS, onsets::PARTS, neighbours::CHOSEN];
/// Length of an interval, ms.
const STEP_MS: u64 = 300_000;
/// Links that learn together, at most: who tells of whom is asked of all pairs.
const TOGETHER: usize = 256;
/// Regions forecast one after the other, so that no tick carries all of them, ms.
const APART_MS: u64 = 2_000;
/// A weather report holds for so long at most, ms.
pub const WEATHER_MS: u64 = 7_200_000;

/// Of what a weather report is: a district, or all of the city.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct WeatherArea(pub Option<DistrictId>);

impl Key for WeatherArea {
    fn route(&self) -> u64 {
        spread_out(self.0.map_or(u64::MAX, |district| u64::from(district.0)))
    }
}

/// What a report says of rain, 1/1000 mm/h.
pub fn rain(report: &WeatherReport) -> (WeatherArea, Upsert<u32>) {
    (WeatherArea(report.district), Upsert::new(report.time_ms, Some(report.rain_mm_h_milli)))
}

/// Links that learn together: a district, or a part of a large one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ForecastRegion(pub u32);

impl Key for ForecastRegion {
    fn route(&self) -> u64 {
        spread_out(u64::from(self.0))
    }
}

/// Which links learn together.
pub struct Regions {
    members: Vec<Vec<LinkId>>,
    /// By region: where it lies.
    districts: Vec<DistrictId>,
    /// By link: its region and its row there.
    places: Vec<(ForecastRegion, usize)>,
    /// By link: those that traffic comes from or goes to.
    next_to: Vec<Vec<LinkId>>,
}

impl Regions {
    /// Of a city's links.
    pub fn new(city: &City) -> Self {
        let mut by_district = vec![Vec::new(); city.districts.len().max(1)];
        city.links.iter().for_each(|link| by_district[link.district.index()].push(link.id));
        let parts = by_district.iter().enumerate().flat_map(|(district, links)| {
            links.chunks(TOGETHER).map(move |part| (DistrictId::from_index(district), part.to_vec()))
        });
        let (districts, members): (Vec<DistrictId>, Vec<Vec<LinkId>>) = parts.unzip();
        let mut places = vec![(ForecastRegion(0), 0); city.links.len()];
        for (region, links) in members.iter().enumerate() {
            for (row, link) in links.iter().enumerate() {
                places[link.index()] = (ForecastRegion(region as u32), row);
            }
        }
        Regions { members, districts, places, next_to: next_to(city) }
    }

    /// The region of a link.
    pub fn of(&self, link: LinkId) -> ForecastRegion {
        self.places[link.index()].0
    }

    fn row(&self, link: LinkId) -> usize {
        self.places[link.index()].1
    }

    fn members(&self, region: ForecastRegion) -> &[LinkId] {
        &self.members[region.0 as usize]
    }

    /// By row of a region: rows of those next to it in the same region.
    fn near(&self, region: ForecastRegion) -> Vec<Vec<usize>> {
        let beside = |link: &LinkId| {
            let next = self.next_to[link.index()].iter().filter(|next| self.of(**next) == region);
            next.map(|next| self.row(*next)).collect()
        };
        self.members(region).iter().map(beside).collect()
    }

    /// What rain in the city or in a district means to the regions there.
    pub fn rain(&self, area: WeatherArea, said: Known, time_ms: u64) -> Vec<(ForecastRegion, ForecastEvent)> {
        let there = |(_, district): &(u32, &DistrictId)| area.0.is_none_or(|of| of == **district);
        let regions = (0..).zip(&self.districts).filter(there);
        regions.map(|(region, _)| (ForecastRegion(region), ForecastEvent { time_ms, what: said })).collect()
    }

    /// What a crowd means to the links near its venue: those who leave come out there.
    pub fn crowd(&self, city: &City, crowd: &CrowdState) -> Vec<(ForecastRegion, ForecastEvent)> {
        let Some(gates) = city.venues.get(crowd.venue.index()).map(|venue| venue.link) else { return Vec::new() };
        let people = crowd.outflow.iter().take(crowd.outflow.len() / 2).sum();
        let near = std::iter::once(&gates).chain(&self.next_to[gates.index()]);
        let tell = |link: &LinkId| {
            let what = Known::Crowd { link: *link, venue: crowd.venue, people };
            (self.of(*link), ForecastEvent { time_ms: crowd.time_ms, what })
        };
        near.map(tell).collect()
    }
}

fn next_to(city: &City) -> Vec<Vec<LinkId>> {
    let mut next_to = vec![Vec::new(); city.links.len()];
    for movement in &city.movements {
        let (from, to) = (city.link_of(movement.from).id, city.link_of(movement.to).id);
        if from != to {
            next_to[from.index()].push(to);
            next_to[to.index()].push(from);
        }
    }
    for list in &mut next_to {
        list.sort_unstable();
        list.dedup();
    }
    next_to
}

/// What a link's state says, if anything was observed: its speed as a share of free flow, and its flow.
pub fn observed(city: &Arc<City>, state: &LinkState) -> Option<(LinkId, Observed)> {
    let free = u64::from(city.links[state.link.index()].free_speed_mm_s.max(1));
    let speed_milli = (u64::from(state.speed_mm_s) * 1000 / free) as u32;
    let seen = Observed { time_ms: state.time_ms, speed_milli, flow_veh_h: state.flow_veh_h };
    // Who stands is seen too: a link on which nothing moves is congested, not unknown.
    (state.observed || state.queue_milli_veh >= 1000).then_some((state.link, seen))
}
