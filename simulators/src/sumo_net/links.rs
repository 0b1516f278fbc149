//! Edges to links and lanes, nodes to nodes, connections to movements.

use std::collections::BTreeMap;

use nanming_dataflows::ids::*;
use nanming_dataflows::network::{City, Lane, Link, Movement, Node, Point, Turn};
use roxmltree::Node as Element;

use super::ImportError;
use super::attributes::{children, number, optional, shape, text, unknown, wrong};
use super::place::Frame;
use crate::course::length_mm;

/// Rows by the names of the network.
#[derive(Default)]
pub(super) struct Names<'a> {
    /// Nodes.
    pub(super) nodes: BTreeMap<&'a str, NodeId>,
    /// Links.
    pub(super) links: BTreeMap<&'a str, LinkId>,
}

/// A connection of an edge for traffic, or onto a crossing for people on foot.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Connection {
    /// The lane that it leaves; none where people walk.
    pub(super) from: Option<LaneId>,
    /// The node that it crosses.
    pub(super) node: Option<NodeId>,
    /// For people on foot: the crossing's edge.
    pub(super) crossing: Option<String>,
    /// The movement that it is, if motor traffic may use it.
    pub(super) movement: Option<MovementId>,
    /// The `tlLogic` and the character of its state that govern it.
    pub(super) signal: Option<(String, usize)>,
}

/// Reads nodes, links and lanes.
pub(super) fn lay<'a>(city: &mut City, net: Element<'a, '_>, frame: &Frame) -> Result<Names<'a>, ImportError> {
    let mut names = Names::default();
    for junction in children(net, "junction").filter(|j| j.attribute("type") != Some("internal")) {
        let id = NodeId::from_index(city.nodes.len());
        let name = text(junction, "id")?;
        let at = frame.point((number(junction, "x")?, number(junction, "y")?))?;
        city.nodes.push(Node { id, name: name.to_string(), at, junction: None });
        names.nodes.insert(name, id);
    }
    for edge in children(net, "edge").filter(is_street) {
        lay_link(city, edge, frame, &mut names)?;
    }
    Ok(names)
}

fn is_street(edge: &Element<'_, '_>) -> bool {
    !matches!(edge.attribute("function"), Some("internal" | "crossing" | "walkingarea"))
}

fn lay_link<'a>(
    city: &mut City,
    edge: Element<'a, '_>,
    frame: &Frame,
    names: &mut Names<'a>,
) -> Result<(), ImportError> {
    let id = LinkId::from_index(city.links.len());
    let name = text(edge, "id")?;
    let end = |which| {
        let node = text(edge, which)?;
        names.nodes.get(node).copied().ok_or_else(|| unknown(edge, format!("junction {node}")))
    };
    let (from, to) = (end("from")?, end("to")?);
    let mut sources: Vec<Element<'_, '_>> = children(edge, "lane").collect();
    sources.sort_by_key(|l| l.attribute("index").and_then(|i| i.parse::<u32>().ok()));
    let first = city.lanes.len();
    for source in &sources {
        city.lanes.push(lane(*source, LaneId::from_index(city.lanes.len()), id)?);
    }
    let Some(main) = (0..sources.len()).find(|k| city.lanes[first + k].motor).or((!sources.is_empty()).then_some(0))
    else {
        return Err(ImportError::Missing { at: super::attributes::describe(edge), what: "element lane".into() });
    };
    city.links.push(Link {
        id,
        name: name.to_string(),
        road: edge.attribute("name").unwrap_or_default().to_string(),
        from,
        to,
        length_mm: city.lanes[first + main].length_mm,
        free_speed_mm_s: speed_mm_s(sources[main])?,
        lanes: (first..city.lanes.len()).map(LaneId::from_index).collect(),
        shape: course(sources[sources.len() / 2], frame)?,
        district: DistrictId(0),
    });
    names.links.insert(name, id);
    Ok(())
}

fn lane(source: Element<'_, '_>, id: LaneId, link: LinkId) -> Result<Lane, ImportError> {
    let length_m: f64 = number(source, "length")?;
    Ok(Lane {
        id,
        name: text(source, "id")?.to_string(),
        link,
        length_mm: ((length_m * 1000.0).round() as u32).max(1),
        motor: lets_cars(source),
        movements: Vec::new(),
    })
}

/// Whether passenger cars may use a lane.
fn lets_cars(lane: Element<'_, '_>) -> bool {
    let names_cars = |list: &str| list.split_whitespace().any(|class| class == "passenger" || class == "all");
    match (lane.attribute("allow"), lane.attribute("disallow")) {
        (Some(allowed), _) => names_cars(allowed),
        (None, Some(disallowed)) => !names_cars(disallowed),
        (None, None) => true,
    }
}

fn speed_mm_s(lane: Element<'_, '_>) -> Result<u32, ImportError> {
    let speed_m_s: f64 = number(lane, "speed")?;
    Ok(((speed_m_s * 1000.0).round() as u32).max(1))
}

/// The course of a lane; at least two different places.
fn course(lane: Element<'_, '_>, frame: &Frame) -> Result<Vec<Point>, ImportError> {
    let mut course = shape(lane, "shape", 2)?.into_iter().map(|at| frame.point(at)).collect::<Result<Vec<_>, _>>()?;
    course.dedup();
    if course.len() < 2 || length_mm(&course) == 0 {
        return Err(wrong(lane, "shape", text(lane, "shape")?, "a line of any length"));
    }
    Ok(course)
}

/// Reads the connections between streets, in the order of the file, and adds those for motor traffic as movements.
pub(super) fn connect(
    city: &mut City,
    net: Element<'_, '_>,
    names: &Names<'_>,
) -> Result<Vec<Connection>, ImportError> {
    let mut connections = Vec::new();
    for source in children(net, "connection") {
        let (from, to) = (text(source, "from")?, text(source, "to")?);
        let onto_crossing =
            from.starts_with(':') && to.rsplit_once("_c").is_some_and(|(_, n)| n.parse::<u32>().is_ok());
        if !from.starts_with(':') {
            connections.push(street_connection(city, source, names)?);
        } else if onto_crossing && source.attribute("tl").is_some() {
            let node = to[1..].rsplit_once("_c").and_then(|(node, _)| names.nodes.get(node).copied());
            let signal = signal(source)?;
            connections.push(Connection { from: None, node, crossing: Some(to.to_string()), movement: None, signal });
        }
    }
    Ok(connections)
}

fn street_connection(city: &mut City, source: Element<'_, '_>, names: &Names<'_>) -> Result<Connection, ImportError> {
    let from = lane_of(city, source, names, "from", "fromLane")?;
    let to = lane_of(city, source, names, "to", "toLane")?;
    let node = city.link_of(from).to;
    let turn = turn(source)?;
    let motor = city.lanes[from.index()].motor && city.lanes[to.index()].motor;
    let movement = motor.then(|| {
        let id = MovementId::from_index(city.movements.len());
        city.movements.push(Movement { id, from, to, turn, signal: None });
        city.lanes[from.index()].movements.push(id);
        id
    });
    Ok(Connection { from: Some(from), node: Some(node), crossing: None, movement, signal: signal(source)? })
}

fn lane_of(
    city: &City,
    source: Element<'_, '_>,
    names: &Names<'_>,
    edge: &str,
    lane: &str,
) -> Result<LaneId, ImportError> {
    let name = text(source, edge)?;
    let row: usize = number(source, lane)?;
    let link = names.links.get(name).ok_or_else(|| unknown(source, format!("edge {name}")))?;
    let lanes = &city.links[link.index()].lanes;
    lanes.get(row).copied().ok_or_else(|| unknown(source, format!("lane {row} on edge {name}")))
}

fn turn(source: Element<'_, '_>) -> Result<Turn, ImportError> {
    match source.attribute("dir") {
        Some("s") | None => Ok(Turn::Through),
        Some("l" | "L") => Ok(Turn::Left),
        Some("r" | "R") => Ok(Turn::Right),
        Some("t" | "T") => Ok(Turn::UTurn),
        Some(other) => Err(wrong(source, "dir", other, "one of s, l, L, r, R, t")),
    }
}

fn signal(source: Element<'_, '_>) -> Result<Option<(String, usize)>, ImportError> {
    let index = optional::<i64>(source, "linkIndex")?.filter(|i| *i >= 0);
    Ok(source.attribute("tl").zip(index).map(|(tl, index)| (tl.to_string(), index as usize)))
}
