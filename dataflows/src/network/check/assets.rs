//! Cameras, districts, grids, units, venues, sites and bus lines.

use super::{CityError, DAY_MS, dense, in_day, near, need};
use crate::ids::{LaneId, LinkId};
use crate::network::{BusLine, Camera, CameraKind, City, Grid, Site, Unit, Venue};

/// More people fit nowhere.
const CROWD: u32 = 10_000_000;

pub(super) fn check(city: &City) -> Result<(), CityError> {
    dense("camera", city.cameras.iter().map(|c| c.id.index()))?;
    dense("district", city.districts.iter().map(|d| d.id.index()))?;
    dense("grid", city.grids.iter().map(|g| g.id.index()))?;
    dense("unit", city.units.iter().map(|u| u.id.index()))?;
    dense("venue", city.venues.iter().map(|v| v.id.index()))?;
    dense("site", city.sites.iter().map(|s| s.id.index()))?;
    dense("supervisor", city.supervisors.iter().map(|s| s.id.index()))?;
    dense("bus line", city.bus_lines.iter().map(|b| b.id.index()))?;
    city.cameras.iter().try_for_each(|c| camera(city, c))?;
    city.grids.iter().try_for_each(|g| grid(city, g))?;
    city.units.iter().try_for_each(|u| unit(city, u))?;
    city.venues.iter().try_for_each(|v| venue(city, v))?;
    city.sites.iter().try_for_each(|s| site(city, s))?;
    city.bus_lines.iter().try_for_each(|b| bus_line(city, b))
}

fn camera(city: &City, c: &Camera) -> Result<(), CityError> {
    let at = || format!("camera {}", c.name);
    let on_lane =
        |(lane, to_end_mm): (LaneId, u32)| city.lanes.get(lane.index()).is_some_and(|lane| to_end_mm <= lane.length_mm);
    need(near(c.at), at, "stands too far out")?;
    need(c.lane.is_none_or(on_lane), at, "watches an unknown lane, or a place beyond its start")?;
    need(c.venue.is_none_or(|v| v.index() < city.venues.len()), at, "counts at an unknown venue")?;
    need(c.site.is_none_or(|s| s.index() < city.sites.len()), at, "watches an unknown site")?;
    let has_its_place = match c.kind {
        CameraKind::StopLine | CameraKind::MidLink => c.lane.is_some(),
        CameraKind::Crowd => c.venue.is_some(),
        CameraKind::Site => c.site.is_some(),
    };
    need(has_its_place, at, "of its kind must say which lane, venue or site it watches")
}

fn grid(city: &City, g: &Grid) -> Result<(), CityError> {
    let at = || format!("grid {}", g.name);
    need(near(g.min) && near(g.max), at, "goes too far out")?;
    need(g.min.x_mm < g.max.x_mm && g.min.y_mm < g.max.y_mm, at, "holds no place")?;
    need(g.district.index() < city.districts.len(), at, "lies in no district")
}

fn unit(city: &City, u: &Unit) -> Result<(), CityError> {
    let at = || format!("unit {}", u.name);
    let at_home = city.grids.get(u.grid.index()).is_some_and(|home| home.region == u.region);
    need(at_home, at, "has an unknown home grid, or one of another region")?;
    need(near(u.post), at, "waits too far out")?;
    need(in_day(u.shift_min), at, "has a shift beyond the day")
}

fn venue(city: &City, v: &Venue) -> Result<(), CityError> {
    let at = || format!("venue {}", v.name);
    need(near(v.at), at, "lies too far out")?;
    need(v.link.index() < city.links.len(), at, "opens to an unknown link")?;
    need(v.capacity <= CROWD, at, "holds more people than there are")
}

fn site(city: &City, s: &Site) -> Result<(), CityError> {
    let at = || format!("site {}", s.name);
    need(near(s.at), at, "lies too far out")?;
    need(s.supervisor.index() < city.supervisors.len(), at, "has an unknown supervisor")
}

fn bus_line(city: &City, b: &BusLine) -> Result<(), CityError> {
    let at = || format!("bus line {}", b.name);
    let links: Option<Vec<_>> = b.route.iter().map(|l| city.links.get(l.index())).collect();
    let Some(links) = links.filter(|links| !links.is_empty()) else {
        return need(false, at, "has no route, or one over an unknown link");
    };
    need(links.windows(2).all(|legs| legs[0].to == legs[1].from), at, "has a route with a gap")?;
    let on_route =
        |(link, from_start_mm): &(LinkId, u32)| links.iter().any(|l| l.id == *link && *from_start_mm <= l.length_mm);
    need(b.stops.iter().all(on_route), at, "has a stop that is not on its route")?;
    need((1..=DAY_MS).contains(&b.headway_ms), at, "has a headway that is not from 1 ms to a day")
}
