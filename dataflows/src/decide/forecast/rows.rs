//! What a region's links did in an interval and what is told of them from outside, gathered to one row: what changes all the
//! time is kept apart from what was learned, which is large and is saved only when its row has come.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::features::Outside;
use super::{ForecastRegion, LinkMean, Regions};
use crate::Time;
use crate::ids::{LinkId, VenueId};
use crate::keyed::{Machine, Outbox};

/// What is told of a region. Ordered by time.
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

/// What is known of a region's links at the end of an interval, link by link. Ordered by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ForecastRow {
    /// When the interval began, ms.
    pub from_ms: Time,
    /// Mean speed as a share of free flow, 1/1000, and flow, vehicles/h; none where nothing was observed.
    pub means: Vec<Option<(u32, u32)>>,
    /// Incidents, and people about to leave venues near.
    pub outside: Vec<(u32, u32)>,
    /// Rain, 1/1000 mm/h.
    pub rain_mm_h_milli: u32,
}

/// The machine of rows.
pub struct Rows {
    regions: Arc<Regions>,
}

/// What is told of a region from outside.
#[derive(Default, Serialize, Deserialize)]
pub struct Told {
    links: Vec<LinkTold>,
    /// Rain that was reported of the city, 1/1000 mm/h, and of the district.
    of_city: Option<u32>,
    of_district: Option<u32>,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct LinkTold {
    incidents: i64,
    leaving: BTreeMap<VenueId, u32>,
}

impl Rows {
    /// For the regions of a city.
    pub fn new(regions: Arc<Regions>) -> Self {
        Rows { regions }
    }
}

impl Machine for Rows {
    type Key = ForecastRegion;
    type Event = ForecastEvent;
    type State = Told;
    type Out = (ForecastRegion, ForecastRow);

    fn name(&self) -> &'static str {
        "forecast_rows"
    }

    fn step(
        &self,
        id: ForecastRegion,
        told: &mut Told,
        _tick: Time,
        events: &[(ForecastRegion, ForecastEvent)],
        out: &mut Outbox<(ForecastRegion, ForecastRow)>,
    ) {
        let members = self.regions.members(id).len();
        told.links.resize(members, LinkTold::default());
        let mut row: Option<(Time, Vec<Option<(u32, u32)>>)> = None;
        for (_, event) in events {
            match event.what {
                Known::Incident(link, more) => told.links[self.regions.row(link)].incidents += more,
                Known::Crowd { link, venue, people } => {
                    let leaving = &mut told.links[self.regions.row(link)].leaving;
                    if people > 0 {
                        leaving.insert(venue, people)
                    } else {
                        leaving.remove(&venue)
                    };
                }
                Known::Rain { of_district, rain_mm_h_milli, holds } => {
                    let held = if of_district { &mut told.of_district } else { &mut told.of_city };
                    if holds {
                        *held = Some(rain_mm_h_milli);
                    } else {
                        held.take_if(|held| *held == rain_mm_h_milli);
                    }
                }
                Known::Mean(LinkMean { link, from_ms, mean }) => {
                    // A row is of one interval: after a gap in ticks, of the newest.
                    if row.as_ref().is_none_or(|(newest_ms, _)| from_ms > *newest_ms) {
                        row = Some((from_ms, vec![None; members]));
                    }
                    if let Some((_, means)) = row.as_mut().filter(|(newest_ms, _)| from_ms == *newest_ms) {
                        means[self.regions.row(link)] = mean;
                    }
                }
            }
        }
        if let Some((from_ms, means)) = row {
            out.emit((id, told.row(from_ms, means)));
        }
    }
}

impl Told {
    fn row(&self, from_ms: Time, means: Vec<Option<(u32, u32)>>) -> ForecastRow {
        let outside = self.links.iter().map(|link| (link.incidents.max(0) as u32, link.leaving.values().sum()));
        let rain_mm_h_milli = self.of_district.or(self.of_city).unwrap_or(0);
        ForecastRow { from_ms, means, outside: outside.collect(), rain_mm_h_milli }
    }
}

impl ForecastRow {
    /// What is told of the links from outside them.
    pub(super) fn outside(&self) -> Vec<Outside> {
        let rain_mm_h = self.rain_mm_h_milli as f32 / 1000.0;
        let of = |&(incidents, leaving): &(u32, u32)| Outside {
            incidents: incidents as f32,
            rain_mm_h,
            crowd: leaving as f32 / 1000.0,
        };
        self.outside.iter().map(of).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rain_is_told_of_every_link_of_a_region_and_that_of_its_district_goes_before() {
        let at = |x_mm| crate::network::Point { x_mm, y_mm: 0 };
        let city = crate::decide::dispatch::tests::streets(&[at(0), at(500_000)]);
        let machine = Rows::new(Arc::new(Regions::new(&city)));
        let (mut told, id) = (Told::default(), ForecastRegion(0));
        let mut rain = |said: &[(bool, u32, bool)]| {
            let known = said.iter().map(|&(of_district, rain_mm_h_milli, holds)| {
                (id, ForecastEvent { time_ms: 7, what: Known::Rain { of_district, rain_mm_h_milli, holds } })
            });
            let mut known: Vec<_> = known.collect();
            known.sort_unstable();
            machine.step(id, &mut told, 7, &known, &mut Outbox::new());
            told.row(7, vec![]).outside().iter().map(|outside| outside.rain_mm_h).collect::<Vec<_>>()
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
