//! The `<request>` rows of a node: which of its connections meet, and which waits for which.

use std::collections::BTreeMap;

use nanming_dataflows::ids::*;
use nanming_dataflows::network::City;
use roxmltree::Node as Element;

use super::ImportError;
use super::attributes::{children, number, text, wrong};
use super::links::{Connection, Names};

/// How two connections of a node relate.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Relation {
    /// They meet.
    pub(super) foes: bool,
    /// The first waits for the second.
    pub(super) first_waits: bool,
    /// The second waits for the first.
    pub(super) second_waits: bool,
}

/// The connections of a node by their row, with the rows.
pub(super) struct NodeRequests {
    /// For each row, its connection (the index in the list of all).
    pub(super) connections: Vec<usize>,
    foes: Vec<Vec<bool>>,
    waits: Vec<Vec<bool>>,
}

impl NodeRequests {
    /// How two rows relate.
    pub(super) fn relation(&self, a: usize, b: usize) -> Relation {
        Relation {
            foes: self.foes[a][b] || self.foes[b][a] || self.waits[a][b] || self.waits[b][a],
            first_waits: self.waits[a][b],
            second_waits: self.waits[b][a],
        }
    }
}

/// Reads the rows of all nodes that have some.
pub(super) fn read(
    city: &City,
    net: Element<'_, '_>,
    names: &Names<'_>,
    connections: &[Connection],
) -> Result<BTreeMap<NodeId, NodeRequests>, ImportError> {
    let mut all = BTreeMap::new();
    for junction in children(net, "junction") {
        let Some(node) = names.nodes.get(text(junction, "id")?) else { continue };
        let rows: Vec<Element<'_, '_>> = children(junction, "request").collect();
        if !rows.is_empty() {
            let connections = rows_of(city, junction, *node, connections);
            all.insert(*node, node_requests(connections, &rows)?);
        }
    }
    Ok(all)
}

/// The connections of a node in the order of its rows: lane by lane as in `incLanes`, each lane's in the order of the
/// file; then the crossings by number.
fn rows_of(city: &City, junction: Element<'_, '_>, node: NodeId, connections: &[Connection]) -> Vec<usize> {
    let lanes: Vec<&str> = junction.attribute("incLanes").unwrap_or_default().split_whitespace().collect();
    let place = |lane: LaneId| lanes.iter().position(|l| *l == city.lanes[lane.index()].name);
    let crossing_number = |c: &Connection| c.crossing.as_ref()?.rsplit_once("_c")?.1.parse::<usize>().ok();
    let order = |c: &Connection| match c.from {
        Some(lane) => (0, place(lane).unwrap_or(usize::MAX)),
        None => (1, crossing_number(c).unwrap_or(usize::MAX)),
    };
    let mut own: Vec<usize> = (0..connections.len()).filter(|c| connections[*c].node == Some(node)).collect();
    own.sort_by_key(|c| order(&connections[*c]));
    own
}

fn node_requests(mut connections: Vec<usize>, rows: &[Element<'_, '_>]) -> Result<NodeRequests, ImportError> {
    connections.truncate(rows.len());
    let empty = vec![vec![false; rows.len()]; rows.len()];
    let (mut foes, mut waits) = (empty.clone(), empty);
    for row in rows {
        let index: usize = number(*row, "index")?;
        if index >= rows.len() {
            return Err(wrong(*row, "index", &index.to_string(), &format!("below {}, the number of rows", rows.len())));
        }
        foes[index] = bits(*row, "foes", rows.len())?;
        waits[index] = bits(*row, "response", rows.len())?;
    }
    Ok(NodeRequests { connections, foes, waits })
}

/// A row of bits; the last character is row 0.
fn bits(row: Element<'_, '_>, name: &str, count: usize) -> Result<Vec<bool>, ImportError> {
    let value = text(row, name)?;
    let bits: Vec<bool> = value.bytes().rev().map(|b| b == b'1').collect();
    let sound = bits.len() == count && value.bytes().all(|b| b == b'0' || b == b'1');
    if sound { Ok(bits) } else { Err(wrong(row, name, value, &format!("{count} bits"))) }
}
