//! Nodes, links, lanes and movements.

use super::{CityError, REACH_MM, dense, is_length, near, need};
use crate::ids::{JunctionId, LaneId, MovementId};
use crate::network::{City, Lane, Link, Movement, Node};

/// Faster than this nobody drives: 360 km/h, mm/s.
const FASTEST_MM_S: u32 = 100_000;

pub(super) fn check(city: &City) -> Result<(), CityError> {
    dense("node", city.nodes.iter().map(|n| n.id.index()))?;
    dense("link", city.links.iter().map(|l| l.id.index()))?;
    dense("lane", city.lanes.iter().map(|l| l.id.index()))?;
    dense("movement", city.movements.iter().map(|m| m.id.index()))?;
    city.nodes.iter().try_for_each(|n| node(city, n))?;
    city.links.iter().try_for_each(|l| link(city, l))?;
    city.lanes.iter().try_for_each(|l| lane(city, l))?;
    city.movements.iter().try_for_each(|m| movement(city, m))
}

fn node(city: &City, n: &Node) -> Result<(), CityError> {
    let at = || format!("node {}", n.name);
    let governs = |j: JunctionId| city.junctions.get(j.index()).is_some_and(|j| j.nodes.contains(&n.id));
    need(near(n.at), at, "lies too far out")?;
    need(n.junction.is_none_or(governs), at, "has a junction that does not govern it")
}

fn link(city: &City, l: &Link) -> Result<(), CityError> {
    let at = || format!("link {}", l.name);
    let own = |lane: &LaneId| city.lanes.get(lane.index()).is_some_and(|lane| lane.link == l.id);
    need(l.from.index() < city.nodes.len() && l.to.index() < city.nodes.len(), at, "ends at no node")?;
    need(is_length(l.length_mm), at, &format!("has a length that is not from 1 to {REACH_MM} mm"))?;
    let has_speed = (1..=FASTEST_MM_S).contains(&l.free_speed_mm_s);
    need(has_speed, at, &format!("has a speed that is not from 1 to {FASTEST_MM_S} mm/s"))?;
    need(!l.lanes.is_empty() && l.lanes.iter().all(own), at, "has no lane, or one that is not its own")?;
    need(l.shape.len() >= 2 && l.shape.iter().all(|p| near(*p)), at, "has no course, or one that goes too far out")?;
    need(l.district.index() < city.districts.len(), at, "lies in no district")
}

fn lane(city: &City, l: &Lane) -> Result<(), CityError> {
    let at = || format!("lane {}", l.name);
    let listed = |row: usize| city.links.get(row).is_some_and(|link| link.lanes.contains(&l.id));
    let own = |m: &MovementId| city.movements.get(m.index()).is_some_and(|m| m.from == l.id);
    need(listed(l.link.index()), at, "is unknown to its link")?;
    need(is_length(l.length_mm), at, &format!("has a length that is not from 1 to {REACH_MM} mm"))?;
    need(l.movements.iter().all(own), at, "has a movement that does not leave it")
}

fn movement(city: &City, m: &Movement) -> Result<(), CityError> {
    let at = || format!("movement {}", m.id);
    need(m.from.index() < city.lanes.len() && m.to.index() < city.lanes.len(), at, "joins no lanes")?;
    need(city.lanes[m.from.index()].movements.contains(&m.id), at, "is unknown to its lane")?;
    need(city.link_of(m.from).to == city.link_of(m.to).from, at, "leads to a lane that begins elsewhere")?;
    let obeys = m.signal.is_none_or(|(junction, head)| {
        let heads = city.junctions.get(junction.index()).map(|j| &j.heads);
        heads.and_then(|heads| heads.get(usize::from(head))).is_some_and(|head| head.movements.contains(&m.id))
    });
    need(obeys, at, "obeys a signal head that does not know it")
}
