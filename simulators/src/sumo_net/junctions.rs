//! `tlLogic`s to junctions: heads, approaches, conflicts, stages, plans.

use std::collections::{BTreeMap, BTreeSet};

use nanming_dataflows::ids::*;
use nanming_dataflows::network::{Approach, City, Head, Junction, Light, Plan, Point, SignalMode, Stage, Turn};
use roxmltree::Node as Element;

use super::ImportError;
use super::attributes::{children, number, text, unknown, wrong};
use super::conflicts::{Claim, settle};
use super::links::{Connection, Names};
use super::programs::{self, Phase, Program};
use super::requests::{self, NodeRequests};
use crate::course::end_bearing_deg;

/// Shortest green where the network does not give one, ms.
const MIN_GREEN_MS: u32 = 5_000;
/// Longest green, unless a program has a longer one, ms.
const MAX_GREEN_MS: u32 = 60_000;
/// Longest red, unless a program has a longer cycle, ms.
const MAX_RED_MS: u32 = 120_000;
/// Yellow by the speed that is allowed before the line (RiLSA 2015, 2.4): up to so many mm/s, ms. Programs of SUMO's networks
/// have what netconvert reckoned, often all-red within it.
const YELLOWS_MS: [(u32, u32); 2] = [(13_900, 3_000), (16_700, 4_000)];
/// Yellow before lines that are approached faster than that, ms.
const FAST_YELLOW_MS: u32 = 5_000;

/// Adds a junction for every `tlLogic` that governs connections and shows a green. The network is the last of the sources.
pub(super) fn signalise(
    city: &mut City,
    sources: &[Element<'_, '_>],
    names: &Names<'_>,
    connections: &[Connection],
    warnings: &mut Vec<String>,
) -> Result<(), ImportError> {
    let Some(net) = sources.last().copied() else { return Ok(()) };
    let requests = requests::read(city, net, names, connections)?;
    let crossings = crossings_mm(net, names)?;
    for (name, logics) in logics(sources)? {
        let own: Vec<usize> = (0..connections.len()).filter(|c| governs(&connections[*c], name)).collect();
        let programs = logics.iter().map(|l| programs::read(*l)).collect::<Result<Vec<_>, _>>()?;
        let heads = head_count(&logics, &programs)?;
        if let Some(beyond) = own.iter().filter_map(|c| index(&connections[*c])).find(|i| *i >= heads) {
            return Err(unknown(logics[0], format!("character {beyond} in its states, which a connection refers to")));
        }
        if own.is_empty() || programs::stage_phases(&programs).is_empty() {
            let why = if own.is_empty() { "governs no connection" } else { "shows no green" };
            warnings.push(format!("tlLogic {name} {why}; left out"));
            continue;
        }
        let controller = Controller { name, own: &own, connections, programs: &programs, heads };
        let junction = controller.junction(city, &requests, &crossings, warnings);
        city.junctions.push(junction);
    }
    Ok(())
}

/// The `tlLogic` elements by ID, IDs in order of appearance.
fn logics<'a, 'b: 'a>(sources: &[Element<'a, 'b>]) -> Result<Vec<(&'a str, Vec<Element<'a, 'b>>)>, ImportError> {
    let mut logics: Vec<(&str, Vec<Element<'_, '_>>)> = Vec::new();
    for logic in sources.iter().flat_map(|source| children(*source, "tlLogic")) {
        let id = text(logic, "id")?;
        match logics.iter_mut().find(|(known, _)| *known == id) {
            Some((_, all)) => all.push(logic),
            None => logics.push((id, vec![logic])),
        }
    }
    Ok(logics)
}

fn governs(connection: &Connection, logic: &str) -> bool {
    connection.signal.as_ref().is_some_and(|(tl, _)| tl == logic)
}

fn index(connection: &Connection) -> Option<usize> {
    connection.signal.as_ref().map(|(_, index)| *index)
}

/// The length of the states, which must be the same in all phases.
fn head_count(logics: &[Element<'_, '_>], programs: &[Program]) -> Result<usize, ImportError> {
    let heads = programs[0].phases[0].lamps.len();
    for (logic, program) in logics.iter().zip(programs) {
        for (element, phase) in children(*logic, "phase").zip(&program.phases) {
            if phase.lamps.len() != heads {
                let expected = format!("{heads} characters long like the first state of its tlLogic");
                return Err(wrong(element, "state", text(element, "state")?, &expected));
            }
        }
    }
    Ok(heads)
}

/// For each link, the length of the longest crossing over it, mm.
fn crossings_mm(net: Element<'_, '_>, names: &Names<'_>) -> Result<BTreeMap<LinkId, u32>, ImportError> {
    let mut longest = BTreeMap::new();
    for crossing in children(net, "edge").filter(|e| e.attribute("function") == Some("crossing")) {
        let Some(lane) = children(crossing, "lane").next() else { continue };
        let length_mm = (number::<f64>(lane, "length")? * 1000.0).round() as u32;
        let crossed = crossing.attribute("crossingEdges").unwrap_or_default().split_whitespace();
        for link in crossed.filter_map(|edge| names.links.get(edge)) {
            let known = longest.entry(*link).or_insert(0);
            *known = length_mm.max(*known);
        }
    }
    Ok(longest)
}

/// A `tlLogic` with all that belongs to it.
struct Controller<'a> {
    name: &'a str,
    own: &'a [usize],
    connections: &'a [Connection],
    programs: &'a [Program],
    heads: usize,
}

impl Controller<'_> {
    fn junction(
        &self,
        city: &mut City,
        requests: &BTreeMap<NodeId, NodeRequests>,
        crossings_mm: &BTreeMap<LinkId, u32>,
        warnings: &mut Vec<String>,
    ) -> Junction {
        let id = JunctionId::from_index(city.junctions.len());
        let phases = programs::stage_phases(self.programs);
        let plans: Vec<Plan> = self.programs.iter().filter_map(|p| programs::plan(p, &phases)).collect();
        let mut lights: Vec<Vec<Light>> = phases.iter().map(|p| p.lights()).collect();
        let (conflicts, repairs) = settle(&self.claims(city, requests), &mut lights, self.heads);
        warnings.extend(repairs.iter().map(|what| format!("tlLogic {}, {what}", self.name)));
        let stages = stages(&phases, lights, &plans);
        let nodes = self.govern(city, id);
        let cycle_ms = plans.iter().map(Plan::cycle_ms).max().unwrap_or(0);
        Junction {
            id,
            name: self.name.to_string(),
            at: middle(nodes.iter().map(|n| city.nodes[n.index()].at)),
            district: DistrictId(0),
            nodes,
            approaches: self.approaches(city, crossings_mm),
            heads: (0..self.heads).map(|head| self.head(city, head, &stages)).collect(),
            conflicts,
            stages,
            plans,
            all_red_ms: programs::all_red_ms(self.programs),
            max_red_ms: MAX_RED_MS.max(cycle_ms),
            mode: SignalMode::Stage,
        }
    }

    /// Puts its nodes and movements under the junction; returns its nodes.
    fn govern(&self, city: &mut City, id: JunctionId) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = self.own.iter().filter_map(|c| self.connections[*c].node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes.iter().for_each(|n| city.nodes[n.index()].junction = Some(id));
        for connection in self.own.iter().map(|c| &self.connections[*c]) {
            if let (Some(movement), Some(head)) = (connection.movement, index(connection)) {
                city.movements[movement.index()].signal = Some((id, head as u16));
            }
        }
        nodes
    }

    fn head(&self, city: &City, head: usize, stages: &[Stage]) -> Head {
        let own = || self.own.iter().map(|c| &self.connections[*c]).filter(|c| index(c) == Some(head));
        let shortest_ms = stages.iter().filter(|s| s.lights[head].is_green()).map(|s| s.min_green_ms).min();
        let fastest_mm_s = own().filter_map(|c| c.from).map(|lane| city.link_of(lane).free_speed_mm_s).max();
        Head {
            movements: own().filter_map(|c| c.movement).collect(),
            yellow_ms: yellow_ms(fastest_mm_s.unwrap_or(0)),
            min_green_ms: shortest_ms.unwrap_or(MIN_GREEN_MS).min(MIN_GREEN_MS),
        }
    }

    fn approaches(&self, city: &City, crossings_mm: &BTreeMap<LinkId, u32>) -> Vec<Approach> {
        let lanes = self.own.iter().filter_map(|c| self.connections[*c].from);
        let mut links: Vec<LinkId> = lanes.map(|l| city.lanes[l.index()].link).collect();
        links.sort_unstable();
        links.dedup();
        let approach = |link: LinkId| Approach {
            link,
            heading_deg: end_bearing_deg(&city.links[link.index()].shape).round() as u16 % 360,
            crossing_mm: crossings_mm.get(&link).copied().unwrap_or(0),
        };
        links.into_iter().map(approach).collect()
    }

    /// What the rows say of each pair of heads. Heads of one approach are free of conflict.
    fn claims(&self, city: &City, requests: &BTreeMap<NodeId, NodeRequests>) -> Vec<((usize, usize), Claim)> {
        let mut claims: BTreeMap<(usize, usize), Claim> = BTreeMap::new();
        let own: BTreeSet<NodeId> = self.own.iter().filter_map(|c| self.connections[*c].node).collect();
        for rows in own.iter().filter_map(|node| requests.get(node)) {
            for (a, first) in rows.connections.iter().enumerate() {
                for (b, second) in rows.connections.iter().enumerate().skip(a + 1) {
                    self.claim(city, rows, (a, *first), (b, *second), &mut claims);
                }
            }
        }
        claims.into_iter().collect()
    }

    fn claim(
        &self,
        city: &City,
        rows: &NodeRequests,
        (mut a, first): (usize, usize),
        (mut b, second): (usize, usize),
        claims: &mut BTreeMap<(usize, usize), Claim>,
    ) {
        let (mut first, mut second) = (&self.connections[first], &self.connections[second]);
        let link = |c: &Connection| c.from.map(|l| city.lanes[l.index()].link);
        let both_own = governs(first, self.name) && governs(second, self.name);
        if !both_own || index(first) == index(second) || (link(first).is_some() && link(first) == link(second)) {
            return;
        }
        if index(first) > index(second) {
            std::mem::swap(&mut a, &mut b);
            std::mem::swap(&mut first, &mut second);
        }
        let (Some(head_a), Some(head_b)) = (index(first), index(second)) else { return };
        let relation = rows.relation(a, b);
        let claim = claims.entry((head_a, head_b)).or_default();
        claim.relation.foes |= relation.foes;
        claim.relation.first_waits |= relation.first_waits;
        claim.relation.second_waits |= relation.second_waits;
        claim.first_rank = claim.first_rank.max(rank(city, first));
        claim.second_rank = claim.second_rank.max(rank(city, second));
    }
}

/// Yellow for those who approach so fast, ms.
fn yellow_ms(fastest_mm_s: u32) -> u32 {
    YELLOWS_MS.iter().find(|(to_mm_s, _)| fastest_mm_s <= *to_mm_s).map_or(FAST_YELLOW_MS, |(_, ms)| *ms)
}

/// How much a connection is the lesser beside others: turns more than through traffic, people on foot least.
fn rank(city: &City, connection: &Connection) -> u8 {
    match connection.movement.map(|m| city.movements[m.index()].turn) {
        None => 0,
        Some(Turn::Through) => 1,
        Some(Turn::Right) => 2,
        Some(Turn::Left) => 3,
        Some(Turn::UTurn) => 4,
    }
}

fn stages(phases: &[&Phase], lights: Vec<Vec<Light>>, plans: &[Plan]) -> Vec<Stage> {
    let greens_ms = |stage: usize| {
        let steps = plans.iter().flat_map(|p| &p.steps).filter(move |s| usize::from(s.stage) == stage);
        steps.map(|s| s.green_ms)
    };
    let stage = |(row, (phase, lights)): (usize, (&&Phase, Vec<Light>))| {
        let given_ms = phase.least_ms.unwrap_or(MIN_GREEN_MS).max(MIN_GREEN_MS);
        let min_green_ms = greens_ms(row).min().map_or(given_ms, |shortest_ms| given_ms.min(shortest_ms));
        let max_green_ms = greens_ms(row).max().unwrap_or(0).max(MAX_GREEN_MS).max(min_green_ms);
        Stage { name: format!("stage {row}"), lights, min_green_ms, max_green_ms, walk_ms: 0, clearance_ms: 0 }
    };
    phases.iter().zip(lights).enumerate().map(stage).collect()
}

fn middle(places: impl Iterator<Item = Point> + Clone) -> Point {
    let count = places.clone().count().max(1) as i64;
    let mean = |of: fn(Point) -> i32| (places.clone().map(|p| i64::from(of(p))).sum::<i64>() / count) as i32;
    Point { x_mm: mean(|p| p.x_mm), y_mm: mean(|p| p.y_mm) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yellow_lasts_by_the_speed_before_the_line() {
        assert_eq!([8_330, 13_890, 16_670, 19_440, 0].map(yellow_ms), [3_000, 3_000, 4_000, 5_000, 3_000]);
    }
}
