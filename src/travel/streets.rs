//! The streets as travellers know them: roads with their directions, and where one may go on from each link.

use std::collections::BTreeMap;
use std::sync::Arc;

use nanming_dataflows::ids::LinkId;
use nanming_dataflows::network::{City, Link, Point};

use super::Spot;
use super::places::{Heading, middle, nearest_spot};

/// Links of one street that lie so much further than the nearest are asked for as well: the other direction, mostly.
const BESIDE_MM: u64 = 25_000;

/// A road, all of its links.
#[derive(Clone, Debug, PartialEq)]
pub struct Road {
    /// Its name, in the local language.
    pub name: String,
    /// Its directions, at most two.
    pub directions: Vec<Direction>,
    /// A place on it.
    pub at: Point,
}

/// A direction of a road.
#[derive(Clone, Debug, PartialEq)]
pub struct Direction {
    /// Which way it leads as a whole.
    pub heading: Heading,
    /// Its links, as one meets them.
    pub links: Vec<LinkId>,
}

/// What is fixed.
pub struct Streets {
    /// The city.
    pub city: Arc<City>,
    /// Roads by name, in order of their names.
    pub roads: Vec<Road>,
    /// Links that one can go on to from each, by the movements of motor traffic.
    pub next: Vec<Vec<LinkId>>,
    /// Lengths of links, mm.
    pub lengths_mm: Vec<u32>,
    motor: Vec<LinkId>,
}

impl Streets {
    /// Of a city. Roads without a name are on no list; one drives on them all the same.
    pub fn new(city: Arc<City>) -> Streets {
        let is_motor = |l: &&Link| l.lanes.iter().any(|lane| city.lanes[lane.index()].motor);
        let motor: Vec<LinkId> = city.links.iter().filter(is_motor).map(|l| l.id).collect();
        let mut named: BTreeMap<&str, Vec<LinkId>> = BTreeMap::new();
        for link in motor.iter().map(|id| &city.links[id.index()]).filter(|l| !l.road.is_empty()) {
            named.entry(&link.road).or_default().push(link.id);
        }
        let roads = named.into_iter().map(|(name, links)| road(&city, name, links)).collect();
        let lengths_mm = city.links.iter().map(|l| l.length_mm).collect();
        Streets { roads, next: next(&city), lengths_mm, motor, city }
    }

    /// A road by its name.
    pub fn road(&self, name: &str) -> Option<&Road> {
        let row = self.roads.binary_search_by(|road| road.name.as_str().cmp(name)).ok()?;
        Some(&self.roads[row])
    }

    /// Degrees of a place, to about 0.1 m.
    pub fn degrees(&self, at: Point) -> [f64; 2] {
        let (lon, lat) = at.to_lon_lat(self.city.origin).degrees();
        [lon, lat].map(|d| (d * 1e6).round() / 1e6)
    }

    /// A link.
    pub fn link(&self, id: LinkId) -> &Link {
        &self.city.links[id.index()]
    }

    /// Where a place meets the streets, nearest first: on both directions of a street, whose ends lie side by side.
    pub fn spots(&self, at: Point) -> Vec<Spot> {
        let mut spots: Vec<Spot> = self.motor.iter().map(|id| nearest_spot(self.link(*id), at)).collect();
        spots.sort_unstable_by_key(|spot| (spot.off_mm, spot.link));
        let Some(nearest) = spots.first().copied() else { return Vec::new() };
        let road = &self.link(nearest.link).road;
        spots.retain(|s| s.off_mm <= nearest.off_mm + BESIDE_MM && self.link(s.link).road == *road);
        spots.truncate(4);
        spots
    }

    /// The link that stands for a link and its other direction.
    pub fn either_way(&self, id: LinkId) -> LinkId {
        let link = self.link(id);
        let back = |l: &&Link| (l.from, l.to) == (link.to, link.from) && l.road == link.road;
        self.city.links.iter().find(back).map_or(id, |back| id.min(back.id))
    }

    /// The name of a road that a link's road meets at the link's end.
    pub fn meets(&self, id: LinkId) -> Option<&str> {
        let link = self.link(id);
        let others = self.city.links.iter().filter(|l| l.from == link.to || l.to == link.to).map(|l| l.road.as_str());
        others.filter(|road| !road.is_empty() && *road != link.road).min()
    }
}

fn next(city: &City) -> Vec<Vec<LinkId>> {
    let mut next = vec![Vec::new(); city.links.len()];
    for m in city.movements.iter().filter(|m| [m.from, m.to].iter().all(|lane| city.lanes[lane.index()].motor)) {
        next[city.link_of(m.from).id.index()].push(city.link_of(m.to).id);
    }
    for links in &mut next {
        links.sort_unstable();
        links.dedup();
    }
    next
}

/// A road's links lie along one axis, more or less; which way along it makes the direction.
fn road(city: &City, name: &str, links: Vec<LinkId>) -> Road {
    let vector = |id: &LinkId| {
        let shape = &city.links[id.index()].shape;
        let (a, b) = (shape[0], shape[shape.len() - 1]);
        (f64::from(b.x_mm - a.x_mm), f64::from(b.y_mm - a.y_mm))
    };
    // An axis has no sign: angles are doubled, so that ways there and back add up (Mardia and Jupp, Directional Statistics).
    let doubled = links.iter().map(vector).fold((0.0, 0.0), |sum, (x, y)| {
        let (length, angle) = (x.hypot(y), 2.0 * y.atan2(x));
        (sum.0 + length * angle.cos(), sum.1 + length * angle.sin())
    });
    let axis = doubled.1.atan2(doubled.0) / 2.0;
    let (east, north) = (axis.cos(), axis.sin());
    let along = |at: Point| f64::from(at.x_mm) * east + f64::from(at.y_mm) * north;
    let (mut there, mut back): (Vec<LinkId>, Vec<LinkId>) =
        links.into_iter().partition(|id| vector(id).0 * east + vector(id).1 * north >= 0.0);
    let start = |id: &LinkId| along(city.links[id.index()].shape[0]);
    there.sort_by(|a, b| start(a).total_cmp(&start(b)).then(a.cmp(b)));
    back.sort_by(|a, b| start(b).total_cmp(&start(a)).then(a.cmp(b)));
    let at = [&there, &back].into_iter().find_map(|links| links.get(links.len() / 2)).map(|id| &city.links[id.index()]);
    let at = at.map(middle).unwrap_or_default();
    let directions = [(Heading::of(east, north), there), (Heading::of(-east, -north), back)];
    let directions = directions.into_iter().filter(|(_, links)| !links.is_empty());
    let directions = directions.map(|(heading, links)| Direction { heading, links }).collect();
    Road { name: name.into(), directions, at }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn streets() -> Streets {
        Streets::new(Arc::new(nanming_simulators::town::small(3, 3, 1)))
    }

    #[test]
    fn a_road_has_two_directions_that_lead_opposite_ways() {
        let streets = streets();
        let listed: usize = streets.roads.iter().flat_map(|r| &r.directions).map(|d| d.links.len()).sum();
        assert_eq!(listed, streets.city.links.iter().filter(|l| !l.road.is_empty()).count(), "every link once");
        for road in &streets.roads {
            let [there, back] = &road.directions[..] else { panic!("{}", road.name) };
            assert_eq!((there.heading as usize + 4) % 8, back.heading as usize, "{}", road.name);
            assert_eq!(there.links.len(), back.links.len());
            assert!(there.links.windows(2).all(|w| streets.link(w[0]).to == streets.link(w[1]).from), "in order");
            assert_eq!(streets.road(&road.name), Some(road));
        }
        assert_eq!(streets.road("nowhere"), None);
    }

    #[test]
    fn a_place_beside_a_street_is_on_both_of_its_directions() {
        let streets = streets();
        let link = streets.link(streets.roads[0].directions[0].links[1]);
        let spots = streets.spots(middle(link));
        assert_eq!((spots[0].link, spots[0].off_mm), (link.id, 0));
        let back = streets.link(spots[1].link);
        assert_eq!((back.from, back.to), (link.to, link.from));
        assert_eq!(streets.either_way(link.id), streets.either_way(back.id));
        assert!(streets.meets(link.id).is_some_and(|road| road != link.road));
    }
}
