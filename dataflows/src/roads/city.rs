//! Travel times over the city's streets: links open to motor traffic, with the turns that lanes allow.

use std::cell::RefCell;
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Access, Place, RoadGraph, UNREACHABLE, Weights};
use crate::ids::LinkId;
use crate::network::{City, Link, Point};

/// Speed off the network, between a place and the nearest street, m/s (and mm/ms).
const OFF_ROAD_M_S: u32 = 6;

/// The street network. Nodes of the graph are nodes of the city.
pub(crate) struct CityRoads {
    graph: RoadGraph,
    access: Access,
    /// By arc of the graph: the link.
    links: Vec<LinkId>,
    free_travel_ms: Vec<u32>,
    /// For the travel times asked last. They follow from those alone, so it matters to nobody when they were made.
    weights: RefCell<Weights>,
}

/// A place, and where one enters the streets from there: looked up once, used in many searches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stop {
    at: Point,
    place: Place,
}

impl Stop {
    pub(crate) fn at(&self) -> Point {
        self.at
    }
}

impl CityRoads {
    /// The motor links of a city.
    pub(crate) fn new(city: &City) -> Self {
        let links: Vec<&Link> = city.links.iter().filter(|link| is_motor(city, link)).collect();
        let ends = |link: &Link| (link.from.index() as u32, link.to.index() as u32);
        let arcs: Vec<(u32, u32)> = links.iter().map(|link| ends(link)).collect();
        let nodes: Vec<Point> = city.nodes.iter().map(|node| node.at).collect();
        let courses = links.iter().zip(0..).map(|(link, arc)| (arc, ends(link), &link.shape[..]));
        let graph = RoadGraph::new(&nodes, &arcs, &bans(city, &links));
        CityRoads {
            weights: RefCell::new(graph.customise(&[])),
            graph,
            access: Access::new(courses, OFF_ROAD_M_S),
            links: links.iter().map(|link| link.id).collect(),
            free_travel_ms: city.links.iter().map(|l| l.free_travel_ms() as u32).collect(),
        }
    }

    /// A place and where it meets the streets.
    pub(crate) fn stop(&self, at: Point) -> Stop {
        Stop { at, place: self.access.place(at) }
    }

    /// Travel times of all links at free flow, ms.
    pub(crate) fn free_travel_ms(&self) -> Vec<u32> {
        self.free_travel_ms.clone()
    }

    /// Time from each of `stops` to `to`, ms, with links taking `travel_ms`. One sweep, however many stops. At most
    /// twice the straight way off the road.
    pub(crate) fn times_to(&self, travel_ms: &[u32], to: Point, stops: &[Stop]) -> Vec<u64> {
        self.follow(travel_ms);
        let places: Vec<Place> = stops.iter().map(|stop| stop.place).collect();
        let by_road = self.graph.times_to(&self.weights.borrow(), &places, &self.access.place(to));
        let time = |(stop, road_ms): (&Stop, u32)| {
            let straight_ms = stop.at.distance_mm(to) / u64::from(OFF_ROAD_M_S);
            if road_ms == UNREACHABLE { 2 * straight_ms } else { u64::from(road_ms).min(2 * straight_ms) }
        };
        stops.iter().zip(by_road).map(time).collect()
    }

    /// New weights, if travel times are not those of the last question.
    fn follow(&self, travel_ms: &[u32]) {
        let mut weights = self.weights.borrow_mut();
        let arc_ms = || self.links.iter().map(|link| travel_ms.get(link.index()).copied().unwrap_or(UNREACHABLE));
        if !arc_ms().eq(weights.arc_ms().iter().copied()) {
            self.graph.customise_into(&arc_ms().collect::<Vec<_>>(), &mut weights);
        }
    }
}

fn is_motor(city: &City, link: &Link) -> bool {
    link.lanes.iter().any(|lane| city.lanes[lane.index()].motor)
}

/// Links that no lane of a link leads to, though it leads to others. Where no movement of it is known, none is banned, and
/// a unit may turn round anywhere: were that banned too, each node would be there once for every link that arrives.
fn bans(city: &City, links: &[&Link]) -> Vec<(u32, u32)> {
    let mut leaving = vec![Vec::new(); city.nodes.len()];
    links.iter().zip(0u32..).for_each(|(link, arc)| leaving[link.from.index()].push((arc, link.id)));
    let banned_after = |(before, link): (u32, &&Link)| {
        let led_to = led_to(city, link);
        let after = &leaving[link.to.index()];
        let is_known = after.iter().any(|(_, next)| led_to.contains(next));
        let is_back = |next: &LinkId| city.links[next.index()].to == link.from;
        let banned = after.iter().filter(|(_, next)| is_known && !is_back(next) && !led_to.contains(next));
        banned.map(move |(after, _)| (before, *after)).collect::<Vec<_>>()
    };
    (0..).zip(links).flat_map(banned_after).collect()
}

/// The links that the motor lanes of a link lead to.
fn led_to(city: &City, link: &Link) -> BTreeSet<LinkId> {
    let lanes = link.lanes.iter().map(|lane| &city.lanes[lane.index()]).filter(|lane| lane.motor);
    let movements = lanes.flat_map(|lane| &lane.movements).map(|id| &city.movements[id.index()]);
    movements.map(|movement| city.link_of(movement.to).id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::dispatch::tests::streets;
    use crate::ids::{LaneId, MovementId};
    use crate::network::{Movement, Turn};

    /// A street of three nodes 1 km apart, at 10 m/s: links 0 and 2 lead east, 1 and 3 back.
    fn street() -> City {
        streets(&[0, 1, 2].map(|km| Point { x_mm: km * 1_000_000, y_mm: 0 }))
    }

    fn time_ms(roads: &CityRoads, travel_ms: &[u32], from_m: i32, to_m: i32) -> u64 {
        let at = |m| Point { x_mm: m * 1_000, y_mm: 0 };
        roads.times_to(travel_ms, at(to_m), &[roads.stop(at(from_m))])[0]
    }

    #[test]
    fn every_answer_follows_the_travel_times_of_its_question() {
        let roads = CityRoads::new(&street());
        let (free, jam) = (roads.free_travel_ms(), vec![100_000, 100_000, 300_000, 100_000]);
        for _ in 0..2 {
            assert_eq!(time_ms(&roads, &free, 500, 1_500), 100_000);
            assert_eq!(time_ms(&roads, &jam, 500, 1_500), 50_000 + 150_000);
            assert_eq!(time_ms(&roads, &jam, 1_500, 500), 100_000, "the other way is free");
        }
    }

    #[test]
    fn within_one_link_nobody_drives_to_its_end() {
        let roads = CityRoads::new(&street());
        let free = roads.free_travel_ms();
        assert_eq!(time_ms(&roads, &free, 200, 700), 50_000);
        assert_eq!(time_ms(&roads, &free, 700, 200), 50_000);
    }

    /// The street, with one movement from the lane of link 0 to that of another link.
    fn street_leading(to: usize) -> City {
        let (id, from, to) = (MovementId::from_index(0), LaneId::from_index(0), LaneId::from_index(to));
        let mut city = street();
        city.movements.push(Movement { id, from, to, turn: Turn::Through, signal: None });
        city.lanes[0].movements.push(id);
        city
    }

    #[test]
    fn lanes_ban_the_turns_that_they_do_not_lead_to() {
        let roads = CityRoads::new(&street_leading(1));
        let free = roads.free_travel_ms();
        let off_road_twice = 2 * (1_000_000 / 6);
        assert_eq!(time_ms(&roads, &free, 500, 1_500), off_road_twice, "the only lane leads back");
        assert_eq!(time_ms(&roads, &free, 1_500, 500), 100_000, "nothing is known of the other way");
    }

    #[test]
    fn nobody_is_kept_from_turning_round() {
        let city = street_leading(2);
        assert_eq!(bans(&city, &city.links.iter().collect::<Vec<_>>()), []);
    }
}
