//! A road graph as units drive on it. Tables as JEMSS has them: sections, each with a header of its own; of nodes the
//! columns `index`, `x`, `y` (degrees), of arcs `fromNode`, `toNode` and `mode_1`, the travel time in days.

use std::collections::BTreeMap;
use std::path::Path;

use nanming_dataflows::network::Point;
use nanming_dataflows::roads::{Access, RoadGraph, UNREACHABLE, Weights};

use super::DispatchEvalError;
use super::calls::Calls;
use super::travel::{Place, blocks_m};
use crate::gzip;

/// Speed off the road, and where there is none, m/s.
const OFF_ROAD_M_S: u32 = 5;
const MS_PER_DAY: f64 = 86_400_000.0;
/// Nobody's calls are so far from the nearest road, m.
const FARTHEST_M: f64 = 20_000.0;

/// A road graph with its travel times.
pub(super) struct Roads {
    graph: RoadGraph,
    access: Access,
    weights: Weights,
    origin: Place,
}

impl Roads {
    /// Reads nodes and arcs; places are counted as those of the calls.
    pub(super) fn read(nodes: &Path, arcs: &Path, calls: &Calls) -> Result<Roads, DispatchEvalError> {
        let origin = calls.place.first().copied().unwrap_or_default();
        let [lon_m, lat_m] = calls.m_per_degree;
        let mut rows = BTreeMap::new();
        let mut points = Vec::new();
        for [index, x, y] in table(nodes, ["index", "x", "y"])? {
            rows.insert(index as i64, points.len() as u32);
            points.push(point(origin, [x * lon_m, y * lat_m]));
        }
        let node = |index: f64| rows.get(&(index as i64)).copied();
        let (mut ends, mut travel_ms) = (Vec::new(), Vec::new());
        for [from, to, days] in table(arcs, ["fromNode", "toNode", "mode_1"])? {
            let what = || format!("an arc joins nodes {from} and {to}, which {} does not have", nodes.display());
            let pair = node(from).zip(node(to)).ok_or_else(|| DispatchEvalError::Roads(arcs.into(), what()))?;
            ends.push(pair);
            travel_ms.push((days * MS_PER_DAY).round() as u32);
        }
        let courses: Vec<[Point; 2]> = ends.iter().map(|(a, b)| [points[*a as usize], points[*b as usize]]).collect();
        let numbered = ends.iter().zip(&courses).zip(0..);
        let access = Access::new(numbered.map(|((ends, course), arc)| (arc, *ends, course.as_slice())), OFF_ROAD_M_S);
        let graph = RoadGraph::new(&points, &ends, &[]);
        let weights = graph.customise(&travel_ms);
        let roads = Roads { graph, access, weights, origin };
        roads.check(&points, calls).map_err(|what| DispatchEvalError::Roads(nodes.into(), what))?;
        Ok(roads)
    }

    /// Calls have to be where the roads are.
    fn check(&self, points: &[Point], calls: &Calls) -> Result<(), String> {
        let near = |call: &Place| {
            let call = point(self.origin, *call);
            points.iter().any(|node| (node.distance_mm(call) as f64) < FARTHEST_M * 1e3)
        };
        match calls.place.iter().find(|call| !near(call)) {
            None => Ok(()),
            Some(_) => {
                Err("there are calls 20 km and more from all of its nodes: give roads of the calls' city".into())
            }
        }
    }

    /// Time from each of some places to another, s. Where no road leads, it is as on none.
    pub(super) fn times_s(&self, from: &[Place], to: Place) -> Vec<f64> {
        let place = |at: Place| self.access.place(point(self.origin, at));
        let places: Vec<_> = from.iter().map(|at| place(*at)).collect();
        let times_ms = self.graph.times_to(&self.weights, &places, &place(to));
        let time_s = |(from, ms): (&Place, u32)| {
            let by_road_s = if ms == UNREACHABLE { f64::INFINITY } else { f64::from(ms) / 1e3 };
            by_road_s.min(blocks_m(*from, to) / f64::from(OFF_ROAD_M_S))
        };
        from.iter().zip(times_ms).map(time_s).collect()
    }
}

fn point(origin: Place, at: Place) -> Point {
    // A place beyond what fits is at its end: `check` tells of it.
    let [x_mm, y_mm] = [0, 1].map(|axis| ((at[axis] - origin[axis]) * 1e3).round() as i32);
    Point { x_mm, y_mm }
}

/// The columns of these names, below the line that names them; lines above it are other sections.
fn table<const N: usize>(path: &Path, names: [&str; N]) -> Result<Vec<[f64; N]>, DispatchEvalError> {
    let failed = |source| DispatchEvalError::File { path: path.into(), source };
    let mut columns: Option<[usize; N]> = None;
    let mut rows = Vec::new();
    let text = gzip::read_to_string(path).map_err(failed)?;
    for (line, text) in (1..).zip(text.lines()) {
        let cells: Vec<&str> = text.split(',').map(|cell| cell.trim().trim_matches('"')).collect();
        let wrong = |what| DispatchEvalError::Content { path: path.into(), line, what };
        match columns {
            None => {
                let at = names.map(|name| cells.iter().position(|cell| *cell == name));
                columns = at.iter().all(Option::is_some).then(|| at.map(Option::unwrap_or_default));
            }
            Some(columns) if cells.iter().any(|cell| !cell.is_empty()) => {
                let mut row = [0.0; N];
                for ((value, column), name) in row.iter_mut().zip(columns).zip(names) {
                    let number = cells.get(column).and_then(|cell| cell.parse().ok());
                    let finite = number.filter(|number: &f64| number.is_finite());
                    *value = finite.ok_or_else(|| wrong(format!("{name} is no number")))?;
                }
                rows.push(row);
            }
            Some(_) => {}
        }
    }
    let missing = || format!("no line names the columns {}", names.join(", "));
    columns.map(|_| rows).ok_or_else(|| DispatchEvalError::Roads(path.into(), missing()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODES: &str = "nodes,,\nindex,x,y\n1.0,0,0\n2.0,0.01,0\n3.0,0.02,0\n,,\n";

    /// Three nodes in a row and the way from the first to the last, 100 s an arc.
    fn read(nodes: &str, arcs: &str, call: Place) -> Result<Roads, String> {
        let dir = tempfile::tempdir().unwrap();
        let paths = ["nodes.csv", "arcs.csv"].map(|name| dir.path().join(name));
        std::fs::write(&paths[0], nodes).unwrap();
        std::fs::write(&paths[1], arcs).unwrap();
        let calls = Calls { place: vec![call], m_per_degree: [111_000.0; 2], ..Calls::default() };
        Roads::read(&paths[0], &paths[1], &calls).map_err(|error| error.to_string())
    }

    #[test]
    fn units_drive_along_arcs_and_only_where_they_lead() {
        let days = 100_000.0 / MS_PER_DAY;
        let arcs = format!("arcs\nindex,fromNode,toNode,mode_1\n1,1.0,2.0,{days}\n2,2,3,{days}\n");
        let roads = read(NODES, &arcs, [0.0, 0.0]).unwrap();
        let times = |from: &[Place], to| roads.times_s(from, to).into_iter().map(f64::round).collect::<Vec<_>>();
        assert_eq!(times(&[[0.0, 0.0], [1_110.0, 0.0]], [2_220.0, 0.0]), [200.0, 100.0]);
        assert_eq!(times(&[[2_220.0, 0.0]], [0.0, 0.0]), [444.0], "against the arcs, off the road");
    }

    #[test]
    fn what_is_wrong_with_roads_is_told() {
        let told = |nodes: &str, arcs: &str, call: Place| read(nodes, arcs, call).err().unwrap();
        let head = "fromNode,toNode,mode_1\n";
        assert!(told("index,x\n", head, [0.0; 2]).contains("no line names the columns index, x, y"));
        assert!(told(NODES, &format!("{head}1,2,x\n"), [0.0; 2]).contains("line 2: mode_1 is no number"));
        assert!(told(NODES, &format!("{head}1,9,0.1\n"), [0.0; 2]).contains("an arc joins nodes 1 and 9"));
        assert!(told(NODES, &format!("{head}1,2,0.1\n"), [900_000.0, 0.0]).contains("20 km and more"));
    }
}
